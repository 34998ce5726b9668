//! The rules: one file each, with its page, its check and its cases.

mod ambiguous_port_scalar;
mod boot_collision;
mod browser_blocked_port;
mod container_collision;
mod describe;
mod ephemeral_range;
mod exposed_on_all_interfaces;
mod hard_coded_port;
mod host_ip_not_here;
pub(crate) mod host_port_collision;
mod huge_range;
mod listener_collision;
mod loopback_reachable_from_lan;
mod os_service_port;
mod outside_pool;
mod override_appends_ports;
mod port_ignored;
mod port_refused;
mod privileged_port;
mod project_collision;
mod project_name_reused;
mod propose;
mod published_not_a_port;
mod range_start_order;
mod replica_collision;
mod reserved_port;
mod stack_collision;
mod swarm_ingress_collision;
pub(crate) mod undocumented_port;
mod unpinned_host_port;
mod unset_variable_port;
pub(crate) mod unused_ignore;
mod well_known_mismatch;
mod worktree_collision;

use std::cell::RefCell;

use crate::claim::{Fate, fate};
use crate::compose::port::Publish;
use crate::compose::project::{PublishId, Service};
use crate::finding::{Finding, Severity};
use crate::fingerprint::{self, Fingerprint};
use crate::graph::{Allocation, Entry};
use crate::machine::Machine;
use crate::plan::{self, Plan, Policy};
use crate::world::World;
use propose::Proposals;

/// One thing that can be wrong with published ports.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Its name, in kebab-case; "allow NAME" reads as a sentence.
    pub name: &'static str,
    /// How grave its findings are.
    pub severity: Severity,
    /// What `portplan fix` does about its findings.
    pub fixing: Fixing,
    /// True if it is off until somebody asks for it.
    pub opt_in: bool,
    /// Without what it finds nothing.
    pub needs: Needs,
    source: &'static str,
    check: fn(&Rule, &Context<'_>, &mut Vec<Finding>),
}

/// What `portplan fix` does about the findings of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fixing {
    /// Nothing.
    Never,
    /// It resolves them: something cannot run as it is.
    Always,
    /// It resolves them where that is asked for, or where `portplan.yaml` makes them errors: all
    /// runs as it is.
    WhenAsked,
}

/// What a rule must be given to find anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Files alone.
    Files,
    /// A machine that was seen.
    Machine,
    /// A host that several projects share.
    SharedHost,
    /// Pools in the settings.
    Pools,
    /// Reservations in the settings.
    Reservations,
    /// An engine before 28.0.
    OldEngine,
    /// A rootless engine.
    Rootless,
    /// A stack's name.
    Stack,
    /// The repository's other worktrees.
    Worktrees,
}

impl Needs {
    /// Whether a world has it.
    #[must_use]
    pub fn met(self, world: &World) -> bool {
        let machine = world.has_machine();
        match self {
            Self::Files => true,
            Self::Machine => machine,
            Self::SharedHost => world.hosts().any(|host| host.projects.len() > 1),
            Self::Pools => !world.settings.pools.is_empty(),
            Self::Reservations => !world.settings.reserved.is_empty(),
            Self::OldEngine => {
                let mut engines = world.machines.iter().map(Machine::engine);
                !world.engine.shields_loopback() || engines.any(|it| !it.shields_loopback())
            }
            Self::Rootless => machine || world.engine.rootless,
            Self::Stack => world.stack.is_some(),
            Self::Worktrees => !world.neighbours.is_empty(),
        }
    }
}

/// What a rule looks at.
#[derive(Debug)]
pub struct Context<'w> {
    /// Everything.
    pub world: &'w World,
    /// The allocation of each host.
    pub hosts: &'w [Allocation<'w>],
    /// What would resolve the collisions.
    pub plan: &'w Plan,
    /// What is proposed where the plan does nothing.
    proposals: RefCell<Proposals>,
}

