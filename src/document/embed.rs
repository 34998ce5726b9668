//! A part of a document that this program writes, between two comments.

use std::ops::Range;

/// The line before the part.
pub const OPEN: &str = "<!-- portplan:ports -->";
/// The line after it.
pub const CLOSE: &str = "<!-- /portplan:ports -->";

/// Why a document has no part to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPlace {
    /// It has none of the two lines.
    #[error("has no place for the ports: paste these two lines where they belong\n{OPEN}\n{CLOSE}")]
    Unmarked,
    /// It has one without the other, or in the wrong order, or several.
    #[error("must have one line `{OPEN}` and after it one line `{CLOSE}`")]
    Unclear,
}

/// The bytes between the two lines.
///
/// # Errors
/// The document does not say where.
pub fn place(document: &str) -> Result<Range<usize>, NoPlace> {
    let (mut opens, mut closes) = (Vec::new(), Vec::new());
    let mut start = 0;
    for line in document.split_inclusive('\n') {
        let end = start + line.len();
        match line.trim_start_matches('\u{feff}').trim() {
            OPEN => opens.push(end),
            CLOSE => closes.push(start),
            _ => {}
        }
        start = end;
    }
    match (&opens[..], &closes[..]) {
        ([], []) => Err(NoPlace::Unmarked),
        ([from], [to]) if from <= to => Ok(*from..*to),
        _ => Err(NoPlace::Unclear),
    }
}

/// The document with `part` between the two lines, in its own line breaks; all else stays.
///
/// # Errors
/// The document does not say where.
pub fn embed(document: &str, part: &str) -> Result<String, NoPlace> {
    let place = place(document)?;
    let (before, after) = (&document[..place.start], &document[place.end..]);
    let part = match before.ends_with("\r\n") {
        true => part.replace('\n', "\r\n"),
        false => part.to_owned(),
    };
    Ok(format!("{before}{part}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_around_stays() {
        for (document, expected) in [
            ("a\n{\nold\n}\nb", Ok("a\n{\nnew\n}\nb")),
            ("a\r\n{\r\n}\r\nb\n", Ok("a\r\n{\r\nnew\r\n}\r\nb\n")),
            ("\u{feff}{\n}", Ok("\u{feff}{\nnew\n}")),
            ("  {\n  }\n", Ok("  {\nnew\n  }\n")),
            ("a\n", Err(NoPlace::Unmarked)),
            ("", Err(NoPlace::Unmarked)),
            ("`{` and `}`\n", Err(NoPlace::Unmarked)),
            ("{\n", Err(NoPlace::Unclear)),
            ("}\n{\n", Err(NoPlace::Unclear)),
            ("{\n}\n{\n}\n", Err(NoPlace::Unclear)),
            ("{\n{\n}\n", Err(NoPlace::Unclear)),
        ] {
            let marked = |text: &str| text.replace('{', OPEN).replace('}', CLOSE);
            let found = embed(&marked(document), "new\n");
            assert_eq!(found, expected.map(marked), "{document}");
            let again = found.and_then(|once| embed(&once, "new\n"));
            assert_eq!(again, expected.map(marked), "{document}");
        }
    }
}
