//! What holds or wants host ports: the table of `who` and of `list --live`.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use super::place::OriginPlace;
use super::table::align;
use crate::binding::{
    HostIp, Port, PortRange, PortSet, Protocol, Published, Socket, SocketState, addresses,
};
use crate::engine::container::{Container, HostPort, Tenure};
use crate::finding::HolderRef;
use crate::graph::Allocation;
use crate::machine::{Holders, Machine, Use, words};
use crate::plan::candidates;
use crate::settings::Reservation;
use crate::world::World;

/// What `who --format json` prints.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "portplan who")]
pub struct Holdings {
    /// The version of this form: 1.
    pub version: u32,
    /// By port, protocol and what they are.
    pub ports: Vec<Holding>,
}

/// One who holds or wants a port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Holding {
    /// The port, or the range of which one is wanted.
    pub published: String,
    /// The protocol; null is every one.
    pub protocol: Option<Protocol>,
    /// How surely.
    pub tenure: HoldingTenure,
    /// The addresses.
    pub addresses: Vec<String>,
    /// Who, if it is not a service of a compose file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<HolderRef>,
    /// Who, in words.
    pub who: String,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Where a compose file says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<OriginPlace>,
    /// The machine, where several are looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    #[serde(skip)]
    range: (u16, u16),
    #[serde(skip)]
    connection: bool,
}

/// How surely somebody has a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HoldingTenure {
    /// It has it now.
    Held,
    /// It takes it during each attempt to restart.
    Restarting,
    /// It takes it at the next boot.
    AtBoot,
    /// A stopped container would take it if somebody started it.
    Stopped,
    /// A compose file publishes it.
    Wanted,
    /// `portplan.yaml` keeps it for something else.
    Reserved,
}

impl HoldingTenure {
    fn word(self) -> &'static str {
        match self {
            Self::Held => "HELD",
            Self::Restarting => "RESTARTING",
            Self::AtBoot => "AT BOOT",
            Self::Stopped => "STOPPED",
            Self::Wanted => "WANTED",
            Self::Reserved => "RESERVED",
        }
    }
}

impl Holdings {
    /// All that is held or wanted on the machines of a world.
    #[must_use]
    pub fn of(world: &World) -> Self {
        let several = world.machines.len() > 1;
        let mut ports = Vec::new();
        for machine in &world.machines {
            let before = ports.len();
            machine_holdings(machine, &mut ports);
            if several {
                let own = &mut ports[before..];
                own.iter_mut()
                    .for_each(|holding| holding.host = Some(machine.name.clone()));
            }
        }
        wanted(world, &mut ports);
        ports.extend(world.settings.reserved.iter().map(reserved));
        ports.sort_by(|a, b| {
            let key = |h: &Holding| (h.range, h.protocol, h.tenure, h.host.clone(), h.who.clone());
            key(a)
                .cmp(&key(b))
                .then_with(|| a.addresses.cmp(&b.addresses))
        });
        Self {
            version: 1,
            ports: merged(ports),
        }
    }

    /// Those that concern a port.
    #[must_use]
    pub fn on(mut self, port: Port, protocol: Option<Protocol>) -> Self {
        self.ports.retain(|holding| {
            let (first, last) = holding.range;
            (first..=last).contains(&port.get())
                && (protocol.is_none()
                    || holding.protocol.is_none()
                    || protocol == holding.protocol)
        });
        self
    }

    /// Those that are no mere connections, which come and go.
    #[must_use]
    pub fn without_connections(mut self) -> Self {
        self.ports.retain(|holding| !holding.connection);
        self
    }

    /// All ports that anybody holds or wants.
    #[must_use]
    pub fn taken(&self) -> PortSet {
        let ports = self
            .ports
            .iter()
            .flat_map(|holding| holding.range.0..=holding.range.1);
        ports.filter_map(Port::new).collect()
    }

    /// As aligned columns.
    #[must_use]
    pub fn table(&self) -> String {
        let mut rows = vec![["PORT", "STATE", "WHO", "ADDRESS", "NEXT"].map(String::from)];
        for holding in &self.ports {
            let who = match &holding.host {
                Some(host) => format!("{} on {host}", holding.who),
                None => holding.who.clone(),
            };
            rows.push([
                match holding.protocol {
                    Some(protocol) => format!("{}/{protocol}", holding.published),
                    None => holding.published.clone(),
                },
                holding.tenure.word().to_owned(),
                who,
                holding.addresses.join(" "),
                holding.next.clone().unwrap_or_default(),
            ]);
        }
        align(&rows)
    }
}

/// The two addresses of one publish, or of one program, are one row.
fn merged(ports: Vec<Holding>) -> Vec<Holding> {
    let mut rows: Vec<Holding> = Vec::new();
    for holding in ports {
        match rows.last_mut() {
            Some(last)
                if last.range == holding.range
                    && last.protocol == holding.protocol
                    && last.tenure == holding.tenure
                    && last.who == holding.who
                    && last.host == holding.host
                    && last.origin == holding.origin =>
            {
                let new = holding.addresses.into_iter();
                let known: BTreeSet<String> = last.addresses.iter().cloned().collect();
                last.addresses
                    .extend(new.filter(|address| !known.contains(address)));
            }
            _ => rows.push(holding),
        }
    }
    rows
}

fn holding(port: Port, protocol: Protocol, tenure: HoldingTenure, ip: String) -> Holding {
    Holding {
        published: port.to_string(),
        protocol: Some(protocol),
        tenure,
        addresses: vec![ip],
        holder: None,
        who: String::new(),
        next: None,
        origin: None,
        host: None,
        range: (port.get(), port.get()),
        connection: false,
    }
}

