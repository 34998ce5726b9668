//! # override-appends-ports
//!
//! ## What it finds
//! A file laid over another that publishes a container port once more, while the host port of the
//! earlier file stays published as well: an override file, a second `-f`, a second document.
//!
//! ## Why
//! Compose appends the `ports` of the files instead of replacing them. A file written to move a
//! port, or to bind it to another address, leaves the old one open: often just the one that is
//! already taken.
//!
//! ## Example
//! ```yaml
//! services: # fires
//!   web: { image: web, ports: ["8080:80"] }
//! ---
//! services:
//!   web: { ports: ["8081:80"] }
//! ```
//! ```yaml
//! services: # silent
//!   web: { image: web, ports: ["8080:80"] }
//! ---
//! services:
//!   web: { ports: !override ["8081:80"] }
//! ```
//!
//! ## Remedy
//! Write `ports: !override` in the later file; it replaces the list. Where that publishes every
//! container port again, `portplan fix --only override-appends-ports` writes it. If both ports are
//! wanted, write both in one file.
//!
//! ## Sources
//! [Merge: replace value](https://docs.docker.com/reference/compose-file/merge/#replace-value);
//! docker/compose#2260, docker/compose#3461.

use std::collections::HashMap;

use super::{Context, Rule};
use crate::compose::port::Publish;
use crate::compose::project::{Project, PublishId, Service};
use crate::finding::{ClaimRef, Finding, Fix, Label, Rewrite, Severity};
use crate::yaml::How;

pub(super) const RULE: Rule = Rule::new(
    "override-appends-ports",
    Severity::Warning,
    include_str!("override_appends_ports.rs"),
    check,
)
.fixed_when_asked();

fn check(rule: &Rule, cx: &Context<'_>, out: &mut Vec<Finding>) {
    let layered = |(_, project): &(usize, &Project)| project.layers.len() > 1;
    for (index, project) in cx.world.projects.iter().enumerate().filter(layered) {
        for (service, of) in project.services.iter().enumerate() {
            if !project.profiles.may_enable(&of.profiles) {
                continue;
            }
            let id = |port| PublishId {
                project: index,
                service,
                port,
            };
            // by what a move would leave the same
            let mut earlier: HashMap<_, Vec<&Publish>> = HashMap::new();
            for (port, later) in of.ports.iter().enumerate() {
                let before = earlier.entry((later.target, &later.protocol)).or_default();
                if let Some(first) = before.iter().find(|first| moves(project, first, later)) {
                    let gone = replaced(project, of, later);
                    let fix = gone.map(|gone| Fix {
                        rewrite: Rewrite::Override {
                            gone: gone.into_iter().map(id).collect(),
                        },
                        publishes: vec![id(port)],
                    });
                    let mut finding = finding(rule, index, project, of, first, later);
                    if fix.is_none() {
                        // the list replaces all before it
                        let more = "repeat its other ports there";
                        finding.help = finding.help.map(|help| format!("{help}, and {more}"));
                    }
                    out.push(Finding { fix, ..finding });
                }
                before.push(later);
            }
        }
    }
}

/// The ports of a service that are not published any more if the list that `later` is in replaces
/// those before it; none if one of them is in no such list again.
fn replaced(project: &Project, service: &Service, later: &Publish) -> Option<Vec<usize>> {
    let layer = project.layer_of(&later.origin)?;
    let of = |publish: &Publish| project.layer_of(&publish.origin);
    let ports = service.ports.iter().enumerate();
    let gone: Vec<(usize, &Publish)> = ports.filter(|(_, it)| of(it) < Some(layer)).collect();
    let again = |old: &Publish| {
        let mut new = service.ports.iter().filter(|it| of(it) >= Some(layer));
        new.any(|new| (new.target, &new.protocol) == (old.target, &old.protocol))
    };
    let all = gone.iter().all(|(_, old)| again(old));
    all.then(|| gone.into_iter().map(|(port, _)| port).collect())
}

/// Whether a later layer of the project publishes again what an earlier one did.
fn moves(project: &Project, earlier: &Publish, later: &Publish) -> bool {
    let own = |publish: &Publish| {
        publish
            .origin
            .trail
            .iter()
            .all(|step| matches!(step.how, How::Alias | How::Merge))
    };
    project.layer_of(&later.origin) > project.layer_of(&earlier.origin)
        && (&earlier.published, &earlier.host_ip) != (&later.published, &later.host_ip)
        && own(earlier)
        && own(later)
}

fn finding(
    rule: &Rule,
    index: usize,
    project: &Project,
    service: &Service,
    earlier: &Publish,
    later: &Publish,
) -> Finding {
    let name = &service.name;
    let target = later.target.unwrap_or_default();
    let host = |publish: &Publish| {
        let port = publish.published.as_deref().unwrap_or("any port");
        publish
            .host_ip
            .as_ref()
            .map_or_else(|| port.to_owned(), |ip| format!("{ip}:{port}"))
    };
    let mut finding = rule.finding(format!(
        "`{name}` publishes container port {target} on {} and still on {}",
        host(later),
        host(earlier)
    ));
    let label = |publish: &Publish, text: &str| Label {
        project: index,
        span: publish.origin.span,
        text: text.to_owned(),
    };
    finding.labels = vec![
        label(
            later,
            "adds this one: `ports` of several files are put together",
        ),
        label(earlier, "stays published"),
    ];
    finding.claims = [earlier, later]
        .map(|publish| ClaimRef::of(index, service, publish))
        .into();
    let file = project.sources.file(later.origin.entry.file).path();
    finding.help = Some(format!(
        "to move the port, write `ports: !override` for `{name}` in {file}"
    ));
    finding
}
