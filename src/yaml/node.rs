//! The tree: scalars, sequences and mappings, each with its bytes.

use std::rc::Rc;

use indexmap::IndexMap;

use super::locate::locate;
use crate::compose::text::Text;
use crate::source::SourceMap;
use crate::span::Span;

/// One node of a document. Cloning is cheap: collections are shared.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it holds.
    pub value: Value,
    /// The bytes of the value; for a quoted scalar, with its quotes.
    pub span: Span,
    /// A tag that Compose acts on.
    pub tag: Option<Tag>,
    /// What brought the node here from where it is written, outermost first.
    pub via: Option<Rc<Vec<Step>>>,
    /// What is somewhere below.
    pub(super) below: Below,
}

/// What a node holds.
#[derive(Clone, Debug)]
pub enum Value {
    /// Nothing: empty, `~`, `null`.
    Null,
    /// `true` or `false`; `yes` and `on` are strings.
    Bool(bool),
    /// A whole number, in any of Go's notations (`017` is 15).
    Int(i64),
    /// A whole number past `i64::MAX`.
    Uint(u64),
    /// A number with a fraction or exponent, or a decimal with a leading zero that is not octal.
    Float(f64),
    /// A date, which Compose takes nowhere.
    Timestamp,
    /// Text.
    Str(Str),
    /// A list.
    Sequence(Rc<Vec<Node>>),
    /// A map.
    Mapping(Rc<Mapping>),
    /// Could not be known; the reason has been reported.
    Unknown,
}

/// The text of a string scalar.
#[derive(Clone, Debug)]
pub enum Str {
    /// As the document has it.
    Plain(Rc<str>, Style),
    /// Put together from several places.
    Written(Rc<Text>),
}

impl Str {
    /// The string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Plain(value, _) => value,
            Self::Written(text) => text.value(),
        }
    }
}

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// `'…'`
    Single,
    /// `"…"`
    Double,
    /// `|` or `>`
    Block,
}

/// The tags that Compose acts on; it ignores those of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// `!reset`: forget what earlier files said, and this value too.
    Reset,
    /// `!override`: forget what earlier files said.
    Override,
}

/// How a node came to a place where it is not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// `*alias`
    Alias,
    /// `<<: *alias`
    Merge,
    /// `extends:`
    Extends,
    /// `include:`
    Include,
}

/// One step on the way from where a node is written to where it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// What pulled it in.
    pub how: How,
    /// The alias, or the value of `extends` or `include`.
    pub span: Span,
}

/// A map in the order of its document.
#[derive(Clone, Debug, Default)]
pub struct Mapping {
    entries: IndexMap<Rc<str>, Entry, foldhash::fast::RandomState>,
}

/// A key's place and its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The bytes of the key.
    pub key: Span,
    /// False of `1:` or `true:`, which Compose refuses as keys.
    pub is_string: bool,
    /// The value.
    pub value: Node,
}

/// Facts about a subtree, so that a walk can leave out what cannot concern it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Below {
    /// A string with a `$`.
    template: bool,
    /// `!override`.
    replaces: bool,
    /// `!reset`.
    pub(super) reset: bool,
    /// A key that is no string.
    odd_key: bool,
    /// How many nodes, repeated ones counted each time.
    pub(super) nodes: u32,
    /// How many levels.
    pub(super) depth: u32,
}

impl Below {
    fn and(self, other: Self) -> Self {
        Self {
            template: self.template || other.template,
            replaces: self.replaces || other.replaces,
            reset: self.reset || other.reset,
            odd_key: self.odd_key || other.odd_key,
            nodes: self.nodes.saturating_add(other.nodes),
            depth: self.depth.max(other.depth),
        }
    }
}

impl Node {
    /// A node that holds `value`, written at `span`.
    #[must_use]
    pub fn new(value: Value, span: Span) -> Self {
        let none = Below::default();
        let below = match &value {
            Value::Str(text) => Below {
                template: text.as_str().contains('$'),
                ..none
            },
            Value::Sequence(items) => items.iter().fold(none, |below, item| below.and(item.all())),
            Value::Mapping(map) => map.iter().fold(none, |below, (_, entry)| {
                let mut below = below.and(entry.value.all());
                below.odd_key |= !entry.is_string;
                below
            }),
            _ => none,
        };
        Self {
            value,
            span,
            tag: None,
            via: None,
            below,
        }
    }

    /// What is below, and the node itself.
    fn all(&self) -> Below {
        self.below.and(Below {
            replaces: self.tag == Some(Tag::Override),
            reset: self.tag == Some(Tag::Reset),
            nodes: 1,
            depth: self.below.depth + 1,
            ..Below::default()
        })
    }

    /// A string written at `span`.
    #[must_use]
    pub fn text(text: Text, span: Span) -> Self {
        Self::new(Value::Str(Str::Written(Rc::new(text))), span)
    }

    /// A node in the place of one whose value cannot be known.
    #[must_use]
    pub fn unknown(&self) -> Self {
        Self {
            value: Value::Unknown,
            below: Below::default(),
            ..self.clone()
        }
    }

