//! # well-known-mismatch
//!
//! ## What it finds
//! A host port by which everybody knows one database or broker (3306, 5432, 6379, 27017, …) that
//! leads to something else: to a web server, or to a database of another kind. Left alone is what
//! has the name of that kind in its image or service, as a pooler or a proxy does, and whatever
//! listens on a port that tells nothing.
//!
//! ## Why
//! Clients, dashboards and people take 5432 for PostgreSQL. What they get is a protocol error, or,
//! worse, no error. And the next service that really is a PostgreSQL finds its port taken.
//!
//! ## Example
//! ```yaml
//! services: # fires
//!   web: { image: web, ports: ["5432:80"] }
//! ```
//! ```yaml
//! services: # silent
//!   db: { image: postgres, ports: ["5432:5432", "5433:5432"] }
//!   pool: { image: example/pgbouncer, ports: ["127.0.0.2:5434:6432"] }
//! ```
//!
//! ## Remedy
//! Publish another port, which the message names.
//!
//! ## Sources
//! The default ports of the programs, as their manuals have them.

use super::describe::{self, Entry};
use super::{Context, Rule};
use crate::binding::{Port, Protocol, Published};
use crate::claim::Claim;
use crate::finding::{Finding, Severity};
use crate::plan::candidates;

pub(super) const RULE: Rule = Rule::new(
    "well-known-mismatch",
    Severity::Notice,
    include_str!("well_known_mismatch.rs"),
    check,
);

/// A program that is known by its port.
struct Known {
    port: u16,
    name: &'static str,
    /// What the names of its images, of its like and of its helpers have in them.
    words: &'static [&'static str],
}

const KNOWN: [Known; 14] = [
    known(
        1433,
        "SQL Server",
        &["mssql", "sql-server", "sqlserver", "sql-edge"],
    ),
    known(1521, "Oracle Database", &["oracle"]),
    known(
        1883,
        "MQTT",
        &["mqtt", "mosquitto", "emqx", "hivemq", "rabbit"],
    ),
    known(2181, "ZooKeeper", &["zoo", "zk", "kafka", "keeper"]),
    known(
        3306,
        "MySQL",
        &["mysql", "maria", "percona", "tidb", "vitess", "maxscale"],
    ),
    known(4222, "NATS", &["nats"]),
    known(
        5432,
        "PostgreSQL",
        &[
            "postgres",
            "pg",
            "postgis",
            "timescale",
            "cockroach",
            "psql",
        ],
    ),
    known(
        5672,
        "AMQP",
        &[
            "rabbit",
            "amqp",
            "activemq",
            "artemis",
            "qpid",
            "servicebus",
        ],
    ),
    known(
        6379,
        "Redis",
        &[
            "redis",
            "valkey",
            "keydb",
            "dragonfly",
            "garnet",
            "sentinel",
        ],
    ),
    known(9042, "Cassandra", &["cassandra", "scylla"]),
    known(9092, "Kafka", &["kafka", "redpanda", "broker"]),
    known(11211, "memcached", &["memcache"]),
    known(26257, "CockroachDB", &["cockroach", "crdb"]),
    known(27017, "MongoDB", &["mongo", "ferretdb", "documentdb"]),
];

const fn known(port: u16, name: &'static str, words: &'static [&'static str]) -> Known {
    Known { port, name, words }
}

impl Known {
    fn at(port: Port) -> Option<&'static Self> {
        static ALL: &[Known] = &KNOWN;
        ALL.iter().find(|known| known.port == port.get())
    }

    fn is_akin(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        self.words.iter().any(|word| name.contains(word))
    }
}

fn check(rule: &Rule, cx: &Context<'_>, out: &mut Vec<Finding>) {
    out.extend(describe::proposed(cx, |entry| mismatch(rule, entry)));
}

fn mismatch(rule: &Rule, entry: &Entry<'_, '_>) -> Option<Finding> {
    let (claim, known) = entry
        .claims()
        .find_map(|claim| Some((claim, stranger(claim)?)))?;
    let (port, target) = (claim.ports()?, claim.wanted.binding.target);
    Some(entry.remark(
        rule,
        format!(
            "{} publishes its {target} on {port}, the well-known port of {}",
            entry.who(),
            known.name
        ),
    ))
}

/// Whose port it is that a claim has, if it is certain to be something else.
fn stranger(claim: &Claim<'_>) -> Option<&'static Known> {
    let binding = &claim.wanted.binding;
    let Published::Fixed(port) = binding.published else {
        return None;
    };
    let known = Known::at(port)?;
    let tells = candidates::is_web(binding.target) || Known::at(binding.target).is_some();
    let service = claim.service;
    let mut names = std::iter::once(&service.name).chain(&service.image);
    let akin = names.any(|name| known.is_akin(name));
    let strange = binding.protocol == Protocol::Tcp && binding.target != port && tells && !akin;
    strange.then_some(known)
}
