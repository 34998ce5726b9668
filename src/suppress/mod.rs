//! What somebody has accepted: a finding that is there and does not count.

pub mod comment;

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;

use crate::compose::problem::Gravity;
use crate::compose::project::PublishId;
use crate::finding::{Finding, Label, Rewrite};
use crate::fingerprint::{self, Fingerprint};
use crate::rules::{self, Fixing, Rule, host_port_collision, unused_ignore};
use crate::span::{FileId, Span};
use crate::world::World;
use comment::Ignore;

/// A finding that does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silenced {
    /// The finding.
    pub finding: Finding,
    /// Why it does not count.
    pub by: Silencer,
}

/// Why a finding does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Silencer {
    /// A comment beside it says so.
    Comment {
        /// Its words.
        reason: Option<String>,
    },
    /// It was there when the baseline was written.
    Baseline,
    /// It was there at this revision.
    Revision(String),
}

impl Silencer {
    /// True of what is in the baseline.
    #[must_use]
    pub fn is_baseline(&self) -> bool {
        matches!(self, Self::Baseline)
    }

    /// Why, in words.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Comment {
                reason: Some(reason),
            } => reason.clone(),
            Self::Comment { reason: None } => "ignored by a comment".to_owned(),
            Self::Baseline => "in the baseline".to_owned(),
            Self::Revision(revision) => format!("already in {revision}"),
        }
    }
}

/// Parts the findings that are new from those that are known.
#[must_use]
pub fn part(
    findings: Vec<Finding>,
    known: &BTreeSet<Fingerprint>,
    by: &Silencer,
) -> (Vec<Finding>, Vec<Silenced>) {
    let (old, new): (Vec<_>, Vec<_>) = findings
        .into_iter()
        .partition(|finding| known.contains(&finding.fingerprint));
    let silence = |finding| Silenced {
        finding,
        by: by.clone(),
    };
    (new, old.into_iter().map(silence).collect())
}

/// What the rules found, apart from what the comments of the files ignore; ignores that are wrong
/// or ignore nothing are findings themselves.
#[must_use]
pub fn check(world: &World) -> (Vec<Finding>, Vec<Silenced>) {
    apply(rules::check(world), world)
}

/// The same, of what the rules found.
#[must_use]
pub fn apply(found: Vec<Finding>, world: &World) -> (Vec<Finding>, Vec<Silenced>) {
    let comments = Comments::of(world);
    if comments.0.is_empty() {
        return (found, Vec::new());
    }
    let mut used = BTreeSet::new();
    let (mut findings, mut silenced) = comments.apply(found, world, &mut used);
    let mut wrong = comments.wrong(world, &used);
    rules::settle(&mut wrong, world);
    let (wrong, ignored) = comments.apply(wrong, world, &mut used);
    findings.extend(wrong);
    silenced.extend(ignored);
    rules::sort(&mut findings);
    (findings, silenced)
}

/// The published ports that somebody has accepted as they are, each with the rule that would report
/// them: a comment beside the number ignores it, or it is off in that file.
#[must_use]
pub fn accepted(world: &World) -> BTreeSet<(PublishId, &'static str)> {
    let comments = Comments::of(world);
    let settings = &world.settings;
    let off = settings.levels.iter().filter(|set| set.level.is_none());
    let off: BTreeSet<&str> = off.map(|set| set.rule.as_str()).collect();
    let mut accepted = BTreeSet::new();
    for (index, project) in world.projects.iter().enumerate() {
        for (service, of) in project.services.iter().enumerate() {
            for (port, publish) in of.ports.iter().enumerate() {
                let id = PublishId {
                    project: index,
                    service,
                    port,
                };
                let span = publish.origin.span;
                let ignores = comments.0.get(&(index, span.file)).into_iter().flatten();
                let names = ignores.flat_map(|ignore| &ignore.rules);
                let names = names.map(|(name, _)| name.as_str());
                for rule in names.chain(off.iter().copied()).filter_map(Rule::named) {
                    let label = Label {
                        project: index,
                        span,
                        text: String::new(),
                    };
                    let is_off = || {
                        settings
                            .level(rule, path(world, index, span.file))
                            .is_none()
                    };
                    let is_ignored = comments.covering(rule.name, &label).next().is_some();
                    if is_ignored || off.contains(rule.name) && is_off() {
                        accepted.insert((id, rule.name));
                    }
                }
            }
        }
    }
    accepted
}

