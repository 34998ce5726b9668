//! `[[HOST_IP:]HOST_PORT[-END]:]PORT[-END][/PROTOCOL]`
//!
//! Source: `nat.ParsePortSpec` of go-connections 0.6.0, which Docker Compose 2.40.3 links
//! (compose.md 0 and 2).

use std::net::IpAddr;
use std::ops::Range;

/// One container port of a short entry, and where in the entry its host side is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShortPort {
    /// The port inside the container, 0 to 65535.
    pub target: u16,
    /// The host port or range in decimal; `None` lets the engine choose.
    pub published: Option<String>,
    /// The bytes of the host port or range in the entry.
    pub published_at: Range<usize>,
    /// The host address, without brackets.
    pub host_ip: Option<String>,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
}

/// Why an entry is no port mapping.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ShortError {
    /// What is wrong.
    pub message: String,
    /// The bytes of the entry that are wrong.
    pub at: Range<usize>,
    /// What to do about it.
    pub help: String,
}

/// Reads a short entry: one port per container port, in Compose's order (by text, so `10/tcp`
/// comes before `8/tcp`).
///
/// # Errors
/// What the entry is not, as Compose would refuse it.
pub fn parse(entry: &str) -> Result<Vec<ShortPort>, ShortError> {
    let Parts {
        ip,
        host,
        container,
        protocol,
    } = split(entry);
    let text = |range: &Range<usize>| &entry[range.clone()];
    let refuse = |at: &Range<usize>, message: String, help: &str| ShortError {
        message,
        at: if at.is_empty() {
            0..entry.len()
        } else {
            at.clone()
        },
        help: help.into(),
    };

    if text(&container).is_empty() {
        return Err(refuse(
            &container,
            match entry {
                "" => "it is empty".to_owned(),
                _ => format!("`{entry}` names no container port"),
            },
            "write HOST:CONTAINER, for example 8080:80; is a variable unset?",
        ));
    }
    let protocol_name = match text(&protocol) {
        "" => "tcp".to_owned(),
        name => name.to_lowercase(),
    };
    if !matches!(&*protocol_name, "tcp" | "udp" | "sctp") {
        return Err(refuse(
            &protocol,
            format!("`{}` is not a protocol", text(&protocol)),
            "use tcp, udp or sctp",
        ));
    }
    let host_ip = address(text(&ip))
        .map_err(|help| refuse(&ip, format!("`{}` is not an IP address", text(&ip)), help))?;
    let target = range(text(&container)).ok_or_else(|| {
        refuse(
            &container,
            format!("`{}` is not a container port", text(&container)),
            port_help(text(&container)),
        )
    })?;
    let published = match text(&host) {
        "" => None,
        digits => Some(range(digits).ok_or_else(|| {
            let help = if digits.parse::<IpAddr>().is_ok() {
                "an address stands before the host port: IP:HOST:CONTAINER, or IP::CONTAINER"
            } else {
                port_help(digits)
            };
            refuse(&host, format!("`{digits}` is not a host port"), help)
        })?),
    };
    let count = target.1 - target.0;
    if let Some((first, last)) = published
        && count > 0
        && last - first != count
    {
        return Err(refuse(
            &(host.start..container.end),
            format!(
                "{} host ports cannot serve {} container ports",
                u32::from(last - first) + 1,
                u32::from(count) + 1
            ),
            "make both ranges equally long",
        ));
    }

    let mut ports: Vec<ShortPort> = (0..=count)
        .map(|step| ShortPort {
            target: target.0 + step,
            published: published.map(|(first, last)| {
                if count == 0 && first != last {
                    format!("{first}-{last}")
                } else {
                    (first + step).to_string()
                }
            }),
            published_at: host.clone(),
            host_ip: host_ip.clone(),
            protocol: protocol_name.clone(),
        })
        .collect();
    ports.sort_by_cached_key(|port| format!("{}/{}", port.target, port.protocol));
    Ok(ports)
}

/// Where the parts of an entry are.
struct Parts {
    ip: Range<usize>,
    host: Range<usize>,
    container: Range<usize>,
    protocol: Range<usize>,
}

/// Cuts at every colon: the last part is the container's, the one before the host's, and all
/// before that, joined, the address.
fn split(entry: &str) -> Parts {
    let mut end = entry.len();
    let mut part = || {
        let start = entry[..end].rfind(':').map_or(0, |at| at + 1);
        let range = start..end;
        let more = start > 0;
        end = start.saturating_sub(1);
        (range, more)
    };
    let (container, more) = part();
    let (host, more) = if more { part() } else { (0..0, false) };
    let ip = if more { 0..host.start - 1 } else { 0..0 };
    let (container, protocol) = match entry[container.clone()].find('/') {
        Some(at) => {
            let at = container.start + at;
            (container.start..at, at + 1..container.end)
        }
        None => (container.clone(), container.end..container.end),
    };
    Parts {
        ip,
        host,
        container,
        protocol,
    }
}

/// The address without brackets; the error says what to do.
fn address(text: &str) -> Result<Option<String>, &'static str> {
    let bare = match text.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').unwrap_or(text),
        None => text,
    };
    if bare.is_empty() {
        return Ok(None);
    }
    if bare.parse::<IpAddr>().is_ok() {
        return Ok(Some(bare.to_owned()));
    }
    Err(if bare == "localhost" {
        "write an address instead of the name, for example 127.0.0.1"
    } else if bare.contains('%') {
        "remove the zone, from `%` on: Compose does not take one"
    } else {
        "write IP:HOST:CONTAINER, an IPv6 address in brackets"
    })
}

/// `80` or `80-90`; what follows a second `-` Compose ignores.
fn range(text: &str) -> Option<(u16, u16)> {
    let mut parts = text.split('-');
    let first = number(parts.next()?)?;
    let last = parts.next().map_or(Some(first), number)?;
    (first <= last).then_some((first, last))
}

fn number(text: &str) -> Option<u16> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}

fn port_help(text: &str) -> &'static str {
    if text.trim() != text {
        "remove the blanks"
    } else if text.contains('-') && !text.starts_with('-') {
        "write a range as FIRST-LAST, the smaller number first"
    } else {
        "write a number from 0 to 65535"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_port_is_found_in_the_entry() {
        for (entry, bytes) in [
            ("8080:80", 0..4),
            ("127.0.0.1:8080:80/udp", 10..14),
            ("[::1]:8080:80", 6..10),
            ("::1:8080:80", 4..8),
            ("9000-9005:80", 0..9),
        ] {
            assert_eq!(parse(entry).unwrap()[0].published_at, bytes, "{entry}");
        }
    }

    #[test]
    fn errors_point_at_the_wrong_part() {
        for (entry, wrong) in [
            ("a:80", "a"),
            ("80:b", "b"),
            ("80:80/foo", "foo"),
            ("localhost:80:80", "localhost"),
            ("9000:80-81", "9000:80-81"),
            ("80:", "80:"),
        ] {
            let error = parse(entry).unwrap_err();
            assert_eq!(&entry[error.at], wrong, "{entry}");
        }
    }
}
