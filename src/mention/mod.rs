//! What must follow a move: places that name a published port as an address of this host,
//! `localhost:8000` and the like.
//!
//! [`Survey`] looks at the files of a project, at the env files that its containers get, and at
//! documents and configuration below its folder. Nothing is guessed: what may as well mean
//! something else is [`Kind::Unclear`], and what means it surely not (`localhost` in a
//! healthcheck is the container itself) is no mention.

mod folder;
mod place;
mod scan;
mod text;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use camino::Utf8PathBuf;

use crate::binding::{HostIp, Port, PortRange};
use crate::compose::project::{Project, PublishId};
use crate::edit::{Along, Changes, Edit, Patch, Scope, Workspace};
use crate::plan::Move;
use crate::source::LineColumn;
use crate::span::{FileId, Span};
use folder::Reader;
use place::Whose;
pub use scan::Scanner;
use text::{Sighting, Text, Texts, Through};

/// A place that names a port which moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// The publish that moves.
    pub publish: PublishId,
    /// The file, from the root; links are followed.
    pub path: Utf8PathBuf,
    /// The file as the user knows it.
    pub shown: Utf8PathBuf,
    /// Where it begins.
    pub at: LineColumn,
    /// Address and port: `localhost:8000`.
    pub text: String,
    /// What it should become, where that is known.
    pub to: Option<String>,
    /// What follows from it.
    pub kind: Kind,
    /// The bytes of the port in the file's text, and the new ones.
    digits: Option<(Range<u32>, String)>,
    /// The variable that gives the port, where the publish has it from there, too.
    through: Option<Through>,
}

/// What follows from a mention.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A value of a compose or env file that can be edited along.
    Follow,
    /// It may mean the port that moves, or something else.
    Unclear(Doubt),
    /// Words for people: a comment, a document.
    Documentation,
    /// Something depends on it that is not edited: another program's configuration, or a value
    /// that gets the number from elsewhere.
    Config,
}

/// Why a mention is unclear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// This service has the same port, and keeps it or moves elsewhere.
    Other(String),
    /// It may as well be the container's own port.
    Own,
    /// Several ports come in the place of one.
    Several,
}

impl Mention {
    /// True if something may break when the port moves and this stays as it is.
    #[must_use]
    pub fn binds(&self) -> bool {
        match &self.kind {
            Kind::Follow | Kind::Config => true,
            Kind::Unclear(doubt) => !matches!(doubt, Doubt::Other(_)),
            Kind::Documentation => false,
        }
    }

    /// True if the port comes from the variable that the publish has it from: both change in one
    /// place.
    #[must_use]
    pub fn goes_along(&self) -> bool {
        self.through.is_some()
    }

    /// The place: file, line and column.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}:{}:{}", self.shown, self.at.line, self.at.column)
    }
}

/// Looks for mentions, in the projects it is asked about.
pub struct Survey<'a> {
    projects: &'a [Project],
    texts: Texts<'a>,
    covered: BTreeSet<usize>,
}

/// A publish, by the port that it has.
struct Candidate<'p> {
    id: PublishId,
    /// `None` is every address, or one that cannot be read.
    host_ip: Option<HostIp>,
    service: &'p str,
    /// The port it gets; itself if it stays, `None` if it becomes several.
    to: Option<Port>,
}

/// A scanner for all addresses that the projects publish on.
#[must_use]
pub fn scanner(projects: &[Project]) -> Scanner {
    let services = projects.iter().flat_map(|project| &project.services);
    let publishes = services.flat_map(|service| &service.ports);
    let ips = publishes.filter_map(|publish| publish.host_ip.as_deref()?.parse::<HostIp>().ok());
    Scanner::new(ips.filter(|ip| !ip.is_any()))
}

impl<'a> Survey<'a> {
    /// Nothing is read yet.
    #[must_use]
    pub fn new(workspace: Workspace<'a>, scanner: &'a Scanner) -> Self {
        Self {
            projects: workspace.projects,
            texts: Texts::new(workspace, scanner),
            covered: BTreeSet::new(),
        }
    }

    /// Reads what belongs to the projects in which something moves; true if there are new ones.
    pub fn cover(&mut self, moves: &[Move]) -> bool {
        let known = self.covered.len();
        for one in moves {
            if self.covered.insert(one.publish.project) {
                self.texts.add(one.publish.project);
            }
        }
        self.covered.len() > known
    }

