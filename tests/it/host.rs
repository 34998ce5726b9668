//! Real sockets of every kind on loopback, and what `portplan::host` says of them.
//!
//! Each test has a loopback address of its own, so that none meets another's ports.

mod owners;

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::num::NonZeroU16;
use std::process::Command;
use std::time::{Duration, Instant};

use portplan::host::{
    Bind, Detail, Limits, Outcome, Owner, Protocol, Snapshot, Socket, State, probe, sockets,
};
use socket2::{Domain, Type};

use owners::this_process;

const ANY4: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
const ANY6: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
const ONE6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

fn loopback(test: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(127, 80, 80, test))
}

/// Opens a socket bound to a port that the kernel chooses, and gives the port.
fn bound(
    address: IpAddr,
    kind: Type,
    options: impl FnOnce(&socket2::Socket),
) -> (socket2::Socket, u16) {
    let address = SocketAddr::new(address, 0);
    let socket = socket2::Socket::new(Domain::for_address(address), kind, None).unwrap();
    options(&socket);
    socket.bind(&address.into()).unwrap();
    let port = socket.local_addr().unwrap().as_socket().unwrap().port();
    (socket, port)
}

/// The sockets of a port.
fn of_port(protocol: Protocol, port: u16, detail: Detail) -> Vec<Socket> {
    let mut found = sockets(detail).unwrap().sockets;
    found.retain(|socket| socket.protocol == protocol && socket.port.get() == port);
    found
}

/// The one socket of a port.
fn only(protocol: Protocol, port: u16) -> Socket {
    let found = of_port(protocol, port, Detail::Options);
    let [socket] = <[Socket; 1]>::try_from(found).unwrap();
    assert_eq!((socket.protocol, socket.port.get()), (protocol, port));
    socket
}

/// Asserts a thing that may come true a little later: a process that another test starts has a
/// copy of all our sockets until its `exec`, and a port may be another test's for a moment.
#[track_caller]
fn eventually<T: PartialEq + std::fmt::Debug>(mut found: impl FnMut() -> T, expected: T) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while Instant::now() < deadline && found() != expected {
        std::thread::yield_now();
    }
    assert_eq!(found(), expected);
}

fn try_bind(protocol: Protocol, address: IpAddr, port: u16) -> Outcome {
    try_bind_as(protocol, address, port, false)
}

fn try_bind_as(protocol: Protocol, address: IpAddr, port: u16, reuse: bool) -> Outcome {
    let bind = Bind {
        protocol,
        address,
        port: NonZeroU16::new(port).unwrap(),
        udp_reuse_address: reuse,
    };
    probe(bind).unwrap()
}

/// Whether this machine has IPv6; the tests of it are void elsewhere.
fn ipv6() -> bool {
    Limits::read().unwrap().ipv6
}

#[test]
fn v6only_and_dual_stack() {
    if !ipv6() {
        return;
    }
    for v6only in [true, false] {
        let (socket, port) = bound(ANY6, Type::STREAM, |socket| {
            socket.set_only_v6(v6only).unwrap();
        });
        socket.listen(1).unwrap();
        let seen = only(Protocol::Tcp, port);
        assert_eq!((seen.state, seen.address), (State::Listening, ANY6));
        assert_eq!(seen.v6only, Some(v6only));
        let four = if v6only {
            Outcome::Free
        } else {
            Outcome::InUse
        };
        eventually(|| try_bind(Protocol::Tcp, ANY4, port), four);
        assert_eq!(try_bind(Protocol::Tcp, ANY6, port), Outcome::InUse);
        assert_eq!(try_bind(Protocol::Tcp, ONE6, port), Outcome::InUse);

        let (_socket, port) = bound(ANY6, Type::DGRAM, |socket| {
            socket.set_only_v6(v6only).unwrap();
        });
        assert_eq!(only(Protocol::Udp, port).v6only, Some(v6only));
        eventually(|| try_bind(Protocol::Udp, ANY4, port), four);
    }
}

