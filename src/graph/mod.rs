//! The allocation graph of a host: claims, holders, and what keeps them apart.

mod entry;

use std::collections::HashMap;

pub use entry::Entry;

use petgraph::graphmap::UnGraphMap;

use crate::binding::{
    self, Cause, Container, Engine, Existing, Hold, Member, Port, PortSet, Published, Socket,
    addresses,
};

use crate::claim::{Claim, Fate, fate};
use crate::compose::project::{PublishId, Service};
use crate::machine::{Holder, Holders, Machine, Use};
use crate::worktree::Neighbour;
use crate::world::{Host, World};

/// The kernel's own setting, where that of the host is not known.
const UNPRIVILEGED_START: u16 = 1024;

/// What is wanted and held on one host, and which of it cannot all be had.
#[derive(Debug)]
pub struct Allocation<'w> {
    /// The host's name in `portplan.yaml`, if it is there.
    pub name: Option<&'w str>,
    /// The projects on it, by their indices in the world.
    pub projects: Vec<usize>,
    /// True if several projects share the host.
    pub is_shared: bool,
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
    containers: Vec<Container>,
    /// Which of the containers' claims each claim is.
    members: Vec<Member>,
    /// Claims that are written as one entry, each list by target.
    entries: Vec<Vec<usize>>,
    entry_of: Vec<usize>,
    taken: PortSet,
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
    /// True if a start fails in every order; otherwise one may.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        !matches!(self.cause, Cause::Maybe(_))
    }

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
        let mut services: Vec<(usize, usize, usize, &Service)> = host
            .projects
            .iter()
            .enumerate()
            .flat_map(|(rank, &project)| {
                let services = world.projects[project].services.iter().enumerate();
                services.map(move |(service, s)| (rank, project, service, s))
            })
            .filter(|(_, index, _, s)| world.projects[*index].profiles.may_enable(&s.profiles))
            .collect();
        // as written, a service before those that have its ports by an alias or `extends`
        services.sort_by_cached_key(|(rank, _, _, service)| {
            let first = service.ports.first().map(|port| &port.origin);
            let place = first.map(|origin| (origin.entry, origin.trail.len()));
            (*rank, place, &service.name)
        });
        let mut claims = Vec::new();
        let mut containers = Vec::new();
        let mut members = Vec::new();
        for (_, project_index, service_index, service) in services {
            let project = &world.projects[project_index];
            let mut wanted = Vec::new();
            for (port, publish) in service.ports.iter().enumerate() {
                let Fate::Claimed(claim) = fate(project, service, publish, host.machine) else {
                    continue;
                };
                let member = Member {
                    container: containers.len(),
                    claim: wanted.len(),
                };
                members.push(member);
                wanted.push(claim);
                claims.push(Claim {
                    project,
                    project_index,
                    id: PublishId {
                        project: project_index,
                        service: service_index,
                        port,
                    },
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
        let mut holders = host.machine.map_or_else(Holders::default, |machine| {
            machine.holders(|container| {
                let mut projects = host.projects.iter();
                projects.any(|project| world.projects[*project].replaces(container))
            })
        });
        let own = |name: &str| {
            claims
                .iter()
                .any(|claim: &Claim<'_>| claim.project.name == name)
        };
        // one of the same name would be replaced, not in the way
        let neighbours = world
            .neighbours
            .iter()
            .filter(|other| !own(&other.project.name));
        let reserved: Vec<Port> = neighbours
            .flat_map(|neighbour| hold(neighbour, host.machine, &engine, &mut holders))
            .collect();
        let (entries, entry_of) = entries(&claims);
        let mut taken = taken(&claims, &holders);
        taken.extend(reserved);
        taken.extend(host.machine.into_iter().flat_map(Machine::kept));
        taken.extend(world.reserved());
        let mut allocation = Self {
            name: host.name,
            projects: host.projects.clone(),
            is_shared: host.projects.len() > 1,
            machine: host.machine,
            taken,
            engine,
            claims,
            holders,
            collisions: Vec::new(),
            graph: UnGraphMap::new(),
            containers,
            members,
            entries,
            entry_of,
        };
        allocation.collisions = allocation.collisions_if(|_| None);
        for (index, collision) in allocation.collisions.iter().enumerate() {
            if let (Cause::Port(_), [a, b]) = (collision.cause, &collision.claims[..]) {
                allocation.graph.add_edge(*a, *b, index);
            }
        }
        allocation
    }

    /// What the host is called in messages, if it is known at all.
    #[must_use]
    pub fn host_name(&self) -> Option<String> {
        let machine = self.machine.map(|machine| machine.name.as_str());
        self.name.or(machine).map(str::to_owned)
    }

    /// What could not be had, or not surely, if claims were published on other host ports.
    #[must_use]
    pub fn collisions_if(&self, moved: impl Fn(usize) -> Option<Published>) -> Vec<Collision> {
        let mut containers = self.containers.clone();
        for (claim, member) in self.members.iter().enumerate() {
            if let Some(published) = moved(claim) {
                let wanted = &mut containers[member.container].claims[member.claim];
                wanted.binding.published = published;
            }
        }
        let holds: Vec<binding::Hold> = self.holders.holds.iter().map(|(hold, _)| *hold).collect();
        let sockets = self.holders.sockets.iter();
        let sockets: Vec<binding::Socket> = sockets.map(|holder| holder.socket.clone()).collect();
        let existing = Existing {
            holds: &holds,
            sockets: &sockets,
        };
        // claims are in the order of their members
        let index_of = |member: &Member| self.members.binary_search(member).ok();
        binding::allocate(&containers, existing, &self.engine)
            .into_iter()
            .map(|found| Collision {
                cause: found.cause,
                claims: found.claims.iter().filter_map(index_of).collect(),
                holds: found.holds,
                sockets: found.sockets,
            })
            .collect()
    }

    /// The lowest port that the engine may bind, if it is rootless and so may not bind all.
    ///
    /// Podman as well, though it tells addresses apart as a rootful engine does.
    #[must_use]
    pub fn unprivileged_start(&self) -> Option<Port> {
        let engine = self.machine.and_then(|machine| machine.engines.first());
        let rootless = engine.map_or(self.engine.rootless, |engine| engine.engine.rootless);
        let host = self.machine.and_then(|machine| machine.host.as_ref());
        let start = host.map_or(UNPRIVILEGED_START, |host| host.limits.unprivileged_start);
        Port::new(start).filter(|_| rootless)
    }

    /// True if a container of the claim's service has its ports already: `up` would give it them
    /// again.
    #[must_use]
    pub fn is_running(&self, claim: &Claim<'_>) -> bool {
        let binding = &claim.wanted.binding;
        let engine = self.machine.and_then(|machine| machine.engines.first());
        let containers = engine.into_iter().flat_map(|engine| &engine.containers);
        let mut own = containers.filter(|container| {
            let labels = container.compose.as_ref();
            container.belongs_to(&claim.project.name)
                && labels.is_some_and(|labels| labels.service == claim.service.name)
        });
        let wanted = |port: u16| match binding.published {
            Published::Fixed(fixed) => fixed.get() == port,
            Published::OneOf(range) => Port::new(port).is_some_and(|port| range.contains(port)),
            Published::Dynamic => false,
        };
        own.any(|container| {
            let mut holds = container.holds.iter();
            holds.any(|hold| hold.protocol == binding.protocol && wanted(hold.port))
        })
    }

    /// The claims that are written as one with this one: those of a range that Compose expands.
    #[must_use]
    pub fn entry(&self, claim: usize) -> &[usize] {
        &self.entries[self.entry_of[claim]]
    }

    /// All entries, each a list of its claims by target.
    pub fn entries(&self) -> impl Iterator<Item = &[usize]> {
        self.entries.iter().map(Vec::as_slice)
    }

    /// True if claims are of more than one project.
    #[must_use]
    pub fn crosses_projects(&self, claims: &[usize]) -> bool {
        let mut projects = claims.iter().map(|claim| self.claims[*claim].id.project);
        let first = projects.next();
        projects.any(|project| Some(project) != first)
    }

    /// Who takes part in a collision, as far as one is to be named: a container before others.
    #[must_use]
    pub fn holder(&self, collision: &Collision) -> Option<Use<'w>> {
        let hold = collision.holds.first();
        let socket = collision.sockets.first();
        hold.map(|index| Use::Container(self.holders.holds[*index].1))
            .or_else(|| socket.map(|index| self.holders.sockets[*index].who))
    }

    /// The ports that anything on the host has or may want, and those that its system or the user
    /// keeps.
    #[must_use]
    pub fn taken(&self) -> &PortSet {
        &self.taken
    }
}

/// Adds what a project in another worktree holds; the ports of ranges, of which it holds some.
fn hold<'w>(
    neighbour: &'w Neighbour,
    machine: Option<&Machine>,
    engine: &Engine,
    holders: &mut Holders<'w>,
) -> Vec<Port> {
    let project = &neighbour.project;
    let mut ranges = Vec::new();
    let services = project.services.iter();
    for service in services.filter(|service| project.profiles.may_enable(&service.profiles)) {
        for publish in service.ports.iter().filter(|_| service.copies() > 0) {
            let Fate::Claimed(wanted) = fate(project, service, publish, machine) else {
                continue;
            };
            let (port, protocol) = match wanted.binding.published {
                Published::Fixed(port) => (port, wanted.binding.protocol),
                Published::OneOf(range) => {
                    ranges.extend(range.iter());
                    continue;
                }
                Published::Dynamic => continue,
            };
            for ip in addresses(&wanted.binding, &wanted.network, engine).iter() {
                let hold = Hold { ip, port, protocol };
                // its container is seen already
                if holders.holds.iter().all(|(known, _)| *known != hold) {
                    let who = Use::Worktree(neighbour, service);
                    let socket = Socket::of_other_engine(hold, engine);
                    holders.sockets.push(Holder { who, socket });
                }
            }
        }
    }
    ranges
}

/// The claims of each entry, and the entry of each claim.
fn entries(claims: &[Claim<'_>]) -> (Vec<Vec<usize>>, Vec<usize>) {
    let mut entries: Vec<Vec<usize>> = Vec::new();
    let mut known = HashMap::new();
    let mut entry_of = Vec::with_capacity(claims.len());
    for (index, claim) in claims.iter().enumerate() {
        let binding = &claim.wanted.binding;
        // a range for one container port is no part of another
        let alone = match binding.published {
            Published::Fixed(_) | Published::Dynamic => None,
            Published::OneOf(_) => Some(index),
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

fn taken(claims: &[Claim<'_>], holders: &Holders<'_>) -> PortSet {
    let held = holders.holds.iter().map(|(hold, _)| hold.port);
    let sockets = holders.sockets.iter().map(|holder| holder.socket.port);
    let mut taken: PortSet = held.chain(sockets).collect();
    for claim in claims {
        match claim.wanted.binding.published {
            Published::Fixed(port) => taken.insert(port),
            Published::OneOf(range) => taken.extend(range.iter()),
            Published::Dynamic => {}
        }
    }
    taken
}