    /// The mentions of ports that move, by file and place.
    #[must_use]
    pub fn mentions(&self, moves: &[Move]) -> Vec<Mention> {
        let moves: HashMap<PublishId, &Move> = moves.iter().map(|it| (it.publish, it)).collect();
        let candidates = self.candidates(&moves);
        let mut mentions = Vec::new();
        for (text, sighting, start) in self.sightings() {
            let of_text = candidates_of(&candidates, text, sighting);
            let moved = |it: &&&Candidate<'_>| it.to != Some(sighting.port);
            if let Some(first) = of_text.iter().find(moved) {
                mentions.extend(self.mention(text, sighting, start, first, &of_text));
            }
        }
        mentions.sort_by(|a, b| {
            let place = |it: &Mention| (it.at.line, it.at.column);
            (&a.shown, place(a)).cmp(&(&b.shown, place(b)))
        });
        mentions
    }

    /// The publishes whose port is named, and could mean no other service.
    #[must_use]
    pub fn named(&self) -> BTreeSet<PublishId> {
        let candidates = self.candidates(&HashMap::new());
        let mut named = BTreeSet::new();
        for (text, sighting, _) in self.sightings() {
            let of_text = candidates_of(&candidates, text, sighting);
            let services: BTreeSet<_> = of_text
                .iter()
                .map(|it| (it.id.project, it.id.service))
                .collect();
            if services.len() == 1 && self.whose(text, sighting) != Whose::Container {
                named.extend(of_text.iter().map(|it| it.id));
            }
        }
        named
    }

    /// The values that change with the variables that publishes have their ports from.
    #[must_use]
    pub fn along(&self, mentions: &[Mention]) -> Along {
        let mut along = Along::new();
        let follow = mentions.iter().filter(|it| it.kind == Kind::Follow);
        for through in follow.filter_map(|it| it.through.as_ref()) {
            let template = (through.project, through.template);
            *along.entry(template).or_default() += 1;
        }
        along
    }

    /// True of a mention if its variable is changed.
    #[must_use]
    pub fn went_along(&self, mention: &Mention, changes: &Changes) -> bool {
        mention.through.as_ref().is_none_or(|through| {
            let source = self.projects[through.project]
                .sources
                .file(through.digits.file);
            let [start, end] = source.disk_range(through.digits);
            let range = start as usize..end as usize;
            let mut patches = changes.patches.iter();
            patches.any(|patch| {
                let here = patch.shown == source.path();
                here && patch.edits().iter().any(|edit| edit.range == range)
            })
        })
    }

    /// Patches that make the mentions follow which can be edited, one for each file.
    #[must_use]
    pub fn patches(&self, mentions: &[Mention]) -> Vec<Patch> {
        let mut by_file: BTreeMap<&Utf8PathBuf, Vec<&(Range<u32>, String)>> = BTreeMap::new();
        for mention in mentions.iter().filter(|it| it.kind == Kind::Follow) {
            by_file
                .entry(&mention.path)
                .or_default()
                .extend(&mention.digits);
        }
        let patches = by_file.into_iter().filter_map(|(path, digits)| {
            let text = self.texts.get(path)?;
            let text::Kind::Project(format) = text.kind else {
                return None;
            };
            let edits = digits.into_iter().map(|(range, new)| {
                let span = Span::new(FileId::default(), range.start, range.end);
                let [start, end] = text.source.disk_range(span);
                Edit {
                    range: start as usize..end as usize,
                    bytes: text.source.encode(new),
                    scope: Scope::Number,
                }
            });
            let (edits, before) = (edits.collect(), Some(text.source.bytes()));
            let (path, shown) = (path.clone(), text.source.path().to_owned());
            Some(Patch::of(path, shown, format, before, edits))
        });
        patches.collect()
    }

    fn sightings(&self) -> impl Iterator<Item = (&Text<'a>, &Sighting, u32)> {
        self.texts.iter().flat_map(|text| {
            let sightings = text.sightings.iter();
            sightings.map(move |(start, sighting)| (text, sighting, *start))
        })
    }

