//! What is wrong with a `portplan.yaml`: where, what, and what to type.

use crate::compose::problem::{Kind, Problem};
use crate::source::SourceFile;
use crate::span::{FileId, Span};

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

/// The problem that an error of the parser is.
pub(super) fn problem(error: &serde_yaml::Error, file: &SourceFile, id: FileId) -> Problem {
    let text = error.to_string();
    let place = error.location();
    // the place is shown as all places are
    let text = text
        .rsplit_once(" at line ")
        .map_or(&*text, |(text, _)| text);
    let (message, help) = words(text);
    let problem = Problem::error(Kind::Config, message);
    let problem = match place {
        Some(place) => problem.at(span(file, id, place.line(), place.column()), "here"),
        None => problem.at(Span::new(id, 0, 0), ""),
    };
    match help {
        Some(help) => problem.help(help),
        None => problem,
    }
}

/// What the parser says, in the words of this project; serde has the names between backticks.
fn words(text: &str) -> (String, Option<String>) {
    let (path, what) = match text.split_once(": ") {
        Some((path, what)) if !path.contains([' ', '`']) => (Some(path), what),
        _ => (None, text),
    };
    let mut names = what.split('`').skip(1).step_by(2);
    let name = names.next().unwrap_or_default();
    let known: Vec<&str> = names.collect();
    let inside = path.map_or_else(String::new, |path| format!("{path}: "));
    let nearest = suggest(name, known.iter().copied());
    let offer = |what: &str| match nearest {
        Some(nearest) => format!("did you mean `{nearest}`? The {what} are {}", list(&known)),
        None => format!("the {what} are {}", list(&known)),
    };
    if what.starts_with("unknown field") {
        (
            format!("{inside}there is no key `{name}`"),
            Some(offer("keys")),
        )
    } else if what.starts_with("unknown variant") {
        (
            format!("{inside}there is no level `{name}`"),
            Some(offer("levels")),
        )
    } else if what.starts_with("missing field") {
        let write = example(name).map(|example| format!("write `{name}: {example}`"));
        (format!("{inside}`{name}` is missing"), write)
    } else if let Some((found, expected)) = other_type(what) {
        let help = (expected == "a boolean").then(|| "write `true` or `false`".to_owned());
        (
            format!("{inside}this is {found}, where {expected} is expected"),
            help,
        )
    } else {
        (format!("{inside}{what}"), None)
    }
}

/// What is there and what should be: `invalid type: sequence, expected a mapping`.
fn other_type(what: &str) -> Option<(String, &str)> {
    let (found, expected) = what
        .strip_prefix("invalid type: ")?
        .rsplit_once(", expected ")?;
    let found = match found.split_once(' ') {
        None if found == "sequence" => "a list".to_owned(),
        None if found == "map" => "a mapping".to_owned(),
        Some(("unit", _)) => "nothing".to_owned(),
        Some(("string", text)) => format!("the text {text}"),
        _ => format!("the {found}"),
    };
    let expected = match expected {
        "a sequence" => "a list",
        _ if expected.starts_with("struct ") => "a mapping",
        _ => expected,
    };
    Some((found, expected))
}

fn list(names: &[&str]) -> String {
    names.join(", ")
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

/// From a place, a line and a character from 1, to the end of the word there.
fn span(file: &SourceFile, id: FileId, line: usize, column: usize) -> Span {
    let text = file.text();
    let lines = text.split_inclusive('\n');
    let start: usize = lines.take(line.saturating_sub(1)).map(str::len).sum();
    let rest = &text[start.min(text.len())..];
    let before = rest.chars().take(column.saturating_sub(1));
    let start = start + before.map(char::len_utf8).sum::<usize>();
    let word = text.get(start..).unwrap_or_default();
    let end = word.find([' ', ':', ',', '\n', '\r', ']', '}']);
    let end = start + end.unwrap_or(word.len());
    let at = |offset: usize| u32::try_from(offset.min(text.len())).unwrap_or(u32::MAX);
    Span::new(id, at(start), at(end))
}
