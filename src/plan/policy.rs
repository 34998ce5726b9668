//! What the user wants of a plan.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use crate::binding::{Port, PortRange, PortSet};
use crate::compose::project::{Project, PublishId};

use super::Why;
use crate::finding::{Finding, Severity};
use crate::fingerprint::Fingerprint;
use crate::graph::Allocation;
use crate::rules::{Fixing, Rule};
use crate::world::World;

/// What a plan may do.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// How a new port is chosen.
    pub strategy: Strategy,
    /// Publishes may part that have their number from one place in the files, because it will not
    /// be written there.
    pub apart: bool,
    /// What must stay.
    pub pins: Vec<Pin>,
    /// The services that may move; none is all.
    pub services: Vec<String>,
    /// Which findings are to be resolved.
    pub wanted: Wanted,
    /// Ports that nothing may move to.
    pub avoid: PortSet,
    /// Ports that the user has chosen for some.
    pub wishes: BTreeMap<PublishId, Port>,
    /// What files name by its port: better that something else moves.
    pub named: BTreeSet<PublishId>,
    /// Projects from this index on were not asked about: they stay, and what is wrong among them
    /// alone is not resolved.
    pub bystanders: Option<usize>,
    /// What somebody has accepted as it is, each with the rule that would report it.
    pub accepted: BTreeSet<(PublishId, &'static str)>,
    /// Publishes that are known to be in each other's way, each set with the rule that reports it:
    /// they stay so, as far as no other is in their way.
    pub known: Vec<(BTreeSet<PublishId>, &'static str)>,
    /// What no edit can move, and why.
    pub unwritable: BTreeMap<PublishId, String>,
    /// Findings that an edit could resolve, and that stay.
    pub kept: BTreeSet<Fingerprint>,
}

/// Which findings a plan resolves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    /// What cannot run, and what `portplan.yaml` makes an error.
    #[default]
    Needed,
    /// What these rules find, however grave.
    Only(Vec<String>),
    /// What all rules find that are on.
    All,
}

/// How a new port is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// The nearest good port above the old one; 80 goes to 8080, 443 to 8443.
    #[default]
    Nearest,
    /// The old port and so much more, or twice as much, and so on.
    Offset(u16),
    /// The first good port above the last one given.
    Sequential,
}

/// Publishes that must stay: of a service, of some host ports, or of both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The service.
    pub service: Option<String>,
    /// The host ports.
    pub ports: Option<PortRange>,
}

/// A text that is no strategy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a strategy: write nearest, sequential, or offset:N such as offset:1000")]
pub struct InvalidStrategy(String);

/// A text that is no pin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` does not name a port: write SERVICE, PORT or SERVICE:PORT, for example web:8080")]
pub struct InvalidPin(String);

impl Policy {
    /// To resolve all that was asked about.
    #[must_use]
    pub fn of(world: &World) -> Self {
        Self {
            bystanders: Some(world.projects.len() - world.bystanders),
            ..Self::default()
        }
    }

    /// True if a publish is of a project that was not asked about.
    #[must_use]
    pub fn stands_by(&self, id: PublishId) -> bool {
        self.bystanders.is_some_and(|first| id.project >= first)
    }

    /// True if a publish must stay.
    #[must_use]
    pub fn pins(&self, id: PublishId, projects: &[Project]) -> bool {
        let (_, service, publish) = id.of(projects);
        let may_move = self.services.is_empty() || self.services.contains(&service.name);
        let ports = publish.published.as_deref().unwrap_or_default();
        let pinned = self.pins.iter().any(|pin| pin.holds(&service.name, ports));
        !may_move || pinned || self.stands_by(id)
    }

    /// True if what a rule would report of a publish is accepted as it is.
    #[must_use]
    pub fn accepts(&self, id: PublishId, rule: &'static str) -> bool {
        !self.accepted.is_empty() && self.accepted.contains(&(id, rule))
    }

    /// True if what a rule would report of some publishes together is accepted as it is, or known.
    #[must_use]
    pub fn accepts_together(&self, ids: &[PublishId], rule: &'static str) -> bool {
        let mut known = self.known.iter().filter(|(_, by)| *by == rule);
        ids.iter().any(|id| self.accepts(*id, rule))
            || known.any(|(set, _)| ids.iter().all(|id| set.contains(id)))
    }

