//! An entry of `ports` as it is written, and how it reads with something more in it.

use std::net::IpAddr;
use std::ops::Range;

use super::feed::{Feed, Source};
use super::layout::{quoted, style};
use super::own::Insert;
use super::shelf::{Book, Place};
use super::spell::{self, TextEdit};
use crate::binding::{HostIp, PortRange};
use crate::compose::interpolate::references;
use crate::span::Span;
use crate::yaml::{Node, Style, Value};

const VARIABLE: &str = "a variable gives it: set that, or give it a default";

/// An entry of `ports`, as it is written.
pub(super) struct EntryText<'s, 'a> {
    book: &'s Book<'a>,
    node: &'s Node,
    pub place: Place,
}

impl<'s, 'a> EntryText<'s, 'a> {
    pub fn of(feed: &'s Feed<'a>, source: Source) -> Result<Self, String> {
        let (book, node) = feed.item(source).ok_or("its entry was not found again")?;
        let place = feed.entry(source);
        Ok(Self { book, node, place })
    }

    fn raw(&self, node: &Node) -> &'a str {
        &self.book.text()[node.span.range()]
    }

    /// The text of a scalar between its quotes, and where it begins.
    fn inner(&self, node: &Node) -> Result<(u32, &'a str), String> {
        let raw = self.raw(node);
        let (quotes, inner) = match style(raw, node) {
            Style::Plain => (0, raw),
            Style::Single | Style::Double => (
                1,
                raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default(),
            ),
            Style::Block => return Err("its entry is written on several lines".into()),
        };
        let value = match &node.value {
            Value::Int(number) => number.to_string(),
            _ => node.as_str().unwrap_or_default().to_owned(),
        };
        match inner == value {
            true => Ok((node.span.start + quotes, inner)),
            false => Err("its entry is written in a way that hides its parts".into()),
        }
    }

    /// New text in a scalar.
    fn replace(&self, node: &Node, start: u32, range: Range<usize>, text: &str) -> TextEdit {
        let at = |offset: usize| start + offset as u32;
        let span = Span::new(node.span.file, at(range.start), at(range.end));
        spell::replace(self.book, node, span, text)
    }

    pub fn in_quotes(&self) -> Result<TextEdit, String> {
        let (_, text) = self.inner(self.node)?;
        Ok(TextEdit::number(self.node.span, quoted(text)))
    }

    pub fn with_default(&self, variable: &str, ports: PortRange) -> Result<TextEdit, String> {
        const UNCLEAR: &str = "the variable gives more than the host port";
        let (node, is_long) = spell::scalar_of(self.node).ok_or(UNCLEAR)?;
        let (start, text) = self.inner(node)?;
        let host = match is_long {
            true => 0..text.len(),
            false => Parts::of(text).host.ok_or(UNCLEAR)?,
        };
        let plain = [format!("${variable}"), format!("${{{variable}}}")];
        if !plain.iter().any(|name| *name == text[host.clone()]) {
            return Err(UNCLEAR.into());
        }
        let text = format!("${{{variable}:-{ports}}}");
        Ok(self.replace(node, start, host, &text))
    }

    pub fn with_host_port(&self, ports: PortRange) -> Result<TextEdit, String> {
        if let Some(edit) = self.with_key("published", &format!("\"{ports}\""))? {
            return Ok(edit);
        }
        let (start, text) = self.inner(self.node)?;
        let (range, new) = match Parts::of(text).host {
            Some(host) if text[host.clone()].contains('$') => {
                return Err(VARIABLE.into());
            }
            Some(host) => (host, ports.to_string()),
            None => (0..0, format!("{ports}:")),
        };
        Ok(self.replace(self.node, start, range, &new))
    }

    pub fn with_host_ip(&self, ip: HostIp) -> Result<TextEdit, String> {
        if let Some(edit) = self.with_key("host_ip", &format!("\"{}\"", ip.ip()))? {
            return Ok(edit);
        }
        let (start, text) = self.inner(self.node)?;
        let new = match ip.ip() {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        };
        let parts = Parts::of(text);
        let (range, new) = match (parts.ip, parts.host) {
            (Some(ip), _) if text[ip.clone()].contains('$') => {
                return Err(VARIABLE.into());
            }
            (Some(ip), _) => (ip, new),
            (None, Some(_)) => (0..0, format!("{new}:")),
            (None, None) => (0..0, format!("{new}::")),
        };
        Ok(self.replace(self.node, start, range, &new))
    }

    /// A key of a long entry with another value; nothing if it is a short one.
    fn with_key(&self, key: &'static str, value: &str) -> Result<Option<TextEdit>, String> {
        let Value::Mapping(map) = &self.node.value else {
            return Ok(None);
        };
        let Some(old) = map.get(key) else {
            let target = map.get("target").ok_or("it has no container port")?;
            let after = Place {
                start: target.span.start,
                end: target.span.end,
                ..self.place
            };
            let insert = Insert::scalar(key, value.to_owned());
            return self
                .book
                .insert(self.node, after, "target", insert)
                .map(Some);
        };
        let raw = self.raw(old);
        if raw.contains('$') {
            return Err(VARIABLE.into());
        }
        if raw.is_empty() || raw.contains(['*', '&', '!', '\n']) || !old.steps().is_empty() {
            return Err(format!(
                "its `{key}` is written in a way that hides what it is"
            ));
        }
        Ok(Some(TextEdit::number(old.span, value)))
    }

    /// `!override` before the list that the entry of a service is in.
    pub fn overriding(&self, service: &str) -> Result<TextEdit, String> {
        let holds = |list: &&Node| {
            let span = list.span;
            span.start <= self.node.span.start && self.node.span.end <= span.end
        };
        let mut lists = self.book.documents().iter().filter_map(|root| {
            let ports = root.get("services")?.get(service)?.get("ports")?;
            Some(ports).filter(|ports| ports.steps().is_empty() && ports.tag.is_none())
        });
        let list = lists.find(holds);
        let list = list.ok_or("its `ports` are not written in the service itself")?;
        self.book.prepend(list, "!override ", &[])
    }
}

/// Where the parts of a short entry are, as it is written.
struct Parts {
    ip: Option<Range<usize>>,
    host: Option<Range<usize>>,
}

impl Parts {
    fn of(text: &str) -> Self {
        // a colon within a reference divides nothing
        let mut masked = text.to_owned();
        for reference in references(text) {
            masked.replace_range(reference.clone(), &"x".repeat(reference.len()));
        }
        let Some(end) = masked.rfind(':') else {
            return Self {
                ip: None,
                host: None,
            };
        };
        let start = masked[..end].rfind(':');
        Self {
            ip: start.map(|end| 0..end),
            host: Some(start.map_or(0, |at| at + 1)..end),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Parts;

    #[test]
    fn the_parts_of_an_entry() {
        for (text, ip, host) in [
            ("80", None, None),
            ("80/udp", None, None),
            (":80", None, Some("")),
            ("0:80", None, Some("0")),
            ("${A:-1:2}:80", None, Some("${A:-1:2}")),
            ("127.0.0.1::80", Some("127.0.0.1"), Some("")),
            ("[::1]:8080:80", Some("[::1]"), Some("8080")),
            ("$IP:$PORT:80", Some("$IP"), Some("$PORT")),
        ] {
            let parts = Parts::of(text);
            let part = |range: Option<std::ops::Range<usize>>| range.map(|range| &text[range]);
            assert_eq!((part(parts.ip), part(parts.host)), (ip, host), "{text}");
        }
    }
}
