//! What the scanner refuses, in words for the person who wrote the file.

use granit_parser::{ErrorKind, ScanError};

use super::YamlError;
use crate::span::{FileId, Span};

/// Where the scanner stopped.
pub(super) struct Stopped<'a> {
    /// The file's text.
    pub text: &'a str,
    /// The file.
    pub id: FileId,
    /// The byte of the text.
    pub at: usize,
    /// The first byte of the innermost bracket that is open there.
    pub bracket: Option<usize>,
}

const SPACES: &str = "replace the tab with spaces";
const QUOTES: &str = "put the value in quotes";
const COLUMN: &str = "keys of one mapping, and items of one list, begin in the same column";

impl Stopped<'_> {
    /// Says what is wrong, where, and what to do.
    pub fn error(&self, error: &ScanError) -> YamlError {
        if let Some(marks) = self.conflict() {
            return YamlError::new("a merge conflict that is not resolved", marks)
                .help("choose one of the two versions, and remove the lines with the marks");
        }
        if let Some(error) = self.unclosed(error.kind()) {
            return error;
        }
        let (message, help) = self.words(error);
        YamlError::new(message, self.span(error.kind())).help(help)
    }

    /// The first line that `git merge` marked.
    fn conflict(&self) -> Option<Span> {
        let mut start = 0;
        for line in self.text.split_inclusive('\n') {
            if line.starts_with("<<<<<<< ") {
                return Some(self.range(start, start + line.trim_end().len()));
            }
            start += line.len();
        }
        None
    }

    /// A bracket that is still open on a later line: that is the mistake, not what stands there.
    fn unclosed(&self, kind: &ErrorKind) -> Option<YamlError> {
        let (bracket, stopped) = match kind {
            ErrorKind::UnclosedFlowCollection { .. } => (self.at, None),
            ErrorKind::UnexpectedEofFlowSequence
            | ErrorKind::UnexpectedEofFlowMapping
            | ErrorKind::UnexpectedEofImplicitFlowMapping => (self.bracket?, None),
            ErrorKind::InvalidColonPlacement
            | ErrorKind::ExpectedFlowMappingSeparator
            | ErrorKind::ExpectedFlowSequenceSeparator
            | ErrorKind::BlockEntryInFlowCollection
            | ErrorKind::InvalidIndentation
            | ErrorKind::InvalidFlowScalarIndent
            | ErrorKind::InvalidSimpleKey
            | ErrorKind::MappingValueNotAllowed => {
                let bracket = self.bracket?;
                let between = self.text.get(bracket..self.at)?;
                between.contains('\n').then_some((bracket, Some(self.at)))?
            }
            _ => return None,
        };
        let open = self.text[bracket..].chars().next()?;
        let close = if open == '{' { '}' } else { ']' };
        let error = YamlError::new(
            format!("`{open}` is never closed"),
            self.range(bracket, bracket + open.len_utf8()),
        );
        let error = match stopped {
            Some(at) => error.with(self.range(at, at), "this cannot stand inside of it"),
            None => error,
        };
        Some(error.help(format!("add the closing `{close}`")))
    }

    fn words(&self, error: &ScanError) -> (String, String) {
        let here = self.text[self.at..].chars().next();
        let plain = |message: &str, help: &str| (message.to_owned(), help.to_owned());
        match error.kind() {
            ErrorKind::UnclosedQuotedScalar => (
                "the quote is never closed".to_owned(),
                match here {
                    Some('\'') => "add the closing `'`".to_owned(),
                    _ => "add the closing `\"`".to_owned(),
                },
            ),
            ErrorKind::MismatchedFlowCollectionEnd { open, close } => (
                format!("`{open}` is closed by `{close}`"),
                format!("close it with `{}`", if *open == '{' { '}' } else { ']' }),
            ),
            ErrorKind::MisplacedFlowCollectionEnd => {
                plain("this bracket closes nothing", "remove it")
            }
            ErrorKind::ExpectedFlowMappingSeparator | ErrorKind::ExpectedFlowSequenceSeparator => {
                plain(
                    "a comma, or the closing bracket, is missing before this",
                    "separate the entries with `, `, and close the bracket after the last",
                )
            }
            ErrorKind::InvalidTrailingSingleQuotedScalar
            | ErrorKind::InvalidTrailingDoubleQuotedScalar => plain(
                "text follows the closing quote",
                "put quotes around the whole value, or around none of it",
            ),
            ErrorKind::UnknownQuotedScalarEscape
            | ErrorKind::InvalidQuotedScalarHexEscape
            | ErrorKind::InvalidLowSurrogateHexEscape
            | ErrorKind::InvalidLowSurrogate
            | ErrorKind::MissingLowSurrogate
            | ErrorKind::UnpairedLowSurrogate
            | ErrorKind::InvalidUnicodeEscape => plain(
                "a `\\` in this text does not begin an escape that YAML knows",
                "write `\\\\` for a backslash, or use single quotes",
            ),
            ErrorKind::TabNotAllowed
            | ErrorKind::TabInBlockIndentation
            | ErrorKind::TabInIndentation
            | ErrorKind::TabAtBlockScalarStart
            | ErrorKind::TabInPlainScalar => plain("a tab cannot indent", SPACES),
            ErrorKind::ExpectedBlockMappingKey | ErrorKind::InvalidIndentation => {
                plain("this line is not indented like those above it", COLUMN)
            }
            ErrorKind::ExpectedBlockSequenceEntry => plain(
                "this line is not an item of the list above it",
                "begin it with `- `, or indent it further",
            ),
            ErrorKind::InvalidBlockScalarIndent => plain(
                "this line of a block of text is not indented like its first",
                "indent all lines of the block alike",
            ),
            ErrorKind::InvalidQuotedScalarIndent => plain(
                "this line of a quoted text is not indented",
                "indent it, or close the quote on the line above",
            ),
            ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidColonPlacement => {
                ("a `:` cannot stand here".to_owned(), self.about_colon())
            }
            ErrorKind::SimpleKeyExpected if here == Some('<') || here == Some('=') => {
                plain("this line has no `:` after its key", "remove the line")
            }
            ErrorKind::SimpleKeyExpected => plain(
                "this line has no `:` after its key",
                "write `key: value`; text that goes on must be indented further",
            ),
            ErrorKind::InvalidSimpleKey => {
                plain("a key must be on one line", "write it on one line")
            }
            ErrorKind::MappingKeyNotAllowed => plain(
                "a key cannot stand here",
                "begin it on a line of its own, or put the value in quotes",
            ),
            ErrorKind::BlockSequenceEntryNotAllowed => plain(
                "a list cannot begin on this line",
                "begin each item on a line of its own, or put the value in quotes",
            ),
            ErrorKind::BlockEntryInFlowCollection => plain(
                "`- ` cannot stand inside of brackets",
                "separate the entries with `, `",
            ),
            ErrorKind::InvalidBlockEntryWhitespace => {
                plain("there is no space after `-`", "write `- `")
            }
            ErrorKind::PlainScalarStartsWithDashFlowIndicator => {
                plain("a value cannot begin with `-` and a bracket", QUOTES)
            }
            ErrorKind::InvalidMappingValueWhitespace => {
                plain("there is no space after `:`", "write `: `")
            }
            ErrorKind::FlowMappingValueAdjacentCollection => {
                plain("there is no space after `:`", "write `: `")
            }
            ErrorKind::UnexpectedCharacter { character: '%' } => (
                "a value cannot begin with `%`".to_owned(),
                "put it in quotes; if this is a template, check what is made of it".to_owned(),
            ),
            ErrorKind::UnexpectedCharacter { character: '`' } => {
                plain("a value cannot begin with a backtick", "put it in quotes")
            }
            ErrorKind::UnexpectedCharacter { character } => (
                format!("a value cannot begin with `{character}`"),
                "put it in quotes".to_owned(),
            ),
            ErrorKind::MissingAnchorOrAliasName => (
                format!("no name follows `{}`", here.unwrap_or('*')),
                "put it in quotes, or write the name of an anchor after it".to_owned(),
            ),
            ErrorKind::UndeclaredTagHandle
            | ErrorKind::InvalidTagTerminator
            | ErrorKind::MissingTagUri
            | ErrorKind::UnclosedVerbatimTag
            | ErrorKind::InvalidTagEscape => plain(
                "this begins with `!` like a tag, and there is no such tag",
                "put it in quotes if it is text",
            ),
            ErrorKind::InvalidBlockScalarHeader | ErrorKind::ZeroBlockScalarIndent => plain(
                "only an indentation and `+` or `-` can follow `|` or `>`",
                "begin the text on the next line, or put the value in quotes",
            ),
            ErrorKind::CommentInterceptedScalar => plain(
                "a comment stands between the lines of a text",
                "move the comment above the text, or put the text in quotes",
            ),
            ErrorKind::CommentNotSeparated => {
                plain("there is no space before `#`", "write ` #`, or use quotes")
            }
            ErrorKind::RecursionLimitExceeded => plain(
                "nested too deeply",
                "no compose file needs that; was it made to exhaust memory?",
            ),
            ErrorKind::DocumentIndicatorInQuotedScalar => plain(
                "a document ends inside of quotes",
                "close the quote above, or indent the line",
            ),
            ErrorKind::ExpectedDocumentStart
            | ErrorKind::InvalidDocumentEnd
            | ErrorKind::MissingDocumentEndBeforeDirective => plain(
                "text stands where a new document has to begin",
                "indent it like the text above, or write `---` before it",
            ),
            ErrorKind::ExpectedNodeContent => plain("a value is missing here", "write one"),
            _ => (
                error.info().to_owned(),
                "correct this line; text is safest in quotes".to_owned(),
            ),
        }
    }

    /// What to do about a `:` where no key can be.
    fn about_colon(&self) -> String {
        let before = &self.text[..self.at];
        let (above, line) = before.rsplit_once('\n').unwrap_or(("", before));
        // `image:nginx` is text, and what follows goes on with it
        let glued = |text: &str| {
            let (key, value) = text.trim().split_once(':')?;
            let is_glued = !value.is_empty() && !value.starts_with([' ', '/']);
            (is_glued && !key.contains([' ', '"', '\''])).then(|| key.to_owned())
        };
        let above = above.lines().next_back().unwrap_or_default();
        match glued(above) {
            Some(key) if !line.contains(':') => {
                format!("write a space after `{key}:` in the line above")
            }
            _ => "put the value in quotes, or begin the key on a line of its own".to_owned(),
        }
    }

    fn span(&self, kind: &ErrorKind) -> Span {
        let tab = |text: &str| text.find('\t').map(|tab| self.at + tab);
        match kind {
            ErrorKind::TabNotAllowed
            | ErrorKind::TabInBlockIndentation
            | ErrorKind::TabInIndentation
            | ErrorKind::TabAtBlockScalarStart
            | ErrorKind::TabInPlainScalar => {
                let line = self.text[..self.at].rfind('\n').map_or(0, |end| end + 1);
                let before = self.text[line..self.at].rfind('\t');
                let at = tab(&self.text[self.at..]);
                let at = before.map(|tab| line + tab).or(at).unwrap_or(self.at);
                self.range(at, (at + 1).min(self.text.len()))
            }
            _ => self.range(self.at, self.at),
        }
    }

    fn range(&self, start: usize, end: usize) -> Span {
        Span::new(self.id, start as u32, end as u32)
    }
}

