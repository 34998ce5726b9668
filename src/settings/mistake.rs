//! What is wrong with a `portplan.yaml`: where, what, and what to type.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

use crate::compose::problem::{Kind, Problem};
use crate::source::SourceFile;
use crate::span::Span;

/// Names less alike than this are not meant.
const LIKENESS: f64 = 0.7;

/// The name that is most like this one, if any is at all.
#[must_use]
pub(super) fn suggest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let known = known.into_iter();
    let alike = known.map(|other| (strsim::jaro_winkler(other, name), other));
    let best = alike.max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(likeness, _)| *likeness > LIKENESS)
        .map(|(_, name)| name)
}

/// One thing that is wrong with the form.
#[derive(Debug)]
pub(super) struct Mistake {
    /// What.
    pub what: What,
    /// Where, as `pools[0].ports`, begun with `.` or `[`.
    path: String,
    /// The bytes.
    span: Option<Span>,
    /// The key, or the item of a list, that is wrong as a whole.
    pub unit: Option<Span>,
}

/// What is wrong.
#[derive(Debug)]
pub(super) enum What {
    /// A key that does not exist, and those that do.
    Key(String, &'static [&'static str]),
    /// A level that does not exist, and those that do.
    Level(String, &'static [&'static str]),
    /// A key that must be there.
    Missing {
        /// The key.
        key: &'static str,
        /// It is there, and wrong itself.
        known: bool,
    },
    /// What is there, and what should be.
    Type(String, String),
    /// As the words say.
    Words(String),
}

impl Mistake {
    fn new(what: What) -> Self {
        Self {
            what,
            path: String::new(),
            span: None,
            unit: None,
        }
    }

    /// The same, in these bytes, unless it has its own.
    pub(super) fn at(mut self, span: Span) -> Self {
        self.span.get_or_insert(span);
        self
    }

    /// The same, in a part of a mapping or a list, which is wrong as a whole unless something in it is.
    pub(super) fn within(mut self, step: &str, unit: Span) -> Self {
        self.path.insert_str(0, step);
        self.unit.get_or_insert(unit);
        self
    }

    /// True if it is in the value at this path, which begins with `.`.
    pub(super) fn is_at(&self, path: &str) -> bool {
        self.path == path
    }

    /// What is said of it; nothing if it only follows from another.
    pub(super) fn problem(self, file: &SourceFile, root: Span) -> Option<Problem> {
        let (message, help) = words(&self.what)?;
        let path = self.path.trim_start_matches('.');
        let message = match path {
            "" => message,
            path => format!("{path}: {message}"),
        };
        let span = Self::word(self.span.unwrap_or(root), file);
        let problem = Problem::error(Kind::Config, message).at(span, "here");
        Some(match help {
            Some(help) => problem.help(help),
            None => problem,
        })
    }

    /// The first word of a span: what is wrong may be long.
    pub(super) fn word(span: Span, file: &SourceFile) -> Span {
        let text = &file.text()[span.range()];
        let end = text.find([' ', ':', ',', '\n', '\r', ']', '}']);
        span.slice(0, end.map_or(span.len(), |end| end as u32))
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = words(&self.what);
        f.write_str(&words.map_or_else(String::new, |(message, _)| message))
    }
}

impl std::error::Error for Mistake {}

impl de::Error for Mistake {
    fn custom<T: fmt::Display>(words: T) -> Self {
        Self::new(What::Words(words.to_string()))
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(What::Type(found.to_string(), expected.to_string()))
    }

    fn unknown_variant(name: &str, known: &'static [&'static str]) -> Self {
        Self::new(What::Level(name.to_owned(), known))
    }

    fn unknown_field(name: &str, known: &'static [&'static str]) -> Self {
        Self::new(What::Key(name.to_owned(), known))
    }

    fn missing_field(key: &'static str) -> Self {
        Self::new(What::Missing { key, known: false })
    }
}

/// What is wrong, and what to do.
fn words(what: &What) -> Option<(String, Option<String>)> {
    let offer = |what: &str, name: &str, known: &[&str]| {
        let all = known.join(", ");
        match suggest(name, known.iter().copied()) {
            Some(nearest) => format!("did you mean `{nearest}`? The {what} are {all}"),
            None => format!("the {what} are {all}"),
        }
    };
    Some(match what {
        What::Key(name, known) => {
            let help = offer("keys", name, known);
            (format!("there is no key `{name}`"), Some(help))
        }
        What::Level(name, known) => {
            let help = offer("levels", name, known);
            (format!("there is no level `{name}`"), Some(help))
        }
        What::Missing { known: true, .. } => return None,
        What::Missing { key, .. } => {
            let write = example(key).map(|example| format!("write `{key}: {example}`"));
            (format!("`{key}` is missing"), write)
        }
        What::Type(found, expected) => {
            let (found, expected) = types(found, expected);
            let help = (expected == "a boolean").then(|| "write `true` or `false`".to_owned());
            let message = format!("this is {found}, where {expected} is expected");
            (message, help)
        }
        What::Words(words) => (words.clone(), None),
    })
}

/// What is there and what should be, in the words of YAML.
fn types<'e>(found: &str, expected: &'e str) -> (String, &'e str) {
    let found = match found.split_once(' ') {
        None if found == "sequence" => "a list".to_owned(),
        None if found == "map" => "a mapping".to_owned(),
        Some(("unit", _)) => "nothing".to_owned(),
        Some(("string", text)) => format!("the text {text}"),
        _ => format!("the {found}"),
    };
    let expected = match expected {
        "a sequence" => "a list",
        "a string" => "a text",
        "a UTF-8 path string" => "a path",
        _ if expected.starts_with("struct ") => "a mapping",
        _ => expected,
    };
    (found, expected)
}

/// What a key that must be there may hold.
fn example(key: &str) -> Option<&'static str> {
    match key {
        "version" => Some("1"),
        "ports" => Some("8000-8999"),
        "for" => Some("node exporter of the host"),
        "projects" => Some("[\"edge/**\"]"),
        _ => None,
    }
}
