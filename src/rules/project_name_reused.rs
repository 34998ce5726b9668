//! # project-name-reused
//!
//! ## What it finds
//! Containers of another project that has the same name, made from another folder. Needs `--live`.
//!
//! ## Why
//! Compose knows its containers by the project's name alone. `up` replaces those of services with
//! the same name and calls the others orphans, whatever folder they came from: two clones of one
//! repository in folders of one name take each other's containers down.
//!
//! ## Example
//! ```yaml
//! name: shop # fires, while a project `shop` from another folder runs
//! services:
//!   web: { image: web, ports: ["8080:80"] }
//! ```
//! ```yaml
//! name: shop-of-anna # silent
//! services:
//!   web: { image: web, ports: ["8081:80"] }
//! ```
//!
//! ## Remedy
//! Give one of them another name: `name:` in the file, `-p`, or `COMPOSE_PROJECT_NAME`.
//!
//! ## Sources
//! [Specify a project name](https://docs.docker.com/compose/how-tos/project-name/)

use std::collections::BTreeMap;

use super::{Context, Needs, Rule};
use crate::finding::{Finding, Label, Severity};

pub(super) const RULE: Rule = Rule::new(
    "project-name-reused",
    Severity::Warning,
    include_str!("project_name_reused.rs"),
    check,
)
.needs(Needs::Machine);

fn check(rule: &Rule, cx: &Context<'_>, out: &mut Vec<Finding>) {
    if !cx.world.live || cx.world.stack.is_some() {
        return;
    }
    for (index, project) in cx.world.projects.iter().enumerate() {
        for machine in &cx.world.machines {
            let containers = machine
                .engines
                .first()
                .into_iter()
                .flat_map(|e| &e.containers);
            let mut elsewhere: BTreeMap<&str, usize> = BTreeMap::new();
            for container in containers.filter(|container| container.belongs_to(&project.name)) {
                let labels = container.compose.as_ref();
                if let Some(folder) = labels.and_then(|labels| labels.working_dir.as_deref())
                    && !same_folder(folder, project.root.as_str())
                {
                    *elsewhere.entry(folder).or_default() += 1;
                }
            }
            for (folder, count) in elsewhere {
                let plural = if count == 1 { "" } else { "s" };
                let mut finding = rule.finding(format!(
                    "{count} container{plural} of a project named `{}` came from {folder}",
                    project.name
                ));
                finding
                    .labels
                    .extend(project.layers.first().map(|layer| Label {
                        project: index,
                        span: crate::span::Span::new(layer.file, layer.start, layer.start),
                        text: format!(
                            "`up` here takes them for its own (project `{}`)",
                            project.name
                        ),
                    }));
                finding.host = Some(machine.name.clone());
                finding.help = Some("give one of the projects another name: `name:` or -p".into());
                out.push(finding);
            }
        }
    }
}

/// Links make two names of one folder.
fn same_folder(a: &str, b: &str) -> bool {
    let real = |path: &str| std::fs::canonicalize(path).ok();
    a == b || (real(a).is_some() && real(a) == real(b))
}
