//! Workflow commands of GitHub Actions: annotations on the lines of a change.

use std::fmt::Write as _;

use super::check::Outcome;
use super::concise;
use super::item::Item;
use crate::source::Unit;

/// A command a finding: `::error file=…,line=…::…`.
#[must_use]
pub fn render(outcome: &Outcome) -> String {
    let mut text = String::new();
    for item in outcome.items() {
        let _ = writeln!(text, "{}", command(&item));
    }
    text
}

fn command(item: &Item<'_>) -> String {
    let mut properties = Vec::new();
    if let Some(path) = item.path() {
        properties.push(("file", path.to_string()));
    }
    if let Some(spot) = item.spots.first() {
        let (start, end) = (spot.start(Unit::Characters), spot.end(Unit::Characters));
        properties.push(("line", start.line.to_string()));
        // GitHub takes columns of one line only
        if start.line == end.line {
            properties.push(("col", start.column.to_string()));
            properties.push(("endColumn", end.column.to_string()));
        } else {
            properties.push(("endLine", end.line.to_string()));
        }
    }
    properties.push(("title", item.code.to_owned()));
    let properties: Vec<String> = properties
        .iter()
        .map(|(name, value)| format!("{name}={}", property(value)))
        .collect();
    let mut message = item.text();
    for spot in item.spots.iter().skip(1) {
        let _ = write!(message, "\n{}: {}", spot.place(), spot.text);
    }
    format!(
        "::{} {}::{}",
        concise::severity(item.severity),
        properties.join(","),
        data(&message)
    )
}

/// What a message may not hold as it is.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// What a property may not hold as it is.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
