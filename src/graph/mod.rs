//! The allocation graph of a host: claims, and what keeps them apart.

use std::collections::BTreeMap;

use petgraph::graphmap::UnGraphMap;

use crate::binding::{self, Cause, Container, Existing, Member};
use crate::claim::{Claim, Fate, fate};
use crate::world::World;

/// What is wanted on one host, and which of it cannot all be had.
#[derive(Debug)]
pub struct Allocation<'w> {
    /// The claims: by project, by service, in Compose's order.
    pub claims: Vec<Claim<'w>>,
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
}

impl<'w> Allocation<'w> {
    /// The allocation of the projects of `world` that share a host.
    ///
    /// A service in profiles that nobody chose may be on, so it claims its ports like any other.
    #[must_use]
    pub fn of(world: &'w World, host: std::ops::Range<usize>) -> Self {
        let mut claims = Vec::new();
        let mut containers = Vec::new();
        let mut index_of = BTreeMap::new();
        for project_index in host {
            let project = &world.projects[project_index];
            for service in &project.services {
                if !project.profiles.may_enable(&service.profiles) {
                    continue;
                }
                let mut wanted = Vec::new();
                for publish in &service.ports {
                    let Fate::Claimed(claim) = fate(project, service, publish) else {
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
        let found = binding::allocate(&containers, Existing::default(), &world.engine);
        let collisions: Vec<Collision> = found
            .into_iter()
            .map(|collision| Collision {
                cause: collision.cause,
                claims: collision
                    .claims
                    .iter()
                    .filter_map(|m| index_of.get(m).copied())
                    .collect(),
            })
            .collect();
        let mut graph = UnGraphMap::new();
        for (index, collision) in collisions.iter().enumerate() {
            if let (Cause::Port(_), [a, b]) = (collision.cause, &collision.claims[..]) {
                graph.add_edge(*a, *b, index);
            }
        }
        Self {
            claims,
            collisions,
            graph,
        }
    }
}
