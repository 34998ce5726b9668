//! # undocumented-port
//!
//! ## What it finds
//! A published port that no document lists; or a row that a document lists and nothing publishes, or
//! a project that no document has a place for.
//!
//! Off unless asked for: it is for those who keep such a table, which
//! `portplan list --format markdown --write README.md` writes. It is looked for in the nearest
//! `README.md` that has a place for it, in the folder of the project or above; `documents` of
//! [portplan.yaml](../configuration.md) names others. A row is known by the project, the service, the
//! host IP, the host port, the container port and the protocol: lines may move, and replicas,
//! profiles and variables may change. A number that comes from the shell or an env file is one
//! machine's: the row of its variable will do.
//!
//! ## Why
//! Whoever looks for a service reads the README first. A table that was right once sends people to
//! a port where something else answers.
//!
//! ## Example
//! ```yaml
//! services: # fires, where the README lists 8080 for `web`
//!   web: { image: web, ports: ["8081:80"] }
//! ```
//! ```yaml
//! services: # silent
//!   web: { image: web, ports: ["8080:80"] }
//! ```
//!
//! ## Remedy
//! Write the table anew, with the command that the message names; if the project is checked with
//! `-f` or other files than Compose finds by itself, with these. Where there is no place for it
//! yet, paste the two lines `<!-- portplan:ports -->` and `<!-- /portplan:ports -->` into the
//! README.
//!
//! ## Sources
//! The documents of the project, and nothing else.

use std::collections::BTreeMap;

use super::{Context, Rule};
use crate::compose::port::OriginKind;
use crate::compose::project::{Project, Service};
use crate::document::embed::{CLOSE, OPEN};
use crate::document::table::{Row, entries};
use crate::document::{Document, command};
use crate::finding::{ClaimRef, Finding, Label, Severity};
use crate::report::{list, slashes};
use crate::span::Span;
use crate::world::World;

pub(crate) const RULE: Rule = Rule::new(
    "undocumented-port",
    Severity::Warning,
    include_str!("undocumented_port.rs"),
    check,
)
.opt_in();

/// What is published in one entry, as a document would have it.
struct Entry<'w> {
    service: &'w Service,
    /// The index of its first port.
    at: usize,
    row: Row,
    is_on: bool,
}

/// A document, with whose its rows are.
struct Page<'w> {
    document: &'w Document,
    /// By the names of projects.
    rows: BTreeMap<&'w str, Vec<&'w (u32, Row)>>,
    /// The projects that a name may stand for.
    owners: BTreeMap<String, Vec<usize>>,
    /// How to write it anew.
    help: String,
}

/// A row that nothing publishes.
struct Stale<'p> {
    page: &'p Page<'p>,
    line: u32,
    row: &'p Row,
}

fn check(rule: &Rule, cx: &Context<'_>, out: &mut Vec<Finding>) {
    let world = cx.world;
    let entries: Vec<Vec<Entry<'_>>> = world.projects.iter().map(entries_of).collect();
    let documents = world.documents.iter();
    let pages: Vec<Page<'_>> = documents.map(|it| Page::of(it, world)).collect();
    for (index, entries_here) in entries.iter().enumerate() {
        let pages = pages.iter();
        let pages = pages.filter(|page| page.document.projects.contains(&index));
        let pages: Vec<&Page<'_>> = pages.collect();
        let on = || entries_here.iter().filter(|entry| entry.is_on);
        if pages.iter().all(|page| page.document.table.is_err()) {
            let broken = pages.first().copied();
            let first = on().next();
            out.extend(first.map(|first| nowhere(rule, world, index, first, broken)));
            continue;
        }
        let project = &world.projects[index];
        let stale = pages
            .iter()
            .flat_map(|page| page.stale(index, project, &entries));
        let mut stale: Vec<Stale<'_>> = stale.collect();
        for entry in on() {
            let mut rows = pages.iter().flat_map(|page| page.rows_of(project));
            if rows.any(|(_, row)| lists(row, entry)) {
                continue;
            }
            let key = entry.row.key();
            let moved = stale.iter().position(|it| {
                let row = it.row.key();
                (row.service, row.container) == (key.service, key.container)
            });
            let moved = moved.map(|at| stale.remove(at));
            out.push(missing(rule, index, entry, &pages, moved));
        }
        // a project that is not there is nobody's: told of the first
        let is_first = |page: &&&Page<'_>| page.document.projects.first() == Some(&index);
        stale.extend(
            pages
                .iter()
                .filter(is_first)
                .flat_map(|page| page.of_nobody()),
        );
        out.extend(stale.iter().map(|stale| gone(rule, world, index, stale)));
    }
}

