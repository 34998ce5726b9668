//! What an engine holds, and what its stopped containers would ask for: plain data.
//!
//! A snapshot has no secrets: no environments, no command lines, no labels but those that Compose
//! and Swarm set themselves. Its lists are sorted, so that equal states are equal texts.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::container::{Container, Protocol, Request, Tenure};

/// The state of one engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Snapshot {
    /// The engine itself.
    pub engine: Engine,
    /// Its networks, by name.
    pub networks: Vec<Network>,
    /// Its containers in every state, by name.
    pub containers: Vec<Container>,
}

/// What of an engine decides the rules of port allocation (engine.md 2, 3.6, 10).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Engine {
    /// Where it was reached, as `unix:///var/run/docker.sock`.
    pub address: String,
    /// Its own identifier; two addresses with one identifier are one engine.
    pub id: Option<String>,
    /// The name of its host.
    pub host: Option<String>,
    /// Its version, as `28.5.2`.
    pub version: String,
    /// The newest version of the API that it speaks.
    pub api_version: String,
    /// Docker or Podman.
    pub product: Product,
    /// Ports are opened by an unprivileged helper (engine.md 3.6).
    pub rootless: bool,
    /// The kind of system it runs on: `linux` or `windows`.
    pub os: Option<String>,
    /// It runs in the virtual machine of Docker Desktop (engine.md 11).
    pub desktop: bool,
    /// Containers go on while the daemon is down, and keep their ports.
    pub live_restore: bool,
    /// The userland proxy is on; none: unknown, for the API does not tell (engine.md 14).
    pub userland_proxy: Option<bool>,
    /// IPv6 addresses of the host can be published; none: unknown.
    pub ipv6: Option<bool>,
    /// Its part in a swarm.
    pub swarm: Swarm,
}

/// Whose engine it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Product {
    /// Docker Engine, Moby.
    Docker,
    /// Podman, through its Docker-compatible API (engine.md 10).
    Podman,
}

/// An engine's part in a swarm (engine.md 7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "role", rename_all = "kebab-case")]
pub enum Swarm {
    /// None.
    None,
    /// It runs tasks, and cannot tell of services.
    Worker,
    /// It knows the services.
    Manager {
        /// How many nodes the swarm has.
        nodes: Option<u32>,
        /// All services of the swarm, by name.
        services: Vec<Service>,
    },
}

/// A service of a swarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Service {
    /// Its identifier.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The stack it was deployed with.
    pub stack: Option<String>,
    /// How many tasks it has.
    pub mode: ServiceMode,
    /// Its published ports; those that the swarm chose have their number.
    pub ports: Vec<ServicePort>,
}

/// How many tasks a service has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ServiceMode {
    /// So many.
    Replicated {
        /// The number wanted.
        replicas: u64,
    },
    /// One on each node.
    Global,
    /// Tasks that come to an end.
    Job,
}

/// A published port of a service.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub struct ServicePort {
    /// The port on the nodes; none until the swarm has chosen it.
    pub published: Option<u16>,
    /// TCP, UDP or SCTP.
    pub protocol: Protocol,
    /// The port in the container.
    pub target: u16,
    /// On which nodes it is held.
    pub mode: PublishMode,
}

/// On which nodes a service's port is held.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum PublishMode {
    /// On every node of the swarm, once for the service.
    Ingress,
    /// On the nodes that run a task, like a container's port.
    Host,
}

/// A network, as far as it decides what a publish becomes (engine.md 1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Network {
    /// Its name.
    pub name: String,
    /// Its identifier, shortened.
    pub id: String,
    /// `bridge`, `host`, `null`, `overlay`, `macvlan`, `ipvlan` or a plugin's name.
    pub driver: String,
    /// It is the engine's default bridge.
    pub default_bridge: bool,
    /// Nothing is published from it.
    pub internal: bool,
    /// IPv4 is on; engines before 28 cannot turn it off.
    pub ipv4: bool,
    /// IPv6 is on.
    pub ipv6: bool,
    /// The address that a publish without one gets, if the network says so: the option
    /// `com.docker.network.bridge.host_binding_ipv4`; on the default bridge the daemon's `ip`.
    pub host_binding: Option<IpAddr>,
    /// The option `com.docker.network.bridge.gateway_mode_ipv4`, as `routed`.
    pub gateway_mode_ipv4: Option<String>,
    /// The option `com.docker.network.bridge.gateway_mode_ipv6`.
    pub gateway_mode_ipv6: Option<String>,
}

impl Network {
    /// True if a container's ports can be published from this network at all (engine.md 1.1).
    #[must_use]
    pub fn can_publish(&self) -> bool {
        let silent = ["host", "null", "macvlan", "ipvlan"].contains(&self.driver.as_str());
        !self.internal && !silent
    }
}

/// What the host of an engine shows and its API does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// Whether the userland proxy is on: a process `docker-proxy`, or the daemon's configuration.
    pub userland_proxy: Option<bool>,
    /// Whether the engine's host has IPv6.
    pub ipv6: Option<bool>,
}

impl Snapshot {
    /// The engine with what its host shows, which outranks what was drawn from its containers.
    #[must_use]
    pub fn with(mut self, hints: Hints) -> Self {
        let engine = &mut self.engine;
        engine.userland_proxy = hints.userland_proxy.or(engine.userland_proxy);
        engine.ipv6 = hints.ipv6.or(engine.ipv6);
        self
    }

    /// The network of this name.
    #[must_use]
    pub fn network(&self, name: &str) -> Option<&Network> {
        self.networks.iter().find(|network| network.name == name)
    }

    /// True if the container's start would open ports on the host: by its mode, and by one network
    /// at least (engine.md 1.1, 1.2). A network that is gone is taken for one that would.
    #[must_use]
    pub fn can_publish(&self, container: &Container) -> bool {
        let can = |name: &String| self.network(name).is_none_or(Network::can_publish);
        let networks = &container.networks;
        container.network_mode.can_publish() && (networks.is_empty() || networks.iter().any(can))
    }

    /// Containers that hold nothing now (or not for sure), and may take ports without anybody's
    /// doing: by restart attempts, or at the next start of the daemon.
    pub fn future_claims(&self) -> impl Iterator<Item = FutureClaim<'_>> {
        self.containers.iter().filter_map(|container| {
            let start = container.start.as_ref()?;
            let tenure = container.tenure();
            let silent = matches!(tenure, Tenure::Holds | Tenure::Nothing);
            let claims = !silent && !start.ports.is_empty() && self.can_publish(container);
            claims.then_some(FutureClaim {
                container,
                ports: &start.ports,
                tenure,
            })
        })
    }
}

/// A container that may take ports later without anybody's doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FutureClaim<'a> {
    /// The container.
    pub container: &'a Container,
    /// What it will ask for.
    pub ports: &'a [Request],
    /// When: [`Tenure::Attempts`], [`Tenure::AtBoot`] or [`Tenure::PerhapsAtBoot`].
    pub tenure: Tenure,
}
