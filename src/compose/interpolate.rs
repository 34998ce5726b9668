//! `$VAR` and `${VAR:-default}`, as compose-go's `template` package reads them (compose.md 7).
//!
//! compose-go finds a reference with a regular expression that runs to the last `}` of the line,
//! then cuts the match where the braces balance and reads on behind the cut as if that were a
//! template of its own. The same is done here in one pass over each level of nesting.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use super::text::{Text, Written};

/// Defaults nested deeper than this are refused.
pub const MAX_DEPTH: usize = 100;

/// One template may copy this many bytes out of variables, used or not.
pub const MAX_EXPANSION: usize = 1 << 20;

/// Gives the values of variables.
pub trait Lookup {
    /// The value of `name`; `None` if it is not set, which is not the same as empty.
    fn lookup(&self, name: &str) -> Option<&Text>;
}

/// Why a template has no value, and where in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct InterpolationError {
    /// The bytes of the template that are at fault; [`Text::extent`] makes a span of them.
    pub range: Range<usize>,
    /// What is wrong.
    pub kind: InterpolationErrorKind,
}

/// What can be wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InterpolationErrorKind {
    /// `${` that does not begin a reference.
    #[error(
        "`{template}` has a variable that is not written as `${{NAME}}` or `${{NAME:-default}}`; write `$$` for a plain `$`"
    )]
    InvalidFormat {
        /// The innermost template: a default, or the text behind a reference, counts as one.
        template: String,
    },
    /// `${variable?message}` or `${variable:?message}` without a value.
    #[error("variable {variable} must have a value{}", .message.as_ref().map_or(String::new(), |m| format!(": {m}")))]
    MissingRequired {
        /// The variable.
        variable: String,
        /// The message, interpolated, unless it is empty.
        message: Option<String>,
    },
    /// More than [`MAX_DEPTH`] references within one another; Compose has no limit.
    #[error("variable references are nested more than {MAX_DEPTH} deep")]
    TooDeep,
    /// More than [`MAX_EXPANSION`] bytes of variables; Compose has no limit.
    #[error("variables expand to more than {MAX_EXPANSION} bytes")]
    TooLong,
}

/// False if interpolation would give `template` back as it is.
#[must_use]
pub fn needs_interpolation(template: &str) -> bool {
    template.contains('$')
}

/// Replaces the references to variables in `template`, as Compose does (compose.md 7).
///
/// Bytes of the template keep their writer, except that a used default becomes
/// [`Written::Default`]. Bytes of a variable have the writer that `environment` gives them.
/// Variables that are replaced by nothing because they are not set are added to `unset`; so are
/// those in defaults and replacements that are not used.
///
/// # Errors
/// The first malformed reference or required variable without a value, also in a default that is
/// not used; or a template past the limits of this module.
pub fn interpolate(
    template: &Text,
    environment: &dyn Lookup,
    unset: &mut BTreeSet<String>,
) -> Result<Text, InterpolationError> {
    if !needs_interpolation(template.value()) {
        return Ok(template.clone());
    }
    Interpolation {
        template,
        environment,
        unset,
        copied: 0,
    }
    .region(0..template.value().len(), None, 0)
}

/// The bytes of the references in `template`; those within a default belong to its reference.
#[must_use]
pub fn references(template: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut last_brace = LastBrace::default();
    let mut at = 0;
    while let Some(dollar) = template[at..].find('$').map(|found| at + found) {
        at = match token(template, dollar, template.len(), &mut last_brace) {
            Some(Token::Escape) => dollar + 2,
            Some(Token::Reference { end, .. }) => {
                found.push(dollar..end);
                end
            }
            Some(Token::Malformed) | None => dollar + 1,
        };
    }
    found
}

/// How often `text` seems to refer to a variable, within defaults, too.
#[must_use]
pub fn mentions(text: &str, variable: &str) -> usize {
    let after = text.match_indices('$').map(|(at, _)| {
        let rest = &text[at + 1..];
        rest.strip_prefix('{').unwrap_or(rest)
    });
    after
        .filter(|rest| leading_name(rest) == Some(variable))
        .count()
}

/// What follows a `$` that is more than a plain character.
enum Token<'a> {
    /// The second `$`.
    Escape,
    /// A reference that ends at `end`.
    Reference {
        name: &'a str,
        operation: Option<Operation>,
        end: usize,
    },
    /// `{` that begins no reference.
    Malformed,
}

