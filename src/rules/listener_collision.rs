//! # listener-collision
//!
//! ## What it finds
//! A published port that a program on this machine has already: a server, or an outgoing
//! connection that was given the port. Needs `--live` or `--against`.
//!
//! ## Why
//! The engine binds the port on the host like any program, and fails: `address already in use`.
//! A server on `[::]` that takes IPv4 as well is in the way of every address.
//!
//! ## Example
//! ```yaml
//! services: # fires, while a web server listens on port 80
//!   web: { image: web, ports: ["80:80"] }
//! ```
//! ```yaml
//! services: # silent
//!   web: { image: web, ports: ["8080:80"] }
//! ```
//!
//! ## Remedy
//! Stop the program, or publish another port.
//!
//! ## Sources
//! The rules of Linux for sockets that share a port, `inet_csk_bind_conflict`; recorded with 42
//! kinds of sockets on engines 20.10 to 29.

use super::describe::held_by;
use super::{Context, Needs, Rule};
use crate::finding::{Finding, Severity};
use crate::machine::Use;

pub(super) const RULE: Rule = Rule::new(
    "listener-collision",
    Severity::Error,
    include_str!("listener_collision.rs"),
    check,
)
.fixed()
.needs(Needs::Machine);

fn check(rule: &Rule, cx: &Context<'_>, out: &mut Vec<Finding>) {
    held_by(rule, cx, |who| matches!(who, Use::Socket(_)), out);
}
