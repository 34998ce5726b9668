//! The rules: one file each, with its page, its check and its cases.

mod boot_collision;
mod container_collision;
mod describe;
mod host_port_collision;
mod listener_collision;
mod override_appends_ports;
mod port_ignored;
mod port_refused;
mod privileged_port;
mod project_name_reused;
mod published_not_a_port;
mod range_start_order;
mod replica_collision;
mod stack_collision;
mod swarm_ingress_collision;

use crate::finding::{Finding, Severity};
use crate::graph::Allocation;
use crate::world::World;

/// One thing that can be wrong with published ports.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Its name, in kebab-case; "allow NAME" reads as a sentence.
    pub name: &'static str,
    /// How grave its findings are.
    pub severity: Severity,
    source: &'static str,
    check: fn(&Rule, &Context<'_>, &mut Vec<Finding>),
}

/// What a rule looks at.
#[derive(Debug)]
pub struct Context<'w> {
    /// Everything.
    pub world: &'w World,
    /// The allocation of each host.
    pub hosts: Vec<Allocation<'w>>,
}

/// All rules, by name.
pub const RULES: [Rule; 14] = [
    boot_collision::RULE,
    container_collision::RULE,
    host_port_collision::RULE,
    listener_collision::RULE,
    override_appends_ports::RULE,
    port_ignored::RULE,
    port_refused::RULE,
    privileged_port::RULE,
    project_name_reused::RULE,
    published_not_a_port::RULE,
    range_start_order::RULE,
    replica_collision::RULE,
    stack_collision::RULE,
    swarm_ingress_collision::RULE,
];

impl Rule {
    const fn new(
        name: &'static str,
        severity: Severity,
        source: &'static str,
        check: fn(&Rule, &Context<'_>, &mut Vec<Finding>),
    ) -> Self {
        Self {
            name,
            severity,
            source,
            check,
        }
    }

    /// Its page, in Markdown: what it finds, why, examples, remedy, sources.
    #[must_use]
    pub fn page(&self) -> String {
        let lines = self
            .source
            .lines()
            .map_while(|line| line.strip_prefix("//!"));
        lines.fold(String::new(), |page, line| {
            page + line.strip_prefix(' ').unwrap_or(line) + "\n"
        })
    }

    /// A finding of this rule, without places.
    fn finding(&self, message: String) -> Finding {
        Finding {
            rule: self.name,
            severity: self.severity,
            message,
            labels: Vec::new(),
            claims: Vec::new(),
            holder: None,
            host: None,
            remap: None,
            notes: Vec::new(),
            help: None,
        }
    }
}

/// All findings of all rules, in the order of the files they are in.
#[must_use]
pub fn check(world: &World) -> Vec<Finding> {
    let hosts = world
        .hosts()
        .map(|host| Allocation::of(world, &host))
        .collect();
    let context = Context { world, hosts };
    let mut findings = Vec::new();
    for rule in &RULES {
        (rule.check)(rule, &context, &mut findings);
    }
    let place = |finding: &Finding| {
        let label = finding.labels.first();
        label.map(|label| (label.project, label.span))
    };
    // what is in the files alone is the same on each machine
    findings.sort_by(|a, b| (place(a), a.rule, &a.message).cmp(&(place(b), b.rule, &b.message)));
    findings.dedup();
    findings
}
