//! A socket on the host and its owner.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU16;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::limits::AIRPLAY_PORTS;
pub use crate::binding::Protocol;

/// A socket that holds a port of the host. The order is by port, then protocol, then address.
///
/// The connections that a listener accepted are left out while it listens: they share its port,
/// and it alone decides who can have it (engine.md 3.2).
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct Socket {
    /// The local port.
    pub port: NonZeroU16,
    /// The protocol.
    pub protocol: Protocol,
    /// The local address; `::ffff:a.b.c.d` is given as the IPv4 address it stands for.
    pub address: IpAddr,
    /// What the socket does.
    pub state: State,
    /// `IPV6_V6ONLY`: an IPv6 socket that leaves the IPv4 port to others. `None` for an IPv4
    /// socket, for a connection, and where the system does not tell.
    pub v6only: Option<bool>,
    /// `SO_REUSEADDR`, if it was asked for, matters, and the system tells; see
    /// [`Detail::Options`](super::Detail::Options).
    pub reuse_address: Option<bool>,
    /// Whose it is.
    pub owner: Owner,
}

/// What a socket does with its port.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// A TCP server.
    Listening,
    /// Any UDP socket without a peer, or a TCP socket that is bound and does not listen.
    Bound,
    /// A TCP connection, open or closing, or a UDP socket with a peer. Mostly a client on an
    /// ephemeral port, and no server, yet an engine that wants the port fails (engine.md 3.2).
    Outgoing,
    /// A closed TCP connection whose port the kernel keeps for up to 60 seconds.
    TimeWait,
}

/// The process a socket belongs to, as far as it may be known.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Owner {
    /// A process; of those that share the socket the one with the lowest id.
    Process {
        /// The process id, in the PID namespace of the reader.
        pid: u32,
        /// The name of the program, without its path.
        program: Option<String>,
        /// The name of the user, or the number where there is no name.
        user: Option<String>,
    },
    /// A process of another user, whose open files only root may see.
    OtherUser {
        /// The name of the user, or the number where there is no name.
        user: Option<String>,
    },
    /// The kernel itself (NFS, WireGuard), or a process that cannot be seen from here: in a PID
    /// namespace out of sight, or guarded as programs with capabilities are.
    Hidden {
        /// The name of the user, or the number where there is no name.
        user: Option<String>,
    },
    /// No process: the kernel finishes a connection that is closed.
    Nobody,
    /// Not asked for.
    #[default]
    Unread,
}

/// Programs that hold ports for containers (engine.md 1.14, 10, 11): Docker and containerd,
/// rootless Docker, Podman, Docker Desktop and WSL.
const ENGINE_PROGRAMS: [&str; 14] = [
    "docker-proxy",
    "dockerd",
    "containerd",
    "rootlesskit",
    "slirp4netns",
    "conmon",
    "podman",
    "rootlessport",
    "pasta",
    "pasta.avx2",
    "com.docker.backend",
    "com.docker.vpnkit",
    "vpnkit",
    "wslrelay",
];

/// The program of macOS that runs the AirPlay Receiver.
const AIRPLAY_PROGRAM: &str = "ControlCenter";

impl Socket {
    /// True of the sockets of the AirPlay Receiver.
    #[must_use]
    pub fn is_airplay(&self) -> bool {
        self.protocol == Protocol::Tcp
            && AIRPLAY_PORTS.contains(&self.port.get())
            && matches!(&self.owner, Owner::Process { program: Some(program), .. }
                if program == AIRPLAY_PROGRAM)
    }
}

impl Owner {
    /// True if the program holds ports for containers.
    ///
    /// Its socket is a container's only if the engine reports that port as published: dockerd
    /// also listens for its own API (2375, 2376) and for Swarm (2377, 7946). Never true of an
    /// owner that cannot be seen, as `docker-proxy` without root.
    #[must_use]
    pub fn is_engine(&self) -> bool {
        let Self::Process {
            program: Some(program),
            ..
        } = self
        else {
            return false;
        };
        let program = program.strip_suffix(".exe").unwrap_or(program);
        ENGINE_PROGRAMS.contains(&program)
    }
}

/// A phrase for the middle of a sentence.
impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process { pid, program, user } => {
                match program {
                    Some(program) => write!(f, "{program} (pid {pid}")?,
                    None => write!(f, "a process (pid {pid}")?,
                }
                match user {
                    Some(user) => write!(f, ", user {user})"),
                    None => f.write_str(")"),
                }
            }
            Self::OtherUser { user: None } => f.write_str("a process of another user"),
            Self::OtherUser { user: Some(user) } => {
                write!(f, "a process of another user ({user})")
            }
            Self::Hidden { user: None } => f.write_str("a process that cannot be seen from here"),
            Self::Hidden { user: Some(user) } => {
                write!(f, "a process of {user} that cannot be seen from here")
            }
            Self::Nobody => f.write_str("a connection that is closed"),
            Self::Unread => f.write_str("a process"),
        }
    }
}