impl<'w> Page<'w> {
    fn of(document: &'w Document, world: &World) -> Self {
        let mut rows: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for row in document.rows() {
            rows.entry(&row.1.project).or_default().push(row);
        }
        let mut owners: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for index in &document.projects {
            for name in document.names_of(&world.projects[*index]) {
                owners.entry(name).or_default().push(*index);
            }
        }
        let projects = document.projects.iter();
        let projects: Vec<&Project> = projects.map(|index| &world.projects[*index]).collect();
        let others = rows.keys().copied();
        let others =
            others.filter(|name| !owners.contains_key(*name) && !document.gone.contains(*name));
        let command = command::rewrite(document, &projects, others);
        Self {
            document,
            owners,
            help: format!("`{command}` writes the table anew"),
            rows,
        }
    }

    /// The rows of a project.
    fn rows_of(&self, project: &Project) -> impl Iterator<Item = &'w (u32, Row)> {
        let names = self.document.names_of(project).into_iter();
        let rows = names.filter_map(|name| self.rows.get(&*name));
        rows.flatten().copied().collect::<Vec<_>>().into_iter()
    }

    /// The rows of a project, and of no entry: told of the first project that they may be of.
    fn stale(
        &self,
        index: usize,
        project: &Project,
        entries: &[Vec<Entry<'_>>],
    ) -> impl Iterator<Item = Stale<'_>> {
        let rows = self.rows_of(project).filter(move |(_, row)| {
            let owners = self.owners.get(&row.project).into_iter().flatten();
            let mut published = owners.clone().flat_map(|owner| &entries[*owner]);
            owners.clone().next() == Some(&index) && !published.any(|entry| lists(row, entry))
        });
        rows.map(|(line, row)| self.stale_row(*line, row))
    }

    /// The rows of projects which are not there.
    fn of_nobody(&self) -> impl Iterator<Item = Stale<'_>> {
        let names = self.document.gone.iter();
        let rows = names.filter_map(|name| self.rows.get(&**name)).flatten();
        rows.map(|(line, row)| self.stale_row(*line, row))
    }

    fn stale_row(&self, line: u32, row: &'w Row) -> Stale<'_> {
        Stale {
            page: self,
            line,
            row,
        }
    }
}

/// What a project publishes, in whichever profile.
fn entries_of(project: &Project) -> Vec<Entry<'_>> {
    let services = project.services.iter().flat_map(|service| {
        let ports: Vec<_> = list::ports(service, project).collect();
        let mut at = 0;
        let found = entries(&ports).map(|entry| {
            at += entry.len();
            Entry {
                service,
                at: at - entry.len(),
                // what the project is called depends on the document
                row: Row::of("", entry),
                is_on: project.profiles.may_enable(&service.profiles),
            }
        });
        found.collect::<Vec<_>>()
    });
    services.collect()
}

/// True if a row is that of an entry.
fn lists(row: &Row, entry: &Entry<'_>) -> bool {
    let (row_key, key) = (row.key(), entry.row.key());
    let origin = &entry.service.ports[entry.at].origin;
    // what the shell or an env file says is one machine's
    let from_outside = matches!(
        origin.kind,
        OriginKind::Shell { .. } | OriginKind::EnvFile { .. }
    );
    let published = from_outside && row.variable.is_some() && row.variable == entry.row.variable;
    match published {
        true => {
            (row_key.service, row_key.ip, row_key.container) == (key.service, key.ip, key.container)
        }
        false => row_key == key,
    }
}

