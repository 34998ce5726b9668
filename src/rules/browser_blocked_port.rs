//! # browser-blocked-port
//!
//! ## What it finds
//! A host port that browsers refuse to open, in front of what most likely is a web server: one whose
//! container port is 80, 443, 3000, 5000, 8000, 8080, 8443, 9000 or the like. What speaks another
//! protocol, as a mail server on 25 or a telephone exchange on 5060, is left alone.
//!
//! ## Why
//! Browsers open no page on ports of old protocols, lest a page be made to talk to a mail server.
//! The container runs, `curl` has its answer, and the browser says `ERR_UNSAFE_PORT` or `This address
//! is restricted`; `fetch` fails with `bad port`. 6000 and 6665 to 6669 are the usual victims.
//!
//! ## Example
//! ```yaml
//! services: # fires
//!   web: { image: web, ports: ["6000:80"] }
//! ```
//! ```yaml
//! services: # silent
//!   web: { image: web, ports: ["6001:80"] }
//!   irc: { image: irc, ports: ["6667:6667"] }
//! ```
//!
//! ## Remedy
//! Publish another port, which the message names.
//!
//! ## Sources
//! [Fetch: port blocking](https://fetch.spec.whatwg.org/#port-blocking)

use super::describe::Entry;
use super::{Context, Rule, propose};
use crate::finding::{Finding, Severity};
use crate::plan::bars;

pub(super) const RULE: Rule = Rule::new(
    "browser-blocked-port",
    Severity::Warning,
    include_str!("browser_blocked_port.rs"),
    check,
)
.fixed_when_asked();

fn check(rule: &Rule, cx: &Context<'_>, out: &mut Vec<Finding>) {
    out.extend(propose::proposed(cx, |entry| blocked(rule, entry)));
}

fn blocked(rule: &Rule, entry: &Entry<'_, '_>) -> Option<Finding> {
    let claim = entry.claims().find(|claim| bars::is_blocked(claim))?;
    let (who, target) = (entry.who(), claim.wanted.binding.target);
    let port = claim.ports()?;
    let message = format!(
        "{who} publishes its web server, {target}, on {port}, which browsers refuse to open"
    );
    Some(entry.remark(rule, message))
}
