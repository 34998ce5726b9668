//! The trees of a compose file as they are written: what stands where.

use std::collections::HashMap;

use super::shelf::{Book, Place};
use crate::span::Span;
use crate::yaml::{Node, Str, Style, Value, is_base_sixty};

/// Where in a tree a walk is: the keys, and items as their index.
pub(super) type Trail<'n> = [&'n str];

impl Book<'_> {
    /// Calls `visit` for every node, aliases and merge keys followed, with the keys that lead to it
    /// (`[]` for any item of a list).
    fn walk<'n>(&'n self, visit: &mut dyn FnMut(&Trail<'n>, &'n Node)) {
        for root in self.documents() {
            descend(root, &mut Vec::new(), visit);
        }
    }

    /// The node written at `span`, as it is where it is written.
    pub fn node_at(&self, span: Span) -> Option<&Node> {
        self.by_span().get(&(span.start, span.end))
    }

    /// All nodes by their bytes.
    pub fn index(&self) -> HashMap<(u32, u32), Node> {
        let mut index: HashMap<(u32, u32), Node> = HashMap::new();
        self.walk(&mut |_, node| {
            let place = (node.span.start, node.span.end);
            let known = index.get(&place);
            // a list of one entry may begin where the entry does: the inner one counts
            if known.is_none_or(|known| node.steps().len() <= known.steps().len()) {
                index.insert(place, node.clone());
            }
        });
        index
    }

    /// The innermost collection that is written around `place`, and is not that place itself.
    pub fn around(&self, place: Place) -> Option<&Node> {
        let mut found: Option<&Node> = None;
        self.walk(&mut |_, node| {
            let span = node.span;
            let around = span.start <= place.start && place.end <= span.end;
            let wider = (span.start, span.end) != (place.start, place.end);
            let inner = found.is_none_or(|old| span.len() < old.span.len());
            let collection = matches!(node.value, Value::Mapping(_) | Value::Sequence(_));
            if collection && around && wider && inner {
                found = Some(node);
            }
        });
        found
    }

    /// What the alias or merge key at `place` pulls in, with that as its first step.
    pub fn pulled_in(&self, place: Place) -> Option<&Node> {
        let mut found = None;
        self.walk(&mut |_, node| {
            let here = |span: Span| (span.start, span.end) == (place.start, place.end);
            if found.is_none() && node.steps().first().is_some_and(|step| here(step.span)) {
                found = Some(node);
            }
        });
        found
    }

    /// Whether a scalar means something apart from the ports of services and from what Compose
    /// takes no notice of (`x-…`), through an alias or by its own place.
    pub fn has_other_meaning(&self, place: Place) -> bool {
        if !self.text().contains('&') {
            return false;
        }
        let mut other = false;
        self.walk(&mut |trail, node| {
            let scalar = !matches!(node.value, Value::Mapping(_) | Value::Sequence(_));
            let holds = node.span.start <= place.start && place.end <= node.span.end;
            let inert = match trail {
                [top, ..] if top.starts_with("x-") => true,
                ["services", _, key, ..] => *key == "ports" || key.starts_with("x-"),
                _ => false,
            };
            other |= scalar && holds && !inert;
        });
        other
    }

    /// The paths that services give as `env_file`, as they are written, and where.
    pub fn container_env_files(&self) -> Vec<(&str, Span)> {
        let mut paths = Vec::new();
        self.walk(&mut |trail, node| {
            if let ["services", _, "env_file", ..] = trail
                && let Some(path) = node.as_str()
            {
                paths.push((path, node.span));
            }
        });
        paths
    }

    /// Whether a node stands between brackets.
    pub fn in_flow(&self, node: &Node) -> bool {
        self.in_flow_at(Place {
            book: 0,
            start: node.span.start,
            end: node.span.end,
        })
    }

    /// Whether what stands at `place` stands between brackets.
    pub fn in_flow_at(&self, place: Place) -> bool {
        self.around(place)
            .is_some_and(|around| self.text()[around.span.range()].starts_with(['[', '{']))
    }
}

fn descend<'n>(
    node: &'n Node,
    trail: &mut Vec<&'n str>,
    visit: &mut dyn FnMut(&Trail<'n>, &'n Node),
) {
    visit(trail, node);
    match &node.value {
        Value::Sequence(items) => {
            for item in items.iter() {
                trail.push("[]");
                descend(item, trail, visit);
                trail.pop();
            }
        }
        Value::Mapping(map) => {
            for (key, entry) in map.iter() {
                trail.push(key);
                descend(&entry.value, trail, visit);
                trail.pop();
            }
        }
        _ => {}
    }
}

/// How a scalar is written.
pub(super) fn style(raw: &str, node: &Node) -> Style {
    match &node.value {
        Value::Str(Str::Plain(_, style)) => *style,
        _ => match raw.as_bytes().first() {
            Some(b'\'') => Style::Single,
            Some(b'"') => Style::Double,
            _ => Style::Plain,
        },
    }
}

/// Whether an unquoted scalar may mean something else where it stands, or to a reader of YAML 1.1:
/// `22:22` is 1342 there.
pub(super) fn needs_quotes(raw: &str, in_flow: bool) -> bool {
    in_flow && raw.contains(['{', '}', '[', ']', ',', '?'])
        || raw.contains(": ")
        || raw.contains(" #")
        || is_base_sixty(raw)
}

/// `value` between double quotes, for YAML.
pub(super) fn quoted(value: &str) -> String {
    let mut text = String::with_capacity(value.len() + 2);
    text.push('"');
    for character in value.chars() {
        match character {
            '"' | '\\' => text.extend(['\\', character]),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            '\r' => text.push_str("\\r"),
            other => text.push(other),
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_needed_where_another_reader_sees_a_number() {
        for (raw, in_flow, needed) in [
            ("8080:80", false, false),
            ("8080:22", false, true),
            ("0:22", false, false),
            ("8080:22/udp", false, false),
            ("1:2:3", false, true),
            ("127.0.0.1:8080:22", false, false),
            ("${P:-80}:80", false, false),
            ("${P:-80}:80", true, true),
        ] {
            assert_eq!(needs_quotes(raw, in_flow), needed, "{raw}");
        }
    }
}
