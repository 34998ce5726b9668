//! Ports that a claim cannot have, or better had not, whoever else wants them.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use super::known::{self, Known};
use super::{Policy, candidates};
use crate::binding::{Port, PortRange, PortSet, Protocol, Published, addresses};
use crate::claim::Claim;
use crate::graph::Allocation;
use crate::rules::Rule;
use crate::world::World;

/// Why a claim should be moved, whoever else wants its ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bar {
    /// A rootless engine binds ports from this one only.
    Privileged(Port),
    /// Windows excludes it.
    Excluded,
    /// The user keeps it for this.
    Reserved(String),
    /// It is in none of the project's pools.
    OutsidePool,
    /// The kernel lends the ports of this range to outgoing connections.
    Lent(PortRange),
    /// Browsers refuse to open it.
    Blocked,
    /// Everybody knows this program by it.
    Usurped(&'static str),
}

impl Bar {
    /// The rule that reports it.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        match self {
            Self::Privileged(_) => "privileged-port",
            Self::Excluded => "os-service-port",
            Self::Reserved(_) => "reserved-port",
            Self::OutsidePool => "outside-pool",
            Self::Lent(_) => "ephemeral-range",
            Self::Blocked => "browser-blocked-port",
            Self::Usurped(_) => "well-known-mismatch",
        }
    }

    /// True if the port cannot be had, or the user has said that it must not be; otherwise the
    /// container runs all the same.
    fn is_binding(&self) -> bool {
        match self {
            Self::Privileged(_) | Self::Excluded | Self::Reserved(_) | Self::OutsidePool => true,
            Self::Lent(_) | Self::Blocked | Self::Usurped(_) => false,
        }
    }
}

/// Why, as a clause that follows "because".
impl fmt::Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Privileged(start) => {
                write!(f, "a rootless engine may bind ports from {start} only")
            }
            Self::Excluded => f.write_str("Windows excludes it from use"),
            Self::Reserved(reason) => write!(f, "it is kept for {reason}"),
            Self::OutsidePool => f.write_str("it is not in a pool of its project"),
            Self::Lent(range) => write!(f, "outgoing connections borrow ports from {range}"),
            Self::Blocked => f.write_str("browsers refuse to open it"),
            Self::Usurped(name) => write!(f, "everybody knows {name} by it"),
        }
    }
}

/// The range from which the kernel lends a port to outgoing connections, if it does. Who has pools
/// has chosen.
#[must_use]
pub fn lent(world: &World, host: &Allocation<'_>, claim: &Claim<'_>) -> Option<PortRange> {
    let Published::Fixed(port) = claim.wanted.binding.published else {
        // of a range the engine takes another port
        return None;
    };
    let system = host.machine.and_then(|machine| machine.host.as_ref());
    let range = host.engine.ephemeral;
    let lends = match system {
        Some(system) => system.limits.lends(port.get()),
        None => range.contains(port),
    };
    let wanted = &claim.wanted;
    let binds = || {
        addresses(&wanted.binding, &wanted.network, &host.engine)
            .iter()
            .next()
            .is_some()
    };
    let has_pool = || world.pools(claim.project_index).next().is_some();
    (lends && binds() && !has_pool()).then_some(range)
}

/// True if what most likely is a web server is published on a port that browsers refuse to open.
#[must_use]
pub fn is_blocked(claim: &Claim<'_>) -> bool {
    let binding = &claim.wanted.binding;
    let Published::Fixed(port) = binding.published else {
        return false;
    };
    binding.protocol == Protocol::Tcp
        && candidates::is_blocked_by_browsers(port)
        && candidates::is_web(binding.target)
}

/// The claims of a host whose ports are barred, all of them, each with every reason for which the
/// policy has it moved.
#[must_use]
pub fn barred(world: &World, host: &Allocation<'_>, policy: &Policy) -> Vec<(usize, Bar)> {
    let bars = Bars::of(world, host);
    let mut barred = Vec::new();
    for (index, claim) in host.claims.iter().enumerate() {
        let seeks = |bar: &Bar| {
            let level = || {
                let file = claim.publish.origin.span.file;
                let file = claim.project.sources.file(file).path();
                world.settings.level(Rule::named(bar.rule())?, file)
            };
            bar.is_binding() || policy.seeks(bar.rule(), level)
        };
        let of_claim = bars.on(claim).into_iter().flatten().filter(seeks);
        barred.extend(of_claim.map(|bar| (index, bar)));
    }
    barred
}

/// What bars ports on a host.
struct Bars<'a, 'w> {
    world: &'a World,
    host: &'a Allocation<'w>,
    /// The ports outside of the pools, of each project that has any.
    outside: HashMap<usize, PortSet>,
}

impl<'a, 'w> Bars<'a, 'w> {
    fn of(world: &'a World, host: &'a Allocation<'w>) -> Self {
        let projects = host.claims.iter().map(|claim| claim.project_index);
        let projects: BTreeSet<usize> = projects.collect();
        let outside = projects.into_iter();
        let outside = outside.filter_map(|project| Some((project, world.outside_pools(project)?)));
        Self {
            world,
            host,
            outside: outside.collect(),
        }
    }

    /// What bars all ports of a claim.
    fn on(&self, claim: &Claim<'_>) -> [Option<Bar>; 7] {
        let (world, host) = (self.world, self.host);
        let protocol = claim.wanted.binding.protocol;
        let all = |is_barred: &dyn Fn(Port) -> bool| {
            let ports = claim.ports();
            ports.is_some_and(|ports| ports.iter().all(is_barred))
        };
        let start = host.unprivileged_start();
        let privileged = start.filter(|start| all(&|port| port < *start));
        let system = host.machine.and_then(|machine| machine.host.as_ref());
        let excluded = system.map_or(&[][..], |system| system.limits.excluded(protocol));
        let is_excluded = |port: Port| excluded.iter().any(|range| range.contains(port.get()));
        let reservation = |port| world.settings.reservation(port, protocol);
        let first = claim.ports().and_then(|ports| reservation(ports.first()));
        let reserved = first.filter(|_| all(&|port| reservation(port).is_some()));
        let outside = self.outside.get(&claim.project_index);
        let is_outside = |port| outside.is_some_and(|outside| outside.contains(port));
        [
            privileged.map(Bar::Privileged),
            all(&is_excluded).then_some(Bar::Excluded),
            reserved.map(|kept| Bar::Reserved(kept.reason.clone())),
            all(&is_outside).then_some(Bar::OutsidePool),
            lent(world, host, claim).map(Bar::Lent),
            is_blocked(claim).then_some(Bar::Blocked),
            known::usurped(claim).map(|Known { name, .. }| Bar::Usurped(name)),
        ]
    }
}
