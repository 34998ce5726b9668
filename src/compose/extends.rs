//! `extends`: another service's keys below the own ones (compose.md 5).

use std::rc::Rc;

use camino::{Utf8Path, Utf8PathBuf};

use super::document::{Reset, forget, pulled_in};
use super::load::{Depth, Extended, Loader, Scope};
use super::merge::merge;
use super::path::Path;
use super::problem::{Kind, Problem};
use crate::source::join;
use crate::span::Span;
use crate::yaml::{How, Mapping, Node, Step};

/// How many services may extend one another in a row; Compose has no limit.
const MAX_DEPTH: usize = 100;

/// Where a chain of `extends` stands.
struct Chain<'a> {
    /// The services on the way, with the file each is in and its `extends`.
    links: Vec<(Utf8PathBuf, Rc<str>, Span)>,
    scope: &'a Scope,
}

/// The service that an `extends` names, and the file with the place of its name.
type Reference = (Rc<str>, Option<(String, Span)>);

/// One file's services, while their `extends` are followed.
struct Home<'a> {
    file: &'a Utf8Path,
    /// Where `file:` in its services is looked up.
    directory: &'a Utf8Path,
    resets: &'a [Reset],
}

impl Loader<'_> {
    /// Follows the `extends` of all services of a document.
    pub(super) fn extend_services(
        &mut self,
        root: &mut Node,
        file: &Utf8Path,
        scope: &Scope,
        resets: &[Reset],
    ) {
        let services = root
            .as_mapping_mut()
            .and_then(|map| map.get_mut("services"));
        let Some(services) = services.and_then(Node::as_mapping_mut) else {
            return;
        };
        let extending =
            |(_, entry): &(&Rc<str>, &crate::yaml::Entry)| entry.value.get("extends").is_some();
        let names: Vec<Rc<str>> = services
            .iter()
            .filter(extending)
            .map(|(name, _)| Rc::clone(name))
            .collect();
        let home = Home {
            file,
            directory: &scope.resources,
            resets,
        };
        for name in names {
            let mut chain = Chain {
                links: Vec::new(),
                scope,
            };
            self.extend(&name, services, &home, &mut chain);
        }
    }

    /// Merges the base of a service into it, in place.
    fn extend(&mut self, name: &Rc<str>, services: &mut Mapping, home: &Home, chain: &mut Chain) {
        let Some(service) = services.get(name).cloned() else {
            return;
        };
        let Some(extends) = service.get("extends").cloned() else {
            return;
        };
        let merged = self.extended_by(name, &service, &extends, services, home, chain);
        let mut merged = merged.unwrap_or(service);
        if let Some(map) = merged.as_mapping_mut() {
            map.remove("extends");
        }
        if let Some(slot) = services.get_mut(name) {
            *slot = merged;
        }
    }

    fn extended_by(
        &mut self,
        name: &Rc<str>,
        service: &Node,
        extends: &Node,
        services: &mut Mapping,
        home: &Home,
        chain: &mut Chain,
    ) -> Option<Node> {
        let (base_name, file) = self.reference(name, extends)?;
        if let Some(at) = chain
            .links
            .iter()
            .position(|(file, link, _)| file == home.file && link == name)
        {
            let round: Vec<&str> = chain.links[at..]
                .iter()
                .map(|(_, link, _)| &**link)
                .collect();
            let mut problem = Problem::error(
                Kind::Extends,
                format!(
                    "these services extend each other: {} -> {name}",
                    round.join(" -> ")
                ),
            );
            for (_, link, span) in &chain.links[at..] {
                problem = problem.at(*span, format!("`{link}` extends"));
            }
            self.problems
                .push(problem.help("remove one of the `extends`"));
            return None;
        }
        if chain.links.len() >= MAX_DEPTH {
            let message = format!("services extend services more than {MAX_DEPTH} deep");
            self.problems.push(
                Problem::error(Kind::Extends, message)
                    .at(extends.span, "this is not followed")
                    .help("extend one of the last services instead"),
            );
            return None;
        }
        chain
            .links
            .push((home.file.to_owned(), Rc::clone(name), extends.span));
        let base = match file {
            None => {
                self.extend(&base_name, services, home, chain);
                services.get(&base_name).cloned()
            }
            Some((file, span)) => {
                let path = join(home.directory, &file);
                let mut other = self.services_of(&path, span, chain.scope)?;
                let directory = path.parent().unwrap_or(home.directory).to_owned();
                let there = Home {
                    file: &path,
                    directory: &directory,
                    resets: &other.resets,
                };
                self.extend(&base_name, &mut other.services, &there, chain);
                other.services.get(&base_name).cloned()
            }
        };
        chain.links.pop();
        let Some(mut base) = base else {
            self.problems.push(
                Problem::error(
                    Kind::Extends,
                    format!("`{name}` extends `{base_name}`, which is not there"),
                )
                .at(extends.span, format!("no service `{base_name}`"))
                .help(
                    "a service can extend one of its own file, or of the file that `file:` names",
                ),
            );
            return None;
        };
        if base.is_null() {
            return None;
        }
        for reset in home.resets {
            if let [services, service, rest @ ..] = &reset[..]
                && &**services == "services"
                && service == name
            {
                forget(&mut base, rest);
            }
        }
        let step = Step {
            how: How::Extends,
            span: extends.span,
        };
        if let Some(ports) = base.as_mapping_mut().and_then(|map| map.get_mut("ports")) {
            *ports = pulled_in(ports, &[step]);
        }
        let at = Path::Key(&Path::Root, "services");
        let at = Path::Key(&at, name);
        Some(merge(base, service.clone(), at, &mut self.problems))
    }

    /// The service and the file that an `extends` names.
    fn reference(&mut self, name: &str, extends: &Node) -> Option<Reference> {
        if let Some(base) = extends.as_str() {
            return Some((base.into(), None));
        }
        let file = extends.get("file");
        match extends.get("service").and_then(Node::as_str) {
            Some(base) if file.is_none_or(|file| file.as_str().is_some()) => {
                let file = file.and_then(|node| Some((node.as_str()?.to_owned(), node.span)));
                Some((base.into(), file))
            }
            _ => {
                self.problems.push(
                    Problem::error(
                        Kind::Extends,
                        format!("`extends` of service `{name}` names no service"),
                    )
                    .at(extends.span, "here")
                    .help(
                        "write `extends: {service: NAME}`, with `file:` if it is in another file",
                    ),
                );
                None
            }
        }
    }

    /// The services of a file that one is extended from, read in the project's environment.
    fn services_of(&mut self, path: &Utf8Path, named_at: Span, scope: &Scope) -> Option<Extended> {
        let key = (path.to_owned(), scope.number);
        if let Some(known) = self.extended.get(&key) {
            return known.clone();
        }
        let extended = self.parse(path, Some(named_at)).and_then(|parsed| {
            let mut tree = None;
            let resets = self.lay(&mut tree, &parsed, scope, &[], Depth::Own);
            let services = tree.as_ref()?.get("services")?.as_mapping()?.clone();
            Some(Extended { services, resets })
        });
        self.extended.insert(key, extended.clone());
        extended
    }
}
