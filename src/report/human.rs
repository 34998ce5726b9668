//! For people: the user's own lines, the reason, the next step.

use std::fmt;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError,
    MietteSpanContents, SourceCode, SourceSpan, SpanContents,
};

use super::check::Outcome;
use anstyle::AnsiColor;

use super::concise::{self, problem_line};
use super::place::ProblemPlace;
use crate::compose::problem::{Gravity, Problem};
use crate::finding::{Finding, Severity};
use crate::source::{SourceFile, SourceMap};
use crate::span::Span;

/// More places than these are counted, not shown.
const MAX_LABELS: usize = 8;

/// How to print for people.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// With colours.
    pub colour: bool,
    /// Columns of the terminal.
    pub width: usize,
    /// With what was assumed.
    pub verbose: bool,
}

/// All that a check has to say, ending with one line that sums it up.
#[must_use]
pub fn render(outcome: &Outcome, style: Style) -> String {
    let theme = if style.colour {
        GraphicalTheme::unicode()
    } else {
        GraphicalTheme::unicode_nocolor()
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_links(false)
        .with_width(style.width)
        .with_context_lines(0);
    let mut text = String::new();
    for (problem, sources) in outcome.problems(Gravity::Error) {
        show(
            &mut text,
            &handler,
            style,
            &Shown::problem(problem, sources),
        );
    }
    for finding in &outcome.findings {
        show(
            &mut text,
            &handler,
            style,
            &Shown::finding(finding, outcome),
        );
    }
    if style.verbose {
        for (problem, sources) in outcome.problems(Gravity::Notice) {
            text += &problem_line("notice", &ProblemPlace::of(problem, sources));
            text.push('\n');
        }
    }
    for remark in &outcome.remarks {
        text += &format!("note: {remark}\n");
    }
    text + &summary(outcome, style.verbose) + "\n"
}

/// A diagnostic: its head, the lines of each file, the next step.
fn show(text: &mut String, handler: &GraphicalReportHandler, style: Style, shown: &Shown<'_>) {
    let (severity, bold) = match (style.colour, shown.severity) {
        (false, _) => (anstyle::Style::new(), anstyle::Style::new()),
        (true, severity) => {
            let colour = match severity {
                Severity::Error => AnsiColor::Red,
                Severity::Warning => AnsiColor::Yellow,
                Severity::Notice => AnsiColor::Cyan,
            };
            (colour.on_default().bold(), anstyle::Style::new().bold())
        }
    };
    let word = concise::severity(shown.severity);
    let (code, message) = (shown.code, shown.message);
    *text += &format!("{severity}{word}[{code}]{severity:#}{bold}: {message}{bold:#}\n");
    for snippet in &shown.snippets {
        let mut drawn = String::new();
        // a place outside of its file draws nothing: the words are still right
        let _ = handler.render_report(&mut drawn, snippet);
        if let Some(frame) = drawn.lines().position(|line| line.contains('╭')) {
            for line in drawn.lines().skip(frame).filter(|line| !line.is_empty()) {
                *text += line;
                text.push('\n');
            }
        }
    }
    for (word, line) in &shown.advice {
        *text += &format!("  {bold}{word}{bold:#}: {line}\n");
    }
    text.push('\n');
}

/// `2 projects, 7 published ports: 1 error, 2 warnings.`
fn summary(outcome: &Outcome, verbose: bool) -> String {
    let world = &outcome.world;
    let ports = world.projects.iter().flat_map(|project| {
        let services = project.services.iter();
        let on = services.filter(|service| project.profiles.may_enable(&service.profiles));
        on.map(|service| service.ports.len())
    });
    let of = |severity| {
        outcome
            .findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    };
    let problems = outcome.problems(Gravity::Error).count();
    let counts = [
        (problems, "problem"),
        (of(Severity::Error), "error"),
        (of(Severity::Warning), "warning"),
        (of(Severity::Notice), "notice"),
    ];
    let counts: Vec<String> = counts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| count(*number, word))
        .collect();
    let counts = if counts.is_empty() {
        "no collision".to_owned()
    } else {
        counts.join(", ")
    };
    let mut text = format!(
        "{}, {}: {counts}.",
        count(world.projects.len(), "project"),
        count(ports.sum(), "published port"),
    );
    if problems > 0 {
        text += " What is named above was not read, so the view is partial.";
    }
    let assumed = outcome.problems(Gravity::Notice).count();
    if assumed > 0 && !verbose {
        text += &format!(
            " {} on other things: -v shows them.",
            count(assumed, "remark")
        );
    }
    text
}

