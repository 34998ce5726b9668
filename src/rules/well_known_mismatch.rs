//! # well-known-mismatch
//!
//! ## What it finds
//! A host port by which everybody knows one database or broker (3306, 5432, 6379, 27017, …) that
//! leads to something else: to a web server, or to a database of another kind. Left alone is what
//! has the name of that kind in its image or service, as a pooler or a proxy does, and whatever
//! listens on a port that tells nothing.
//!
//! ## Why
//! Clients, dashboards and people take 5432 for PostgreSQL. What they get is a protocol error, or,
//! worse, no error. And the next service that really is a PostgreSQL finds its port taken.
//!
//! ## Example
//! ```yaml
//! services: # fires
//!   web: { image: web, ports: ["5432:80"] }
//! ```
//! ```yaml
//! services: # silent
//!   db: { image: postgres, ports: ["5432:5432", "5433:5432"] }
//!   pool: { image: example/pgbouncer, ports: ["127.0.0.2:5434:6432"] }
//! ```
//!
//! ## Remedy
//! Publish another port, which the message names.
//!
//! ## Sources
//! The default ports of the programs, as their manuals have them.

use super::describe::Entry;
use super::{Context, Rule, propose};
use crate::finding::{Finding, Severity};
use crate::plan::known;

pub(super) const RULE: Rule = Rule::new(
    "well-known-mismatch",
    Severity::Notice,
    include_str!("well_known_mismatch.rs"),
    check,
)
.fixed_when_asked();

fn check(rule: &Rule, cx: &Context<'_>, out: &mut Vec<Finding>) {
    out.extend(propose::proposed(cx, |entry| mismatch(rule, entry)));
}

fn mismatch(rule: &Rule, entry: &Entry<'_, '_>) -> Option<Finding> {
    let (claim, known) = entry
        .claims()
        .find_map(|claim| Some((claim, known::usurped(claim)?)))?;
    let (port, target) = (claim.ports()?, claim.wanted.binding.target);
    Some(entry.remark(
        rule,
        format!(
            "{} publishes its {target} on {port}, the well-known port of {}",
            entry.who(),
            known.name
        ),
    ))
}
