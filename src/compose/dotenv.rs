//! The grammar of `.env` files, as compose-go's `dotenv` package reads it (compose.md 8).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::interpolate::{InterpolationError, Lookup, interpolate};
use super::text::{Text, Written};
use crate::source::{Encoding, MAX_FILE_BYTES, SourceFile};
use crate::span::{FileId, Span};

/// Variables and their values.
pub type Variables = BTreeMap<Arc<str>, Text>;

/// What is wrong with an env file, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct DotenvError {
    /// The bytes at fault, in the env file.
    pub span: Span,
    /// What is wrong.
    pub kind: DotenvErrorKind,
}

/// What can be wrong with an env file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DotenvErrorKind {
    /// A key holds something else than letters, digits and `_.-[]`.
    #[error("{character:?} cannot be part of the name of a variable")]
    UnexpectedCharacter {
        /// The character.
        character: char,
    },
    /// A key holds a space, as in `set A=1`.
    #[error("a space cannot be part of the name of a variable")]
    SpaceInKey,
    /// Nothing follows `export`.
    #[error("no name of a variable follows `export`")]
    MissingKey,
    /// A quoted value runs to the end of the file.
    #[error("the quote is never closed")]
    UnterminatedQuote,
    /// A value's references cannot be replaced.
    #[error(transparent)]
    Interpolation(InterpolationError),
    /// The file is UTF-16, which Compose takes for odd characters in a key.
    #[error("the file is not UTF-8")]
    NotUtf8,
    /// The values together are far larger than the file; Compose has no limit.
    #[error("the values expand to more than {MAX_FILE_BYTES} bytes")]
    TooLarge,
}

/// Reads an env file and adds its entries to `variables`, a later one replacing an earlier one.
///
/// References see `outer` (the shell) first, then `variables`; those that find nothing are added to
/// `unset`. Each value points at its bytes in the file, as [`Written::EnvFile`].
///
/// # Errors
/// The first error in the file. The entries before it have been added.
pub fn parse(
    file: &SourceFile,
    id: FileId,
    outer: &dyn Lookup,
    variables: &mut Variables,
    unset: &mut BTreeSet<String>,
) -> Result<(), DotenvError> {
    let mut parser = Parser {
        text: file.text(),
        file: id,
        at: file.bom_len(),
    };
    if file.encoding() != Encoding::Utf8 {
        return Err(parser.error(0, parser.at, DotenvErrorKind::NotUtf8));
    }
    let mut size = 0;
    while parser.skip_to_statement() {
        let start = parser.at;
        let key = parser.key()?;
        let scope = Scope { outer, variables };
        let (name, value) = match key {
            Key::Inherited(name) => match scope.lookup(name) {
                Some(value) => (name.into(), value.clone()),
                None => continue,
            },
            Key::Assigned(name) => {
                let name: Arc<str> = name.into();
                let value = parser.value(&name, &scope, unset)?;
                (name, value)
            }
        };
        size += value.value().len() as u64;
        if size > MAX_FILE_BYTES {
            return Err(parser.error(start, parser.at, DotenvErrorKind::TooLarge));
        }
        variables.insert(name, value);
    }
    Ok(())
}

/// What a reference in an env file sees.
struct Scope<'a> {
    outer: &'a dyn Lookup,
    variables: &'a Variables,
}

impl Lookup for Scope<'_> {
    fn lookup(&self, name: &str) -> Option<&Text> {
        self.outer.lookup(name).or_else(|| self.variables.get(name))
    }
}

