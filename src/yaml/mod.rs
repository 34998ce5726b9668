//! YAML as Docker Compose reads it (go-yaml v3), with the bytes of every node.
//!
//! The scanner is `granit-parser`; nothing outside this module names it. What differs between
//! YAML 1.2 and go-yaml is settled here: scalar types, merge keys, duplicate keys, anchors that
//! live on across documents (compose.md 9).

mod blanks;
mod dialect;
mod layout;
mod locate;
mod merge;
mod node;
mod parse;
mod scalar;
mod words;

pub use layout::Layout;
pub use node::{Entry, How, Mapping, Node, Step, Str, Style, Tag, Value};
pub use parse::parse;
pub use scalar::is_base_sixty;

use crate::span::Span;

/// Why a file is not the YAML that Compose accepts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct YamlError {
    /// What is wrong.
    pub message: String,
    /// Where.
    pub span: Span,
    /// The other place that takes part: the first of two equal keys, the anchor of a cycle.
    pub other: Option<(Span, String)>,
    /// What to do about it, where that is known.
    pub help: Option<String>,
}

impl YamlError {
    fn new(message: impl Into<String>, span: Span) -> Self {
        Self {
            message: message.into(),
            span,
            other: None,
            help: None,
        }
    }

    fn with(mut self, other: Span, label: impl Into<String>) -> Self {
        self.other = Some((other, label.into()));
        self
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
