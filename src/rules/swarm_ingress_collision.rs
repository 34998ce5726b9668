//! # swarm-ingress-collision
//!
//! ## What it finds
//! A published port that a service of the Swarm has on every node. Needs `--live` or `--against`
//! with a manager, and with `--stack` also what `docker stack deploy` would refuse.
//!
//! ## Why
//! The routing mesh opens the port of an ingress service on every node, also on those that run no
//! task of it. A second ingress service with that port is refused, and a container that publishes
//! it fails where the mesh listens. Where a container was first, nothing is refused and the mesh
//! silently takes its traffic.
//!
//! ## Example
//! ```yaml
//! services: # fires, while a service publishes 8080 in ingress mode
//!   web: { image: web, ports: ["8080:80"] }
//! ```
//! ```yaml
//! services: # silent
//!   web: { image: web, ports: ["8081:80"] }
//! ```
//!
//! ## Remedy
//! Publish another port, or remove the service.
//!
//! ## Sources
//! [Use Swarm mode routing mesh](https://docs.docker.com/engine/swarm/ingress/)

use super::describe::{Entry, held_by};
use super::{Context, Needs, Rule};
use crate::binding::{Published, Reason};
use crate::finding::{Finding, Severity};
use crate::machine::{Use, words};

pub(super) const RULE: Rule = Rule::new(
    "swarm-ingress-collision",
    Severity::Error,
    include_str!("swarm_ingress_collision.rs"),
    check,
)
.fixed()
.needs(Needs::Machine);

fn check(rule: &Rule, cx: &Context<'_>, out: &mut Vec<Finding>) {
    held_by(rule, cx, |who| matches!(who, Use::Ingress(_)), out);
    for host in cx.hosts {
        // where no listener of the mesh is seen, nothing is refused
        let Some(machine) = host.machine else {
            continue;
        };
        for (service, port, protocol) in machine.ingress() {
            let seen = host.holders.sockets.iter().any(|holder| {
                matches!(holder.who, Use::Ingress(other) if other.id == service.id)
                    && holder.socket.port == port
            });
            let wants = |claim: &crate::claim::Claim<'_>| {
                claim.wanted.binding.protocol == protocol
                    && claim.wanted.binding.published == Published::Fixed(port)
            };
            let Some(index) = host.claims.iter().position(wants).filter(|_| !seen) else {
                continue;
            };
            let entry = Entry::of(cx.world, host, index);
            let message = format!(
                "{} wants {port}/{protocol}, which Swarm service `{}` has on every node",
                entry.who(),
                service.name
            );
            let mut finding = entry.finding(rule, cx, message);
            finding.severity = Severity::Warning;
            finding.holder = Some(words::service_ref(service));
            finding.notes.insert(0, Reason::SwarmIngress.to_string());
            finding.remap = entry.remap(cx);
            finding.help = finding.remap.as_ref().map(|remap| entry.advice(remap));
            out.push(finding);
        }
    }
}
