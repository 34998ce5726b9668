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
//! Write a host port or a range before the container port.
//!
//! ## Sources
//! [Services: `ports`](https://docs.docker.com/reference/compose-file/services/#ports)

use super::describe::Entry;
use super::{Context, Rule};
use crate::binding::Published;
use crate::finding::{Finding, Severity};
use crate::plan::candidates;

pub(super) const RULE: Rule = Rule::new(
    "unpinned-host-port",
    Severity::Notice,
    include_str!("unpinned_host_port.rs"),
    check,
)
.opt_in();

fn check(rule: &Rule, cx: &Context<'_>, out: &mut Vec<Finding>) {
    for entry in cx.entries() {
        if entry.first().wanted.binding.published == Published::Dynamic {
            out.push(unpinned(rule, &entry));
        }
    }
}

fn unpinned(rule: &Rule, entry: &Entry<'_, '_>) -> Finding {
    let binding = entry.first().wanted.binding;
    let (who, target, protocol) = (entry.who(), binding.target, binding.protocol);
    let mut finding = entry.remark_there(
        rule,
        format!("{who} publishes {target}/{protocol} on a host port that the engine chooses"),
    );
    let (taken, engine) = (entry.host.taken(), &entry.host.engine);
    let free = candidates::near(target, 1, taken, engine);
    finding.help = free.map(|port| format!("publish it as {}", entry.mapping(Some(port))));
    finding
}
