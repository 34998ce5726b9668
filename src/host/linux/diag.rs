//! The tables of sockets by netlink `sock_diag` (`linux/inet_diag.h`, `sock_diag(7)`).
//!
//! What this gives beyond `/proc/net`: `IPV6_V6ONLY`, and TCP sockets that are bound only.

use std::io;
use std::mem::MaybeUninit;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU16;
use std::time::Duration;

use rustix::fd::OwnedFd;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with,
};

use super::{Entry, Family, state};
use crate::host::{Owner, Protocol, Socket};

const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLM_F_REQUEST: u16 = 0x1;
const NLM_F_DUMP: u16 = 0x300;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const INET_DIAG_SKV6ONLY: u16 = 11;

const HEADER: usize = 16;
/// `struct inet_diag_req_v2`
const REQUEST: usize = 56;
/// `struct inet_diag_msg`
const MESSAGE: usize = 72;
/// The kernel fills at most 32 KiB at a time (`netlink_dump`).
const BUFFER: usize = 64 * 1024;
/// The kernel answers at once; a sandbox that only pretends to have netlink must not hang us.
const PATIENCE: Duration = Duration::from_secs(2);

/// A netlink socket. It asks about the network namespace of the thread that opened it.
pub(super) struct Diag(OwnedFd);

impl Diag {
    pub(super) fn open() -> io::Result<Self> {
        let socket = socket_with(
            AddressFamily::NETLINK,
            SocketType::RAW,
            SocketFlags::CLOEXEC,
            Some(netlink::SOCK_DIAG),
        )?;
        set_socket_timeout(&socket, Timeout::Recv, Some(PATIENCE))?;
        Ok(Self(socket))
    }