/// The local addresses that TCP servers listen on, by port, with what is known of `IPV6_V6ONLY`.
pub(super) struct Listeners(HashMap<NonZeroU16, Vec<(IpAddr, Option<bool>)>>);

impl<'a> FromIterator<&'a Socket> for Listeners {
    fn from_iter<T: IntoIterator<Item = &'a Socket>>(sockets: T) -> Self {
        let mut listeners = HashMap::<_, Vec<_>>::new();
        for socket in sockets {
            if socket.state == State::Listening {
                let of_port = listeners.entry(socket.port).or_default();
                of_port.push((socket.address, socket.v6only));
            }
        }
        Self(listeners)
    }
}

impl Listeners {
    /// True of a connection that one of the listeners may have accepted.
    pub(super) fn accepted(&self, socket: &Socket) -> bool {
        let connection = matches!(socket.state, State::Outgoing | State::TimeWait);
        let mut of_port = self.0.get(&socket.port).into_iter().flatten();
        socket.protocol == Protocol::Tcp
            && connection
            && of_port.any(|&(address, v6only)| match (address, socket.address) {
                (address, local) if address == local => true,
                (IpAddr::V6(address), IpAddr::V4(_)) => {
                    address.is_unspecified() && v6only != Some(true)
                }
                (IpAddr::V4(_), IpAddr::V6(_)) => false,
                (address, _) => address.is_unspecified(),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(program: &str) -> Owner {
        Owner::Process {
            pid: 7,
            program: Some(program.to_owned()),
            user: Some("root".to_owned()),
        }
    }

    #[test]
    fn engine_programs() {
        for name in ["docker-proxy", "rootlesskit", "com.docker.backend.exe"] {
            assert!(process(name).is_engine(), "{name}");
        }
        for name in ["nginx", "docker", "docker-proxy2", "dockerd-helper", ""] {
            assert!(!process(name).is_engine(), "{name}");
        }
        let hidden = Owner::OtherUser {
            user: Some("dockerd".to_owned()),
        };
        assert!(!hidden.is_engine());
    }

    #[test]
    fn owners_in_words() {
        assert_eq!(process("nginx").to_string(), "nginx (pid 7, user root)");
        let bare = Owner::Process {
            pid: 7,
            program: None,
            user: None,
        };
        assert_eq!(bare.to_string(), "a process (pid 7)");
        let other = Owner::OtherUser { user: None };
        assert_eq!(other.to_string(), "a process of another user");
    }

    fn tcp(address: &str, state: State, v6only: Option<bool>) -> Socket {
        Socket {
            port: NonZeroU16::new(80).unwrap(),
            protocol: Protocol::Tcp,
            address: address.parse().unwrap(),
            state,
            v6only,
            reuse_address: None,
            owner: Owner::Nobody,
        }
    }

    #[test]
    fn connections_that_a_listener_accepted() {
        let accepted = |connection: &str, listener: &str, v6only| {
            let listeners: Listeners = [&tcp(listener, State::Listening, v6only)]
                .into_iter()
                .collect();
            listeners.accepted(&tcp(connection, State::Outgoing, None))
        };
        assert!(accepted("127.0.0.1", "127.0.0.1", None));
        assert!(accepted("127.0.0.1", "0.0.0.0", None));
        assert!(accepted("127.0.0.1", "::", Some(false)));
        assert!(accepted("127.0.0.1", "::", None));
        assert!(accepted("::1", "::", Some(true)));
        assert!(!accepted("127.0.0.1", "127.0.0.2", None));
        assert!(!accepted("127.0.0.1", "::", Some(true)));
        assert!(!accepted("::1", "0.0.0.0", None));
    }

    #[test]
    fn only_connections_are_accepted() {
        let listener = tcp("0.0.0.0", State::Listening, None);
        let listeners: Listeners = [&listener].into_iter().collect();
        assert!(listeners.accepted(&tcp("127.0.0.1", State::TimeWait, None)));
        assert!(!listeners.accepted(&listener));
        assert!(!listeners.accepted(&tcp("127.0.0.1", State::Bound, None)));

        let mut other = tcp("127.0.0.1", State::Outgoing, None);
        assert!(listeners.accepted(&other));
        other.protocol = Protocol::Udp;
        assert!(!listeners.accepted(&other));
        other.protocol = Protocol::Tcp;
        other.port = NonZeroU16::new(81).unwrap();
        assert!(!listeners.accepted(&other));
    }

    #[test]
    fn json_form() {
        let socket = tcp("::", State::TimeWait, Some(true));
        let json = serde_json::to_string(&socket).unwrap();
        assert_eq!(
            json,
            r#"{"port":80,"protocol":"tcp","address":"::","state":"time-wait","v6only":true,"reuse_address":null,"owner":{"kind":"nobody"}}"#
        );
        assert_eq!(serde_json::from_str::<Socket>(&json).unwrap(), socket);
    }
}