/// A finding on an entry that is not listed.
fn missing(
    rule: &Rule,
    project: usize,
    entry: &Entry<'_>,
    pages: &[&Page<'_>],
    moved: Option<Stale<'_>>,
) -> Finding {
    let (name, container) = (&entry.service.name, &entry.row.container);
    let place = entry.row.place();
    let publish = &entry.service.ports[entry.at];
    let page = moved.as_ref().map_or(pages[0], |it| it.page);
    let path = slashes(&page.document.path);
    let but = match (&moved, pages) {
        (Some(stale), _) => format!("and `{path}` lists {}", stale.row.place()),
        (None, [_]) => format!("which `{path}` does not list"),
        (None, _) => "which no document lists".to_owned(),
    };
    let mut finding = rule.finding(format!("`{name}` publishes {container} on {place}, {but}"));
    finding.labels = vec![Label {
        project,
        span: publish.origin.span,
        text: format!("{name}: {place}"),
    }];
    finding.claims = vec![ClaimRef::of(project, entry.service, publish)];
    finding.notes.extend(moved.map(|stale| said_in(&stale)));
    finding.help = Some(page.help.clone());
    finding
}

/// A finding on a row that nothing publishes.
fn gone(rule: &Rule, world: &World, index: usize, stale: &Stale<'_>) -> Finding {
    let project = &world.projects[index];
    let Row { container, .. } = stale.row;
    let (name, place) = (stale.row.key().service, stale.row.place());
    let path = slashes(&stale.page.document.path);
    let service = project.services.iter().find(|it| it.name == name);
    let is_gone = stale.page.document.gone.contains(&stale.row.project);
    let (span, text) = match service {
        _ if is_gone => (
            start(project),
            format!("`{}` is not there", stale.row.project),
        ),
        Some(service) => (
            service.key,
            format!("does not publish {container} on {place}"),
        ),
        None => (start(project), format!("has no service `{name}`")),
    };
    let message =
        format!("`{path}` lists {place} for `{name}` ({container}), which nothing publishes");
    let mut finding = rule.finding(message);
    finding.labels = vec![Label {
        project: index,
        span,
        text,
    }];
    finding.notes.push(said_in(stale));
    finding.help = Some(stale.page.help.clone());
    finding
}

/// A finding on a project whose ports no document has a place for; or one that is broken.
fn nowhere(
    rule: &Rule,
    world: &World,
    index: usize,
    first: &Entry<'_>,
    broken: Option<&Page<'_>>,
) -> Finding {
    let project = &world.projects[index];
    let message = format!(
        "no document lists the published ports of `{}`",
        project.name
    );
    let mut finding = rule.finding(message);
    finding.labels = vec![Label {
        project: index,
        span: first.service.ports[first.at].origin.span,
        text: format!("{}: {}", first.service.name, first.row.place()),
    }];
    finding.help = Some(match broken {
        Some(page) => {
            let (path, then) = (slashes(&page.document.path), &page.help);
            format!(
                "in `{path}`, write one line `{OPEN}` and after it one line `{CLOSE}`; then {then}"
            )
        }
        None => {
            let named = world.settings.documents.as_ref();
            let named = named.and_then(|globs| globs.paths().next());
            let path = match named {
                Some(path) => world.settings.shown(&world.settings.root.join(path)),
                None => command::beside(project),
            };
            let command = command::write(&path, project);
            format!("paste `{OPEN}` and below it `{CLOSE}` into {path}; then `{command}` fills it")
        }
    });
    finding
}

fn said_in(stale: &Stale<'_>) -> String {
    format!(
        "that is in line {} of {}",
        stale.line, stale.page.document.path
    )
}

/// The start of a project's first file.
fn start(project: &Project) -> Span {
    let layer = project.layers.first();
    layer.map_or(Span::new(crate::span::FileId::default(), 0, 0), |layer| {
        Span::new(layer.file, layer.start, layer.start)
    })
}
