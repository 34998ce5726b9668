//! A plan together with the edits that carry it out, proved.

use std::collections::BTreeSet;

use camino::Utf8PathBuf;

use crate::binding::Port;
use crate::edit::{Changes, Destination, Disproof, Workspace, failing};
use crate::finding::{Finding, Fix};
use crate::graph::Allocation;
use crate::mention::{self, Kind, Mention, Survey};
use crate::plan::check::{self, Objection};
use crate::plan::{self, Move, Plan, Policy, PublishId, Remap, Wanted};
use crate::world::World;
use crate::{rules, suppress};

/// What would be done.
#[derive(Clone, Debug)]
pub struct Remedy {
    /// Who moves.
    pub plan: Plan,
    /// What is written.
    pub changes: Changes,
    /// The policy of the plan: as it was given, and with what turned out not to be writable.
    pub policy: Policy,
    /// Where else the ports that move are named.
    pub mentions: Vec<Mention>,
    /// Whether the mentions that can follow are among the changes.
    pub followed: bool,
    /// What is resolved by an edit that moves no port.
    pub rewritten: Vec<Finding>,
    /// What such an edit cannot resolve, and why.
    pub unwritten: Vec<(Finding, String)>,
}

/// How a plan is carried out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Manner {
    /// Where new numbers go.
    pub destination: Destination,
    /// Values of compose and env files that name a port which moves are edited along.
    pub follow: bool,
    /// What something else depends on may move, too.
    pub unsafe_fixes: bool,
}

/// Why there is no remedy. Either is a mistake of portplan itself.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Failure {
    /// The plan did not pass its check.
    #[error("the plan did not pass the check that follows it: {}", .0.first().map(ToString::to_string).unwrap_or_default())]
    Plan(Vec<Objection>),
    /// The edits did not do what they should.
    #[error("the edits did not pass the check that precedes writing: {0}")]
    Edits(#[from] Disproof),
}