#[test]
fn a_mapped_address_is_ipv4() {
    if !ipv6() {
        return;
    }
    let (socket, port) = bound(
        "::ffff:127.80.80.3".parse().unwrap(),
        Type::STREAM,
        |socket| {
            socket.set_only_v6(false).unwrap();
        },
    );
    socket.listen(1).unwrap();
    let seen = only(Protocol::Tcp, port);
    assert_eq!((seen.address, seen.v6only), (loopback(3), None));
    assert_eq!(try_bind(Protocol::Tcp, loopback(3), port), Outcome::InUse);
}

#[test]
fn bound_but_not_listening() {
    let sees_bound_tcp = sockets(Detail::Table).unwrap().sees_bound_tcp;
    let addresses = if ipv6() {
        vec![loopback(4), ONE6]
    } else {
        vec![loopback(4)]
    };
    for address in addresses {
        for reuse in [false, true] {
            let (_socket, port) = bound(address, Type::STREAM, |socket| {
                socket.set_reuse_address(reuse).unwrap();
            });
            // engine.md 3.2: the engine starts beside one with SO_REUSEADDR.
            let expected = if reuse { Outcome::Free } else { Outcome::InUse };
            assert_eq!(try_bind(Protocol::Tcp, address, port), expected);
            if sees_bound_tcp {
                let seen = only(Protocol::Tcp, port);
                assert_eq!((seen.state, seen.address), (State::Bound, address));
                assert_eq!(seen.reuse_address, Some(reuse));
                this_process(&seen.owner);
            } else {
                assert_eq!(of_port(Protocol::Tcp, port, Detail::Table), []);
            }
        }
    }
}

#[test]
fn udp_bound_and_connected() {
    let address = loopback(5);
    let peer = UdpSocket::bind((address, 0)).unwrap();
    for reuse in [false, true] {
        let (socket, port) = bound(address, Type::DGRAM, |socket| {
            socket.set_reuse_address(reuse).unwrap();
        });
        let seen = only(Protocol::Udp, port);
        assert_eq!((seen.state, seen.address), (State::Bound, address));
        assert_eq!(seen.reuse_address, Some(reuse));
        this_process(&seen.owner);
        assert_eq!(try_bind(Protocol::Udp, address, port), Outcome::InUse);
        // Docker 28.0 to 28.5 share with a socket that has the option.
        let generous = if reuse { Outcome::Free } else { Outcome::InUse };
        assert_eq!(try_bind_as(Protocol::Udp, address, port, true), generous);
        eventually(|| try_bind(Protocol::Tcp, address, port), Outcome::Free);

        socket.connect(&peer.local_addr().unwrap().into()).unwrap();
        let seen = only(Protocol::Udp, port);
        assert_eq!((seen.state, seen.address), (State::Outgoing, address));
        assert_eq!(try_bind(Protocol::Udp, address, port), Outcome::InUse);
    }
}

#[test]
fn connections_are_no_listeners() {
    let address = loopback(6);
    let listener = TcpListener::bind((address, 0)).unwrap();
    let server_port = listener.local_addr().unwrap().port();
    let client = TcpStream::connect((address, server_port)).unwrap();
    let client_address = client.local_addr().unwrap();
    let (server, _) = listener.accept().unwrap();

    let seen = only(Protocol::Tcp, client_address.port());
    assert_eq!(
        (seen.state, seen.address),
        (State::Outgoing, client_address.ip())
    );
    assert_eq!(seen.reuse_address, Some(false));
    this_process(&seen.owner);
    let outcome = try_bind(Protocol::Tcp, client_address.ip(), client_address.port());
    assert_eq!(outcome, Outcome::InUse);

    // The accepted end is the listener's while that is there.
    assert_eq!(only(Protocol::Tcp, server_port).state, State::Listening);
    drop(listener);
    eventually(|| only(Protocol::Tcp, server_port).state, State::Outgoing);
    let left = only(Protocol::Tcp, server_port);
    // std sets SO_REUSEADDR on its listeners, and the accepted end has it from there.
    assert_eq!(left.reuse_address, Some(true));
    eventually(
        || try_bind(Protocol::Tcp, address, server_port),
        Outcome::Free,
    );
    drop((client, server));
}

