//! Reads `portplan.yaml` into its types: serde sees the tree of [`crate::yaml`], so that each mistake
//! has its place, and what is wrong is left out and the rest read on.

use std::collections::BTreeSet;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IntoDeserializer as _, MapAccess,
    SeqAccess, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;

use super::mistake::{Mistake, What, suggest};
use crate::compose::problem::{Kind, Problem};
use crate::source::SourceFile;
use crate::span::{FileId, Span};
use crate::yaml::{self, Mapping, Node, Value};

/// More mistakes than these are not told.
const MAX_MISTAKES: usize = 100;

/// What a file holds.
///
/// # Errors
/// All that is wrong with its form, in order; of its YAML the first.
pub(super) fn read<T: DeserializeOwned>(file: &SourceFile, id: FileId) -> Result<T, Vec<Problem>> {
    let documents = yaml::parse(file, id).map_err(|error| {
        let mut problem = Problem::error(Kind::Config, error.message).at(error.span, "here");
        problem.labels.extend(error.other);
        vec![problem]
    })?;
    let empty = Node::new(Value::Mapping(Mapping::new().into()), Span::new(id, 0, 0));
    let root = match &documents[..] {
        [] => &empty,
        [root] if root.is_null() => &empty,
        [root] => root,
        [_, second, ..] => {
            let problem = Problem::error(Kind::Config, "this is a second document");
            let problem = problem.at(Mistake::word(second.span, file), "here");
            return Err(vec![problem.help("remove the line `---` above it")]);
        }
    };
    let mut wrong = BTreeSet::new();
    let mut problems = Vec::new();
    loop {
        let reader = Reader {
            node: root,
            file,
            wrong: &wrong,
        };
        let mistake = match T::deserialize(reader) {
            Ok(value) if problems.is_empty() => return Ok(value),
            Ok(_) => break,
            Err(mistake) => mistake,
        };
        // one of another version is right in other ways
        if mistake.is_at(".version") {
            return Err(mistake.problem(file, root.span).into_iter().collect());
        }
        let unit = mistake.unit;
        problems.extend(mistake.problem(file, root.span));
        // what is as a whole not what it should be leaves nothing to read on
        let is_new = unit.is_some_and(|unit| wrong.insert(unit));
        if !is_new || problems.len() >= MAX_MISTAKES {
            break;
        }
    }
    problems.sort_by_key(|problem: &Problem| problem.labels.first().map(|(span, _)| *span));
    Err(problems)
}

/// A node, as serde reads it.
#[derive(Clone, Copy)]
struct Reader<'n> {
    node: &'n Node,
    file: &'n SourceFile,
    /// What is left out, because it is known to be wrong: keys and items of lists.
    wrong: &'n BTreeSet<Span>,
}

impl<'n> Reader<'n> {
    fn of(self, node: &'n Node) -> Self {
        Self { node, ..self }
    }

