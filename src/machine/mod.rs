//! A machine: its engines and what else there takes host ports. Plain data, made to be stored:
//! `portplan snapshot` prints it and `check --against` reads it.

mod holder;
pub mod words;

use std::net::IpAddr;

use camino::Utf8Path;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use holder::{Holder, Holders, Use};

use crate::binding::{self, Bridge, HostIp, LocalAddresses, Port, PortRange, Wildcard};
use crate::host::{AIRPLAY_PORTS, Excluded};
use crate::source;
use crate::{engine, host};

/// The version of the stored form.
pub const VERSION: u32 = 1;

/// A machine as it was seen at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "portplan snapshot")]
pub struct Machine {
    /// The version of this form: 1.
    pub version: u32,
    /// What the machine is called in messages.
    pub name: String,
    /// Its engines; projects are started on the first.
    pub engines: Vec<engine::Snapshot>,
    /// Its sockets, addresses and limits; null where the engine is on a machine that cannot be
    /// looked at from where the snapshot was taken.
    pub host: Option<host::Snapshot>,
}

impl Machine {
    /// Reads a stored machine.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn read(path: &Utf8Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| source::reason(&error))?;
        let machine: Self = serde_json::from_str(&text)
            .map_err(|error| format!("it is not a snapshot ({error})"))?;
        match machine.version {
            VERSION => Ok(machine),
            other => Err(format!(
                "it is of version {other}, and this portplan reads version {VERSION}"
            )),
        }
    }

    /// The engine that projects are started on, as its rules and its host make it.
    #[must_use]
    pub fn engine(&self) -> binding::Engine {
        let defaults = binding::Engine::default();
        let mut rules = match self.engines.first() {
            Some(snapshot) => rules(snapshot),
            None => defaults,
        };
        if let Some(host) = &self.host {
            let limits = &host.limits;
            rules.ipv6 = limits.ipv6;
            rules.nonlocal_bind = limits.nonlocal_bind;
            let port = |number| Port::new(number).unwrap_or(Port::MIN);
            let ephemeral = (
                port(limits.ephemeral.first()),
                port(limits.ephemeral.last()),
            );
            rules.ephemeral = PortRange::new(ephemeral.0, ephemeral.1).unwrap_or(rules.ephemeral);
            // the sockets of Desktop's virtual machine are not those of this machine
            if !self.engines.iter().any(|snapshot| snapshot.engine.desktop) {
                let addresses = host.addresses.iter().map(|local| local.address.into());
                rules.local = LocalAddresses::Known(addresses.collect());
            }
        }
        rules
    }

    /// The ports that the operating system keeps for itself, or for a program that an
    /// administrator had in mind: none to choose, whether or not they could be bound.
    pub fn kept(&self) -> impl Iterator<Item = Port> {
        let limits = self.host.iter().map(|host| &host.limits);
        limits.flat_map(|limits| {
            let Excluded { tcp, udp } = &limits.excluded;
            let ranges = tcp.iter().chain(udp).chain(&limits.reserved);
            let airplay = AIRPLAY_PORTS.iter().filter(|_| limits.airplay);
            let ports = ranges.flat_map(|range| range.first()..=range.last());
            ports.chain(airplay.copied()).filter_map(Port::new)
        })
    }

    /// The network of this name on the engine that projects are started on.
    #[must_use]
    pub fn network(&self, name: &str) -> Option<binding::Network> {
        let network = self.engines.first()?.network(name)?;
        if !network.can_publish() {
            return Some(binding::Network::Unpublished);
        }
        let routed = |mode: &Option<String>| mode.as_deref() == Some("routed");
        Some(binding::Network::Bridge(Bridge {
            ipv4: network.ipv4,
            ipv6: network.ipv6,
            is_default: network.default_bridge,
            host_binding: network.host_binding.map(HostIp::from),
            routed_ipv4: routed(&network.gateway_mode_ipv4),
            routed_ipv6: routed(&network.gateway_mode_ipv6),
        }))
    }
}

/// The rules of an engine, apart from what its host decides.
fn rules(snapshot: &engine::Snapshot) -> binding::Engine {
    let defaults = binding::Engine::default();
    let facts = &snapshot.engine;
    let podman = facts.product == engine::snapshot::Product::Podman;
    let default_ip = snapshot
        .networks
        .iter()
        .find(|network| network.default_bridge);
    binding::Engine {
        // Podman allocates nothing: the kernel alone decides, as it does for the newest Docker
        version: if podman {
            defaults.version
        } else {
            facts.version.parse().unwrap_or(defaults.version)
        },
        userland_proxy: podman || facts.userland_proxy.unwrap_or(true),
        wildcard: match (podman, facts.rootless) {
            (false, _) => Wildcard::Docker,
            (true, false) => Wildcard::Podman,
            (true, true) => Wildcard::RootlessPodman,
        },
        ipv6: facts.ipv6.unwrap_or(true),
        rootless: facts.rootless && !podman,
        default_ip: default_ip
            .and_then(|network| network.host_binding)
            .map_or(defaults.default_ip, |ip: IpAddr| ip.into()),
        ..defaults
    }
}
