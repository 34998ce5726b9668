//! Where things stand in a file, as it is written: comments, entries, items.

use granit_parser::{Event, Parser};

use super::parse::{Reader, Stop, scan};
use crate::source::SourceFile;
use crate::span::{FileId, Span};

/// What a file looks like, whatever it means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// The comments, each from its `#` to the end of the line.
    pub comments: Vec<Span>,
    /// Entries of maps, from the key to the end of the value, and items of lists; none before one
    /// that is inside of it.
    pub parts: Vec<Span>,
}

impl Layout {
    /// Of a file; `None` if it is no YAML.
    #[must_use]
    pub fn of(file: &SourceFile, id: FileId) -> Option<Self> {
        scan(file, id, |reader, text, blanked| {
            let mut layout = Walk::new(reader).read(text)?;
            let blanked = blanked.iter().map(|at| reader.rest_of_line(*at));
            layout.comments.extend(blanked);
            layout.comments.sort();
            Ok(layout)
        })
        .ok()
    }
}

struct Walk<'a> {
    reader: Reader<'a>,
    layout: Layout,
    open: Vec<Open>,
    /// Where the last thing that is there ended.
    end: u32,
}

/// A collection whose end has not come yet.
struct Open {
    start: u32,
    is_map: bool,
    /// Where the key begins whose value is to come.
    key: Option<u32>,
}

impl<'a> Walk<'a> {
    fn new(reader: Reader<'a>) -> Self {
        Self {
            reader,
            layout: Layout::default(),
            open: Vec::new(),
            end: 0,
        }
    }

    fn read(mut self, text: &str) -> Result<Layout, Stop> {
        let options = granit_parser::options! {
            emit_comments: true,
            max_buffered_comment_events: usize::MAX,
            emit_unresolved_aliases: true,
        };
        for event in Parser::new_from_str_with_options(text, options) {
            let (event, place) = event?;
            self.event(&event, self.reader.span(place));
        }
        Ok(self.layout)
    }

    fn event(&mut self, event: &Event<'_>, span: Span) {
        match event {
            Event::Comment(..) => self.layout.comments.push(span),
            Event::MappingStart(..) | Event::SequenceStart(..) => self.open.push(Open {
                start: span.start,
                is_map: matches!(event, Event::MappingStart(..)),
                key: None,
            }),
            Event::MappingEnd | Event::SequenceEnd => {
                // that of a block has no extent, and comes where the next thing begins
                self.reach(span);
                if let Some(open) = self.open.pop() {
                    self.node(open.start, span);
                }
            }
            Event::Scalar(..) | Event::Alias(..) | Event::UnresolvedAlias(..) => {
                self.reach(span);
                self.node(span.start, span);
            }
            _ => {}
        }
    }

    fn reach(&mut self, span: Span) {
        if !span.is_empty() {
            self.end = self.end.max(span.end);
        }
    }

    /// A node is complete.
    fn node(&mut self, start: u32, last: Span) {
        let Some(open) = self.open.last_mut() else {
            return;
        };
        let start = match (open.is_map, open.key.take()) {
            (true, None) => {
                open.key = Some(start);
                return;
            }
            (true, Some(key)) => key,
            (false, _) => start,
        };
        let end = self.end.max(start);
        self.layout.parts.push(Span::new(last.file, start, end));
    }
}

#[cfg(test)]
mod tests {
    use super::Layout;
    use crate::source::SourceMap;

    fn layout(text: &str) -> Option<[Vec<String>; 2]> {
        let mut sources = SourceMap::new();
        let file = crate::source::SourceFile::decode("f.yaml", text.into()).unwrap();
        let id = sources.add(file);
        let found = Layout::of(sources.file(id), id)?;
        let texts = |spans: Vec<crate::span::Span>| {
            let texts = spans.into_iter().map(|span| sources.slice(span).to_owned());
            texts.collect()
        };
        Some([texts(found.comments), texts(found.parts)])
    }

    #[test]
    fn comments_are_no_text() {
        for (text, expected) in [
            ("# a\nb: c # d\n", &["# a", "# d"][..]),
            ("a: '# b'\nc: \"#d\"\ne: f#g\nh: 'i\n  # j'\n", &[]),
            ("a: |\n  # b\n  c # d\n# e\n", &["# e"]),
            ("a: >-  # b\n  # c\n", &["# b"]),
            ("a: [b, # c\n  d] # e\n", &["# c", "# e"]),
            // go-yaml needs no blank after a quote
            ("a: \"80:80\"# b\n# c\n", &["# b", "# c"]),
            ("\u{feff}# ü\r\na: 🐳 # 🐳\r\n", &["# ü", "# 🐳"]),
            ("- &a#b c\n- *a#b\n", &[]),
        ] {
            assert_eq!(layout(text).unwrap()[0], expected, "{text:?}");
        }
        assert_eq!(layout("a: [\n# b\n"), None);
        let many = "# a\n".repeat(1000) + "b:\n" + &"  # c\n".repeat(1000) + "  d: e\n";
        assert_eq!(layout(&many).unwrap()[0].len(), 2000);
    }

    #[test]
    fn parts_reach_to_their_last_byte() {
        for (text, expected) in [
            ("a: b # c\n", &["a: b"][..]),
            (
                "a:\n  - b: 1\n    c: 2\n# d\ne: [f, {g: h}]\n",
                &[
                    "b: 1",
                    "c: 2",
                    "b: 1\n    c: 2",
                    "a:\n  - b: 1\n    c: 2",
                    "f",
                    "g: h",
                    "{g: h}",
                    "e: [f, {g: h}]",
                ],
            ),
            ("a:\n\nb: *x\nc: |\n  d\n", &["a", "b: *x", "c: |\n  d\n"]),
        ] {
            assert_eq!(layout(text).unwrap()[1], expected, "{text:?}");
        }
    }
}
