//! Where a network lets a container's ports be bound on the host.

use std::fmt;

use super::{Binding, Engine, Generation, HostIp, Published, Wildcard};

/// The network that a container's ports are published through.
///
/// Of several, the engine uses one; one that publishes nothing does not hinder it (engine.md 1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Network {
    /// A bridge, or an overlay, which publishes through a bridge.
    Bridge(Bridge),
    /// Ports are not bound, silently: `host`, `none`, macvlan, ipvlan, `internal: true`
    /// (engine.md 1.1).
    Unpublished,
    /// Not described here, such as an external network: taken for a bridge as Docker makes one.
    Unknown,
}

impl Network {
    /// Docker's own network `bridge`.
    #[must_use]
    pub fn default_bridge() -> Self {
        Self::Bridge(Bridge {
            is_default: true,
            ..Bridge::default()
        })
    }

    /// The bridge, if ports are bound at all.
    #[must_use]
    pub fn bridge(&self) -> Option<Bridge> {
        match self {
            Self::Bridge(bridge) => Some(*bridge),
            Self::Unknown => Some(Bridge::default()),
            Self::Unpublished => None,
        }
    }
}

impl Default for Network {
    fn default() -> Self {
        Self::Bridge(Bridge::default())
    }
}

/// What decides where a bridge binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bridge {
    /// Containers get an IPv4 address; engines from 28 can leave it out (engine.md 1.11).
    pub ipv4: bool,
    /// Containers get an IPv6 address.
    pub ipv6: bool,
    /// Docker's own bridge, to which the daemon's `ip` applies (engine.md 1.6).
    pub is_default: bool,
    /// `com.docker.network.bridge.host_binding_ipv4`, which may be IPv6 despite its name.
    pub host_binding: Option<HostIp>,
    /// `gateway_mode_ipv4: routed`: holds no host port in IPv4 (engine.md 1.10).
    pub routed_ipv4: bool,
    /// `gateway_mode_ipv6: routed`: holds no host port in IPv6.
    pub routed_ipv6: bool,
}

impl Default for Bridge {
    /// A user-defined bridge without options, as Compose makes one.
    fn default() -> Self {
        Self {
            ipv4: true,
            ipv6: false,
            is_default: false,
            host_binding: None,
            routed_ipv4: false,
            routed_ipv6: false,
        }
    }
}

/// The addresses of the host that a binding takes its port on; both absent if it takes none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Addresses {
    /// The one in IPv4.
    pub ipv4: Option<HostIp>,
    /// The one in IPv6.
    pub ipv6: Option<HostIp>,
}

impl Addresses {
    /// IPv4 first, as the engine binds them.
    pub fn iter(self) -> impl Iterator<Item = HostIp> + Clone {
        self.ipv4.into_iter().chain(self.ipv6)
    }
}

/// Where a binding takes its port (engine.md 1.6 to 1.11).
#[must_use]
pub fn addresses(binding: &Binding, network: &Network, engine: &Engine) -> Addresses {
    let Some(bridge) = network.bridge() else {
        return Addresses::default();
    };
    let default = bridge.host_binding.unwrap_or(if bridge.is_default {
        engine.default_ip
    } else {
        HostIp::ANY4
    });
    let knows_routed = engine.generation() >= Generation::G2;
    let any = (
        Some(HostIp::ANY4),
        Some(HostIp::ANY6).filter(|_| engine.ipv6),
    );
    let (ipv4, ipv6) = match binding.host_ip {
        Some(ip) if ip.is_any() && engine.wildcard == Wildcard::RootlessPodman => any,
        Some(ip) if ip.is_ipv4() => (Some(ip), None),
        Some(ip) => (None, Some(ip)),
        None if default == HostIp::ANY4 && engine.wildcard == Wildcard::Podman => {
            (Some(default), None)
        }
        None if default == HostIp::ANY4 => any,
        None if default.is_ipv4() => (Some(default), None),
        None => (None, Some(default)),
    };
    let in_ipv4 = bridge.ipv4 && !(bridge.routed_ipv4 && knows_routed);
    // The proxy takes IPv6 to a container that has only IPv4.
    let in_ipv6 = if bridge.ipv6 {
        !(bridge.routed_ipv6 && knows_routed)
    } else {
        bridge.ipv4 && engine.userland_proxy
    };
    Addresses {
        ipv4: ipv4.filter(|_| in_ipv4),
        ipv6: ipv6.filter(|_| in_ipv6),
    }
}

/// Why a container with this binding cannot start, whatever else runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The host has no such address (engine.md 1.13).
    NotLocal(HostIp),
    /// 27.x alone: a host port where both families are routed (engine.md 1.10).
    Routed,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLocal(ip) => write!(f, "{ip} is not an address of this host"),
            Self::Routed => f.write_str("engine 27 refuses a host port on a routed network"),
        }
    }
}

/// Why a container with this binding cannot start, if the binding alone prevents it.
#[must_use]
pub fn refusal(binding: &Binding, network: &Network, engine: &Engine) -> Option<Refusal> {
    let routed = network.bridge().is_some_and(|bridge| {
        (!bridge.ipv4 || bridge.routed_ipv4) && bridge.ipv6 && bridge.routed_ipv6
    });
    if routed && engine.generation() == Generation::G2 && binding.published != Published::Dynamic {
        return Some(Refusal::Routed);
    }
    addresses(binding, network, engine)
        .iter()
        .find(|ip| !engine.can_bind(*ip, binding.protocol))
        .map(Refusal::NotLocal)
}
