//! # range-start-order
//!
//! ## What it finds
//! A port that another service's range, or a port the engine chooses, may take first, although
//! there is room for all.
//!
//! ## Why
//! `8000-8010:80` takes one port of the range when it starts, the lowest that is free on a fresh
//! engine and any later one after that. A service that needs one certain port of that range fails
//! if the range was served first. Without `depends_on` the order is not fixed.
//!
//! ## Example
//! ```yaml
//! services: # fires
//!   pool: { image: pool, ports: ["8000-8010:80"] }
//!   api: { image: api, ports: ["8005:80"] }
//! ```
//! ```yaml
//! services: # silent
//!   pool: { image: pool, ports: ["8000-8010:80"] }
//!   api: { image: api, ports: ["8011:80"] }
//! ```
//!
//! ## Remedy
//! Keep fixed ports out of ranges.
//!
//! ## Sources
//! The allocator of Docker Engine, `daemon/libnetwork/portallocator`; recorded on engines 20.10 to
//! 29.

use super::describe::{Entry, name_host, profile_note};
use super::{Context, Rule};
use crate::binding::{Cause, Published};
use crate::finding::{Finding, Severity};

pub(super) const RULE: Rule = Rule::new(
    "range-start-order",
    Severity::Warning,
    include_str!("range_start_order.rs"),
    check,
);

fn check(rule: &Rule, cx: &Context<'_>, out: &mut Vec<Finding>) {
    for host in cx.hosts {
        for collision in host.collisions.iter().filter(|found| !found.has_holder()) {
            let Cause::Maybe(reason) = collision.cause else {
                continue;
            };
            let entries: Vec<Entry<'_, '_>> = collision
                .claims
                .iter()
                .map(|index| Entry::of(cx.world, host, *index))
                .collect();
            // a port that the engine chooses out of thousands is no range that anybody wrote
            let dynamic = |entry: &Entry<'_, '_>| {
                entry.first().wanted.binding.published == Published::Dynamic
            };
            if entries.iter().any(dynamic) {
                continue;
            }
            let mut names: Vec<String> = entries.iter().map(Entry::who).collect();
            names.sort();
            names.dedup();
            let mut finding = rule.finding(match &names[..] {
                [one] => format!("ports of {one} may get in each other's way"),
                several => format!("{} may get in each other's way", several.join(" and ")),
            });
            finding.labels = entries.iter().flat_map(|entry| entry.labels("")).collect();
            finding.claims = entries.iter().map(Entry::claim_ref).collect();
            name_host(&mut finding, host);
            finding.notes.push(reason.to_string());
            finding
                .notes
                .extend(profile_note(&entries.iter().collect::<Vec<_>>()));
            finding.help = Some("move the fixed port out of the range".to_owned());
            out.push(finding);
        }
    }
}
