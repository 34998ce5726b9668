//! Host addresses and the bindings that name them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::Serialize;
use thiserror::Error;

use super::{Port, PortRange, Protocol};

/// An address of the host. An IPv4-mapped IPv6 address is the IPv4 address (engine.md 1.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct HostIp(IpAddr);

/// A text that is no IP address.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is not an IP address")]
pub struct InvalidHostIp(String);

impl HostIp {
    /// All IPv4 addresses, `0.0.0.0`.
    pub const ANY4: Self = Self(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    /// All IPv6 addresses, `::`.
    pub const ANY6: Self = Self(IpAddr::V6(Ipv6Addr::UNSPECIFIED));

    /// This host alone, in the same family.
    #[must_use]
    pub fn loopback(self) -> Self {
        Self(match self.0 {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        })
    }

    /// The address.
    #[must_use]
    pub fn ip(self) -> IpAddr {
        self.0
    }

    /// True of `0.0.0.0` and `::`.
    #[must_use]
    pub fn is_any(self) -> bool {
        self.0.is_unspecified()
    }

    /// True of an IPv4 address.
    #[must_use]
    pub fn is_ipv4(self) -> bool {
        self.0.is_ipv4()
    }

    /// True if both are IPv4 or both IPv6.
    #[must_use]
    pub fn same_family(self, other: Self) -> bool {
        self.is_ipv4() == other.is_ipv4()
    }

    /// True if the two are of one family and equal, or one is all addresses of it. That is when
    /// two sockets with `IPV6_V6ONLY` cannot have one port (engine.md 3).
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self == other || (self.same_family(other) && (self.is_any() || other.is_any()))
    }
}

impl From<IpAddr> for HostIp {
    fn from(ip: IpAddr) -> Self {
        Self(ip.to_canonical())
    }
}

impl FromStr for HostIp {
    type Err = InvalidHostIp;

    /// Reads what Go's `net.ParseIP` reads, which Rust's parser agrees with: no zone, no
    /// brackets, no leading zeros in IPv4 (<https://pkg.go.dev/net#ParseIP>).
    fn from_str(text: &str) -> Result<Self, InvalidHostIp> {
        match text.parse::<IpAddr>() {
            Ok(ip) => Ok(ip.into()),
            Err(_) => Err(InvalidHostIp(text.to_owned())),
        }
    }
}

impl fmt::Display for HostIp {
    /// IPv6 in brackets, as before a port.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(ip) => ip.fmt(f),
            IpAddr::V6(ip) => write!(f, "[{ip}]"),
        }
    }
}

/// Which host port a binding asks for (engine.md 1.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Published {
    /// Exactly this port.
    Fixed(Port),
    /// One port of the range.
    OneOf(PortRange),
    /// One port of the engine's ephemeral range.
    Dynamic,
}

impl From<PortRange> for Published {
    /// A range of one port is that port (engine.md 1.12).
    fn from(range: PortRange) -> Self {
        range.single().map_or(Self::OneOf(range), Self::Fixed)
    }
}

impl fmt::Display for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(port) => port.fmt(f),
            Self::OneOf(range) => range.fmt(f),
            Self::Dynamic => f.write_str("dynamic"),
        }
    }
}

/// One port of a container, published on the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Binding {
    /// The host address; none means all, or what the network says (engine.md 1.6).
    pub host_ip: Option<HostIp>,
    /// The host port.
    pub published: Published,
    /// The container's port.
    pub target: Port,
    /// The protocol.
    pub protocol: Protocol,
}

impl fmt::Display for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(ip) = self.host_ip {
            write!(f, "{ip}:")?;
        }
        write!(f, "{}:{}/{}", self.published, self.target, self.protocol)
    }
}
