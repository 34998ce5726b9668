//! One line a finding, as compilers print them.

use std::fmt::Write as _;

use super::check::Outcome;
use super::place::{Place, ProblemPlace};
use super::plain;
use crate::compose::problem::{Gravity, Kind};
use crate::finding::Severity;

/// `FILE:LINE:COLUMN: SEVERITY[RULE]: MESSAGE`, problems first.
#[must_use]
pub fn render(outcome: &Outcome) -> String {
    let mut text = String::new();
    for (problem, sources) in outcome.problems(Gravity::Error) {
        let _ = writeln!(
            text,
            "{}",
            problem_line("error", &ProblemPlace::of(problem, sources))
        );
    }
    for finding in &outcome.findings {
        let place = finding
            .labels
            .first()
            .map(|label| Place::of(label.span, &outcome.world.projects[label.project].sources));
        let place = place.map_or_else(String::new, |place| at(&place));
        let severity = severity(finding.severity);
        let line = format!("{place}{severity}[{}]: {}", finding.rule, finding.message);
        let _ = writeln!(text, "{}", plain(&line));
    }
    text
}

/// A problem in one line.
#[must_use]
pub fn problem_line(word: &str, problem: &ProblemPlace) -> String {
    let mut text = String::new();
    if let Some(file) = &problem.file {
        text += &format!("{file}:");
        if let (Some(line), Some(column)) = (problem.line, problem.column) {
            text += &format!("{line}:{column}:");
        }
        text.push(' ');
    }
    text += &format!("{word}[{}]: {}", kind(problem.kind), problem.message);
    plain(&text).into_owned()
}

fn at(place: &Place) -> String {
    format!("{}:{}:{}: ", place.file, place.line, place.column)
}

/// A severity in one word.
#[must_use]
pub fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Notice => "notice",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

/// A kind of problem in one word, as in JSON.
#[must_use]
pub fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Ports => "ports",
        Kind::Yaml => "yaml",
        Kind::Interpolation => "interpolation",
        Kind::Schema => "schema",
        Kind::Extends => "extends",
        Kind::Include => "include",
        Kind::Merge => "merge",
        Kind::Env => "env",
        Kind::Name => "name",
        Kind::File => "file",
        Kind::Consistency => "consistency",
        Kind::Machine => "machine",
        Kind::Config => "config",
    }
}
