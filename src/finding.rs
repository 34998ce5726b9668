//! What a check found.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::binding::{HostIp, PortRange};
use crate::compose::port::{Origin, Publish};
use crate::compose::project::{PublishId, Service};
use crate::fingerprint::Fingerprint;
use crate::span::Span;

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing.
    Notice,
    /// May go wrong.
    Warning,
    /// Will go wrong.
    Error,
}

/// One thing that a rule found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: &'static str,
    /// What names it wherever its lines go; given when all findings are known.
    pub fingerprint: Fingerprint,
    /// How grave it is.
    pub severity: Severity,
    /// What is wrong, in one sentence.
    pub message: String,
    /// The places; the first is where the finding is.
    pub labels: Vec<Label>,
    /// The published ports that take part.
    pub claims: Vec<ClaimRef>,
    /// Who has the port already, if somebody has.
    pub holder: Option<HolderRef>,
    /// The machine that this is about, if one is known.
    pub host: Option<String>,
    /// A published port that could be moved, and where to.
    pub remap: Option<Remap>,
    /// What could be written otherwise, where it is not another host port.
    pub fix: Option<Fix>,
    /// What limits or explains it.
    pub notes: Vec<String>,
    /// What to do.
    pub help: Option<String>,
}

/// A place with a word on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The project whose sources the span is in, by its index in the world.
    pub project: usize,
    /// The bytes.
    pub span: Span,
    /// The word.
    pub text: String,
}

/// A published port by its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRef {
    /// The project, by its index in the world.
    pub project: usize,
    /// The service.
    pub service: String,
    /// The host IP, if one is given.
    pub host_ip: Option<String>,
    /// The host port or range.
    pub published: Option<String>,
    /// The protocol.
    pub protocol: String,
    /// Where it is written.
    pub origin: Origin,
}

impl ClaimRef {
    /// A published port of a service, as it is written.
    #[must_use]
    pub fn of(project: usize, service: &Service, publish: &Publish) -> Self {
        Self {
            project,
            service: service.name.clone(),
            host_ip: publish.host_ip.clone(),
            published: publish.published.clone(),
            protocol: publish.protocol.clone().unwrap_or_else(|| "tcp".to_owned()),
            origin: publish.origin.clone(),
        }
    }
}

/// A published port moved to another host port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Remap {
    /// The service.
    pub service: String,
    /// The mapping as it is, in short syntax.
    pub from: String,
    /// The mapping as it would be.
    pub to: String,
}

/// An edit that resolves a finding and moves no port to another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fix {
    /// What is written.
    pub rewrite: Rewrite,
    /// The published ports that it is written for, all of one entry; none for a comment.
    pub publishes: Vec<PublishId>,
}

/// What an edit writes that moves no port to another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rewrite {
    /// Quotes around the entry.
    Quotes,
    /// A variable in place of the host port, with that as its default.
    Variable,
    /// A default for the variable of the host port, which nobody sets.
    Default {
        /// The variable.
        variable: String,
        /// The default.
        ports: PortRange,
    },
    /// Host ports, where the engine has chosen them so far.
    HostPort(PortRange),
    /// A host IP, where it was every address.
    HostIp(HostIp),
    /// `!override` before the list that the entry is in.
    Override {
        /// What is not published any more then.
        gone: Vec<PublishId>,
    },
    /// Nothing, in the place of a comment.
    Removal {
        /// The project whose sources the span is in, by its index in the world.
        project: usize,
        /// The bytes that go.
        span: Span,
    },
}

impl Rewrite {
    /// True if whoever reaches a port now reaches it afterwards, too.
    #[must_use]
    pub fn is_safe(&self) -> bool {
        !matches!(self, Self::HostIp(_) | Self::Override { .. })
    }
}

/// What is written, in words.
impl fmt::Display for Rewrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Quotes => f.write_str("add quotes"),
            Self::Variable => f.write_str("make it a variable"),
            Self::Default { variable, ports } => {
                write!(f, "add a default: ${{{variable}:-{ports}}}")
            }
            Self::HostPort(ports) => write!(f, "add host port {ports}"),
            Self::HostIp(ip) => write!(f, "add host IP {ip}"),
            Self::Override { .. } => f.write_str("add !override to the list"),
            Self::Removal { .. } => f.write_str("remove the comment"),
        }
    }
}

/// Somebody who has a port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HolderRef {
    /// What it is.
    pub kind: HolderKind,
    /// Its name: of the container, the service, or the program.
    pub name: String,
    /// The process, if it is one and known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// The user of the process, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The Compose project of the container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The Compose or Swarm service of the container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// What frees the port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

/// What has a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HolderKind {
    /// A container.
    Container,
    /// A program that listens, or a connection of one.
    Socket,
    /// A Swarm service.
    Service,
    /// A service of a project in another git worktree.
    Worktree,
}
