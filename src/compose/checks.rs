//! What Compose refuses for reasons apart from ports: portplan reads on and says so.
//!
//! Source: `validate.go` and the schema of compose-go 2.9.1 (compose.md 1 and 10).

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use super::load::Loader;
use super::problem::{Kind, Problem};
use super::project::{Network, Service};
use crate::source::join;
use crate::span::Span;
use crate::yaml::{Entry, Mapping, Node, Value};

const TOP_KEYS: [&str; 9] = [
    "configs", "include", "models", "name", "networks", "secrets", "services", "version", "volumes",
];

const SERVICE_KEYS: [&str; 88] = [
    "annotations",
    "attach",
    "blkio_config",
    "build",
    "cap_add",
    "cap_drop",
    "cgroup",
    "cgroup_parent",
    "command",
    "configs",
    "container_name",
    "cpu_count",
    "cpu_percent",
    "cpu_period",
    "cpu_quota",
    "cpu_rt_period",
    "cpu_rt_runtime",
    "cpu_shares",
    "cpus",
    "cpuset",
    "credential_spec",
    "depends_on",
    "deploy",
    "develop",
    "device_cgroup_rules",
    "devices",
    "dns",
    "dns_opt",
    "dns_search",
    "domainname",
    "entrypoint",
    "env_file",
    "environment",
    "expose",
    "extends",
    "external_links",
    "extra_hosts",
    "gpus",
    "group_add",
    "healthcheck",
    "hostname",
    "image",
    "init",
    "ipc",
    "isolation",
    "label_file",
    "labels",
    "links",
    "logging",
    "mac_address",
    "mem_limit",
    "mem_reservation",
    "mem_swappiness",
    "memswap_limit",
    "models",
    "network_mode",
    "networks",
    "oom_kill_disable",
    "oom_score_adj",
    "pid",
    "pids_limit",
    "platform",
    "ports",
    "post_start",
    "pre_stop",
    "privileged",
    "profiles",
    "provider",
    "pull_policy",
    "pull_refresh_after",
    "read_only",
    "restart",
    "runtime",
    "scale",
    "secrets",
    "security_opt",
    "shm_size",
    "stdin_open",
    "stop_grace_period",
    "stop_signal",
    "storage_opt",
    "sysctls",
    "tmpfs",
    "tty",
    "ulimits",
    "use_api_socket",
    "user",
    "userns_mode",
];
const MORE_SERVICE_KEYS: [&str; 4] = ["uts", "volumes", "volumes_from", "working_dir"];

/// Adds what Compose would refuse, although the ports are known.
pub(super) fn check(
    tree: &Node,
    services: &[Service],
    networks: &BTreeMap<String, Network>,
    scale: &BTreeMap<String, u32>,
    directory: &Utf8Path,
    loader: &mut Loader<'_>,
) {
    top_level(tree, &mut loader.problems);
    let entries = tree.get("services").and_then(Node::as_mapping);
    for service in services {
        if let Some(entry) = entries.and_then(|map| map.entry(&service.name)) {
            let missing = missing_env_files(&entry.value, directory, loader);
            let problems = &mut loader.problems;
            let mut check = Check {
                service,
                entry,
                problems,
            };
            check.all(services, networks);
            for (span, path) in missing {
                let message = format!("service `{}` has no env file `{path}`", service.name);
                check.add(Kind::Env, span, message, "it sets no port");
            }
        }
    }
    for name in scale.keys() {
        if !services.iter().any(|service| &service.name == name) {
            loader.problems.push(Problem::error(
                Kind::Consistency,
                format!("--scale names `{name}`, and there is no such service"),
            ));
        }
    }
}

/// The required env files of a service that are not there.
fn missing_env_files(
    service: &Node,
    directory: &Utf8Path,
    loader: &Loader<'_>,
) -> Vec<(Span, Utf8PathBuf)> {
    let Some(node) = service.get("env_file") else {
        return Vec::new();
    };
    let items = node.as_sequence().unwrap_or(std::slice::from_ref(node));
    let paths = items.iter().filter_map(|item| {
        let optional = item
            .get("required")
            .is_some_and(|r| matches!(r.value, Value::Bool(false)));
        let path = item
            .get("path")
            .unwrap_or(item)
            .as_str()
            .filter(|path| !path.is_empty())?;
        (!optional).then_some((item.span, path))
    });
    let missing = paths.filter_map(|(span, path)| {
        // relative to the file it is in, where an `extends` or `include` brought it
        let beside = join(loader.cwd, loader.sources.file(span.file).path());
        let beside = beside.parent().unwrap_or(directory);
        let there = [directory, beside]
            .iter()
            .any(|folder| loader.files.kind(&join(folder, path)).is_some());
        (!there).then(|| (span, path.into()))
    });
    missing.collect()
}