    /// All publishes, by each port that they may have.
    fn candidates(&self, moves: &HashMap<PublishId, &Move>) -> HashMap<Port, Vec<Candidate<'a>>> {
        let mut all: HashMap<Port, Vec<Candidate<'a>>> = HashMap::new();
        for (project, read) in self.projects.iter().enumerate() {
            for (service, read) in read.services.iter().enumerate() {
                for (port, publish) in read.ports.iter().enumerate() {
                    let published = publish.published.as_deref();
                    let Some(Ok(range)) = published.map(str::parse::<PortRange>) else {
                        continue;
                    };
                    let id = PublishId {
                        project,
                        service,
                        port,
                    };
                    let moved = moves.get(&id).map(|it| it.to);
                    // a port of a range is nobody's address for sure
                    if range.len() > 1 && moved.is_some() {
                        continue;
                    }
                    let host_ip = publish.host_ip.as_deref();
                    for port in range.iter() {
                        all.entry(port).or_default().push(Candidate {
                            id,
                            host_ip: host_ip.and_then(|ip| ip.parse().ok()),
                            service: &read.name,
                            to: match moved {
                                None => Some(port),
                                // it grows where it is
                                Some(to) if to.contains(port) => Some(port),
                                Some(to) => (to.len() == 1).then(|| to.first()),
                            },
                        });
                    }
                }
            }
        }
        all
    }

    /// A mention of what `first` publishes, unless it is surely something else.
    fn mention(
        &self,
        text: &Text<'_>,
        sighting: &Sighting,
        start: u32,
        first: &Candidate<'_>,
        all: &[&Candidate<'_>],
    ) -> Option<Mention> {
        let whose = self.whose(text, sighting);
        if whose == Whose::Container || self.is_origin(text, sighting) {
            return None;
        }
        let other = all.iter().find(|it| it.to != first.to);
        let (file, digits) = match text.kind {
            text::Kind::Project(_) => (true, sighting.digits.clone()),
            text::Kind::Other(_) => (false, None),
        };
        let digits = digits.filter(|_| text.path != "-");
        let origin = &first.id.of(self.projects).2.origin;
        let through = sighting
            .through
            .clone()
            .filter(|through| through.project == first.id.project && through.digits == origin.span);
        let people = matches!(text.kind, text::Kind::Other(Reader::People));
        let kind = if people || sighting.comment {
            Kind::Documentation
        } else if let Some(other) = other {
            Kind::Unclear(Doubt::Other(other.service.to_owned()))
        } else if file && whose == Whose::Unknown {
            Kind::Unclear(Doubt::Own)
        } else if first.to.is_none() {
            Kind::Unclear(Doubt::Several)
        } else if digits.is_some() || through.is_some() {
            Kind::Follow
        } else {
            Kind::Config
        };
        let length = sighting.words.len() - sighting.port.to_string().len();
        let to = first.to.filter(|_| other.is_none());
        Some(Mention {
            publish: first.id,
            path: text.path.clone(),
            shown: text.source.path().to_owned(),
            at: text.source.position(start),
            text: sighting.words.clone(),
            to: to.map(|port| format!("{}{port}", &sighting.words[..length])),
            kind,
            through,
            digits: digits.zip(to.map(|port| port.to_string())),
        })
    }

    fn whose(&self, text: &Text<'_>, sighting: &Sighting) -> Whose {
        if !matches!(text.kind, text::Kind::Project(_)) || sighting.comment {
            return Whose::Host;
        }
        let answers = text.owners.iter().map(|project| {
            let project = &self.projects[*project];
            place::whose(&sighting.uses, project, sighting.address, sighting.port)
        });
        let answers: BTreeSet<Whose> = answers.collect();
        match answers.len() {
            1 => answers.first().copied().unwrap_or(Whose::Unknown),
            _ => Whose::Unknown,
        }
    }

    /// True if the number is that of a publish itself: `BIND=127.0.0.1:8000`, `$BIND:80`.
    fn is_origin(&self, text: &Text<'_>, sighting: &Sighting) -> bool {
        let Some(digits) = &sighting.digits else {
            return false;
        };
        text.owners.iter().any(|project| {
            let project = &self.projects[*project];
            let services = project.services.iter();
            let publishes = services.flat_map(|it| &it.ports);
            let origins = publishes.flat_map(|it| std::iter::once(&it.origin).chain(&it.replaces));
            origins.map(|origin| origin.span).any(|span| {
                let here = span.start < digits.end && digits.start < span.end;
                here && project.sources.file(span.file).path() == text.source.path()
            })
        })
    }
}

/// The publishes that an address may lead to, of the projects that a text belongs to.
fn candidates_of<'c, 'p>(
    candidates: &'c HashMap<Port, Vec<Candidate<'p>>>,
    text: &Text<'_>,
    sighting: &Sighting,
) -> Vec<&'c Candidate<'p>> {
    let all = candidates.get(&sighting.port).into_iter().flatten();
    let of_text = all
        .filter(|it| text.owners.contains(&it.id.project) && sighting.address.reaches(it.host_ip));
    of_text.collect()
}
