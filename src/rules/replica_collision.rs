//! # replica-collision
//!
//! ## What it finds
//! A service with more containers (`scale`, `deploy.replicas`, `--scale`) than host ports to
//! publish them on: a fixed port and more than one container, or a range that is too short.
//!
//! ## Why
//! Each container needs a host port of its own. The first one gets it; the others fail with
//! `port is already allocated`. Which one is first changes from run to run.
//!
//! ## Example
//! ```yaml
//! services: # fires
//!   web: { image: web, ports: ["8080:80"], scale: 3 }
//! ```
//! ```yaml
//! services: # silent
//!   web: { image: web, ports: ["8080-8082:80"], scale: 3 }
//!   api: { image: api, ports: ["80"], scale: 3 }
//! ```
//!
//! ## Remedy
//! Publish a range with a port for each container, let the engine choose (`"80"`), or put one
//! proxy in front of the replicas. `8080-8082:80-82` is no such range: it is three fixed ports.
//!
//! ## Sources
//! [Services: `scale`](https://docs.docker.com/reference/compose-file/services/#scale)

use super::describe::{Entry, profile_note};
use super::{Context, Rule};
use crate::binding::Cause;
use crate::finding::{Finding, Label, Severity};

pub(super) const RULE: Rule = Rule::new(
    "replica-collision",
    Severity::Error,
    include_str!("replica_collision.rs"),
    check,
)
.fixed();

fn check(rule: &Rule, cx: &Context<'_>, out: &mut Vec<Finding>) {
    for host in cx.hosts {
        let mut last = None;
        for collision in host.collisions.iter().filter(|found| !found.has_holder()) {
            let (copies, ports) = match collision.cause {
                Cause::Copies(copies) => (copies, 1),
                Cause::RangeTooShort { ports, copies } => (copies, ports),
                _ => continue,
            };
            let Some(index) = collision.claims.first() else {
                continue;
            };
            let entry = Entry::of(cx.world, host, *index);
            // the ports of an expanded range are one entry
            if last.replace(entry.key()) != Some(entry.key()) {
                out.push(finding(rule, cx, &entry, copies, ports));
            }
        }
    }
}

fn finding(
    rule: &Rule,
    cx: &Context<'_>,
    entry: &Entry<'_, '_>,
    copies: u32,
    ports: u32,
) -> Finding {
    let who = entry.who();
    let claim = entry.claim_ref();
    let published = claim.published.as_deref().unwrap_or_default();
    let mut finding = rule.finding(if ports == 1 {
        format!(
            "{copies} containers of {who} all publish {published}/{}",
            claim.protocol
        )
    } else {
        format!("{copies} containers of {who} share {ports} host ports")
    });
    finding.labels = entry.labels("");
    let service = entry.first().service;
    if let Some(span) = service.replicas_at {
        finding.labels.push(Label {
            project: entry.first().project_index,
            span,
            text: format!("{copies} containers"),
        });
    }
    finding.claims = vec![claim];
    finding.notes.extend(profile_note(&[entry]));
    finding.remap = entry.planned(cx);
    finding.help = Some(match &finding.remap {
        Some(remap) => {
            format!(
                "publish a port for each: {}; or leave the host port to the engine",
                remap.to
            )
        }
        None => "publish a range with a port for each, or leave the host port to the engine".into(),
    });
    finding
}