fn top_level(tree: &Node, problems: &mut Vec<Problem>) {
    let Some(map) = tree.as_mapping() else { return };
    for (key, entry) in map.iter() {
        if TOP_KEYS.contains(&&**key) || key.starts_with("x-") {
            continue;
        }
        let message = format!("a compose file has no key `{key}`");
        let problem = if mentions_ports(&entry.value, 2) {
            let v1 = map.get("services").is_none() && entry.value.get("ports").is_some();
            Problem::error(Kind::Schema, message)
                .at(entry.key, "so the ports below are not read")
                .help(if v1 {
                    "this is the old format without `services:`; put the services below that key"
                } else {
                    "did you mean `services`?"
                })
        } else {
            Problem::notice(Kind::Schema, message).at(entry.key, "ignored")
        };
        problems.push(problem);
    }
    if let Some(version) = map.get("version")
        && version.as_str().is_none()
    {
        problems.push(
            Problem::notice(Kind::Schema, format!("`version` is {}", version.kind()))
                .at(version.span, "Compose takes only a string")
                .help("remove the line: the version is obsolete"),
        );
    }
}

/// Whether a key `ports` is at most `depth` mappings below.
fn mentions_ports(node: &Node, depth: u32) -> bool {
    node.as_mapping().is_some_and(|map| {
        map.get("ports").is_some()
            || (depth > 0
                && map
                    .iter()
                    .any(|(_, entry)| mentions_ports(&entry.value, depth - 1)))
    })
}

struct Check<'a> {
    service: &'a Service,
    entry: &'a Entry,
    problems: &'a mut Vec<Problem>,
}

