//! Why something must move, in words.

use std::sync::Arc;

use super::bars::Bar;
use super::model::At;
use super::{Fixed, PublishId};
use crate::binding::{Cause, PortRange};
use crate::graph::{Allocation, Collision, Entry};
use crate::machine::Use;
use crate::world::World;

/// The rule of claims of one project that are in each other's way.
pub(super) const IN_ONE_PROJECT: &str = "host-port-collision";
/// The rule of claims of several projects that are in each other's way.
pub(super) const ACROSS_PROJECTS: &str = "project-collision";

/// Why something must move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// These claims cannot all be had.
    Meet {
        /// The host.
        host: usize,
        /// The claims there.
        claims: Arc<[usize]>,
    },
    /// A collision.
    Collision {
        /// The host.
        host: usize,
        /// Its index in [`Allocation::collisions`].
        collision: usize,
    },
    /// A claim of ports that it cannot or should not have.
    Barred {
        /// The claim.
        at: At,
        /// Why not.
        bar: Bar,
    },
}

impl Why {
    /// The host that it is about.
    #[must_use]
    pub fn host(&self) -> usize {
        match self {
            Self::Meet { host, .. } | Self::Collision { host, .. } => *host,
            Self::Barred { at, .. } => at.host,
        }
    }

    /// The rule that reports it.
    #[must_use]
    pub fn rule(&self, hosts: &[Allocation<'_>]) -> &'static str {
        match self {
            Self::Meet { host, claims } => among(&hosts[*host], claims),
            Self::Collision { host, collision } => {
                rule_of(&hosts[*host].collisions[*collision], &hosts[*host])
            }
            Self::Barred { bar, .. } => bar.rule(),
        }
    }

    /// Why publishes move, as a clause: "`web` has 8080".
    #[must_use]
    pub fn words(&self, hosts: &[Allocation<'_>], moved: &[PublishId]) -> String {
        let host = &hosts[self.host()];
        match self {
            Self::Meet { claims, .. } => others(host, claims, moved),
            Self::Collision { collision, .. } => {
                let collision = &host.collisions[*collision];
                match collision.cause {
                    Cause::Copies(copies) => format!("{copies} containers need a port each"),
                    Cause::RangeTooShort { ports, copies } => {
                        format!("{copies} containers share {ports} ports")
                    }
                    _ => match holder(collision, host) {
                        Some(who) => format!("{} has it", who.words()),
                        None => others(host, &collision.claims, moved),
                    },
                }
            }
            Self::Barred { bar, .. } => bar.to_string(),
        }
    }
}

impl Why {
    /// What is wrong, as a sentence without an end: "`web` and `api` cannot both have 8080/tcp".
    #[must_use]
    pub fn subject(&self, world: &World, hosts: &[Allocation<'_>]) -> String {
        let host = &hosts[self.host()];
        let claims = match self {
            Self::Meet { claims, .. } => &claims[..],
            Self::Collision { collision, .. } => &host.collisions[*collision].claims,
            Self::Barred { at, .. } => {
                return self.words(hosts, &[host.claims[at.claim].id]);
            }
        };
        let mut names: Vec<String> = claims
            .iter()
            .map(|claim| Entry::of(world, host, *claim).who())
            .collect();
        names.dedup();
        let ports = PortRange::around(
            claims
                .iter()
                .filter_map(|claim| host.claims[*claim].ports()),
        );
        let ports = ports.map_or_else(String::new, |ports| ports.to_string());
        match &names[..] {
            [one] => format!("{one} cannot have all it wants of {ports}"),
            several => format!("{} cannot all have {ports}", listed(several)),
        }
    }
}

/// The first of some, and how many more there are.
#[must_use]
pub fn listed(words: &[String]) -> String {
    const FEW: usize = 4;
    match words {
        few if few.len() <= FEW => few.join(", "),
        many => {
            let (first, rest) = many.split_at(FEW - 1);
            format!("{} and {} more", first.join(", "), rest.len())
        }
    }
}

/// Those among the claims who do not move along.
fn others(host: &Allocation<'_>, claims: &[usize], moved: &[PublishId]) -> String {
    let claims = claims.iter().map(|claim| &host.claims[*claim]);
    let others = claims.filter(|claim| !moved.contains(&claim.id));
    let mut names: Vec<String> = others
        .map(|claim| {
            if host.is_shared {
                format!("`{}` of `{}`", claim.service.name, claim.project.name)
            } else {
                format!("`{}`", claim.service.name)
            }
        })
        .collect();
    names.dedup();
    match &names[..] {
        [] => "it is published twice".to_owned(),
        [one] => format!("{one} publishes it too"),
        [one, rest @ ..] => format!("{one} and {} more publish it too", rest.len()),
    }
}

/// Who has a port of a collision already.
fn holder<'w>(collision: &Collision, host: &Allocation<'w>) -> Option<Use<'w>> {
    let holds = collision.holds.iter();
    let holds = holds.map(|index| Use::Container(host.holders.holds[*index].1));
    let sockets = collision.sockets.iter();
    let sockets = sockets.map(|index| host.holders.sockets[*index].who);
    holds.chain(sockets).next()
}

/// The rule that reports a collision.
#[must_use]
pub fn rule_of(collision: &Collision, host: &Allocation<'_>) -> &'static str {
    match (holder(collision, host), collision.cause) {
        (Some(Use::Container(_) | Use::Elsewhere(..)), _) => "container-collision",
        (Some(Use::Ingress(_)), _) => "swarm-ingress-collision",
        (Some(Use::Worktree(..)), _) => "worktree-collision",
        (Some(Use::AirPlay(_)), _) => "os-service-port",
        (Some(Use::Socket(_)), _) => "listener-collision",
        (None, Cause::Copies(_) | Cause::RangeTooShort { .. }) => "replica-collision",
        (None, _) => among(host, &collision.claims),
    }
}

/// The rule that reports claims that are in each other's way.
pub(super) fn among(host: &Allocation<'_>, claims: &[usize]) -> &'static str {
    if host.crosses_projects(claims) {
        ACROSS_PROJECTS
    } else {
        IN_ONE_PROJECT
    }
}

impl Fixed {
    /// Why something stays, as a clause.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Bystander => "belongs to a project that was not named",
            Self::Pinned => "is pinned",
            Self::Mixed => "has a number that is made up of several parts",
            Self::Shared => "shares its number with others, which would move along",
            Self::Replicas => "would need a range for each of its container ports",
            Self::Unwritable => "cannot be written",
            Self::NoRoom => "finds no free port that is good to use",
        }
    }
}
