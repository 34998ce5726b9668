//! Programs that everybody knows by their port.

use super::candidates;
use crate::binding::{Port, Protocol, Published};
use crate::claim::Claim;

/// A program that is known by its port.
#[derive(Debug)]
pub struct Known {
    /// The port.
    pub port: u16,
    /// The program, for messages.
    pub name: &'static str,
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

/// Whose port a claim has, if it certainly leads to something else.
#[must_use]
pub fn usurped(claim: &Claim<'_>) -> Option<&'static Known> {
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
