//! Where in a scalar each byte of its value is written.

use super::node::Style;
use crate::compose::text::{Text, Written};
use crate::span::Span;

/// Finds for each byte of a scalar's value the bytes it was written with.
pub(super) fn locate(value: &str, style: Style, raw: &str, span: Span) -> Text {
    let at = |start: usize| span.slice(start as u32, (start + value.len()) as u32);
    if raw == value {
        return Text::literal(value, span);
    }
    // most quoted and block scalars hold their value as it is, once
    let mut found = raw.match_indices(value).map(|(start, _)| start);
    if let (Some(start), None) = (found.next(), found.next())
        && (style != Style::Double || !raw.contains('\\'))
    {
        return Text::literal(value, at(start));
    }
    match style {
        Style::Single if !raw.contains('\n') => {
            unescape(
                value,
                raw,
                span,
                |rest| {
                    if rest.starts_with("''") { 2 } else { 0 }
                },
            )
        }
        Style::Double if !raw.contains('\n') => unescape(value, raw, span, escape_len),
        _ => None,
    }
    .unwrap_or_else(|| {
        if raw.len() != value.len() {
            return Text::literal(value, span);
        }
        // as long by chance: no byte stands for one of the value
        let mut text = Text::new();
        for character in value.chars() {
            text.push(character.encode_utf8(&mut [0; 4]), Written::Literal(span));
        }
        text
    })
}

/// The length of the escape that `rest` begins with; 0 if it is none.
fn escape_len(rest: &str) -> usize {
    let mut characters = rest.chars();
    match (characters.next(), characters.next()) {
        (Some('\\'), Some('x')) => 4,
        (Some('\\'), Some('u')) => 6,
        (Some('\\'), Some('U')) => 10,
        (Some('\\'), Some(other)) => 1 + other.len_utf8(),
        _ => 0,
    }
}

/// Pairs the characters of `value` with those of the quoted `raw`, where `escape` says how many
/// bytes at the start of its argument stand for one character.
fn unescape(value: &str, raw: &str, span: Span, escape: fn(&str) -> usize) -> Option<Text> {
    let mut text = Text::new();
    let mut at = 1;
    for character in value.chars() {
        let rest = raw.get(at..raw.len() - 1)?;
        let len = match escape(rest) {
            0 => rest.chars().next().filter(|c| *c == character)?.len_utf8(),
            len => len,
        };
        let bytes = span.slice(at as u32, (at + len) as u32);
        text.push(character.encode_utf8(&mut [0; 4]), Written::Literal(bytes));
        at += len;
    }
    (at + 1 == raw.len()).then_some(text)
}