/// The part of a braced reference behind the name.
struct Operation {
    operator: Operator,
    /// `:` before the operator: an empty value counts as none.
    or_empty: bool,
    /// The template behind the operator.
    operand: Range<usize>,
    /// One past the last `}` of the line: as far as the regular expression runs.
    match_end: usize,
}

#[derive(Clone, Copy)]
enum Operator {
    Default,
    Replacement,
    Required,
}

/// The last `}` of the line that is being read, found once a line.
#[derive(Default)]
struct LastBrace {
    line_end: usize,
    at: Option<usize>,
}

impl LastBrace {
    /// The last `}` of the line in `from..end`; calls must not go backwards.
    fn find(&mut self, text: &str, from: usize, end: usize) -> Option<usize> {
        if from >= self.line_end {
            let line = text[from..end].split('\n').next().unwrap_or_default();
            self.line_end = from + line.len();
            self.at = line.rfind('}').map(|at| from + at);
        }
        self.at.filter(|at| *at >= from)
    }
}

struct Interpolation<'a> {
    template: &'a Text,
    environment: &'a dyn Lookup,
    unset: &'a mut BTreeSet<String>,
    copied: usize,
}

impl Interpolation<'_> {
    /// The value of the part `region` of the template, which may be the default of a variable.
    fn region(
        &mut self,
        region: Range<usize>,
        default_of: Option<&Arc<str>>,
        depth: usize,
    ) -> Result<Text, InterpolationError> {
        let text = self.template.value();
        let mut result = Text::new();
        let mut last_brace = LastBrace::default();
        // What an error shows: behind a reference with an operator, the rest of its match.
        let mut rest = region.start..region.start;
        let mut literal = region.start;
        let mut at = region.start;
        while let Some(dollar) = text[at..region.end].find('$').map(|found| at + found) {
            let Some(token) = token(text, dollar, region.end, &mut last_brace) else {
                at = dollar + 1;
                continue;
            };
            result.append(&self.own(literal..dollar, default_of));
            match token {
                Token::Escape => {
                    at = dollar + 2;
                    let pair = self.own(dollar..at, default_of);
                    match pair.single() {
                        Some(written) => result.push("$", written),
                        None => result.append(&pair.slice(0..1)),
                    }
                }
                Token::Reference {
                    name,
                    operation,
                    end,
                } => {
                    at = end;
                    let range = dollar..end;
                    let value = match operation {
                        None => self.plain(name, range)?,
                        Some(operation) => {
                            rest = end..operation.match_end;
                            self.operated(name, operation, range, default_of, depth)?
                        }
                    };
                    result.append(&value);
                }
                Token::Malformed => {
                    let shown = if rest.contains(&dollar) { rest } else { region };
                    let line = text[dollar..shown.end].split_inclusive(['}', '\n']);
                    let len = line
                        .take(1)
                        .map(|line| line.trim_end().len())
                        .sum::<usize>();
                    return Err(InterpolationError {
                        range: dollar..dollar + len,
                        kind: InterpolationErrorKind::InvalidFormat {
                            template: text[shown].to_owned(),
                        },
                    });
                }
            }
            literal = at;
        }
        result.append(&self.own(literal..region.end, default_of));
        Ok(result)
    }

    /// The value of `$name` or `${name}`.
    fn plain(&mut self, name: &str, range: Range<usize>) -> Result<Text, InterpolationError> {
        match self.environment.lookup(name) {
            Some(value) => self.copy(value, range),
            None => {
                self.unset.insert(name.to_owned());
                Ok(Text::new())
            }
        }
    }

    /// The value of `${name-default}` and its kin.
    fn operated(
        &mut self,
        name: &str,
        operation: Operation,
        range: Range<usize>,
        default_of: Option<&Arc<str>>,
        depth: usize,
    ) -> Result<Text, InterpolationError> {
        if depth == MAX_DEPTH {
            return Err(InterpolationError {
                range,
                kind: InterpolationErrorKind::TooDeep,
            });
        }
        let variable: Arc<str>;
        let operand_of = match operation.operator {
            Operator::Default => {
                variable = name.into();
                Some(&variable)
            }
            // A replacement is not what the variable would replace.
            Operator::Replacement | Operator::Required => default_of,
        };
        // Compose evaluates the operand before it looks whether it is needed.
        let operand = self.region(operation.operand, operand_of, depth + 1)?;
        let value = self
            .environment
            .lookup(name)
            .filter(|value| !(operation.or_empty && value.value().is_empty()));
        match (operation.operator, value) {
            (Operator::Default, None) | (Operator::Replacement, Some(_)) => Ok(operand),
            (Operator::Replacement, None) => Ok(Text::new()),
            (Operator::Default | Operator::Required, Some(value)) => self.copy(value, range),
            (Operator::Required, None) => Err(InterpolationError {
                range,
                kind: InterpolationErrorKind::MissingRequired {
                    variable: name.to_owned(),
                    message: Some(operand.value().to_owned()).filter(|text| !text.is_empty()),
                },
            }),
        }
    }

    /// The template's own bytes.
    fn own(&self, range: Range<usize>, default_of: Option<&Arc<str>>) -> Text {
        let text = self.template.slice(range);
        match default_of {
            None => text,
            Some(variable) => text.map(|written| match written.span() {
                Some(span) => Written::Default {
                    variable: variable.clone(),
                    span,
                },
                None => written.clone(),
            }),
        }
    }

    /// A variable's value, as long as there is room for it.
    fn copy(&mut self, value: &Text, range: Range<usize>) -> Result<Text, InterpolationError> {
        self.copied += value.value().len();
        if self.copied > MAX_EXPANSION {
            return Err(InterpolationError {
                range,
                kind: InterpolationErrorKind::TooLong,
            });
        }
        Ok(value.clone())
    }
}

