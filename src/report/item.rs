//! What reports that list things one by one show: a finding, or a problem, alike.

use camino::Utf8Path;

use super::check::Outcome;
use super::concise;
use crate::compose::problem::{Gravity, Problem};
use crate::finding::{Finding, Severity};
use crate::fingerprint::Fingerprint;
use crate::source::{LineColumn, SourceFile, SourceMap, Unit};
use crate::span::Span;

/// One thing to report.
#[derive(Clone, Debug)]
pub struct Item<'a> {
    /// How grave it is.
    pub severity: Severity,
    /// The rule, or the kind of the problem.
    pub code: &'a str,
    /// What is wrong.
    pub message: &'a str,
    /// The places; the first is where it is.
    pub spots: Vec<Spot<'a>>,
    /// What to do and what else is known, each after a word.
    pub advice: Vec<(&'static str, &'a str)>,
    what: What<'a>,
}

#[derive(Clone, Copy, Debug)]
enum What<'a> {
    Finding(&'a Finding),
    Problem(&'a Problem),
}

/// Some bytes of a file, with a word on them.
#[derive(Clone, Copy, Debug)]
pub struct Spot<'a> {
    /// The file.
    pub file: &'a SourceFile,
    /// The bytes.
    pub span: Span,
    /// The word.
    pub text: &'a str,
}

impl Outcome {
    /// What makes the view partial, then what the rules found.
    pub fn items(&self) -> impl Iterator<Item = Item<'_>> {
        let problems = self.problems(Gravity::Error);
        let problems = problems.map(|(problem, sources)| Item::problem(problem, sources));
        let findings = self.findings.iter();
        problems.chain(findings.map(|finding| Item::finding(finding, self)))
    }
}

impl<'a> Item<'a> {
    /// A finding of an outcome.
    #[must_use]
    pub fn finding(finding: &'a Finding, outcome: &'a Outcome) -> Self {
        let spots = finding.labels.iter().map(|label| {
            let sources = &outcome.world.projects[label.project].sources;
            Spot::of(label.span, &label.text, sources)
        });
        let help = finding.help.iter().map(|line| ("help", line.as_str()));
        let notes = finding.notes.iter().map(|line| ("note", line.as_str()));
        Self {
            severity: finding.severity,
            code: finding.rule,
            message: &finding.message,
            spots: spots.collect(),
            advice: help.chain(notes).collect(),
            what: What::Finding(finding),
        }
    }

    /// A problem; `sources` are those that it points into.
    #[must_use]
    pub fn problem(problem: &'a Problem, sources: &'a SourceMap) -> Self {
        let spots = problem.labels.iter();
        let help = problem.help.iter().map(|line| ("help", line.as_str()));
        Self {
            severity: match problem.gravity {
                Gravity::Error => Severity::Error,
                Gravity::Notice => Severity::Notice,
            },
            code: concise::kind(problem.kind),
            message: &problem.message,
            spots: spots
                .map(|(span, text)| Spot::of(*span, text, sources))
                .collect(),
            advice: help.collect(),
            what: What::Problem(problem),
        }
    }

    /// The finding, if it is no problem.
    #[must_use]
    pub fn as_finding(&self) -> Option<&'a Finding> {
        match self.what {
            What::Finding(finding) => Some(finding),
            What::Problem(_) => None,
        }
    }

    /// The file it is in, if it is in one.
    #[must_use]
    pub fn path(&self) -> Option<&'a Utf8Path> {
        let named = match self.what {
            What::Finding(_) => None,
            What::Problem(problem) => problem.file.as_deref(),
        };
        self.spots.first().map(|spot| spot.file.path()).or(named)
    }

    /// What names it; a finding's, wherever its lines go.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        match self.what {
            What::Finding(finding) => finding.fingerprint.clone(),
            What::Problem(_) => {
                let place = match self.spots.first() {
                    Some(spot) => spot.place(),
                    None => self.path().map_or_else(String::new, Utf8Path::to_string),
                };
                Fingerprint::of([self.code, &place, self.message])
            }
        }
    }

    /// The message and what to do, a line each.
    #[must_use]
    pub fn text(&self) -> String {
        let advice = self.advice.iter();
        advice.fold(self.message.to_owned(), |text, (word, line)| {
            format!("{text}\n{word}: {line}")
        })
    }
}

impl<'a> Spot<'a> {
    fn of(span: Span, text: &'a str, sources: &'a SourceMap) -> Self {
        Self {
            file: sources.file(span.file),
            span,
            text,
        }
    }

    /// Where it begins.
    #[must_use]
    pub fn start(&self, unit: Unit) -> LineColumn {
        self.file.position_in(self.span.start, unit)
    }

    /// Where it ends: the column after its last.
    #[must_use]
    pub fn end(&self, unit: Unit) -> LineColumn {
        self.file.position_in(self.span.end, unit)
    }

    /// `FILE:LINE:COLUMN`
    #[must_use]
    pub fn place(&self) -> String {
        let start = self.start(Unit::Characters);
        format!("{}:{}:{}", self.file.path(), start.line, start.column)
    }
}
