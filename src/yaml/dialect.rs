//! Where go-yaml and a YAML 1.2 scanner part.

use std::borrow::Cow;
use std::ops::Range;

use super::node::Style;

pub(super) type Refusal = (String, Range<usize>, &'static str);

/// Finds the first character or directive of `text` that go-yaml refuses (compose.md 9).
pub(super) fn check(text: &str) -> Result<(), Refusal> {
    characters(text)?;
    directive(text)
}

fn characters(text: &str) -> Result<(), Refusal> {
    let suspicious = |byte: u8| (byte < b' ' && !b"\t\n\r".contains(&byte)) || byte >= 0x7f;
    let Some(first) = text.bytes().position(suspicious) else {
        return Ok(());
    };
    // the first suspicious byte starts a character: all before it are ASCII
    for (at, character) in text[first..].char_indices() {
        let refused = match character {
            '\t' | '\n' | '\r' | '\u{85}' => false,
            // the scanner would skip it, go-yaml makes it part of the key
            '\u{feff}' => text[..first + at].ends_with(['\n', '\r']),
            '\u{fffe}' | '\u{ffff}' => true,
            other => other.is_control(),
        };
        if refused {
            let at = first + at;
            return Err((
                format!(
                    "YAML does not allow the character U+{:04X}",
                    u32::from(character)
                ),
                at..at + character.len_utf8(),
                match character {
                    '\0' => "save the file as UTF-8, if it is text at all",
                    _ => "remove it; in a quoted string, write it as an escape",
                },
            ));
        }
    }
    Ok(())
}

fn directive(text: &str) -> Result<(), Refusal> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let content = line.trim_end();
        if let Some(version) = content.strip_prefix("%YAML")
            && version.trim() != "1.1"
        {
            return Err((
                format!("Compose reads YAML 1.1, not YAML{version}"),
                at..at + content.len(),
                "remove the directive",
            ));
        }
        if !content.is_empty() && !content.starts_with(['#', '%']) {
            break;
        }
        at += line.len();
    }
    Ok(())
}

/// The text with NEL, LS and PS, which are line breaks to go-yaml, as line feeds; every other byte
/// keeps its place.
pub(super) fn line_breaks(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || !text.contains(['\u{85}', '\u{2028}', '\u{2029}']) {
        return Cow::Borrowed(text);
    }
    let text = text.replace('\u{85}', " \n");
    Cow::Owned(text.replace(['\u{2028}', '\u{2029}'], "  \n"))
}

/// Makes blanks of the comment at `start`: go-yaml needs no blank before it.
pub(super) fn blank_comment(text: &mut String, start: usize) {
    let comment = text[start..]
        .find(['\n', '\r'])
        .unwrap_or(text.len() - start);
    text.replace_range(start..start + comment, &" ".repeat(comment));
}

/// Why go-yaml refuses a scalar that a YAML 1.2 scanner takes.
pub(super) fn scalar(raw: &str, style: Style, in_flow: bool) -> Option<&'static str> {
    match style {
        Style::Plain if in_flow && raw.starts_with(':') => {
            Some("text that begins with `:` needs quotes inside of brackets")
        }
        Style::Plain if in_flow && raw.contains('?') => {
            Some("text with `?` needs quotes inside of brackets")
        }
        Style::Double => {
            let mut characters = raw.chars();
            while let Some(character) = characters.next() {
                if character == '\\' && characters.next() == Some('/') {
                    return Some("YAML 1.1 has no escape `\\/`");
                }
            }
            None
        }
        _ => None,
    }
}
