//! Edits that move no port: quotes, defaults, host ports and IPs where there were none, tags,
//! comments that go.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::entry_text::EntryText;
use super::env;
use super::feed::{Feed, Source};
use super::patch::Patch;
use super::proof::failing;
use super::shelf::Place;
use super::site::Edits;
use super::spell::TextEdit;
use super::{Changes, Workspace};
use crate::binding::PortRange;
use crate::compose::port::Publish;
use crate::compose::project::PublishId;
use crate::finding::{Fix, Rewrite};
use crate::plan::Move;
use crate::span::Span;

/// What an edit that moves nothing makes of a published port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It gets this host port or range.
    Published(String),
    /// It gets this host port or range, because this variable has a default now.
    Default(String, String),
    /// It gets this host IP.
    HostIp(String),
    /// It is not published any more.
    Gone,
}

/// What became of fixes.
#[derive(Clone, Debug, Default)]
pub struct Rewritten {
    /// What is written, with what was to be written besides.
    pub changes: Changes,
    /// The fixes that are not written, by their indices, and why.
    pub refused: BTreeMap<usize, String>,
}

/// Fixes that are written as one, or not at all.
struct Unit {
    fixes: Vec<usize>,
    patches: Vec<Patch>,
    effects: BTreeMap<PublishId, Effect>,
}

/// `changes`, which carry out `moves`, together with as many of the fixes as can be written beside
/// them and proved.
pub(super) fn rewrite(
    workspace: &Workspace<'_>,
    moves: &[Move],
    changes: &Changes,
    fixes: &[Fix],
    explains: &dyn Fn(&str, &str) -> bool,
) -> Rewritten {
    let feed = Feed::of(workspace);
    let mut refused = BTreeMap::new();
    let mut units = Vec::new();
    let mut groups: BTreeMap<(Option<Place>, &Rewrite), Vec<usize>> = BTreeMap::new();
    for (index, fix) in fixes.iter().enumerate() {
        let first = fix.publishes.first();
        let place = first.map(|id| feed.entry(Source::own(*id)));
        // variables get their names together
        let place = place.filter(|_| fix.rewrite != Rewrite::Variable);
        groups.entry((place, &fix.rewrite)).or_default().push(index);
    }
    for ((_, rewrite), of) in groups {
        let publishes = of.iter().flat_map(|index| &fixes[*index].publishes);
        let publishes: BTreeSet<PublishId> = publishes.copied().collect();
        match unit(&feed, rewrite, &publishes) {
            Ok((patches, effects)) => {
                let (written, left) = of.into_iter().partition(|index| {
                    *rewrite != Rewrite::Variable || feed.is_edited(&fixes[*index], &patches)
                });
                let reason = "it is written in a way that leaves no place for a variable";
                let left: Vec<usize> = left;
                refused.extend(left.into_iter().map(|index| (index, reason.to_owned())));
                units.push(Unit {
                    fixes: written,
                    patches,
                    effects,
                });
            }
            Err(reason) => refused.extend(of.into_iter().map(|index| (index, reason.clone()))),
        }
    }
    // what is in the way of what is written anyway waits
    let mut together = changes.clone();
    units.retain(|unit| {
        let joined = together.join(unit);
        if let Some(joined) = joined {
            together = joined;
            return true;
        }
        let reason = "something else is written there now: run it again";
        refused.extend(unit.fixes.iter().map(|index| (*index, reason.to_owned())));
        false
    });
    let prove = |units: &[&Unit]| {
        let joined = units
            .iter()
            .try_fold(changes.clone(), |all, unit| all.join(unit));
        let joined = joined.unwrap_or_default();
        let proved = workspace.prove_along(moves, &joined, explains);
        proved.map(|()| joined)
    };
    let all: Vec<&Unit> = units.iter().collect();
    let changes = prove(&all).unwrap_or_else(|_| {
        let mut good = all.clone();
        for (unit, disproof) in failing(&all, &|units| prove(units).map(drop)) {
            good.retain(|it| !std::ptr::eq(*it, *unit));
            let reason = format!("its edit did not pass the proof: {}", disproof.0.join("; "));
            refused.extend(unit.fixes.iter().map(|index| (*index, reason.clone())));
        }
        prove(&good).unwrap_or_else(|disproof| {
            let reason = disproof.to_string();
            let left = good.iter().flat_map(|unit| &unit.fixes);
            refused.extend(left.map(|index| (*index, reason.clone())));
            changes.clone()
        })
    });
    Rewritten { changes, refused }
}

