//! # huge-range
//!
//! ## What it finds
//! One entry that publishes 500 or more fixed ports. A range for one container port
//! (`"9000-9999:80"`) takes one of them, and counts as one.
//!
//! ## Why
//! The engine treats each port by itself: a proxy process for each address family, unless
//! `userland-proxy` is off, and firewall rules. Thousands of ports take long to start and much
//! memory, and each of them may be in somebody's way.
//!
//! ## Example
//! ```yaml
//! services: # fires
//!   sip: { image: sip, ports: ["10000-10999:10000-10999/udp"] }
//! ```
//! ```yaml
//! services: # silent
//!   sip: { image: sip, ports: ["10000-10099:10000-10099/udp"] }
//!   web: { image: web, ports: ["9000-9999:80"] }
//! ```
//!
//! ## Remedy
//! Tell the program to use fewer ports and publish these, or give it the host's network with
//! `network_mode: host`.
//!
//! ## Sources
//! [moby#11185](https://github.com/moby/moby/issues/11185),
//! [moby#34328](https://github.com/moby/moby/issues/34328): 500 ports took 600 MB with 17.06.

use super::describe::Entry;
use super::{Context, Rule};
use crate::binding::Published;
use crate::finding::{Finding, Severity};

pub(super) const RULE: Rule = Rule::new(
    "huge-range",
    Severity::Notice,
    include_str!("huge_range.rs"),
    check,
);

/// From how many ports on a range is huge.
const HUGE: usize = 500;

fn check(rule: &Rule, cx: &Context<'_>, out: &mut Vec<Finding>) {
    for host in cx.hosts {
        for claims in host.entries().filter(|claims| claims.len() >= HUGE) {
            let entry = Entry::of(cx.world, host, claims[0]);
            if entry.first().wanted.binding.published != Published::Dynamic {
                out.push(huge(rule, &entry));
            }
        }
    }
}

fn huge(rule: &Rule, entry: &Entry<'_, '_>) -> Finding {
    let count = entry.claims().count();
    let (who, protocol) = (entry.who(), entry.protocol());
    let proxy = if entry.host.engine.userland_proxy {
        "a proxy process and "
    } else {
        ""
    };
    let mut finding = entry.remark(
        rule,
        format!(
            "{who} publishes {count} {protocol} ports, each with {proxy}firewall rules of its own"
        ),
    );
    finding.help =
        Some("publish the ports that are used, or set `network_mode: host` instead".to_owned());
    finding
}
