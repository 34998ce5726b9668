//! What becomes of a published port: a claim on a host, nothing, or a refusal.

use std::fmt;

use crate::binding::{self, Binding, Bridge, HostIp, Network, Port, PortRange, Published};
use crate::compose::port::Publish;
use crate::compose::project::{self, Project, PublishId, Service};
use crate::machine::Machine;

/// A published port that wants a host port, and who wants it.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'w> {
    /// The project.
    pub project: &'w Project,
    /// The project's place in the world.
    pub project_index: usize,
    /// The names of service and entry.
    pub id: PublishId,
    /// The service.
    pub service: &'w Service,
    /// The entry.
    pub publish: &'w Publish,
    /// What it wants.
    pub wanted: binding::Claim,
}

impl Claim<'_> {
    /// The host ports that it wants, unless the engine chooses.
    #[must_use]
    pub fn ports(&self) -> Option<PortRange> {
        match self.wanted.binding.published {
            Published::Fixed(port) => Some(port.into()),
            Published::OneOf(range) => Some(range),
            Published::Dynamic => None,
        }
    }
}

/// What the engine makes of a published port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It wants a host port.
    Claimed(binding::Claim),
    /// It is dropped, and the container runs without it.
    Ignored(Ignored),
    /// The container is not started.
    Refused(Refused),
}

/// Why a port is dropped (engine.md 1.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ignored {
    /// `network_mode: host`: the program listens on the host itself.
    HostNetwork,
    /// `network_mode: none`
    NoNetwork,
    /// All its networks are internal, macvlan or ipvlan.
    Unreachable,
    /// A `provider` runs it: there is no container.
    Provider,
}

/// Why a container is not started (engine.md 1.1, 1.12).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It shares the network of another container, which would have to publish.
    SharedNetwork(String),
    /// The published text is neither a port nor a range.
    Published(String),
    /// The protocol is none the engine knows.
    Protocol(String),
    /// The target is no port.
    Target(Option<u32>),
}

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HostNetwork => "it uses the host's network",
            Self::NoNetwork => "it has no network",
            Self::Unreachable => "none of its networks is reachable from the host",
            Self::Provider => "a provider runs it, not a container",
        })
    }
}

/// What becomes of a port of a service on a machine, or on one that is not known.
#[must_use]
pub fn fate(
    project: &Project,
    service: &Service,
    publish: &Publish,
    machine: Option<&Machine>,
) -> Fate {
    let mode = service.network_mode.as_ref().map(|(mode, _)| mode.as_str());
    if service.provider.is_some() {
        return Fate::Ignored(Ignored::Provider);
    }
    match mode {
        Some("host") => return Fate::Ignored(Ignored::HostNetwork),
        Some(mode) if mode.starts_with("service:") || mode.starts_with("container:") => {
            return Fate::Refused(Refused::SharedNetwork(mode.to_owned()));
        }
        _ => {}
    }
    let binding = match binding_of(publish) {
        Ok(binding) => binding,
        Err(refused) => return Fate::Refused(refused),
    };
    match network_of(project, service, machine) {
        Ok(network) => Fate::Claimed(binding::Claim { binding, network }),
        Err(ignored) => Fate::Ignored(ignored),
    }
}

/// What the engine is asked for.
fn binding_of(publish: &Publish) -> Result<Binding, Refused> {
    let target = publish
        .target
        .and_then(|target| Port::new(u16::try_from(target).ok()?));
    let protocol = publish.protocol.as_deref().unwrap_or("tcp");
    let host_ip = publish.host_ip.as_deref().map(str::parse::<HostIp>);
    Ok(Binding {
        host_ip: host_ip.and_then(Result::ok),
        published: published(publish.published.as_deref())?,
        target: target.ok_or(Refused::Target(publish.target))?,
        protocol: protocol
            .parse()
            .map_err(|_| Refused::Protocol(protocol.to_owned()))?,
    })
}

