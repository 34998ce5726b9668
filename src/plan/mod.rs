//! The least that must change so that everything can run.
//!
//! [`model`] says what can move and what must, [`solve`] chooses, [`place`] finds new ports, and
//! [`check`] judges the result by the algebra alone.

pub mod bars;
pub mod candidates;
pub mod check;
pub mod explain;
pub mod groups;
pub mod known;
pub mod meetings;
pub mod model;
pub mod place;
pub mod policy;
pub mod solve;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

pub use crate::compose::project::PublishId;
pub use explain::Why;
pub use model::{Fixed, Model};
pub use policy::{Pin, Policy, Strategy, Wanted};

use crate::binding::{Cause, PortRange, Published};
use crate::graph::{Allocation, Collision};
use crate::world::World;
use place::Places;
use solve::Demand;

/// A publish whose host ports change.
///
/// The publishes of a range that Compose expands (`8000-8002:80-82`) are moves of their own, all
/// by the same distance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Move {
    /// What moves.
    pub publish: PublishId,
    /// The host ports it has.
    pub from: PortRange,
    /// The host ports it gets: as many, unless replicas need room for more.
    pub to: PortRange,
}

/// Publishes that move together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remap {
    /// Each of them, in order.
    pub moves: Vec<Move>,
    /// From the lowest of their host ports to the highest, as they are.
    pub from: PortRange,
    /// Likewise, as they will be.
    pub to: PortRange,
    /// Why they, or somebody in their stead, must move.
    pub why: Vec<Why>,
}

/// What stays wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// What is wrong.
    pub why: Why,
    /// Who takes part, and why each of them stays.
    pub fixed: Vec<(PublishId, Fixed)>,
}

/// The remaps that resolve what can be resolved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// In the order they are written.
    pub remaps: Vec<Remap>,
    /// What they do not resolve.
    pub stuck: Vec<Stuck>,
    /// No plan that resolves as much moves fewer publishes.
    pub at_least: u32,
    targets: BTreeMap<PublishId, PortRange>,
}

impl Plan {
    fn of(remaps: Vec<Remap>, stuck: Vec<Stuck>, at_least: u32) -> Self {
        let moves = remaps.iter().flat_map(|remap| &remap.moves);
        Self {
            targets: moves.map(|it| (it.publish, it.to)).collect(),
            remaps,
            stuck,
            at_least,
        }
    }

    /// All moves, in order.
    pub fn moves(&self) -> impl Iterator<Item = Move> + Clone {
        self.remaps.iter().flat_map(|remap| &remap.moves).copied()
    }

    /// Where it moves some publishes that stand together; `None` if it moves not all of them.
    #[must_use]
    pub fn target(&self, publishes: impl IntoIterator<Item = PublishId>) -> Option<PortRange> {
        let to = |id| self.targets.get(&id).copied();
        let all: Option<Vec<PortRange>> = publishes.into_iter().map(to).collect();
        PortRange::around(all?)
    }

    /// True if it is proved that no plan moves fewer publishes.
    #[must_use]
    pub fn is_optimal(&self) -> bool {
        self.moves().count() as u32 == self.at_least
    }
}

/// Up to so many that find no room are given up one by one, more all at once.
const ONE_BY_ONE: usize = 100;

