//! The forms in which a check can be printed.

use clap::ValueEnum;

use super::check::{Findings, Outcome};
use super::human::Style;
use super::{checkstyle, concise, github, gitlab, human, junit, markdown, rdjson, sarif};

/// A form in which a check is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// With the lines of the files
    Human,
    /// One line for each finding
    Concise,
    /// For programs; see `portplan schema findings`
    Json,
    /// SARIF 2.1.0, for code scanners
    Sarif,
    /// Annotations of GitHub Actions
    Github,
    /// Code Quality of GitLab
    Gitlab,
    /// JUnit XML, a test for each finding
    Junit,
    /// Checkstyle XML
    Checkstyle,
    /// Reviewdog Diagnostic Format
    Rdjson,
    /// A table, for a comment or a step's summary
    Markdown,
}

impl Format {
    /// An outcome in this form; `style` is for people only.
    #[must_use]
    pub fn render(self, outcome: &Outcome, style: Style) -> String {
        match self {
            Self::Human => human::render(outcome, style),
            Self::Concise => concise::render(outcome),
            Self::Json => super::json(&Findings::of(outcome)),
            Self::Sarif => sarif::render(outcome),
            Self::Github => github::render(outcome),
            Self::Gitlab => gitlab::render(outcome),
            Self::Junit => junit::render(outcome),
            Self::Checkstyle => checkstyle::render(outcome),
            Self::Rdjson => rdjson::render(outcome),
            Self::Markdown => markdown::render(outcome),
        }
    }
}