/// Reads what the `$` at `dollar` begins; `None` if it stands for itself.
fn token<'a>(
    text: &'a str,
    dollar: usize,
    region_end: usize,
    last_brace: &mut LastBrace,
) -> Option<Token<'a>> {
    let start = dollar + 1;
    let after = &text[start..region_end];
    if after.starts_with('$') {
        return Some(Token::Escape);
    }
    let Some(braced) = after.strip_prefix('{') else {
        let name = leading_name(after)?;
        return Some(Token::Reference {
            name,
            operation: None,
            end: start + name.len(),
        });
    };
    Some(braced_reference(text, dollar, braced, region_end, last_brace).unwrap_or(Token::Malformed))
}

/// Reads `${name}` or `${name` with an operator; `braced` is what follows `${`.
fn braced_reference<'a>(
    text: &'a str,
    dollar: usize,
    braced: &'a str,
    region_end: usize,
    last_brace: &mut LastBrace,
) -> Option<Token<'a>> {
    let name = leading_name(braced)?;
    let name_end = dollar + 2 + name.len();
    let tail = &braced[name.len()..];
    if tail.starts_with('}') {
        return Some(Token::Reference {
            name,
            operation: None,
            end: name_end + 1,
        });
    }
    let (or_empty, tail) = match tail.strip_prefix(':') {
        Some(tail) => (true, tail),
        None => (false, tail),
    };
    let operator = match tail.as_bytes().first()? {
        b'-' => Operator::Default,
        b'+' => Operator::Replacement,
        b'?' => Operator::Required,
        _ => return None,
    };
    let operand = name_end + usize::from(or_empty) + 1;
    let last = last_brace.find(text, operand, region_end)?;
    let close = balanced_brace(&text.as_bytes()[dollar..=last]).map_or(last, |at| dollar + at);
    Some(Token::Reference {
        name,
        operation: Some(Operation {
            operator,
            or_empty,
            operand: operand..close,
            match_end: last + 1,
        }),
        end: close + 1,
    })
}

/// Where the first brace of `text` is closed. The byte after a `{` is never looked at, so that
/// `{}` opens one and closes none.
fn balanced_brace(text: &[u8]) -> Option<usize> {
    let mut open = 0;
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'{' => {
                open += 1;
                at += 1;
            }
            b'}' => {
                open -= 1;
                if open == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// The variable name that `text` begins with.
///
/// compose-go's class is `(?i:[_a-z][_a-z0-9]*)`, and Go folds case by Unicode: the long s and the
/// kelvin sign are letters of it too.
fn leading_name(text: &str) -> Option<&str> {
    let letter = |c: char| c == '_' || c.is_ascii_alphabetic() || c == '\u{17f}' || c == '\u{212a}';
    if !text.starts_with(letter) {
        return None;
    }
    let end = text.find(|c: char| !letter(c) && !c.is_ascii_digit());
    Some(&text[..end.unwrap_or(text.len())])
}

#[cfg(test)]
#[path = "interpolate_tests.rs"]
mod tests;
