//! # privileged-port
//!
//! ## What it finds
//! A host port that a rootless engine may not bind: one below the host's
//! `net.ipv4.ip_unprivileged_port_start`, 1024 unless `--live` or `--against` says otherwise. Looked
//! for with `--rootless`, or where the engine of the machine is rootless.
//!
//! ## Why
//! A rootless engine has no right to low ports: `cannot expose privileged port 80`. An engine that
//! runs as root has it, whatever the setting.
//!
//! ## Example
//! ```yaml
//! services: # fires, where the engine is rootless
//!   web: { image: web, ports: ["80:80"] }
//! ```
//! ```yaml
//! services: # silent
//!   web: { image: web, ports: ["8080:80"] }
//! ```
//!
//! ## Remedy
//! Publish a port from 1024, or lower `net.ipv4.ip_unprivileged_port_start`.
//!
//! ## Sources
//! [Rootless mode: networking errors](https://docs.docker.com/engine/security/rootless/troubleshoot/);
//! recorded on rootless engines 20.10, 28 and 29.

use super::describe::{Entry, profile_note};
use super::{Context, Rule};
use crate::binding::Published;
use crate::finding::{Finding, Severity};

pub(super) const RULE: Rule = Rule::new(
    "privileged-port",
    Severity::Error,
    include_str!("privileged_port.rs"),
    check,
);

/// The kernel's own setting, where that of the host is not known.
const UNPRIVILEGED_START: u16 = 1024;

fn check(rule: &Rule, cx: &Context<'_>, out: &mut Vec<Finding>) {
    for host in cx.hosts.iter().filter(|host| host.engine.rootless) {
        let known = host.machine.and_then(|machine| machine.host.as_ref());
        let start = known.map_or(UNPRIVILEGED_START, |host| host.limits.unprivileged_start);
        for (index, claim) in host.claims.iter().enumerate() {
            let Published::Fixed(port) = claim.wanted.binding.published else {
                continue;
            };
            // a range that Compose expands is one entry
            if port.get() >= start || host.entry(index)[0] != index {
                continue;
            }
            let entry = Entry::of(cx.world, host, index);
            let mut finding = rule.finding(format!(
                "{} wants {port}/{}, and a rootless engine may bind ports from {start} only",
                entry.who(),
                entry.protocol()
            ));
            finding.labels = entry.labels("");
            finding.claims = vec![entry.claim_ref()];
            finding.host = host.machine.map(|machine| machine.name.clone());
            finding.notes.extend(profile_note(&[&entry]));
            finding.remap = entry.remap();
            finding.help = finding.remap.as_ref().map(|remap| {
                format!(
                    "{}, or as root: `sysctl net.ipv4.ip_unprivileged_port_start={port}`",
                    entry.advice(remap)
                )
            });
            out.push(finding);
        }
    }
}