/// A service that may run, by the index of its project, and what becomes of its ports.
type Fates<'w> = (usize, &'w Service, Vec<(PublishId, &'w Publish, Fate)>);

impl<'w> Context<'w> {
    fn new(world: &'w World, hosts: &'w [Allocation<'w>], plan: &'w Plan) -> Self {
        Self {
            world,
            hosts,
            plan,
            proposals: RefCell::default(),
        }
    }

    /// The entries of each host, in order.
    fn entries(&self) -> impl Iterator<Item = Entry<'w, 'w>> {
        let world = self.world;
        self.hosts.iter().flat_map(move |host| {
            let entries = host.entries();
            entries.map(move |claims| Entry::of(world, host, claims[0]))
        })
    }

    /// What becomes of the ports of each service that may run, on the first machine.
    fn fates(&self) -> impl Iterator<Item = Fates<'w>> {
        let world = self.world;
        let projects = world.projects.iter().enumerate();
        projects.flat_map(move |(project, of)| {
            let services = of.services.iter().enumerate();
            let on = services.filter(|(_, service)| of.profiles.may_enable(&service.profiles));
            on.map(move |(service, wanted)| {
                let machine = world.machines.first();
                let fate_of = |(port, publish)| {
                    let id = PublishId {
                        project,
                        service,
                        port,
                    };
                    (id, publish, fate(of, wanted, publish, machine))
                };
                let ports = wanted.ports.iter().enumerate();
                (project, wanted, ports.map(fate_of).collect())
            })
        })
    }
}

/// All rules, by name.
pub const RULES: [Rule; 32] = [
    ambiguous_port_scalar::RULE,
    boot_collision::RULE,
    browser_blocked_port::RULE,
    container_collision::RULE,
    ephemeral_range::RULE,
    exposed_on_all_interfaces::RULE,
    hard_coded_port::RULE,
    host_ip_not_here::RULE,
    host_port_collision::RULE,
    huge_range::RULE,
    listener_collision::RULE,
    loopback_reachable_from_lan::RULE,
    os_service_port::RULE,
    outside_pool::RULE,
    override_appends_ports::RULE,
    port_ignored::RULE,
    port_refused::RULE,
    privileged_port::RULE,
    project_collision::RULE,
    project_name_reused::RULE,
    published_not_a_port::RULE,
    range_start_order::RULE,
    replica_collision::RULE,
    reserved_port::RULE,
    stack_collision::RULE,
    swarm_ingress_collision::RULE,
    undocumented_port::RULE,
    unpinned_host_port::RULE,
    unset_variable_port::RULE,
    unused_ignore::RULE,
    well_known_mismatch::RULE,
    worktree_collision::RULE,
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
            fixing: Fixing::Never,
            opt_in: false,
            needs: Needs::Files,
            source,
            check,
        }
    }

    /// The same, if `portplan fix` resolves its findings.
    const fn fixed(self) -> Self {
        Self {
            fixing: Fixing::Always,
            ..self
        }
    }

    /// The same, if `portplan fix` resolves its findings where that is asked for.
    const fn fixed_when_asked(self) -> Self {
        Self {
            fixing: Fixing::WhenAsked,
            ..self
        }
    }

    /// The same, off until somebody asks for it.
    const fn opt_in(self) -> Self {
        Self {
            opt_in: true,
            ..self
        }
    }

    /// How grave it is where nothing is settled, `None` if it is off.
    #[must_use]
    pub fn default_level(&self) -> Option<Severity> {
        (!self.opt_in).then_some(self.severity)
    }

    /// The same, if it finds nothing without this.
    const fn needs(self, needs: Needs) -> Self {
        Self { needs, ..self }
    }

    /// The rule whose name is most like this one, if any is at all.
    #[must_use]
    pub fn nearest(name: &str) -> Option<&'static Self> {
        static ALL: &[Rule] = &RULES;
        let likeness = |rule: &&Rule| strsim::jaro_winkler(rule.name, name);
        let best = ALL
            .iter()
            .max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        best.filter(|rule| likeness(rule) > 0.8)
    }

    /// The rule of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        static ALL: &[Rule] = &RULES;
        ALL.iter().find(|rule| rule.name == name)
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

    /// What its page says under a heading.
    #[must_use]
    pub fn section(&self, heading: &str) -> String {
        let page = self.page();
        let parts = page.split("\n## ").map(|part| part.split_once('\n'));
        let mut parts = parts.flatten().filter(|(head, _)| *head == heading);
        parts
            .next()
            .map_or_else(String::new, |(_, text)| text.trim().to_owned())
    }

    /// What it finds, in one line of Markdown: the first clause of its page.
    #[must_use]
    pub fn summary(&self) -> String {
        let text = self.section("What it finds");
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        // not between backticks
        let ends = |at: &usize| text[..*at].matches('`').count().is_multiple_of(2);
        let marks = [". ", "; ", ": "].iter();
        let end = marks.flat_map(|mark| text.match_indices(mark).map(|(at, _)| at));
        let end = end.filter(ends).min().unwrap_or(text.len());
        text[..end].trim_end_matches(['.', ':']).to_owned()
    }

    /// A finding of this rule, without places.
    fn finding(&self, message: String) -> Finding {
        Finding {
            rule: self.name,
            fingerprint: Fingerprint::default(),
            severity: self.severity,
            message,
            labels: Vec::new(),
            claims: Vec::new(),
            holder: None,
            host: None,
            remap: None,
            fix: None,
            notes: Vec::new(),
            help: None,
        }
    }
}

