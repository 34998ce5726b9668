//! What the user has settled for good: how grave each rule is, which host ports are whose.

use camino::Utf8Path;

use crate::binding::{Port, PortRange, Protocol};
use crate::finding::Severity;
use crate::rules::Rule;

/// What is settled; the default is what holds without a `portplan.yaml`.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// How grave rules are; a later entry goes over an earlier one.
    pub levels: Vec<RuleLevel>,
    /// The host ports that may be published; none is all.
    pub pools: Vec<Pool>,
    /// The host ports that are kept for something else.
    pub reserved: Vec<Reservation>,
}

/// How grave a rule is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleLevel {
    /// The name of the rule.
    pub rule: String,
    /// How grave, `None` if it is off.
    pub level: Option<Severity>,
}

/// Host ports that may be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Its name, for messages.
    pub name: String,
    /// The ports.
    pub ports: Vec<PortRange>,
}

/// Host ports that are kept for something that no compose file names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// The ports.
    pub ports: PortRange,
    /// The protocol; none is all.
    pub protocol: Option<Protocol>,
    /// What they are kept for, for messages.
    pub reason: String,
}

impl Settings {
    /// How grave a rule is on findings in a file, `None` if it is off.
    ///
    /// Findings that a rule itself holds for less grave than its default stay so.
    #[must_use]
    pub fn level(&self, rule: &Rule, _file: &Utf8Path) -> Option<Severity> {
        let set = self.levels.iter().rev().find(|set| set.rule == rule.name);
        set.map_or(rule.default_level(), |set| set.level)
    }

    /// The pools for a project in a file.
    pub fn pools(&self, _file: &Utf8Path) -> impl Iterator<Item = &Pool> {
        self.pools.iter()
    }

    /// What a port is reserved for, if it is.
    #[must_use]
    pub fn reservation(&self, port: Port, protocol: Protocol) -> Option<&Reservation> {
        let mut all = self.reserved.iter();
        all.find(|kept| kept.ports.contains(port) && kept.protocol.is_none_or(|of| of == protocol))
    }
}
