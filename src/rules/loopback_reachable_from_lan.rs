//! # loopback-reachable-from-lan
//!
//! ## What it finds
//! A port published on 127.0.0.1, where the engine is older than 28.0. Looked for with `--engine`,
//! `--live` or `--against`; a rootless engine and Docker Desktop are not concerned.
//!
//! ## Why
//! It looks as if only this host could reach the port. These engines rewrite the address of a packet
//! before the kernel sees that it came from elsewhere, so that a host on the same link reaches it,
//! too, if it sends to 127.0.0.1 by way of this one.
//!
//! ## Example
//! ```yaml
//! services: # fires, where the engine is 27.5
//!   db: { image: db, ports: ["127.0.0.1:5432:5432"] }
//! ```
//! ```yaml
//! services: # silent
//!   web: { image: web, ports: ["8080:80"] }
//! ```
//!
//! ## Remedy
//! Install Docker Engine 28 or later. Until then, drop such packets:
//! `iptables -t raw -I PREROUTING ! -i lo -d 127.0.0.0/8 -j DROP`.
//!
//! ## Sources
//! [moby#45610](https://github.com/moby/moby/issues/45610);
//! [Release notes of 28.0](https://docs.docker.com/engine/release-notes/28/#2800)

use super::describe::Entry;
use super::{Context, Needs, Rule};
use crate::binding::addresses;
use crate::finding::{Finding, Severity};

pub(super) const RULE: Rule = Rule::new(
    "loopback-reachable-from-lan",
    Severity::Warning,
    include_str!("loopback_reachable_from_lan.rs"),
    check,
)
.needs(Needs::OldEngine);

fn check(rule: &Rule, cx: &Context<'_>, out: &mut Vec<Finding>) {
    for host in cx.hosts {
        let engine = host.machine.and_then(|machine| machine.engines.first());
        let desktop = engine.is_some_and(|snapshot| snapshot.engine.desktop);
        // one that is not known counts as the newest
        if host.engine.shields_loopback() || desktop {
            continue;
        }
        for claims in host.entries() {
            let entry = Entry::of(cx.world, host, claims[0]);
            out.extend(reachable(rule, &entry));
        }
    }
}

fn reachable(rule: &Rule, entry: &Entry<'_, '_>) -> Option<Finding> {
    let (wanted, engine) = (&entry.first().wanted, &entry.host.engine);
    let bound = addresses(&wanted.binding, &wanted.network, engine);
    let ip = bound.ipv4.filter(|ip| ip.ip().is_loopback())?;
    let (who, version) = (entry.who(), engine.version);
    let mut finding = entry.remark_there(
        rule,
        format!("hosts on the same network reach {who} on {ip}, because the engine is {version}"),
    );
    finding.help = Some(
        "install Docker Engine 28 or later, or run as root: \
         `iptables -t raw -I PREROUTING ! -i lo -d 127.0.0.0/8 -j DROP`"
            .to_owned(),
    );
    Some(finding)
}
