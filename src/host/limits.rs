//! What the kernel and the operating system keep for themselves (engine.md 8, 9, 11).
//!
//! Everything that takes text apart is pure and the same on every platform.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Error;
use crate::binding::Protocol;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(not(target_os = "linux"))]
use other as system;

/// Consecutive ports, both ends included; never empty.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "(u16, u16)", into = "(u16, u16)")]
pub struct PortRange {
    first: u16,
    last: u16,
}

impl PortRange {
    /// The ports `first..=last`; none if that is empty.
    #[must_use]
    pub fn new(first: u16, last: u16) -> Option<Self> {
        (first <= last).then_some(Self { first, last })
    }

    /// The lowest port.
    #[must_use]
    pub fn first(self) -> u16 {
        self.first
    }

    /// The highest port.
    #[must_use]
    pub fn last(self) -> u16 {
        self.last
    }

    /// True if `port` is one of them.
    #[must_use]
    pub fn contains(self, port: u16) -> bool {
        (self.first..=self.last).contains(&port)
    }
}

impl From<PortRange> for (u16, u16) {
    fn from(range: PortRange) -> Self {
        (range.first, range.last)
    }
}

impl TryFrom<(u16, u16)> for PortRange {
    type Error = &'static str;

    fn try_from((first, last): (u16, u16)) -> Result<Self, Self::Error> {
        Self::new(first, last).ok_or("a range of ports that runs backwards")
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            self.first.fmt(f)
        } else {
            write!(f, "{}-{}", self.first, self.last)
        }
    }
}

/// The ports of macOS's AirPlay Receiver, over TCP on every address.
pub const AIRPLAY_PORTS: [u16; 2] = [5000, 7000];

/// The limits of this host. They bind an engine that runs on it; a rootful Linux engine is above
/// `unprivileged_start`, a rootless one and Podman's are not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Limits {
    /// The lowest port a process without privileges may bind; 0 on Windows, which has no such
    /// limit. Linux: `net.ipv4.ip_unprivileged_port_start`, for IPv6 too.
    pub unprivileged_start: u16,
    /// The ports lent to outgoing connections, for IPv6 too. Linux:
    /// `net.ipv4.ip_local_port_range`.
    pub ephemeral: PortRange,
    /// Ports that are never lent, though any may be bound by number. Linux:
    /// `net.ipv4.ip_local_reserved_ports`; Windows: the exclusions that an administrator made.
    pub reserved: Vec<PortRange>,
    /// Ports that cannot be bound although nothing listens (Windows).
    pub excluded: Excluded,
    /// Whether the AirPlay Receiver is on (macOS 12 and later): it listens on 5000 and 7000.
    pub airplay: bool,
    /// Whether IPv4 addresses that no interface has can be bound. Linux:
    /// `net.ipv4.ip_nonlocal_bind`.
    pub nonlocal_bind: bool,
    /// Whether `[::1]` can be bound. If not, an engine publishes on IPv4 only where no host IP is
    /// written (engine.md 1.8).
    pub ipv6: bool,
}

/// The excluded port ranges of Windows, which WinNAT and Hyper-V take for themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Excluded {
    /// Of TCP.
    pub tcp: Vec<PortRange>,
    /// Of UDP.
    pub udp: Vec<PortRange>,
}

impl Limits {
    /// Reads the limits.
    ///
    /// # Errors
    ///
    /// [`Error::File`] or [`Error::Command`] if the system does not give one, [`Error::Form`] if
    /// it is not as known.
    pub fn read() -> Result<Self, Error> {
        system::read()
    }

    /// The ranges whose ports cannot be bound although nothing listens.
    #[must_use]
    pub fn excluded(&self, protocol: Protocol) -> &[PortRange] {
        match protocol {
            Protocol::Tcp => &self.excluded.tcp,
            Protocol::Udp => &self.excluded.udp,
            Protocol::Sctp => &[],
        }
    }

    /// True if the kernel may lend `port` to an outgoing connection, so that a container that
    /// publishes it fails to start now and then (engine.md 8).
    #[must_use]
    pub fn lends(&self, port: u16) -> bool {
        self.ephemeral.contains(port) && !self.reserved.iter().any(|range| range.contains(port))
    }
}

/// Binds `[::1]` as the engine does to find out whether there is IPv6 (`IsV6Listenable`).
fn ipv6() -> bool {
    std::net::TcpListener::bind((std::net::Ipv6Addr::LOCALHOST, 0)).is_ok()
}

/// `32768\t60999`: two numbers, as Linux gives `ip_local_port_range`.
#[cfg(any(target_os = "linux", test))]
fn two_ports(text: &str) -> Option<PortRange> {
    let mut numbers = text.split_ascii_whitespace().map(str::parse);
    match (numbers.next(), numbers.next(), numbers.next()) {
        (Some(Ok(first)), Some(Ok(last)), None) => PortRange::new(first, last),
        _ => None,
    }
}

/// `8080,9000-9010`, or an empty line, as Linux gives `ip_local_reserved_ports`.
#[cfg(any(target_os = "linux", test))]
fn port_list(text: &str) -> Option<Vec<PortRange>> {
    let parts = text.trim().split(',').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            PortRange::new(first.parse().ok()?, last.parse().ok()?)
        })
        .collect()
}