impl Changes {
    /// These changes and those of a unit; nothing if they are in each other's way.
    fn join(&self, unit: &Unit) -> Option<Self> {
        let mut all = self.clone();
        for patch in &unit.patches {
            super::patch::lay(&mut all.patches, patch).ok()?;
        }
        all.patches.sort_by(|a, b| a.path.cmp(&b.path));
        all.effects.extend(unit.effects.clone());
        Some(all)
    }
}

type Written = (Vec<Patch>, BTreeMap<PublishId, Effect>);

/// The patches of a rewrite of one entry, for these of its publishes.
fn unit(
    feed: &Feed<'_>,
    rewrite: &Rewrite,
    publishes: &BTreeSet<PublishId>,
) -> Result<Written, String> {
    if *rewrite == Rewrite::Variable {
        let publishes: Vec<PublishId> = publishes.iter().copied().collect();
        let changes = env::parameterize(feed.workspace, &publishes);
        return Ok((changes.patches, BTreeMap::new()));
    }
    if let Rewrite::Removal { project, span } = rewrite {
        let place = feed.shelf.place(*project, *span);
        let span = Span::new(feed.shelf.book(place).id(), place.start, place.end);
        let edit = TextEdit::number(span, "");
        return Ok((patches(feed, [(place.book, edit)])?, BTreeMap::new()));
    }
    let Some(first) = publishes.first() else {
        return Err("it is no entry".into());
    };
    if let Rewrite::Override { gone } = rewrite {
        let entry = EntryText::of(feed, Source::own(*first))?;
        let edit = entry.overriding(&first.of(feed.workspace.projects).1.name)?;
        let gone = gone.iter().map(|id| (*id, Effect::Gone));
        return Ok((patches(feed, [(entry.place.book, edit)])?, gone.collect()));
    }
    // an entry that Compose takes for the same must stay the same
    let sources = publishes.iter().flat_map(|id| feed.sources(*id));
    let places: BTreeMap<Place, Source> = sources.map(|it| (feed.entry(it), it)).collect();
    let mut edits = Vec::new();
    for (place, source) in &places {
        let entry = EntryText::of(feed, *source)?;
        let edit = match rewrite {
            Rewrite::Quotes => entry.in_quotes()?,
            Rewrite::Default { variable, ports } => entry.with_default(variable, *ports)?,
            Rewrite::HostPort(ports) => entry.with_host_port(*ports)?,
            Rewrite::HostIp(ip) => entry.with_host_ip(*ip)?,
            _ => return Err("it is no entry".into()),
        };
        edits.push((place.book, edit));
    }
    // what is written there counts for all who have it from there
    let sharers = places.keys().flat_map(|place| feed.with_entry(*place));
    let sharers: BTreeSet<PublishId> = sharers.copied().collect();
    let stranger = || match sharers.difference(publishes).next() {
        Some(id) => {
            let service = &id.of(feed.workspace.projects).1.name;
            Err(format!("`{service}` has its port from the same place"))
        }
        None => Ok(()),
    };
    let effects = match rewrite {
        Rewrite::Default { variable, ports } => {
            // where the variable is set, a default changes nothing
            let unset = |id: &PublishId| feed.publish(*id).published.is_none();
            let unset: BTreeSet<PublishId> = sharers.into_iter().filter(unset).collect();
            let given = feed.one_each(&unset, *ports).into_iter();
            let effect = |port| Effect::Default(variable.clone(), port);
            given.map(|(id, port)| (id, effect(port))).collect()
        }
        Rewrite::HostPort(ports) => {
            stranger()?;
            let given = feed.one_each(&sharers, *ports).into_iter();
            given
                .map(|(id, port)| (id, Effect::Published(port)))
                .collect()
        }
        Rewrite::HostIp(ip) => {
            stranger()?;
            let ip = ip.ip().to_string();
            if sharers.iter().any(|id| feed.has_twin_at(*id, &ip)) {
                return Err("the service publishes it there already: remove one of the two".into());
            }
            let effect = |id: &PublishId| (*id, Effect::HostIp(ip.clone()));
            sharers.iter().map(effect).collect()
        }
        _ => BTreeMap::new(),
    };
    Ok((patches(feed, edits)?, effects))
}