    /// The text of a scalar: what is no string is as it is written, so that numbers are texts, too.
    fn text(self) -> Option<&'n str> {
        match &self.node.value {
            Value::Str(text) => Some(text.as_str()),
            Value::Null | Value::Unknown | Value::Sequence(_) | Value::Mapping(_) => None,
            _ => Some(&self.file.text()[self.node.span.range()]),
        }
    }

    fn unexpected(self) -> Unexpected<'n> {
        match &self.node.value {
            Value::Bool(truth) => Unexpected::Bool(*truth),
            Value::Int(number) => Unexpected::Signed(*number),
            Value::Uint(number) => Unexpected::Unsigned(*number),
            Value::Float(number) => Unexpected::Float(*number),
            Value::Sequence(_) => Unexpected::Seq,
            Value::Mapping(_) => Unexpected::Map,
            Value::Null | Value::Unknown => Unexpected::Unit,
            Value::Str(_) | Value::Timestamp => Unexpected::Str(self.text().unwrap_or_default()),
        }
    }

    fn other_type<T>(self, visitor: &dyn serde::de::Expected) -> Result<T, Mistake> {
        Err(Mistake::invalid_type(self.unexpected(), visitor).at(self.node.span))
    }

    fn map<'de, V: Visitor<'de>>(self, map: &'n Mapping, visitor: V) -> Result<V::Value, Mistake> {
        let entries = map.iter();
        let entries = entries.map(|(key, entry)| (&**key, entry.key, &entry.value));
        let entries: Vec<_> = entries.collect();
        let access = Entries {
            reader: self,
            entries: entries.iter(),
            value: None,
        };
        visitor.visit_map(access).map_err(|mut mistake| {
            if let What::Missing { key, known } = &mut mistake.what {
                // it is there, or was meant, and what is wrong with it has been told
                let mut wrong = map.iter().filter(|(_, it)| self.wrong.contains(&it.key));
                *known |= wrong.any(|(name, _)| suggest(name, [*key]).is_some());
            }
            mistake.at(self.node.span)
        })
    }

    fn list<'de, V: Visitor<'de>>(
        self,
        items: &'n [Node],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        let access = Items {
            reader: self,
            items: items.iter().enumerate(),
        };
        visitor.visit_seq(access)
    }
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = Mistake;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        let result = match (&self.node.value, self.text()) {
            (Value::Sequence(items), _) => self.list(items, visitor),
            (Value::Mapping(map), _) => self.map(map, visitor),
            (_, Some(text)) => visitor.visit_str(text),
            (_, None) => visitor.visit_unit(),
        };
        result.map_err(|mistake| mistake.at(self.node.span))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self.node.value {
            Value::Bool(truth) => visitor.visit_bool(truth),
            _ => self.other_type(&visitor),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self.text() {
            Some(text) => visitor
                .visit_str(text)
                .map_err(|mistake: Mistake| mistake.at(self.node.span)),
            None => self.other_type(&visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self.node.is_null() {
            true => visitor.visit_none(),
            false => visitor.visit_some(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match &self.node.value {
            Value::Sequence(items) => self.list(items, visitor),
            _ => self.other_type(&visitor),
        }
    }

    /// Of a table, which may be nothing.
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match &self.node.value {
            Value::Mapping(map) => self.map(map, visitor),
            Value::Null => visitor.visit_unit(),
            _ => self.other_type(&visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        match &self.node.value {
            Value::Mapping(map) => self.map(map, visitor),
            _ => self.other_type(&visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        let name = match (self.text(), self.node.is_null()) {
            (Some(text), _) => text,
            (None, true) => "",
            (None, false) => return self.other_type(&"a text"),
        };
        let name: StrDeserializer<'_, Mistake> = name.into_deserializer();
        visitor
            .visit_enum(name)
            .map_err(|mistake| mistake.at(self.node.span))
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct
        newtype_struct tuple tuple_struct identifier ignored_any
    }
}

/// The items of a list that are not known to be wrong.
struct Items<'n> {
    reader: Reader<'n>,
    items: std::iter::Enumerate<std::slice::Iter<'n, Node>>,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Mistake;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Mistake> {
        let wrong = self.reader.wrong;
        let items = self.items.by_ref();
        let Some((index, item)) = items.find(|(_, item)| !wrong.contains(&item.span)) else {
            return Ok(None);
        };
        let value = seed.deserialize(self.reader.of(item));
        let value = value.map_err(|it| it.within(&format!("[{index}]"), item.span))?;
        Ok(Some(value))
    }
}

/// The entries of a mapping that are not known to be wrong.
struct Entries<'n, 'e> {
    reader: Reader<'n>,
    entries: std::slice::Iter<'e, (&'n str, Span, &'n Node)>,
    value: Option<(&'n str, Span, &'n Node)>,
}

impl<'de> MapAccess<'de> for Entries<'_, '_> {
    type Error = Mistake;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Mistake> {
        let wrong = self.reader.wrong;
        let entries = self.entries.by_ref();
        let Some(entry) = entries.find(|(_, key, _)| !wrong.contains(key)) else {
            return Ok(None);
        };
        let (name, span, _) = *entry;
        self.value = Some(*entry);
        let key: StrDeserializer<'_, Mistake> = name.into_deserializer();
        let key = seed.deserialize(key);
        Ok(Some(key.map_err(|it| it.at(span).within("", span))?))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Mistake> {
        let Some((name, span, node)) = self.value.take() else {
            return Err(Mistake::custom("a value without a key"));
        };
        let value = seed.deserialize(self.reader.of(node));
        value.map_err(|it| it.within(&format!(".{name}"), span))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::ConfigFile;
    use super::*;

    const WHOLE: &str = "version: 1
rules: { privileged-port: warning, \"port-ignored\": off }
paths:
  \"dev/**\":
    rules: { privileged-port: off }
pools:
  - { ports: &web 8000-8999, paths: [\"web/**\"], name: web }
  - ports: [5432, *web]
pins: [db:5432, \"443\"]
reserved: [{ ports: 9100, protocol: tcp, for: é }]
hosts:
  edge-1: { projects: edge, snapshot: a.json }
worktrees: true
";

    fn read_text(text: &str) -> Result<ConfigFile, Vec<Problem>> {
        let file = SourceFile::decode("portplan.yaml", text.as_bytes().to_vec());
        read(&file.unwrap(), FileId::default())
    }

    proptest! {
        /// Whatever is typed: what is wrong is said once, each in its place.
        #[test]
        fn anything_may_be_typed(
            at in 0..WHOLE.len(),
            len in 0..40_usize,
            new in "[a-z0-9:,\\[\\]{}&*\"' \n\t#~<é-]{0,8}",
        ) {
            prop_assert!(read_text(WHOLE).is_ok());
            let start = WHOLE.floor_char_boundary(at);
            let end = WHOLE.floor_char_boundary((start + len).min(WHOLE.len())).max(start);
            let text = format!("{}{new}{}", &WHOLE[..start], &WHOLE[end..]);
            let problems = read_text(&text).err().unwrap_or_default();
            for (index, problem) in problems.iter().enumerate() {
                let (span, _) = problem.labels[0];
                prop_assert!(text.get(span.range()).is_some(), "{text}\n{problem:?}");
                prop_assert!(!problems[..index].contains(problem), "{text}\n{problem:?}");
            }
        }
    }
}
