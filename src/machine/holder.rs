//! Who has host ports on a machine, beside the projects that are checked (engine.md 4).

use std::net::IpAddr;

use super::Machine;
use crate::binding::{self, HostIp, Port, Protocol, SocketState};
use crate::compose;
use crate::engine::container::{Container, Request, Tenure};
use crate::engine::snapshot::{PublishMode, Service, Swarm};
use crate::host;
use crate::worktree::Neighbour;

/// Somebody who has a port now.
#[derive(Clone, Debug)]
pub struct Holder<'m> {
    /// Who.
    pub who: Use<'m>,
    /// The socket, as the kernel has it.
    pub socket: binding::Socket,
}

/// What a port is used by.
#[derive(Clone, Copy, Debug)]
pub enum Use<'m> {
    /// A container of the engine that projects are started on.
    Container(&'m Container),
    /// A container of another engine of the machine.
    Elsewhere(&'m Container, &'m crate::engine::Snapshot),
    /// A Swarm service, on every node.
    Ingress(&'m Service),
    /// The AirPlay Receiver of macOS.
    AirPlay(&'m host::Socket),
    /// A service of a project in another worktree of the repository, whether or not it runs.
    Worktree(&'m Neighbour, &'m compose::project::Service),
    /// A socket of another program.
    Socket(&'m host::Socket),
}

/// All who have ports, in the two ways the algebra tells apart.
#[derive(Clone, Debug, Default)]
pub struct Holders<'m> {
    /// What containers of the engine hold, each with its container.
    pub holds: Vec<(binding::Hold, &'m Container)>,
    /// What others hold.
    pub sockets: Vec<Holder<'m>>,
}

impl Machine {
    /// Who has ports now, without the containers that `own` accepts: those that starting the
    /// project replaces.
    ///
    /// The sockets of engines are their containers', not second holders.
    #[must_use]
    pub fn holders(&self, own: impl Fn(&Container) -> bool) -> Holders<'_> {
        let mut holders = Holders::default();
        let mut published = Vec::new();
        for (index, engine) in self.engines.iter().enumerate() {
            let rules = super::rules(engine);
            for container in &engine.containers {
                for hold in &container.holds {
                    let Some(port) = Port::new(hold.port) else {
                        continue;
                    };
                    let hold = binding::Hold {
                        ip: hold.host_ip.into(),
                        port,
                        protocol: hold.protocol,
                    };
                    published.push(hold);
                    if index == 0 && own(container) {
                        continue;
                    }
                    if index == 0 {
                        holders.holds.push((hold, container));
                    } else {
                        let socket = binding::Socket::of_other_engine(hold, &rules);
                        let who = Use::Elsewhere(container, engine);
                        holders.sockets.push(Holder { who, socket });
                    }
                }
            }
        }
        let ingress: Vec<(&Service, Port, Protocol)> = self.ingress().collect();
        for socket in self.host.iter().flat_map(|host| &host.sockets) {
            let socket_of = as_binding(socket);
            let same = |hold: &binding::Hold| {
                hold.port == socket_of.port
                    && hold.protocol == socket_of.protocol
                    && (hold.ip == socket_of.ip
                        || (socket.owner.is_engine() && socket_of.ip.is_any()))
            };
            if published.iter().any(same) {
                continue;
            }
            let service = ingress.iter().find(|(_, port, protocol)| {
                socket.owner.is_engine()
                    && (*port, *protocol) == (socket_of.port, socket_of.protocol)
            });
            let who = match service {
                Some((service, ..)) => Use::Ingress(service),
                None if socket.is_airplay() => Use::AirPlay(socket),
                None => Use::Socket(socket),
            };
            holders.sockets.push(Holder {
                who,
                socket: socket_of,
            });
        }
        holders
    }

    /// The ports that Swarm services have on every node.
    pub fn ingress(&self) -> impl Iterator<Item = (&Service, Port, Protocol)> {
        self.services().flat_map(|service| {
            service
                .ports
                .iter()
                .filter(|port| port.mode == PublishMode::Ingress)
                .filter_map(move |port| Some((service, Port::new(port.published?)?, port.protocol)))
        })
    }

    /// The Swarm services that its engine knows of, as a manager.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        let swarm = self.engines.first().map(|engine| &engine.engine.swarm);
        let services = match swarm {
            Some(Swarm::Manager { services, .. }) => &services[..],
            _ => &[],
        };
        services.iter()
    }

    /// Containers that have no port now and may take some by themselves: during an attempt to
    /// restart, or at the next boot.
    pub fn waiting(&self) -> impl Iterator<Item = (&Container, &[Request], Tenure)> {
        let engine = self.engines.first().into_iter();
        engine
            .flat_map(|engine| engine.future_claims())
            .map(|claim| (claim.container, claim.ports, claim.tenure))
    }
}

/// The socket in the terms of the algebra.
fn as_binding(socket: &host::Socket) -> binding::Socket {
    let ip: IpAddr = socket.address;
    binding::Socket {
        ip: HostIp::from(ip),
        port: socket.port.into(),
        protocol: socket.protocol,
        state: match socket.state {
            host::State::Listening => SocketState::Listening,
            host::State::Bound => SocketState::Bound,
            host::State::Outgoing | host::State::TimeWait => SocketState::Connected,
        },
        reuse_address: socket.reuse_address,
        reuse_port: None,
        v6_only: socket.v6only,
        device: None,
    }
}
