//! A table, for a comment on a change or the summary of a step.

use super::check::Outcome;
use super::concise;
use super::item::Item;
use super::summary::summary;

/// The findings as a table if there are any, then the closing line.
#[must_use]
pub fn render(outcome: &Outcome) -> String {
    let rows: Vec<String> = outcome.items().map(|item| row(&item)).collect();
    let mut text = String::new();
    if !rows.is_empty() {
        text += "| | what | where |\n|---|---|---|\n";
        text += &rows.concat();
        text.push('\n');
    }
    for remark in &outcome.remarks {
        text += &format!("Note: {}\n\n", prose(remark));
    }
    text + &prose(&summary(outcome)) + "\n"
}

fn row(item: &Item<'_>) -> String {
    let mut what = format!("{} ({})", prose(item.message), code(item.code));
    for (word, line) in &item.advice {
        what += &format!("<br>{word}: {}", prose(line));
    }
    let mut places: Vec<String> = item.spots.iter().map(|spot| code(&spot.place())).collect();
    if places.is_empty() {
        places.extend(item.path().map(|path| code(path.as_str())));
    }
    places.dedup();
    let word = concise::severity(item.severity);
    format!("| {word} | {what} | {} |\n", places.join("<br>"))
}

/// Literal text between backticks, in a table.
#[must_use]
pub fn code(text: &str) -> String {
    let text = one_line(text).replace('|', "\\|");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    // a backtick at either end needs a blank beside it, which is dropped again
    let blank = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{blank}{text}{blank}{fence}")
}

/// A sentence with names between backticks, in a table: nothing else in it is Markdown.
#[must_use]
pub fn prose(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        // a name that holds a backtick itself
        return escape(text);
    }
    let parts = parts.iter().enumerate();
    parts.fold(String::new(), |done, (index, part)| {
        done + &match index % 2 {
            0 => escape(part),
            _ if part.is_empty() => String::new(),
            _ => code(part),
        }
    })
}

fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in one_line(text).chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' => safe.extend(['\\', c]),
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '&' => safe += "&amp;",
            // nobody is called by name
            '@' => safe += "&#64;",
            c => safe.push(c),
        }
    }
    safe
}

/// The text without line breaks and tabs.
pub(crate) fn one_line(text: &str) -> String {
    text.replace(['\r', '\n', '\t'], " ")
}

#[cfg(test)]
mod tests {
    use super::{code, prose};

    #[test]
    fn what_a_cell_may_not_hold() {
        for (text, expected) in [
            ("`web` has 80/tcp", "`web` has 80/tcp"),
            ("`a|b` | c", "`a\\|b` \\| c"),
            ("a `b", "a \\`b"),
            (
                "<b> & *c* [d](e)\n@f #1",
                "&lt;b&gt; &amp; \\*c\\* \\[d\\](e) &#64;f \\#1",
            ),
            ("`_x_` _y_", "`_x_` \\_y\\_"),
            ("``", ""),
        ] {
            assert_eq!(prose(text), expected);
        }
        for (text, expected) in [
            ("a b%#.yaml:1:2", "`a b%#.yaml:1:2`"),
            ("a`b", "``a`b``"),
            ("`", "`` ` ``"),
            ("a|b", "`a\\|b`"),
        ] {
            assert_eq!(code(text), expected);
        }
    }
}