fn count(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

/// What is shown of a finding or a problem.
struct Shown<'a> {
    severity: Severity,
    code: &'a str,
    message: &'a str,
    snippets: Vec<Snippet<'a>>,
    /// What follows the lines: a word and a sentence.
    advice: Vec<(&'static str, String)>,
}

impl<'a> Shown<'a> {
    fn finding(finding: &'a Finding, outcome: &'a Outcome) -> Self {
        let labels = finding.labels.iter().map(|label| {
            let sources = &outcome.world.projects[label.project].sources;
            (
                sources.file(label.span.file),
                label.span,
                label.text.as_str(),
            )
        });
        let help = finding.help.iter().map(|line| ("help", line.clone()));
        let notes = finding.notes.iter().map(|line| ("note", line.clone()));
        let hidden = finding.labels.len().saturating_sub(MAX_LABELS);
        let hidden = (hidden > 0).then(|| ("note", format!("{} more", count(hidden, "place"))));
        Self {
            severity: finding.severity,
            code: finding.rule,
            message: &finding.message,
            snippets: snippets(labels),
            advice: help.chain(notes).chain(hidden).collect(),
        }
    }

    fn problem(problem: &'a Problem, sources: &'a SourceMap) -> Self {
        let labels = problem.labels.iter();
        let labels = labels.map(|(span, text)| (sources.file(span.file), *span, text.as_str()));
        Self {
            severity: Severity::Error,
            code: concise::kind(problem.kind),
            message: &problem.message,
            snippets: snippets(labels),
            advice: problem
                .help
                .iter()
                .map(|line| ("help", line.clone()))
                .collect(),
        }
    }
}

/// The lines of one file, as miette draws them.
#[derive(Debug)]
struct Snippet<'a> {
    view: View<'a>,
    labels: Vec<LabeledSpan>,
}

/// The labels, by file.
fn snippets<'a>(labels: impl Iterator<Item = (&'a SourceFile, Span, &'a str)>) -> Vec<Snippet<'a>> {
    let mut snippets: Vec<Snippet<'a>> = Vec::new();
    for (file, span, text) in labels.take(MAX_LABELS) {
        let label = LabeledSpan::new(
            Some(text.to_owned()),
            span.start as usize,
            span.len() as usize,
        );
        match snippets
            .iter_mut()
            .find(|snippet| std::ptr::eq(snippet.view.0, file))
        {
            Some(snippet) => snippet.labels.push(label),
            None => snippets.push(Snippet {
                view: View(file),
                labels: vec![label],
            }),
        }
    }
    snippets
}

impl fmt::Display for Snippet<'_> {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Snippet<'_> {}

impl Diagnostic for Snippet<'_> {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.view)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

/// A file of which only the lines asked for are looked at.
#[derive(Debug)]
struct View<'a>(&'a SourceFile);

impl SourceCode for View<'_> {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let text = self.0.text();
        let (start, end) = (span.offset(), span.offset() + span.len());
        if end > text.len() {
            return Err(MietteError::OutOfBounds);
        }
        let newlines = |text: &'a str| text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let first = text[..start]
            .bytes()
            .enumerate()
            .rev()
            .filter(|(_, byte)| *byte == b'\n');
        let first = first.map(|(at, _)| at + 1).nth(before).unwrap_or(0);
        let last = newlines(&text[end..])
            .map(|(at, _)| end + at)
            .nth(after)
            .unwrap_or(text.len());
        let data = &text[first..last];
        let at = |byte: usize| self.0.position(byte as u32);
        // without context miette takes the column of the span itself
        let column = if before == 0 {
            at(start).column as usize - 1
        } else {
            0
        };
        Ok(Box::new(MietteSpanContents::new_named(
            self.0.path().to_string(),
            data.as_bytes(),
            SourceSpan::from(first..last),
            at(first).line as usize - 1,
            column,
            newlines(data).count() + 1,
        )))
    }
}
