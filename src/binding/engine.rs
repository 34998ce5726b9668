//! A Docker engine: its version, and the settings that decide where it binds.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::Serialize;
use thiserror::Error;

use super::{Binding, HostIp, Port, PortRange, Protocol, Published};

/// The version of an engine, as far as it decides anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Version {
    /// 29 of 29.7.2.
    pub major: u16,
    /// 7 of 29.7.2.
    pub minor: u16,
}

/// A text that does not begin like a version.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is not an engine version such as 29.7.2")]
pub struct InvalidVersion(String);

impl Version {
    /// The newest release known to this program.
    pub const NEWEST: Self = Self {
        major: 29,
        minor: 7,
    };

    /// How engines of this version allocate ports.
    #[must_use]
    pub fn generation(self) -> Generation {
        match (self.major, self.minor) {
            (..=26, _) => Generation::G1,
            (27, _) => Generation::G2,
            (28, ..=2) => Generation::G3,
            (28, _) => Generation::G4,
            _ => Generation::G5,
        }
    }
}

impl FromStr for Version {
    type Err = InvalidVersion;

    /// `Server.Version` as engines and their packagers write it: `29.7.2`, `docker-v29.7.2`,
    /// `v26.1.5`, `20.10.24+dfsg1`, `27.0.0-rc.1`.
    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        let bare = text.strip_prefix("docker-").unwrap_or(text);
        let bare = bare.strip_prefix('v').unwrap_or(bare);
        let release = bare.split(['+', '-', '~']).next().unwrap_or(bare);
        let mut numbers = release.split('.').map(|number| number.parse().ok());
        match (numbers.next().flatten(), numbers.next().flatten()) {
            (Some(major), Some(minor)) => Ok(Self { major, minor }),
            _ => Err(InvalidVersion(text.to_owned())),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// Engines that allocate alike (engine.md 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Generation {
    /// Up to 26: each address by itself; a range is not retried when the host has the port.
    G1,
    /// 27: one port for both families; a range is tried up to ten times.
    G2,
    /// 28.0 to 28.2: binds all, then listens; UDP sockets share.
    G3,
    /// 28.3 to 28.5: the allocator knows that `0.0.0.0` holds every address.
    G4,
    /// From 29.
    G5,
}

/// The addresses a socket can be bound to on this host, beside loopback and the wildcards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LocalAddresses {
    /// Not known: each address is taken for one.
    #[default]
    Unknown,
    /// These, and 127.0.0.0/8 and `::1`.
    Known(BTreeSet<HostIp>),
}

/// What an engine takes for all addresses of the host (engine.md 1.8, 10).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wildcard {
    /// No host IP is both families; `0.0.0.0` and `[::]` are one each.
    #[default]
    Docker,
    /// No host IP is IPv4; `[::]` is IPv6.
    Podman,
    /// No host IP, `0.0.0.0` and `[::]` are all one socket of both families (rootlessport).
    RootlessPodman,
}

/// An engine and the settings of its host that decide what it binds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engine {
    /// The version.
    pub version: Version,
    /// `userland-proxy` of the daemon, on unless turned off: it carries IPv6 to IPv4 networks.
    pub userland_proxy: bool,
    /// What it makes of all addresses.
    pub wildcard: Wildcard,
    /// True if `[::1]` can be bound on the host.
    pub ipv6: bool,
    /// True if the engine runs rootless.
    pub rootless: bool,
    /// `ip` of the daemon, for the default bridge alone (engine.md 1.6).
    pub default_ip: HostIp,
    /// `net.ipv4.ip_local_port_range` when the daemon started (engine.md 3.4 R9).
    pub ephemeral: PortRange,
    /// The host's addresses.
    pub local: LocalAddresses,
    /// `net.ipv4.ip_nonlocal_bind`.
    pub nonlocal_bind: bool,
}

