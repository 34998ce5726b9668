//! Places as reports show them.

use std::fmt;

use camino::Utf8PathBuf;
use schemars::JsonSchema;
use serde::Serialize;

use crate::compose::port::{Origin, OriginKind};
use crate::compose::problem::{Kind, Problem};
use crate::source::SourceMap;
use crate::span::Span;
use crate::yaml::How;

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Place {
    /// The file, relative to the working directory.
    #[schemars(with = "String")]
    pub file: Utf8PathBuf,
    /// The line, from 1.
    pub line: u32,
    /// The character in the line, from 1.
    pub column: u32,
}

impl Place {
    /// Where a span begins.
    #[must_use]
    pub fn of(span: Span, sources: &SourceMap) -> Self {
        let position = sources.position(span);
        Self {
            file: sources.file(span.file).path().to_owned(),
            line: position.line,
            column: position.column,
        }
    }
}

/// Where the number of a published port is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OriginPlace {
    /// Who wrote it: `literal`, `default`, `env-file`, `shell`, `mixed`.
    pub kind: OriginName,
    /// The variable that gave it, if one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variable: Option<String>,
    /// The place; of the whole entry where the number itself is not in a file.
    #[serde(flatten)]
    pub place: Place,
    /// The bytes of the number in the file, half-open.
    pub bytes: [u64; 2],
    /// What pulled it in from there, outermost first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub via: Vec<Via>,
}

/// Who wrote a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OriginName {
    /// The compose file itself.
    Literal,
    /// The default in `${VARIABLE:-default}`.
    Default,
    /// A line of an env file.
    EnvFile,
    /// The environment of the process.
    Shell,
    /// Several of these together.
    Mixed,
}

/// One step from where a port is written to the service that publishes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Via {
    /// What pulled it in.
    pub how: ViaName,
    /// Where that is written.
    #[serde(flatten)]
    pub place: Place,
}

/// What pulls a port in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ViaName {
    /// `*alias`
    Alias,
    /// `<<: *alias`
    Merge,
    /// `extends:`
    Extends,
    /// `include:`
    Include,
}

impl OriginPlace {
    /// The place of an origin.
    #[must_use]
    pub fn of(origin: &Origin, sources: &SourceMap) -> Self {
        let (kind, variable) = match &origin.kind {
            OriginKind::Literal => (OriginName::Literal, None),
            OriginKind::Default { variable } => (OriginName::Default, Some(variable)),
            OriginKind::EnvFile { variable } => (OriginName::EnvFile, Some(variable)),
            OriginKind::Shell { variable } => (OriginName::Shell, Some(variable)),
            OriginKind::Mixed => (OriginName::Mixed, None),
        };
        let via = origin.trail.iter().map(|step| Via {
            how: match step.how {
                How::Alias => ViaName::Alias,
                How::Merge => ViaName::Merge,
                How::Extends => ViaName::Extends,
                How::Include => ViaName::Include,
            },
            place: Place::of(step.span, sources),
        });
        Self {
            kind,
            variable: variable.cloned(),
            place: Place::of(origin.span, sources),
            bytes: sources.file(origin.span.file).disk_range(origin.span),
            via: via.collect(),
        }
    }
}

impl fmt::Display for OriginPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = &self.place;
        write!(f, "{}:{}:{}", place.file, place.line, place.column)?;
        match (&self.variable, self.kind) {
            (Some(variable), OriginName::Shell) => write!(f, " ({variable} of the shell)"),
            (Some(variable), OriginName::Default) => write!(f, " (default of {variable})"),
            (Some(variable), _) => write!(f, " ({variable})"),
            (None, _) => Ok(()),
        }
    }
}

/// A problem with its place, for programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ProblemPlace {
    /// The file, relative to the working directory; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub file: Option<Utf8PathBuf>,
    /// The line, from 1; absent where the whole file is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The character in the line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// What it is about.
    pub kind: Kind,
    /// What is wrong.
    pub message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl ProblemPlace {
    /// The place of a problem.
    #[must_use]
    pub fn of(problem: &Problem, sources: &SourceMap) -> Self {
        let place = problem
            .labels
            .first()
            .map(|(span, _)| Place::of(*span, sources));
        Self {
            line: place.as_ref().map(|place| place.line),
            column: place.as_ref().map(|place| place.column),
            file: place
                .map(|place| place.file)
                .or_else(|| problem.file.clone()),
            kind: problem.kind,
            message: problem.message.clone(),
            help: problem.help.clone(),
        }
    }
}
