//! New ports for those that move.

use std::collections::BTreeSet;

use super::candidates;
use super::model::Block;
use super::policy::{Policy, Strategy};
use crate::binding::{Engine, Port, PortRange, PortSet};
use crate::claim::Claim;
use crate::engine::container::HostPort;
use crate::graph::Allocation;
use crate::machine::Machine;
use crate::world::World;

/// The ports that are left on each host.
pub struct Places<'a> {
    hosts: Vec<(PortSet, &'a Engine)>,
    world: &'a World,
    policy: &'a Policy,
    /// The last port given.
    last: Option<Port>,
}

impl<'a> Places<'a> {
    /// All ports but those that anybody has or may want, and those that the policy avoids.
    #[must_use]
    pub fn new(world: &'a World, hosts: &'a [Allocation<'_>], policy: &'a Policy) -> Self {
        let hosts = hosts
            .iter()
            .map(|host| (avoid(world, host, policy), &host.engine));
        Self {
            hosts: hosts.collect(),
            world,
            policy,
            last: None,
        }
    }

    /// New ports for a block, which are taken from then on; none if there is no room.
    ///
    /// Unless it must leave, it may keep its lowest port and grow.
    pub fn find(&mut self, block: &Block, must_leave: bool) -> Option<PortRange> {
        let mut on: Vec<usize> = block.claims.iter().map(|at| at.host).collect();
        on.dedup();
        let (first, others) = on.split_first()?;
        let (mut taken, engine) = self.hosts[*first].clone();
        let projects: BTreeSet<usize> = block.publishes.iter().map(|id| id.project).collect();
        let outside = projects.into_iter();
        let outside: Vec<PortSet> = outside
            .filter_map(|project| self.world.outside_pools(project))
            .collect();
        for host in others {
            let (more, other) = &self.hosts[*host];
            taken.add_all(more);
            if outside.is_empty() {
                taken.add_range(other.ephemeral);
            }
        }
        let range = if outside.is_empty() {
            self.choose(block, must_leave, taken, engine)
        } else {
            outside.iter().for_each(|ports| taken.add_all(ports));
            let found = self.choose(block, must_leave, taken.clone(), engine);
            found.or_else(|| self.choose(block, must_leave, taken, &in_pool(engine)))
        }?;
        for host in on {
            self.hosts[host].0.add_range(range);
        }
        self.last = Some(range.last());
        Some(range)
    }

    fn choose(
        &self,
        block: &Block,
        must_leave: bool,
        mut taken: PortSet,
        engine: &Engine,
    ) -> Option<PortRange> {
        if let Some(port) = block
            .publishes
            .iter()
            .find_map(|id| self.policy.wishes.get(id))
        {
            block.from.iter().for_each(|port| taken.remove(port));
            return candidates::run(*port, block.room, &taken);
        }
        let old = block.from.first();
        let number = u32::from(old.get());
        if !must_leave && number >= 1024 {
            block.from.iter().for_each(|port| taken.remove(port));
            return candidates::first_good(number, block.room, &taken, engine);
        }
        match self.policy.strategy {
            Strategy::Nearest => candidates::near(old, block.room, &taken, engine),
            Strategy::Sequential => match self.last {
                None => candidates::near(old, block.room, &taken, engine),
                Some(last) => {
                    let start = u32::from(last.get()) + 1;
                    candidates::first_good(start, block.room, &taken, engine)
                }
            },
            Strategy::Offset(offset) => {
                let bad = candidates::bad(&taken, engine, None);
                let starts = (1..).map(|times| number + times * u32::from(offset));
                let mut starts = starts.map_while(|start| Port::new(u16::try_from(start).ok()?));
                starts.find_map(|start| candidates::run(start, block.room, &bad))
            }
        }
    }
}

/// The engine for pools that hold no other good port: that the kernel lends ports to outgoing
/// connections does not count there, for the user has chosen them.
#[must_use]
pub fn in_pool(engine: &Engine) -> Engine {
    Engine {
        ephemeral: Port::MIN.into(),
        ..engine.clone()
    }
}

/// The ports that nothing should move to.
fn avoid(world: &World, host: &Allocation<'_>, policy: &Policy) -> PortSet {
    let mut avoid = host.taken().clone();
    avoid.add_all(&policy.avoid);
    // services that are off now may be on tomorrow
    let mut projects: Vec<usize> = host
        .claims
        .iter()
        .map(|claim: &Claim<'_>| claim.id.project)
        .collect();
    projects.dedup();
    for project in projects {
        let services = world.projects[project].services.iter();
        let published = services.flat_map(|service| &service.ports);
        let published = published.filter_map(|publish| publish.published.as_deref()?.parse().ok());
        published.for_each(|range| avoid.add_range(range));
    }
    if let Some(machine) = host.machine {
        avoid.extend(awaited(machine));
    }
    avoid
}

/// Ports of a machine that nobody holds now, and that are not good all the same: Swarm's and
/// waiting containers'.
fn awaited(machine: &Machine) -> Vec<Port> {
    let mut kept: Vec<Port> = machine.ingress().map(|(_, port, _)| port).collect();
    for (_, requests, _) in machine.waiting() {
        kept.extend(
            requests
                .iter()
                .filter_map(|request| match request.host_port {
                    HostPort::Fixed { port } => Port::new(port),
                    _ => None,
                }),
        );
    }
    kept
}