impl Default for Engine {
    /// The newest release as it is installed, on a host with IPv6 and unknown addresses.
    fn default() -> Self {
        Self {
            version: Version::NEWEST,
            userland_proxy: true,
            wildcard: Wildcard::Docker,
            ipv6: true,
            rootless: false,
            default_ip: HostIp::ANY4,
            ephemeral: match (Port::new(32768), Port::new(60999)) {
                (Some(first), Some(last)) => PortRange::new(first, last).unwrap_or(PortRange::ALL),
                _ => PortRange::ALL,
            },
            local: LocalAddresses::Unknown,
            nonlocal_bind: false,
        }
    }
}

impl Engine {
    /// How the engine allocates.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.version.generation()
    }

    /// The ports a binding can get.
    #[must_use]
    pub fn candidates(&self, binding: &Binding) -> PortRange {
        match binding.published {
            Published::Fixed(port) => port.into(),
            Published::OneOf(range) => range,
            Published::Dynamic => self.ephemeral,
        }
    }

    /// True if the engine's UDP sockets carry `SO_REUSEADDR` (engine.md 1.14); rootless it is
    /// RootlessKit that opens them, without.
    #[must_use]
    pub fn udp_reuses_address(&self) -> bool {
        matches!(self.generation(), Generation::G3 | Generation::G4) && !self.rootless
    }

    /// True if hosts on the same link cannot reach what is published on a loopback address: from
    /// 28.0, and where RootlessKit listens.
    #[must_use]
    pub fn shields_loopback(&self) -> bool {
        self.generation() >= Generation::G3 || self.rootless
    }

    /// The address a rootless engine sees in RootlessKit's namespace for one of the host
    /// (engine.md 3.6).
    #[must_use]
    pub fn child_address(&self, ip: HostIp) -> HostIp {
        let keeps_loopback = (self.version.major, self.version.minor) >= (29, 6);
        match ip.ip() {
            address if keeps_loopback && address.is_loopback() => ip,
            IpAddr::V4(_) => HostIp::from(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            IpAddr::V6(_) => HostIp::from(IpAddr::V6(Ipv6Addr::LOCALHOST)),
        }
    }

    /// The address under which the allocator keeps a port.
    pub(super) fn allocator_address(&self, ip: HostIp) -> HostIp {
        if self.rootless && self.generation() >= Generation::G3 {
            self.child_address(ip)
        } else {
            ip
        }
    }

    /// True if two containers cannot have one port at these two addresses (engine.md 3.1, 3.6).
    #[must_use]
    pub fn excludes(&self, protocol: Protocol, a: HostIp, b: HostIp) -> bool {
        if self.generation() == Generation::G3 && protocol == Protocol::Udp && !self.rootless {
            return a == b;
        }
        a.overlaps(b) || (self.rootless && self.child_address(a) == self.child_address(b))
    }

    /// True if a port allocated at `b` is skipped, not tried, for a range at `a`
    /// (engine.md 3.4 R2).
    pub(super) fn allocator_sees(&self, a: HostIp, b: HostIp) -> bool {
        let (a, b) = (self.allocator_address(a), self.allocator_address(b));
        if self.generation() >= Generation::G4 {
            a.overlaps(b)
        } else {
            a == b
        }
    }

    /// True if a socket can be bound to the address (engine.md 1.13).
    #[must_use]
    pub fn can_bind(&self, ip: HostIp, protocol: Protocol) -> bool {
        let address = ip.ip();
        if let IpAddr::V6(six) = address
            && six.is_unicast_link_local()
        {
            return false; // no zone can be given
        }
        if address.is_unspecified() || self.nonlocal_bind {
            return true;
        }
        match address {
            IpAddr::V4(four) if four.is_loopback() => true,
            IpAddr::V4(four) if four.is_multicast() || four.is_broadcast() => {
                protocol == Protocol::Udp
            }
            IpAddr::V6(_) if !self.ipv6 => false,
            IpAddr::V6(six) if six.is_loopback() => true,
            IpAddr::V6(six) if six.is_multicast() => protocol == Protocol::Udp,
            _ => match &self.local {
                LocalAddresses::Unknown => true,
                LocalAddresses::Known(addresses) => addresses.contains(&ip),
            },
        }
    }
}
