//! What go-yaml refuses and a YAML 1.2 scanner would let pass.

use std::ops::Range;

type Refusal = (String, Range<usize>, &'static str);

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
            '\u{feff}' => true,
            '\u{fffe}' | '\u{ffff}' => true,
            other => other.is_control(),
        };
        if refused {
            let at = first + at;
            return Err((
                format!(
                    "the character U+{:04X} is not allowed",
                    u32::from(character)
                ),
                at..at + character.len_utf8(),
                "remove it; in a quoted string, write it as an escape",
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
                format!("Compose reads YAML 1.1, not{version}"),
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
