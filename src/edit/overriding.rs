//! Numbers in the override file that Compose finds beside a project's own: no other file changes.
//!
//! A service gets `ports: !override` with all its entries, for lists of several files append.

use std::collections::{BTreeMap, HashMap};

use camino::Utf8PathBuf;

use super::feed::{Feed, Link, Source};
use super::own::{self, Insert};
use super::patch::{Edit, Format, Patch, Scope};
use super::shelf::Book;
use super::site::{self, Edits, Placed, Plan, Writing};
use super::spell::TextEdit;
use super::{Changes, Workspace};
use crate::compose::discover::COMPOSE_FILES;
use crate::compose::port::Publish;
use crate::compose::project::{Project, PublishId};
use crate::plan::Move;
use crate::source::join;
use crate::yaml::{How, Node, Tag};

/// The edits that put the entries of moved publishes into override files.
pub(super) fn changes(workspace: &Workspace<'_>, moves: &[Move]) -> Changes {
    let feed = Feed::of(workspace);
    let mut changes = Changes::default();
    let mut edits = Edits::default();
    let mut by_project: BTreeMap<usize, HashMap<PublishId, Move>> = BTreeMap::new();
    for one in moves {
        let project = by_project.entry(one.publish.project).or_default();
        project.insert(one.publish, *one);
    }
    for (project, moves) in by_project {
        let written = Overriding {
            feed: &feed,
            project,
            read: &workspace.projects[project],
            moves: &moves,
        }
        .write(&mut edits);
        match written {
            Ok(patch) => changes.patches.extend(patch),
            Err(reason) => {
                for publish in moves.keys() {
                    changes.refuse(*publish, reason.clone());
                }
            }
        }
    }
    changes.finish(edits, &feed.shelf);
    changes
}

struct Overriding<'s> {
    feed: &'s Feed<'s>,
    project: usize,
    read: &'s Project,
    moves: &'s HashMap<PublishId, Move>,
}

