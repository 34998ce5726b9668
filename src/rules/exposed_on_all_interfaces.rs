//! # exposed-on-all-interfaces
//!
//! ## What it finds
//! A database, a cache, a broker or an admin console that is published on every address of the host.
//! It is known by its container port (5432, 6379), or by its image and its port where the port alone
//! does not tell (Adminer's 8080). The Docker API without TLS, 2375, counts as one.
//!
//! Off unless asked for: half of all files for development publish a database like this.
//!
//! ## Why
//! Every host that reaches this one reaches the port. The engine writes its firewall rules before
//! those of ufw and firewalld, so that these do not stop it. Programs of this kind often have no
//! password or a known one; who reaches 2375 is root on the host.
//!
//! ## Example
//! ```yaml
//! services: # fires
//!   db: { image: postgres, ports: ["5432:5432"] }
//! ```
//! ```yaml
//! services: # silent
//!   db: { image: postgres, ports: ["127.0.0.1:5432:5432"] }
//!   web: { image: web, ports: ["80:80"] }
//! ```
//!
//! ## Remedy
//! Publish it for this host alone: `127.0.0.1:5432:5432`, as
//! `portplan fix --only exposed-on-all-interfaces` does. Or do not publish it: the other services of
//! the project reach it by its name all the same.
//!
//! ## Sources
//! [Docker and ufw](https://docs.docker.com/engine/network/packet-filtering-firewalls/);
//! [Protect the Docker daemon socket](https://docs.docker.com/engine/security/protect-access/)

use super::describe::Entry;
use super::{Context, Rule};
use crate::binding::addresses;
use crate::claim::Claim;
use crate::finding::{Finding, Fix, Rewrite, Severity};

pub(super) const RULE: Rule = Rule::new(
    "exposed-on-all-interfaces",
    Severity::Warning,
    include_str!("exposed_on_all_interfaces.rs"),
    check,
)
.opt_in()
.fixed_when_asked();

/// A program that is not for everybody.
struct Private {
    name: &'static str,
    /// Its ports inside the container.
    ports: &'static [u16],
    /// What its images are called, where its ports may be another's; none: they alone tell.
    images: &'static [&'static str],
}

const fn by_port(name: &'static str, ports: &'static [u16]) -> Private {
    by_image(name, ports, &[])
}

const fn by_image(
    name: &'static str,
    ports: &'static [u16],
    images: &'static [&'static str],
) -> Private {
    Private {
        name,
        ports,
        images,
    }
}

const PRIVATE: &[Private] = &[
    by_port("the Docker API without TLS", &[2375]),
    // databases
    by_port("PostgreSQL", &[5432]),
    by_port("MySQL", &[3306, 33060]),
    by_port("SQL Server", &[1433]),
    by_port("Oracle Database", &[1521]),
    by_port("MongoDB", &[27017, 27018, 27019]),
    by_port("Cassandra", &[9042]),
    by_port("CockroachDB", &[26257]),
    by_port("CouchDB", &[5984]),
    by_port("Elasticsearch", &[9200, 9300]),
    by_port("Neo4j", &[7474, 7687]),
    by_port("Solr", &[8983]),
    by_port("Qdrant", &[6333, 6334]),
    by_port("Milvus", &[19530]),
    by_image("ClickHouse", &[8123, 9000], &["clickhouse"]),
    by_image("Couchbase", &[8091], &["couchbase"]),
    by_image("InfluxDB", &[8086, 8181], &["influxdb"]),
    by_image("Meilisearch", &[7700], &["meilisearch"]),
    by_image("MinIO", &[9000, 9001], &["minio"]),
    // caches, and what keeps settings and secrets
    by_port("Redis", &[6379]),
    by_port("Memcached", &[11211]),
    by_port("etcd", &[2379, 2380]),
    by_port("ZooKeeper", &[2181]),
    by_image("Consul", &[8500], &["consul"]),
    by_image("Vault", &[8200], &["vault", "openbao"]),
    // brokers
    by_port("RabbitMQ", &[5672, 15672]),
    by_port("Kafka", &[9092]),
    by_port("NATS", &[4222, 8222]),
    by_port("ActiveMQ", &[61616]),
    by_port("an MQTT broker", &[1883]),
    // consoles
    by_port("Kibana", &[5601]),
    by_image("Adminer", &[8080], &["adminer"]),
    by_image("phpMyAdmin", &[80], &["phpmyadmin"]),
    by_image("pgAdmin", &[80, 443, 5050], &["pgadmin"]),
    by_image("Mongo Express", &[8081], &["mongo-express"]),
    by_image("Redis Commander", &[8081], &["redis-commander"]),
    by_image(
        "Redis Insight",
        &[5540, 8001],
        &["redisinsight", "redis-stack"],
    ),
    by_image("Kafka UI", &[8080, 9000], &["kafka-ui", "kafdrop", "akhq"]),
    by_image("Portainer", &[9000, 9443], &["portainer"]),
    by_image("Traefik's dashboard", &[8080], &["traefik"]),
];

fn check(rule: &Rule, cx: &Context<'_>, out: &mut Vec<Finding>) {
    for entry in cx.entries() {
        out.extend(exposed(rule, &entry));
    }
}

fn exposed(rule: &Rule, entry: &Entry<'_, '_>) -> Option<Finding> {
    let wanted = &entry.first().wanted;
    let mut bound = addresses(&wanted.binding, &wanted.network, &entry.host.engine).iter();
    let everywhere = bound.find(|ip| ip.is_any())?;
    let name = entry.claims().find_map(private)?.name;
    let who = entry.who();
    let mut finding = entry.remark_there(
        rule,
        format!("{who} publishes the port of {name} on every address of the host"),
    );
    let note = "firewalls such as ufw and firewalld do not see what goes to a published port";
    finding.notes.push(note.to_owned());
    let here = wanted.binding.host_ip.unwrap_or(everywhere).loopback();
    finding.help = Some(format!(
        "publish it as {}, or not at all: the services of the project reach it without",
        entry.mapping_at(Some(here), None)
    ));
    finding.fix = Some(Fix {
        rewrite: Rewrite::HostIp(here),
        publishes: entry.publishes().collect(),
    });
    Some(finding)
}

/// What a claim publishes, if it is not for everybody.
fn private(claim: &Claim<'_>) -> Option<&'static Private> {
    let target = claim.wanted.binding.target.get();
    let image = claim.service.image.as_deref().map_or("", last_name);
    let mut all = PRIVATE.iter().filter(|it| it.ports.contains(&target));
    all.find(|it| it.images.is_empty() || it.images.iter().any(|name| image.contains(name)))
}

/// `pgadmin4` of `host:5000/dpage/pgadmin4:9@sha256:…`
fn last_name(image: &str) -> &str {
    let name = image.rsplit('/').next().unwrap_or(image);
    name.split([':', '@']).next().unwrap_or(name)
}
