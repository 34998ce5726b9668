//! The allocation graph of a host: claims, holders, and what keeps them apart.

use std::collections::BTreeMap;

use petgraph::graphmap::UnGraphMap;

use crate::binding::{self, Cause, Container, Engine, Existing, Member};
use crate::claim::{Claim, Fate, fate};
use crate::machine::{Holders, Machine};
use crate::world::{Host, World};

/// What is wanted and held on one host, and which of it cannot all be had.
#[derive(Debug)]
pub struct Allocation<'w> {
    /// The machine, if one is known.
    pub machine: Option<&'w Machine>,
    /// The engine that starts the projects.
    pub engine: Engine,
    /// The claims: by project, by service, in Compose's order.
    pub claims: Vec<Claim<'w>>,
    /// Who has ports there already.
    pub holders: Holders<'w>,
    /// What cannot be had, or not surely.
    pub collisions: Vec<Collision>,
    /// Claims, joined where both want one port: the edge is the index of the collision.
    pub graph: UnGraphMap<usize, usize>,
}

/// Claims that cannot all be had, or not surely.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collision {
    /// What keeps them apart.
    pub cause: Cause,
    /// Indices of [`Allocation::claims`], in order.
    pub claims: Vec<usize>,
    /// Indices of [`Holders::holds`].
    pub holds: Vec<usize>,
    /// Indices of [`Holders::sockets`].
    pub sockets: Vec<usize>,
}

impl Collision {
    /// True if somebody who has a port already takes part.
    #[must_use]
    pub fn has_holder(&self) -> bool {
        !self.holds.is_empty() || !self.sockets.is_empty()
    }
}

impl<'w> Allocation<'w> {
    /// The allocation of a host.
    ///
    /// A service in profiles that nobody chose may be on, so it claims its ports like any other.
    /// The containers of the projects themselves are not in the way: `up` replaces them.
    #[must_use]
    pub fn of(world: &'w World, host: &Host<'w>) -> Self {
        let engine = host
            .machine
            .map_or_else(|| world.engine.clone(), Machine::engine);
        let mut claims = Vec::new();
        let mut containers = Vec::new();
        let mut index_of = BTreeMap::new();
        for project_index in host.projects.clone() {
            let project = &world.projects[project_index];
            for service in &project.services {
                if !project.profiles.may_enable(&service.profiles) {
                    continue;
                }
                let mut wanted = Vec::new();
                for publish in &service.ports {
                    let Fate::Claimed(claim) = fate(project, service, publish, host.machine) else {
                        continue;
                    };
                    let member = Member {
                        container: containers.len(),
                        claim: wanted.len(),
                    };
                    index_of.insert(member, claims.len());
                    wanted.push(claim);
                    claims.push(Claim {
                        project,
                        project_index,
                        service,
                        publish,
                        wanted: claim,
                    });
                }
                containers.push(Container {
                    copies: service.copies(),
                    claims: wanted,
                });
            }
        }
        let holders = host.machine.map_or_else(Holders::default, |machine| {
            machine.holders(|container| {
                let projects = &world.projects[host.projects.clone()];
                projects.iter().any(|project| project.replaces(container))
            })
        });
        let holds: Vec<binding::Hold> = holders.holds.iter().map(|(hold, _)| *hold).collect();
        let sockets: Vec<binding::Socket> = holders
            .sockets
            .iter()
            .map(|holder| holder.socket.clone())
            .collect();
        let existing = Existing {
            holds: &holds,
            sockets: &sockets,
        };
        let collisions: Vec<Collision> = binding::allocate(&containers, existing, &engine)
            .into_iter()
            .map(|found| Collision {
                cause: found.cause,
                claims: found
                    .claims
                    .iter()
                    .filter_map(|m| index_of.get(m).copied())
                    .collect(),
                holds: found.holds,
                sockets: found.sockets,
            })
            .collect();
        let mut graph = UnGraphMap::new();
        for (index, collision) in collisions.iter().enumerate() {
            if let (Cause::Port(_), [a, b]) = (collision.cause, &collision.claims[..]) {
                graph.add_edge(*a, *b, index);
            }
        }
        Self {
            machine: host.machine,
            engine,
            claims,
            holders,
            collisions,
            graph,
        }
    }
}
