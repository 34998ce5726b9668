//! Sockets on the host, and when the kernel lets two have one port.

use serde::Serialize;

use super::verdict::{Meeting, Overlap, Reason, Why};
use super::{Binding, Engine, HostIp, Network, Port, Protocol, addresses};

/// A port that an engine has taken on one address for a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Hold {
    /// The host address.
    pub ip: HostIp,
    /// The host port.
    pub port: Port,
    /// The protocol.
    pub protocol: Protocol,
}

/// What a container with this binding holds once it got `port` (engine.md 1).
pub fn holds(
    binding: &Binding,
    network: &Network,
    engine: &Engine,
    port: Port,
) -> impl Iterator<Item = Hold> + use<> {
    let protocol = binding.protocol;
    addresses(binding, network, engine)
        .iter()
        .map(move |ip| Hold { ip, port, protocol })
}

/// What a socket is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SocketState {
    /// A TCP server.
    Listening,
    /// Bound: any UDP server; a TCP socket not listening yet.
    Bound,
    /// One end of a connection, open or closing, or TCP `TIME_WAIT`.
    Connected,
}

/// A socket in the host's network namespace that is no container's of this engine.
///
/// What cannot be seen is `None`; `/proc/net` shows none of the options (engine.md 3.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Socket {
    /// The local address. `::ffff:a.b.c.d` is the IPv4 address.
    pub ip: HostIp,
    /// The local port.
    pub port: Port,
    /// The protocol.
    pub protocol: Protocol,
    /// What the socket is doing.
    pub state: SocketState,
    /// `SO_REUSEADDR`.
    pub reuse_address: Option<bool>,
    /// `SO_REUSEPORT`.
    pub reuse_port: Option<bool>,
    /// `IPV6_V6ONLY`; without meaning for IPv4.
    pub v6_only: Option<bool>,
    /// The interface of `SO_BINDTODEVICE`.
    pub device: Option<String>,
}

impl Socket {
    /// The socket that an engine opens on the host for a hold (engine.md 1.14).
    #[must_use]
    pub fn of_engine(hold: Hold, engine: &Engine) -> Self {
        let reuse_address = match hold.protocol {
            Protocol::Tcp => true,
            Protocol::Udp => engine.udp_reuses_address(),
            Protocol::Sctp => false,
        };
        Self::published(hold, reuse_address)
    }

    /// The socket of a container that runs on another engine of the host: unlike the one that is
    /// being opened, it listens.
    #[must_use]
    pub fn of_other_engine(hold: Hold, engine: &Engine) -> Self {
        Self {
            state: SocketState::Listening,
            ..Self::of_engine(hold, engine)
        }
    }

    /// A bound socket as engines and RootlessKit open them.
    pub(super) fn published(hold: Hold, reuse_address: bool) -> Self {
        Self {
            ip: hold.ip,
            port: hold.port,
            protocol: hold.protocol,
            state: SocketState::Bound,
            reuse_address: Some(reuse_address),
            reuse_port: Some(false),
            v6_only: Some(true),
            device: None,
        }
    }

    /// Whether the kernel refuses to bind (TCP: and listen on) this socket while `old` exists
    /// (engine.md 3.2; Linux `inet_csk_bind_conflict`, `udp_lib_lport_inuse`). Where all options
    /// are known the answer is never maybe.
    #[must_use]
    pub fn clash(&self, old: &Self) -> Overlap {
        let other_device = self.device.is_some() && old.device.is_some();
        if self.protocol != old.protocol
            || self.port != old.port
            || (other_device && self.device != old.device)
        {
            return Overlap::Never;
        }
        let meets = self.meets(old);
        let shares = self.shares(old);
        match (meets, shares) {
            (Some(false), _) | (_, Some(true)) => Overlap::Never,
            (None, _) => Overlap::Maybe(Reason::DualStackUnknown),
            (_, None) if self.protocol == Protocol::Udp => Overlap::Maybe(Reason::UdpReuseUnknown),
            (_, None) => Overlap::Maybe(Reason::NotListening),
            (Some(true), Some(false)) => Overlap::Always(Why {
                meeting: Meeting::of(self.ip, old.ip),
                implied: None,
            }),
        }
    }

    /// True if the local addresses overlap; none if that hangs on an unknown `IPV6_V6ONLY`.
    fn meets(&self, old: &Self) -> Option<bool> {
        if self.ip.same_family(old.ip) {
            return Some(self.ip.overlaps(old.ip));
        }
        let six = if self.ip.is_ipv4() { old } else { self };
        if six.ip.is_any() {
            six.v6_only.map(|only| !only)
        } else {
            Some(false)
        }
    }

    /// True if both sockets allow the other on their port.
    fn shares(&self, old: &Self) -> Option<bool> {
        let reuse_port = both(self.reuse_port, old.reuse_port);
        let reuse_address = match self.protocol {
            Protocol::Udp => both(self.reuse_address, old.reuse_address),
            Protocol::Tcp | Protocol::Sctp if old.state == SocketState::Listening => Some(false),
            Protocol::Tcp | Protocol::Sctp => both(self.reuse_address, old.reuse_address),
        };
        match (reuse_port, reuse_address) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        }
    }
}

/// Whether both hold, as far as that is known.
fn both(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}
