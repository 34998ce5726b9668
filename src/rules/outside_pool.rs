//! # outside-pool
//!
//! ## What it finds
//! A host port that is in none of the pools of its project. Silent where the project has no pools.
//! Of a range for one container port, ports outside beside others are a warning: the engine may
//! choose one.
//!
//! ## Why
//! Pools share the ports of a host out among projects, teams or stages, so that nobody need ask
//! before publishing one, and a firewall can open a few ranges for good. That holds only as long as
//! everybody stays inside. `portplan fix` moves a port into a pool of its project and never out of
//! them; if need be to a port that the kernel lends to outgoing connections, for a pool is the
//! user's choice.
//!
//! ## Example
//! ```yaml
//! services: # fires, where the pool is 8100-8199
//!   web: { image: web, ports: ["8080:80"] }
//! ```
//! ```yaml
//! services: # silent
//!   web: { image: web, ports: ["8100:80"] }
//!   api: { image: api, ports: ["80"] } # the engine chooses
//! ```
//!
//! ## Remedy
//! Publish a port of the pool, which the message names; or widen the pool.
//!
//! ## Sources
//! The settings of the project, and nothing else.

use super::describe::Entry;
use super::{Context, Needs, Rule};
use crate::binding::Port;
use crate::finding::{Finding, Severity};

pub(super) const RULE: Rule = Rule::new(
    "outside-pool",
    Severity::Error,
    include_str!("outside_pool.rs"),
    check,
)
.fixed()
.needs(Needs::Pools);

fn check(rule: &Rule, cx: &Context<'_>, out: &mut Vec<Finding>) {
    for entry in cx.entries() {
        out.extend(outside(rule, cx, &entry));
    }
}

fn outside(rule: &Rule, cx: &Context<'_>, entry: &Entry<'_, '_>) -> Option<Finding> {
    let pools: Vec<_> = cx.world.pools(entry.first().project_index).collect();
    let in_pool = |port: Port| {
        let mut ranges = pools.iter().flat_map(|pool| &pool.ports);
        ranges.any(|ports| ports.contains(port))
    };
    let is_outside = |port| !pools.is_empty() && !in_pool(port);
    let severity = entry.barred(is_outside)?;
    let (who, ports, protocol) = (entry.who(), entry.published()?, entry.protocol());
    let outside = entry.barred_ports(is_outside)?;
    let which = if outside == ports {
        "which".to_owned()
    } else {
        format!("of which {outside}")
    };
    let names: Vec<String> = pools
        .iter()
        .map(|pool| format!("`{}`", pool.name))
        .collect();
    let mut finding = entry.finding(
        rule,
        cx,
        format!(
            "{who} publishes {ports}/{protocol}, {which} is not in {}",
            names.join(" or ")
        ),
    );
    finding.severity = severity;
    finding.notes.extend(pools.iter().map(|pool| {
        let ranges: Vec<String> = pool.ports.iter().map(ToString::to_string).collect();
        format!("`{}` has {}", pool.name, ranges.join(", "))
    }));
    Some(finding)
}
