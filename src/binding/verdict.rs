//! The answers: never, always, or maybe, and why.

use std::fmt;

use serde::Serialize;

use super::{Addresses, HostIp};

/// Whether two things keep each other from being had together, when it is not known which comes
/// first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Overlap {
    /// Both can be had.
    Never,
    /// One of the two will fail.
    Always(Why),
    /// It depends on what cannot be known beforehand.
    Maybe(Reason),
}

impl Overlap {
    /// The graver of two answers; of equally grave ones the first.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Always(_), _) | (Self::Maybe(_), Self::Maybe(_) | Self::Never) => self,
            _ => other,
        }
    }
}

/// Why two bindings, or a binding and a socket, cannot have the same port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Why {
    /// How the two addresses meet.
    pub meeting: Meeting,
    /// What stands for the host IP that one side does not name.
    pub implied: Option<Addresses>,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Addresses { ipv4, ipv6 }) = self.implied {
            match (ipv4, ipv6) {
                (Some(four), Some(six)) => write!(f, "no host IP means {four} and {six}; ")?,
                (Some(ip), None) | (None, Some(ip)) => write!(f, "no host IP means {ip}; ")?,
                (None, None) => {}
            }
        }
        self.meeting.fmt(f)
    }
}

/// How two addresses meet (engine.md 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Meeting {
    /// They are the same.
    Same(HostIp),
    /// One is all addresses of its family.
    Contains {
        /// `0.0.0.0` or `[::]`.
        any: HostIp,
        /// An address of that family.
        one: HostIp,
    },
    /// A socket on `[::]` that is not `IPV6_V6ONLY` holds IPv4 as well.
    DualStack(HostIp),
    /// A rootless engine does not tell the two apart (engine.md 3.6).
    Rootless {
        /// The lower address.
        low: HostIp,
        /// The higher address.
        high: HostIp,
    },
}

impl Meeting {
    /// How these two meet, given that they do.
    #[must_use]
    pub fn of(a: HostIp, b: HostIp) -> Self {
        if a == b {
            Self::Same(a)
        } else if !a.same_family(b) {
            Self::DualStack(if a.is_ipv4() { a } else { b })
        } else if a.is_any() {
            Self::Contains { any: a, one: b }
        } else if b.is_any() {
            Self::Contains { any: b, one: a }
        } else {
            Self::Rootless {
                low: a.min(b),
                high: a.max(b),
            }
        }
    }
}

impl fmt::Display for Meeting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Same(ip) => write!(f, "both take {ip}"),
            Self::Contains { any, one } => write!(f, "{any} contains {one}"),
            Self::DualStack(ip) => write!(f, "a dual-stack socket on [::] holds {ip} too"),
            Self::Rootless { low, high } => {
                write!(f, "a rootless engine does not tell {low} from {high}")
            }
        }
    }
}

/// Why it cannot be known whether two collide: the rows of engine.md 14.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// A range or dynamic port may take a port that another container needs.
    StartOrder,
    /// A range holds a candidate that is busy where the allocator does not look.
    RangeCursor,
    /// G1: a container with a fixed port inside a range of its own.
    BindingOrder,
    /// Whether a socket on `[::]` holds IPv4.
    DualStackUnknown,
    /// Whether a UDP socket has `SO_REUSEADDR`.
    UdpReuseUnknown,
    /// A TCP socket that does not listen.
    NotListening,
    /// A container in a crash loop.
    Restarting,
    /// A port of the kernel's ephemeral range.
    Ephemeral,
    /// A Swarm ingress port against a local holder.
    SwarmIngress,
    /// The daemon's `userland-proxy` is not known.
    ProxyUnknown,
    /// The engine's version is not known.
    VersionUnknown,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::StartOrder => "which ports a range gets depends on the order of starts",
            Self::RangeCursor => {
                "the engine gives up when the port it tries first in a range is busy, and which \
                 it tries first cannot be seen"
            }
            Self::BindingOrder => {
                "engines before 27 bind the ports of one container in no fixed order, so the \
                 range may take the fixed port"
            }
            Self::DualStackUnknown => {
                "it is not known whether the socket on [::] also holds IPv4 addresses"
            }
            Self::UdpReuseUnknown => {
                "it is not known whether the UDP socket set SO_REUSEADDR, with which this engine \
                 would share the port"
            }
            Self::NotListening => {
                "the TCP socket does not listen, may share its port and may be gone soon"
            }
            Self::Restarting => {
                "the container is restarting and holds its ports only during each attempt"
            }
            Self::Ephemeral => {
                "the kernel may give this port to an outgoing connection at any time"
            }
            Self::SwarmIngress => {
                "swarm does not check whether a node's port is free for the routing mesh"
            }
            Self::ProxyUnknown => {
                "it is not known whether the daemon's userland proxy, which binds IPv6, is on"
            }
            Self::VersionUnknown => "the version of the engine, which decides this, is not known",
        })
    }
}
