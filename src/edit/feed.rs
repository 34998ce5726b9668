//! What feeds the publishes: the chains of places that their numbers come through.
//!
//! A number reaches a publish through the digits or the variable that give it, the entry that
//! names the variable, then the aliases, merge keys and `extends` that pull the entry in. A change
//! at one of these reaches all publishes that it feeds.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap};

use camino::Utf8PathBuf;

use super::patch::Format;
use super::shelf::{Book, Place, Shelf};
use super::spell;
use super::{Along, Workspace, variable};
use crate::compose::document::Template;
use crate::compose::port::{Origin, OriginKind, Publish};
use crate::compose::project::PublishId;
use crate::yaml::{How, Node};

/// One place of a chain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Link {
    /// The digits in a file.
    Digits(Place),
    /// A variable of the shell that gives them.
    Shell(String),
    /// The scalar of the entry that names the variable.
    Scalar(Place),
    /// What pulls the entry in.
    Step(Place),
}

/// One place where the number of a publish is written: its own, or that of an entry that it took
/// the place of ([`Publish::replaces`]), which has to move along.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Source {
    pub publish: PublishId,
    /// 0 is its own, any other a replaced one.
    pub index: usize,
}

impl Source {
    /// The own entry of a publish.
    pub fn own(publish: PublishId) -> Self {
        Self { publish, index: 0 }
    }
}

/// The scalar that gives the host port of an entry.
pub(super) struct Scalar<'s, 'a> {
    pub book: &'s Book<'a>,
    pub node: &'s Node,
    /// Whether it is the `published` of a long entry.
    pub long: bool,
    pub place: Place,
}

/// The publishes of some projects with all that feeds them.
pub(super) struct Feed<'a> {
    pub workspace: &'a Workspace<'a>,
    pub shelf: Shelf<'a>,
    chains: HashMap<Source, Vec<Link>>,
    fed: HashMap<Link, Vec<Source>>,
    templates: HashMap<Place, &'a Template>,
    /// The places of the templates that name a variable.
    named: HashMap<&'a str, BTreeSet<Place>>,
    /// What may change with the variables that it names, and how often it names them.
    along: HashMap<Place, usize>,
    container_env_files: OnceCell<BTreeSet<Utf8PathBuf>>,
    /// The publishes that have their entry at a place.
    pub by_entry: OnceCell<HashMap<Place, Vec<PublishId>>>,
}

impl<'a> Feed<'a> {
    pub fn of(workspace: &'a Workspace<'a>) -> Self {
        let mut feed = Self {
            workspace,
            shelf: Shelf::of(workspace),
            chains: HashMap::new(),
            fed: HashMap::new(),
            templates: HashMap::new(),
            named: HashMap::new(),
            along: HashMap::new(),
            container_env_files: OnceCell::new(),
            by_entry: OnceCell::new(),
        };
        for (project, read) in workspace.projects.iter().enumerate() {
            for template in &read.templates {
                let place = feed.shelf.place(project, template.span);
                feed.templates.insert(place, template);
                for variable in &template.variables {
                    feed.named.entry(variable).or_default().insert(place);
                }
            }
        }
        let publishes: Vec<PublishId> = feed.publishes().collect();
        publishes.into_iter().for_each(|publish| feed.add(publish));
        feed
    }

