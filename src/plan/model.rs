//! What can move, and of what something must.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::bars::barred;
use super::explain::{ACROSS_PROJECTS, IN_ONE_PROJECT, among};
use super::groups::{Group, groups};
use super::policy::Policy;
use super::solve::{Cost, Demand};
use super::{PublishId, Why, candidates, meetings};
use crate::binding::{Cause, Port, PortRange, Published};
use crate::claim::Claim;
use crate::compose::port::OriginKind;
use crate::compose::project::Project;
use crate::graph::Allocation;
use crate::world::World;

/// Publishes that move together, by one distance.
#[derive(Clone, Debug)]
pub struct Block {
    /// The publishes, in order.
    pub publishes: Vec<PublishId>,
    /// Their claims, each on its host.
    pub claims: Vec<At>,
    /// From the lowest of their host ports to the highest.
    pub from: PortRange,
    /// How many host ports in a row they need.
    pub room: u32,
    /// Why they must stay where they are, if they must.
    pub fixed: Option<Fixed>,
    /// What moving them costs.
    pub cost: Cost,
}

/// A claim on a host, by their indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct At {
    /// The host.
    pub host: usize,
    /// The claim on it.
    pub claim: usize,
}

/// Why a published port cannot be moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fixed {
    /// It is of a project that was not asked about.
    Bystander,
    /// The user wants it to stay.
    Pinned,
    /// Its number is put together from several places.
    Mixed,
    /// It is written where others have theirs from, who would move along.
    Shared,
    /// Each of several targets would need a range of its own for the replicas.
    Replicas,
    /// There is no good port that is free.
    NoRoom,
    /// No edit can move it; the policy knows why.
    Unwritable,
}

impl Block {
    /// The ports that one of its publishes gets, when the block goes to `to`.
    #[must_use]
    pub fn shifted(&self, published: Published, to: PortRange) -> Option<PortRange> {
        let old = match published {
            Published::Fixed(port) => PortRange::from(port),
            Published::OneOf(range) => range,
            Published::Dynamic => return None,
        };
        if to.len() > self.from.len() {
            // room for replicas is for all of its publishes
            return Some(to);
        }
        let up = |port: Port| {
            let distance = port.get() - self.from.first().get();
            Port::new(to.first().get().checked_add(distance)?)
        };
        PortRange::new(up(old.first())?, up(old.last())?).ok()
    }
}

/// What can move, and what must.
#[derive(Debug, Default)]
pub struct Model {
    /// In the order they are written: by project, file and place.
    pub blocks: Vec<Block>,
    /// Of blocks that cannot all stay, how many can, and why.
    pub demands: Vec<(Demand, Why)>,
    block_of: HashMap<PublishId, usize>,
}

/// More harm than all else: its container runs and would be made anew.
const RUNNING: u32 = 1_000;
/// The number stands in the shell's environment, where it cannot be changed.
const SHELL: u32 = 300;
/// People and programs know the service by this number.
const KNOWN: u32 = 100;
/// Files name it by this number.
const NAMED: u32 = 50;
/// It parts from others that are written in the same place.
const PARTED: u32 = 10;

