//! Sockets of every kind, opened as a row of the table of cases describes them.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::thread;
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use crate::engine_table::Listen;

/// Open sockets. Closing them leaves no `TIME_WAIT` behind for the next case.
#[derive(Default)]
pub struct Opened(Vec<Socket>);

impl Drop for Opened {
    fn drop(&mut self) {
        for socket in &self.0 {
            let _ = socket.set_linger(Some(Duration::ZERO));
        }
    }
}

/// Opens what a row describes at this port, or, where the row is of a client that did not ask for
/// one, at the port that the kernel chooses. Gives the port as well.
pub fn open(row: &Listen, port: u16) -> io::Result<(Opened, u16)> {
    let address = SocketAddr::new(row.addr.parse().unwrap(), port);
    let state = row.state.as_deref().unwrap_or("listen");
    if let "listen" | "bound" = state {
        let socket = socket(row, address)?;
        socket.bind(&address.into())?;
        if state == "listen" && kind(row) == Type::STREAM {
            socket.listen(8)?;
        }
        return Ok((Opened(vec![socket]), port));
    }
    let (ours, theirs) = match state {
        "accepted" | "time_wait_server" => accepted(row, address)?,
        _ => connected(
            row,
            address,
            !state.contains("auto") && state != "connected",
        )?,
    };
    let port = ours.local_addr()?.as_socket().unwrap().port();
    let open = match state {
        "fin_wait2" => vec![theirs],
        _ if state.starts_with("time_wait") => {
            drop(ours);
            thread::sleep(Duration::from_millis(20));
            drop(theirs);
            thread::sleep(Duration::from_millis(20));
            Vec::new()
        }
        _ => vec![ours, theirs],
    };
    Ok((Opened(open), port))
}

fn kind(row: &Listen) -> Type {
    match row.proto.as_deref() {
        Some("udp") => Type::DGRAM,
        _ => Type::STREAM,
    }
}

fn socket(row: &Listen, address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind(row), None)?;
    socket.set_reuse_address(row.reuseaddr)?;
    socket.set_reuse_port(row.reuseport)?;
    if address.is_ipv6() {
        socket.set_only_v6(row.v6only)?;
    }
    if let Some(device) = &row.bindtodevice {
        socket.bind_device(Some(device.as_bytes()))?;
    }
    Ok(socket)
}

/// The server's side of a connection whose listener is gone, and its client.
fn accepted(row: &Listen, address: SocketAddr) -> io::Result<(Socket, Socket)> {
    let listener = socket(row, address)?;
    listener.bind(&address.into())?;
    listener.listen(1)?;
    let client = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    client.connect(&SocketAddr::new(loopback(address), address.port()).into())?;
    Ok((listener.accept()?.0, client))
}

/// A client, bound to its port beforehand or not, and its peer.
fn connected(row: &Listen, address: SocketAddr, bind: bool) -> io::Result<(Socket, Socket)> {
    let peer = Socket::new(Domain::for_address(address), kind(row), None)?;
    peer.bind(&SocketAddr::new(loopback(address), 0).into())?;
    let client = socket(row, address)?;
    if bind {
        client.bind(&address.into())?;
    }
    if kind(row) == Type::DGRAM {
        client.connect(&peer.local_addr()?)?;
        return Ok((client, peer));
    }
    peer.listen(1)?;
    client.connect(&peer.local_addr()?)?;
    Ok((client, peer.accept()?.0))
}

fn loopback(address: SocketAddr) -> IpAddr {
    match address {
        SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    }
}
