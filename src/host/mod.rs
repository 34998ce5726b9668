//! The host as the operating system shows it: sockets and who owns them, addresses, limits, and
//! the proof by binding. The only I/O is reading the system.
//!
//! All of it concerns the network namespace of the calling thread, so `nsenter --net` shows that
//! of another.
//!
//! What is not known is `None`, never a guess; [`probe`](fn@probe) answers what no table shows.

mod addresses;
mod limits;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;
mod probe;
mod socket;

use std::io;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use addresses::{Addresses, LocalAddress};
pub use limits::{AIRPLAY_PORTS, Excluded, Limits, PortRange};
pub use probe::{Bind, Outcome, probe};
pub use socket::{Owner, Protocol, Socket, State};

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(not(target_os = "linux"))]
use other as system;

/// Everything about this host that decides whether a port can be had; made to be stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Snapshot {
    /// The sockets that hold a port, sorted.
    pub sockets: Vec<Socket>,
    /// Whether `sockets` has the TCP sockets that are bound but do not listen. Linux tells of them
    /// since 6.8 and only by netlink; without, a [`probe`](fn@probe) is the only way to find one.
    pub sees_bound_tcp: bool,
    /// The addresses of this host.
    pub addresses: Addresses,
    /// What the kernel and the operating system keep for themselves.
    pub limits: Limits,
}

impl Snapshot {
    /// Reads the host.
    ///
    /// # Errors
    ///
    /// [`Error`](enum@Error) if a part of it cannot be read; a partial view is never returned as a whole one.
    pub fn read(detail: Detail) -> Result<Self, Error> {
        let Sockets {
            sockets,
            sees_bound_tcp,
        } = sockets(detail)?;
        Ok(Self {
            sockets,
            sees_bound_tcp,
            addresses: Addresses::read()?,
            limits: Limits::read()?,
        })
    }
}

/// What to find out about each socket beyond the kernel's table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// Nothing more; owners are [`Owner::Unread`].
    #[default]
    Table,
    /// The owning process, by a look at the open files of every process.
    Owners,
    /// The owner, and `SO_REUSEADDR` where it decides whether an engine can have the port.
    ///
    /// Linux shows that option only to a holder of the socket, so it is borrowed from its process
    /// for one `getsockopt` (`pidfd_getfd`, Linux 5.6; needs the right to trace the process).
    Options,
}

/// The sockets of this host and how completely they are seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sockets {
    /// The sockets that hold a port, sorted.
    pub sockets: Vec<Socket>,
    /// See [`Snapshot::sees_bound_tcp`].
    pub sees_bound_tcp: bool,
}

/// Reads the TCP and UDP sockets that hold a port, IPv4 and IPv6.
///
/// # Errors
///
/// [`Error`](enum@Error) if the system does not give them.
pub fn sockets(detail: Detail) -> Result<Sockets, Error> {
    let mut found = system::sockets(detail)?;
    found.sockets.sort_unstable();
    found.sockets.dedup();
    Ok(found)
}

/// Something of the host that could not be read.
#[derive(Debug, Error)]
pub enum Error {
    /// A file of the kernel's.
    #[error("cannot read `{}`: is /proc mounted, and readable here", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file or the output of a program that is not as known.
    #[error("cannot understand `{text}` from `{from}`: please report it")]
    Form {
        /// The file or the command.
        from: String,
        /// The first part that is not understood.
        text: String,
    },
    /// A program of the operating system's.
    #[error("`{command}` gave no answer: is it in the PATH, and what does it say when run by hand")]
    Command {
        /// The command line.
        command: String,
        /// Why.
        source: io::Error,
    },
    /// The table of sockets, where it is no file.
    #[error("cannot list the sockets of this host: {reason}")]
    Sockets {
        /// Why.
        reason: String,
    },
    /// The addresses of the interfaces.
    #[error("cannot list the addresses of this host")]
    Addresses {
        /// Why.
        source: io::Error,
    },
    /// A probe that ended without an answer.
    #[error("cannot try {bind}: the system is short of sockets or memory, or forbids the attempt")]
    Probe {
        /// What was tried.
        bind: Bind,
        /// Why.
        source: io::Error,
    },
}

impl Error {
    /// A text of `from` that is not as known, shortened to a line that can be shown.
    fn form(from: &str, text: &str) -> Self {
        let line = text.lines().next().unwrap_or_default();
        Self::Form {
            from: from.to_owned(),
            text: line.chars().take(80).collect(),
        }
    }
}

/// Reads a file of the kernel's.
#[cfg(target_os = "linux")]
fn read_file(path: impl Into<PathBuf>) -> Result<String, Error> {
    let path = path.into();
    match std::fs::read(&path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(source) => Err(Error::File { path, source }),
    }
}
