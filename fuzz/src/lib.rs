//! What must hold of any input, whoever made it.
//!
//! The fuzz targets call these functions with what libFuzzer makes up;
//! `tests/it/fuzz_regressions.rs` includes this file and calls them with the seeds and with what
//! the fuzzer has found before.

use std::collections::BTreeSet;

use camino::Utf8Path;
use portplan::compose::dotenv::Variables;
use portplan::compose::environment::Environment;
use portplan::compose::interpolate;
use portplan::compose::port::{Origin, OriginKind, parse_short};
use portplan::compose::project::{Project, Request};
use portplan::compose::text::Text;
use portplan::report::list::List;
use portplan::source::{Memory, SourceFile, SourceMap};
use portplan::span::{FileId, Span};
use portplan::yaml::{Node, Value};

pub mod seeds;

/// The files that the input of [`project`] is divided into.
pub const FILES: [&str; 4] = [
    "compose.yaml",
    "compose.override.yaml",
    "other.yaml",
    ".env",
];

/// What divides them.
pub const SEPARATOR: &str = "\n====\n";

/// A target: what it is called and what must not fail.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 5] = [
    ("yaml", yaml),
    ("interpolate", self::interpolate),
    ("dotenv", dotenv),
    ("port", port),
    ("project", project),
];

/// A map of one file, if the bytes are text.
fn source(bytes: &[u8]) -> Option<(SourceMap, FileId)> {
    let mut sources = SourceMap::new();
    let id = sources.add(SourceFile::decode("file", bytes.to_vec()).ok()?);
    Some((sources, id))
}

/// A span is in its file and divides no character.
fn check_span(span: Span, sources: &SourceMap) {
    let text = sources.file(span.file).text();
    assert!(text.get(span.range()).is_some(), "{span:?} of {text:?}");
    // neither of these may panic
    let _ = sources.position(span);
    let _ = sources.file(span.file).disk_range(span);
}

/// Every byte of a text is where it says, as far as it says so exactly.
fn check_text(text: &Text, sources: &SourceMap) {
    for (at, character) in text.value().char_indices() {
        let len = character.len_utf8();
        let Some(span) = text.slice(at..at + len).single().and_then(|w| w.span()) else {
            continue;
        };
        check_span(span, sources);
        if span.len() as usize == len {
            let mut bytes = [0; 4];
            let written = sources.slice(span);
            // a line break becomes a blank or `\n`, an escape what it stands for
            let rewritten = matches!(character, ' ' | '\n') || written.starts_with('\\');
            assert!(
                written == character.encode_utf8(&mut bytes) || rewritten,
                "{character:?} is not {written:?} at {span:?}"
            );
        }
    }
}

/// How many nodes of a tree to look at: aliases repeat.
const NODES: usize = 20_000;

/// Checks two readings of one tree: all spans, and that both are the same.
fn check_trees(a: &Node, b: &Node, sources: &SourceMap, left: &mut usize) {
    let Some(less) = left.checked_sub(1) else {
        return;
    };
    *left = less;
    assert_eq!((a.span, a.steps()), (b.span, b.steps()));
    check_span(a.span, sources);
    for step in a.steps() {
        check_span(step.span, sources);
    }
    match (&a.value, &b.value) {
        (Value::Sequence(a), Value::Sequence(b)) => {
            assert_eq!(a.len(), b.len());
            for (a, b) in a.iter().zip(b.iter()) {
                check_trees(a, b, sources, left);
            }
        }
        (Value::Mapping(a), Value::Mapping(b)) => {
            assert!(
                a.iter()
                    .map(|(key, _)| key)
                    .eq(b.iter().map(|(key, _)| key))
            );
            for ((_, a), (_, b)) in a.iter().zip(b.iter()) {
                check_span(a.key, sources);
                check_trees(&a.value, &b.value, sources, left);
            }
        }
        (Value::Str(_), Value::Str(_)) => {
            let text = a.to_text(sources).unwrap();
            assert_eq!(text.value(), a.as_str().unwrap());
            assert_eq!(a.as_str(), b.as_str());
            check_text(&text, sources);
        }
        (Value::Float(a), Value::Float(b)) => assert_eq!(a.to_bits(), b.to_bits()),
        _ => assert!(a.same(b)),
    }
}

/// YAML: spans are in the text, strings are where they say, one input gives one tree.
pub fn yaml(data: &[u8]) {
    let Some((sources, id)) = source(data) else {
        return;
    };
    let read = || portplan::yaml::parse(sources.file(id), id);
    match (read(), read()) {
        (Ok(a), Ok(b)) => {
            assert_eq!(a.len(), b.len());
            for (a, b) in a.iter().zip(&b) {
                check_trees(a, b, &sources, &mut { NODES });
            }
        }
        (Err(a), Err(b)) => {
            assert_eq!(a, b);
            check_span(a.span, &sources);
            if let Some((other, _)) = a.other {
                check_span(other, &sources);
            }
        }
        _ => panic!("one input, two results"),
    }
}

/// An env file: values are where they say.
pub fn dotenv(data: &[u8]) {
    let Some((sources, id)) = source(data) else {
        return;
    };
    let shell = Environment::from_shell([("A", "1"), ("E", "")]);
    let read = || {
        let (mut variables, mut unset) = (Variables::new(), BTreeSet::new());
        let file = sources.file(id);
        let result = portplan::compose::dotenv::parse(file, id, &shell, &mut variables, &mut unset);
        (result, variables, unset)
    };
    let (result, variables, unset) = read();
    assert_eq!(read(), (result.clone(), variables.clone(), unset));
    if let Err(error) = result {
        check_span(error.span, &sources);
    }
    for value in variables.values() {
        check_text(value, &sources);
    }
}