/// The table of `netsh interface ipv4 show excludedportrange`: lines of two ports, where `*` marks
/// those of an administrator, which any program may bind by number. First those that none can,
/// then the administrator's. The words around differ with the language of Windows.
#[cfg(any(windows, test))]
fn excluded_ranges(text: &str) -> (Vec<PortRange>, Vec<PortRange>) {
    let (mut excluded, mut administered) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let (first, last, list) = match words[..] {
            [first, last] => (first, last, &mut excluded),
            [first, last, "*"] => (first, last, &mut administered),
            _ => continue,
        };
        if let (Ok(first), Ok(last)) = (first.parse(), last.parse()) {
            list.extend(PortRange::new(first, last));
        }
    }
    for list in [&mut excluded, &mut administered] {
        list.sort_unstable();
        list.dedup();
    }
    (excluded, administered)
}

/// The answer of `netsh interface ipv4 show dynamicport`: the lines that end in `: NUMBER` are the
/// first port and how many there are.
#[cfg(any(windows, test))]
fn dynamic_ports(text: &str) -> Option<PortRange> {
    let mut numbers = text
        .lines()
        .filter_map(|line| line.rsplit_once(':')?.1.trim().parse::<u16>().ok());
    let (first, count) = (numbers.next()?, numbers.next()?);
    PortRange::new(first, first.checked_add(count.checked_sub(1)?)?)
}

/// The answer of `defaults read com.apple.controlcenter AirplayRecieverEnabled` (the key is
/// misspelt): without an entry the receiver is on.
#[cfg(any(target_os = "macos", test))]
fn airplay_is_on(text: &str) -> bool {
    !matches!(text.trim(), "0" | "false" | "NO")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(pairs: &[(u16, u16)]) -> Vec<PortRange> {
        pairs.iter().map(|&pair| pair.try_into().unwrap()).collect()
    }

    #[test]
    fn linux_settings() {
        assert_eq!(two_ports("32768\t60999\n"), PortRange::new(32768, 60999));
        for wrong in ["", "1", "1 2 3", "2 1", "1 65536", "a b"] {
            assert_eq!(two_ports(wrong), None, "{wrong}");
        }
        assert_eq!(port_list("\n"), Some(vec![]));
        assert_eq!(
            port_list("8080,9000-9010\n"),
            Some(ranges(&[(8080, 8080), (9000, 9010)]))
        );
        for wrong in ["x", "1-", "-1", "9-1", "65536"] {
            assert_eq!(port_list(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn windows_excluded_ranges() {
        let english = "\r\nProtocol tcp Port Exclusion Ranges\r\n\r\n\
            Start Port    End Port      \r\n----------    --------      \r\n\
            \x20     5357        5357      \r\n     50000       50059     *\r\n\
            \x20     1184        1283      \r\n\r\n* - Administered port exclusions.\r\n\r\n";
        let expected = (
            ranges(&[(1184, 1283), (5357, 5357)]),
            ranges(&[(50000, 50059)]),
        );
        assert_eq!(excluded_ranges(english), expected);
        let german = english
            .replace(
                "Protocol tcp Port Exclusion Ranges",
                "Portausschlussbereiche 2 fuer tcp 4",
            )
            .replace("Start Port    End Port", "Startport   Endport")
            .replace(
                "Administered port exclusions.",
                "Verwaltete Portausschluesse.",
            );
        assert_eq!(excluded_ranges(&german), expected);
        assert_eq!(excluded_ranges(""), (vec![], vec![]));
    }

    #[test]
    fn windows_dynamic_ports() {
        let text = "\r\nProtocol tcp Dynamic Port Range\r\n---------------------------------\r\n\
            Start Port      : 49152\r\nNumber of Ports : 16384\r\n\r\n";
        assert_eq!(dynamic_ports(text), PortRange::new(49152, 65535));
        for wrong in ["", "a : 1024", "a : 1\nb : 0", "a : 65535\nb : 2"] {
            assert_eq!(dynamic_ports(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn airplay_is_on_unless_switched_off() {
        assert!(airplay_is_on("1\n"));
        assert!(airplay_is_on(""));
        assert!(!airplay_is_on("0\n"));
    }

    #[test]
    fn lent_ports() {
        let limits = Limits {
            unprivileged_start: 1024,
            ephemeral: PortRange::new(32768, 60999).unwrap(),
            reserved: ranges(&[(40000, 40010)]),
            excluded: Excluded::default(),
            airplay: false,
            nonlocal_bind: false,
            ipv6: true,
        };
        assert!(limits.lends(32768) && limits.lends(60999) && limits.lends(40011));
        assert!(!limits.lends(32767) && !limits.lends(61000) && !limits.lends(40010));
    }

    #[test]
    fn json_of_a_range_is_checked() {
        let range: PortRange = serde_json::from_str("[1,2]").unwrap();
        assert_eq!(range.to_string(), "1-2");
        assert!(serde_json::from_str::<PortRange>("[2,1]").is_err());
    }
}
