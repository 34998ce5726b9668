//! The little XML that reports need.

/// The first line of a document.
pub const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// Attributes, each with a blank before it.
#[must_use]
pub fn attributes(pairs: &[(&str, &str)]) -> String {
    pairs.iter().fold(String::new(), |text, (name, value)| {
        // a reader would take line breaks in an attribute for blanks
        let value = escape(value).replace('\t', "&#9;").replace('\n', "&#10;");
        text + &format!(" {name}=\"{value}\"")
    })
}

/// Text that may stand between tags and is read back as it was; what no XML may hold, as control
/// characters, becomes U+FFFD.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '"' => safe += "&quot;",
            '\r' => safe += "&#13;",
            '\t' | '\n' => safe.push(c),
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::{attributes, escape};

    #[test]
    fn what_xml_may_not_hold() {
        for (text, expected) in [
            ("plain Ünïcode 🐳", "plain Ünïcode 🐳"),
            ("a<b>&\"c\"'d'", "a&lt;b&gt;&amp;&quot;c&quot;'d'"),
            ("]]>", "]]&gt;"),
            ("a\tb\r\nc", "a\tb&#13;\nc"),
            (
                "\0\u{1b}[31m\u{7f}\u{fffe}",
                "\u{fffd}\u{fffd}[31m\u{7f}\u{fffd}",
            ),
        ] {
            assert_eq!(escape(text), expected);
        }
        assert_eq!(attributes(&[("a", "\t\r\n")]), " a=\"&#9;&#13;&#10;\"");
    }
}
