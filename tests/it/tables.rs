//! Tables of single inputs and what the real Docker Compose made of them (`fixtures/tables`).

use std::collections::BTreeSet;
use std::fs;

use portplan::compose::dotenv::DotenvErrorKind;
use portplan::compose::environment::Environment;
use portplan::compose::interpolate::{InterpolationErrorKind, Lookup, interpolate};
use portplan::compose::text::Text;
use portplan::source::{SourceFile, SourceMap};
use portplan::span::Span;
use serde_json::Value;

/// Runs `disagreement` on each row of a table and asserts that there are `expected` rows and that
/// none disagrees.
fn check(table: &str, expected: usize, disagreement: impl Fn(&Value) -> Option<String>) {
    let path = format!(
        "{}/fixtures/tables/{table}.jsonl",
        env!("CARGO_MANIFEST_DIR")
    );
    let rows = fs::read_to_string(path).unwrap();
    let rows: Vec<Value> = rows
        .lines()
        .map(|row| serde_json::from_str(row).unwrap())
        .collect();
    let wrong: Vec<_> = rows
        .iter()
        .filter_map(|row| disagreement(row).map(|found| format!("{row}\n  found {found}")))
        .collect();
    println!("{table}: {} of {}", rows.len() - wrong.len(), rows.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(rows.len(), expected, "rows of {table}");
}

/// The answer of Docker's own build where the binary that made the table differs from it.
fn answer(row: &Value) -> &Value {
    row.get("upstream").unwrap_or(row)
}

fn unset(row: &Value) -> BTreeSet<String> {
    let names = row.get("unset").and_then(Value::as_array);
    let names = names.into_iter().flatten();
    names
        .map(|name| name.as_str().unwrap().to_owned())
        .collect()
}

/// True if `kind` is the error that Compose reports as `text`.
fn is_interpolation_error(kind: &InterpolationErrorKind, text: &str) -> bool {
    match kind {
        InterpolationErrorKind::InvalidFormat { template } => {
            let in_document = text.contains("invalid interpolation format")
                && text.ends_with(&format!("another $.\n{template}"));
            in_document || text.contains(".env: Invalid template: ")
        }
        InterpolationErrorKind::MissingRequired { variable, message } => {
            let message = message.as_ref().map_or(String::new(), |m| format!(": {m}"));
            text.ends_with(&format!(
                "required variable {variable} is missing a value{message}"
            ))
        }
        InterpolationErrorKind::TooDeep | InterpolationErrorKind::TooLong => false,
    }
}

#[test]
fn interpolation_agrees_with_compose() {
    let environment = Environment::from_shell([
        ("V", "val"),
        ("E", ""),
        ("P", "80"),
        ("DEF", "dd"),
        ("D", "$P"),
        ("B", "${P}"),
    ]);
    let mut files = SourceMap::new();
    let file = files.add(SourceFile::decode("compose.yaml", Vec::new()).unwrap());
    check("interp", 109, |row| {
        let template = row["template"].as_str().unwrap();
        let template = Text::literal(template, Span::new(file, 0, template.len() as u32));
        let mut found_unset = BTreeSet::new();
        let found = interpolate(&template, &environment, &mut found_unset);
        let expected = answer(row);
        let agrees = match (&found, expected["error"].as_str()) {
            (Ok(text), None) => expected["value"] == text.value() && unset(expected) == found_unset,
            (Err(error), Some(text)) => is_interpolation_error(&error.kind, text),
            _ => false,
        };
        (!agrees).then(|| format!("{found:?} {found_unset:?}"))
    });
}

#[test]
fn env_files_agree_with_compose() {
    check("dotenv", 99, |row| {
        let text = row["dotenv"].as_str().unwrap();
        let mut files = SourceMap::new();
        let id = files.add(SourceFile::decode(".env", text.as_bytes().to_vec()).unwrap());
        let mut environment = Environment::from_shell([("OS", "shell")]);
        let mut found_unset = BTreeSet::new();
        let found = environment.add_env_files([(id, files.file(id))], &mut found_unset);
        let expected = answer(row);
        let agrees = match (&found, expected["error"].as_str()) {
            (Ok(()), None) => {
                let agrees = |name| {
                    let value = environment.lookup(name).map(Text::value);
                    value == expected["vars"].get(name).and_then(Value::as_str)
                };
                ["A", "B", "C"].into_iter().all(agrees) && unset(expected) == found_unset
            }
            (Err(error), Some(text)) => {
                let line = format!("line {}: ", files.position(error.span).line);
                match &error.kind {
                    DotenvErrorKind::UnexpectedCharacter { .. } => {
                        text.contains(&(line + "unexpected character"))
                    }
                    DotenvErrorKind::SpaceInKey => text.contains(&(line + "key cannot contain")),
                    DotenvErrorKind::UnterminatedQuote => {
                        text.contains("unterminated quoted value")
                    }
                    DotenvErrorKind::Interpolation(error) => {
                        is_interpolation_error(&error.kind, text)
                    }
                    DotenvErrorKind::MissingKey => text.ends_with("zero length string"),
                    DotenvErrorKind::NotUtf8 | DotenvErrorKind::TooLarge => false,
                }
            }
            _ => false,
        };
        (!agrees).then(|| format!("{found:?} {found_unset:?} {environment:?}"))
    });
}
