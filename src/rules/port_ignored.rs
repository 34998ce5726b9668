//! # port-ignored
//!
//! ## What it finds
//! `ports` that the engine drops without an error, because the container is not reached through
//! the engine's port publishing: `network_mode: host` or `none`, or only internal networks.
//!
//! ## Why
//! The list says that a port is published, and it is not. With `network_mode: host` the program
//! listens on the host itself, on ports that no compose file tells; whether they are free cannot
//! be checked here.
//!
//! ## Example
//! ```yaml
//! services: # fires
//!   web: { image: web, network_mode: host, ports: ["8080:80"] }
//! ```
//! ```yaml
//! services: # silent
//!   web: { image: web, network_mode: host }
//!   api: { image: api, ports: ["8080:80"] }
//! ```
//!
//! ## Remedy
//! Remove `ports`, or the network that hides them.
//!
//! ## Sources
//! [Host network driver](https://docs.docker.com/engine/network/drivers/host/)

use super::{Context, Rule};
use crate::claim::{Fate, Ignored};
use crate::finding::{ClaimRef, Finding, Label, Severity};

pub(super) const RULE: Rule = Rule::new(
    "port-ignored",
    Severity::Notice,
    include_str!("port_ignored.rs"),
    check,
);

fn check(rule: &Rule, cx: &Context<'_>, out: &mut Vec<Finding>) {
    // a stack has no `network_mode`
    if cx.world.stack.is_some() {
        return;
    }
    for (index, service, fates) in cx.fates() {
        let ignored = fates
            .into_iter()
            .filter_map(|(_, publish, fate)| match fate {
                Fate::Ignored(why) => Some((publish, why)),
                _ => None,
            });
        let ignored: Vec<_> = ignored.collect();
        let Some((first, why)) = ignored.first() else {
            continue;
        };
        let mut finding = rule.finding(format!(
            "the ports of `{}` are dropped: {why}",
            service.name
        ));
        finding.labels.push(Label {
            project: index,
            span: first.origin.entry,
            text: "not published".to_owned(),
        });
        if let Some((_, span)) = service.network_mode {
            let text = "because of this".to_owned();
            finding.labels.push(Label {
                project: index,
                span,
                text,
            });
        }
        finding.claims = ignored
            .iter()
            .map(|(publish, _)| ClaimRef::of(index, service, publish))
            .collect();
        if *why == Ignored::HostNetwork {
            let note = "what the program itself listens on is not known here";
            finding.notes.push(note.to_owned());
        }
        finding.help = Some("remove `ports`, or what keeps them from being published".into());
        out.push(finding);
    }
}