/// Edits, each with its book, as patches of their files.
fn patches(
    feed: &Feed<'_>,
    edits: impl IntoIterator<Item = (usize, TextEdit)>,
) -> Result<Vec<Patch>, String> {
    let mut by_file = Edits::default();
    for (book, edit) in edits {
        if feed.shelf.books[book].path == "-" {
            return Err("standard input cannot be changed".into());
        }
        by_file.extend([(book, edit)]);
    }
    Ok(by_file.patches(&feed.shelf).collect())
}

impl Feed<'_> {
    /// The publishes that have their entry at a place, or one that Compose takes for the same.
    fn with_entry(&self, place: Place) -> &[PublishId] {
        let entries = self.by_entry.get_or_init(|| {
            let mut entries: HashMap<Place, Vec<PublishId>> = HashMap::new();
            let sources = self.publishes().flat_map(|id| self.sources(id));
            for source in sources {
                let of_place = entries.entry(self.entry(source)).or_default();
                of_place.push(source.publish);
            }
            entries
        });
        entries.get(&place).map_or(&[], Vec::as_slice)
    }

    /// True if one of the patches changes the entry that a fix is for.
    fn is_edited(&self, fix: &Fix, patches: &[Patch]) -> bool {
        let first = fix.publishes.first();
        first.is_some_and(|id| {
            let entry = self.entry(Source::own(*id));
            let book = self.shelf.book(entry);
            let span = Span::new(book.id(), entry.start, entry.end);
            let [start, end] = book.source.disk_range(span);
            let mut of_file = patches.iter().filter(|patch| patch.path == book.path);
            of_file.any(|patch| {
                let mut edits = patch.edits().iter().map(|edit| &edit.range);
                edits.any(|at| start <= at.start as u64 && at.end as u64 <= end)
            })
        })
    }

    /// The host port of each publish of one entry: its first container port gets the first, or if
    /// there is only one, that gets all, for the replicas.
    fn one_each(
        &self,
        publishes: &BTreeSet<PublishId>,
        ports: PortRange,
    ) -> Vec<(PublishId, String)> {
        let target = |id: &PublishId| self.publish(*id).target.unwrap_or_default();
        let first = publishes.iter().map(target).min().unwrap_or_default();
        let last = publishes.iter().map(target).max().unwrap_or_default();
        let given = publishes.iter().map(|id| {
            if first == last {
                return (*id, ports.to_string());
            }
            let nth = (target(id) - first) as usize;
            let port = ports.iter().nth(nth).unwrap_or(ports.first());
            (*id, port.to_string())
        });
        given.collect()
    }

    /// True if the service publishes the same at this host IP.
    fn has_twin_at(&self, id: PublishId, ip: &str) -> bool {
        let (_, service, publish) = id.of(self.workspace.projects);
        let what = |it: &Publish| (it.target, it.published.clone(), it.protocol.clone());
        let mut twins = service.ports.iter().filter(|it| what(it) == what(publish));
        twins.any(|twin| twin.host_ip.as_deref() == Some(ip))
    }
}
