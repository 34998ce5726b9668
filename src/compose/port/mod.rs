//! `ports`: short and long syntax, and when two entries are the same (compose.md 2 to 4).

mod list;
mod long;
mod short;

use serde::Serialize;

use super::text::Written;
use crate::span::Span;
use crate::yaml::Step;

pub(super) use list::{Replaced, atoi, canonical, cast_targets, replaced_by, unique};
pub(super) use long::read;
pub use short::{ShortError, ShortPort, parse as parse_short};

/// One published port of a service, as Compose hands it to the engine.
///
/// Texts are Compose's: `published` may be a range, and in long syntax it may be anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publish {
    /// The port inside the container; `None` where Compose lost it (`target: 0`).
    pub target: Option<u32>,
    /// The host port or range; `None` lets the engine choose.
    pub published: Option<String>,
    /// The host's address; `None` is every address.
    pub host_ip: Option<String>,
    /// `tcp`, `udp`, `sctp`, or what long syntax says.
    pub protocol: Option<String>,
    /// `ingress` or `host`; read by Swarm only.
    pub mode: Option<String>,
    /// `name` of long syntax.
    pub name: Option<String>,
    /// `app_protocol` of long syntax.
    pub app_protocol: Option<String>,
    /// Where it is written.
    pub origin: Origin,
    /// Where earlier entries are written that Compose takes for the same: this one took their
    /// place, and if it differed from them, they would count.
    pub replaces: Vec<Origin>,
}

/// Where a published port is written, and what brought it to its service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Who wrote the number.
    pub kind: OriginKind,
    /// The bytes of the host port; of the whole entry where the number is not in a file or is put
    /// together from several places.
    pub span: Span,
    /// The bytes of the whole entry.
    pub entry: Span,
    /// What pulled the entry in, outermost first.
    pub trail: Vec<Step>,
}

/// Who wrote the number of a published port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum OriginKind {
    /// The compose file.
    Literal,
    /// The default in `${variable:-default}`.
    Default {
        /// The variable that would replace it.
        variable: String,
    },
    /// A line of an env file.
    EnvFile {
        /// The variable.
        variable: String,
    },
    /// The environment of the process.
    Shell {
        /// The variable.
        variable: String,
    },
    /// Several of these together.
    Mixed,
}

impl From<&Written> for OriginKind {
    fn from(written: &Written) -> Self {
        let name = |variable: &std::sync::Arc<str>| variable.to_string();
        match written {
            Written::Literal(_) => Self::Literal,
            Written::Default { variable, .. } => Self::Default {
                variable: name(variable),
            },
            Written::EnvFile { variable, .. } => Self::EnvFile {
                variable: name(variable),
            },
            Written::Shell { variable } => Self::Shell {
                variable: name(variable),
            },
        }
    }
}
