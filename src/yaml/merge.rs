//! `<<`: the keys of other maps, where a map has none of its own.

use std::rc::Rc;

use super::YamlError;
use super::node::{How, Mapping, Node, Step, Tag, Value};
use crate::span::Span;

/// Fills `map` from the value of its `<<` key: explicit keys win wherever `<<` stands, and in a
/// list of maps the first wins (compose.md 5).
pub(super) fn apply(map: &mut Mapping, from: &Node, key: Span) -> Result<(), YamlError> {
    let refuse = || {
        YamlError::new("`<<` takes a mapping or a list of mappings", from.span)
            .with(key, "merged here")
            .help("point the alias at a mapping")
    };
    match &from.value {
        Value::Mapping(source) => fill(map, source, from, &[]),
        Value::Sequence(items) => {
            for item in items.iter() {
                let Value::Mapping(source) = &item.value else {
                    return Err(refuse());
                };
                fill(map, source, item, from.steps());
            }
        }
        _ => return Err(refuse()),
    }
    Ok(())
}

fn fill(map: &mut Mapping, source: &Mapping, from: &Node, outer: &[Step]) {
    let mut steps = outer.to_vec();
    steps.extend(from.steps());
    for step in &mut steps {
        if step.how == How::Alias {
            step.how = How::Merge;
        }
    }
    for (key, entry) in source.iter() {
        let own = map.get(key).map(|own| own.tag);
        if let None | Some(Some(Tag::Reset)) = own {
            let mut entry = entry.clone();
            entry.value = entry.value.through(&steps);
            if own.is_some() {
                // Compose takes what is reset away before it merges: this comes back, and still
                // what earlier files say is forgotten
                entry.value.tag = Some(Tag::Override);
            }
            map.insert(Rc::clone(key), entry);
        }
    }
}
