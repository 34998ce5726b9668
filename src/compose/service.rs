//! Services and networks out of the merged tree.

use std::collections::BTreeMap;

use super::load::Loader;
use super::merge::names_to_map;
use super::port;
use super::problem::{Kind, Problem};
use super::project::{Network, Service};
use crate::yaml::{Entry, Node, Value};

/// All services of a tree, by name.
pub(super) fn read_all(tree: &Node, loader: &mut Loader<'_>) -> Vec<Service> {
    let Some(services) = tree.get("services") else {
        return Vec::new();
    };
    let Some(map) = services.as_mapping() else {
        let message = format!("`services` is {}, not a mapping", services.kind());
        loader.problems.push(
            unread(services, message)
                .at(services.span, "no service is defined")
                .help(
                    "write each service as a key below `services:`, such as `web:`, without `- `",
                ),
        );
        return Vec::new();
    };
    let mut found = Vec::with_capacity(map.len());
    for (name, entry) in map.iter() {
        if entry.value.as_mapping().is_some() {
            found.push(read(name, entry, loader));
        } else if !matches!(entry.value.value, Value::Unknown) {
            let kind = entry.value.kind();
            let message = format!("service `{name}` is {kind}, not a mapping");
            loader.problems.push(
                unread(&entry.value, message)
                    .at(entry.key, "read as if it were not there")
                    .help("below the name of a service, write its keys, such as `ports:`"),
            );
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// What is said of a value where services are expected: a list may have ports, which are not read.
fn unread(value: &Node, message: String) -> Problem {
    match value.as_sequence() {
        Some([_, ..]) => Problem::error(Kind::Schema, message),
        _ => Problem::notice(Kind::Schema, message),
    }
}

fn read(name: &str, entry: &Entry, loader: &mut Loader<'_>) -> Service {
    let node = &entry.value;
    let text = |node: Option<&Node>| {
        let text = node.and_then(Node::as_str).filter(|text| !text.is_empty());
        text.map(str::to_owned)
    };
    let deploy = node.get("deploy");
    let scale = node.get("scale");
    let replicas = deploy.and_then(|deploy| deploy.get("replicas"));
    let mut count = |node: Option<&Node>, path: &str| {
        let node = node.filter(|node| !matches!(node.value, Value::Null | Value::Unknown))?;
        let number = match &node.value {
            Value::Int(number) => Some(*number),
            Value::Float(number) if number.fract() == 0.0 => Some(*number as i64),
            Value::Str(text) => port::atoi(text.as_str()),
            _ => None,
        };
        if number.is_none() {
            loader.problems.push(
                Problem::error(
                    Kind::Interpolation,
                    format!("`services.{name}.{path}` is not a number"),
                )
                .at(node.span, "how many containers start is not known")
                .help("write a whole number"),
            );
        }
        Some((number?, node.span))
    };
    let counted = [count(scale, "scale"), count(replicas, "deploy.replicas")];
    if let [Some((scale, at)), Some((replicas, other))] = counted
        && scale != replicas
    {
        loader.problems.push(
            Problem::notice(
                Kind::Consistency,
                format!("service `{name}` has `scale` {scale} and `deploy.replicas` {replicas}"),
            )
            .at(at, "this one is believed")
            .at(other, "Compose refuses two that differ"),
        );
    }
    let counted = counted[0].or(counted[1]);

    let mut ports = Vec::new();
    let items = node
        .get("ports")
        .and_then(Node::as_sequence)
        .unwrap_or_default();
    for item in items {
        match port::read(item, name, &loader.sources) {
            Ok(mut publish) => {
                let replaced = &loader.replaced;
                publish.replaces = port::replaced_by(&publish, name, replaced, &loader.sources);
                ports.push(publish);
            }
            Err(problem) => loader.problems.push(problem),
        }
    }
    let networks = node.get("networks").cloned().map(names_to_map);
    let networks = networks.as_ref().and_then(Node::as_mapping);
    Service {
        name: name.to_owned(),
        key: entry.key,
        image: text(node.get("image")),
        network_mode: node
            .get("network_mode")
            .and_then(|mode| text(Some(mode)).map(|text| (text, mode.span))),
        replicas: counted.map(|(number, _)| number),
        replicas_at: counted.map(|(_, span)| span),
        profiles: profiles(name, node, loader),
        deploy_mode: text(deploy.and_then(|deploy| deploy.get("mode"))),
        container_name: text(node.get("container_name")),
        provider: text(
            node.get("provider")
                .and_then(|provider| provider.get("type")),
        ),
        networks: networks.map_or_else(Vec::new, |map| {
            map.iter().map(|(name, _)| name.to_string()).collect()
        }),
        ports,
    }
}

/// `profiles`, each once.
fn profiles(name: &str, service: &Node, loader: &mut Loader<'_>) -> Vec<String> {
    let Some(node) = service.get("profiles") else {
        return Vec::new();
    };
    let mut refuse = |node: &Node, what: &str| {
        loader.problems.push(
            Problem::notice(
                Kind::Schema,
                format!("`profiles` of service `{name}` {what} {}", node.kind()),
            )
            .at(node.span, "read as its text")
            .help("write a list of strings, for example [\"dev\"]"),
        );
    };
    let mut names: Vec<String> = Vec::new();
    let items = match &node.value {
        Value::Sequence(items) => items.to_vec(),
        Value::Null | Value::Unknown => Vec::new(),
        _ => {
            refuse(node, "is");
            vec![node.clone()]
        }
    };
    for item in &items {
        let text = match item.as_str() {
            Some(text) => text.to_owned(),
            None => {
                refuse(item, "holds");
                loader.sources.slice(item.span).to_owned()
            }
        };
        if !names.contains(&text) {
            names.push(text);
        }
    }
    names
}

/// The networks a project defines.
pub(super) fn read_networks(tree: &Node, loader: &mut Loader<'_>) -> BTreeMap<String, Network> {
    let Some(map) = tree.get("networks").and_then(Node::as_mapping) else {
        return BTreeMap::new();
    };
    let networks = map.iter().map(|(name, entry)| {
        let node = &entry.value;
        let mut truth = |key: &str| -> Option<bool> {
            let value = node.get(key)?;
            match &value.value {
                Value::Bool(truth) => Some(*truth),
                Value::Null | Value::Unknown => None,
                Value::Str(text) => match text.as_str().to_lowercase().as_str() {
                    "true" | "y" | "yes" | "on" => Some(true),
                    "false" | "n" | "no" | "off" => Some(false),
                    _ => {
                        loader.problems.push(
                            Problem::notice(
                                Kind::Interpolation,
                                format!("`networks.{name}.{key}` is neither true nor false"),
                            )
                            .at(value.span, "read as if it were not there"),
                        );
                        None
                    }
                },
                _ => None,
            }
        };
        let text = |key: &str| node.get(key).and_then(Node::as_str).map(str::to_owned);
        let external = match node.get("external") {
            // the old form: `external: {name: x}`
            Some(external) if external.as_mapping().is_some() => true,
            _ => truth("external").unwrap_or(false),
        };
        let options = node.get("driver_opts").and_then(Node::as_mapping);
        let options = options
            .into_iter()
            .flat_map(|map| map.iter())
            .filter_map(|(key, entry)| {
                let value = match &entry.value.value {
                    Value::Str(text) => text.as_str().to_owned(),
                    Value::Bool(truth) => truth.to_string(),
                    Value::Int(number) => number.to_string(),
                    _ => return None,
                };
                Some((key.to_string(), value))
            });
        let network = Network {
            name: text("name").or_else(|| {
                node.get("external")?
                    .get("name")?
                    .as_str()
                    .map(str::to_owned)
            }),
            driver: text("driver").filter(|driver| !driver.is_empty()),
            internal: truth("internal").unwrap_or(false),
            enable_ipv4: truth("enable_ipv4"),
            enable_ipv6: truth("enable_ipv6"),
            driver_opts: options.collect(),
            external,
        };
        (name.to_string(), network)
    });
    networks.collect()
}