impl Model {
    /// What can move and what must, on all hosts together.
    #[must_use]
    pub fn of(world: &World, hosts: &[Allocation<'_>], policy: &Policy) -> Self {
        if hosts.iter().all(|host| is_clean(world, host, policy)) {
            return Self::default();
        }
        let cliques: Vec<Vec<Vec<usize>>> = hosts.iter().map(meetings::cliques).collect();
        let mut groups = groups(&world.projects, hosts, &cliques, policy.apart);
        let ranks = ranks(&world.projects);
        groups.sort_by_cached_key(|group| {
            let ids = group.publishes.iter();
            let places = ids.map(|id| (ranks[id.project], place(&world.projects, *id)));
            places.min()
        });
        let mut claims: HashMap<PublishId, Vec<At>> = HashMap::new();
        for (host, allocation) in hosts.iter().enumerate() {
            for (claim, wanted) in allocation.claims.iter().enumerate() {
                claims
                    .entry(wanted.id)
                    .or_default()
                    .push(At { host, claim });
            }
        }
        let mut model = Self::default();
        for group in groups {
            let publishes = group.publishes.iter();
            let claims = publishes.flat_map(|id| claims.get(id).cloned().unwrap_or_default());
            let Some(block) = block(world, hosts, policy, &group, claims.collect()) else {
                continue;
            };
            let index = model.blocks.len();
            let publishes = group.publishes.into_iter();
            model.block_of.extend(publishes.map(|id| (id, index)));
            model.blocks.push(block);
        }
        // what is written first stays
        let count = model.blocks.len();
        for (index, block) in model.blocks.iter_mut().enumerate() {
            block.cost.rank = (count - index) as u32;
        }
        for (host, allocation) in hosts.iter().enumerate() {
            for claims in cliques[host]
                .iter()
                .flat_map(|all| parts(allocation, policy, all))
            {
                let claims = claims.into();
                model.demand(hosts, policy, Why::Meet { host, claims });
            }
            for collision in 0..allocation.collisions.len() {
                model.demand(hosts, policy, Why::Collision { host, collision });
            }
            for (claim, bar) in barred(world, allocation, policy) {
                let at = At { host, claim };
                model.demand(hosts, policy, Why::Barred { at, bar });
            }
        }
        model
    }

    /// The blocks of claims of one host.
    #[must_use]
    pub fn blocks_of(&self, allocation: &Allocation<'_>, claims: &[usize]) -> BTreeSet<usize> {
        let ids = claims.iter().map(|claim| allocation.claims[*claim].id);
        ids.filter_map(|id| self.block_of.get(&id).copied())
            .collect()
    }

    /// Adds what must move for this reason, if anything must.
    fn demand(&mut self, hosts: &[Allocation<'_>], policy: &Policy, why: Why) {
        let rule = why.rule(hosts);
        let id = |host: usize, claim: &usize| hosts[host].claims[*claim].id;
        let accepted = |host: usize, claims: &[usize]| {
            let ids: Vec<_> = claims.iter().map(|claim| id(host, claim)).collect();
            policy.accepts_together(&ids, rule)
        };
        let demand = match &why {
            Why::Meet { host, claims } => {
                // the others part all the same
                let mut claims = claims.to_vec();
                claims.retain(|claim| !policy.accepts(id(*host, claim), rule));
                let blocks = self.blocks_of(&hosts[*host], &claims);
                Demand::new(blocks, 1)
            }
            Why::Collision { host, collision } => {
                let collision = &hosts[*host].collisions[*collision];
                if accepted(*host, &collision.claims) {
                    return;
                }
                let known = matches!(collision.cause, Cause::Port(_));
                let fixed = |claim: &usize| {
                    let published = hosts[*host].claims[*claim].wanted.binding.published;
                    matches!(published, Published::Fixed(_))
                };
                let meet = known && !collision.has_holder() && collision.claims.iter().all(fixed);
                if meet || matches!(collision.cause, Cause::Maybe(_)) {
                    return;
                }
                let blocks = self.blocks_of(&hosts[*host], &collision.claims);
                let stay = blocks.len().saturating_sub(1);
                Demand::new(blocks, stay)
            }
            Why::Barred { at, .. } if accepted(at.host, &[at.claim]) => return,
            Why::Barred { at, .. } => Demand::new(self.blocks_of(&hosts[at.host], &[at.claim]), 0),
        };
        let mut blocks = demand.of.iter().map(|block| &self.blocks[*block]);
        // who was not asked about may have it as they like among themselves
        let asked = blocks.any(|block| block.fixed != Some(Fixed::Bystander));
        if asked && demand.of.len() > demand.stay && policy.wants(&why, hosts) {
            self.demands.push((demand, why));
        }
    }
}

/// What of a clique is to be resolved: all of it, or only what meets in one project or between two,
/// and is not known.
fn parts(host: &Allocation<'_>, policy: &Policy, clique: &[usize]) -> Vec<Vec<usize>> {
    if let Some(new) = new_pairs(host, policy, clique) {
        return new;
    }
    let both = policy.wants_rule(IN_ONE_PROJECT) == policy.wants_rule(ACROSS_PROJECTS);
    if both || !host.crosses_projects(clique) {
        return vec![clique.to_vec()];
    }
    let mut projects: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for claim in clique {
        let project = host.claims[*claim].id.project;
        projects.entry(project).or_default().push(*claim);
    }
    if policy.wants_rule(IN_ONE_PROJECT) {
        return projects.into_values().collect();
    }
    let pairs = pairs(clique);
    pairs.filter(|pair| host.crosses_projects(pair)).collect()
}

/// Each two of a clique.
fn pairs(clique: &[usize]) -> impl Iterator<Item = Vec<usize>> {
    clique.iter().enumerate().flat_map(|(at, a)| {
        let others = clique[at + 1..].iter();
        others.map(|b| vec![*a, *b])
    })
}

/// The pairs of a clique that are not known, if any is.
fn new_pairs(host: &Allocation<'_>, policy: &Policy, clique: &[usize]) -> Option<Vec<Vec<usize>>> {
    if policy.known.is_empty() {
        return None;
    }
    let is_known = |pair: &Vec<usize>| {
        let ids: Vec<_> = pair.iter().map(|claim| host.claims[*claim].id).collect();
        policy.accepts_together(&ids, among(host, pair))
    };
    let (known, new): (Vec<_>, Vec<_>) = pairs(clique).partition(is_known);
    (!known.is_empty()).then_some(new)
}

/// True if nothing must move on a host.
fn is_clean(world: &World, host: &Allocation<'_>, policy: &Policy) -> bool {
    let mut causes = host.collisions.iter().map(|collision| collision.cause);
    causes.all(|cause| matches!(cause, Cause::Maybe(_))) && barred(world, host, policy).is_empty()
}

/// Where each project comes in the order of their folders and files.
fn ranks(projects: &[Project]) -> Vec<usize> {
    let place = |index: usize| (&projects[index].root, &projects[index].files);
    let mut order: Vec<usize> = (0..projects.len()).collect();
    order.sort_by(|a, b| place(*a).cmp(&place(*b)));
    let mut ranks = vec![0; projects.len()];
    for pair in order.windows(2) {
        let differs = place(pair[0]) != place(pair[1]);
        ranks[pair[1]] = ranks[pair[0]] + usize::from(differs);
    }
    ranks
}

/// Where a publish comes in the order of what is written in its project.
fn place(projects: &[Project], id: PublishId) -> impl Ord + use<'_> {
    let (_, service, publish) = id.of(projects);
    let origin = &publish.origin;
    ((origin.entry, origin.trail.len()), (&service.name, id))
}

fn block(
    world: &World,
    hosts: &[Allocation<'_>],
    policy: &Policy,
    group: &Group,
    claims: Vec<At>,
) -> Option<Block> {
    let claim = |at: &At| &hosts[at.host].claims[at.claim];
    let ranges: BTreeSet<PortRange> = claims.iter().filter_map(|at| claim(at).ports()).collect();
    let from = PortRange::around(ranges.iter().copied())?;
    let copies = claims.iter().map(|at| claim(at).service.copies());
    let copies = copies.max().unwrap_or(1);
    let harm = claims.iter().map(|at| harm(&hosts[at.host], claim(at)));
    let parted = if group.parted { PARTED } else { 0 };
    let is_named = group.publishes.iter().any(|id| policy.named.contains(id));
    let named = if is_named { NAMED } else { 0 };
    let publish = |id: &PublishId| id.of(&world.projects).2;
    let has = |id: &PublishId, kind: &OriginKind| publish(id).origin.kind == *kind;
    // who has it by an alias or the like gets an entry of its own; who wrote it cannot
    let is_writer = |id: &PublishId| {
        let origin = &publish(id).origin;
        let in_env_file = matches!(origin.kind, OriginKind::EnvFile { .. });
        origin.trail.is_empty() && !in_env_file
    };
    let fixed = if group.publishes.iter().any(|id| policy.stands_by(*id)) {
        Some(Fixed::Bystander)
    } else if group
        .publishes
        .iter()
        .any(|id| policy.pins(*id, &world.projects))
    {
        Some(Fixed::Pinned)
    } else if group
        .publishes
        .iter()
        .any(|id| policy.unwritable.contains_key(id))
    {
        Some(Fixed::Unwritable)
    } else if !policy.apart && group.publishes.iter().any(|id| has(id, &OriginKind::Mixed)) {
        Some(Fixed::Mixed)
    } else if group.parted && group.publishes.iter().any(is_writer) {
        Some(Fixed::Shared)
    } else if copies > 1 && ranges.len() > 1 {
        Some(Fixed::Replicas)
    } else {
        None
    };
    Some(Block {
        publishes: group.publishes.clone(),
        from,
        room: from.len().max(copies),
        fixed,
        cost: Cost {
            moves: group.publishes.len() as u32,
            harm: harm.max().unwrap_or_default() + named + parted,
            rank: 0,
        },
        claims,
    })
}

/// How much moving a claim would disturb.
fn harm(host: &Allocation<'_>, claim: &Claim<'_>) -> u32 {
    let mut harm = 0;
    if host.is_running(claim) {
        harm += RUNNING;
    }
    if matches!(claim.publish.origin.kind, OriginKind::Shell { .. }) {
        harm += SHELL;
    }
    if let Published::Fixed(port) = claim.wanted.binding.published
        && candidates::is_well_known(port)
    {
        harm += KNOWN;
    }
    harm
}
