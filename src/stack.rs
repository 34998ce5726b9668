//! A project deployed to a Swarm: which ports its services would have, on which nodes.
//!
//! `docker stack deploy` reads ports differently from `docker compose up` (engine.md 7): a host
//! range with one container port claims the whole range, a host IP is dropped, and replicas share
//! an ingress port.

use crate::binding::{Port, PortRange, Protocol};
use crate::compose::port::Publish;
use crate::compose::project::{Project, Service};
use crate::engine::snapshot::PublishMode;

/// A port that a service of a stack would publish.
#[derive(Clone, Copy, Debug)]
pub struct StackClaim<'w> {
    /// The project's place in the world.
    pub project_index: usize,
    /// The project.
    pub project: &'w Project,
    /// The service.
    pub service: &'w Service,
    /// The entry.
    pub publish: &'w Publish,
    /// The port on the nodes.
    pub port: Port,
    /// The protocol.
    pub protocol: Protocol,
    /// On which nodes.
    pub mode: PublishMode,
}

/// Ports that Swarm itself needs on its nodes: the managers' API, gossip, and the overlay network.
pub const SWARM_PORTS: [(u16, Protocol, &str); 4] = [
    (2377, Protocol::Tcp, "the managers"),
    (4789, Protocol::Udp, "the overlay network"),
    (7946, Protocol::Tcp, "the nodes"),
    (7946, Protocol::Udp, "the nodes"),
];

/// The fixed ports that the services of a project would publish as a stack.
#[must_use]
pub fn claims(project_index: usize, project: &Project) -> Vec<StackClaim<'_>> {
    let mut claims = Vec::new();
    for service in &project.services {
        for publish in &service.ports {
            let range: Option<PortRange> =
                publish.published.as_deref().and_then(|t| t.parse().ok());
            let protocol = publish.protocol.as_deref().unwrap_or("tcp").parse();
            let (Some(range), Ok(protocol)) = (range, protocol) else {
                continue;
            };
            let mode = match publish.mode.as_deref() {
                Some("host") => PublishMode::Host,
                _ => PublishMode::Ingress,
            };
            claims.extend(range.iter().map(|port| StackClaim {
                project_index,
                project,
                service,
                publish,
                port,
                protocol,
                mode,
            }));
        }
    }
    claims
}