/// All findings of all rules, in the order of the files they are in.
#[must_use]
pub fn check(world: &World) -> Vec<Finding> {
    let hosts: Vec<Allocation<'_>> = world
        .hosts()
        .map(|host| Allocation::of(world, &host))
        .collect();
    let plan = plan::plan(world, &hosts, &Policy::of(world));
    find(world, &hosts, &plan)
}

/// The same, where the hosts and what would resolve their collisions are known.
#[must_use]
pub fn find(world: &World, hosts: &[Allocation<'_>], plan: &Plan) -> Vec<Finding> {
    let context = Context::new(world, hosts, plan);
    let mut findings = Vec::new();
    for rule in RULES.iter().filter(|rule| is_on(rule, world)) {
        (rule.check)(rule, &context, &mut findings);
    }
    settle(&mut findings, world);
    sort(&mut findings);
    findings.dedup();
    fingerprint::assign(&mut findings, world);
    findings
}

/// Whether a rule counts in any file at all.
pub(crate) fn is_on(rule: &Rule, world: &World) -> bool {
    let sources = world.projects.iter().map(|project| &project.sources);
    let mut files = sources.flat_map(|sources| sources.files());
    files.any(|file| world.settings.level(rule, file.path()).is_some())
}

/// Gives findings the severity that is settled for their rule and file, and leaves out those whose
/// rule is off there, and those that are of bystanders alone.
///
/// A rule may hold a finding for less grave than itself: that stays, unless another level is set.
pub(crate) fn settle(findings: &mut Vec<Finding>, world: &World) {
    findings.retain_mut(|finding| {
        let (Some(rule), Some(label)) = (Rule::named(finding.rule), finding.labels.first()) else {
            return true;
        };
        let claims = finding.claims.iter().map(|claim| claim.project);
        let labels = finding.labels.iter().map(|label| label.project);
        if !claims.chain(labels).any(|project| world.is_asked(project)) {
            return false;
        }
        let file = world.projects[label.project].sources.file(label.span.file);
        let level = world.settings.level(rule, file.path());
        if let Some(level) = level.filter(|level| *level != rule.severity) {
            finding.severity = level;
        }
        level.is_some()
    });
}

/// Puts findings into the order of the files they are in.
pub(crate) fn sort(findings: &mut [Finding]) {
    let place = |finding: &Finding| {
        let label = finding.labels.first();
        label.map(|label| (label.project, label.span))
    };
    // what is in the files alone is the same on each machine
    findings.sort_by(|a, b| (place(a), a.rule, &a.message).cmp(&(place(b), b.rule, &b.message)));
}
