//! # hard-coded-port
//!
//! ## What it finds
//! A published port that is a number in the compose file, not a variable with a default.
//!
//! Off unless asked for: it is a matter of custom, and wise where many people run the project.
//!
//! ## Why
//! Who has something else on that port must edit a file that is under version control. With
//! `${WEB_PORT:-8080}` a line in `.env` is enough.
//!
//! ## Example
//! ```yaml
//! services: # fires
//!   web: { image: web, ports: ["8080:80"] }
//! ```
//! ```yaml
//! services: # silent
//!   web: { image: web, ports: ["${WEB_PORT:-8080}:80", "81"] }
//! ```
//!
//! ## Remedy
//! `portplan fix --parameterize` writes the variables, each with the number as its default, so that
//! nothing changes for those who set none.
//!
//! ## Sources
//! [Interpolation](https://docs.docker.com/reference/compose-file/interpolation/);
//! [docs/fix.md](../fix.md)

use super::describe::Entry;
use super::{Context, Rule};
use crate::compose::port::OriginKind;
use crate::finding::{Finding, Fix, Rewrite, Severity};

pub(super) const RULE: Rule = Rule::new(
    "hard-coded-port",
    Severity::Notice,
    include_str!("hard_coded_port.rs"),
    check,
)
.opt_in()
.fixed_when_asked();

fn check(rule: &Rule, cx: &Context<'_>, out: &mut Vec<Finding>) {
    for entry in cx.entries() {
        out.extend(hard_coded(rule, &entry));
    }
}

fn hard_coded(rule: &Rule, entry: &Entry<'_, '_>) -> Option<Finding> {
    let ports = entry.published()?;
    if entry.origin().kind != OriginKind::Literal {
        return None;
    }
    let who = entry.who();
    let mut finding = entry.remark(
        rule,
        format!("{who} publishes {ports}, which can only be changed by editing the file"),
    );
    finding.help = Some(format!(
        "write ${{NAME:-{ports}}} in its place, as `portplan fix --parameterize` does"
    ));
    finding.fix = Some(Fix {
        rewrite: Rewrite::Variable,
        publishes: entry.publishes().collect(),
    });
    Some(finding)
}
