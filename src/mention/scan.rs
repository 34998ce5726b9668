//! Addresses of this host with a port, as texts name them.

use std::ops::Range;

use crate::binding::{HostIp, Port};

/// An address by which a text names this host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// `localhost`
    Localhost,
    /// `host.docker.internal`: the host, seen from a container.
    Docker,
    /// An IP address; `0.0.0.0` is where servers listen, and what some call instead of localhost.
    Ip(HostIp),
}

impl Address {
    /// True if it may lead to what is published on an address; `None` is every address.
    #[must_use]
    pub fn reaches(self, published: Option<HostIp>) -> bool {
        let Some(published) = published else {
            return true;
        };
        let loopback = ["127.0.0.1", "::1"]
            .into_iter()
            .filter_map(|it| it.parse().ok());
        match self {
            Self::Docker => true,
            Self::Localhost => loopback
                .into_iter()
                .any(|ip: HostIp| ip.overlaps(published)),
            Self::Ip(ip) if ip.is_any() => loopback
                .into_iter()
                .any(|own: HostIp| own.same_family(ip) && own.overlaps(published)),
            Self::Ip(ip) => ip.overlaps(published),
        }
    }

    /// True if in a container with a network of its own it is the container itself.
    #[must_use]
    pub fn is_own(self) -> bool {
        match self {
            Self::Localhost => true,
            Self::Docker => false,
            Self::Ip(ip) => ip.is_any() || ip.ip().is_loopback(),
        }
    }

    /// True of `0.0.0.0`, where a container listens rather than calls.
    #[must_use]
    pub fn is_any(self) -> bool {
        matches!(self, Self::Ip(ip) if ip.is_any())
    }
}

/// An address and a port in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The first byte of the address.
    pub start: usize,
    /// The bytes of the port, which may be a variable's default.
    pub digits: Range<usize>,
    /// The address.
    pub address: Address,
    /// The port.
    pub port: Port,
}

/// Finds addresses of this host.
#[derive(Clone, Debug)]
pub struct Scanner {
    names: Vec<(String, Address)>,
}

impl Scanner {
    /// A scanner for the names that every host has, and for addresses of its own.
    #[must_use]
    pub fn new(own: impl IntoIterator<Item = HostIp>) -> Self {
        let fixed = ["127.0.0.1", "0.0.0.0", "::1"].into_iter();
        let fixed = fixed.filter_map(|ip| ip.parse().ok());
        let mut ips: Vec<HostIp> = fixed.chain(own).collect();
        ips.sort();
        ips.dedup();
        let mut names = vec![
            ("localhost".to_owned(), Address::Localhost),
            ("host.docker.internal".to_owned(), Address::Docker),
        ];
        // an IPv6 address shows itself in brackets
        names.extend(ips.into_iter().map(|ip| (ip.to_string(), Address::Ip(ip))));
        Self { names }
    }

    /// All addresses with a port, in order.
    pub fn find<'t>(&'t self, text: &'t str) -> impl Iterator<Item = Found> + 't {
        text.match_indices(':').filter_map(|(colon, _)| {
            let begin = colon + 1 + default(&text[colon + 1..]);
            let rest = &text.as_bytes()[begin..];
            let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if length == 0 || length > 5 || rest[0] == b'0' {
                return None;
            }
            let digits = begin..begin + length;
            let port = Port::new(text[digits.clone()].parse().ok()?)?;
            let before = &text.as_bytes()[..colon];
            let (name, address) = self.names.iter().find(|(name, _)| {
                let start = before.len().checked_sub(name.len());
                start.is_some_and(|start| {
                    before[start..].eq_ignore_ascii_case(name.as_bytes()) && begins(&text[..start])
                })
            })?;
            Some(Found {
                start: colon - name.len(),
                digits,
                address: *address,
                port,
            })
        })
    }

    /// True if `new` is `old` but for ports of addresses, each changed as `pairs` says.
    #[must_use]
    pub fn explains(&self, old: &str, new: &str, pairs: &[(Port, Port)]) -> bool {
        let (mut at_old, mut at_new) = (0, 0);
        let (olds, news) = (self.find(old), self.find(new));
        let mut news = news.collect::<Vec<_>>().into_iter();
        for before in olds {
            let Some(after) = news.next() else {
                return false;
            };
            let same = old[at_old..before.digits.start] == new[at_new..after.digits.start];
            let moved = pairs.contains(&(before.port, after.port));
            if !same || (before.port != after.port && !moved) {
                return false;
            }
            (at_old, at_new) = (before.digits.end, after.digits.end);
        }
        news.next().is_none() && old[at_old..] == new[at_new..]
    }
}

