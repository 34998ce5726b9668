//! Whether a port can be had, by having it for a moment.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU16;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use socket2::{Domain, Socket, Type};

use super::{Error, Protocol};

/// One socket as an engine opens it for a published port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bind {
    /// The protocol.
    pub protocol: Protocol,
    /// The address; `::` is IPv6 alone, as all engine sockets are V6ONLY.
    pub address: IpAddr,
    /// The port.
    pub port: NonZeroU16,
    /// Set `SO_REUSEADDR` on UDP, as Docker 28.0 to 28.5 do (engine.md 1.14). TCP always has it.
    pub udp_reuse_address: bool,
}

impl fmt::Display for Bind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = SocketAddr::new(self.address, self.port.get());
        write!(f, "{address}/{}", self.protocol)
    }
}

/// What became of a [`Bind`].
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The port could be had.
    Free,
    /// Another socket has it (`EADDRINUSE`).
    InUse,
    /// The address is none of this host (`EADDRNOTAVAIL`).
    NotLocal,
    /// This user may not (`EACCES`): the port is below
    /// [`unprivileged_start`](super::Limits::unprivileged_start), or in an excluded range of
    /// Windows. The port may be free or not; an engine that runs as root can tell.
    NotPermitted,
    /// No socket can have this address: the host has no such family, or the address is link-local
    /// and says no interface.
    Unsupported,
}

/// Binds, and for TCP listens, as the engine would; then lets the port go.
///
/// True at that instant, and for the user and network namespace of the caller.
///
/// # Errors
///
/// [`Error::Probe`] if the system refuses for a reason that says nothing about the port.
pub fn probe(bind: Bind) -> Result<Outcome, Error> {
    match attempt(&bind) {
        Ok(()) => Ok(Outcome::Free),
        Err(source) => outcome(&source).ok_or(Error::Probe { bind, source }),
    }
}

fn attempt(bind: &Bind) -> io::Result<()> {
    let address = SocketAddr::new(bind.address.to_canonical(), bind.port.get());
    let (kind, protocol) = match bind.protocol {
        Protocol::Tcp => (Type::STREAM, None),
        Protocol::Udp => (Type::DGRAM, None),
        Protocol::Sctp => (Type::STREAM, Some(socket2::Protocol::from(132))),
    };
    let socket = Socket::new(Domain::for_address(address), kind, protocol)?;
    // On Windows the option would let us share the port of a running server; Go, in which the
    // engines are written, does not set it there either.
    if cfg!(unix) && (bind.protocol != Protocol::Udp || bind.udp_reuse_address) {
        socket.set_reuse_address(true)?;
    }
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    if bind.protocol != Protocol::Udp {
        socket.listen(1)?;
    }
    Ok(())
}

fn outcome(error: &io::Error) -> Option<Outcome> {
    match error.kind() {
        io::ErrorKind::AddrInUse => Some(Outcome::InUse),
        io::ErrorKind::AddrNotAvailable => Some(Outcome::NotLocal),
        io::ErrorKind::PermissionDenied => Some(Outcome::NotPermitted),
        // EINVAL: a link-local address without a zone.
        io::ErrorKind::InvalidInput => Some(Outcome::Unsupported),
        _ => no_family(error).then_some(Outcome::Unsupported),
    }
}

/// `EAFNOSUPPORT` and `EPROTONOSUPPORT`, for which `io::ErrorKind` has no names.
fn no_family(error: &io::Error) -> bool {
    let codes = if cfg!(windows) {
        [10047, 10043]
    } else if cfg!(target_os = "linux") {
        [97, 93]
    } else {
        [47, 43]
    };
    error
        .raw_os_error()
        .is_some_and(|code| codes.contains(&code))
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};

    use super::*;

    fn try_bind(protocol: Protocol, address: &str, port: u16) -> Outcome {
        let bind = Bind {
            protocol,
            address: address.parse().unwrap(),
            port: NonZeroU16::new(port).unwrap(),
            udp_reuse_address: false,
        };
        probe(bind).unwrap()
    }

    #[test]
    fn a_listener_is_in_the_way_until_it_goes() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(try_bind(Protocol::Tcp, "127.0.0.1", port), Outcome::InUse);
        assert_eq!(
            try_bind(Protocol::Tcp, "::ffff:127.0.0.1", port),
            Outcome::InUse
        );
        drop(listener);
        assert_eq!(try_bind(Protocol::Tcp, "127.0.0.1", port), Outcome::Free);
        // Twice, as the probe must leave nothing behind.
        assert_eq!(try_bind(Protocol::Tcp, "127.0.0.1", port), Outcome::Free);
    }

    #[test]
    fn a_udp_socket_is_in_the_way_until_it_goes() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        assert_eq!(try_bind(Protocol::Udp, "127.0.0.1", port), Outcome::InUse);
        drop(socket);
        assert_eq!(try_bind(Protocol::Udp, "127.0.0.1", port), Outcome::Free);
    }

    #[test]
    fn an_address_of_another_host() {
        for protocol in [Protocol::Tcp, Protocol::Udp] {
            let outcome = try_bind(protocol, "203.0.113.9", 18080);
            assert_eq!(outcome, Outcome::NotLocal);
        }
    }

    #[test]
    fn a_link_local_address_without_an_interface() {
        let outcome = try_bind(Protocol::Tcp, "fe80::1", 18080);
        assert!(matches!(outcome, Outcome::Unsupported | Outcome::NotLocal));
    }

    #[test]
    fn errors_that_say_nothing_about_the_port_are_no_outcome() {
        assert_eq!(outcome(&io::ErrorKind::OutOfMemory.into()), None);
        assert_eq!(
            outcome(&io::ErrorKind::PermissionDenied.into()),
            Some(Outcome::NotPermitted)
        );
    }

    #[test]
    fn binds_in_words() {
        let bind = Bind {
            protocol: Protocol::Udp,
            address: "::1".parse().unwrap(),
            port: NonZeroU16::MIN,
            udp_reuse_address: true,
        };
        assert_eq!(bind.to_string(), "[::1]:1/udp");
    }
}
