//! What services are to each other and to volumes, as far as Compose refuses it at the end.

use std::collections::HashMap;

use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;
use petgraph::visit::EdgeRef as _;

use super::merge::names_to_map;
use super::problem::{Kind, Problem};
use super::profiles::Profiles;
use super::project::Service;
use crate::span::Span;
use crate::yaml::{Mapping, Node};

/// Adds notices of circles, of volumes that nobody defines and of names given to two containers.
pub(super) fn check(
    tree: &Node,
    services: &[Service],
    profiles: &Profiles,
    problems: &mut Vec<Problem>,
) {
    let entries = tree.get("services").and_then(Node::as_mapping);
    let nodes: Vec<(&Service, &Node)> = services
        .iter()
        .filter_map(|service| Some((service, entries?.get(&service.name)?)))
        .collect();
    circles(&nodes, problems);
    container_names(&nodes, profiles, problems);
    let defined = tree.get("volumes").and_then(Node::as_mapping);
    for (service, node) in &nodes {
        for volume in items(node, "volumes") {
            if let Some(name) = named_volume(volume)
                && defined.is_none_or(|map| map.get(name).is_none())
            {
                let message = format!(
                    "service `{}` uses the undefined volume `{name}`",
                    service.name
                );
                problems.push(notice(message).at(volume.span, "it holds no port"));
            }
        }
    }
}

fn notice(message: String) -> Problem {
    Problem::notice(Kind::Consistency, message)
}

fn items<'a>(service: &'a Node, key: &str) -> &'a [Node] {
    let list = service.get(key).and_then(Node::as_sequence);
    list.unwrap_or_default()
}

/// The volume that an entry of `volumes` names, if it is no path.
fn named_volume(volume: &Node) -> Option<&str> {
    let source = match volume.as_str() {
        Some(short) => short.split_once(':')?.0,
        None if volume.get("type")?.as_str() == Some("volume") => volume.get("source")?.as_str()?,
        None => return None,
    };
    // one letter is a drive
    let is_path = source.starts_with(['.', '/', '~', '\\']) || source.len() < 2;
    (!is_path).then_some(source)
}

fn container_names(nodes: &[(&Service, &Node)], profiles: &Profiles, problems: &mut Vec<Problem>) {
    let mut owners: HashMap<&str, (&str, Span)> = HashMap::new();
    for (service, node) in nodes {
        if let (Some(name), Some(written)) = (&service.container_name, node.get("container_name"))
            && profiles.enable(&service.profiles)
            && let Some((other, first)) = owners.insert(name, (&service.name, written.span))
        {
            let message = format!(
                "services `{other}` and `{}` both name their container `{name}`",
                service.name
            );
            problems.push(
                notice(message)
                    .at(written.span, "here")
                    .at(first, "first here"),
            );
        }
    }
}

/// The services that one cannot start without, and where that is written.
fn needed(service: &Node) -> Vec<(String, Span)> {
    let mut needed = Vec::new();
    let depends = service.get("depends_on").cloned().map(names_to_map);
    let depends = depends.as_ref().and_then(Node::as_mapping);
    for (name, entry) in depends.into_iter().flat_map(Mapping::iter) {
        needed.push((name.to_string(), entry.key));
    }
    for key in ["links", "volumes_from"] {
        for item in items(service, key) {
            let name = item.as_str().and_then(|text| text.split(':').next());
            needed.extend(name.map(|name| (name.to_owned(), item.span)));
        }
    }
    for key in ["network_mode", "ipc", "pid"] {
        let node = service.get(key);
        let name = node.and_then(|node| node.as_str()?.strip_prefix("service:"));
        needed.extend(
            name.zip(node)
                .map(|(name, node)| (name.to_owned(), node.span)),
        );
    }
    needed
}

fn circles(nodes: &[(&Service, &Node)], problems: &mut Vec<Problem>) {
    let mut graph: DiGraph<&str, Span> = DiGraph::new();
    let places: HashMap<&str, _> = nodes
        .iter()
        .map(|(service, _)| (&*service.name, graph.add_node(&*service.name)))
        .collect();
    for (service, node) in nodes {
        for (name, span) in needed(node) {
            if let Some(other) = places.get(&*name) {
                graph.add_edge(places[&*service.name], *other, span);
            }
        }
    }
    let circles = kosaraju_scc(&graph);
    let mut circle_of = vec![0; graph.node_count()];
    for (number, circle) in circles.iter().enumerate() {
        for place in circle {
            circle_of[place.index()] = number;
        }
    }
    for (number, circle) in circles.iter().enumerate() {
        let edges = circle.iter().flat_map(|from| graph.edges(*from));
        let inside = edges.filter(|edge| circle_of[edge.target().index()] == number);
        let spans: Vec<Span> = inside.map(|edge| *edge.weight()).collect();
        if spans.is_empty() {
            continue;
        }
        let mut names: Vec<&str> = circle.iter().map(|place| graph[*place]).collect();
        names.sort_unstable();
        let message = format!(
            "these services wait for each other to start: {}",
            names.join(", ")
        );
        let mut problem = notice(message);
        for span in spans {
            problem = problem.at(span, "needed here");
        }
        problems.push(problem);
    }
}
