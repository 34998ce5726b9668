//! Single entries of `ports`, each as a small project (`fixtures/tables`).

use std::fs;

use camino::Utf8Path;
use portplan::compose::environment::Environment;
use portplan::compose::project::{Project, Request};
use portplan::report::list::List;
use portplan::source::Memory;
use serde_json::{Value, json};

use super::compare;
use crate::common::say;

/// What `list` says of a project with one entry.
fn list(entry: &str) -> Value {
    let text = format!("services:\n  a:\n    image: x\n    ports:\n      - {entry}\n");
    let files = Memory([("/p/compose.yaml".into(), text.into_bytes())].into());
    let shell = Environment::from_shell([("PWD", "/p")]);
    let request = Request::default();
    let project = Project::load(&request, &shell, Utf8Path::new("/p"), &files, None);
    serde_json::to_value(List::of(&[project], &[])).unwrap()
}

/// Checks every row of a table, whose entries `entry` makes.
fn check(table: &str, rows: usize, entry: impl Fn(&Value) -> String) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/tables");
    let text = fs::read_to_string(format!("{folder}/{table}.jsonl")).unwrap();
    let mut wrong = Vec::new();
    for row in text.lines() {
        let row: Value = serde_json::from_str(row).unwrap();
        let mut answer = compare::expected(&row, row.get("upstream"));
        if let Some(error) = answer.get("error").and_then(Value::as_str) {
            let of_yaml = error.starts_with("yaml: ") || error.starts_with("failed to parse ");
            answer["kind"] = json!(if of_yaml { "yaml" } else { "ports" });
        }
        let differences = compare::differences(&answer, &list(&entry(&row)));
        wrong.extend((!differences.is_empty()).then(|| format!("{row}: {differences:?}")));
    }
    let all = text.lines().count();
    say(&format!(
        "conformance, {table}: {} of {all}",
        all - wrong.len()
    ));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(all, rows, "rows of {table}");
}

#[test]
fn short_entries_are_read_as_compose_reads_them() {
    check("shortforms", 381, |row| row["in"].to_string());
}

#[test]
fn scalars_are_read_as_compose_reads_them() {
    check("scalars", 101, |row| {
        row["yaml"].as_str().unwrap().to_owned()
    });
}

#[test]
fn long_entries_are_read_as_compose_reads_them() {
    check("longforms", 88, |row| {
        row["yaml"].as_str().unwrap().to_owned()
    });
}
