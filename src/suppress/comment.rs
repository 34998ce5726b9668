//! `# portplan: ignore[rule] reason`

use std::ops::Range;

use crate::source::SourceFile;
use crate::span::{FileId, Span};
use crate::yaml::Layout;

/// What begins a comment that is for us.
const MARK: &str = "portplan:";

/// A comment that says what to ignore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignore {
    /// The comment.
    pub span: Span,
    /// What goes with it if it goes: the blanks before it, or its whole line.
    pub whole: Span,
    /// The rules, as they are named, with the bytes of their names.
    pub rules: Vec<(String, Span)>,
    /// Why, in the words of the comment.
    pub reason: Option<String>,
    scope: Scope,
}

/// Where an ignore counts.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Scope {
    /// In the whole file.
    File,
    /// For these bytes: a line, and what begins there.
    Parts(Vec<Range<u32>>),
}

impl Ignore {
    /// What goes if one of its rules is ignored no longer, named by its index; `left` of them stay.
    #[must_use]
    pub fn without(&self, index: usize, left: usize) -> Span {
        let name = |index: usize| self.rules.get(index).map(|(_, span)| *span);
        let (before, next) = (index.checked_sub(1).and_then(name), name(index + 1));
        let between = |start, end| Span::new(self.span.file, start, end);
        match (left, name(index), before, next) {
            // with the comma
            (1.., Some(name), _, Some(next)) => between(name.start, next.start),
            (1.., Some(name), Some(before), None) => between(before.end, name.end),
            _ => self.whole,
        }
    }

    /// True if it is for this rule at this place of its file.
    #[must_use]
    pub fn covers(&self, rule: &str, span: Span) -> bool {
        let named = self.rules.iter().any(|(name, _)| name == rule);
        named
            && match &self.scope {
                Scope::File => true,
                Scope::Parts(parts) => parts.iter().any(|part| part.contains(&span.start)),
            }
    }
}

/// All ignores of a file, in order; those that name nothing, too.
#[must_use]
pub fn ignores(file: &SourceFile, id: FileId) -> Vec<Ignore> {
    let text = file.text();
    if !text.contains(MARK) {
        return Vec::new();
    }
    // what is no YAML is an env file
    let layout = Layout::of(file, id).unwrap_or_else(|| Layout {
        comments: whole_lines(text, id),
        parts: Vec::new(),
    });
    let comments = layout.comments.iter();
    let read = comments.filter_map(|comment| ignore(text, *comment, &layout));
    read.collect()
}

fn ignore(text: &str, comment: Span, layout: &Layout) -> Option<Ignore> {
    let words = &text[comment.range()];
    // it may stand behind another comment
    let mut mark = words.match_indices(MARK).map(|(at, _)| at);
    let mark = mark.find(|at| words[..*at].trim_end().ends_with('#'))?;
    let rest = words[mark + MARK.len()..].trim_start();
    let rest = rest.strip_prefix("ignore")?;
    let (whole_file, rest) = match rest.strip_prefix("-file") {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let (names, reason) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((names, reason)) => (names, reason.trim()),
        None => ("", ""),
    };
    let place = |part: &str| {
        let start = (part.as_ptr() as usize - text.as_ptr() as usize) as u32;
        Span::new(comment.file, start, start + part.len() as u32)
    };
    let names = names.split(',').map(str::trim);
    let names = names.filter(|name| !name.is_empty());
    let sign = words[..mark].rfind('#').unwrap_or_default() as u32;
    Some(Ignore {
        span: comment,
        whole: whole(
            text,
            Span::new(comment.file, comment.start + sign, comment.end),
        ),
        rules: names.map(|name| (name.to_owned(), place(name))).collect(),
        reason: (!reason.is_empty()).then(|| reason.to_owned()),
        scope: if whole_file {
            Scope::File
        } else {
            Scope::Parts(parts(text, comment, layout))
        },
    })
}

/// A comment with the blanks before it, or with its line if nothing else is on that.
fn whole(text: &str, comment: Span) -> Span {
    let before = &text[..comment.start as usize];
    let start = before.trim_end_matches([' ', '\t']).len();
    let opens = start == 0 || before[..start].ends_with(['\n', '\u{feff}']);
    let rest = &text[comment.end as usize..];
    let line_end = ["\r\n", "\n"].iter().find(|end| rest.starts_with(**end));
    let end = match line_end {
        Some(line_end) if opens => comment.end + line_end.len() as u32,
        _ => comment.end,
    };
    Span::new(comment.file, start as u32, end)
}

