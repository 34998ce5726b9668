//! The list: which entries are the same, and short entries made long.
//!
//! Source: `override/uncity.go` and `transform/ports.go` of compose-go 2.9.1 (compose.md 4).

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use super::{Origin, Publish};
use crate::compose::problem::{Kind, Problem};
use crate::compose::text::Text;
use crate::source::SourceMap;
use crate::span::Span;
use crate::yaml::{Entry, Mapping, Node, Value};

/// Makes `target: "80"` a number, as Compose does while interpolating.
pub fn cast_targets(ports: Node, service: &str, problems: &mut Vec<Problem>) -> Node {
    let Value::Sequence(items) = &ports.value else {
        return ports;
    };
    if !items
        .iter()
        .any(|item| item.get("target").is_some_and(|t| t.as_str().is_some()))
    {
        return ports;
    }
    let mut items = items.to_vec();
    for item in &mut items {
        let Some(slot) = item.as_mapping_mut().and_then(|map| map.get_mut("target")) else {
            continue;
        };
        let Some(text) = slot.as_str() else { continue };
        match atoi(text) {
            Some(number) => *slot = slot.holding(Value::Int(number)),
            None => {
                problems.push(
                    Problem::error(
                        Kind::Ports,
                        format!("`{text}` is not a container port of service `{service}`"),
                    )
                    .at(slot.span, "one number, not a range")
                    .help("write one entry for each container port, or use the short syntax"),
                );
                *item = item.unknown();
            }
        }
    }
    ports.holding(Value::Sequence(Rc::new(items)))
}

/// Go's `strconv.Atoi`.
pub fn atoi(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok())?
}

/// An entry that a later one, which is the same to Compose, took the place of.
#[derive(Clone, Debug)]
pub struct Replaced {
    /// The service.
    service: String,
    /// The bytes of the later entry.
    by: Span,
    /// The earlier entry.
    entry: Node,
}

/// Where the entries are written that a publish took the place of: without it, they would count.
pub fn replaced_by(
    publish: &Publish,
    service: &str,
    all: &[Replaced],
    sources: &SourceMap,
) -> Vec<Origin> {
    let mut origins: Vec<Origin> = Vec::new();
    let mut later = vec![publish.origin.entry];
    while let Some(by) = later.pop() {
        for replaced in all
            .iter()
            .filter(|one| one.by == by && one.service == service)
        {
            let entry = &replaced.entry;
            let list = entry.holding(Value::Sequence(Rc::new(vec![entry.clone()])));
            let list = canonical(list, service, sources, &mut Vec::new());
            let same = |other: &Publish| {
                (other.target, &other.published, &other.protocol)
                    == (publish.target, &publish.published, &publish.protocol)
            };
            let items = list.as_sequence().unwrap_or_default().iter();
            let mut publishes = items.filter_map(|item| super::read(item, service, sources).ok());
            if let Some(same) = publishes.find(same)
                && !origins.contains(&same.origin)
            {
                later.push(same.origin.entry);
                origins.push(same.origin);
            }
        }
    }
    origins
}

/// Drops all but the last of the entries that are the same; it takes the first one's place.
pub fn unique(
    ports: Node,
    service: &str,
    replaced: &mut Vec<Replaced>,
    problems: &mut Vec<Problem>,
) -> Node {
    let Value::Sequence(items) = &ports.value else {
        return ports;
    };
    let mut kept: Vec<Node> = Vec::with_capacity(items.len());
    let mut places: HashMap<String, usize> = HashMap::with_capacity(items.len());
    for item in items.iter() {
        match key(item) {
            Some(key) => match places.get(&key) {
                Some(place) => {
                    let entry = std::mem::replace(&mut kept[*place], item.clone());
                    replaced.push(Replaced {
                        service: service.to_owned(),
                        by: item.span,
                        entry,
                    });
                }
                None => {
                    places.insert(key, kept.len());
                    kept.push(item.clone());
                }
            },
            None if matches!(item.value, Value::Mapping(_)) => {
                problems.push(no_target(item.span, service))
            }
            None => {}
        }
    }
    ports.holding(Value::Sequence(Rc::new(kept)))
}

fn no_target(entry: Span, service: &str) -> Problem {
    Problem::error(
        Kind::Ports,
        format!("a port of service `{service}` names no container port"),
    )
    .at(entry, "no target")
    .help("add `target:`, the port inside the container")
}

