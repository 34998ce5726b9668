//! # unpinned-host-port
//!
//! ## What it finds
//! A port that is published without a host port, so that the engine chooses one.
//!
//! Off unless asked for: where several copies of a project run side by side, it is meant.
//!
//! ## Why
//! It is another port whenever the container is made anew. Bookmarks, scripts and firewall rules do
//! not find it; `docker compose port web 80` tells where it is.
//!
//! ## Example
//! ```yaml
//! services: # fires
//!   web: { image: web, ports: ["80"] }
//! ```
//! ```yaml
//! services: # silent
//!   web: { image: web, ports: ["8080:80", "9000-9010:81"] }
//! ```
//!
//! ## Remedy
//! Write a host port or a range before the container port. `portplan fix --only unpinned-host-port`
//! writes a free one that is like it.
//!
//! ## Sources
//! [Services: `ports`](https://docs.docker.com/reference/compose-file/services/#ports)

use super::describe::Entry;
use super::{Context, Rule};
use crate::binding::PortRange;
use crate::finding::{Finding, Fix, Rewrite, Severity};

pub(super) const RULE: Rule = Rule::new(
    "unpinned-host-port",
    Severity::Notice,
    include_str!("unpinned_host_port.rs"),
    check,
)
.opt_in()
.fixed_when_asked();

fn check(rule: &Rule, cx: &Context<'_>, out: &mut Vec<Finding>) {
    for entry in cx.entries().filter(Entry::is_dynamic) {
        out.push(unpinned(rule, &entry, cx.host_ports(&entry)));
    }
}

fn unpinned(rule: &Rule, entry: &Entry<'_, '_>, free: Option<PortRange>) -> Finding {
    let (who, targets, protocol) = (entry.who(), entry.targets(), entry.protocol());
    let message = match targets.single() {
        Some(target) => {
            format!("{who} publishes {target}/{protocol} on a host port that the engine chooses")
        }
        None => {
            format!("{who} publishes {targets}/{protocol} on host ports that the engine chooses")
        }
    };
    let mut finding = entry.remark(rule, message);
    finding.help = free.map(|ports| format!("publish it as {}", entry.mapping(Some(ports))));
    finding.fix = free.map(|ports| Fix {
        rewrite: Rewrite::HostPort(ports),
        publishes: entry.publishes().collect(),
    });
    finding
}
