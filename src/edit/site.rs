//! Where a move is written: at the first place of its chain, from the digits outwards, that feeds
//! only publishes which move alike.

use std::collections::{BTreeMap, HashMap};

use super::feed::{Feed, Link, Source};
use super::patch::{Edit, Format, Patch};
use super::shelf::{Place, Shelf};
use super::spell::{self, TextEdit};
use super::variable::{self, Reach};
use super::{Along, Changes, Refusal, Workspace, own};
use crate::binding::PortRange;
use crate::compose::interpolate::Lookup as _;
use crate::compose::port::OriginKind;
use crate::compose::project::PublishId;
use crate::plan::Move;
use crate::span::Span;

pub(super) const SEVERAL: &str = "the ports of its entry would move to different places";

/// What a number becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Writing {
    /// The new number.
    Number,
    /// A variable, with the old number as its default.
    Variable(String),
}

/// A move, and where and how it is to be written for one source of its publish.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub one: Move,
    pub link: Link,
    pub writing: Writing,
}

/// All moves, by what they change.
pub(super) type Plan = BTreeMap<Source, Placed>;

/// The edits that carry out `moves` where the numbers are written.
pub(super) fn changes(workspace: &Workspace<'_>, moves: &[Move], along: &Along) -> Changes {
    let mut feed = Feed::of(workspace);
    feed.go_along(along);
    let mut changes = Changes::default();
    let plan = plan(&feed, moves, &mut changes);
    let mut edits = Edits::default();
    carry_out(&feed, &plan, &mut changes, &mut edits);
    changes.finish(edits, &feed.shelf);
    changes
}

impl Changes {
    pub(super) fn refuse(&mut self, publish: PublishId, reason: impl Into<String>) {
        if !self.is_refused(publish) {
            self.refusals.push(Refusal {
                publish,
                reason: reason.into(),
            });
        }
    }

    pub(super) fn is_refused(&self, publish: PublishId) -> bool {
        self.refusals
            .iter()
            .any(|refusal| refusal.publish == publish)
    }

    pub(super) fn finish(&mut self, edits: Edits, shelf: &Shelf<'_>) {
        self.refusals.sort_by_key(|refusal| refusal.publish);
        self.patches.extend(edits.patches(shelf));
        self.patches.sort_by(|a, b| a.path.cmp(&b.path));
    }
}

/// Where each move is to be written; one that cannot be is refused.
pub(super) fn plan(feed: &Feed<'_>, moves: &[Move], changes: &mut Changes) -> Plan {
    let mut moving: HashMap<PublishId, Move> =
        moves.iter().map(|one| (one.publish, *one)).collect();
    // what is refused stays, and may hold others back
    loop {
        let mut plan = Plan::new();
        let mut refused = Vec::new();
        for one in moves.iter().filter(|one| moving.contains_key(&one.publish)) {
            for source in feed.sources(one.publish) {
                match site(feed, source, &moving) {
                    Ok(link) => {
                        let writing = Writing::Number;
                        let one = *one;
                        plan.insert(source, Placed { one, link, writing });
                    }
                    Err(reason) => refused.push((one.publish, reason)),
                }
            }
        }
        if refused.is_empty() {
            return plan;
        }
        for (publish, reason) in refused {
            moving.remove(&publish);
            changes.refuse(publish, reason);
        }
    }
}

/// Makes the edits of a plan.
pub(super) fn carry_out(feed: &Feed<'_>, plan: &Plan, changes: &mut Changes, edits: &mut Edits) {
    let mut groups: BTreeMap<&Link, Vec<Source>> = BTreeMap::new();
    for (source, placed) in plan {
        groups.entry(&placed.link).or_default().push(*source);
    }
    for (link, group) in groups {
        let written = match link {
            Link::Shell(variable) => export(feed, plan, variable, &group).map(|value| {
                changes.exports.insert(variable.clone(), value);
                None
            }),
            Link::Digits(place) if feed.shelf.book(*place).format == Format::Env => {
                env_file_edit(feed, plan, &group).map(Some)
            }
            Link::Digits(_) | Link::Scalar(_) => entry_edit(feed, plan, &group).map(Some),
            Link::Step(place) => own::edit(feed, *place, plan).map(Some),
        };
        match written {
            Ok(edit) => edits.extend(edit),
            Err(reason) => {
                for source in &group {
                    changes.refuse(source.publish, reason.clone());
                }
            }
        }
    }
}

/// The first place of the chain that feeds only publishes that move alike.
fn site(feed: &Feed<'_>, source: Source, moves: &HashMap<PublishId, Move>) -> Result<Link, String> {
    if feed.origin(source).kind == OriginKind::Mixed {
        return Err(
            "its number is made up of several parts: move it in an override file \
             (--into override)"
                .into(),
        );
    }
    let mut first_reason = None;
    for link in feed.chain(source) {
        match unfit(feed, link, source, moves) {
            None => return Ok(link.clone()),
            Some(reason) => {
                first_reason.get_or_insert(reason);
            }
        }
    }
    Err(first_reason.unwrap_or_else(|| "its number is not written in a file".into()))
}

