//! `{target, published, host_ip, protocol, mode, …}` (compose.md 3)

use std::net::IpAddr;

use super::{Origin, OriginKind, Publish};
use crate::compose::problem::{Kind, Problem};
use crate::source::SourceMap;
use crate::span::Span;
use crate::yaml::{Node, Value};

/// Reads a long entry as Compose does: `published` may be anything, the types may not.
///
/// # Errors
/// The first key that Compose refuses.
pub fn read(item: &Node, service: &str, sources: &SourceMap) -> Result<Publish, Problem> {
    let reader = Reader { item, service };
    let Some(map) = item.as_mapping() else {
        return Err(reader.refuse(item.span, "not a port", "write HOST:CONTAINER"));
    };
    const KEYS: [&str; 7] = [
        "target",
        "published",
        "host_ip",
        "protocol",
        "mode",
        "name",
        "app_protocol",
    ];
    for (key, entry) in map.iter() {
        if !KEYS.contains(&&**key) && !key.starts_with("x-") {
            let help = match &**key {
                "host" | "ip" => "an address is written `host_ip:`".to_owned(),
                _ => format!("the keys are {}", KEYS.join(", ")),
            };
            return Err(reader.refuse(entry.key, format!("no port has a key `{key}`"), help));
        }
    }
    let host_ip = reader.string("host_ip")?;
    if let Some(ip) = &host_ip
        && ip.parse::<IpAddr>().is_err()
    {
        let span = reader.span("host_ip");
        let help = if ip.is_empty() {
            "remove the key, or set the variable"
        } else {
            "write an address, without brackets or zone: 127.0.0.1, ::1"
        };
        return Err(reader.refuse(span, format!("`{ip}` is not an IP address"), help));
    }
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    Ok(Publish {
        target: reader.target()?,
        published: reader.published()?,
        host_ip: filled(host_ip),
        protocol: filled(Some(
            reader.string("protocol")?.unwrap_or_else(|| "tcp".into()),
        )),
        mode: filled(Some(
            reader.string("mode")?.unwrap_or_else(|| "ingress".into()),
        )),
        name: filled(reader.string("name")?),
        app_protocol: filled(reader.string("app_protocol")?),
        origin: reader.origin(sources),
        replaces: Vec::new(),
    })
}

struct Reader<'a> {
    item: &'a Node,
    service: &'a str,
}

impl Reader<'_> {
    fn refuse(&self, at: Span, what: impl AsRef<str>, help: impl Into<String>) -> Problem {
        let message = format!("port of service `{}`: {}", self.service, what.as_ref());
        Problem::error(Kind::Ports, message)
            .at(at, "here")
            .help(help)
    }

    fn span(&self, key: &str) -> Span {
        self.item.get(key).map_or(self.item.span, |node| node.span)
    }

    fn string(&self, key: &str) -> Result<Option<String>, Problem> {
        match self.item.get(key) {
            None => Ok(None),
            Some(node) => match node.as_str() {
                Some(text) => Ok(Some(text.to_owned())),
                None => Err(self.refuse(
                    node.span,
                    format!("`{key}` is {}, not a string", node.kind()),
                    "quote it, or remove the key",
                )),
            },
        }
    }

    fn target(&self) -> Result<Option<u32>, Problem> {
        let Some(node) = self.item.get("target") else {
            return Err(self.refuse(self.item.span, "no target", "add `target:`"));
        };
        // Compose checks no range: the number is cut to 32 bits
        let number = match node.value {
            Value::Int(number) if number >= 0 => number as u32,
            Value::Uint(number) => number as u32,
            Value::Float(number) if number.fract() == 0.0 && number >= 0.0 => {
                if number < 9.2e18 {
                    number as u64 as u32
                } else {
                    0
                }
            }
            _ => {
                return Err(self.refuse(
                    node.span,
                    "`target` is not a port number",
                    "write a number from 1 to 65535",
                ));
            }
        };
        Ok((number != 0).then_some(number))
    }

    fn published(&self) -> Result<Option<String>, Problem> {
        let Some(node) = self.item.get("published") else {
            return Ok(None);
        };
        match &node.value {
            Value::Str(text) if text.as_str().is_empty() => Ok(None),
            Value::Str(text) => Ok(Some(text.as_str().to_owned())),
            Value::Int(number) => Ok(Some(number.to_string())),
            Value::Uint(number) => Ok(Some(number.to_string())),
            _ => Err(self.refuse(
                node.span,
                format!("`published` is {}, not a port", node.kind()),
                "write a number or a range in quotes, or remove the key",
            )),
        }
    }

    fn origin(&self, sources: &SourceMap) -> Origin {
        let item = self.item;
        let mut trail = item.steps().to_vec();
        let (kind, span) = match item.get("published") {
            None => (OriginKind::Literal, item.span),
            Some(node) => {
                trail.extend(node.steps());
                match node.to_text(sources) {
                    None => (OriginKind::Literal, node.span),
                    Some(text) => match text.single() {
                        Some(written) => ((&written).into(), written.span().unwrap_or(node.span)),
                        None if text.value().is_empty() => (OriginKind::Literal, node.span),
                        None => (OriginKind::Mixed, node.span),
                    },
                }
            }
        };
        Origin {
            kind,
            span,
            entry: item.span,
            trail,
        }
    }
}
