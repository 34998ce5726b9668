//! # ambiguous-port-scalar
//!
//! ## What it finds
//! An unquoted port mapping that YAML 1.1 reads as one number: `22:22` is 22 × 60 + 22 = 1342 there.
//! It takes a container port below 60, without a protocol or an address.
//!
//! ## Why
//! Docker Compose reads a string. Programs that read the file with a parser of YAML 1.1, PyYAML
//! among them, read the number: Compose v1 did, podman-compose and many scripts do.
//!
//! ## Example
//! ```yaml
//! services: # fires
//!   git:
//!     image: git
//!     ports:
//!       - 2222:22
//! ```
//! ```yaml
//! services: # silent
//!   git:
//!     image: git
//!     ports:
//!       - "2222:22"
//!       - 8080:80
//!       - 2222:22/udp
//! ```
//!
//! ## Remedy
//! Put the mapping in quotes, as `portplan fix --only ambiguous-port-scalar` does.
//!
//! ## Sources
//! [Integers of YAML 1.1](https://yaml.org/type/int.html);
//! [Services: `ports`](https://docs.docker.com/reference/compose-file/services/#short-syntax-4);
//! [podman-compose#736](https://github.com/containers/podman-compose/issues/736),
//! [compose#3290](https://github.com/docker/compose/issues/3290), as PyYAML 6 still does.

use std::collections::BTreeSet;

use super::{Context, Rule};
use crate::finding::{ClaimRef, Finding, Fix, Label, Rewrite, Severity};
use crate::yaml::is_base_sixty;

pub(super) const RULE: Rule = Rule::new(
    "ambiguous-port-scalar",
    Severity::Notice,
    include_str!("ambiguous_port_scalar.rs"),
    check,
)
.fixed_when_asked();

fn check(rule: &Rule, cx: &Context<'_>, out: &mut Vec<Finding>) {
    let mut told = BTreeSet::new();
    for &(index, service, ref ports) in &cx.fates {
        let sources = &cx.world.projects[index].sources;
        for (id, publish, _) in ports {
            let entry = publish.origin.entry;
            // with its quotes, if it has any
            let text = sources.slice(entry);
            // services may have it by one alias
            if !is_base_sixty(text) || !told.insert((index, entry)) {
                continue;
            }
            let mut finding = rule.finding(format!(
                "`{text}` of `{}` is one number to readers of YAML 1.1",
                service.name
            ));
            finding.labels.push(Label {
                project: index,
                span: entry,
                text: "without quotes".to_owned(),
            });
            finding.claims.push(ClaimRef::of(index, service, publish));
            finding.help = Some(format!("write \"{text}\""));
            finding.fix = Some(Fix {
                rewrite: Rewrite::Quotes,
                publishes: vec![*id],
            });
            out.push(finding);
        }
    }
}
