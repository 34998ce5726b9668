//! # unused-ignore
//!
//! ## What it finds
//! A comment `# portplan: ignore[rule]` that ignores nothing, or that names no rule.
//!
//! ## Why
//! What it ignored is gone, and it would hide the next one. Or it never worked, for the name is
//! wrong or the comment is on the wrong line.
//!
//! An ignore of a rule that needs more than files (a machine, a stack, a rootless engine, a shared
//! host, settings, other worktrees) counts as unused only where that was looked at, and none does
//! if profiles were chosen or a file could not be read.
//!
//! ## Example
//! ```yaml
//! services: # fires
//!   web:
//!     image: web
//!     ports: ["8080:80"] # portplan: ignore[host-port-collision] the old api had 8080, too
//! ```
//! ```yaml
//! services: # silent
//!   web:
//!     image: web
//!     ports: ["8080:80"] # portplan: ignore[host-port-collision] never up together
//!   api: { image: api, ports: ["8080:80"] }
//! ```
//!
//! ## Remedy
//! Remove the comment, as `portplan fix --only unused-ignore` does, or write it on the line of the
//! port, or on a line of its own above the port, the `ports` or the service.
//!
//! ## Sources
//! [docs/silencing.md](../silencing.md)

use super::{Context, Rule};
use crate::finding::{Finding, Fix, Label, Rewrite, Severity};

pub(crate) const RULE: Rule = Rule::new(
    "unused-ignore",
    Severity::Warning,
    include_str!("unused_ignore.rs"),
    check,
)
.fixed_when_asked();

/// What is ignored is known when all others have looked: see [`crate::suppress`].
fn check(_: &Rule, _: &Context<'_>, _: &mut Vec<Finding>) {}

/// An ignore without effect, and the edit that removes it.
pub(crate) fn unused(rule: &Rule, label: Label, rewrite: Rewrite) -> Finding {
    let found = found(
        format!("there is no `{}` here to ignore", rule.name),
        "remove it, or move it to the line of the port or above",
        label,
    );
    Finding {
        fix: Some(Fix {
            rewrite,
            publishes: Vec::new(),
        }),
        ..found
    }
}

/// An ignore of a rule that does not exist.
pub(crate) fn unknown(name: &str, label: Label) -> Finding {
    let message = format!("there is no rule `{name}`");
    match Rule::nearest(name) {
        Some(rule) => found(message, &format!("did you mean `{}`?", rule.name), label),
        None => found(message, "`portplan rules` lists them", label),
    }
}

/// An ignore of nothing in particular.
pub(crate) fn nameless(label: Label) -> Finding {
    found(
        "the comment does not name a rule to ignore".to_owned(),
        "write `# portplan: ignore[RULE] reason`",
        label,
    )
}

fn found(message: String, help: &str, label: Label) -> Finding {
    let text = "ignores nothing".to_owned();
    Finding {
        labels: vec![Label { text, ..label }],
        help: Some(help.to_owned()),
        ..RULE.finding(message)
    }
}
