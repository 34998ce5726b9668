//! From moves to bytes: where a number is written, the smallest edit there, its proof, and writing
//! it without harm.
//!
//! A number is changed at its origin: in the compose file, in the default of `${VAR:-8080}`, in an
//! env file. Where others share the origin and stay, the publish gets an entry of its own, as near
//! to the origin as can be (`site`). [`Workspace::prove`] reads everything again, by two readers,
//! before [`write`](write::write) touches a file.

mod entry_text;
mod env;
mod feed;
mod follow;
mod layout;
mod overriding;
mod own;
pub mod patch;
mod proof;
mod rewrite;
mod second;
mod shelf;
mod site;
mod spell;
mod variable;
pub mod write;

use std::collections::BTreeMap;

pub use patch::{Edit, Format, Patch, Scope};
pub use proof::{Disproof, failing};
pub use rewrite::{Effect, Rewritten};
pub use write::{Options, WriteError, Written, write};

use crate::compose::project::{Project, PublishId};
use crate::compose::reading::Reading;
use crate::finding::Fix;
use crate::plan::Move;
use crate::source::Files;
use crate::span::Span;

/// Projects, and what they were read with and from.
#[derive(Clone, Copy)]
pub struct Workspace<'a> {
    /// What the projects were read with.
    pub reading: &'a Reading,
    /// Where the files come from.
    pub files: &'a dyn Files,
    /// The projects of that reading, in its order. All users of a file belong here: a number that
    /// a service outside shares is changed for that service, too.
    pub projects: &'a [Project],
}

/// Which files new numbers are written to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Destination {
    /// Where the number is written now.
    #[default]
    Compose,
    /// The project's env file; `8080:80` becomes `${WEB_PORT:-8080}:80`. Refused where a service
    /// has that file as its `env_file`: its containers would see the variable.
    Env,
    /// The override file that Compose finds beside the project's own.
    Override,
}

/// Strings that may change with a variable that they name, by project and place, and how often
/// they name it.
pub type Along = BTreeMap<(usize, Span), usize>;

/// What is to be written, and what cannot be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// One for each file, sorted by path.
    pub patches: Vec<Patch>,
    /// Variables of the shell that have to change: no file holds them.
    pub exports: BTreeMap<String, String>,
    /// Publishes that stay as they are.
    pub refusals: Vec<Refusal>,
    /// Publishes that change otherwise than by a move.
    pub effects: BTreeMap<PublishId, Effect>,
}

/// Why a publish cannot be moved by an edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The publish.
    pub publish: PublishId,
    /// Why, in plain words, with what to do instead.
    pub reason: String,
}

impl Changes {
    /// All patches as one unified diff.
    #[must_use]
    pub fn diff(&self) -> String {
        self.patches.iter().map(Patch::diff).collect()
    }
}

impl Workspace<'_> {
    /// The edits that carry out `moves`.
    ///
    /// Moves that cannot be written are refused one by one; the others stand. Nothing is proved
    /// yet: see [`prove`](Self::prove).
    #[must_use]
    pub fn changes(&self, moves: &[Move], destination: Destination) -> Changes {
        match destination {
            Destination::Compose => site::changes(self, moves, &Along::new()),
            Destination::Env => env::changes(self, moves),
            Destination::Override => overriding::changes(self, moves),
        }
    }

    /// [`changes`](Self::changes) where the numbers are written, for variables that give them to
    /// other values, too: those of `along` may change with them.
    #[must_use]
    pub fn changes_along(&self, moves: &[Move], along: &Along) -> Changes {
        site::changes(self, moves, along)
    }

    /// The edits that make `${WEB_PORT:-8080}:80` of `8080:80`, so that an env file can give
    /// another number. What has a variable already, and what is written in a way that leaves no
    /// place for one, is left alone. Prove it with no moves.
    #[must_use]
    pub fn parameterize(&self, publishes: &[PublishId]) -> Changes {
        env::parameterize(self, publishes)
    }

    /// Shows that `changes` move exactly the publishes of `moves` that they do not refuse, and
    /// change nothing else: all projects are read again with the changes laid over the files.
    ///
    /// # Errors
    /// What differs otherwise. Nothing of these changes may be written then.
    pub fn prove(&self, moves: &[Move], changes: &Changes) -> Result<(), Disproof> {
        proof::prove(self, moves, changes, &|_, _| false)
    }

    /// [`prove`](Self::prove) where values may change along, of which `explains` says that the
    /// first may become the second.
    ///
    /// # Errors
    /// As for [`prove`](Self::prove).
    pub fn prove_along(
        &self,
        moves: &[Move],
        changes: &Changes,
        explains: &dyn Fn(&str, &str) -> bool,
    ) -> Result<(), Disproof> {
        proof::prove(self, moves, changes, explains)
    }

    /// `changes`, which carry out `moves`, together with as many of `fixes` as can be written beside
    /// them, proved like them; values may change along as for [`prove_along`](Self::prove_along).
    #[must_use]
    pub fn rewrite(
        &self,
        moves: &[Move],
        changes: &Changes,
        fixes: &[Fix],
        explains: &dyn Fn(&str, &str) -> bool,
    ) -> Rewritten {
        rewrite::rewrite(self, moves, changes, fixes, explains)
    }

    /// `changes` and `patches` together, shown to differ from `changes` alone in nothing but values
    /// of which `explains` says that the first may become the second.
    ///
    /// # Errors
    /// What differs otherwise. Nothing of `patches` may be written then.
    pub fn follow(
        &self,
        changes: &Changes,
        patches: &[Patch],
        explains: &dyn Fn(&str, &str) -> bool,
    ) -> Result<Changes, Disproof> {
        follow::follow(self, changes, patches, explains)
    }
}