impl Overriding<'_> {
    /// The edits of the override file, or the patch that makes one.
    fn write(&self, edits: &mut Edits) -> Result<Option<Patch>, String> {
        let main = match &self.read.files[..] {
            [main] | [main, _] if self.read.found => main,
            _ => {
                return Err(
                    "Compose looks for no override file here, because the files are named (-f or \
                     COMPOSE_FILE)"
                        .into(),
                );
            }
        };
        let mut services: Vec<usize> = self.moves.keys().map(|id| id.service).collect();
        services.sort_unstable();
        services.dedup();
        if let [_, over] = &self.read.files[..] {
            for service in services {
                self.merge(over, service, edits)?;
            }
            return Ok(None);
        }
        let name = main.file_name().filter(|name| COMPOSE_FILES.contains(name));
        let (stem, extension) = name
            .and_then(|name| name.rsplit_once('.'))
            .ok_or("its compose file has no name that Compose looks for")?;
        let shown = main.with_file_name(format!("{stem}.override.{extension}"));
        let line_end = "\n";
        let mut text = format!("services:{line_end}");
        for service in services {
            let lines = self.whole(service)?.in_block("    ", line_end);
            let name = key(&self.read.services[service].name);
            text.push_str(&format!("  {name}:{line_end}    {lines}{line_end}"));
        }
        let path = join(&self.feed.workspace.reading.cwd, &shown);
        let edit = Edit {
            range: 0..0,
            bytes: text.into_bytes(),
            scope: Scope::Entries,
        };
        let patch = Patch::of(path, shown, Format::Yaml, None, vec![edit]);
        Ok(Some(patch))
    }

    /// Puts the entries of a service into the override file that is there.
    fn merge(&self, over: &Utf8PathBuf, service: usize, edits: &mut Edits) -> Result<(), String> {
        let mut books = self.feed.shelf.books_of(self.project);
        let book = books.find(|book| self.feed.shelf.books[*book].source.path() == over);
        let index = book.ok_or("its override file was not read")?;
        let book = &self.feed.shelf.books[index];
        let [root] = book.documents() else {
            return Err("its override file has several documents".into());
        };
        let name = &*self.read.services[service].name;
        let mapping =
            |node: Option<&Node>| node.filter(|node| node.as_mapping().is_some()).cloned();
        let line_end = book.line_end();
        let add = |edits: &mut Edits, edit: TextEdit| edits.extend([(index, edit)]);
        let services = root.get("services");
        let written = services.and_then(|services| services.get(name));
        if written.is_some_and(|node| !node.steps().is_empty() || node.as_mapping().is_none()) {
            return Err(format!(
                "`{name}` is written as an alias in its override file"
            ));
        }
        let Some(written) = mapping(written) else {
            let new = self.whole(service)?;
            let edit = match (mapping(services), root.as_mapping()) {
                (Some(services), _) => book.append(
                    &services,
                    &|indent| {
                        let lines = new.in_block(&format!("{indent}  "), line_end);
                        format!("{}:{line_end}{indent}  {lines}", key(name))
                    },
                    &format!("{}: {{{}}}", key(name), new.in_flow()),
                ),
                (None, Some(_)) if services.is_none() => book.append(
                    root,
                    &|indent| {
                        let lines = new.in_block(&format!("{indent}    "), line_end);
                        format!(
                            "services:{line_end}{indent}  {}:{line_end}{indent}    {lines}",
                            key(name)
                        )
                    },
                    &format!("services: {{{}: {{{}}}}}", key(name), new.in_flow()),
                ),
                _ => Err("its override file has an empty `services`".into()),
            };
            add(edits, edit?);
            return Ok(());
        };
        let Some(ports) = written
            .get("ports")
            .filter(|ports| ports.steps().is_empty())
        else {
            if written.get("ports").is_some() {
                return Err("its `ports` in the override file are an alias".into());
            }
            let new = self.whole(service)?;
            let edit = book.append(
                &written,
                &|indent| new.in_block(indent, line_end),
                &new.in_flow(),
            );
            add(edits, edit?);
            return Ok(());
        };
        // its own entries stay where they are
        let (inside, outside): (Vec<PublishId>, Vec<PublishId>) =
            self.publishes(service).partition(|id| {
                let source = own_source(*id);
                let entry = self.feed.entry(source);
                entry.book == index
                    && ports.span.start <= entry.start
                    && entry.end <= ports.span.end
            });
        for entry in self.by_entry(&inside) {
            let plan = self.plan(&entry);
            let moving: Vec<Source> = plan.keys().copied().collect();
            if moving.is_empty() {
                continue;
            }
            if moving.len() != entry.len() {
                return Err(site::SEVERAL.into());
            }
            edits.extend([site::entry_edit(self.feed, &plan, &moving)?]);
        }
        if ports.tag != Some(Tag::Override) {
            let mut items = Vec::new();
            for entry in self.by_entry(&outside) {
                items.extend(self.entry(&entry)?);
            }
            add(edits, book.prepend(ports, "!override ", &items)?);
        }
        Ok(())
    }

    /// `ports: !override` with all entries of a service.
    fn whole(&self, service: usize) -> Result<Insert<'static>, String> {
        let ids: Vec<PublishId> = self.publishes(service).collect();
        let mut items = Vec::new();
        for entry in self.by_entry(&ids) {
            items.extend(self.entry(&entry)?);
        }
        Ok(Insert::list("!override ", items))
    }

    fn publishes(&self, service: usize) -> impl Iterator<Item = PublishId> + use<> {
        let project = self.project;
        (0..self.read.services[service].ports.len()).map(move |port| PublishId {
            project,
            service,
            port,
        })
    }

    /// Publishes of one entry, which Compose expanded, together. Where another entry has taken the
    /// place of some of them, each is on its own.
    fn by_entry(&self, ids: &[PublishId]) -> Vec<Vec<PublishId>> {
        let entry = |id: &PublishId| {
            let source = own_source(*id);
            (self.feed.entry(source), self.feed.chain(source).to_vec())
        };
        let runs: Vec<&[PublishId]> = ids.chunk_by(|a, b| entry(a) == entry(b)).collect();
        let torn = |run: &[PublishId]| {
            let same = |other: &&&[PublishId]| entry(&other[0]) == entry(&run[0]);
            runs.iter().filter(same).count() > 1
        };
        let whole = runs.iter().flat_map(|run| match torn(run) {
            true => run.chunks(1).collect(),
            false => vec![*run],
        });
        whole.map(<[PublishId]>::to_vec).collect()
    }

    /// The moves of an entry, as if they were to be written in it.
    fn plan(&self, ids: &[PublishId]) -> Plan {
        let sources = ids.iter().map(|id| own_source(*id));
        let placed = sources.filter_map(|source| {
            let one = *self.moves.get(&source.publish)?;
            let link = Link::Scalar(self.feed.entry(source));
            let writing = Writing::Number;
            Some((source, Placed { one, link, writing }))
        });
        placed.collect()
    }

    /// Whether an entry gives more publishes than these.
    fn is_torn(&self, ids: &[PublishId]) -> bool {
        let entry = |id: PublishId| self.feed.entry(own_source(id));
        let all = self.publishes(ids[0].service);
        let count = all.filter(|id| entry(*id) == entry(ids[0])).count();
        count > ids.len()
    }

    /// The texts of an entry: its own with the new number, or, where its number cannot be changed
    /// there, what it means.
    fn entry(&self, ids: &[PublishId]) -> Result<Vec<String>, String> {
        let first = own_source(*ids.first().ok_or(site::SEVERAL)?);
        let steps = self.feed.origin(first).trail.iter();
        // an included file may see other variables
        let included = steps.clone().any(|step| step.how == How::Include);
        let plan = self.plan(ids);
        if !included
            && !self.is_torn(ids)
            && (plan.is_empty() || plan.len() == ids.len())
            && let Some((book, item)) = self.feed.item(first)
            && let Ok(text) = own::copied(self.feed, &plan, book, item)
        {
            return Ok(vec![text]);
        }
        ids.iter()
            .map(|id| {
                let publish = self.feed.publish(*id);
                let number = self.moves.get(id).map(|one| one.to.to_string());
                meaning(
                    publish,
                    number.or_else(|| publish.published.clone()).as_deref(),
                )
            })
            .collect()
    }
}

