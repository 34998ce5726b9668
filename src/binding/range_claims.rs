//! Claims of one port out of a range: is there room for all, and surely?

use std::collections::{BTreeMap, BTreeSet};

use super::allocate::{Cause, Collision, Member, Taken, Taker, Wanted};
use super::flow::Placement;
use super::overlap::{gives_up_at_busy, is_busy_unseen, is_group, listens_late};
use super::{Engine, Generation, HostIp, Overlap, Port, PortRange, Protocol, Reason};

/// What gets one port of a range in each copy of a container.
pub(super) struct Demand {
    /// More than one only if the engine gives them one port (engine.md 3.3).
    claims: Vec<Member>,
    copies: u32,
    terms: Terms,
}

/// What two demands have in common to be alike for every other.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Terms {
    protocol: Protocol,
    ports: PortRange,
    addresses: Vec<HostIp>,
    /// The engine fails, rather than try on, at a busy port it did not know of.
    gives_up: bool,
}

impl Demand {
    /// The demands of claims, and the collisions of claims that must share a port but cannot.
    pub fn of(wanted: &[Wanted<'_>], engine: &Engine) -> (Vec<Self>, Vec<Collision>) {
        let mut groups: BTreeMap<_, Vec<&Wanted<'_>>> = BTreeMap::new();
        for (index, one) in wanted.iter().enumerate() {
            let binding = one.claim.binding;
            // A claim that is in no group with itself is in none at all.
            let alone = (!is_group(&binding, &binding, engine)).then_some(index);
            let key = (binding.protocol, binding.published, binding.target);
            let key = (one.member.container, key, alone);
            groups.entry(key).or_default().push(one);
        }
        let mut demands = Vec::new();
        let mut collisions = Vec::new();
        for group in groups.into_values() {
            for (at, a) in group.iter().enumerate() {
                for b in &group[at + 1..] {
                    if let Overlap::Always(why) = a.overlap(b, engine) {
                        let members = [a.member, b.member];
                        collisions.push(Collision::of(Cause::Port(why), members));
                    }
                }
            }
            let addresses: BTreeSet<HostIp> =
                group.iter().flat_map(|one| one.addresses.iter()).collect();
            // G1 gives each address a port by itself.
            let lists: Vec<Vec<HostIp>> = if engine.generation() == Generation::G1 {
                addresses.into_iter().map(|ip| vec![ip]).collect()
            } else {
                vec![addresses.into_iter().collect()]
            };
            let Some(first) = group.first() else { continue };
            let binding = first.claim.binding;
            demands.extend(lists.into_iter().map(|addresses| Self {
                claims: group.iter().map(|one| one.member).collect(),
                copies: first.copies,
                terms: Terms {
                    protocol: binding.protocol,
                    ports: engine.candidates(&binding),
                    addresses,
                    gives_up: gives_up_at_busy(&binding, engine),
                },
            }));
        }
        (demands, collisions)
    }
}

/// The collisions that ranges take part in.
pub(super) fn collisions(
    demands: Vec<Demand>,
    taken: &Taken<'_>,
    engine: &Engine,
) -> Vec<Collision> {
    let mut by_terms: BTreeMap<Terms, Vec<Demand>> = BTreeMap::new();
    for demand in demands {
        by_terms
            .entry(demand.terms.clone())
            .or_default()
            .push(demand);
    }
    let classes: Vec<Class<'_>> = by_terms
        .into_iter()
        .map(|(terms, demands)| Class::new(terms, demands, taken, engine))
        .collect();
    let mut collisions = Vec::new();
    let mut starved = BTreeSet::new();
    for clique in cliques(&classes, engine) {
        for deficit in deficits(&classes, clique) {
            collisions.push(exhausted(&classes, &deficit));
            starved.extend(deficit);
        }
    }
    for (index, class) in classes.iter().enumerate() {
        if !starved.contains(&index) {
            collisions.extend(class.uncertain(index, &classes, engine));
        }
    }
    collisions
}

/// Demands alike: each of their copies needs a port of its own.
struct Class<'a> {
    terms: Terms,
    demands: Vec<Demand>,
    copies: u64,
    /// What takes ports of the range, or may, with how surely.
    takers: Vec<(Port, &'a Taker<'a>, Overlap)>,
    /// The ports surely taken.
    blocked: BTreeSet<Port>,
}

