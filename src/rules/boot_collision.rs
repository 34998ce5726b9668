//! # boot-collision
//!
//! ## What it finds
//! A published port that a stopped container will take when the machine or its engine starts next,
//! by its restart policy. Needs `--live` or `--against`.
//!
//! ## Why
//! It holds nothing now, so `up` succeeds. After a reboot both want the port, one of the two gets
//! it, and the other is not tried again: which one is chance.
//!
//! ## Example
//! ```yaml
//! services: # fires, while a stopped container with `restart: always` publishes 8080
//!   web: { image: web, ports: ["8080:80"] }
//! ```
//! ```yaml
//! services: # silent
//!   web: { image: web, ports: ["8081:80"] }
//! ```
//!
//! ## Remedy
//! Remove the stopped container, or give it another restart policy.
//!
//! ## Sources
//! [Start containers automatically](https://docs.docker.com/engine/containers/start-containers-automatically/);
//! recorded on engines 20.10 to 29.

use super::container_collision::meetings;
use super::{Context, Needs, Rule};
use crate::engine::container::Tenure;
use crate::finding::{Finding, Severity};
use crate::machine::Use;

pub(super) const RULE: Rule = Rule::new(
    "boot-collision",
    Severity::Notice,
    include_str!("boot_collision.rs"),
    check,
)
.needs(Needs::Machine);

fn check(rule: &Rule, cx: &Context<'_>, out: &mut Vec<Finding>) {
    for host in cx.hosts {
        for tenure in [Tenure::AtBoot, Tenure::PerhapsAtBoot] {
            for (container, entry, port) in meetings(cx, host, &[tenure]) {
                let who = Use::Container(container);
                let may = if tenure == Tenure::AtBoot {
                    "takes"
                } else {
                    "may take"
                };
                let message = format!(
                    "{} {may} {port}/{}, which {} wants, at the next boot",
                    who.words(),
                    entry.protocol(),
                    entry.who()
                );
                let mut finding = entry.finding(rule, cx, message);
                // nothing has to move now
                finding.remap = None;
                finding.holder = Some(who.reference());
                finding.help = Some(format!(
                    "remove it (`docker rm {}`) or its restart policy (`docker update --restart=no {}`)",
                    container.name, container.name
                ));
                out.push(finding);
            }
        }
    }
}
