//! Values of `portplan.yaml`, each read where it stands, so that an error points at it.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::glob::{Globs, InvalidGlob};
use super::mistake::suggest;
use crate::rules::{RULES, Rule};

/// A text with a meaning; numbers are texts, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text<T>(pub T);

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor(PhantomData))
    }
}

struct TextVisitor<T>(PhantomData<T>);

impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for TextVisitor<T> {
    type Value = Text<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text<T>, E> {
        text.parse().map(Text).map_err(E::custom)
    }
}

/// One or several; nothing is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Several<T>(pub Vec<T>);

impl<T> Default for Several<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Several<Text<T>> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SeveralVisitor(PhantomData))
    }
}

struct SeveralVisitor<T>(PhantomData<T>);

impl<T: FromStr<Err: fmt::Display>> SeveralVisitor<T> {
    fn one<E: Error>(text: &str) -> Result<Several<Text<T>>, E> {
        let one = TextVisitor(PhantomData).visit_str(text)?;
        Ok(Several(vec![one]))
    }
}

impl<'de, T: FromStr<Err: fmt::Display>> Visitor<'de> for SeveralVisitor<T> {
    type Value = Several<Text<T>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a list of texts")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Several::default())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Self::one(&number.to_string())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Self::one(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut all = Vec::new();
        while let Some(one) = list.next_element()? {
            all.push(one);
        }
        Ok(Several(all))
    }
}

/// Keys with their values, in the order they are written; nothing is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table<K, V>(pub Vec<(K, V)>);

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, K, V> Deserialize<'de> for Table<Text<K>, V>
where
    K: FromStr<Err: fmt::Display> + PartialEq + fmt::Display,
    V: Deserialize<'de>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TableVisitor(PhantomData))
    }
}

struct TableVisitor<K, V>(PhantomData<(K, V)>);

impl<'de, K, V> Visitor<'de> for TableVisitor<K, V>
where
    K: FromStr<Err: fmt::Display> + PartialEq + fmt::Display,
    V: Deserialize<'de>,
{
    type Value = Table<Text<K>, V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Table::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut all: Vec<(Text<K>, V)> = Vec::new();
        while let Some(key) = map.next_key::<Text<K>>()? {
            if all.iter().any(|(known, _)| *known == key) {
                let name = &key.0;
                return Err(A::Error::custom(format!("`{name}` appears twice")));
            }
            all.push((key, map.next_value()?));
        }
        Ok(Table(all))
    }
}

/// The name of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleName(pub &'static str);

impl FromStr for RuleName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let rule = Rule::named(name).map(|rule| Self(rule.name));
        rule.ok_or_else(|| {
            let nearest = suggest(name, RULES.iter().map(|rule| rule.name));
            let nearest = nearest.map_or_else(
                || "; `portplan rules` lists them".to_owned(),
                |nearest| format!("; did you mean `{nearest}`?"),
            );
            format!("there is no rule `{name}`{nearest}")
        })
    }
}

impl fmt::Display for RuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// A glob, as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob(pub String);

impl FromStr for Glob {
    type Err = InvalidGlob;

    fn from_str(text: &str) -> Result<Self, InvalidGlob> {
        text.parse::<Globs>().map(|_| Self(text.to_owned()))
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
