//! For people: the user's own lines, the reason, the next step.

use std::fmt;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError,
    MietteSpanContents, SourceCode, SourceSpan, SpanContents,
};

use super::check::Outcome;
use anstyle::AnsiColor;

use super::concise::{self, problem_line};
use super::item::{Item, Spot};
use super::place::ProblemPlace;
use super::plain;
use super::summary::{count, summary};
use crate::compose::problem::Gravity;
use crate::finding::Severity;
use crate::source::SourceFile;

/// More places than these are counted, not shown.
const MAX_LABELS: usize = 8;

/// More bytes than these are not shown of a line, before a place and after it.
const MAX_LINE: usize = 200;

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
    for item in outcome.items() {
        show(&mut text, &handler, style, &item);
    }
    if style.verbose {
        for (problem, sources) in outcome.problems(Gravity::Notice) {
            text += &problem_line("notice", &ProblemPlace::of(problem, sources));
            text.push('\n');
        }
    }
    for remark in &outcome.remarks {
        text += &format!("note: {}\n", plain(remark));
    }
    text + &closing(outcome, style.verbose) + "\n"
}

/// A diagnostic: its head, the lines of each file, the next step.
fn show(text: &mut String, handler: &GraphicalReportHandler, style: Style, item: &Item<'_>) {
    let (severity, bold) = match (style.colour, item.severity) {
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
    let word = concise::severity(item.severity);
    let (code, message) = (item.code, plain(item.message));
    *text += &format!("{severity}{word}[{code}]{severity:#}{bold}: {message}{bold:#}\n");
    for snippet in &snippets(&item.spots) {
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
    let hidden = item.spots.len().saturating_sub(MAX_LABELS);
    let hidden = (hidden > 0).then(|| format!("{} more", count(hidden, "place")));
    let hidden = hidden.iter().map(|line| ("note", line.as_str()));
    for (word, line) in item.advice.iter().copied().chain(hidden) {
        *text += &format!("  {bold}{word}{bold:#}: {}\n", plain(line));
    }
    text.push('\n');
}

/// The closing line, with what is not shown.
fn closing(outcome: &Outcome, verbose: bool) -> String {
    let mut text = summary(outcome);
    let assumed = outcome.problems(Gravity::Notice).count();
    if assumed > 0 && !verbose {
        text += &format!(
            " {} not about ports: -v shows them.",
            count(assumed, "remark")
        );
    }
    text
}

/// The lines of one file, as miette draws them.
#[derive(Debug)]
struct Snippet<'a> {
    view: View<'a>,
    labels: Vec<LabeledSpan>,
}

/// The labels, by file.
fn snippets<'a>(spots: &[Spot<'a>]) -> Vec<Snippet<'a>> {
    let mut snippets: Vec<Snippet<'a>> = Vec::new();
    for Spot { file, span, text } in spots.iter().copied().take(MAX_LABELS) {
        let label = LabeledSpan::new(
            Some(plain(text).into_owned()),
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
        let text = self.0.printable();
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
        // half a line end is none to miette, which then counts one line less
        let last = match text[..last].ends_with('\r') && last > end {
            true => last - 1,
            false => last,
        };
        // of a line that fills screens, what is near
        let first = match start - first > MAX_LINE {
            true if before == 0 => text.ceil_char_boundary(start - MAX_LINE / 2),
            _ => first,
        };
        let last = match last - end > MAX_LINE {
            true if after == 0 => text.floor_char_boundary(end + MAX_LINE / 2),
            _ => last,
        };
        let data = &text[first..last];
        let at = |byte: usize| self.0.position(byte as u32);
        // without context miette takes the column of the span itself
        let column = if before == 0 {
            at(start).column as usize - 1
        } else {
            0
        };
        Ok(Box::new(MietteSpanContents::new_named(
            plain(self.0.path().as_str()).into_owned(),
            data.as_bytes(),
            SourceSpan::from(first..last),
            at(first).line as usize - 1,
            column,
            newlines(data).count() + 1,
        )))
    }
}
