//! # published-not-a-port
//!
//! ## What it finds
//! `published` in long syntax that is neither a port nor a range: `abc`, `70000`, `8010-8000`,
//! `127.0.0.1:8080`.
//!
//! ## Why
//! Compose checks the short syntax and passes the long one on as it is. The engine refuses it when
//! the container is created: `invalid port specification: "abc"`.
//!
//! ## Example
//! ```yaml
//! services: # fires
//!   web: { image: web, ports: [{ target: 80, published: "http" }] }
//! ```
//! ```yaml
//! services: # silent
//!   web: { image: web, ports: [{ target: 80, published: "8080-8090" }] }
//! ```
//!
//! ## Remedy
//! Write a number from 1 to 65535 or a range; an address belongs into `host_ip`.
//!
//! ## Sources
//! [Services: `ports`](https://docs.docker.com/reference/compose-file/services/#long-syntax-4)

use super::{Context, Rule};
use crate::claim::{Fate, Refused};
use crate::finding::{ClaimRef, Finding, Label, Severity};

pub(super) const RULE: Rule = Rule::new(
    "published-not-a-port",
    Severity::Error,
    include_str!("published_not_a_port.rs"),
    check,
);

fn check(rule: &Rule, cx: &Context<'_>, out: &mut Vec<Finding>) {
    for (index, service, fates) in cx.fates() {
        for (_, publish, fate) in fates {
            let Fate::Refused(Refused::Published(text)) = fate else {
                continue;
            };
            let mut finding = rule.finding(format!(
                "`{}` of service `{}` is neither a port nor a range",
                text.escape_debug(),
                service.name
            ));
            finding.labels.push(Label {
                project: index,
                span: publish.origin.span,
                text: "the engine refuses this".to_owned(),
            });
            finding.claims.push(ClaimRef::of(index, service, publish));
            finding.help = Some(if text.contains([':', '.']) {
                "an address is written in `host_ip`".to_owned()
            } else {
                "write a number from 1 to 65535, or FIRST-LAST".to_owned()
            });
            out.push(finding);
        }
    }
}
