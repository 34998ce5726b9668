//! # worktree-collision
//!
//! ## What it finds
//! A published port that the same repository publishes in another git worktree. Needs
//! `--worktrees`.
//!
//! ## Why
//! A worktree starts with the ports of the branch it was made from, so that two of them cannot be
//! up at once: the second `up` fails with `port is already allocated`.
//!
//! ## Example
//! ```yaml
//! services: # fires, while another worktree has the same file
//!   web: { image: web, ports: ["8080:80"] }
//! ```
//! ```yaml
//! services: # silent
//!   web: { image: web, ports: ["80"] }
//! ```
//!
//! ## Remedy
//! `portplan fix --worktrees` gives this worktree ports of its own, in an override file;
//! `--into env` writes them to its `.env` instead. Keep that file out of git.
//!
//! ## Sources
//! [`git worktree`](https://git-scm.com/docs/git-worktree);
//! [Multiple Compose files](https://docs.docker.com/compose/how-tos/multiple-compose-files/merge/)

use super::describe::held_by;
use super::{Context, Needs, Rule};
use crate::finding::{Finding, Severity};
use crate::machine::Use;

pub(super) const RULE: Rule = Rule::new(
    "worktree-collision",
    Severity::Error,
    include_str!("worktree_collision.rs"),
    check,
)
.fixed()
.needs(Needs::Worktrees);

fn check(rule: &Rule, cx: &Context<'_>, out: &mut Vec<Finding>) {
    held_by(rule, cx, |who| matches!(who, Use::Worktree(..)), out);
}