/// The length of `${NAME:-` or `${NAME-` at the start of a text.
fn default(text: &str) -> usize {
    let length = || {
        let name = text.strip_prefix("${")?;
        let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
        let rest = &name[end..];
        let dash = rest.strip_prefix(":-").or_else(|| rest.strip_prefix('-'))?;
        (end > 0).then(|| text.len() - dash.len())
    };
    length().unwrap_or(0)
}

/// True if a name may begin behind `before`: `my-localhost` is another host, `${HOST:-localhost` is
/// not.
fn begins(before: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    !before.ends_with(part) || before.ends_with(":-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        let scanner = Scanner::new(["192.168.1.5".parse().unwrap(), "fd00::5".parse().unwrap()]);
        let found = scanner.find(text).collect::<Vec<_>>().into_iter();
        found.map(|it| &text[it.start..it.digits.end]).collect()
    }

    #[test]
    fn addresses_of_this_host() {
        let cases: &[(&str, &[&str])] = &[
            ("http://localhost:8000/x", &["localhost:8000"]),
            ("LOCALHOST:80", &["LOCALHOST:80"]),
            (
                "a=127.0.0.1:1,0.0.0.0:65535;[::1]:3",
                &["127.0.0.1:1", "0.0.0.0:65535", "[::1]:3"],
            ),
            (
                "u:p@host.docker.internal:5432/db",
                &["host.docker.internal:5432"],
            ),
            (
                "192.168.1.5:80 [fd00::5]:81",
                &["192.168.1.5:80", "[fd00::5]:81"],
            ),
            ("${A:-localhost:8000}", &["localhost:8000"]),
            ("localhost:${A_1:-8000}", &["localhost:${A_1:-8000"]),
            ("localhost:${A-8000}", &["localhost:${A-8000"]),
            (
                "localhost:${A}8000 localhost:${:-80} localhost:${A:?80}",
                &[],
            ),
            ("‘localhost:8000’é", &["localhost:8000"]),
            (
                "localhost:80000 localhost:65536 localhost:0 localhost:080",
                &[],
            ),
            ("localhost: 8000, localhost:x, localhost:", &[]),
            (
                "mylocalhost:80 my-localhost:80 a.localhost:80 1127.0.0.1:80 élocalhost:80",
                &[],
            ),
            ("192.168.1.6:80 fd00::5:81 ::1:80", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(found(text), *expected, "{text}");
        }
    }

    #[test]
    fn what_leads_where() {
        let cases = [
            ("localhost", "", true),
            ("localhost", "0.0.0.0", true),
            ("localhost", "::", true),
            ("localhost", "::1", true),
            ("localhost", "127.0.0.2", false),
            ("localhost", "192.168.1.5", false),
            ("127.0.0.1", "::", false),
            ("[::1]", "::", true),
            ("[::1]", "127.0.0.1", false),
            ("0.0.0.0", "127.0.0.1", true),
            ("0.0.0.0", "192.168.1.5", false),
            ("192.168.1.5", "0.0.0.0", true),
            ("192.168.1.5", "127.0.0.1", false),
            ("host.docker.internal", "127.0.0.1", true),
        ];
        let scanner = Scanner::new(["192.168.1.5".parse().unwrap()]);
        for (address, ip, expected) in cases {
            let text = format!("{address}:80");
            let found = scanner.find(&text).next().unwrap();
            let reaches = found.address.reaches(ip.parse().ok());
            assert_eq!(reaches, expected, "{address} {ip}");
        }
    }

    #[test]
    fn only_the_ports_of_addresses_differ() {
        let pairs = [(8000, 8001)].map(|(a, b)| (Port::new(a).unwrap(), Port::new(b).unwrap()));
        let cases = [
            ("localhost:8000", "localhost:8001", true),
            ("localhost:8000", "localhost:8000", true),
            (
                "localhost:8000,127.0.0.1:8000",
                "localhost:8001,127.0.0.1:8000",
                true,
            ),
            ("localhost:8000", "localhost:8002", false),
            ("localhost:8000", "127.0.0.1:8001", false),
            ("localhost:8000 8000", "localhost:8001 8001", false),
            ("localhost:8000", "localhost:8001 localhost:8001", false),
            ("db:8000", "db:8001", false),
        ];
        for (old, new, expected) in cases {
            assert_eq!(
                Scanner::new([]).explains(old, new, &pairs),
                expected,
                "{old} {new}"
            );
        }
    }
}