/// What a published text asks for (engine.md 1.12).
fn published(text: Option<&str>) -> Result<Published, Refused> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(Published::Dynamic);
    };
    let refused = || Refused::Published(text.to_owned());
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<u16>().ok())?
    };
    let (first, last) = match text.split_once('-') {
        Some((first, last)) => (number(first), number(last)),
        None => (number(text), number(text)),
    };
    match (first.ok_or_else(refused)?, last.ok_or_else(refused)?) {
        (0, 0) => Ok(Published::Dynamic),
        (first, last) => {
            let ports = Port::new(first).zip(Port::new(last)).ok_or_else(refused)?;
            Ok(PortRange::new(ports.0, ports.1)
                .map_err(|_| refused())?
                .into())
        }
    }
}

/// The network that a service's ports are published through: of several, one that publishes
/// (engine.md 1.2).
fn network_of(
    project: &Project,
    service: &Service,
    machine: Option<&Machine>,
) -> Result<Network, Ignored> {
    let there = |name: &str| {
        machine
            .and_then(|machine| machine.network(name))
            .unwrap_or(Network::Unknown)
    };
    match service.network_mode.as_ref().map(|(mode, _)| mode.as_str()) {
        None => {}
        Some("none") => return Err(Ignored::NoNetwork),
        Some("bridge" | "default") => return Ok(Network::default_bridge()),
        Some(name) => return Ok(there(name)),
    }
    let names = service.networks.iter().map(String::as_str);
    let names = names.chain(service.networks.is_empty().then_some("default"));
    let kinds = names.map(|name| match project.networks.get(name) {
        Some(network) if network.external => {
            external(network.name.as_deref().unwrap_or(name), there)
        }
        Some(network) => kind_of(network),
        None => Ok(Network::default()),
    });
    let mut publishing = kinds
        .clone()
        .filter_map(Result::ok)
        .filter(|n| *n != Network::Unpublished);
    match publishing.next() {
        Some(first) if publishing.all(|other| other == first) => Ok(first),
        // the engine picks one of them by rules of its own
        Some(_) => Ok(Network::Unknown),
        None => Err(kinds
            .clone()
            .find_map(Result::err)
            .unwrap_or(Ignored::Unreachable)),
    }
}

/// How ports are published through a network that exists apart from the project.
fn external(name: &str, there: impl Fn(&str) -> Network) -> Result<Network, Ignored> {
    match name {
        "host" => Err(Ignored::HostNetwork),
        "none" => Err(Ignored::NoNetwork),
        "bridge" => Ok(Network::default_bridge()),
        name => Ok(there(name)),
    }
}

/// How ports are published through a network of the project.
fn kind_of(network: &project::Network) -> Result<Network, Ignored> {
    match network.driver.as_deref() {
        None | Some("bridge" | "default" | "overlay") if network.internal => {
            Ok(Network::Unpublished)
        }
        None | Some("bridge" | "default") => Ok(Network::Bridge(bridge_of(network))),
        Some("overlay") => Ok(Network::default()),
        Some("host") => Err(Ignored::HostNetwork),
        Some("none" | "null") => Err(Ignored::NoNetwork),
        Some("macvlan" | "ipvlan") => Ok(Network::Unpublished),
        Some(_) => Ok(Network::Unknown),
    }
}

fn bridge_of(network: &project::Network) -> Bridge {
    let option = |name: &str| {
        network
            .driver_opts
            .get(&format!("com.docker.network.bridge.{name}"))
            .map(String::as_str)
    };
    Bridge {
        ipv4: network.enable_ipv4.unwrap_or(true),
        ipv6: network.enable_ipv6.unwrap_or(false),
        is_default: false,
        host_binding: option("host_binding_ipv4").and_then(|ip| ip.parse().ok()),
        routed_ipv4: option("gateway_mode_ipv4") == Some("routed"),
        routed_ipv6: option("gateway_mode_ipv6") == Some("routed"),
    }
}
