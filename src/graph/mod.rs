//! The allocation graph of a host: claims, holders, and what keeps them apart.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use petgraph::graphmap::UnGraphMap;

use crate::binding::{self, Cause, Container, Engine, Existing, Member, Port, Published};
use crate::claim::{Claim, Fate, fate};
use crate::compose::project::Service;
use crate::machine::{Holders, Machine};
use crate::world::{Host, World};

/// What is wanted and held on one host, and which of it cannot all be had.
#[derive(Debug)]
pub struct Allocation<'w> {
    /// The machine, if one is known.
    pub machine: Option<&'w Machine>,
    /// The engine that starts the projects.
    pub engine: Engine,
    /// The claims: by project, by service in the order they are written, in Compose's order.
    pub claims: Vec<Claim<'w>>,
    /// Who has ports there already.
    pub holders: Holders<'w>,
    /// What cannot be had, or not surely.
    pub collisions: Vec<Collision>,
    /// Claims, joined where both want one port: the edge is the index of the collision. The later
    /// claim of an edge is the one to move.
    pub graph: UnGraphMap<usize, usize>,
    /// Claims that are written as one entry, each list by target.
    entries: Vec<Vec<usize>>,
    entry_of: Vec<usize>,
    taken: BTreeSet<Port>,
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
        let mut services: Vec<(usize, &Service)> = host
            .projects
            .clone()
            .flat_map(|index| {
                world.projects[index]
                    .services
                    .iter()
                    .map(move |s| (index, s))
            })
            .filter(|(index, s)| world.projects[*index].profiles.may_enable(&s.profiles))
            .collect();
        // as written, a service before those that have its ports by an alias or `extends`
        services.sort_by_cached_key(|(index, service)| {
            let first = service.ports.first().map(|port| &port.origin);
            let place = first.map(|origin| (origin.entry, origin.trail.len()));
            (*index, place, &service.name)
        });
        let mut claims = Vec::new();
        let mut containers = Vec::new();
        let mut index_of = BTreeMap::new();
        for (project_index, service) in services {
            let project = &world.projects[project_index];
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
        let (entries, entry_of) = entries(&claims);
        Self {
            machine: host.machine,
            taken: taken(&claims, &holders),
            engine,
            claims,
            holders,
            collisions,
            graph,
            entries,
            entry_of,
        }
    }

    /// The claims that are written as one with this one: those of a range that Compose expands.
    #[must_use]
    pub fn entry(&self, claim: usize) -> &[usize] {
        &self.entries[self.entry_of[claim]]
    }

    /// The ports that anything on the host has or may want.
    #[must_use]
    pub fn taken(&self) -> &BTreeSet<Port> {
        &self.taken
    }
}

/// The claims of each entry, and the entry of each claim.
fn entries(claims: &[Claim<'_>]) -> (Vec<Vec<usize>>, Vec<usize>) {
    let mut entries: Vec<Vec<usize>> = Vec::new();
    let mut known = HashMap::new();
    let mut entry_of = Vec::with_capacity(claims.len());
    for (index, claim) in claims.iter().enumerate() {
        let binding = &claim.wanted.binding;
        // only fixed ports are parts of an expanded range
        let alone = match binding.published {
            Published::Fixed(_) => None,
            _ => Some(index),
        };
        let place = (
            claim.project_index,
            claim.service.name.as_str(),
            claim.publish.origin.entry,
        );
        let key = (place, binding.host_ip, binding.protocol, alone);
        let entry = *known.entry(key).or_insert_with(|| {
            entries.push(Vec::new());
            entries.len() - 1
        });
        entries[entry].push(index);
        entry_of.push(entry);
    }
    for entry in &mut entries {
        entry.sort_by_key(|index| claims[*index].wanted.binding.target);
    }
    (entries, entry_of)
}

fn taken(claims: &[Claim<'_>], holders: &Holders<'_>) -> BTreeSet<Port> {
    let held = holders.holds.iter().map(|(hold, _)| hold.port);
    let sockets = holders.sockets.iter().map(|holder| holder.socket.port);
    let mut taken: BTreeSet<Port> = held.chain(sockets).collect();
    for claim in claims {
        match claim.wanted.binding.published {
            Published::Fixed(port) => {
                taken.insert(port);
            }
            Published::OneOf(range) => taken.extend(range.iter()),
            Published::Dynamic => {}
        }
    }
    taken
}