impl Check<'_> {
    fn all(&mut self, services: &[Service], networks: &BTreeMap<String, Network>) {
        self.keys();
        self.name();
        self.image();
        self.networks(networks);
        self.references(services);
        self.replicas();
        self.limits();
        self.mounts();
    }

    fn notice(&mut self, at: Span, message: String, label: &str) {
        self.add(Kind::Consistency, at, message, label);
    }

    fn add(&mut self, kind: Kind, at: Span, message: String, label: &str) {
        self.problems
            .push(Problem::notice(kind, message).at(at, label));
    }

    /// What an unset variable or a merge often leaves behind.
    fn mounts(&mut self) {
        const KEYS: [&str; 9] = [
            "type",
            "source",
            "target",
            "read_only",
            "consistency",
            "bind",
            "volume",
            "tmpfs",
            "image",
        ];
        let name = &self.service.name;
        let list = |key: &str| {
            self.entry
                .value
                .get(key)
                .and_then(Node::as_sequence)
                .unwrap_or_default()
        };
        for volume in list("volumes") {
            let empty = |text: &str| text.starts_with(':') || text.contains("::");
            if volume.as_str().is_some_and(empty) {
                let message = format!("a volume of service `{name}` has no source");
                self.add(Kind::Schema, volume.span, message, "is a variable unset?");
            }
            for (key, entry) in volume.as_mapping().into_iter().flat_map(Mapping::iter) {
                if !KEYS.contains(&&**key) && !key.starts_with("x-") {
                    let message = format!("no volume has a key `{key}`");
                    self.add(Kind::Schema, entry.key, message, "ignored");
                }
            }
        }
        let options = list("security_opt");
        for (index, option) in options.iter().enumerate() {
            if options[..index].iter().any(|earlier| earlier.same(option)) {
                let message = format!("service `{name}` has one security option twice");
                self.add(Kind::Schema, option.span, message, "Compose refuses that");
            }
        }
    }

    fn keys(&mut self) {
        let Some(map) = self.entry.value.as_mapping() else {
            return;
        };
        for (key, entry) in map.iter() {
            let known = SERVICE_KEYS.contains(&&**key) || MORE_SERVICE_KEYS.contains(&&**key);
            if known || key.starts_with("x-") {
                continue;
            }
            let message = format!("`{key}` is no key of service `{}`", self.service.name);
            let problem = if matches!(&*key.to_lowercase(), "port" | "ports" | "publish") {
                Problem::error(Kind::Schema, message)
                    .at(entry.key, "so these ports are not read")
                    .help("did you mean `ports`?")
            } else {
                Problem::notice(Kind::Schema, message).at(entry.key, "ignored")
            };
            self.problems.push(problem);
        }
    }

    fn name(&mut self) {
        let name = &self.service.name;
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if name.is_empty() || !name.chars().all(allowed) {
            let message = format!("`{name}` cannot be the name of a service");
            let label = "letters, digits, `.`, `_` and `-` only";
            self.add(Kind::Schema, self.entry.key, message, label);
        }
        let Some(node) = self.entry.value.get("container_name") else {
            return;
        };
        // Compose looks for these two anywhere in the name
        let two = |two: &[u8]| two[0].is_ascii_alphanumeric() && allowed(char::from(two[1]));
        if let Some(text) = node.as_str()
            && !text.as_bytes().windows(2).any(two)
        {
            let message = format!("`{text}` cannot be the name of a container");
            self.add(
                Kind::Schema,
                node.span,
                message,
                "at least two letters or digits",
            );
        }
    }

    fn image(&mut self) {
        let node = &self.entry.value;
        let has = |key: &str| {
            node.get(key)
                .is_some_and(|node| !node.is_null() && node.as_str() != Some(""))
        };
        if !has("image") && !has("build") && self.service.provider.is_none() {
            let message = format!(
                "service `{}` has neither an image nor a build",
                self.service.name
            );
            self.notice(self.service.key, message, "read as a part of a project");
        }
    }

    fn networks(&mut self, networks: &BTreeMap<String, Network>) {
        let service = self.service;
        for network in &service.networks {
            if network != "default" && !networks.contains_key(network) {
                let message = format!(
                    "service `{}` is in the undefined network `{network}`",
                    service.name
                );
                let at = self
                    .entry
                    .value
                    .get("networks")
                    .map_or(service.key, |node| node.span);
                self.notice(at, message, "read as a bridge network");
            }
        }
        if let Some((_, at)) = &service.network_mode
            && !service.networks.is_empty()
        {
            let message = format!(
                "service `{}` has both `network_mode` and `networks`",
                service.name
            );
            self.notice(*at, message, "this one is believed");
        }
    }

    fn references(&mut self, services: &[Service]) {
        let known = |name: &str| services.iter().any(|service| service.name == name);
        let service = self.service;
        if let Some((mode, at)) = &service.network_mode
            && let Some(other) = mode.strip_prefix("service:")
            && !known(other)
        {
            let message = format!(
                "service `{}` uses the network of `{other}`, which is not a service",
                service.name
            );
            self.notice(*at, message, "here");
        }
        let depends = self.entry.value.get("depends_on").cloned();
        let depends = depends.map(super::merge::names_to_map);
        let depends = depends.as_ref().and_then(Node::as_mapping);
        for (other, entry) in depends.into_iter().flat_map(|map| map.iter()) {
            if !known(other) {
                let message = format!(
                    "service `{}` depends on `{other}`, which is not a service",
                    service.name
                );
                self.notice(entry.key, message, "ignored");
            }
        }
    }

    fn replicas(&mut self) {
        let service = self.service;
        let Some(replicas) = service.replicas else {
            return;
        };
        let at = service.replicas_at.unwrap_or(service.key);
        if replicas < 0 {
            let message = format!("service `{}` has a negative scale", service.name);
            self.notice(at, message, "read as 0");
        }
        if let Some(name) = &service.container_name
            && replicas > 1
        {
            let message = format!(
                "service `{}` runs {replicas} containers that all have the name `{name}`",
                service.name
            );
            self.notice(at, message, "Compose refuses that");
        }
    }

    /// The old key and the new one for the same limit.
    fn limits(&mut self) {
        let node = &self.entry.value;
        let limits = node
            .get("deploy")
            .and_then(|node| node.get("resources")?.get("limits"));
        // limits without `pids` count as another limit
        if let (Some(old), Some(limits)) = (node.get("pids_limit"), limits)
            && !limits.get("pids").is_some_and(|new| old.same(new))
        {
            let message = format!("service `{}` limits its processes twice", self.service.name);
            self.notice(old.span, message, "not that of `deploy.resources`");
        }
    }
}
