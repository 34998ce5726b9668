//! Which claims of one port keep each other out.

use std::collections::{BTreeMap, BTreeSet};

use crate::binding::{
    Addresses, Overlap, Port, Protocol, Published, addresses, overlap, overlap_in_container,
};
use crate::graph::Allocation;

/// Claims of a fixed port of which only one can be had, as lists of their indices.
///
/// Two claims collide if some list holds both, but for those of one service that the engine gives
/// the port together. Whole lists, and not pairs, are what tells the solver how many must move.
#[must_use]
pub fn cliques(allocation: &Allocation<'_>) -> Vec<Vec<usize>> {
    let mut by_port: BTreeMap<(Protocol, Port), BTreeMap<Addresses, Vec<usize>>> = BTreeMap::new();
    for (index, claim) in allocation.claims.iter().enumerate() {
        let binding = &claim.wanted.binding;
        let Published::Fixed(port) = binding.published else {
            continue;
        };
        let on = addresses(binding, &claim.wanted.network, &allocation.engine);
        if claim.service.copies() > 0 && on != Addresses::default() {
            let claims = by_port.entry((binding.protocol, port)).or_default();
            claims.entry(on).or_default().push(index);
        }
    }
    let classes = by_port.into_values();
    let classes = classes.map(|classes| classes.into_values().collect::<Vec<_>>());
    classes
        .flat_map(|classes| cover(&classes, allocation))
        .collect()
}

/// Lists that hold each two claims that collide, of classes of claims on the same addresses.
fn cover(classes: &[Vec<usize>], allocation: &Allocation<'_>) -> Vec<Vec<usize>> {
    let meet = |a: usize, b: usize| collide(allocation, classes[a][0], classes[b][0]);
    let alike: Vec<usize> = (0..classes.len())
        .filter(|class| meet(*class, *class))
        .collect();
    let mut lists = Vec::new();
    let mut covered = BTreeSet::new();
    for (at, &a) in alike.iter().enumerate() {
        let partners = alike[at + 1..].iter().copied().filter(|b| meet(a, *b));
        let partners: Vec<usize> = partners.collect();
        if partners.is_empty() && classes[a].len() > 1 && !covered.contains(&(a, a)) {
            lists.push(classes[a].clone());
        }
        for &b in &partners {
            if covered.contains(&(a, b)) {
                continue;
            }
            let mut list = vec![a, b];
            for &c in &partners {
                if c != b && list.iter().all(|one| meet(*one, c)) {
                    list.push(c);
                }
            }
            for &one in &list {
                covered.extend(list.iter().map(|other| (one.min(*other), one.max(*other))));
            }
            lists.push(
                list.iter()
                    .flat_map(|class| classes[*class].clone())
                    .collect(),
            );
        }
    }
    // claims that share with those alike, but not with others (UDP on some engines)
    for a in (0..classes.len()).filter(|class| !alike.contains(class)) {
        for b in (0..classes.len()).filter(|b| *b != a && meet(a, *b)) {
            let pairs = classes[a]
                .iter()
                .flat_map(|x| classes[b].iter().map(|y| vec![*x, *y]));
            lists.extend(pairs);
        }
    }
    lists
}

/// True if two claims of two containers cannot both be had.
fn collide(allocation: &Allocation<'_>, a: usize, b: usize) -> bool {
    let side = |index: usize| {
        let wanted = &allocation.claims[index].wanted;
        (&wanted.binding, &wanted.network)
    };
    matches!(
        overlap(side(a), side(b), &allocation.engine),
        Overlap::Always(_)
    )
}

/// True if two claims of one service cannot both be had.
#[must_use]
pub fn collide_inside(allocation: &Allocation<'_>, a: usize, b: usize) -> bool {
    let side = |index: usize| {
        let wanted = &allocation.claims[index].wanted;
        (&wanted.binding, &wanted.network)
    };
    let found = overlap_in_container(side(a), side(b), &allocation.engine);
    matches!(found, Overlap::Always(_))
}