/// The left side of a statement.
enum Key<'a> {
    /// Alone on its line: the variable keeps the value it has.
    Inherited(&'a str),
    /// With a value.
    Assigned(&'a str),
}

struct Parser<'a> {
    text: &'a str,
    file: FileId,
    at: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Goes to where `rest`, a tail of the text, begins.
    fn go_to(&mut self, rest: &str) {
        self.at = self.text.len() - rest.len();
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start as u32, end as u32)
    }

    fn error(&self, start: usize, end: usize, kind: DotenvErrorKind) -> DotenvError {
        DotenvError {
            span: self.span(start, end),
            kind,
        }
    }

    /// Skips blank lines and comments; false at the end of the file.
    fn skip_to_statement(&mut self) -> bool {
        loop {
            self.go_to(self.rest().trim_start());
            if !self.rest().starts_with('#') {
                return !self.rest().is_empty();
            }
            self.at += line(self.rest()).len();
        }
    }

    /// Reads the key and the separator behind it.
    fn key(&mut self) -> Result<Key<'a>, DotenvError> {
        let start = self.at;
        if let Some(tail) = self.rest().strip_prefix("export")
            && tail.starts_with(['\t', '\n', '\x0c', '\r', ' '])
        {
            self.go_to(tail.trim_start_matches(is_blank));
        }
        let rest = self.rest();
        if rest.is_empty() {
            return Err(self.error(start, self.at, DotenvErrorKind::MissingKey));
        }
        let separator = rest.char_indices().find(|(_, c)| !is_key_character(*c));
        let (end, separator) = match separator {
            Some((end, separator @ ('=' | ':' | '\n'))) => (end, separator),
            Some((offset, character)) => {
                let at = self.at + offset;
                let kind = DotenvErrorKind::UnexpectedCharacter { character };
                return Err(self.error(at, at + character.len_utf8(), kind));
            }
            // A last line without a separator is the value of a variable without a name.
            None => return Ok(Key::Assigned("")),
        };
        let name = rest[..end].trim_end();
        if name.contains(' ') {
            return Err(self.error(self.at, self.at + name.len(), DotenvErrorKind::SpaceInKey));
        }
        self.at += end + 1;
        Ok(match separator {
            '\n' => Key::Inherited(name),
            _ => Key::Assigned(name),
        })
    }

    /// Reads a value and replaces its references.
    fn value(
        &mut self,
        name: &Arc<str>,
        scope: &Scope<'_>,
        unset: &mut BTreeSet<String>,
    ) -> Result<Text, DotenvError> {
        self.go_to(self.rest().trim_start_matches(is_blank));
        let start = self.at;
        let template = match self.rest().as_bytes().first() {
            Some(b'\'') => return self.quoted('\'', name),
            Some(b'"') => self.quoted('"', name)?,
            _ => self.unquoted(name),
        };
        interpolate(&template, scope, unset).map_err(|error| DotenvError {
            span: template
                .extent(error.range.clone())
                .unwrap_or_else(|| self.span(start, self.at)),
            kind: DotenvErrorKind::Interpolation(error),
        })
    }

    /// Reads to the end of the line or to a comment, which needs a space before it.
    fn unquoted(&mut self, name: &Arc<str>) -> Text {
        let start = self.at;
        let line = line(self.rest());
        self.at = self.text.len().min(start + line.len() + 1);
        let value = line.split(" #").next().unwrap_or_default().trim_end();
        Text::written(value, self.by_env_file(name, start, start + value.len()))
    }

    /// Reads a quoted value, escapes replaced. Only a double-quoted one has other escapes than that
    /// of the quote, and its `\$` becomes the `$$` that interpolation takes for `$`.
    fn quoted(&mut self, quote: char, name: &Arc<str>) -> Result<Text, DotenvError> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut value = Text::new();
        let mut literal = start + 1;
        let mut at = literal;
        while let Some(found) = self.text[at..].find([quote, '\\']) {
            at += found;
            if bytes[at] != b'\\' {
                value.push(&self.text[literal..at], self.by_env_file(name, literal, at));
                self.at = at + 1;
                return Ok(value);
            }
            let Some(escaped) = self.text[at + 1..].chars().next() else {
                break;
            };
            let (replacement, len) = if escaped == quote {
                (escaped.to_string(), 2)
            } else if let Some(escape) = escape(&self.text[at + 1..]).filter(|_| quote == '"') {
                escape
            } else {
                at += 1 + escaped.len_utf8();
                continue;
            };
            value.push(&self.text[literal..at], self.by_env_file(name, literal, at));
            value.push(&replacement, self.by_env_file(name, at, at + len));
            at += len;
            literal = at;
        }
        let end = start + line(self.rest()).trim_end().len();
        Err(self.error(start, end, DotenvErrorKind::UnterminatedQuote))
    }

    fn by_env_file(&self, name: &Arc<str>, start: usize, end: usize) -> Written {
        Written::EnvFile {
            variable: name.clone(),
            span: self.span(start, end),
        }
    }
}

/// The escape sequence whose backslash stands before `tail`: what it means and its length with the
/// backslash; `None` if it means itself.
fn escape(tail: &str) -> Option<(String, usize)> {
    let meaning = match tail.as_bytes().first()? {
        b'a' => "\x07",
        b'b' => "\x08",
        b'f' => "\x0c",
        b'n' => "\n",
        b'r' => "\r",
        b't' => "\t",
        b'v' => "\x0b",
        b'\\' => "\\",
        b'$' => "$$",
        b'0' => return Some(octal(&tail[1..])),
        _ => return None,
    };
    Some((meaning.to_owned(), 2))
}

/// `\0NNN`, where `tail` follows the zero: three octal digits up to 377 are a character; any other
/// run of digits only loses the zero.
fn octal(tail: &str) -> (String, usize) {
    let digits = tail.bytes().take(3).take_while(u8::is_ascii_digit).count();
    let number = &tail[..digits];
    let character = match digits {
        3 => u8::from_str_radix(number, 8).ok().map(char::from),
        _ => None,
    };
    let meaning = character.map_or_else(|| format!("\\{number}"), String::from);
    (meaning, 2 + digits)
}

/// The first line of `text`, without its end.
fn line(text: &str) -> &str {
    text.split('\n').next().unwrap_or_default()
}

/// What compose-go skips within a line; further spaces of Unicode are not among it.
fn is_blank(c: char) -> bool {
    matches!(c, '\t' | '\x0b' | '\x0c' | '\r' | ' ' | '\u{85}' | '\u{a0}')
}

fn is_key_character(c: char) -> bool {
    is_blank(c) || matches!(c, '_' | '.' | '-' | '[' | ']') || c.is_alphabetic() || c.is_numeric()
}

#[cfg(test)]
#[path = "dotenv_tests.rs"]
mod tests;