/// The plan for what is wrong on the hosts.
#[must_use]
pub fn plan(world: &World, hosts: &[Allocation<'_>], policy: &Policy) -> Plan {
    let mut model = Model::of(world, hosts, policy);
    if model.demands.is_empty() {
        return Plan::default();
    }
    loop {
        let (free, stuck) = model.free();
        let costs: Vec<_> = model.blocks.iter().map(|block| block.cost).collect();
        let choice = solve::solve(&costs, &free);
        let leave = model.must_leave(hosts);
        let mut places = Places::new(world, hosts, policy);
        let mut targets = BTreeMap::new();
        let mut no_room = Vec::new();
        for &index in &choice.moved {
            match places.find(&model.blocks[index], leave.contains(&index)) {
                Some(range) => drop(targets.insert(index, range)),
                None => no_room.push(index),
            }
        }
        // where one stays, others may find room; where hundreds do, the host is full
        let first = no_room.len().saturating_sub(1);
        let first = if first < ONE_BY_ONE { first } else { 0 };
        for index in &no_room[first..] {
            model.blocks[*index].fixed = Some(Fixed::NoRoom);
        }
        if !no_room.is_empty() || model.learn(hosts, policy, &targets) {
            continue;
        }
        let mut why = model.why();
        let remaps = targets.iter().map(|(index, to)| {
            let why = why.remove(index).unwrap_or_default();
            model.remap(*index, *to, why, hosts)
        });
        return Plan::of(remaps.collect(), stuck, choice.at_least);
    }
}

impl Model {
    /// What is demanded of those that can move, and what cannot be met at all.
    fn free(&self) -> (Vec<Demand>, Vec<Stuck>) {
        let is_fixed = |block: &usize| self.blocks[*block].fixed.is_some();
        let mut free = Vec::new();
        let mut stuck = Vec::new();
        let mut told = HashSet::new();
        for (demand, why) in &self.demands {
            let (fixed, able): (Vec<usize>, Vec<usize>) =
                demand.of.iter().partition(|b| is_fixed(b));
            free.push(Demand::new(able, demand.stay.saturating_sub(fixed.len())));
            // one reason of each is enough
            if fixed.len() > demand.stay && told.insert(fixed.clone()) {
                let all = fixed.iter().flat_map(|block| {
                    let block = &self.blocks[*block];
                    let fixed = block.fixed.unwrap_or(Fixed::Pinned);
                    block.publishes.iter().map(move |id| (*id, fixed))
                });
                stuck.push(Stuck {
                    why: why.clone(),
                    fixed: all.collect(),
                });
            }
        }
        (free, stuck)
    }

    /// The blocks that cannot keep their lowest port: somebody else wants it, or may. The others
    /// that move only need more room.
    fn must_leave(&self, hosts: &[Allocation<'_>]) -> BTreeSet<usize> {
        let grows = |collision: &Collision| {
            let cause = collision.cause;
            let short = matches!(cause, Cause::Copies(_) | Cause::RangeTooShort { .. });
            short && !collision.has_holder()
        };
        let demands = self.demands.iter();
        let demands = demands.filter(|(_, why)| !matches!(why, Why::Collision { .. }));
        let mut leave: BTreeSet<usize> =
            demands.flat_map(|(demand, _)| demand.of.clone()).collect();
        for host in hosts {
            let collisions = host.collisions.iter().filter(|collision| !grows(collision));
            leave.extend(collisions.flat_map(|found| self.blocks_of(host, &found.claims)));
        }
        leave
    }

    /// Looks at what would still collide, and demands that it does not; false if there is nothing
    /// new.
    ///
    /// What collides among those that stayed collides wherever the others went, so each of these
    /// demands is one that every plan must meet.
    fn learn(
        &mut self,
        hosts: &[Allocation<'_>],
        policy: &Policy,
        targets: &BTreeMap<usize, PortRange>,
    ) -> bool {
        let demands = self.demands.iter();
        let mut known: HashSet<Demand> = demands.map(|(demand, _)| demand.clone()).collect();
        let before = known.len();
        let with_demands: BTreeSet<usize> =
            self.demands.iter().map(|(_, why)| why.host()).collect();
        for host in with_demands {
            let allocation = &hosts[host];
            let moved = |claim: usize| {
                let block = self.blocks_of(allocation, &[claim]).pop_first()?;
                let to = *targets.get(&block)?;
                let from = allocation.claims[claim].wanted.binding.published;
                Some(published(self.blocks[block].shifted(from, to)?))
            };
            for collision in allocation.collisions_if(moved) {
                let blocks = self.blocks_of(allocation, &collision.claims);
                let uncertain = matches!(collision.cause, Cause::Maybe(_));
                let touched = blocks.iter().any(|block| targets.contains_key(block));
                let all_fixed = blocks
                    .iter()
                    .all(|block| self.blocks[*block].fixed.is_some());
                if uncertain || touched || all_fixed || !is_wanted(&collision, allocation, policy) {
                    continue;
                }
                let stay = blocks.len() - 1;
                let demand = Demand::new(blocks, stay);
                let claims = collision.claims.into();
                if known.insert(demand.clone()) {
                    self.demands.push((demand, Why::Meet { host, claims }));
                }
            }
        }
        known.len() > before
    }

    /// Why each block, or somebody in its stead, must move.
    fn why(&self) -> HashMap<usize, Vec<Why>> {
        let mut all: HashMap<usize, Vec<Why>> = HashMap::new();
        for (demand, why) in &self.demands {
            for block in &demand.of {
                all.entry(*block).or_default().push(why.clone());
            }
        }
        all
    }

    fn remap(&self, block: usize, to: PortRange, why: Vec<Why>, hosts: &[Allocation<'_>]) -> Remap {
        let block = &self.blocks[block];
        let mut moves = Vec::new();
        for at in &block.claims {
            let claim = &hosts[at.host].claims[at.claim];
            let from = claim.ports();
            let to = block.shifted(claim.wanted.binding.published, to);
            moves.extend(from.zip(to).map(|(from, to)| Move {
                publish: claim.id,
                from,
                to,
            }));
        }
        moves.sort();
        moves.dedup();
        Remap {
            moves,
            from: block.from,
            to,
            why,
        }
    }
}

/// True if a collision is one that the policy wants resolved.
fn is_wanted(collision: &Collision, allocation: &Allocation<'_>, policy: &Policy) -> bool {
    let rule = explain::rule_of(collision, allocation);
    let ids = collision.claims.iter();
    let ids: Vec<_> = ids.map(|claim| allocation.claims[*claim].id).collect();
    policy.wants_rule(rule) && !policy.accepts_together(&ids, rule)
}

/// What is published on these ports.
fn published(ports: PortRange) -> Published {
    ports.into()
}
