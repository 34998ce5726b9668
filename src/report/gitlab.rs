//! The Code Quality report of GitLab, which is one of Code Climate, too.

use serde::Serialize;

use super::check::Outcome;
use super::item::Item;
use crate::finding::Severity;
use crate::fingerprint::Fingerprint;
use crate::source::Unit;

/// All findings as one list.
#[must_use]
pub fn render(outcome: &Outcome) -> String {
    let issues: Vec<Issue<'_>> = outcome.items().map(|item| Issue::of(&item)).collect();
    super::json(&issues)
}

#[derive(Serialize)]
struct Issue<'a> {
    r#type: &'static str,
    description: String,
    check_name: &'a str,
    categories: [&'static str; 1],
    fingerprint: Fingerprint,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
    end: u32,
}

impl<'a> Issue<'a> {
    fn of(item: &Item<'a>) -> Self {
        let lines = |spot: &super::item::Spot<'_>| Lines {
            begin: spot.start(Unit::Characters).line,
            end: spot.end(Unit::Characters).line,
        };
        Self {
            r#type: "issue",
            // GitLab shows one line
            description: item.text().replace('\n', "; "),
            check_name: item.code,
            categories: ["Bug Risk"],
            fingerprint: item.fingerprint(),
            severity: match (item.as_finding(), item.severity) {
                (None, _) => "critical",
                (_, Severity::Error) => "major",
                (_, Severity::Warning) => "minor",
                (_, Severity::Notice) => "info",
            },
            location: Location {
                path: super::path_or_folder(item.path()),
                lines: item.spots.first().map_or(Lines { begin: 1, end: 1 }, lines),
            },
        }
    }
}
