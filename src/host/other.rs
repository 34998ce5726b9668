//! The sockets of macOS and Windows, through the crate `listeners`.
//!
//! It gives the processes that this user may see, and no socket options: without root, macOS hides
//! the sockets of other users, which only a [`probe`](fn@super::probe) finds.

use std::net::IpAddr;
use std::num::NonZeroU16;

use listeners::{Listener, SocketState};

use super::socket::Listeners;
use super::{Detail, Error, Owner, Protocol, Socket, Sockets, State};

pub(super) fn sockets(detail: Detail) -> Result<Sockets, Error> {
    let found = listeners::get_all().map_err(|error| Error::Sockets {
        reason: error.to_string(),
    })?;
    let mut sockets: Vec<_> = found
        .into_iter()
        .filter_map(|listener| socket(listener, detail))
        .collect();
    let servers: Listeners = sockets.iter().collect();
    sockets.retain(|socket| !servers.accepted(socket));
    Ok(Sockets {
        sockets,
        sees_bound_tcp: false,
    })
}

fn socket(listener: Listener, detail: Detail) -> Option<Socket> {
    let (protocol, state) = match (listener.protocol, listener.state) {
        (listeners::Protocol::UDP, _) => (Protocol::Udp, State::Bound),
        (listeners::Protocol::TCP, SocketState::Closed) => (Protocol::Tcp, State::Bound),
        (listeners::Protocol::TCP, SocketState::Listen) => (Protocol::Tcp, State::Listening),
        (listeners::Protocol::TCP, SocketState::TimeWait) => (Protocol::Tcp, State::TimeWait),
        (listeners::Protocol::TCP, _) => (Protocol::Tcp, State::Outgoing),
    };
    let owner = match detail {
        Detail::Table => Owner::Unread,
        Detail::Owners | Detail::Options => Owner::Process {
            pid: listener.process.pid,
            program: Some(listener.process.name),
            user: None,
        },
    };
    Some(Socket {
        port: NonZeroU16::new(listener.socket.port())?,
        protocol,
        address: plain(listener.socket.ip()),
        state,
        v6only: None,
        reuse_address: None,
        owner,
    })
}

/// macOS keeps the IPv4 address of an IPv6 socket in the last four bytes, all others zero.
fn plain(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) if !v6.is_unspecified() && !v6.is_loopback() => {
            v6.to_ipv4().map_or(IpAddr::V6(v6), IpAddr::V4)
        }
        address => address,
    }
}
