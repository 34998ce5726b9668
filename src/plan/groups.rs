//! Which publishes move together.

use std::collections::{BTreeMap, HashMap};

use camino::Utf8Path;
use petgraph::unionfind::UnionFind;

use super::meetings;
use crate::binding::{Cause, Published};
use crate::compose::port::OriginKind;
use crate::compose::project::{Project, PublishId};
use crate::graph::Allocation;

/// Publishes that move together, and whether others have the number from the same place but move
/// by themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// In order.
    pub publishes: Vec<PublishId>,
    /// True if they must part from others that are written in the same place.
    pub parted: bool,
}

/// The groups of all publishes that want certain ports.
///
/// A range moves as a block, and so do the entries of a service with one number (tcp and udp of
/// one port). Those who have the number from one place in the files move together, unless they
/// are in each other's way, or `apart` says that it will not be written there.
#[must_use]
pub fn groups(
    projects: &[Project],
    hosts: &[Allocation<'_>],
    cliques: &[Vec<Vec<usize>>],
    apart: bool,
) -> Vec<Group> {
    let claims = hosts.iter().flat_map(|host| &host.claims);
    let with_ports = claims.filter(|claim| claim.wanted.binding.published != Published::Dynamic);
    let mut ids: Vec<PublishId> = with_ports.map(|claim| claim.id).collect();
    ids.sort();
    ids.dedup();
    let index: HashMap<PublishId, usize> = ids.iter().enumerate().map(|(i, id)| (*id, i)).collect();

    let mut units = UnionFind::new(ids.len());
    for host in hosts {
        join_units(host, &index, &mut units);
    }
    let mut places = units.clone();
    if !apart {
        let mut first: HashMap<Place<'_>, usize> = HashMap::new();
        for (at, id) in ids.iter().enumerate() {
            if let Some(place) = Place::of(projects, *id) {
                places.union(at, *first.entry(place).or_insert(at));
            }
        }
    }
    let parted = parted(hosts, cliques, &index, &units, &places);
    let mut groups: BTreeMap<(bool, usize), Group> = BTreeMap::new();
    for (at, id) in ids.iter().enumerate() {
        let place = places.find(at);
        let parts = parted.contains(&place);
        let key = (parts, if parts { units.find(at) } else { place });
        let group = groups.entry(key).or_insert_with(|| Group {
            publishes: Vec::new(),
            parted: parts,
        });
        group.publishes.push(*id);
    }
    groups.into_values().collect()
}

/// Where a number is written.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Place<'p> {
    File(&'p Utf8Path, u32, u32),
    Shell(&'p str),
}

impl<'p> Place<'p> {
    fn of(projects: &'p [Project], id: PublishId) -> Option<Self> {
        let (project, _, publish) = id.of(projects);
        let origin = &publish.origin;
        match &origin.kind {
            OriginKind::Mixed => None,
            OriginKind::Shell { variable } => Some(Self::Shell(variable)),
            _ => Some(Self::File(
                project.sources.file(origin.span.file).path(),
                origin.span.start,
                origin.span.end,
            )),
        }
    }
}

/// Joins the ports of an expanded range, and entries of one service with the same host ports.
fn join_units(
    host: &Allocation<'_>,
    index: &HashMap<PublishId, usize>,
    units: &mut UnionFind<usize>,
) {
    let at = |claim: usize| index.get(&host.claims[claim].id).copied();
    let mut alike: HashMap<_, Vec<usize>> = HashMap::new();
    for (claim, wanted) in host.claims.iter().enumerate() {
        let Some(here) = at(claim) else { continue };
        if let Some(first) = at(host.entry(claim)[0]) {
            units.union(here, first);
        }
        let key = (
            wanted.id.project,
            wanted.id.service,
            wanted.wanted.binding.published,
        );
        let others = alike.entry(key).or_default();
        let free = others
            .iter()
            .all(|other| !meetings::collide_inside(host, claim, *other));
        if let Some(first) = others.first().and_then(|first| at(*first)).filter(|_| free) {
            units.union(here, first);
        }
        others.push(claim);
    }
}

/// Groups by place in which some are in each other's way.
fn parted(
    hosts: &[Allocation<'_>],
    cliques: &[Vec<Vec<usize>>],
    index: &HashMap<PublishId, usize>,
    units: &UnionFind<usize>,
    places: &UnionFind<usize>,
) -> std::collections::BTreeSet<usize> {
    let mut parted = std::collections::BTreeSet::new();
    for (host, cliques) in hosts.iter().zip(cliques) {
        let at = |claim: &usize| index.get(&host.claims[*claim].id).copied();
        for clique in cliques {
            let mut unit_of: HashMap<usize, usize> = HashMap::new();
            for claim in clique.iter().filter_map(at) {
                let unit = units.find(claim);
                if *unit_of.entry(places.find(claim)).or_insert(unit) != unit {
                    parted.insert(places.find(claim));
                }
            }
        }
        for collision in &host.collisions {
            let certain = !matches!(collision.cause, Cause::Maybe(_));
            let members: Vec<usize> = collision.claims.iter().filter_map(at).collect();
            let Some(first) = members
                .first()
                .filter(|_| certain && !collision.has_holder())
            else {
                continue;
            };
            let one_place = members
                .iter()
                .all(|m| places.find(*m) == places.find(*first));
            let one_unit = members.iter().all(|m| units.find(*m) == units.find(*first));
            if one_place && !one_unit {
                parted.insert(places.find(*first));
            }
        }
    }
    parted
}