    /// All publishes.
    pub fn publishes(&self) -> impl Iterator<Item = PublishId> + use<'a> {
        let projects = self.workspace.projects.iter().enumerate();
        projects.flat_map(|(project, read)| {
            let services = read.services.iter().enumerate();
            services.flat_map(move |(service, read)| {
                (0..read.ports.len()).map(move |port| PublishId {
                    project,
                    service,
                    port,
                })
            })
        })
    }

    /// Lets these strings change with the variables that they name.
    pub fn go_along(&mut self, along: &Along) {
        for ((project, span), times) in along {
            let place = self.shelf.place(*project, *span);
            self.along.insert(place, *times);
        }
    }

    /// How often a string may name a variable that changes.
    pub fn times_along(&self, place: Place) -> usize {
        self.along.get(&place).copied().unwrap_or(0)
    }

    fn add(&mut self, publish: PublishId) {
        for source in self.sources(publish) {
            let chain = self.chain_of(source);
            for link in &chain {
                let fed = self.fed.entry(link.clone()).or_default();
                if fed.last() != Some(&source) {
                    fed.push(source);
                }
            }
            self.chains.insert(source, chain);
        }
    }

    /// The places where the number of a publish is written.
    pub fn sources(&self, publish: PublishId) -> impl Iterator<Item = Source> + use<> {
        let count = 1 + self.publish(publish).replaces.len();
        (0..count).map(move |index| Source { publish, index })
    }

    pub fn publish(&self, id: PublishId) -> &'a Publish {
        id.of(self.workspace.projects).2
    }

    pub fn origin(&self, source: Source) -> &'a Origin {
        let publish = self.publish(source.publish);
        match source.index {
            0 => &publish.origin,
            index => &publish.replaces[index - 1],
        }
    }

    /// The chain of a source, from the digits outwards.
    pub fn chain(&self, source: Source) -> &[Link] {
        self.chains.get(&source).map_or(&[], |chain| chain)
    }

    /// What a place feeds.
    pub fn fed(&self, link: &Link) -> &[Source] {
        self.fed.get(link).map_or(&[], |fed| fed)
    }

    fn chain_of(&self, source: Source) -> Vec<Link> {
        let origin = self.origin(source);
        let place = |span| self.shelf.place(source.publish.project, span);
        let digits = place(origin.span);
        let scalar = || Some(Link::Scalar(self.scalar(source)?.place));
        let mut chain = Vec::new();
        match &origin.kind {
            // it has none, but a change of the entry would give it one
            _ if self.publish(source.publish).published.is_none() => chain.extend(scalar()),
            OriginKind::Literal => chain.push(Link::Digits(digits)),
            OriginKind::Default { .. } | OriginKind::EnvFile { .. } => {
                chain.push(Link::Digits(digits));
                if self.shelf.book(digits).format == Format::Env {
                    chain.extend(scalar());
                }
            }
            OriginKind::Shell { variable } => {
                chain.push(Link::Shell(variable.clone()));
                chain.extend(scalar());
            }
            // nothing can be written, but a change of the entry would reach it
            OriginKind::Mixed => chain.extend(scalar()),
        }
        let steps = origin.trail.iter().rev();
        chain.extend(steps.map(|step| Link::Step(place(step.span))));
        chain
    }

    /// Whether the digits are in the compose file, so that the entry itself can be edited.
    pub fn has_digits_in_entry(&self, source: Source) -> bool {
        let first = self.chain(source).first();
        matches!(first, Some(Link::Digits(place)) if self.shelf.book(*place).format == Format::Yaml)
    }

    /// Where the entry of a source is.
    pub fn entry(&self, source: Source) -> Place {
        let origin = self.origin(source);
        self.shelf.place(source.publish.project, origin.entry)
    }

    /// The node of the entry of a source.
    pub fn item(&self, source: Source) -> Option<(&Book<'a>, &Node)> {
        let book = self.shelf.book(self.entry(source));
        Some((book, book.node_at(self.origin(source).entry)?))
    }

    /// The scalar that gives the host port of a source.
    pub fn scalar(&self, source: Source) -> Option<Scalar<'_, 'a>> {
        let (book, item) = self.item(source)?;
        let (node, long) = spell::scalar_of(item)?;
        Some(Scalar {
            book,
            node,
            long,
            place: Place {
                book: self.entry(source).book,
                start: node.span.start,
                end: node.span.end,
            },
        })
    }

    /// What the template at a place means.
    pub fn value(&self, place: Place) -> Option<&'a str> {
        let template = self.templates.get(&place)?;
        Some(template.value.value())
    }

    /// Where a variable is named in compose files.
    pub fn named(&self, variable: &str) -> impl Iterator<Item = Place> {
        self.named.get(variable).into_iter().flatten().copied()
    }

    /// The env files that services give to their containers as a whole.
    pub fn container_env_files(&self) -> &BTreeSet<Utf8PathBuf> {
        let files = &self.container_env_files;
        files.get_or_init(|| variable::container_env_files(self))
    }

    /// How the step at `place` pulls a source in.
    pub fn step(&self, source: Source, place: Place) -> Option<How> {
        let mut steps = self.origin(source).trail.iter();
        let step =
            steps.find(|step| self.shelf.place(source.publish.project, step.span) == place)?;
        Some(step.how)
    }
}
