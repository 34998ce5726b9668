//! What people and programs get to see: one file a form.

pub mod check;
pub mod checkstyle;
pub mod concise;
pub mod diff;
pub mod format;
pub mod github;
pub mod gitlab;
pub mod holdings;
pub mod human;
pub mod item;
pub mod junit;
pub mod list;
pub mod markdown;
pub mod mention;
pub mod place;
pub mod plan;
pub mod rdjson;
pub mod replacement;
pub mod rules;
pub mod sarif;
pub mod schema;
pub mod summary;
pub mod table;
pub mod xml;

use std::borrow::Cow;

use camino::Utf8Path;

use crate::source::is_command;

/// A value as JSON, with a line break after it.
#[must_use]
pub fn json(value: &impl serde::Serialize) -> String {
    // our own types have string keys only, so this cannot fail
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

/// A text on one line that commands no terminal: names in files may hold anything.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    let is_odd = |c: char| c == '\n' || c == '\t' || is_command(c);
    match text.contains(is_odd) {
        false => text.into(),
        true => text
            .chars()
            .map(|c| match is_odd(c) {
                true => c.escape_default().to_string(),
                false => c.to_string(),
            })
            .collect(),
    }
}

/// A path with `/` on any system.
pub(crate) fn slashes(path: &Utf8Path) -> String {
    if std::path::MAIN_SEPARATOR == '\\' {
        path.as_str().replace('\\', "/")
    } else {
        path.to_string()
    }
}

/// The path of something that is to be reported; the working directory where it is in no file.
fn path_or_folder(path: Option<&Utf8Path>) -> String {
    path.map_or_else(|| ".".to_owned(), slashes)
}