/// The published ports that are known to be in each other's way, each set with the rule that reports
/// it: those of findings with these fingerprints, told or not, joined where they share a port.
///
/// What is known of one port alone is not, if the same rule reports something new of it.
#[must_use]
pub fn known(
    world: &World,
    fingerprints: &BTreeSet<Fingerprint>,
) -> Vec<(BTreeSet<PublishId>, &'static str)> {
    if fingerprints.is_empty() {
        return Vec::new();
    }
    let is_known = |finding: &Finding| fingerprints.contains(&finding.fingerprint);
    let (mut old, new): (Vec<_>, Vec<_>) = rules::check(world).into_iter().partition(is_known);
    let untold = host_port_collision::all_pairs(world).into_iter();
    old.extend(untold.filter(is_known));
    let new: BTreeSet<_> = new
        .iter()
        .map(|it| (publishes(it, world), it.rule))
        .collect();
    let mut sets: Vec<(BTreeSet<PublishId>, &'static str)> = Vec::new();
    let resolvable =
        |it: &&Finding| Rule::named(it.rule).is_some_and(|rule| rule.fixing != Fixing::Never);
    for finding in old.iter().filter(resolvable) {
        let mut set = publishes(finding, world);
        if set.is_empty() || finding.claims.len() == 1 && new.contains(&(set.clone(), finding.rule))
        {
            continue;
        }
        // of a list of ports that meet, only some pairs are reported
        let (joined, apart): (Vec<_>, Vec<_>) = sets
            .into_iter()
            .partition(|(other, rule)| *rule == finding.rule && !set.is_disjoint(other));
        set.extend(joined.into_iter().flat_map(|(other, _)| other));
        sets = apart;
        sets.push((set, finding.rule));
    }
    sets
}

/// The published ports that take part in a finding.
fn publishes(finding: &Finding, world: &World) -> BTreeSet<PublishId> {
    let mut all = BTreeSet::new();
    for claim in &finding.claims {
        let project = &world.projects[claim.project];
        let services = project.services.iter().enumerate();
        for (service, of) in services.filter(|(_, of)| of.name == claim.service) {
            let ports = of.ports.iter().enumerate();
            let ports = ports.filter(|(_, publish)| publish.origin == claim.origin);
            all.extend(ports.map(|(port, _)| PublishId {
                project: claim.project,
                service,
                port,
            }));
        }
    }
    all
}

/// The ignores of each file that has any, by project and file.
struct Comments(BTreeMap<(usize, FileId), Vec<Ignore>>);

/// A rule that an ignore names: its file, and where the name is in that.
type Named<'w> = (&'w Utf8Path, u32);

impl Comments {
    fn of(world: &World) -> Self {
        let mut all = BTreeMap::new();
        for (index, project) in world.projects.iter().enumerate() {
            for (id, file) in project.sources.iter() {
                let ignores = comment::ignores(file, id);
                if !ignores.is_empty() {
                    all.insert((index, id), ignores);
                }
            }
        }
        Self(all)
    }

    /// Takes away what is ignored, and notes by what.
    fn apply<'w>(
        &self,
        findings: Vec<Finding>,
        world: &'w World,
        used: &mut BTreeSet<Named<'w>>,
    ) -> (Vec<Finding>, Vec<Silenced>) {
        let (mut left, mut silenced) = (Vec::new(), Vec::new());
        for finding in findings {
            let mut by = None;
            for label in &finding.labels {
                for ignore in self.covering(finding.rule, label) {
                    let names = ignore.rules.iter();
                    let names = names.filter(|(name, _)| name == finding.rule);
                    let path = path(world, label.project, label.span.file);
                    used.extend(names.map(|(_, span)| (path, span.start)));
                    by.get_or_insert_with(|| Silencer::Comment {
                        reason: ignore.reason.clone(),
                    });
                }
            }
            match by {
                Some(by) => silenced.push(Silenced { finding, by }),
                None => left.push(finding),
            }
        }
        (left, silenced)
    }

    fn covering(&self, rule: &str, label: &Label) -> impl Iterator<Item = &Ignore> {
        let ignores = self.0.get(&(label.project, label.span.file));
        let ignores = ignores.into_iter().flatten();
        ignores.filter(move |ignore| ignore.covers(rule, label.span))
    }

    /// The ignores that name no rule, or one that has found nothing where it could have.
    fn wrong(&self, world: &World, used: &BTreeSet<Named<'_>>) -> Vec<Finding> {
        let mut found = Vec::new();
        // a file that several projects share is told of once
        let mut told = BTreeSet::new();
        for ((project, file), ignores) in &self.0 {
            let path = path(world, *project, *file);
            if !told.insert(path) {
                continue;
            }
            for ignore in ignores {
                let at = |span| Label {
                    project: *project,
                    span,
                    text: String::new(),
                };
                if ignore.rules.is_empty() {
                    found.push(unused_ignore::nameless(at(ignore.span)));
                }
                let is_unused = |(name, span): &(String, Span)| {
                    let rule = Rule::named(name)?;
                    let is_used = used.contains(&(path, span.start));
                    // what it is about is not known before this is done
                    let is_own = rule.name == unused_ignore::RULE.name;
                    let unused = !is_used && !is_own && looked_for(world, rule, path);
                    unused.then_some(rule)
                };
                let unused: Vec<_> = ignore.rules.iter().map(is_unused).collect();
                let left = unused.iter().filter(|rule| rule.is_none()).count();
                for (index, (name, span)) in ignore.rules.iter().enumerate() {
                    if Rule::named(name).is_none() {
                        found.push(unused_ignore::unknown(name, at(*span)));
                    }
                    if let Some(rule) = unused[index] {
                        let span = ignore.without(index, left);
                        let project = *project;
                        let removal = Rewrite::Removal { project, span };
                        found.push(unused_ignore::unused(
                            rule,
                            at(ignore.rules[index].1),
                            removal,
                        ));
                    }
                }
            }
        }
        fingerprint::assign(&mut found, world);
        found
    }
}

/// Whether all that a rule could find in a file was seen and would be told.
pub(crate) fn looked_for(world: &World, rule: &Rule, file: &Utf8Path) -> bool {
    let mut projects = world.projects.iter();
    let whole = projects.all(|project| {
        let mut problems = project.problems.iter();
        let chosen = project.profiles != crate::compose::profiles::Profiles::Unchosen;
        !chosen && problems.all(|problem| problem.gravity != Gravity::Error)
    });
    whole && rule.needs.met(world) && world.settings.level(rule, file).is_some()
}

fn path(world: &World, project: usize, file: FileId) -> &Utf8Path {
    world.projects[project].sources.file(file).path()
}