fn by(who: Use<'_>, row: Holding) -> Holding {
    let holder = who.reference();
    Holding {
        who: who.words(),
        next: holder.command.clone(),
        holder: Some(holder),
        ..row
    }
}

fn machine_holdings(machine: &Machine, ports: &mut Vec<Holding>) {
    let Holders { holds, sockets } = machine.holders(|_| false);
    for (hold, container) in holds {
        let row = holding(
            hold.port,
            hold.protocol,
            HoldingTenure::Held,
            hold.ip.to_string(),
        );
        ports.push(by(Use::Container(container), row));
    }
    for holder in sockets {
        let socket = &holder.socket;
        let dual = !socket.ip.is_ipv4() && socket.ip.is_any() && socket.v6_only == Some(false);
        let address = if dual {
            "*".to_owned()
        } else {
            socket.ip.to_string()
        };
        let row = holding(socket.port, socket.protocol, HoldingTenure::Held, address);
        let connection = socket.state == SocketState::Connected;
        ports.push(Holding {
            connection,
            ..by(holder.who, row)
        });
    }
    for (service, port, protocol) in machine.ingress() {
        let row = holding(port, protocol, HoldingTenure::Held, "every node".to_owned());
        let holder = words::service_ref(service);
        ports.push(Holding {
            who: format!("Swarm service `{}`", service.name),
            next: holder.command.clone(),
            holder: Some(holder),
            ..row
        });
    }
    for engine in &machine.engines {
        for container in &engine.containers {
            stopped(container, ports);
        }
    }
}

/// What the settings keep.
fn reserved(kept: &Reservation) -> Holding {
    let ports = kept.ports;
    Holding {
        published: ports.to_string(),
        protocol: kept.protocol,
        tenure: HoldingTenure::Reserved,
        addresses: Vec::new(),
        holder: None,
        who: format!("for {}", kept.reason),
        next: None,
        origin: None,
        host: None,
        range: (ports.first().get(), ports.last().get()),
        connection: false,
    }
}

/// What a container without a process would ask for.
fn stopped(container: &Container, ports: &mut Vec<Holding>) {
    let tenure = match container.tenure() {
        Tenure::Holds => return,
        Tenure::Attempts => HoldingTenure::Restarting,
        Tenure::AtBoot | Tenure::PerhapsAtBoot => HoldingTenure::AtBoot,
        Tenure::Nothing => HoldingTenure::Stopped,
    };
    for request in container.start.iter().flat_map(|start| &start.ports) {
        let range = match request.host_port {
            HostPort::Fixed { port } => (port, port),
            HostPort::OneOf { first, last } => (first, last),
            HostPort::Dynamic => continue,
        };
        let (Some(first), Some(last)) = (Port::new(range.0), Port::new(range.1)) else {
            continue;
        };
        let ip = request
            .host_ip
            .map_or_else(|| "*".to_owned(), |ip| HostIp::from(ip).to_string());
        let row = holding(first, request.protocol, tenure, ip);
        let row = by(Use::Container(container), row);
        let published =
            PortRange::new(first, last).map_or(row.published.clone(), |r| r.to_string());
        let next = Some(format!("docker rm {}", container.name));
        ports.push(Holding {
            published,
            range,
            next,
            ..row
        });
    }
}

/// What the compose files publish.
fn wanted(world: &World, ports: &mut Vec<Holding>) {
    for host in world.hosts() {
        let allocation = Allocation::of(world, &host);
        let held = ports
            .iter()
            .filter_map(|holding| Port::new(holding.range.0));
        let mut taken: PortSet = held.collect();
        taken.add_all(allocation.taken());
        for holder in &allocation.holders.sockets {
            if let Use::Worktree(..) = holder.who {
                let Socket {
                    port, protocol, ip, ..
                } = holder.socket;
                let row = holding(port, protocol, HoldingTenure::Held, ip.to_string());
                let row = by(holder.who, row);
                if !ports.contains(&row) {
                    ports.push(row);
                }
            }
        }
        for claim in &allocation.claims {
            let binding = &claim.wanted.binding;
            let range = match binding.published {
                Published::Fixed(port) => PortRange::from(port),
                Published::OneOf(range) => range,
                Published::Dynamic => continue,
            };
            let ips = addresses(binding, &claim.wanted.network, &allocation.engine);
            let origin = OriginPlace::of(&claim.publish.origin, &claim.project.sources);
            let place = format!("{}:{}", origin.place.file, origin.place.line);
            let near =
                |taken| candidates::near(range.first(), range.len(), taken, &allocation.engine);
            let free = match world.outside_pools(claim.project_index) {
                Some(mut outside) => {
                    outside.add_all(&taken);
                    near(&outside)
                }
                None => near(&taken),
            };
            let row = holding(
                range.first(),
                binding.protocol,
                HoldingTenure::Wanted,
                String::new(),
            );
            let row = Holding {
                published: range.to_string(),
                range: (range.first().get(), range.last().get()),
                addresses: ips.iter().map(|ip| ip.to_string()).collect(),
                who: format!(
                    "service `{}` of `{}`, {place}",
                    claim.service.name, claim.project.name
                ),
                next: free.map(|free| format!("free nearby: {free}")),
                origin: Some(origin),
                ..row
            };
            if !ports.contains(&row) {
                ports.push(row);
            }
        }
    }
}