/// The line that a comment is for, with what begins there: its own, or if nothing else is on that,
/// the one below it and the comments that follow.
fn parts(text: &str, comment: Span, layout: &Layout) -> Vec<Range<u32>> {
    let mut line = line_at(text, comment.start);
    let is_comment = |line: &Range<u32>| {
        let words = &text[line.start as usize..line.end as usize];
        words
            .trim_start_matches(['\u{feff}', ' ', '\t'])
            .starts_with('#')
    };
    while is_comment(&line) {
        if line.end as usize >= text.len() {
            return Vec::new();
        }
        line = line_at(text, line.end + 1);
    }
    let begins = |part: &&Span| line.contains(&part.start);
    let parts = layout.parts.iter().filter(begins);
    let parts: Vec<Range<u32>> = parts.map(|part| part.start..part.end).collect();
    [vec![line.clone()], parts].concat()
}

/// The bytes of the line that holds a byte, without the line's end.
fn line_at(text: &str, at: u32) -> Range<u32> {
    let at = (at as usize).min(text.len());
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
    start as u32..end as u32
}

/// The lines that are comments, in a file that is no YAML.
fn whole_lines(text: &str, file: FileId) -> Vec<Span> {
    let mut comments = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let words = line.trim();
        if words.starts_with('#') {
            let start = at + line.find('#').unwrap_or_default();
            let end = start + words.len();
            comments.push(Span::new(file, start as u32, end as u32));
        }
        at += line.len();
    }
    comments
}

#[cfg(test)]
mod tests {
    use super::ignores;
    use crate::source::{SourceFile, SourceMap};

    /// For each ignore: its rules, its reason, and the marks `@` that it covers.
    fn read(text: &str) -> Vec<(String, Option<String>, String)> {
        let mut sources = SourceMap::new();
        let id = sources.add(SourceFile::decode("f", text.into()).unwrap());
        let ignores = ignores(sources.file(id), id);
        let described = ignores.iter().map(|ignore| {
            let names: Vec<&str> = ignore.rules.iter().map(|(name, _)| &**name).collect();
            for (name, span) in &ignore.rules {
                assert_eq!(sources.slice(*span), name);
            }
            let rule = names.first().copied().unwrap_or_default();
            let marks = text.match_indices('@').filter(|(at, _)| {
                let at = *at as u32;
                ignore.covers(rule, crate::span::Span::new(id, at, at + 1))
            });
            let covered = marks.map(|(at, _)| text[at + 1..].chars().next().unwrap());
            (names.join("+"), ignore.reason.clone(), covered.collect())
        });
        described.collect()
    }

    #[test]
    fn where_they_count() {
        for (text, expected) in [
            // on the line
            ("a: x@1 # portplan: ignore[r]\nb: x@2\n", "1"),
            // above it, and above other comments
            (
                "a: x@1\n# portplan: ignore[r]\n# more\nb: x@2\nc: x@3\n",
                "2",
            ),
            // not across an empty line
            ("# portplan: ignore[r]\n\na: x@1\n", ""),
            ("a: x@1\n# portplan: ignore[r]", ""),
            // what begins there is all of it
            (
                "s:\n  # portplan: ignore[r]\n  a:\n    - t: 1\n      p: x@1\n    - x@2\n  b: x@3\n",
                "12",
            ),
            ("- t: 1 # portplan: ignore[r]\n  p: x@1\n- x@2\n", "1"),
            ("a: [x@1,\n  x@2, # portplan: ignore[r]\n  x@3]\n", "2"),
            // a line on which nothing begins
            ("a: [x@1,\n  x@2\n  ] # portplan: ignore[r]\n", ""),
            // the file
            ("# portplan: ignore-file[r]\n\na: x@1\nb: x@2\n", "12"),
            ("\u{feff}# portplan: ignore[r]\r\na: x@1\r\nb: x@2\r\n", "1"),
            // an env file
            ("# portplan: ignore[r]\nA=x@1\nB=x@2\n", "1"),
        ] {
            let found = read(text);
            assert_eq!(found.len(), 1, "{text}");
            assert_eq!(found[0].2, expected, "{text}");
        }
    }

    #[test]
    fn how_they_are_written() {
        for (text, expected) in [
            ("# portplan: ignore[a]", Some(("a", None))),
            (
                "#portplan:ignore[a, b ,c] why not",
                Some(("a+b+c", Some("why not"))),
            ),
            (
                "# x # portplan: ignore[a] see #5",
                Some(("a", Some("see #5"))),
            ),
            ("# portplan: ignore", Some(("", None))),
            ("# portplan: ignore a", Some(("", None))),
            ("# portplan: ignore[a", Some(("", None))),
            ("# portplan: ignore[]", Some(("", None))),
            ("# portplan: ignore-file[a] 🐳", Some(("a", Some("🐳")))),
            ("# portplan: has a plan", None),
            ("# see portplan: ignore[a]", None),
            ("a: 'x # portplan: ignore[a]'", None),
            ("a: |\n  # portplan: ignore[a]", None),
        ] {
            let found = read(text);
            let found = found
                .first()
                .map(|(names, reason, _)| (&**names, reason.as_deref()));
            assert_eq!(found, expected, "{text}");
        }
    }
}