impl Remedy {
    /// The plan for the hosts of a world, and its edits; then the edits that resolve what no move
    /// does. What cannot be written stays, and so does what others depend on, unless the manner
    /// says otherwise; the rest is planned around it.
    ///
    /// # Errors
    /// A plan that its judge rejects, or edits that cannot be proved.
    pub fn of(
        world: &World,
        hosts: &[Allocation<'_>],
        workspace: &Workspace<'_>,
        policy: Policy,
        manner: Manner,
    ) -> Result<Self, Failure> {
        let mut remedy = Self::of_moves(world, hosts, workspace, policy, manner)?;
        remedy.rewrite(world, hosts, workspace, manner);
        Ok(remedy)
    }

    fn of_moves(
        world: &World,
        hosts: &[Allocation<'_>],
        workspace: &Workspace<'_>,
        mut policy: Policy,
        manner: Manner,
    ) -> Result<Self, Failure> {
        let destination = manner.destination;
        policy.apart = destination == Destination::Override;
        let scanner = mention::scanner(workspace.projects);
        let mut survey = Survey::new(*workspace, &scanner);
        // files whose edits did not pass their proof, and publishes whose variable stays
        let mut stubborn: BTreeSet<Utf8PathBuf> = BTreeSet::new();
        let mut rigid: BTreeSet<PublishId> = BTreeSet::new();
        loop {
            let plan = plan::plan(world, hosts, &policy);
            let objections = check::judge(world, hosts, &policy, &plan);
            if !objections.is_empty() {
                return Err(Failure::Plan(objections));
            }
            let moves: Vec<Move> = plan.moves().collect();
            if survey.cover(&moves) {
                let known = std::mem::replace(&mut policy.named, survey.named());
                if policy.named != known {
                    continue;
                }
            }
            let mut mentions = survey.mentions(&moves);
            for mention in &mut mentions {
                let along = mention.goes_along();
                let stays = match along {
                    true => destination != Destination::Compose || rigid.contains(&mention.publish),
                    false => stubborn.contains(&mention.path),
                };
                if mention.kind == Kind::Follow && stays {
                    mention.kind = Kind::Config;
                }
            }
            if !manner.unsafe_fixes && hold_back(&mut policy, &plan, &mentions, manner.follow) {
                continue;
            }
            let write = |moves: &[Move]| match (destination, manner.follow) {
                (Destination::Compose, true) => {
                    workspace.changes_along(moves, &survey.along(&mentions))
                }
                _ => workspace.changes(moves, destination),
            };
            let pairs = pairs(&moves);
            let explains =
                |old: &str, new: &str| manner.follow && scanner.explains(old, new, &pairs);
            let prove = |moves: &[Move], changes: &Changes| {
                workspace.prove_along(moves, changes, &explains)
            };
            let changes = write(&moves);
            let known = policy.unwritable.len();
            let refusals = changes.refusals.iter();
            policy
                .unwritable
                .extend(refusals.map(|it| (it.publish, format!("stays: {}", it.reason))));
            if policy.unwritable.len() > known {
                continue;
            }
            if manner.follow {
                let known = rigid.len();
                let left = mentions.iter().filter(|it| it.kind == Kind::Follow);
                let left = left.filter(|it| !survey.went_along(it, &changes));
                rigid.extend(left.map(|it| it.publish));
                if rigid.len() > known {
                    continue;
                }
            }
            let Err(disproof) = prove(&moves, &changes) else {
                let mut remedy = Self {
                    plan,
                    changes,
                    policy,
                    mentions,
                    followed: manner.follow,
                    rewritten: Vec::new(),
                    unwritten: Vec::new(),
                };
                if manner.follow {
                    let bad = remedy.follow(workspace, &survey, &explains);
                    if !bad.is_empty() {
                        stubborn.extend(bad);
                        policy = remedy.policy;
                        continue;
                    }
                }
                return Ok(remedy);
            };
            // one bad edit does not keep the others from being written
            let holds = |remaps: &[Remap]| {
                let moves: Vec<Move> = remaps.iter().flat_map(|it| &it.moves).copied().collect();
                prove(&moves, &write(&moves))
            };
            for (remap, disproof) in failing(&plan.remaps, &holds) {
                let reason = format!(
                    "stays: its edit did not pass the check that precedes writing: {disproof}"
                );
                let publishes = remap.moves.iter().map(|it| it.publish);
                policy
                    .unwritable
                    .extend(publishes.map(|id| (id, reason.clone())));
            }
            if policy.unwritable.len() == known {
                return Err(disproof.into());
            }
        }
    }

    /// Adds the edits that resolve what no move does, as far as the policy wants that.
    fn rewrite(
        &mut self,
        world: &World,
        hosts: &[Allocation<'_>],
        workspace: &Workspace<'_>,
        manner: Manner,
    ) {
        if self.policy.wanted == Wanted::Needed && world.settings.levels.is_empty() {
            return;
        }
        let found = rules::find(world, hosts, &self.plan);
        let (mut found, _) = suppress::apply(found, world);
        found.retain(|finding| self.policy.wants_rewrite(finding, workspace.projects));
        // what is to be resolved, and is written so that no edit can
        let (found, left): (Vec<_>, Vec<_>) = found.into_iter().partition(|it| it.fix.is_some());
        let by_hand = |it: &Finding| {
            let words = || {
                format!(
                    "no edit resolves it; `portplan explain {}` says what does",
                    it.rule
                )
            };
            it.help.clone().unwrap_or_else(words)
        };
        let left = left.into_iter().map(|it| (by_hand(&it), it));
        self.unwritten = left.map(|(reason, it)| (it, reason)).collect();
        if manner.destination == Destination::Override {
            let reason = "it is changed where it is written: leave out --into override";
            self.unwritten = found
                .into_iter()
                .map(|it| (it, reason.to_owned()))
                .collect();
            return;
        }
        let moves: Vec<Move> = self.plan.moves().collect();
        let pairs: Vec<(Port, Port)> = pairs(&moves);
        let scanner = self.followed.then(|| mention::scanner(workspace.projects));
        let explains = |old: &str, new: &str| {
            let scanner = scanner.as_ref();
            scanner.is_some_and(|scanner| scanner.explains(old, new, &pairs))
        };
        let fixes: Vec<Fix> = found.iter().filter_map(|it| it.fix.clone()).collect();
        let written = workspace.rewrite(&moves, &self.changes, &fixes, &explains);
        self.changes = written.changes;
        for (index, finding) in found.into_iter().enumerate() {
            match written.refused.get(&index) {
                Some(reason) => self.unwritten.push((finding, reason.clone())),
                None => self.rewritten.push(finding),
            }
        }
    }

    /// The mentions of what some of the moves move.
    pub fn mentions_of<'r>(&'r self, moves: &'r [Move]) -> impl Iterator<Item = &'r Mention> {
        let moved = |it: &&Mention| moves.iter().any(|one| one.publish == it.publish);
        self.mentions.iter().filter(moved)
    }

    /// The mentions that something depends on and that stay as they are.
    pub fn broken(&self) -> impl Iterator<Item = &Mention> {
        let followed = self.followed;
        self.mentions.iter().filter(move |it| breaks(it, followed))
    }

    /// Adds what must follow to the changes; the files whose edits did not pass their proof, if
    /// there are any.
    fn follow(
        &mut self,
        workspace: &Workspace<'_>,
        survey: &Survey<'_>,
        explains: &dyn Fn(&str, &str) -> bool,
    ) -> Vec<Utf8PathBuf> {
        let patches = survey.patches(&self.mentions);
        if patches.is_empty() {
            return Vec::new();
        }
        match workspace.follow(&self.changes, &patches, explains) {
            Ok(changes) => {
                self.changes = changes;
                Vec::new()
            }
            Err(_) => {
                let alone = |patch| workspace.follow(&self.changes, &[patch], explains);
                let mut bad = patches.clone();
                bad.retain(|patch| alone(patch.clone()).is_err());
                // none is bad by itself: none is written
                let bad = if bad.is_empty() { patches } else { bad };
                bad.into_iter().map(|patch| patch.path).collect()
            }
        }
    }
}

/// What the first host port of each move becomes.
fn pairs(moves: &[Move]) -> Vec<(Port, Port)> {
    let pairs = moves.iter().map(|it| (it.from.first(), it.to.first()));
    pairs.collect()
}

/// True if something breaks when a port moves and this mention is not edited along.
fn breaks(mention: &Mention, followed: bool) -> bool {
    mention.binds() && !(followed && mention.kind == Kind::Follow)
}

/// Notes what must stay because others depend on it; true if there is anything new.
fn hold_back(policy: &mut Policy, plan: &Plan, mentions: &[Mention], follow: bool) -> bool {
    let known = policy.unwritable.len();
    for remap in &plan.remaps {
        let of_remap = mentions.iter().filter(|it| {
            let moved = remap.moves.iter().any(|one| one.publish == it.publish);
            moved && breaks(it, follow)
        });
        let mut breaking: Vec<&Mention> = of_remap.collect();
        // what --follow cannot mend is told first
        breaking.sort_by_key(|it| it.kind == Kind::Follow);
        let Some(first) = breaking.first() else {
            continue;
        };
        let more = match breaking.len() - 1 {
            0 => "",
            1 => " and another place",
            _ => " and other places",
        };
        let help = match first.kind {
            Kind::Follow => "--follow also edits that",
            _ => "--unsafe-fixes moves it anyway",
        };
        let (named, place) = (&first.text, first.place());
        let reason = format!("stays, because {named} is named in {place}{more}: {help}");
        let publishes = remap.moves.iter().map(|it| it.publish);
        policy
            .unwritable
            .extend(publishes.map(|id| (id, reason.clone())));
    }
    policy.unwritable.len() > known
}
