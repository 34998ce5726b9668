//! # reserved-port
//!
//! ## What it finds
//! A host port that the settings keep for something else. Silent where nothing is reserved. Of a
//! range for one container port, reserved ports beside others are a warning: the engine does not
//! know of them, and may choose one.
//!
//! ## Why
//! Some ports of a host belong to what no compose file names: a program that is started by hand, a
//! device that answers there, a tunnel, the service of another team. Who takes such a port notices
//! nothing, until that wants it back. `portplan fix` moves nothing there, and `portplan free` does
//! not propose it.
//!
//! ## Example
//! ```yaml
//! services: # fires, where 9100 is reserved for the node exporter
//!   web: { image: web, ports: ["9100:80"] }
//! ```
//! ```yaml
//! services: # silent
//!   web: { image: web, ports: ["9101:80"] }
//! ```
//!
//! ## Remedy
//! Publish another port, which the message names; or change the reservation.
//!
//! ## Sources
//! The settings of the project, and nothing else.

use super::describe::Entry;
use super::{Context, Needs, Rule};
use crate::finding::{Finding, Severity};

pub(super) const RULE: Rule = Rule::new(
    "reserved-port",
    Severity::Error,
    include_str!("reserved_port.rs"),
    check,
)
.fixed()
.needs(Needs::Reservations);

fn check(rule: &Rule, cx: &Context<'_>, out: &mut Vec<Finding>) {
    for entry in cx.entries() {
        out.extend(reserved(rule, cx, &entry));
    }
}

fn reserved(rule: &Rule, cx: &Context<'_>, entry: &Entry<'_, '_>) -> Option<Finding> {
    let (who, ports, protocol) = (entry.who(), entry.published()?, entry.protocol());
    let reservation = |port| cx.world.settings.reservation(port, protocol);
    let is_reserved = |port| reservation(port).is_some();
    let severity = entry.barred(is_reserved)?;
    let kept = entry.barred_ports(is_reserved)?;
    let reason = &reservation(kept.first())?.reason;
    let which = if kept == ports {
        "which".to_owned()
    } else {
        format!("of which {kept}")
    };
    let message = format!("{who} publishes {ports}/{protocol}, {which} is kept for {reason}");
    let mut finding = entry.finding(rule, cx, message);
    finding.severity = severity;
    Some(finding)
}
