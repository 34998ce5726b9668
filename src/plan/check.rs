//! An independent judge of plans: it knows nothing of how they are made, only what would be on
//! each host afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::{Plan, Policy, PublishId, candidates, explain};
use crate::binding::{Cause, Port, PortRange, Published};
use crate::graph::Allocation;
use crate::world::World;

/// What is wrong with a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Objection {
    /// It leaves a collision without saying so, or makes one.
    Collides {
        /// Who takes part.
        publishes: Vec<PublishId>,
    },
    /// It moves something to a port that is not good.
    BadPort {
        /// What it moves.
        publish: PublishId,
        /// The port.
        port: Port,
    },
    /// It gives something fewer ports than it has.
    Shorter(PublishId),
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Collides { publishes } => {
                write!(f, "{} ports would still collide", publishes.len())
            }
            Self::BadPort { port, .. } => write!(f, "{port} is not a good port"),
            Self::Shorter(_) => f.write_str("it gives a range fewer ports than it had"),
        }
    }
}

/// What is wrong with a plan for these hosts; nothing, if it is right.
#[must_use]
pub fn judge(
    world: &World,
    hosts: &[Allocation<'_>],
    policy: &Policy,
    plan: &Plan,
) -> Vec<Objection> {
    let moved: BTreeMap<PublishId, (PortRange, PortRange)> = plan
        .moves()
        .map(|it| (it.publish, (it.from, it.to)))
        .collect();
    let stuck: BTreeSet<PublishId> = plan
        .stuck
        .iter()
        .flat_map(|stuck| stuck.fixed.iter().map(|(id, _)| *id))
        .collect();
    let mut objections = Vec::new();
    for (id, (from, to)) in &moved {
        if to.len() < from.len() {
            objections.push(Objection::Shorter(*id));
        }
    }
    for host in hosts {
        ports(world, host, policy, &moved, &mut objections);
        let after = |claim: usize| {
            let (_, to) = moved.get(&host.claims[claim].id)?;
            Some(Published::from(*to))
        };
        for collision in host.collisions_if(after) {
            let ids = collision.claims.iter().map(|claim| host.claims[*claim].id);
            let publishes: Vec<PublishId> = ids.collect();
            let told = publishes.iter().all(|id| stuck.contains(id))
                || publishes.iter().all(|id| policy.stands_by(*id));
            let moves = publishes.iter().any(|id| moved.contains_key(id));
            let rule = explain::rule_of(&collision, host);
            let accepted = policy.accepts_together(&publishes, rule);
            let unwanted = accepted || !policy.wants_rule(rule);
            let expected = match collision.cause {
                Cause::Maybe(_) => !moves,
                _ => told || unwanted && !moves,
            };
            if !expected {
                objections.push(Objection::Collides { publishes });
            }
        }
    }
    objections.dedup();
    objections
}

/// Looks at the ports that things move to on a host.
fn ports(
    world: &World,
    host: &Allocation<'_>,
    policy: &Policy,
    moved: &BTreeMap<PublishId, (PortRange, PortRange)>,
    objections: &mut Vec<Objection>,
) {
    let mut wanted: BTreeMap<Port, BTreeSet<PublishId>> = BTreeMap::new();
    for claim in &host.claims {
        for port in claim.ports().into_iter().flat_map(PortRange::iter) {
            wanted.entry(port).or_default().insert(claim.id);
        }
    }
    let holds = host.holders.holds.iter().map(|(hold, _)| hold.port);
    let held: BTreeSet<Port> = holds
        .chain(host.holders.sockets.iter().map(|holder| holder.socket.port))
        .collect();
    for claim in &host.claims {
        let Some((from, to)) = moved.get(&claim.id) else {
            continue;
        };
        let mut pools = world.pools(claim.project_index).peekable();
        let free_choice = pools.peek().is_none();
        let pools: Vec<PortRange> = pools.flat_map(|pool| pool.ports.clone()).collect();
        // what keeps a port and grows has a right to it
        let new = to.iter().filter(|port| !from.contains(*port));
        for port in new {
            let own = |id: &PublishId| moved.get(id).is_some_and(|(_, other)| other == to);
            let others = wanted.get(&port).into_iter().flatten();
            let in_pool = pools.iter().any(|ports| ports.contains(port));
            let reserved = world.settings.reserved.iter();
            let allowed = (free_choice || in_pool)
                && !reserved
                    .map(|kept| kept.ports)
                    .any(|ports| ports.contains(port));
            let recommended = port.get() >= 1024
                && (in_pool || !host.engine.ephemeral.contains(port))
                && !policy.avoid.contains(port)
                && !candidates::is_blocked_by_browsers(port);
            let good = allowed
                && (recommended || policy.wishes.contains_key(&claim.id))
                && !held.contains(&port)
                && others.filter(|id| !own(id)).count() == 0;
            if !good {
                let publish = claim.id;
                objections.push(Objection::BadPort { publish, port });
            }
        }
    }
}
