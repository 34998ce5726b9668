//! # privileged-port
//!
//! ## What it finds
//! A host port that a rootless engine may not bind: one below the host's
//! `net.ipv4.ip_unprivileged_port_start`, 1024 unless `--live` or `--against` says otherwise. Looked
//! for with `--rootless`, or where the engine of the machine is rootless. Of a range for one
//! container port, low ports alone are an error; low ones beside others are a warning, for the
//! engine begins with the lowest and may give up there.
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

use super::describe::Entry;
use super::{Context, Needs, Rule};
use crate::binding::Port;
use crate::finding::{Finding, Severity};

pub(super) const RULE: Rule = Rule::new(
    "privileged-port",
    Severity::Error,
    include_str!("privileged_port.rs"),
    check,
)
.fixed()
.needs(Needs::Rootless);

fn check(rule: &Rule, cx: &Context<'_>, out: &mut Vec<Finding>) {
    for host in cx.hosts {
        let Some(start) = host.unprivileged_start() else {
            continue;
        };
        for claims in host.entries() {
            let entry = Entry::of(cx.world, host, claims[0]);
            out.extend(refused(rule, cx, &entry, start));
        }
    }
}

fn refused(rule: &Rule, cx: &Context<'_>, entry: &Entry<'_, '_>, start: Port) -> Option<Finding> {
    let severity = entry.barred(|port| port < start)?;
    let (who, ports, protocol) = (entry.who(), entry.published()?, entry.protocol());
    let mut finding = entry.finding(
        rule,
        cx,
        format!(
            "{who} wants {ports}/{protocol}, and a rootless engine may bind ports from {start} only"
        ),
    );
    finding.severity = severity;
    finding.help = finding.help.map(|moved| {
        let lowest = ports.first();
        format!("{moved}, or as root: `sysctl net.ipv4.ip_unprivileged_port_start={lowest}`")
    });
    Some(finding)
}