impl<'a> Class<'a> {
    fn new(terms: Terms, demands: Vec<Demand>, taken: &'a Taken<'a>, engine: &Engine) -> Self {
        let takers: Vec<_> = taken
            .within(terms.protocol, terms.ports.first(), terms.ports.last())
            .map(|(port, taker)| (port, taker, taker.blocks(&terms.addresses, engine)))
            .filter(|(.., overlap)| *overlap != Overlap::Never)
            .collect();
        let surely = takers
            .iter()
            .filter(|(.., overlap)| matches!(overlap, Overlap::Always(_)));
        Self {
            blocked: surely.map(|(port, ..)| *port).collect(),
            copies: demands.iter().map(|one| u64::from(one.copies)).sum(),
            takers,
            terms,
            demands,
        }
    }

    fn claims(&self) -> impl Iterator<Item = Member> {
        self.demands
            .iter()
            .flat_map(|demand| demand.claims.iter().copied())
    }

    fn free(&self) -> u64 {
        u64::from(self.terms.ports.len()) - self.blocked.len() as u64
    }

    fn can_have(&self, port: Port) -> bool {
        self.terms.ports.contains(port) && !self.blocked.contains(&port)
    }

    /// True if the two may be in want of one port.
    fn rivals(&self, other: &Self, engine: &Engine) -> bool {
        let protocol = self.terms.protocol;
        let excluded = |a: &HostIp| {
            let mut others = other.terms.addresses.iter();
            others.any(|b| engine.excludes(protocol, *a, *b))
        };
        protocol == other.terms.protocol
            && self.terms.ports.overlaps(other.terms.ports)
            && self.terms.addresses.iter().any(excluded)
    }

    /// What may fail in some orders of start, where it does not fail in all.
    fn uncertain(&self, index: usize, classes: &[Self], engine: &Engine) -> Vec<Collision> {
        let others: Vec<&Self> = classes
            .iter()
            .enumerate()
            .filter(|(at, other)| *at != index && self.rivals(other, engine))
            .map(|(_, other)| other)
            .collect();
        let mut collisions = self.may_take_fixed(engine);
        collisions.extend(self.may_starve(&others));
        collisions.extend(self.may_stumble(&others, engine));
        collisions
    }

    /// The range may be given a port that a claim needs (engine.md 3.4 R5, R8).
    fn may_take_fixed(&self, engine: &Engine) -> Vec<Collision> {
        let lone = match self.demands.as_slice() {
            [demand] => demand.claims.first().map(|member| member.container),
            _ => None,
        };
        let mut later = Vec::new();
        let mut beside = Vec::new();
        for (_, taker, _) in &self.takers {
            match taker {
                Taker::Claim(claim) if Some(claim.member.container) != lone => later.push(*taker),
                // From 27 a container's fixed ports are bound before its ranges.
                Taker::Claim(_) if engine.generation() == Generation::G1 => beside.push(*taker),
                _ => {}
            }
        }
        let mut collisions = Vec::new();
        for (takers, reason) in [(later, Reason::StartOrder), (beside, Reason::BindingOrder)] {
            if !takers.is_empty() {
                collisions.push(self.maybe(reason, &[], takers));
            }
        }
        collisions
    }

