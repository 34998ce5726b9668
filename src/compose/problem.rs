//! What stands in the way of reading a project, or had to be assumed to read on.

use camino::Utf8PathBuf;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::span::Span;

/// What a problem is about, as Compose's own errors are grouped.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A `ports` list or an entry of one.
    Ports,
    /// The YAML itself.
    Yaml,
    /// `${…}` outside of ports.
    Interpolation,
    /// A key or type that the Compose file format does not know.
    Schema,
    /// `extends`.
    Extends,
    /// `include`.
    Include,
    /// Files that cannot be laid over one another.
    Merge,
    /// An env file.
    Env,
    /// The project name.
    Name,
    /// A file that cannot be found or read.
    File,
    /// What Compose checks last: images, networks, dependencies.
    Consistency,
    /// An engine, a machine or a snapshot of one that cannot be read.
    Machine,
    /// `portplan.yaml`.
    Config,
}

/// Whether the ports are known all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gravity {
    /// Ports are wrong or cannot be known: the view is partial.
    Error,
    /// Compose would refuse or complain; the ports are known with what the message says was
    /// assumed.
    Notice,
}

/// One thing that is wrong with a project's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What it is about.
    pub kind: Kind,
    /// Whether the ports are known all the same.
    pub gravity: Gravity,
    /// What is wrong.
    pub message: String,
    /// Where; the first is the place, the others explain.
    pub labels: Vec<(Span, String)>,
    /// The file, where there is no text to point into.
    pub file: Option<Utf8PathBuf>,
    /// What to do.
    pub help: Option<String>,
}

impl Problem {
    /// A problem that makes ports wrong or unknown.
    #[must_use]
    pub fn error(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            gravity: Gravity::Error,
            message: message.into(),
            labels: Vec::new(),
            file: None,
            help: None,
        }
    }

    /// A problem in spite of which the ports are known.
    #[must_use]
    pub fn notice(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            gravity: Gravity::Notice,
            ..Self::error(kind, message)
        }
    }

    /// Points at a place, with a word on it.
    #[must_use]
    pub fn at(mut self, span: Span, label: impl Into<String>) -> Self {
        self.labels.push((span, label.into()));
        self
    }

    /// Names a file that has no text to point into.
    #[must_use]
    pub fn of(mut self, file: impl Into<Utf8PathBuf>) -> Self {
        self.file = Some(file.into());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
