//! Reviewdog Diagnostic Format: comments on the lines of a change, with suggestions.

use serde::Serialize;

use super::check::Outcome;
use super::item::{Item, Spot};
use super::path_or_folder;
use super::replacement::replacement;
use crate::finding::Severity;
use crate::source::{SourceFile, Unit};
use crate::span::Span;

/// All findings as one result.
#[must_use]
pub fn render(outcome: &Outcome) -> String {
    let diagnostics = outcome.items();
    super::json(&Report {
        source: Source { name: "portplan" },
        diagnostics: diagnostics
            .map(|item| Diagnostic::of(&item, outcome))
            .collect(),
    })
}

#[derive(Serialize)]
struct Report<'a> {
    source: Source,
    diagnostics: Vec<Diagnostic<'a>>,
}

#[derive(Serialize)]
struct Source {
    name: &'static str,
}

#[derive(Serialize)]
struct Diagnostic<'a> {
    message: String,
    location: Location,
    severity: &'static str,
    code: Code<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suggestions: Vec<Suggestion>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Related<'a>>,
}

#[derive(Serialize)]
struct Code<'a> {
    value: &'a str,
}

#[derive(Serialize)]
struct Location {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<Range>,
}

#[derive(Serialize)]
struct Range {
    start: Position,
    end: Position,
}

/// Both from 1; columns count the bytes of UTF-8, and an end is not included.
#[derive(Serialize)]
struct Position {
    line: u32,
    column: u32,
}

#[derive(Serialize)]
struct Suggestion {
    range: Range,
    text: String,
}

#[derive(Serialize)]
struct Related<'a> {
    message: &'a str,
    location: Location,
}

impl<'a> Diagnostic<'a> {
    fn of(item: &Item<'a>, outcome: &Outcome) -> Self {
        let first = item.spots.first();
        let fix = item
            .as_finding()
            .and_then(|finding| replacement(finding, &outcome.world));
        // a suggestion is for the file that the comment is on
        let fix = fix.filter(|fix| first.is_some_and(|spot| std::ptr::eq(spot.file, fix.file)));
        Self {
            message: item.text(),
            location: Location {
                path: path_or_folder(item.path()),
                range: first.map(|spot| Range::of(spot.file, spot.span)),
            },
            severity: match item.severity {
                Severity::Error => "ERROR",
                Severity::Warning => "WARNING",
                Severity::Notice => "INFO",
            },
            code: Code { value: item.code },
            suggestions: fix
                .map(|fix| Suggestion {
                    range: Range::of(fix.file, fix.span),
                    text: fix.text,
                })
                .into_iter()
                .collect(),
            related_locations: item.spots.iter().skip(1).map(Related::of).collect(),
        }
    }
}

impl<'a> Related<'a> {
    fn of(spot: &Spot<'a>) -> Self {
        Self {
            message: spot.text,
            location: Location {
                path: path_or_folder(Some(spot.file.path())),
                range: Some(Range::of(spot.file, spot.span)),
            },
        }
    }
}

impl Range {
    fn of(file: &SourceFile, span: Span) -> Self {
        let at = |byte| {
            let place = file.position_in(byte, Unit::Utf8);
            Position {
                line: place.line,
                column: place.column,
            }
        };
        Self {
            start: at(span.start),
            end: at(span.end),
        }
    }
}