#[test]
fn time_wait_is_nobodys_and_in_the_way() {
    let address = loopback(7);
    let listener = TcpListener::bind((address, 0)).unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let local = client.local_addr().unwrap();
    let (mut server, _) = listener.accept().unwrap();
    drop(client);
    assert_eq!(server.read(&mut [0]).unwrap(), 0);
    drop(server);
    eventually(|| only(Protocol::Tcp, local.port()).state, State::TimeWait);
    let seen = only(Protocol::Tcp, local.port());
    assert_eq!(seen.address, local.ip());
    assert_eq!((seen.owner, seen.reuse_address), (Owner::Nobody, None));
    assert_eq!(
        try_bind(Protocol::Tcp, local.ip(), local.port()),
        Outcome::InUse
    );
}

#[test]
fn every_address_against_one() {
    let address = loopback(8);
    let specific = TcpListener::bind((address, 0)).unwrap();
    let port = specific.local_addr().unwrap().port();
    assert_eq!(try_bind(Protocol::Tcp, ANY4, port), Outcome::InUse);
    eventually(|| try_bind(Protocol::Tcp, loopback(9), port), Outcome::Free);
    let every = TcpListener::bind((ANY4, 0)).unwrap();
    let port = every.local_addr().unwrap().port();
    assert_eq!(try_bind(Protocol::Tcp, address, port), Outcome::InUse);
    eventually(|| try_bind(Protocol::Udp, address, port), Outcome::Free);
    if ipv6() {
        eventually(|| try_bind(Protocol::Tcp, ANY6, port), Outcome::Free);
    }
}

#[test]
fn ports_below_the_threshold_are_for_root() {
    let start = Limits::read().unwrap().unprivileged_start;
    if start < 2 {
        return;
    }
    let outcome = try_bind(Protocol::Tcp, loopback(10), start - 1);
    // Root may, all others may not.
    let id = Command::new("id").arg("-u").output().unwrap();
    let root = id.stdout == b"0\n";
    let expected = if root {
        Outcome::Free
    } else {
        Outcome::NotPermitted
    };
    assert_eq!(outcome, expected);
}

#[test]
fn a_snapshot_is_sorted_and_can_be_stored() {
    let _listener = TcpListener::bind((loopback(11), 0)).unwrap();
    let snapshot = Snapshot::read(Detail::Owners).unwrap();
    assert!(snapshot.sockets.is_sorted());
    assert!(!snapshot.sockets.is_empty());
    let json = serde_json::to_string(&snapshot).unwrap();
    assert_eq!(serde_json::from_str::<Snapshot>(&json).unwrap(), snapshot);
    let schema = serde_json::to_value(schemars::schema_for!(Snapshot)).unwrap();
    let value = serde_json::from_str(&json).unwrap();
    jsonschema::validate(&schema, &value).unwrap();
}

#[test]
fn limits_and_addresses_agree_with_the_probe() {
    let snapshot = Snapshot::read(Detail::Table).unwrap();
    assert!(snapshot.addresses.contains(loopback(12)));
    let ephemeral = snapshot.limits.ephemeral;
    let lent = UdpSocket::bind((loopback(12), 0)).unwrap();
    assert!(
        ephemeral.contains(lent.local_addr().unwrap().port()),
        "{ephemeral}"
    );
    for local in snapshot.addresses.iter() {
        let link_local = matches!(local.address, IpAddr::V6(six) if six.is_unicast_link_local());
        let (_, port) = bound(loopback(12), Type::DGRAM, |_| {});
        if !link_local {
            assert_eq!(
                try_bind(Protocol::Udp, local.address, port),
                Outcome::Free,
                "{local:?}"
            );
        }
    }
}
