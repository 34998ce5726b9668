//! # unset-variable-port
//!
//! ## What it finds
//! A published port that comes out empty because its variable is not set and has no default:
//! `"${WEB_PORT}:80"` is `":80"` then. A default that is empty (`${WEB_PORT:-}`) and a variable that
//! is set to nothing are taken for meant.
//!
//! ## Why
//! Compose warns that the variable is blank, and starts. The engine then chooses a free port, another
//! one at each start, and nothing listens where the project says.
//!
//! ## Example
//! ```yaml
//! services: # fires
//!   web: { image: web, ports: ["${WEB_PORT}:80"] }
//! ```
//! ```yaml
//! services: # silent
//!   web: { image: web, ports: ["${WEB_PORT:-8080}:80", "81"] }
//! ```
//!
//! ## Remedy
//! Set the variable in the shell or in `.env`, give it a default (`${WEB_PORT:-8080}`), as
//! `portplan fix --only unset-variable-port` does, or make Compose refuse to start without it:
//! `${WEB_PORT:?}`.
//!
//! ## Sources
//! [Interpolation](https://docs.docker.com/reference/compose-file/interpolation/)

use super::describe::Entry;
use super::{Context, Rule};
use crate::compose::document::Template;
use crate::compose::interpolate::references;
use crate::compose::port::Origin;
use crate::compose::project::Project;
use crate::finding::{Finding, Fix, Label, Rewrite, Severity};

pub(super) const RULE: Rule = Rule::new(
    "unset-variable-port",
    Severity::Warning,
    include_str!("unset_variable_port.rs"),
    check,
)
.fixed_when_asked();

fn check(rule: &Rule, cx: &Context<'_>, out: &mut Vec<Finding>) {
    for entry in cx.entries().filter(Entry::is_dynamic) {
        let claim = entry.first();
        if let Some(template) = emptied(claim.project, entry.origin()) {
            out.push(unset(rule, cx, &entry, template));
        }
    }
}

fn unset<'w>(rule: &Rule, cx: &Context<'w>, entry: &Entry<'_, 'w>, template: &Template) -> Finding {
    let claim = entry.first();
    let names: Vec<&str> = template.unset.iter().map(String::as_str).collect();
    let verb = if names.len() == 1 { "is" } else { "are" };
    let mut finding = rule.finding(format!(
        "{} {verb} not set, so the engine chooses a host port for `{}`",
        names.join(" and "),
        claim.service.name
    ));
    finding.labels.push(Label {
        project: claim.project_index,
        span: entry.origin().span,
        text: "the host port is empty".to_owned(),
    });
    finding.claims.push(entry.claim_ref());
    let free = cx.host_ports(entry);
    let given = names.first().zip(free);
    finding.help = names.first().map(|name| {
        let set = format!("set {name} in the shell or in `.env`");
        let default = |ports| format!("{set}, or give it a default: ${{{name}:-{ports}}}");
        free.map_or(set.clone(), default)
    });
    // one default cannot stand for two variables
    let single = given.filter(|_| names.len() == 1);
    finding.fix = single.map(|(name, ports)| Fix {
        rewrite: Rewrite::Default {
            variable: (*name).to_owned(),
            ports,
        },
        publishes: entry.publishes().collect(),
    });
    finding
}

/// The string whose unset variables left the host port empty.
fn emptied<'p>(project: &'p Project, origin: &Origin) -> Option<&'p Template> {
    let mut templates = project.templates.iter();
    let template =
        templates.find(|template| template.span == origin.span && !template.unset.is_empty())?;
    // long syntax has the host port by itself
    let is_short = origin.span == origin.entry;
    let whole = !is_short || is_host_variable(project.sources.slice(template.span));
    whole.then_some(template)
}

/// Whether the host port of a short entry, as it is written, is a variable: that of
/// `"${IP}::80"` is not, whatever the variable.
fn is_host_variable(entry: &str) -> bool {
    let mut masked = entry.to_owned();
    for reference in references(entry).into_iter().rev() {
        masked.replace_range(reference, "$");
    }
    let mut parts = masked.rsplit(':');
    parts.nth(1).is_some_and(|host| host.contains('$'))
}