/// The place where a publish itself is written.
fn own_source(publish: PublishId) -> Source {
    Source { publish, index: 0 }
}

/// An entry that means a publish, with this number.
fn meaning(publish: &Publish, number: Option<&str>) -> Result<String, String> {
    let target = publish
        .target
        .ok_or("one of its ports has no container port")?;
    let protocol = publish.protocol.as_deref().unwrap_or_default();
    let is_number = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    let short = matches!(protocol, "tcp" | "udp" | "sctp")
        && publish.mode.as_deref() == Some("ingress")
        && publish.name.is_none()
        && publish.app_protocol.is_none()
        && target <= u32::from(u16::MAX)
        && number.is_none_or(is_number);
    if short {
        let mut text = match publish.host_ip.as_deref() {
            Some(ip) if ip.contains(':') => format!("[{ip}]:"),
            Some(ip) => format!("{ip}:"),
            None => String::new(),
        };
        match number {
            Some(number) => text.push_str(&format!("{number}:")),
            None if text.is_empty() => {}
            None => text.push(':'),
        }
        text.push_str(&target.to_string());
        if protocol != "tcp" {
            text.push_str(&format!("/{protocol}"));
        }
        return Ok(own::text(&text));
    }
    let mut fields = vec![format!("target: {target}")];
    let keys = [
        ("published", number),
        ("host_ip", publish.host_ip.as_deref()),
        ("protocol", Some(protocol)),
        ("mode", publish.mode.as_deref()),
        ("name", publish.name.as_deref()),
        ("app_protocol", publish.app_protocol.as_deref()),
    ];
    for (key, value) in keys {
        if let Some(value) = value {
            fields.push(format!("{key}: {}", own::text(&value.replace('$', "$$"))));
        }
    }
    Ok(format!("{{{}}}", fields.join(", ")))
}

/// A service's name as a key.
fn key(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
    let word = matches!(
        &*name.to_lowercase(),
        "y" | "n" | "yes" | "no" | "on" | "off" | "true" | "false" | "null"
    );
    if plain && !word {
        name.to_owned()
    } else {
        own::text(name)
    }
}

impl Book<'_> {
    /// Adds a key at the end of a mapping: lines for one in block style, which are given the
    /// indentation of its keys, or a text for one between braces.
    fn append(
        &self,
        node: &Node,
        lines: &dyn Fn(&str) -> String,
        flow: &str,
    ) -> Result<TextEdit, String> {
        let text = self.text();
        let start = node.span.start as usize;
        if text[start..].starts_with('{') {
            return Ok(self.insert_at(start + 1, self.before_item(start + 1, flow)));
        }
        let indent = self.indent(start);
        let end = text[..node.span.end as usize].trim_end().len();
        let rest = text[end..].split('\n').next().unwrap_or_default();
        if !(rest.trim_start().is_empty() || rest.trim_start().starts_with('#')) {
            return Err("its override file is written in a way that portplan cannot add to".into());
        }
        let end = end + rest.trim_end_matches('\r').len();
        let line_end = self.line_end();
        Ok(self.insert_at(end, format!("{line_end}{indent}{}", lines(&indent))))
    }
}