    /// Others may be given all the ports of the range, though there is room for all (R6).
    fn may_starve(&self, others: &[&Self]) -> Option<Collision> {
        let mut doubtful: BTreeMap<Port, (&Taker<'_>, Reason)> = BTreeMap::new();
        for (port, taker, overlap) in &self.takers {
            if let (Overlap::Maybe(reason), true) = (overlap, self.can_have(*port)) {
                doubtful.insert(*port, (taker, *reason));
            }
        }
        let rest = self.copies.saturating_sub(1);
        let needed = self.free().saturating_sub(doubtful.len() as u64);
        let wanted = others.iter().map(|other| other.copies).sum::<u64>() + rest;
        if wanted < needed {
            return None;
        }
        let alone = others.iter().find(|other| {
            let (mine, theirs) = (self.terms.ports, other.terms.ports);
            other.copies >= needed
                && theirs.contains(mine.first())
                && theirs.contains(mine.last())
                && other
                    .blocked
                    .range(mine.first()..=mine.last())
                    .all(|port| !self.can_have(*port))
        });
        if let (Some(other), true) = (alone, doubtful.is_empty()) {
            return Some(self.maybe(Reason::StartOrder, &[*other], Vec::new()));
        }
        let mut all = vec![(self, rest)];
        all.extend(others.iter().map(|other| (*other, other.copies)));
        if placement(&all, |port| {
            self.can_have(port) && !doubtful.contains_key(&port)
        })
        .most()
            < needed
        {
            return None;
        }
        let reason = match doubtful.values().next() {
            Some((_, reason)) if wanted == 0 => *reason,
            _ => Reason::StartOrder,
        };
        let takers = doubtful.into_values().map(|(taker, _)| taker).collect();
        Some(self.maybe(reason, others, takers))
    }

    /// The engine may meet so many busy ports that it gives up, though others are free (R3).
    fn may_stumble(&self, others: &[&Self], engine: &Engine) -> Option<Collision> {
        let unseen = |held: &[HostIp]| {
            is_busy_unseen(engine, self.terms.protocol, &self.terms.addresses, held)
        };
        let in_own = |member: Member| self.claims().any(|own| own.container == member.container);
        let takers: Vec<_> = self
            .takers
            .iter()
            .filter(|(_, taker, _)| match taker {
                Taker::Socket(..) => true,
                Taker::Claim(_) | Taker::Hold(..) => unseen(&taker.held()),
            })
            .collect();
        let ports: BTreeSet<Port> = takers.iter().map(|(port, ..)| *port).collect();
        let others: Vec<&Self> = others
            .iter()
            .filter(|other| unseen(&other.terms.addresses))
            .copied()
            .collect();
        let busy = ports.len() as u64 + others.iter().map(|other| other.copies).sum::<u64>();
        let late = listens_late(self.terms.protocol, engine)
            && (others.iter().any(|other| other.claims().any(in_own))
                || takers.iter().any(|(_, taker, _)| match taker {
                    Taker::Claim(claim) => in_own(claim.member),
                    Taker::Hold(..) | Taker::Socket(..) => false,
                }));
        let attempts = if self.terms.gives_up || late { 1 } else { 10 };
        (busy >= attempts).then(|| {
            let takers = takers.into_iter().map(|(_, taker, _)| *taker).collect();
            self.maybe(Reason::RangeCursor, &others, takers)
        })
    }

    fn maybe(&self, reason: Reason, others: &[&Self], takers: Vec<&Taker<'_>>) -> Collision {
        let others = others.iter().flat_map(|other| other.claims());
        let mut collision = Collision::of(Cause::Maybe(reason), self.claims().chain(others));
        takers.into_iter().for_each(|taker| collision.add(taker));
        collision
    }
}

/// Sets of classes each of which excludes each other of its set on every port: all those that
/// take one address. A host port is given to one of them.
fn cliques(classes: &[Class<'_>], engine: &Engine) -> BTreeSet<Vec<usize>> {
    let points: BTreeSet<(Protocol, HostIp)> = classes
        .iter()
        .flat_map(|class| {
            let protocol = class.terms.protocol;
            class.terms.addresses.iter().map(move |ip| (protocol, *ip))
        })
        .collect();
    let takes = |class: &Class<'_>, (protocol, point): (Protocol, HostIp)| {
        class.terms.protocol == protocol
            // Of two addresses that `0.0.0.0` contains neither need exclude the other.
            && class.terms.addresses.iter().any(|&ip| {
                engine.excludes(protocol, ip, point) && (ip.is_any() || !point.is_any())
            })
    };
    points
        .into_iter()
        .map(|point| {
            (0..classes.len())
                .filter(|&class| takes(&classes[class], point))
                .collect()
        })
        .collect()
}

/// Minimal sets of classes of a clique that want more ports than they have between them.
fn deficits(classes: &[Class<'_>], mut clique: Vec<usize>) -> Vec<Vec<usize>> {
    let solve = |members: &[usize]| -> Vec<Vec<usize>> {
        let all: Vec<_> = members
            .iter()
            .map(|&member| (&classes[member], classes[member].copies))
            .collect();
        let deficits = placement(&all, |_| true).deficits().into_iter();
        let named = deficits.map(|deficit| deficit.into_iter().map(|at| members[at]).collect());
        named.collect()
    };
    drop_roomy(classes, &mut clique);
    let mut deficits = solve(&clique);
    for deficit in &mut deficits {
        let mut at = 0;
        while at < deficit.len() {
            let mut fewer = deficit.clone();
            fewer.remove(at);
            if solve(&fewer).is_empty() {
                at += 1;
            } else {
                *deficit = fewer;
            }
        }
    }
    deficits
}

/// Leaves out classes that find room wherever the others go; repeatedly, as each that is left out
/// makes the others roomier.
fn drop_roomy(classes: &[Class<'_>], clique: &mut Vec<usize>) {
    loop {
        let before = clique.len();
        let crowded = |class: &usize| {
            let class = &classes[*class];
            let rivals = clique.iter().map(|other| &classes[*other]);
            let wanted: u64 = rivals
                .filter(|other| other.terms.ports.overlaps(class.terms.ports))
                .map(|other| other.copies)
                .sum();
            class.free() < wanted
        };
        *clique = clique.iter().copied().filter(crowded).collect();
        if clique.len() == before {
            return;
        }
    }
}

/// The placing of so many copies of classes on those ports that `usable` allows. Runs of ports
/// that the same classes can have are one slot.
fn placement(wanted: &[(&Class<'_>, u64)], usable: impl Fn(Port) -> bool) -> Placement {
    let mut cuts: BTreeSet<u32> = BTreeSet::new();
    for (class, _) in wanted {
        let ports = class.terms.ports;
        cuts.insert(ports.first().get().into());
        cuts.insert(u32::from(ports.last().get()) + 1);
        for (port, ..) in &class.takers {
            cuts.extend([u32::from(port.get()), u32::from(port.get()) + 1]);
        }
    }
    let cuts: Vec<u32> = cuts.into_iter().collect();
    let runs: Vec<(Port, u64)> = cuts
        .windows(2)
        .filter_map(|cut| {
            let first = Port::new(u16::try_from(cut[0]).ok()?)?;
            usable(first).then_some((first, u64::from(cut[1] - cut[0])))
        })
        .collect();
    Placement {
        supply: wanted.iter().map(|(_, copies)| *copies).collect(),
        slots: wanted
            .iter()
            .map(|(class, _)| {
                let start = runs.partition_point(|(port, _)| *port < class.terms.ports.first());
                let mine = runs.iter().enumerate().skip(start);
                mine.take_while(|(_, (port, _))| *port <= class.terms.ports.last())
                    .filter(|(_, (port, _))| class.can_have(*port))
                    .map(|(at, _)| at)
                    .collect()
            })
            .collect(),
        room: runs.into_iter().map(|(_, ports)| ports).collect(),
    }
}

fn exhausted(classes: &[Class<'_>], deficit: &[usize]) -> Collision {
    let starved: Vec<_> = deficit
        .iter()
        .map(|&class| (&classes[class], classes[class].copies))
        .collect();
    let room = placement(&starved, |port| {
        starved.iter().any(|(class, _)| class.can_have(port))
    })
    .room;
    let lone = match starved.as_slice() {
        [(class, _)] if class.blocked.is_empty() => match class.demands.as_slice() {
            [demand] => Some((class.terms.ports.len(), demand.copies)),
            _ => None,
        },
        _ => None,
    };
    let cause = match lone {
        Some((ports, copies)) => Cause::RangeTooShort { ports, copies },
        None => Cause::Exhausted {
            ports: room.iter().sum(),
            wanted: starved.iter().map(|(_, copies)| copies).sum(),
        },
    };
    let claims = starved.iter().flat_map(|(class, _)| class.claims());
    let mut collision = Collision::of(cause, claims);
    for (class, _) in starved {
        let mut explained = None;
        for (port, taker, overlap) in &class.takers {
            // One that takes a port is enough.
            if matches!(overlap, Overlap::Always(_)) && explained != Some(*port) {
                explained = Some(*port);
                collision.add(taker);
            }
        }
    }
    collision
}
