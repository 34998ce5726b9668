//! # port-refused
//!
//! ## What it finds
//! `ports` that Compose accepts and the engine refuses: beside `network_mode: service:…` or
//! `container:…`, with a protocol that is none, or with a container port that is none.
//!
//! ## Why
//! The container is not created: `conflicting options: port publishing and the container type
//! network mode`. Nothing before `up` says so.
//!
//! ## Example
//! ```yaml
//! services: # fires
//!   vpn: { image: vpn }
//!   web: { image: web, network_mode: "service:vpn", ports: ["8080:80"] }
//! ```
//! ```yaml
//! services: # silent
//!   vpn: { image: vpn, ports: ["8080:80"] }
//!   web: { image: web, network_mode: "service:vpn" }
//! ```
//!
//! ## Remedy
//! Publish the port on the service whose network is shared.
//!
//! ## Sources
//! [Container networks](https://docs.docker.com/engine/network/#container-networks)

use super::{Context, Rule};
use crate::claim::{Fate, Refused};
use crate::finding::{ClaimRef, Finding, Label, Severity};

pub(super) const RULE: Rule = Rule::new(
    "port-refused",
    Severity::Error,
    include_str!("port_refused.rs"),
    check,
);

fn check(rule: &Rule, cx: &Context<'_>, out: &mut Vec<Finding>) {
    // a stack has no `network_mode`
    if cx.world.stack.is_some() {
        return;
    }
    for &(index, service, ref ports) in &cx.fates {
        let mut shared = false;
        for (_, publish, fate) in ports {
            let Fate::Refused(refused) = fate else {
                continue;
            };
            let name = &service.name;
            let (message, help) = match refused {
                // one word for all of its ports
                Refused::SharedNetwork(_) if std::mem::replace(&mut shared, true) => continue,
                Refused::SharedNetwork(mode) => (
                    format!("`{name}` cannot publish ports: it uses the network of {mode}"),
                    match mode.strip_prefix("service:") {
                        Some(other) => format!("move its `ports` to service `{other}`"),
                        None => "publish the ports on that container".to_owned(),
                    },
                ),
                Refused::Protocol(protocol) => (
                    format!("`{protocol}` of service `{name}` is not a protocol"),
                    "use tcp, udp or sctp".to_owned(),
                ),
                Refused::Target(target) => (
                    match target {
                        Some(target) => {
                            format!("{target} of service `{name}` is not a container port")
                        }
                        None => format!("a port of service `{name}` has no container port"),
                    },
                    "write a number from 1 to 65535".to_owned(),
                ),
                Refused::Published(_) => continue,
            };
            let mut finding = rule.finding(message);
            finding.labels.push(Label {
                project: index,
                span: publish.origin.entry,
                text: "the engine refuses this".to_owned(),
            });
            if let (true, Some((_, span))) = (shared, &service.network_mode) {
                let text = "because of this".to_owned();
                finding.labels.push(Label {
                    project: index,
                    span: *span,
                    text,
                });
            }
            finding.claims.push(ClaimRef::of(index, service, publish));
            finding.help = Some(help);
            out.push(finding);
        }
    }
}