/// A template, then after a NUL an env file: what comes of it is where it says.
pub fn interpolate(data: &[u8]) {
    let mut parts = data.splitn(2, |byte| *byte == 0);
    let template = parts.next().unwrap_or_default();
    let Some((mut sources, id)) = source(template) else {
        return;
    };
    let Ok(env) = SourceFile::decode(".env", parts.next().unwrap_or_default().to_vec()) else {
        return;
    };
    let env = sources.add(env);
    let mut environment = Environment::from_shell([("V", "val"), ("E", ""), ("P", "80")]);
    let files = [(env, sources.file(env))];
    if environment
        .add_env_files(files, &mut BTreeSet::new())
        .is_err()
    {
        return;
    }
    let text = sources.file(id).text();
    let template = Text::literal(text, Span::new(id, 0, text.len() as u32));
    let read = || {
        let mut unset = BTreeSet::new();
        let result = interpolate::interpolate(&template, &environment, &mut unset);
        (result, unset)
    };
    let (result, unset) = read();
    assert_eq!(read(), (result.clone(), unset));
    match result {
        Ok(text) => check_text(&text, &sources),
        Err(error) => {
            assert!(text.get(error.range.clone()).is_some(), "{:?}", error.range);
            if let Some(span) = template.extent(error.range) {
                check_span(span, &sources);
            }
        }
    }
}

/// A short entry: what it publishes is written in it.
pub fn port(data: &[u8]) {
    let Ok(entry) = str::from_utf8(data) else {
        return;
    };
    let result = parse_short(entry);
    assert_eq!(parse_short(entry), result);
    match result {
        Err(error) => assert!(entry.get(error.at.clone()).is_some(), "{:?}", error.at),
        Ok(ports) => {
            assert!(!ports.is_empty());
            for port in ports {
                let written = entry.get(port.published_at).unwrap();
                match port.published {
                    Some(published) => assert!(writes(written, &published), "{written:?}"),
                    None => assert_eq!(written, ""),
                }
            }
        }
    }
}

/// Several files: a project that is the same each time, its ports where they say.
pub fn project(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else {
        return;
    };
    let parts = FILES.iter().zip(text.split(SEPARATOR));
    let parts = parts.filter(|(_, text)| !text.is_empty());
    let folder = Utf8Path::new("/p");
    let files = Memory(
        parts
            .map(|(name, text)| (folder.join(name), text.into()))
            .collect(),
    );
    let shell = Environment::from_shell([("PWD", "/p"), ("V", "val"), ("P", "80")]);
    let read = || Project::load(&Request::default(), &shell, folder, &files, None);
    let (project, again) = (read(), read());
    assert_eq!(project.problems, again.problems);
    for problem in &project.problems {
        for (span, _) in &problem.labels {
            check_span(*span, &project.sources);
        }
    }
    let ports = |project: &Project| {
        let ports = project
            .services
            .iter()
            .flat_map(|service| service.ports.clone());
        ports.collect::<Vec<_>>()
    };
    assert_eq!(ports(&project), ports(&again));
    for port in ports(&project) {
        check_origin(&port.origin, port.published.as_deref(), &project.sources);
    }
    let json = |project| serde_json::to_string(&List::of(&[project], &[])).unwrap();
    assert_eq!(json(project), json(again));
}

fn check_origin(origin: &Origin, published: Option<&str>, sources: &SourceMap) {
    check_span(origin.span, sources);
    check_span(origin.entry, sources);
    for step in &origin.trail {
        check_span(step.span, sources);
    }
    let in_file = !matches!(origin.kind, OriginKind::Shell { .. } | OriginKind::Mixed);
    if let Some(published) = published.filter(|_| in_file) {
        let written = sources.slice(origin.span);
        assert!(writes(written, published), "{written:?} for {published:?}");
    }
}

/// Whether `text` writes the port or range `published`, in whatever notation.
pub fn writes(text: &str, published: &str) -> bool {
    let numbers = |text: &str| -> Option<(u64, u64)> {
        let mut ends = text.split('-').map(|end| end.parse().ok());
        let first = ends.next()??;
        Some((first, ends.next().unwrap_or(Some(first))?))
    };
    let within = |(first, last): (u64, u64)| {
        numbers(published).is_some_and(|(from, to)| first <= from && to <= last)
    };
    // quotes, escapes and line breaks are not worth another YAML reader
    let rewritten = text.contains(['\\', '\'', '\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'])
        || text.contains("$$");
    text.contains(published)
        || numbers(text).is_some_and(within)
        || integer(text).is_some_and(|number| number == published)
        || rewritten
}

/// A whole number in one of YAML's other notations, in decimal.
fn integer(text: &str) -> Option<String> {
    let text = text.replace(['_', '+'], "").to_lowercase();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", &*text),
    };
    let number = match digits.as_bytes() {
        [b'0', b'x', ..] => u64::from_str_radix(&digits[2..], 16),
        [b'0', b'o', ..] => u64::from_str_radix(&digits[2..], 8),
        [b'0', b'b', ..] => u64::from_str_radix(&digits[2..], 2),
        [b'0', _, ..] => u64::from_str_radix(digits, 8),
        _ => digits.parse(),
    };
    Some(format!("{sign}{}", number.ok()?))
}