/// Why a move cannot be written at a place.
fn unfit(
    feed: &Feed<'_>,
    link: &Link,
    source: Source,
    moves: &HashMap<PublishId, Move>,
) -> Option<String> {
    // what a step pulls in beside it is copied as it is
    let start = feed.chain(source).first();
    let is_step = matches!(link, Link::Step(_));
    let fed: Vec<Source> = feed
        .fed(link)
        .iter()
        .copied()
        .filter(|other| !is_step || feed.chain(*other).first() == start)
        .collect();
    if let Some(other) = fed.iter().find(|other| !moves.contains_key(&other.publish)) {
        return Some(format!(
            "its number is also that of {}, which does not move",
            name(feed, other.publish, source.publish)
        ));
    }
    let fed_moves: Vec<Move> = fed
        .iter()
        .filter_map(|fed| moves.get(&fed.publish))
        .copied()
        .collect();
    // in a copy each gets its own number
    if !is_step && spell::numbers(&fed_moves).is_none() {
        return Some("its number is also that of a port that moves elsewhere".into());
    }
    let stdin = |place: &Place| {
        (feed.shelf.book(*place).path == "-").then(|| "standard input cannot be changed".into())
    };
    match link {
        Link::Shell(variable) => variable::other_use(feed, variable, Reach::Everyone, &fed),
        Link::Digits(place) => match (feed.shelf.book(*place).format, &feed.origin(source).kind) {
            (Format::Env, OriginKind::EnvFile { variable }) => {
                variable::other_use(feed, variable, Reach::EnvFile(*place), &fed)
            }
            (Format::Env, _) => Some("its number is a default in an env file".into()),
            (Format::Yaml, _) => stdin(place).or_else(|| {
                let other = feed.shelf.book(*place).has_other_meaning(*place);
                other.then(|| "its number is also used for something that is not a port".into())
            }),
        },
        Link::Scalar(place) | Link::Step(place) => stdin(place),
    }
}

/// What another publish is called beside `one`.
fn name(feed: &Feed<'_>, other: PublishId, one: PublishId) -> String {
    let (project, service, publish) = other.of(feed.workspace.projects);
    let mut name = format!("`{}`", service.name);
    if other.project != one.project {
        name.push_str(&format!(" of project `{}`", project.name));
    }
    if let Some(target) = publish.target {
        name.push_str(&format!(" (container port {target})"));
    }
    name
}

/// The moves of some sources.
fn moves_of(plan: &Plan, group: &[Source]) -> Vec<Move> {
    let placed = group.iter().filter_map(|source| plan.get(source));
    placed.map(|placed| placed.one).collect()
}

/// The edit of a value in an env file.
fn env_file_edit(
    feed: &Feed<'_>,
    plan: &Plan,
    group: &[Source],
) -> Result<(usize, TextEdit), String> {
    let first = *group.first().ok_or(SEVERAL)?;
    let (_, to) = spell::numbers(&moves_of(plan, group)).ok_or(SEVERAL)?;
    let span = feed.origin(first).span;
    let book = feed.shelf.place(first.publish.project, span).book;
    Ok((book, TextEdit::number(span, to.to_string())))
}

/// The edit in the one entry of some sources: of the digits if they are there, else of the variable
/// that gives them.
pub(super) fn entry_edit(
    feed: &Feed<'_>,
    plan: &Plan,
    group: &[Source],
) -> Result<(usize, TextEdit), String> {
    let first = *group.first().ok_or(SEVERAL)?;
    let (from, to) = spell::numbers(&moves_of(plan, group)).ok_or(SEVERAL)?;
    let text = match plan.get(&first).map(|placed| &placed.writing) {
        Some(Writing::Variable(name)) => format!("${{{name}:-{from}}}"),
        _ => to.to_string(),
    };
    let scalar = feed.scalar(first).ok_or("its entry was not found again")?;
    let (book, node) = (scalar.book, scalar.node);
    let edit = if feed.has_digits_in_entry(first) {
        // the same bytes, in the file's own names
        let digits = feed.origin(first).span;
        let span = Span::new(node.span.file, digits.start, digits.end);
        spell::in_place(book, node, scalar.long, span, &text)
    } else {
        let value = feed.value(scalar.place);
        let value = value.ok_or("no variable gives its number")?;
        spell::in_place_of_variable(book, node, scalar.long, value, &text)
    };
    Ok((scalar.place.book, edit?))
}

/// The new value of a variable of the shell.
fn export(
    feed: &Feed<'_>,
    plan: &Plan,
    variable: &str,
    group: &[Source],
) -> Result<String, String> {
    let (from, to) = spell::numbers(&moves_of(plan, group)).ok_or(SEVERAL)?;
    let value = feed.workspace.reading.shell.lookup(variable);
    match value.and_then(|text| text.value().parse::<PortRange>().ok()) {
        Some(range) if range == from => Ok(to.to_string()),
        _ => Err(format!(
            "the variable {variable} of the shell gives more than the number"
        )),
    }
}

/// Edits by book.
#[derive(Default)]
pub(super) struct Edits {
    by_book: BTreeMap<usize, Vec<TextEdit>>,
}

impl Extend<(usize, TextEdit)> for Edits {
    fn extend<T: IntoIterator<Item = (usize, TextEdit)>>(&mut self, edits: T) {
        for (book, edit) in edits {
            self.by_book.entry(book).or_default().push(edit);
        }
    }
}

impl Edits {
    /// The patches, by path.
    pub fn patches(self, shelf: &Shelf<'_>) -> impl Iterator<Item = Patch> {
        self.by_book.into_iter().map(|(book, edits)| {
            let book = &shelf.books[book];
            let edits = edits.into_iter().map(|edit| {
                let [start, end] = book.source.disk_range(edit.span);
                Edit {
                    range: start as usize..end as usize,
                    bytes: book.source.encode(&edit.text),
                    scope: edit.scope,
                }
            });
            Patch::of(
                book.path.clone(),
                book.source.path().to_owned(),
                book.format,
                Some(book.source.bytes()),
                edits.collect(),
            )
        })
    }
}