    /// The same node with another value.
    #[must_use]
    pub fn holding(&self, value: Value) -> Self {
        Self {
            tag: self.tag,
            via: self.via.clone(),
            ..Self::new(value, self.span)
        }
    }

    /// Whether a walk for templates, `!reset`/`!override` or keys that are no strings need enter.
    #[must_use]
    pub fn needs_work(&self) -> bool {
        let Below {
            template,
            replaces,
            reset,
            odd_key,
            nodes: _,
            depth: _,
        } = self.below;
        self.tag.is_some() || template || replaces || reset || odd_key
    }

    /// What an alias repeats: in Compose 2.40 a `!reset` acts where its anchor stands and is gone
    /// from there when the alias is read (compose.md 5).
    pub(super) fn without_resets(&self) -> Self {
        if !self.below.reset {
            return self.clone();
        }
        let keep = |node: &Self| node.tag != Some(Tag::Reset);
        let value = match &self.value {
            Value::Sequence(items) => {
                let items = items.iter().filter(|item| keep(item));
                Value::Sequence(Rc::new(items.map(Self::without_resets).collect()))
            }
            Value::Mapping(map) => {
                let mut kept = Mapping::new();
                for (key, entry) in map.iter().filter(|(_, entry)| keep(&entry.value)) {
                    let value = entry.value.without_resets();
                    let entry = entry.clone();
                    kept.insert(Rc::clone(key), Entry { value, ..entry });
                }
                Value::Mapping(Rc::new(kept))
            }
            other => other.clone(),
        };
        self.holding(value)
    }

    /// The same node, brought here by `steps` before those it has.
    #[must_use]
    pub fn through(mut self, steps: &[Step]) -> Self {
        if !steps.is_empty() {
            let mut via = steps.to_vec();
            via.extend(self.steps());
            self.via = Some(Rc::new(via));
        }
        self
    }

    /// What brought the node here, outermost first.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        self.via.as_ref().map_or(&[], |via| via)
    }

    /// The map, if it is one.
    #[must_use]
    pub fn as_mapping(&self) -> Option<&Mapping> {
        match &self.value {
            Value::Mapping(map) => Some(map),
            _ => None,
        }
    }

    /// The map to change, if it is one.
    pub fn as_mapping_mut(&mut self) -> Option<&mut Mapping> {
        match &mut self.value {
            Value::Mapping(map) => Some(Rc::make_mut(map)),
            _ => None,
        }
    }

    /// The list, if it is one.
    #[must_use]
    pub fn as_sequence(&self) -> Option<&[Node]> {
        match &self.value {
            Value::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// The string, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::Str(text) => Some(text.as_str()),
            _ => None,
        }
    }

    /// The value of a key, if this is a map that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_mapping()?.get(key)
    }

    /// True of [`Value::Null`].
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// The string with the place of each of its bytes.
    #[must_use]
    pub fn to_text(&self, sources: &SourceMap) -> Option<Text> {
        match &self.value {
            Value::Str(Str::Written(text)) => Some((**text).clone()),
            Value::Str(Str::Plain(value, style)) => {
                Some(locate(value, *style, sources.slice(self.span), self.span))
            }
            _ => None,
        }
    }

    /// What a value is called in messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Int(_) | Value::Uint(_) => "a number",
            Value::Float(_) => "a fraction",
            Value::Timestamp => "a date",
            Value::Str(_) => "a string",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a mapping",
            Value::Unknown => "unknown",
        }
    }

    /// Equal values, wherever they are written.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        match (&self.value, &other.value) {
            (Value::Null, Value::Null) | (Value::Timestamp, Value::Timestamp) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Uint(a), Value::Uint(b)) => a == b,
            (Value::Float(a), Value::Float(b)) => a == b,
            (Value::Str(a), Value::Str(b)) => a.as_str() == b.as_str(),
            (Value::Sequence(a), Value::Sequence(b)) => {
                a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.same(b))
            }
            (Value::Mapping(a), Value::Mapping(b)) => {
                a.len() == b.len()
                    && a.iter()
                        .all(|(key, a)| b.get(key).is_some_and(|b| a.value.same(b)))
            }
            _ => false,
        }
    }
}

impl Mapping {
    /// An empty map.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty map with room for so many keys.
    #[must_use]
    pub fn with_capacity(keys: usize) -> Self {
        Self {
            entries: IndexMap::with_capacity_and_hasher(keys, Default::default()),
        }
    }

    /// How many keys it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True without keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        Some(&self.entries.get(key)?.value)
    }

    /// The value of a key, to change.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        Some(&mut self.entries.get_mut(key)?.value)
    }

    /// A key and its value.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.get(key)
    }

    /// Sets a key, in its old place if it has one.
    pub fn insert(&mut self, key: Rc<str>, entry: Entry) -> Option<Entry> {
        self.entries.insert(key, entry)
    }

    /// Drops a key, keeping the order of the others.
    pub fn remove(&mut self, key: &str) -> Option<Entry> {
        self.entries.shift_remove(key)
    }

    /// Keys and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Rc<str>, &Entry)> {
        self.entries.iter()
    }

    /// Keys and values in order, the values to change.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&Rc<str>, &mut Entry)> {
        self.entries.iter_mut()
    }
}
