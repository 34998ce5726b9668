//! A string that knows where each of its bytes was written.
//!
//! A port number reaches the model through quotes, `${VAR:-default}`, an env file or the shell.
//! [`Text`] carries the place of every byte through all of that, so that a finding can point at
//! the number itself and an edit can replace it there.

use std::ops::Range;
use std::sync::Arc;

use crate::span::Span;

/// Who wrote a run of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// The document itself.
    Literal(Span),
    /// The document, as the default in `${variable:-default}`.
    Default {
        /// The variable that would replace the default.
        variable: Arc<str>,
        /// The bytes of the default.
        span: Span,
    },
    /// An env file, as the value of a variable.
    EnvFile {
        /// The variable that the env file gives these bytes to. With `A=$B` it is `B`, whoever asks.
        variable: Arc<str>,
        /// The bytes of the value in the env file.
        span: Span,
    },
    /// The environment of the process.
    Shell {
        /// The variable.
        variable: Arc<str>,
    },
}

impl Written {
    /// Where the bytes stand, if they stand in a file.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        match self {
            Self::Literal(span) | Self::Default { span, .. } | Self::EnvFile { span, .. } => {
                Some(*span)
            }
            Self::Shell { .. } => None,
        }
    }

    /// The same writer, at another place.
    fn at(&self, span: Span) -> Self {
        match self {
            Self::Literal(_) => Self::Literal(span),
            Self::Default { variable, .. } => Self::Default {
                variable: variable.clone(),
                span,
            },
            Self::EnvFile { variable, .. } => Self::EnvFile {
                variable: variable.clone(),
                span,
            },
            Self::Shell { .. } => self.clone(),
        }
    }
}

/// A run of bytes of a [`Text`] by one writer.
///
/// Where the span is as long as the run, byte corresponds to byte; otherwise (an escape, a folded
/// line) the run is one unit that cannot be divided.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    /// One past the last byte of the run, from the start of the text; a run begins where the one
    /// before it ends.
    end: u32,
    written: Written,
}

/// A string and the writer of each of its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    value: String,
    pieces: Vec<Piece>,
}

impl Text {
    /// Text that nobody has written yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The whole of `value` by one writer.
    #[must_use]
    pub fn written(value: impl Into<String>, written: Written) -> Self {
        let value = value.into();
        let end = value.len() as u32;
        let pieces = (end > 0).then(|| vec![Piece { end, written }]);
        Self {
            value,
            pieces: pieces.unwrap_or_default(),
        }
    }

    /// `value`, standing in a document at `span`.
    #[must_use]
    pub fn literal(value: impl Into<String>, span: Span) -> Self {
        Self::written(value, Written::Literal(span))
    }

    /// The string.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Adds a run of bytes.
    pub fn push(&mut self, value: &str, written: Written) {
        if !value.is_empty() {
            self.value.push_str(value);
            self.pieces.push(Piece {
                end: self.value.len() as u32,
                written,
            });
        }
    }

    /// Adds all of `other`.
    pub fn append(&mut self, other: &Self) {
        let start = self.value.len() as u32;
        self.value.push_str(&other.value);
        self.pieces.extend(other.pieces.iter().map(|piece| Piece {
            end: start + piece.end,
            written: piece.written.clone(),
        }));
    }

    /// The bytes `range` of this text; `range` must lie on character boundaries.
    ///
    /// A piece that cannot be divided keeps its whole span.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Self {
        let mut cut = Self::new();
        let first = self
            .pieces
            .partition_point(|piece| piece.end as usize <= range.start);
        let mut start = match first {
            0 => 0,
            _ => self.pieces[first - 1].end as usize,
        };
        for piece in &self.pieces[first..] {
            let end = piece.end as usize;
            let (from, to) = (range.start.max(start), range.end.min(end));
            if from >= to {
                break;
            }
            let written = match piece.written.span() {
                Some(span) if span.len() as usize == end - start => piece
                    .written
                    .at(span.slice((from - start) as u32, (to - start) as u32)),
                _ => piece.written.clone(),
            };
            cut.push(&self.value[from..to], written);
            start = end;
        }
        cut
    }

    /// The same bytes, each run's writer replaced by `f(writer)`.
    #[must_use]
    pub fn map(&self, f: impl Fn(&Written) -> Written) -> Self {
        Self {
            value: self.value.clone(),
            pieces: self
                .pieces
                .iter()
                .map(|piece| Piece {
                    end: piece.end,
                    written: f(&piece.written),
                })
                .collect(),
        }
    }

    /// `value` by the same writers, none of whom wrote any one byte of it.
    #[must_use]
    pub fn rewritten(&self, value: impl Into<String>) -> Self {
        let value = value.into();
        let end = value.len() as u32;
        let pieces = self.pieces.iter().map(|piece| Piece {
            end,
            written: piece.written.clone(),
        });
        Self {
            pieces: pieces.collect(),
            value,
        }
    }

    /// The one writer of this text at one unbroken place, if there is just one.
    ///
    /// Neighbouring runs of one writer count as one.
    #[must_use]
    pub fn single(&self) -> Option<Written> {
        let mut pieces = self.pieces.iter();
        let mut whole = pieces.next()?.written.clone();
        for piece in pieces {
            let joined = match (whole.span(), piece.written.span()) {
                (Some(a), Some(b)) if a.file == b.file && a.end == b.start => a.to(b),
                (None, None) => {
                    if whole == piece.written {
                        continue;
                    }
                    return None;
                }
                _ => return None,
            };
            if whole.at(joined) != piece.written.at(joined) {
                return None;
            }
            whole = whole.at(joined);
        }
        Some(whole)
    }

    /// The smallest span that holds the bytes `range`, if all of them stand in one file.
    #[must_use]
    pub fn extent(&self, range: Range<usize>) -> Option<Span> {
        let cut = self.slice(range);
        let mut spans = cut.writers().map(Written::span);
        let first = spans.next()??;
        spans.try_fold(first, |whole, span| {
            span.filter(|span| span.file == whole.file)
                .map(|span| whole.to(span))
        })
    }

    /// The writers, in order.
    pub fn writers(&self) -> impl Iterator<Item = &Written> {
        self.pieces.iter().map(|piece| &piece.written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::span::FileId;

    fn span(start: u32, end: u32) -> Span {
        Span::new(FileId(0), start, end)
    }

    #[test]
    fn a_slice_keeps_the_exact_bytes() {
        let mut text = Text::literal("80", span(10, 12));
        text.push(
            "90",
            Written::Default {
                variable: "P".into(),
                span: span(20, 22),
            },
        );
        assert_eq!(
            text.slice(1..2).single(),
            Some(Written::Literal(span(11, 12)))
        );
        assert_eq!(
            text.slice(2..4).single().unwrap().span(),
            Some(span(20, 22))
        );
        assert_eq!(text.slice(1..3).single(), None);
    }

    #[test]
    fn neighbours_of_one_writer_are_one_place() {
        let mut text = Text::literal("8", span(10, 11));
        text.push("0", Written::Literal(span(11, 15))); // an escape: "8\x30"
        assert_eq!(text.single(), Some(Written::Literal(span(10, 15))));
        assert_eq!(
            text.slice(1..2).single(),
            Some(Written::Literal(span(11, 15)))
        );
    }
}