/// What Compose compares entries by; `None` of an entry that cannot stay.
///
/// An int as `published` is printed with the wrong verb (`%!s(int=8080)`), so that it never
/// equals the same number as a string; the text only has to differ likewise.
fn key(item: &Node) -> Option<String> {
    match &item.value {
        Value::Int(number) => Some(number.to_string()),
        Value::Str(text) => Some(text.as_str().to_owned()),
        Value::Mapping(map) => {
            let show = |key: &str, default: &'static str| {
                Cow::from(match map.get(key).map(|node| &node.value) {
                    None => default,
                    Some(Value::Str(text)) => text.as_str(),
                    Some(Value::Int(number)) => return format!("(int={number})").into(),
                    Some(other) => return format!("({other:?})").into(),
                })
            };
            let target = match &map.get("target")?.value {
                Value::Int(number) => number.to_string(),
                other => format!("{other:?}"),
            };
            let (ip, protocol) = (show("host_ip", "0.0.0.0"), show("protocol", "tcp"));
            let published = show("published", "(nil)");
            Some([&*ip, ":", &*published, ":", &*target, "/", &*protocol].concat())
        }
        Value::Unknown => None,
        // Compose gives all of these one empty key and refuses them later
        _ => Some(format!("at {}", item.span.start)),
    }
}

/// Makes short entries long; what is no port is reported and left out.
pub fn canonical(
    ports: Node,
    service: &str,
    sources: &SourceMap,
    problems: &mut Vec<Problem>,
) -> Node {
    let items = match &ports.value {
        Value::Sequence(items) => items,
        Value::Unknown => return ports.holding(Value::Sequence(Rc::default())),
        _ => {
            problems.push(
                Problem::error(
                    Kind::Ports,
                    format!(
                        "`ports` of service `{service}` is {}, not a list",
                        ports.kind()
                    ),
                )
                .at(ports.span, "a list is needed")
                .help("write each port on its own line after `- `, or remove the key"),
            );
            return ports.holding(Value::Sequence(Rc::default()));
        }
    };
    let mut long = Vec::with_capacity(items.len());
    for item in items.iter() {
        let text = match &item.value {
            Value::Mapping(_) => {
                long.push(item.clone());
                continue;
            }
            Value::Unknown => continue,
            Value::Int(number) => Text::literal(number.to_string(), item.span),
            _ => match item.to_text(sources) {
                Some(text) => text,
                None => {
                    problems.push(not_a_port(item, service, sources));
                    continue;
                }
            },
        };
        match lengthen(item, &text) {
            Ok(entries) => long.extend(entries),
            Err(error) => problems.push(refused(item, &text, service, &error)),
        }
    }
    ports.holding(Value::Sequence(Rc::new(long)))
}

fn not_a_port(item: &Node, service: &str, sources: &SourceMap) -> Problem {
    let written = sources.slice(item.span);
    let help = match item.value {
        Value::Float(_) if written.starts_with('0') => {
            "YAML reads a number with a leading zero as a fraction: remove the zero or quote it"
        }
        Value::Float(_) => "quote it, or write a whole number",
        Value::Null => "remove the empty entry",
        Value::Sequence(_) => {
            "Compose does not unfold a list inside the list: write its entries one by one"
        }
        _ => "write HOST:CONTAINER, for example \"8080:80\"",
    };
    Problem::error(
        Kind::Ports,
        format!("a port of service `{service}` is {}", item.kind()),
    )
    .at(item.span, "not a port")
    .help(help)
}

fn refused(item: &Node, text: &Text, service: &str, error: &super::short::ShortError) -> Problem {
    let wrong = text.slice(error.at.clone());
    let span = match wrong.single().and_then(|written| written.span()) {
        Some(span) => span,
        None => item.span,
    };
    Problem::error(
        Kind::Ports,
        format!(
            "port `{}` of service `{service}`: {error}",
            text.value().escape_debug()
        ),
    )
    .at(span, "here")
    .help(match text.value().contains(['“', '”', '„', '‘', '’']) {
        true => "these are not the quotes of YAML: write \"8080:80\"".to_owned(),
        false => error.help.clone(),
    })
}

/// The long entries of a short one.
fn lengthen(item: &Node, text: &Text) -> Result<Vec<Node>, super::short::ShortError> {
    let ports = super::short::parse(text.value())?;
    let string = |value: &str| Node::text(Text::literal(value, item.span), item.span);
    let mut entries = Vec::with_capacity(ports.len());
    for port in ports {
        let mut map = Mapping::with_capacity(5);
        let mut set = |key: &str, value: Node| {
            let entry = Entry {
                key: item.span,
                is_string: true,
                value,
            };
            map.insert(Rc::from(key), entry);
        };
        set("mode", string("ingress"));
        if port.target != 0 {
            set(
                "target",
                Node::new(Value::Int(port.target.into()), item.span),
            );
        }
        if let Some(published) = port.published {
            let written = text.slice(port.published_at);
            let text = if written.value() == published {
                written
            } else {
                // `080`, or one out of a range
                written.rewritten(published)
            };
            let span = item.span;
            set("published", Node::text(text, span));
        }
        if let Some(ip) = port.host_ip {
            set("host_ip", string(&ip));
        }
        set("protocol", string(&port.protocol));
        entries.push(item.holding(Value::Mapping(Rc::new(map))));
    }
    Ok(entries)
}
