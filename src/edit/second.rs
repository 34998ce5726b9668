//! The second reader: another YAML parser, whose values before and after are compared.
//!
//! It is not asked what a number means (`017`, `1_000` are strings to it): only whether all but
//! the edited scalars and the lists that were written anew is the same.

use serde::Deserialize as _;
use serde_yaml::Value;

use super::patch::{Patch, Scope};
use crate::source::SourceFile;

/// Compares a file before and after.
///
/// # Errors
/// What differs, or that the new text cannot be read.
pub(super) fn compare(patch: &Patch) -> Result<(), String> {
    // what it cannot read at all (an alias as a key, an odd character) it cannot judge: all bytes
    // outside of the edits are the same by the way a patch is applied
    let Ok(old) = documents(patch.old()) else {
        return Ok(());
    };
    let new = documents(&patch.new_bytes())
        .map_err(|error| format!("{}: the new text is not YAML: {error}", patch.shown))?;
    let scope = |scope| patch.edits().iter().any(|edit| edit.scope == scope);
    let mut comparison = Comparison {
        edits: Replacement::all(patch),
        entries: scope(Scope::Entries),
        differences: Vec::new(),
    };
    if patch.before.is_none() {
        return Ok(());
    }
    if old.len() != new.len() {
        return Err(format!(
            "{}: {} documents become {}",
            patch.shown,
            old.len(),
            new.len()
        ));
    }
    for (old, new) in old.iter().zip(&new) {
        comparison.values(old, new, &mut Vec::new());
    }
    match comparison.differences.first() {
        None => Ok(()),
        Some(difference) => Err(format!("{}: {difference}", patch.shown)),
    }
}

/// All documents of a file.
pub(super) fn documents(bytes: &[u8]) -> Result<Vec<Value>, String> {
    let file = SourceFile::decode("", bytes.to_vec()).map_err(|error| error.to_string())?;
    let text = &file.text()[file.bom_len()..];
    serde_yaml::Deserializer::from_str(text)
        .map(|document| {
            let mut value = Value::deserialize(document).map_err(|error| error.to_string())?;
            value.apply_merge().map_err(|error| error.to_string())?;
            Ok(value)
        })
        .collect()
}

/// What an edit does to the value of a scalar.
struct Replacement {
    old: Vec<String>,
    new: Vec<String>,
}

impl Replacement {
    fn all(patch: &Patch) -> Vec<Self> {
        let old = |edit: &super::Edit| patch.old().get(edit.range.clone()).map(<[u8]>::to_vec);
        let utf_16 = |bytes: &[u8]| {
            let mark = patch.old().get(..2).filter(|mark| mark.contains(&0xff));
            [mark.unwrap_or_default(), bytes].concat()
        };
        let meanings = |bytes: &[u8]| {
            let file = SourceFile::decode("", utf_16(bytes)).ok();
            file.map_or_else(Vec::new, |file| meanings(&file.text()[file.bom_len()..]))
        };
        let edits = patch.edits().iter();
        edits
            .map(|edit| Self {
                old: meanings(&old(edit).unwrap_or_default()),
                new: meanings(&edit.bytes),
            })
            .collect()
    }

    /// Whether it makes `new` of `old`.
    fn explains(&self, old: &str, new: &str) -> bool {
        self.old.iter().any(|gone| {
            old.match_indices(&**gone).any(|(at, _)| {
                let rest = &old[at + gone.len()..];
                self.new
                    .iter()
                    .any(|come| format!("{}{come}{rest}", &old[..at]) == new)
            })
        })
    }
}

/// What a piece of a scalar's text can mean: itself, or what the parser makes of it.
fn meanings(text: &str) -> Vec<String> {
    let mut meanings = vec![text.to_owned()];
    for text in [text, &format!("\"{text}\"")] {
        let value = serde_yaml::from_str::<Value>(text);
        meanings.extend(value.ok().as_ref().and_then(scalar));
    }
    meanings.sort();
    meanings.dedup();
    meanings
}

struct Comparison {
    edits: Vec<Replacement>,
    /// Whether lists of ports are written anew.
    entries: bool,
    differences: Vec<String>,
}

impl Comparison {
    fn values(&mut self, old: &Value, new: &Value, path: &mut Vec<String>) {
        if old == new || self.is_new(path) {
            return;
        }
        match (old, new) {
            (Value::Sequence(old), Value::Sequence(new)) if old.len() == new.len() => {
                for (index, (old, new)) in old.iter().zip(new).enumerate() {
                    path.push(format!("[{index}]"));
                    self.values(old, new, path);
                    path.pop();
                }
            }
            (Value::Mapping(old), Value::Mapping(new)) => {
                let keys: Vec<&Value> = old
                    .keys()
                    .chain(new.keys().filter(|key| !old.contains_key(*key)))
                    .collect();
                for key in keys {
                    path.push(key.as_str().unwrap_or("?").to_owned());
                    match (old.get(key), new.get(key)) {
                        (Some(old), Some(new)) => self.values(old, new, path),
                        (None, Some(new)) if self.entries && is_ports_only(key, new) => {}
                        _ if self.is_new(path) => {}
                        _ => self.differ(path, "comes or goes"),
                    }
                    path.pop();
                }
            }
            (Value::Tagged(old), Value::Tagged(new)) if old.tag == new.tag => {
                self.values(&old.value, &new.value, path);
            }
            (old, new) => match (scalar(old), scalar(new)) {
                (Some(old), Some(new)) if self.explain(&old, &new) => {}
                (Some(old), Some(new)) => {
                    self.differ(path, &format!("`{old}` becomes `{new}`"));
                }
                _ => self.differ(path, "is written differently"),
            },
        }
    }

    /// Whether the model, not this reader, judges what is there.
    fn is_new(&self, path: &[String]) -> bool {
        self.entries && path.iter().any(|key| key == "ports")
    }

    fn explain(&self, old: &str, new: &str) -> bool {
        self.edits.iter().any(|edit| edit.explains(old, new))
    }

    fn differ(&mut self, path: &[String], what: &str) {
        self.differences
            .push(format!("`{}` {what}", path.join(".")));
    }
}

/// A key that brings nothing but `ports`: `web: {ports: […]}`.
fn is_ports_only(key: &Value, value: &Value) -> bool {
    match value {
        _ if key == "ports" => true,
        Value::Mapping(map) => {
            !map.is_empty() && map.iter().all(|(key, value)| is_ports_only(key, value))
        }
        _ => false,
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
