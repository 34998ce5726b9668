//! The sockets of Linux: netlink where the kernel has it, `/proc/net` elsewhere.
//!
//! Each table falls back by itself, as a kernel may have `tcp_diag` and no `udp_diag`.

mod diag;
mod process;
mod table;

use super::socket::Listeners;
use super::{Detail, Error, Protocol, Socket, Sockets, State, read_file};
use diag::Diag;
use process::Processes;

/// An entry of the kernel's tables.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    /// The socket, without what only its process can tell.
    socket: Socket,
    uid: u32,
    /// Zero if the socket is no process's any more.
    inode: u64,
}

/// What a socket does, from its number in the kernel's tables (`include/net/tcp_states.h`).
fn state(protocol: Protocol, number: u8, connected: bool) -> State {
    match (protocol, number) {
        (Protocol::Tcp, 10) => State::Listening,
        (Protocol::Tcp, 6) => State::TimeWait,
        _ if connected => State::Outgoing,
        _ => State::Bound,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    V4,
    V6,
}

/// The four tables.
const TABLES: [(Protocol, Family); 4] = [
    (Protocol::Tcp, Family::V4),
    (Protocol::Tcp, Family::V6),
    (Protocol::Udp, Family::V4),
    (Protocol::Udp, Family::V6),
];

pub(super) fn sockets(detail: Detail) -> Result<Sockets, Error> {
    let diag = Diag::open().ok();
    let mut entries = Vec::new();
    let mut sees_bound_tcp = tells_of_bound_tcp();
    for (protocol, family) in TABLES {
        let told = diag.as_ref().map(|diag| diag.table(protocol, family));
        if let Some(Ok(told)) = told {
            entries.extend(told);
        } else {
            sees_bound_tcp &= protocol != Protocol::Tcp;
            entries.extend(table::read_table(protocol, family)?);
        }
    }
    Ok(Sockets {
        sockets: resolve(entries, detail),
        sees_bound_tcp,
    })
}

/// `TCPF_BOUND_INACTIVE` came with Linux 6.8 (commit 91051f003948).
fn tells_of_bound_tcp() -> bool {
    read_file("/proc/sys/kernel/osrelease").is_ok_and(|release| at_least(&release, (6, 8)))
}

/// Compares a release such as `6.8.0-31-generic`.
fn at_least(release: &str, version: (u32, u32)) -> bool {
    let mut numbers = release
        .split(|c: char| !c.is_ascii_digit())
        .map_while(|number| number.parse().ok());
    matches!((numbers.next(), numbers.next()), (Some(a), Some(b)) if (a, b) >= version)
}

/// Turns entries into sockets: accepted connections left out, owners looked up.
fn resolve(mut entries: Vec<Entry>, detail: Detail) -> Vec<Socket> {
    let listeners: Listeners = entries.iter().map(|entry| &entry.socket).collect();
    entries.retain(|entry| !listeners.accepted(&entry.socket));
    if detail != Detail::Table {
        let processes = Processes::of(&entries);
        for entry in &mut entries {
            entry.socket.owner = processes.owner(entry.inode, entry.uid);
            // The option decides nothing for a listener (engine.md 3.2).
            let decides = matches!(entry.socket.state, State::Bound | State::Outgoing);
            if detail == Detail::Options && decides {
                entry.socket.reuse_address = processes.reuse_address(entry.inode);
            }
        }
    }
    entries.into_iter().map(|entry| entry.socket).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_releases() {
        for new in ["6.8.0-31-generic\n", "6.18.44", "7.0-rc1", "10.1"] {
            assert!(at_least(new, (6, 8)), "{new}");
        }
        for old in ["6.7.9", "5.15.0", "", "6", "x.9.9"] {
            assert!(!at_least(old, (6, 8)), "{old}");
        }
    }

    #[test]
    fn states() {
        use Protocol::{Tcp, Udp};
        let cases = [
            (Tcp, 10, false, State::Listening),
            (Tcp, 7, false, State::Bound),
            (Tcp, 6, true, State::TimeWait),
            (Tcp, 2, true, State::Outgoing),
            (Tcp, 5, true, State::Outgoing),
            (Udp, 7, false, State::Bound),
            (Udp, 1, true, State::Outgoing),
        ];
        for (protocol, number, connected, expected) in cases {
            assert_eq!(
                state(protocol, number, connected),
                expected,
                "{protocol} {number}"
            );
        }
    }

    /// What netlink and `/proc/net` both tell of the sockets with these inodes.
    fn comparable(mut entries: Vec<Entry>, inodes: &[u64]) -> Vec<Entry> {
        entries.retain(|entry| inodes.contains(&entry.inode));
        for entry in &mut entries {
            entry.socket.v6only = None;
        }
        entries.sort_by_key(|entry| entry.inode);
        entries
    }

    #[test]
    fn netlink_and_proc_agree() {
        use std::net::{TcpListener, TcpStream, UdpSocket};
        use std::os::fd::AsFd;

        let inode = |socket: &dyn AsFd| rustix::fs::fstat(socket).unwrap().st_ino;
        let ipv6 = TcpListener::bind("[::1]:0").is_ok();
        let addresses: &[&str] = if ipv6 {
            &["127.0.0.1", "::1"]
        } else {
            &["127.0.0.1"]
        };
        let diag = Diag::open().unwrap();
        for address in addresses {
            let listener = TcpListener::bind((*address, 0)).unwrap();
            let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (server, _) = listener.accept().unwrap();
            let plain = UdpSocket::bind((*address, 0)).unwrap();
            let connected = UdpSocket::bind((*address, 0)).unwrap();
            connected.connect(plain.local_addr().unwrap()).unwrap();
            let inodes = [
                inode(&listener),
                inode(&client),
                inode(&server),
                inode(&plain),
                inode(&connected),
            ];
            let mut seen = 0;
            for (protocol, family) in TABLES {
                let by_netlink = comparable(diag.table(protocol, family).unwrap(), &inodes);
                let by_proc = comparable(table::read_table(protocol, family).unwrap(), &inodes);
                assert_eq!(by_netlink, by_proc, "{protocol} {family:?}");
                seen += by_proc.len();
            }
            assert_eq!(seen, inodes.len(), "{address}");
        }
    }
}
