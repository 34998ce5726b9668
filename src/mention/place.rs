//! What a scalar of a compose file is for, and whose port an address in it names there.

use std::collections::BTreeSet;
use std::ops::Range;

use super::scan::Address;
use crate::binding::Port;
use crate::compose::project::{Project, Service};
use crate::yaml::{Node, Value};

/// What a scalar is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// Nothing by itself: `x-…`, networks, an env file's value. It counts where others use it.
    Neutral,
    /// A published port.
    Ports,
    /// Read outside of containers: the name of an image, where logs go.
    Outside,
    /// Run inside a container of the service: healthcheck, command, entrypoint.
    Inside(String),
    /// Handed to a container of the service, for itself or to tell others: environment, labels.
    Value(String),
    /// A key, or a file's content that any container may get.
    Unknown,
}

/// Whose port an address with a port is, where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whose {
    /// This host's.
    Host,
    /// The container's own: no mention at all.
    Container,
    /// One of both; nobody can tell.
    Unknown,
}

/// Scalars and keys of a document, each with what it is for, and the `env_file`s of its services.
#[derive(Debug, Default)]
pub struct Places {
    scalars: Vec<(Range<u32>, Use)>,
    /// The scalar of each path, and the service.
    pub env_files: Vec<(Range<u32>, String, String)>,
}

impl Places {
    /// Those of some documents of one file, aliases and merge keys followed.
    #[must_use]
    pub fn of(documents: &[Node]) -> Self {
        let mut places = Self::default();
        for root in documents {
            places.visit(root, &mut Vec::new());
        }
        places
            .scalars
            .sort_by(|a, b| (a.0.start, a.0.end, &a.1).cmp(&(b.0.start, b.0.end, &b.1)));
        places.scalars.dedup();
        places
            .env_files
            .sort_by(|a, b| (a.0.start, &a.2).cmp(&(b.0.start, &b.2)));
        places.env_files.dedup();
        places
    }

    /// What the scalars around a byte are for; none of a comment.
    #[must_use]
    pub fn uses(&self, at: u32) -> BTreeSet<Use> {
        let around = self.scalars.iter().filter(|(range, _)| range.contains(&at));
        around.map(|(_, used)| used.clone()).collect()
    }

    fn visit<'n>(&mut self, node: &'n Node, trail: &mut Vec<&'n str>) {
        let range = node.span.start..node.span.end;
        match &node.value {
            Value::Mapping(map) => {
                for (key, entry) in map.iter() {
                    self.scalars
                        .push((entry.key.start..entry.key.end, Use::Unknown));
                    trail.push(key);
                    self.visit(&entry.value, trail);
                    trail.pop();
                }
            }
            Value::Sequence(items) => items.iter().for_each(|item| self.visit(item, trail)),
            Value::Str(text) => {
                if let ["services", service, "env_file"]
                | ["services", service, "env_file", "path"] = trail[..]
                {
                    let path = text.as_str().to_owned();
                    self.env_files
                        .push((range.clone(), path, service.to_owned()));
                }
                self.scalars.push((range, Use::of(trail)));
            }
            _ => {}
        }
    }
}

impl Use {
    /// By the keys that lead to a scalar.
    fn of(trail: &[&str]) -> Self {
        match trail {
            ["services", _, "ports", ..] => Self::Ports,
            ["services", _, "image" | "logging", ..] => Self::Outside,
            [
                "services",
                service,
                "healthcheck" | "command" | "entrypoint" | "post_start" | "pre_stop",
                ..,
            ] => Self::Inside((*service).to_owned()),
            ["services", service, ..] => Self::Value((*service).to_owned()),
            ["configs" | "secrets", _, "content"] => Self::Unknown,
            _ => Self::Neutral,
        }
    }

    /// Whose `port` is at `address`; `None` where it depends on who uses the value.
    fn whose(&self, project: &Project, address: Address, port: Port) -> Option<Whose> {
        let service = |name: &str| project.services.iter().find(|it| it.name == name);
        let is_host = |service: &Service| mode(service) == Some("host");
        Some(match self {
            Self::Neutral => return None,
            Self::Ports => Whose::Container,
            Self::Outside => Whose::Host,
            Self::Unknown => Whose::Unknown,
            Self::Inside(_) | Self::Value(_) if !address.is_own() => Whose::Host,
            Self::Inside(name) => match service(name) {
                Some(service) if is_host(service) => Whose::Host,
                Some(_) => Whose::Container,
                // of a file that others extend
                None if project.services.iter().any(is_host) => Whose::Unknown,
                None => Whose::Container,
            },
            Self::Value(name) => {
                let listens = match service(name) {
                    Some(service) if is_host(service) => return Some(Whose::Host),
                    Some(service) => listens(project, service, port),
                    None => project.services.iter().any(|it| listens(project, it, port)),
                };
                match (listens, address.is_any()) {
                    (true, true) => Whose::Container,
                    // it may listen on a port that nobody publishes
                    (true, false) | (false, true) => Whose::Unknown,
                    (false, false) => Whose::Host,
                }
            }
        })
    }
}

/// Whose `port` is at `address` in a scalar with these uses.
#[must_use]
pub fn whose(uses: &BTreeSet<Use>, project: &Project, address: Address, port: Port) -> Whose {
    let all = uses
        .iter()
        .filter_map(|it| it.whose(project, address, port));
    let all: BTreeSet<Whose> = all.collect();
    match all.len() {
        0 => Whose::Host,
        1 => all.first().copied().unwrap_or(Whose::Unknown),
        _ => Whose::Unknown,
    }
}

fn mode(service: &Service) -> Option<&str> {
    let mode = service.network_mode.as_ref();
    mode.map(|(mode, _)| mode.as_str())
}

/// True if something in the service's network namespace has this port as a target.
fn listens(project: &Project, service: &Service, port: Port) -> bool {
    let namespace = |service: &Service| -> String {
        let shared = mode(service).and_then(|mode| mode.strip_prefix("service:"));
        shared.unwrap_or(&service.name).to_owned()
    };
    let own = namespace(service);
    let together = project.services.iter().filter(|it| namespace(it) == own);
    let mut targets = together.flat_map(|it| &it.ports).filter_map(|it| it.target);
    targets.any(|target| target == u32::from(port.get()))
}
