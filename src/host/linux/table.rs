//! The tables of sockets in `/proc/net`, for kernels and sandboxes without `sock_diag`
//! (`Documentation/networking/proc_net_tcp.rst` of Linux).
//!
//! `IPV6_V6ONLY` is not in them, nor a TCP socket that is bound only.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU16;

use super::{Entry, Family, state};
use crate::host::{Error, Owner, Protocol, Socket, read_file};

/// Reads one table of the network namespace of this thread.
pub(super) fn read_table(protocol: Protocol, family: Family) -> Result<Vec<Entry>, Error> {
    let six = match family {
        Family::V4 => "",
        Family::V6 => "6",
    };
    let path = format!("/proc/thread-self/net/{protocol}{six}");
    match read_file(&path) {
        Ok(text) => parse(&text, protocol).map_err(|line| Error::form(&path, line)),
        // A kernel that was started without IPv6 has no such table.
        Err(Error::File { source, .. })
            if family == Family::V6 && source.kind() == ErrorKind::NotFound =>
        {
            Ok(Vec::new())
        }
        Err(error) => Err(error),
    }
}

/// The entries of a table with their ports; the first line that is not understood is the error.
fn parse(text: &str, protocol: Protocol) -> Result<Vec<Entry>, &str> {
    let mut entries = Vec::new();
    for line in text.lines().skip(1).filter(|line| !line.trim().is_empty()) {
        entries.extend(entry(line, protocol).ok_or(line)?);
    }
    Ok(entries)
}

/// A line, outer none if it is not as known, inner if it has no port.
fn entry(line: &str, protocol: Protocol) -> Option<Option<Entry>> {
    let fields: Vec<_> = line.split_ascii_whitespace().collect();
    let &[_, local, remote, number, _, _, _, uid, _, inode, ..] = &fields[..] else {
        return None;
    };
    let (address, port) = address(local)?;
    let (_, peer) = self::address(remote)?;
    let number = u8::from_str_radix(number, 16).ok()?;
    let (uid, inode) = (uid.parse().ok()?, inode.parse().ok()?);
    let entry = |port| Entry {
        socket: Socket {
            port,
            protocol,
            address,
            state: state(protocol, number, peer != 0),
            v6only: None,
            reuse_address: None,
            owner: Owner::Unread,
        },
        uid,
        inode,
    };
    Some(NonZeroU16::new(port).map(entry))
}

/// `0100007F:1F90`: words of 32 bits in the byte order of the machine, then the port.
fn address(text: &str) -> Option<(IpAddr, u16)> {
    let (address, port) = text.split_once(':')?;
    let word = |at| {
        let digits = address.get(at..at + 8)?;
        Some(u32::from_str_radix(digits, 16).ok()?.to_ne_bytes())
    };
    let address = match address.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
        32 => {
            let words = [word(0)?, word(8)?, word(16)?, word(24)?];
            let octets: [u8; 16] = words.as_flattened().try_into().ok()?;
            IpAddr::V6(Ipv6Addr::from(octets)).to_canonical()
        }
        _ => return None,
    };
    Some((address, u16::from_str_radix(port, 16).ok()?))
}

#[cfg(all(test, target_endian = "little"))]
mod tests {
    use super::*;
    use crate::host::State;

    const HEAD: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

    fn one(line: &str) -> Entry {
        let text = format!("{HEAD}{line}\n");
        let entries = parse(&text, Protocol::Tcp).unwrap();
        let [entry] = <[Entry; 1]>::try_from(entries).unwrap();
        entry
    }

    #[test]
    fn a_listener() {
        let entry = one(
            "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 21463 1 0000000000000000 100 0 0 10 0",
        );
        assert_eq!(entry.socket.address, IpAddr::V4(Ipv4Addr::LOCALHOST));
        assert_eq!(
            (entry.socket.port.get(), entry.uid, entry.inode),
            (8080, 1000, 21463)
        );
        assert_eq!(entry.socket.state, State::Listening);
    }

    #[test]
    fn time_wait_of_ipv6() {
        let entry = one(
            "   1: 00000000000000000000000001000000:C350 00000000000000000000000001000000:01BB 06 00000000:00000000 03:00000E9A 00000000     0        0 0 3 0000000000000000",
        );
        assert_eq!(entry.socket.address, IpAddr::V6(Ipv6Addr::LOCALHOST));
        assert_eq!((entry.socket.port.get(), entry.inode), (50000, 0));
        assert_eq!(entry.socket.state, State::TimeWait);
    }

    #[test]
    fn a_mapped_address_is_ipv4() {
        let (address, port) = address("0000000000000000FFFF00000100007F:0050").unwrap();
        assert_eq!((address, port), (IpAddr::V4(Ipv4Addr::LOCALHOST), 80));
    }

    #[test]
    fn lines_that_are_not_understood_are_named() {
        for line in [
            "x",
            "0: 0100007F 0 0A 0 0 0 0 0 0",
            "0: é00007F:1F90 00000000:0000 0A 0 0 0 0 0 0",
        ] {
            let text = format!("{HEAD}{line}\n");
            assert_eq!(parse(&text, Protocol::Udp), Err(line));
        }
        assert_eq!(parse("", Protocol::Udp), Ok(vec![]));
        assert_eq!(parse(HEAD, Protocol::Udp), Ok(vec![]));
    }
}
