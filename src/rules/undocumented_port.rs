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

use camino::{Utf8Path, Utf8PathBuf};

use super::{Context, Rule};
use crate::compose::port::OriginKind;
use crate::compose::project::{Project, Service};
use crate::document::Document;
use crate::document::embed::{CLOSE, OPEN};
use crate::document::find::DEFAULT;
use crate::document::table::{Row, entries};
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

/// A row that nothing publishes.
struct Stale<'w> {
    document: &'w Document,
    line: u32,
    row: &'w Row,
}

fn check(rule: &Rule, cx: &Context<'_>, out: &mut Vec<Finding>) {
    let world = cx.world;
    let entries: Vec<Vec<Entry<'_>>> = world.projects.iter().map(entries_of).collect();
    for (index, entries_here) in entries.iter().enumerate() {
        let documents = world.documents.iter();
        let documents = documents.filter(|it| it.projects.contains(&index));
        let documents: Vec<&Document> = documents.collect();
        let on = || entries_here.iter().filter(|entry| entry.is_on);
        if documents.iter().all(|document| document.table.is_err()) {
            out.extend(on().next().map(|first| {
                let broken = documents.first().copied();
                nowhere(rule, world, index, first, broken)
            }));
            continue;
        }
        let project = &world.projects[index];
        let mut stale: Vec<Stale<'_>> = documents
            .iter()
            .flat_map(|document| stale(world, document, index, &entries))
            .collect();
        for entry in on() {
            let mut rows = documents.iter().flat_map(|it| it.rows_of(project));
            if rows.any(|(_, row)| lists(row, entry)) {
                continue;
            }
            let key = entry.row.key();
            let moved = stale.iter().position(|it| {
                let row = it.row.key();
                (row.service, row.container) == (key.service, key.container)
            });
            let moved = moved.map(|at| stale.remove(at));
            out.push(missing(rule, world, index, entry, &documents, moved));
        }
        // a project that is not there is nobody's: told of the first
        let first = documents
            .iter()
            .filter(|it| it.projects.first() == Some(&index));
        stale.extend(first.flat_map(|document| of_nobody(document)));
        for stale in stale {
            out.push(gone(rule, world, index, &stale));
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

/// The rows of a document that are of a project, and of no entry: told of the first project that
/// they may be of.
fn stale<'w>(
    world: &World,
    document: &'w Document,
    index: usize,
    entries: &[Vec<Entry<'_>>],
) -> Vec<Stale<'w>> {
    let project = &world.projects[index];
    let owners = |row: &Row| {
        let all = document.projects.iter().copied();
        let is_of = |other: &usize| document.is_of(row, &world.projects[*other]);
        all.filter(is_of).collect::<Vec<_>>()
    };
    let rows = document.rows_of(project).filter(|(_, row)| {
        let owners = owners(row);
        let mut published = owners.iter().flat_map(|owner| &entries[*owner]);
        owners.first() == Some(&index) && !published.any(|entry| lists(row, entry))
    });
    let stale = rows.map(|(line, row)| Stale {
        document,
        line: *line,
        row,
    });
    stale.collect()
}

/// The rows of a document that are of projects which are not there.
fn of_nobody(document: &Document) -> impl Iterator<Item = Stale<'_>> {
    let rows = document.rows();
    let rows = rows.filter(|(_, row)| document.gone.contains(&row.project));
    rows.map(|(line, row)| Stale {
        document,
        line: *line,
        row,
    })
}

/// A finding on an entry that is not listed.
fn missing(
    rule: &Rule,
    world: &World,
    project: usize,
    entry: &Entry<'_>,
    documents: &[&Document],
    moved: Option<Stale<'_>>,
) -> Finding {
    let (name, container) = (&entry.service.name, &entry.row.container);
    let place = entry.row.place();
    let publish = &entry.service.ports[entry.at];
    let document = moved.as_ref().map_or(documents[0], |it| it.document);
    let path = slashes(&document.path);
    let but = match (&moved, documents) {
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
    finding.help = Some(anew(world, document));
    finding
}

/// A finding on a row that nothing publishes.
fn gone(rule: &Rule, world: &World, index: usize, stale: &Stale<'_>) -> Finding {
    let project = &world.projects[index];
    let Row { container, .. } = stale.row;
    let (name, place) = (stale.row.key().service, stale.row.place());
    let path = slashes(&stale.document.path);
    let service = project.services.iter().find(|it| it.name == name);
    let is_gone = stale.document.gone.contains(&stale.row.project);
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
    finding.help = Some(anew(world, stale.document));
    finding
}

/// A finding on a project whose ports no document has a place for; or one that is broken.
fn nowhere(
    rule: &Rule,
    world: &World,
    index: usize,
    first: &Entry<'_>,
    broken: Option<&Document>,
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
        Some(document) => {
            let path = slashes(&document.path);
            let then = anew(world, document);
            format!(
                "in `{path}`, write one line `{OPEN}` and after it one line `{CLOSE}`; then {then}"
            )
        }
        None => {
            let named = world.settings.documents.as_ref();
            let named = named.and_then(|globs| globs.paths().next());
            let path = match named {
                Some(path) => world.settings.shown(&world.settings.root.join(path)),
                None => beside(project),
            };
            let command = command(&path, &project_files(project));
            format!("paste `{OPEN}` and below it `{CLOSE}` into {path}; then `{command}` fills it")
        }
    });
    finding
}

