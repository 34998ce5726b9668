//! Checkstyle's XML, which many a CI server reads.

use super::check::Outcome;
use super::item::Item;
use super::{path_or_folder, xml};
use crate::finding::Severity;
use crate::source::Unit;

/// The findings, by file in the order of their first ones.
#[must_use]
pub fn render(outcome: &Outcome) -> String {
    let mut files: indexmap::IndexMap<String, Vec<Item<'_>>> = indexmap::IndexMap::new();
    for item in outcome.items() {
        let file = path_or_folder(item.path());
        files.entry(file).or_default().push(item);
    }
    let mut text = format!("{}<checkstyle version=\"4.3\">\n", xml::HEAD);
    for (file, items) in &files {
        text += &format!("  <file{}>\n", xml::attributes(&[("name", file)]));
        for item in items {
            text += &error(item);
        }
        text += "  </file>\n";
    }
    text + "</checkstyle>\n"
}

fn error(item: &Item<'_>) -> String {
    let start = item.spots.first().map(|spot| spot.start(Unit::Characters));
    let line = start.map_or(1, |start| start.line).to_string();
    let column = start.map_or(1, |start| start.column).to_string();
    let attributes = xml::attributes(&[
        ("line", &line),
        ("column", &column),
        (
            "severity",
            match item.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Notice => "info",
            },
        ),
        ("message", &item.text()),
        ("source", &format!("portplan.{}", item.code)),
    ]);
    format!("    <error{attributes}/>\n")
}