#[cfg(test)]
mod tests {
    use crate::source::{SourceFile, SourceMap};

    /// The message, the place as `line:column`, and the help for a text that is not YAML.
    fn refused(text: &str) -> Option<(String, String, String)> {
        let mut sources = SourceMap::new();
        let id = sources.add(SourceFile::decode("f.yaml", text.into()).ok()?);
        let error = crate::yaml::parse(sources.file(id), id).err()?;
        let place = sources.position(error.span);
        let place = format!("{}:{}", place.line, place.column);
        Some((error.message, place, error.help.unwrap_or_default()))
    }

    #[test]
    fn says_what_is_wrong_where_and_what_to_do() {
        const COLON: &str = "put the value in quotes, or begin the key on a line of its own";
        let cases = [
            (
                "a: [1\nb: 2\n",
                "`[` is never closed",
                "1:4",
                "add the closing `]`",
            ),
            (
                "a: {b: 1\nc: 2\n",
                "`{` is never closed",
                "1:4",
                "add the closing `}`",
            ),
            (
                "a: [1, 2",
                "`[` is never closed",
                "1:4",
                "add the closing `]`",
            ),
            (
                "a: {b: [1, 2}\n",
                "`[` is closed by `}`",
                "1:8",
                "close it with `]`",
            ),
            (
                "a: [1]]\n",
                "this bracket closes nothing",
                "1:7",
                "remove it",
            ),
            (
                "a: \"b\nc: d\n",
                "the quote is never closed",
                "1:4",
                "add the closing `\"`",
            ),
            (
                "a: 'b\n",
                "the quote is never closed",
                "1:4",
                "add the closing `'`",
            ),
            (
                "a: \"b\" c\n",
                "text follows the closing quote",
                "1:8",
                "put quotes around the whole value, or around none of it",
            ),
            (
                "a: \"C:\\Users\"\n",
                "a `\\` in this text does not begin an escape that YAML knows",
                "1:4",
                "write `\\\\` for a backslash, or use single quotes",
            ),
            ("a:\n\tb: 1\n", "a tab cannot indent", "2:1", super::SPACES),
            (
                "a:\n  b: c\n\td:\n",
                "a tab cannot indent",
                "3:1",
                super::SPACES,
            ),
            (
                "a:\n    b: 1\n   c: 2\n",
                "this line is not indented like those above it",
                "3:4",
                super::COLUMN,
            ),
            (
                "a:\n  - b\n  c: d\n",
                "this line is not an item of the list above it",
                "3:3",
                "begin it with `- `, or indent it further",
            ),
            ("a: b: c\n", "a `:` cannot stand here", "1:5", COLON),
            (
                "a:\n  image:nginx\n  ports:\n",
                "a `:` cannot stand here",
                "3:8",
                "write a space after `image:` in the line above",
            ),
            (
                "a: http://x\n  b: c\n",
                "a `:` cannot stand here",
                "2:4",
                COLON,
            ),
            (
                "a: 1\nb\n",
                "this line has no `:` after its key",
                "2:1",
                "write `key: value`; text that goes on must be indented further",
            ),
            (
                "a: - b\n",
                "a list cannot begin on this line",
                "1:4",
                "begin each item on a line of its own, or put the value in quotes",
            ),
            (
                "a: @b\n",
                "a value cannot begin with `@`",
                "1:4",
                "put it in quotes",
            ),
            (
                "{% if a %}\n",
                "a value cannot begin with `%`",
                "1:2",
                "put it in quotes; if this is a template, check what is made of it",
            ),
            (
                "a: *\n",
                "no name follows `*`",
                "1:4",
                "put it in quotes, or write the name of an anchor after it",
            ),
            (
                "a: !h!b c\n",
                "this begins with `!` like a tag, and there is no such tag",
                "1:4",
                "put it in quotes if it is text",
            ),
            (
                "a:\n<<<<<<< HEAD\n  b: 1\n=======\n",
                "a merge conflict that is not resolved",
                "2:1",
                "choose one of the two versions, and remove the lines with the marks",
            ),
        ];
        for (text, message, place, help) in cases {
            let expected = (message.to_owned(), place.to_owned(), help.to_owned());
            assert_eq!(refused(text), Some(expected), "{text:?}");
        }
    }
}