    /// True if what is wrong is to be resolved.
    #[must_use]
    pub(super) fn wants(&self, why: &Why, hosts: &[Allocation<'_>]) -> bool {
        self.wants_rule(why.rule(hosts))
    }

    /// True if the findings of a rule are to be resolved, if they keep something from running.
    #[must_use]
    pub fn wants_rule(&self, rule: &str) -> bool {
        match &self.wanted {
            Wanted::Needed | Wanted::All => true,
            Wanted::Only(rules) => rules.iter().any(|name| name == rule),
        }
    }

    /// True if a finding is to be resolved by an edit that moves no port. One after which some may
    /// reach a port no more must be asked for by name.
    #[must_use]
    pub fn wants_rewrite(&self, finding: &Finding, projects: &[Project]) -> bool {
        let named = matches!(self.wanted, Wanted::Only(_));
        let fixing = Rule::named(finding.rule).map(|rule| rule.fixing);
        let (may, pinned) = match &finding.fix {
            Some(fix) => {
                let mut publishes = fix.publishes.iter();
                let pinned = publishes.any(|id| self.pins(*id, projects));
                (named || fix.rewrite.is_safe(), pinned)
            }
            None => {
                let movable = finding.remap.is_some();
                (
                    named && fixing == Some(Fixing::WhenAsked) && !movable,
                    false,
                )
            }
        };
        may && !pinned
            && self.seeks(finding.rule, || Some(finding.severity))
            && !self.kept.contains(&finding.fingerprint)
    }

    /// True if findings are to be resolved that keep nothing from running, of a rule that is so
    /// grave where they are (`None`: it is off).
    #[must_use]
    pub fn seeks(&self, rule: &str, level: impl FnOnce() -> Option<Severity>) -> bool {
        match &self.wanted {
            Wanted::Needed => level() == Some(Severity::Error),
            Wanted::Only(rules) => rules.iter().any(|name| name == rule),
            Wanted::All => level().is_some(),
        }
    }
}

impl Pin {
    /// True if it is about these host ports of this service.
    #[must_use]
    pub fn holds(&self, service: &str, published: &str) -> bool {
        let of_service = self.service.as_ref().is_none_or(|name| name == service);
        let on_ports = self.ports.is_none_or(|ports| {
            let published = published.parse::<PortRange>();
            published.is_ok_and(|published| published.overlaps(ports))
        });
        of_service && on_ports
    }
}

impl FromStr for Strategy {
    type Err = InvalidStrategy;

    fn from_str(text: &str) -> Result<Self, InvalidStrategy> {
        let offset = text.strip_prefix("offset:").map(str::parse::<u16>);
        match (text, offset) {
            ("nearest", _) => Ok(Self::Nearest),
            ("sequential", _) => Ok(Self::Sequential),
            (_, Some(Ok(offset))) if offset > 0 => Ok(Self::Offset(offset)),
            _ => Err(InvalidStrategy(text.to_owned())),
        }
    }
}

impl FromStr for Pin {
    type Err = InvalidPin;

    fn from_str(text: &str) -> Result<Self, InvalidPin> {
        if let Ok(ports) = text.parse() {
            return Ok(Self {
                service: None,
                ports: Some(ports),
            });
        }
        let (service, ports) = match text.rsplit_once(':') {
            Some((service, ports)) => {
                let ports = ports.parse().map_err(|_| InvalidPin(text.to_owned()))?;
                (service, Some(ports))
            }
            None => (text, None),
        };
        if service.is_empty() {
            return Err(InvalidPin(text.to_owned()));
        }
        Ok(Self {
            service: Some(service.to_owned()),
            ports,
        })
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.service, self.ports) {
            (Some(service), Some(ports)) => write!(f, "{service}:{ports}"),
            (Some(service), None) => f.write_str(service),
            (None, Some(ports)) => ports.fmt(f),
            (None, None) => Ok(()),
        }
    }
}
