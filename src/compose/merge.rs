//! Laying one tree over another, as Compose merges files (compose.md 5).

use std::rc::Rc;

use super::path::Path;
use super::problem::{Kind, Problem};
use crate::yaml::{Entry, Mapping, Node, Value};

/// Lays `over` on `base`: maps merge by key, lists append, scalars replace, null leaves alone.
///
/// What cannot be laid over is reported, and the later value taken.
pub fn merge(base: Node, over: Node, path: Path<'_>, problems: &mut Vec<Problem>) -> Node {
    let (base, over) = match special(&path) {
        Some(Special::Replace) => return over,
        Some(Special::Names) => (names_to_map(base), names_to_map(over)),
        None => (base, over),
    };
    match (&base.value, &over.value) {
        (_, Value::Null) => base,
        (Value::Unknown, _) | (_, Value::Unknown) => base.unknown(),
        (Value::Mapping(_), Value::Mapping(other)) => {
            let other = Rc::clone(other);
            let mut base = base;
            if let Some(map) = base.as_mapping_mut() {
                for (key, entry) in other.iter() {
                    merge_key(map, key, entry, path, problems);
                }
            }
            base
        }
        (Value::Sequence(items), Value::Sequence(more)) => {
            let all = items.iter().chain(more.iter()).cloned().collect();
            base.holding(Value::Sequence(Rc::new(all)))
        }
        (Value::Mapping(_) | Value::Sequence(_), _) => {
            problems.push(mismatch(&base, &over, path));
            over
        }
        _ => over,
    }
}

fn merge_key(
    map: &mut Mapping,
    key: &Rc<str>,
    entry: &Entry,
    path: Path<'_>,
    problems: &mut Vec<Problem>,
) {
    match map.get_mut(key) {
        None => {
            map.insert(Rc::clone(key), entry.clone());
        }
        Some(slot) => {
            let old = std::mem::replace(slot, slot.unknown());
            *slot = merge(old, entry.value.clone(), Path::Key(&path, key), problems);
        }
    }
}

fn mismatch(base: &Node, over: &Node, path: Path<'_>) -> Problem {
    let message = format!(
        "`{path}` is {} and cannot be overridden by {}",
        base.kind(),
        over.kind()
    );
    let problem = match path.concern() {
        super::path::Concern::Ports => Problem::error(Kind::Ports, message),
        super::path::Concern::Claims => Problem::error(Kind::Merge, message),
        super::path::Concern::Nothing => Problem::notice(Kind::Merge, message),
    };
    problem
        .at(over.span, format!("{} here", over.kind()))
        .at(base.span, format!("{} here", base.kind()))
        .help(format!("write `{path}` in one form in both places"))
}

enum Special {
    /// The later value stands alone.
    Replace,
    /// A list of names, or a map by name.
    Names,
}

fn special(path: &Path<'_>) -> Option<Special> {
    let keys = path.keys()?;
    let keys: Vec<&str> = keys.iter().map(|key| &**key).collect();
    match keys[..] {
        ["services", _, "networks" | "depends_on" | "models"] => Some(Special::Names),
        // what these hold decides no port, and Compose takes a list or a map or a string here
        [
            "services",
            _,
            "annotations" | "build" | "command" | "dns" | "dns_opt" | "dns_search" | "entrypoint"
            | "env_file" | "label_file" | "environment" | "extra_hosts" | "labels" | "logging"
            | "sysctls" | "tmpfs" | "ulimits",
        ]
        | ["services", _, "deploy", "labels"]
        | ["services", _, "healthcheck", "test"]
        | ["networks" | "volumes", _, "labels"] => Some(Special::Replace),
        _ => None,
    }
}

/// `[a, b]` as `{a: , b: }`; anything else as it is.
#[must_use]
pub fn names_to_map(node: Node) -> Node {
    let Value::Sequence(items) = &node.value else {
        return node;
    };
    let mut map = Mapping::new();
    for item in items.iter() {
        if let Some(name) = item.as_str() {
            let value = Node::new(Value::Null, item.span);
            let entry = Entry {
                key: item.span,
                is_string: true,
                value,
            };
            map.insert(Rc::from(name), entry);
        }
    }
    node.holding(Value::Mapping(Rc::new(map)))
}
