//! # project-collision
//!
//! ## What it finds
//! Services of two projects on one host that publish the same host port. Looked for with
//! `--together`, which says that the projects share a host; else each is taken to be alone.
//!
//! Services that meet only when several profiles are turned on that nobody chose are a warning.
//!
//! ## Why
//! Projects are told apart by their names, networks and containers, but a host has each port once.
//! Whichever project is up first has it; the other fails half-way: `Bind for 0.0.0.0:8080 failed:
//! port is already allocated`. Templates and tutorials all begin with the same 80, 3000 and 5432.
//!
//! ## Example
//! ```yaml
//! services: # fires
//!   web: { image: web, ports: ["8080:80"] }
//! ---
//! services: # of another project
//!   api: { image: api, ports: ["8080:80"] }
//! ```
//! ```yaml
//! services: # silent
//!   web: { image: web, ports: ["127.0.0.1:8080:80"] }
//! ---
//! services: # of another project
//!   api: { image: api, ports: ["127.0.0.2:8080:80"] }
//! ```
//!
//! ## Remedy
//! Publish one of them on another host port; the message names one that is free on the whole host.
//! Or let a reverse proxy have the port and reach the others by a network that they share.
//!
//! ## Sources
//! [Project names](https://docs.docker.com/compose/how-tos/project-name/);
//! [publishing ports](https://docs.docker.com/engine/network/port-publishing/)

use super::{Context, Needs, Rule, host_port_collision};
use crate::finding::{Finding, Severity};

pub(super) const RULE: Rule = Rule::new(
    "project-collision",
    Severity::Error,
    include_str!("project_collision.rs"),
    check,
)
.fixed()
.needs(Needs::SharedHost);

fn check(rule: &Rule, cx: &Context<'_>, out: &mut Vec<Finding>) {
    host_port_collision::find(rule, cx, true, out);
}
