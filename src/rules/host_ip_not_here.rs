//! # host-ip-not-here
//!
//! ## What it finds
//! A port that is published on an address that the host does not have. Needs `--live` or `--against`
//! with the addresses of the host; those of a machine behind Docker Desktop are not known. Silent
//! where the kernel may bind any address (`net.ipv4.ip_nonlocal_bind`).
//!
//! ## Why
//! The bind fails, whatever else runs: `cannot assign requested address`. The file was written for
//! another host, or the address is one that DHCP or a tunnel gave and took. At boot even the right
//! address may come later than the engine.
//!
//! ## Example
//! ```yaml
//! services: # fires, where the host is 192.0.2.10
//!   web: { image: web, ports: ["192.0.2.9:8080:80"] }
//! ```
//! ```yaml
//! services: # silent
//!   web: { image: web, ports: ["192.0.2.10:8080:80"] }
//!   api: { image: api, ports: ["127.0.0.1:8080:80"] }
//! ```
//!
//! ## Remedy
//! Publish on an address of the host; the message names those there are. A variable,
//! `${HOST_IP:-127.0.0.1}:8080:80`, lets each host have its own.
//!
//! ## Sources
//! [Publishing ports](https://docs.docker.com/engine/network/port-publishing/); recorded on engines
//! 20.10 to 29.

use super::describe::Entry;
use super::{Context, Needs, Rule};
use crate::binding::{HostIp, LocalAddresses, Refusal, refusal};
use crate::finding::{Finding, Severity};
use crate::plan::explain::listed;

pub(super) const RULE: Rule = Rule::new(
    "host-ip-not-here",
    Severity::Error,
    include_str!("host_ip_not_here.rs"),
    check,
)
.needs(Needs::Machine);

fn check(rule: &Rule, cx: &Context<'_>, out: &mut Vec<Finding>) {
    for entry in cx.entries() {
        out.extend(elsewhere(rule, &entry));
    }
}

fn elsewhere(rule: &Rule, entry: &Entry<'_, '_>) -> Option<Finding> {
    let engine = &entry.host.engine;
    let LocalAddresses::Known(here) = &engine.local else {
        return None;
    };
    let wanted = &entry.first().wanted;
    let Some(Refusal::NotLocal(ip)) = refusal(&wanted.binding, &wanted.network, engine) else {
        return None;
    };
    let (who, protocol) = (entry.who(), entry.protocol());
    let what = entry.published().unwrap_or(wanted.binding.target.into());
    let mut finding = entry.remark_there(
        rule,
        format!("{who} publishes {what}/{protocol} on {ip}, which the host cannot bind"),
    );
    let usable = |one: &&HostIp| one.same_family(ip) && engine.can_bind(**one, protocol);
    let usable: Vec<String> = here
        .iter()
        .filter(usable)
        .map(ToString::to_string)
        .collect();
    finding.notes.push(if here.contains(&ip) {
        "a link-local address needs a zone, which a published port cannot have".to_owned()
    } else {
        "no interface has this address".to_owned()
    });
    finding.help = (!usable.is_empty()).then(|| format!("publish it on {}", listed(&usable)));
    Some(finding)
}