    /// One whole table.
    pub(super) fn table(&self, protocol: Protocol, family: Family) -> io::Result<Vec<Entry>> {
        send(&self.0, &request(protocol, family), SendFlags::empty())?;
        let mut entries = Vec::new();
        let mut buffer = vec![MaybeUninit::uninit(); BUFFER];
        loop {
            let ((received, _), length) = recv(&self.0, &mut buffer[..], RecvFlags::TRUNC)?;
            if received.is_empty() || length > BUFFER {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Progress::Done = read_messages(received, protocol, &mut entries)? {
                return Ok(entries);
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Progress {
    More,
    Done,
}

/// Asks for every socket of a table, in every state. Kernels ignore the states they do not know,
/// and bit 13 (`TCPF_BOUND_INACTIVE`, Linux 6.8) has to be set to hear of bound sockets.
fn request(protocol: Protocol, family: Family) -> [u8; HEADER + REQUEST] {
    let mut request = [0; HEADER + REQUEST];
    let mut put = |at: usize, bytes: &[u8]| {
        request[at..at + bytes.len()].copy_from_slice(bytes);
    };
    put(0, &((HEADER + REQUEST) as u32).to_ne_bytes());
    put(4, &SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    put(6, &(NLM_F_REQUEST | NLM_F_DUMP).to_ne_bytes());
    let family = match family {
        Family::V4 => AddressFamily::INET,
        Family::V6 => AddressFamily::INET6,
    };
    let protocol = match protocol {
        Protocol::Tcp => 6,
        Protocol::Udp => 17,
        Protocol::Sctp => 132,
    };
    put(HEADER, &[family.as_raw() as u8, protocol]);
    put(HEADER + 4, &u32::MAX.to_ne_bytes());
    request
}

/// Takes apart what one `recv` gave.
fn read_messages(
    mut bytes: &[u8],
    protocol: Protocol,
    entries: &mut Vec<Entry>,
) -> io::Result<Progress> {
    while let Some((header, _)) = bytes.split_at_checked(HEADER) {
        let length = u32_at(header, 0).unwrap_or_default() as usize;
        let kind = u16_at(header, 4).unwrap_or_default();
        let body = bytes
            .get(HEADER..length)
            .ok_or(io::ErrorKind::InvalidData)?;
        match kind {
            NLMSG_DONE => return Ok(Progress::Done),
            NLMSG_ERROR => {
                let code = u32_at(body, 0).unwrap_or_default().cast_signed();
                return Err(io::Error::from_raw_os_error(code.wrapping_neg()));
            }
            SOCK_DIAG_BY_FAMILY => entries.extend(entry(body, protocol)),
            _ => {}
        }
        bytes = bytes.get(align(length)..).unwrap_or_default();
    }
    Ok(Progress::More)
}

/// An `inet_diag_msg` and its attributes; none if it has no port or is not as known.
fn entry(message: &[u8], protocol: Protocol) -> Option<Entry> {
    let (fixed, attributes) = message.split_at_checked(MESSAGE)?;
    let port_at = |at| Some(u16::from_be_bytes(fixed.get(at..at + 2)?.try_into().ok()?));
    let address = if AddressFamily::INET.as_raw() as u8 == fixed[0] {
        let octets: [u8; 4] = fixed.get(8..12)?.try_into().ok()?;
        IpAddr::V4(Ipv4Addr::from(octets))
    } else {
        let octets: [u8; 16] = fixed.get(8..24)?.try_into().ok()?;
        IpAddr::V6(Ipv6Addr::from(octets)).to_canonical()
    };
    let v6only = attribute(attributes, INET_DIAG_SKV6ONLY)
        .and_then(|value| value.first())
        .map(|&flag| flag != 0);
    let socket = Socket {
        port: NonZeroU16::new(port_at(4)?)?,
        protocol,
        address,
        state: state(protocol, fixed[1], port_at(6)? != 0),
        v6only: v6only.filter(|_| address.is_ipv6()),
        reuse_address: None,
        owner: Owner::Unread,
    };
    Some(Entry {
        socket,
        uid: u32_at(fixed, 64)?,
        inode: u32_at(fixed, 68)?.into(),
    })
}

/// The value of the first attribute of a kind.
fn attribute(mut attributes: &[u8], kind: u16) -> Option<&[u8]> {
    loop {
        let length = usize::from(u16_at(attributes, 0)?);
        let value = attributes.get(4..length)?;
        if u16_at(attributes, 2)? == kind {
            return Some(value);
        }
        attributes = attributes.get(align(length)..)?;
    }
}

/// `NLMSG_ALIGN`
fn align(length: usize) -> usize {
    length.saturating_add(3) & !3
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::State;

    /// A message of netlink.
    fn message(kind: u16, body: &[u8]) -> Vec<u8> {
        let mut message = ((HEADER + body.len()) as u32).to_ne_bytes().to_vec();
        message.extend(kind.to_ne_bytes());
        message.extend([0; 10]);
        message.extend(body);
        message.resize(align(message.len()), 0);
        message
    }

    /// A listener on `[::]:443` of user 1000, inode 99, V6ONLY.
    fn listener() -> Vec<u8> {
        let mut body = vec![0; MESSAGE];
        body[0] = AddressFamily::INET6.as_raw() as u8;
        body[1] = 10;
        body[4..6].copy_from_slice(&443_u16.to_be_bytes());
        body[64..68].copy_from_slice(&1000_u32.to_ne_bytes());
        body[68..72].copy_from_slice(&99_u32.to_ne_bytes());
        // An attribute of one byte before the one that counts.
        for (kind, value) in [(8_u16, 0), (INET_DIAG_SKV6ONLY, 1)] {
            body.extend(5_u16.to_ne_bytes());
            body.extend(kind.to_ne_bytes());
            body.extend([value, 0, 0, 0]);
        }
        body
    }

    #[test]
    fn messages_become_entries() {
        let mut bytes = message(SOCK_DIAG_BY_FAMILY, &listener());
        bytes.extend(message(SOCK_DIAG_BY_FAMILY, &listener()));
        let mut entries = Vec::new();
        let progress = read_messages(&bytes, Protocol::Tcp, &mut entries).unwrap();
        assert_eq!((progress, entries.len()), (Progress::More, 2));
        let entry = &entries[1];
        let socket = &entry.socket;
        assert_eq!(socket.address, IpAddr::V6(Ipv6Addr::UNSPECIFIED));
        assert_eq!((socket.port.get(), entry.uid, entry.inode), (443, 1000, 99));
        assert_eq!(
            (socket.state, socket.v6only),
            (State::Listening, Some(true))
        );

        bytes.extend(message(NLMSG_DONE, &[0; 4]));
        let progress = read_messages(&bytes, Protocol::Tcp, &mut entries).unwrap();
        assert_eq!(progress, Progress::Done);
    }

    #[test]
    fn a_mapped_address_is_ipv4() {
        let mut body = listener();
        body[18..24].copy_from_slice(&[0xff, 0xff, 127, 0, 0, 1]);
        let socket = entry(&body, Protocol::Tcp).unwrap().socket;
        assert_eq!(socket.address, IpAddr::V4(Ipv4Addr::LOCALHOST));
        assert_eq!(socket.v6only, None);
    }

    #[test]
    fn an_error_of_the_kernel_is_one() {
        let bytes = message(NLMSG_ERROR, &(-2_i32).to_ne_bytes());
        let error = read_messages(&bytes, Protocol::Tcp, &mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn no_bytes_make_it_panic_or_hang() {
        let whole = message(SOCK_DIAG_BY_FAMILY, &listener());
        for end in 0..whole.len() {
            let _ = read_messages(&whole[..end], Protocol::Tcp, &mut Vec::new());
        }
        for at in 0..whole.len() {
            for value in [0, 1, 3, 4, 15, 16, 255] {
                let mut bytes = whole.clone();
                bytes[at] = value;
                let _ = read_messages(&bytes, Protocol::Udp, &mut Vec::new());
            }
        }
    }
}
