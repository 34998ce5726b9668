//! # container-collision
//!
//! ## What it finds
//! A published port that a container on this machine has already: one of another project, an
//! orphan of this one, or one that Compose did not make. Needs `--live` or `--against`.
//!
//! ## Why
//! `up` fails with `port is already allocated` and does not say who has it. The containers of the
//! project itself are not in its way, for `up` replaces them.
//!
//! ## Example
//! ```yaml
//! services: # fires, while container `other` publishes 8080
//!   web: { image: web, ports: ["8080:80"] }
//! ```
//! ```yaml
//! services: # silent
//!   web: { image: web, ports: ["8081:80"] }
//! ```
//!
//! ## Remedy
//! Stop the container with the command that the message gives, or publish another port.
//!
//! ## Sources
//! [Publishing ports](https://docs.docker.com/engine/network/port-publishing/)

use super::describe::{Entry, held_by};
use super::{Context, Needs, Rule};
use crate::binding::{Overlap, Port, Published, Reason, overlap};
use crate::engine::container::{Container, HostPort, Request, Tenure};
use crate::finding::{Finding, Severity};
use crate::graph::Allocation;
use crate::machine::Use;

pub(super) const RULE: Rule = Rule::new(
    "container-collision",
    Severity::Error,
    include_str!("container_collision.rs"),
    check,
)
.fixed()
.needs(Needs::Machine);

fn check(rule: &Rule, cx: &Context<'_>, out: &mut Vec<Finding>) {
    let is_container = |who: &Use<'_>| matches!(who, Use::Container(_) | Use::Elsewhere(..));
    held_by(rule, cx, is_container, out);
    for host in cx.hosts {
        restarting(rule, cx, host, out);
    }
}

/// A container in a crash loop has its ports during each attempt.
fn restarting(rule: &Rule, cx: &Context<'_>, host: &Allocation<'_>, out: &mut Vec<Finding>) {
    for (container, entry, port) in meetings(cx, host, &[Tenure::Attempts]) {
        let who = Use::Container(container);
        let message = format!(
            "{} wants {port}/{}, which {} takes during each attempt",
            entry.who(),
            entry.protocol(),
            who.words()
        );
        let mut finding = entry.finding(rule, cx, message);
        finding.severity = Severity::Warning;
        finding.holder = Some(who.reference());
        finding.notes.insert(0, Reason::Restarting.to_string());
        finding.help = who
            .reference()
            .command
            .map(|command| format!("stop it: `{command}`"));
        out.push(finding);
    }
}

/// The claims that meet what a waiting container would ask for.
pub(super) fn meetings<'a, 'w>(
    cx: &Context<'w>,
    host: &'a Allocation<'w>,
    tenures: &[Tenure],
) -> Vec<(&'w Container, Entry<'a, 'w>, Port)> {
    let Some(machine) = host.machine else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (container, requests, tenure) in machine.waiting() {
        let own = host
            .claims
            .iter()
            .any(|claim| claim.project.replaces(container));
        if own || !tenures.contains(&tenure) {
            continue;
        }
        let network = container
            .networks
            .first()
            .and_then(|name| machine.network(name));
        let network = network.unwrap_or_default();
        for binding in requests.iter().filter_map(fixed) {
            let meets = |claim: &crate::claim::Claim<'_>| {
                let wanted = (&claim.wanted.binding, &claim.wanted.network);
                matches!(claim.wanted.binding.published, Published::Fixed(_))
                    && matches!(
                        overlap(wanted, (&binding, &network), &host.engine),
                        Overlap::Always(_)
                    )
            };
            if let (Some(index), Published::Fixed(port)) =
                (host.claims.iter().position(meets), binding.published)
            {
                found.push((container, Entry::of(cx.world, host, index), port));
            }
        }
    }
    found
}

/// A request for a certain port.
fn fixed(request: &Request) -> Option<crate::binding::Binding> {
    let HostPort::Fixed { port } = request.host_port else {
        return None;
    };
    Some(crate::binding::Binding {
        host_ip: request.host_ip.map(Into::into),
        published: Published::Fixed(Port::new(port)?),
        target: Port::new(request.target)?,
        protocol: request.protocol,
    })
}