fn said_in(stale: &Stale<'_>) -> String {
    format!("that is in line {} of {}", stale.line, stale.document.path)
}

/// The start of a project's first file.
fn start(project: &Project) -> Span {
    let layer = project.layers.first();
    layer.map_or(Span::new(crate::span::FileId::default(), 0, 0), |layer| {
        Span::new(layer.file, layer.start, layer.start)
    })
}

/// The document beside a project.
fn beside(project: &Project) -> Utf8PathBuf {
    match project.directory.as_str() {
        "" | "." => DEFAULT.into(),
        _ => project.directory.join(DEFAULT),
    }
}

/// How to write the table of a document anew: with all projects that are to be in it, and those
/// that are.
fn anew(world: &World, document: &Document) -> String {
    let projects = document.projects.iter();
    let projects: Vec<&Project> = projects.map(|index| &world.projects[*index]).collect();
    let folder = document.path.parent().unwrap_or(Utf8Path::new(""));
    let others = document.rows().map(|(_, row)| row);
    let others = others.filter(|row| {
        let known = projects.iter().any(|it| document.is_of(row, it));
        !known && !document.gone.contains(&row.project)
    });
    let others: Vec<Utf8PathBuf> = others
        .map(|row| plain(&folder.join(&row.project)))
        .collect();
    let files = match (&projects[..], &others[..]) {
        ([one], []) => project_files(one),
        _ => {
            let own = projects.iter().map(|project| plain(&project.directory));
            vec![common(own.chain(others))]
        }
    };
    format!(
        "`{}` writes the table anew",
        command(&document.path, &files)
    )
}

/// The files that a project is made of; none if it is the one of the working directory.
fn project_files(project: &Project) -> Vec<Utf8PathBuf> {
    match (project.found, project.directory.as_str()) {
        (true, "" | ".") => Vec::new(),
        // an override beside the first is found
        (true, _) => project.files.iter().take(1).cloned().collect(),
        (false, _) => project.files.clone(),
    }
}

/// The command that writes the table of some files or a folder into a document.
fn command(document: &Utf8Path, files: &[Utf8PathBuf]) -> String {
    let write = format!("--format markdown --write {}", word(document));
    match files {
        [] => format!("portplan list {write}"),
        [one] => format!("portplan list {} {write}", word(one)),
        several => {
            let files = several.iter().map(|file| format!(" -f {}", word(file)));
            format!("portplan list{} {write}", files.collect::<String>())
        }
    }
}

/// A path as a shell reads it.
fn word(path: &Utf8Path) -> String {
    let path = slashes(path);
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+@%,:".contains(c);
    match path.chars().all(is_plain) {
        true => path,
        false => format!("'{}'", path.replace('\'', "'\\''")),
    }
}

/// A path without `.`.
fn plain(path: &Utf8Path) -> Utf8PathBuf {
    crate::source::join(Utf8Path::new(""), path)
}

/// The folder that holds all of these.
fn common(paths: impl Iterator<Item = Utf8PathBuf>) -> Utf8PathBuf {
    let common = paths.reduce(|a, b| {
        let both = a.components().zip(b.components());
        let alike = both.take_while(|(a, b)| a == b).map(|(a, _)| a);
        let alike: Utf8PathBuf = alike.collect();
        match alike.as_str() {
            // of `a` and `../b`
            "" if b.starts_with("..") || a.starts_with("..") => "..".into(),
            _ => alike,
        }
    });
    match common {
        Some(path) if !path.as_str().is_empty() => path,
        _ => ".".into(),
    }
}
