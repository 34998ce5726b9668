//! What a number becomes in the text that gives it.

use std::ops::Range;

use super::layout::{needs_quotes, style};
use super::patch::Scope;
use super::shelf::Book;
use crate::binding::{Port, PortRange};
use crate::compose::interpolate::references;
use crate::compose::port::parse_short;
use crate::plan::Move;
use crate::span::Span;
use crate::yaml::{Node, Style, Value};

/// New text for a span of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TextEdit {
    pub span: Span,
    pub text: String,
    pub scope: Scope,
}

impl TextEdit {
    /// An edit that writes a number, or what gives it.
    pub fn number(span: Span, text: impl Into<String>) -> Self {
        Self {
            span,
            text: text.into(),
            scope: Scope::Number,
        }
    }
}

/// The old and the new number that several moves write at one place: those of all of them, or for
/// a range that Compose expands (`8000-8002:80-82`) the ranges of them. `None` if they disagree.
pub(super) fn numbers(moves: &[Move]) -> Option<(PortRange, PortRange)> {
    let mut pairs: Vec<(PortRange, PortRange)> = moves.iter().map(|m| (m.from, m.to)).collect();
    pairs.sort_unstable();
    pairs.dedup();
    if let [pair] = pairs[..] {
        return Some(pair);
    }
    let distance = |a: Port, b: Port| i32::from(b.get()) - i32::from(a.get());
    let (first, last) = (pairs.first()?, pairs.last()?);
    let by = distance(first.0.single()?, first.1.single()?);
    for (n, (from, to)) in (0..).zip(&pairs) {
        let (from, to) = (from.single()?, to.single()?);
        if distance(first.0.single()?, from) != n || distance(from, to) != by {
            return None;
        }
    }
    let from = PortRange::new(first.0.single()?, last.0.single()?).ok()?;
    let to = PortRange::new(first.1.single()?, last.1.single()?).ok()?;
    Some((from, to))
}

/// Puts `text` in the place of `span`, which lies in the scalar `node`; an unquoted scalar gets
/// quotes where the new text needs them and the old one did not.
pub(super) fn replace(book: &Book<'_>, node: &Node, span: Span, text: &str) -> TextEdit {
    let raw = &book.text()[node.span.range()];
    let inner = (span.start - node.span.start) as usize..(span.end - node.span.start) as usize;
    let mut new = raw.to_owned();
    new.replace_range(inner, text);
    let in_flow = book.in_flow(node);
    if style(raw, node) == Style::Plain
        && needs_quotes(&new, in_flow)
        && !needs_quotes(raw, in_flow)
    {
        return TextEdit::number(node.span, super::layout::quoted(&new));
    }
    TextEdit::number(span, text)
}

/// Puts a number in the place of the digits at `span`, in the scalar that a port is written with: a
/// short entry, or the `published` of a long one.
///
/// # Errors
/// The scalar does not tell where in it the digits are.
pub(super) fn in_place(
    book: &Book<'_>,
    node: &Node,
    long: bool,
    span: Span,
    number: &str,
) -> Result<TextEdit, &'static str> {
    if span.start < node.span.start || span.end > node.span.end {
        return Err("its number is not where its entry is");
    }
    if span != node.span {
        return Ok(replace(book, node, span, number));
    }
    if !long {
        return Err("its entry is written so that the place of the number cannot be found");
    }
    let quotes = match style(&book.text()[span.range()], node) {
        Style::Plain | Style::Block => "",
        Style::Single => "'",
        Style::Double => "\"",
    };
    Ok(replace(
        book,
        node,
        span,
        &format!("{quotes}{number}{quotes}"),
    ))
}

/// Puts a number in the place of the variable that gives it, in the scalar that a port is written
/// with: a short entry, or the `published` of a long one. `value` is what the scalar means now.
///
/// # Errors
/// The variable gives more than the number, and it cannot be said what else.
pub(super) fn in_place_of_variable(
    book: &Book<'_>,
    node: &Node,
    long: bool,
    value: &str,
    number: &str,
) -> Result<TextEdit, &'static str> {
    const UNCLEAR: &str = "the variable in its entry gives more than the host port";
    let template = node.to_text(book.sources()).ok_or(UNCLEAR)?;
    let text = template.value();
    let references = references(text);
    let edit = |range: Range<usize>, new: &str| {
        let whole = range == (0..text.len());
        let span = template.extent(range).ok_or(UNCLEAR)?;
        // a scalar on several lines tells no places within
        let inside = node.span.start <= span.start && span.end <= node.span.end;
        if span == node.span && !whole || !inside {
            return Err(UNCLEAR);
        }
        Ok(replace(book, node, span, new))
    };
    if long {
        return match &references[..] {
            [whole] if *whole == (0..text.len()) => {
                // a number without quotes would be no string
                let plain = style(&book.text()[node.span.range()], node) == Style::Plain;
                let quotes = if plain { "\"" } else { "" };
                edit(whole.clone(), &format!("{quotes}{number}{quotes}"))
            }
            _ => Err(UNCLEAR),
        };
    }
    // a colon within a reference divides nothing
    let mut masked = text.to_owned();
    for reference in &references {
        masked.replace_range(reference.clone(), &"x".repeat(reference.len()));
    }
    let host = masked.rfind(':').map(|end| {
        let start = masked[..end].rfind(':').map_or(0, |at| at + 1);
        start..end
    });
    let at = match parse_short(value) {
        Ok(ports) => ports.first().ok_or(UNCLEAR)?.published_at.clone(),
        Err(_) => return Err(UNCLEAR),
    };
    // it may give an address, too: `BIND=127.0.0.1:8080`
    if let Some(host) = host
        && references.contains(&host)
        && (host.start == 0) == (at.start == 0)
    {
        return edit(host, number);
    }
    let [reference] = &references[..] else {
        return Err(UNCLEAR);
    };
    let tail = text.len() - reference.end;
    let given = value.get(reference.start..value.len().saturating_sub(tail));
    let given = given.ok_or(UNCLEAR)?;
    let inside = at.start >= reference.start && at.end <= reference.start + given.len();
    if !inside || text.contains("$$") {
        return Err(UNCLEAR);
    }
    let mut new = given.to_owned();
    new.replace_range(at.start - reference.start..at.end - reference.start, number);
    edit(reference.clone(), &new)
}

/// The scalar that gives the host port of an entry, and whether the entry is a long one.
pub(super) fn scalar_of(item: &Node) -> Option<(&Node, bool)> {
    match &item.value {
        Value::Mapping(map) => Some((map.get("published")?, true)),
        _ => Some((item, false)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::project::PublishId;

    #[test]
    fn moves_of_one_range_are_one_number() {
        let of = |pairs: &[(&str, &str)]| {
            let moves: Vec<Move> = pairs
                .iter()
                .map(|(from, to)| Move {
                    publish: PublishId {
                        project: 0,
                        service: 0,
                        port: 0,
                    },
                    from: from.parse().unwrap(),
                    to: to.parse().unwrap(),
                })
                .collect();
            numbers(&moves).map(|(_, to)| to.to_string())
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(of(&[("80", "81"), ("80", "81")]), some("81"));
        assert_eq!(of(&[("80", "81-83")]), some("81-83"));
        assert_eq!(
            of(&[("82", "92"), ("80", "90"), ("81", "91")]),
            some("90-92")
        );
        assert_eq!(of(&[("80", "90"), ("81", "92")]), None);
        assert_eq!(of(&[("80", "90"), ("82", "92")]), None);
        assert_eq!(of(&[("80", "81"), ("80", "82")]), None);
    }
}
