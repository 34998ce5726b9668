//! Numbers in the env file: `8080:80` becomes `${WEB_PORT:-8080}:80`, and the env file says
//! `WEB_PORT=8081`.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;

use super::feed::{Feed, Link, Source};
use super::patch::{Edit, Format, Patch, Scope};
use super::site::{self, Edits, Placed, Plan, Writing};
use super::spell::{self, TextEdit};
use super::variable::{self, Reach};
use super::{Changes, Workspace};
use crate::binding::PortRange;
use crate::compose::interpolate::{Lookup as _, mentions};
use crate::compose::port::{OriginKind, Publish};
use crate::compose::project::PublishId;
use crate::plan::Move;
use crate::source::join;
use crate::span::Span;

/// The edits that put the numbers of `moves` into env files.
pub(super) fn changes(workspace: &Workspace<'_>, moves: &[Move]) -> Changes {
    let feed = Feed::of(workspace);
    let mut changes = Changes::default();
    let mut plan = site::plan(&feed, moves, &mut changes);
    let mut names = Names::of(&feed);
    let mut settings = Settings::default();
    for (source, placed) in &plan {
        if let Some(reason) = names.assign(*source, placed, &plan) {
            changes.refuse(source.publish, reason);
        }
    }
    plan.retain(|source, _| !changes.is_refused(source.publish));
    for (source, placed) in &plan {
        let Some(name) = names.of.get(source) else {
            continue; // an env file or the shell gives it now
        };
        let project = source.publish.project;
        let same = plan
            .iter()
            .filter(|(other, _)| names.of.get(other) == Some(name));
        let moves: Vec<Move> = same.map(|(_, placed)| placed.one).collect();
        let set = spell::numbers(&moves)
            .ok_or_else(|| site::SEVERAL.to_owned())
            .and_then(|(_, to)| value_of(&feed, *source, name, to))
            .and_then(|value| settings.set(&feed, project, name, value));
        if let Err(reason) = set {
            changes.refuse(placed.one.publish, reason);
        }
    }
    plan.retain(|source, _| !changes.is_refused(source.publish));
    // where the variable is named already, only the env file changes
    plan.retain(|source, placed| match names.of.get(source) {
        Some(name) => {
            placed.writing = Writing::Variable(name.clone());
            !names.is_named(&feed, *source, &placed.link)
        }
        None => true,
    });
    let mut edits = Edits::default();
    site::carry_out(&feed, &plan, &mut changes, &mut edits);
    settings.write(&feed, &mut edits, &mut changes);
    changes.finish(edits, &feed.shelf);
    changes
}

/// The edits that make variables of the numbers of some publishes, with the numbers as defaults:
/// what Compose makes of the files stays the same.
pub(super) fn parameterize(workspace: &Workspace<'_>, publishes: &[PublishId]) -> Changes {
    let feed = Feed::of(workspace);
    let mut changes = Changes::default();
    let mut plan = Plan::new();
    for publish in publishes {
        let (_, service, read) = publish.of(workspace.projects);
        // Compose tells two such apart only while one is a number without quotes
        let twin = |other: &&Publish| {
            (
                other.target,
                &other.published,
                &other.host_ip,
                &other.protocol,
            ) == (read.target, &read.published, &read.host_ip, &read.protocol)
        };
        if service.ports.iter().filter(twin).count() > 1 {
            continue;
        }
        let range = read.published.as_deref().map(str::parse::<PortRange>);
        let Some(Ok(from)) = range else { continue };
        for source in feed.sources(*publish) {
            // what a variable gives is one already
            let Some(Link::Digits(place)) = feed.chain(source).first() else {
                continue;
            };
            let book = feed.shelf.book(*place);
            let literal = feed.origin(source).kind == OriginKind::Literal;
            if !literal || book.path == "-" || book.has_other_meaning(*place) {
                continue;
            }
            let link = Link::Digits(*place);
            let one = Move {
                publish: *publish,
                from,
                to: from,
            };
            let writing = Writing::Number;
            plan.insert(source, Placed { one, link, writing });
        }
    }
    let mut names = Names::of(&feed);
    let copy = plan.clone();
    plan.retain(|source, placed| {
        if let Some(reason) = names.assign(*source, placed, &copy) {
            changes.refuse(source.publish, reason);
        }
        // an entry that is replaced by one with a variable of its own has none to share
        let name = names.of.get(source).cloned();
        placed.writing = name.clone().map_or(Writing::Number, Writing::Variable);
        name.is_some()
    });
    let mut edits = Edits::default();
    site::carry_out(&feed, &plan, &mut changes, &mut edits);
    changes.finish(edits, &feed.shelf);
    changes
}

/// What a variable has to be, for a source to have a number: more than that, where its default is
/// more (`${BIND:-127.0.0.1:8080}:80`).
fn value_of(
    feed: &Feed<'_>,
    source: Source,
    name: &str,
    number: PortRange,
) -> Result<String, String> {
    const UNCLEAR: &str = "the default of its variable gives more than the host port";
    match &feed.origin(source).kind {
        OriginKind::Default { variable } if variable == name => {}
        _ => return Ok(number.to_string()),
    }
    let Some(Link::Digits(digits)) = feed.chain(source).first() else {
        return Err(UNCLEAR.into());
    };
    let text = feed.shelf.book(*digits).text();
    let (before, after) = (&text[..digits.start as usize], &text[digits.end as usize..]);
    let open = format!("${{{name}");
    let start = before.rfind(&open).ok_or(UNCLEAR)? + open.len();
    let head = &before[start..];
    let head = head.strip_prefix(':').unwrap_or(head);
    let head = head.strip_prefix('-').ok_or(UNCLEAR)?;
    let tail = after.split('}').next().unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || ".:-/[]".contains(c);
    match [head, tail].iter().all(|text| text.chars().all(plain)) {
        true => Ok(format!("{head}{number}{tail}")),
        false => Err(UNCLEAR.into()),
    }
}

/// The variables that give numbers, old and new.
struct Names<'s> {
    feed: &'s Feed<'s>,
    of: BTreeMap<Source, String>,
    /// By the place and the entry that get it.
    by_site: BTreeMap<(Link, super::shelf::Place), String>,
    taken: BTreeSet<String>,
}

impl<'s> Names<'s> {
    fn of(feed: &'s Feed<'s>) -> Self {
        Self {
            feed,
            of: BTreeMap::new(),
            by_site: BTreeMap::new(),
            taken: BTreeSet::new(),
        }
    }

    /// Finds the variable for a source, or says why there can be none.
    fn assign(&mut self, source: Source, placed: &Placed, plan: &Plan) -> Option<String> {
        let feed = self.feed;
        let outside = match &placed.link {
            Link::Shell(_) => true,
            Link::Digits(place) => feed.shelf.book(*place).format == Format::Env,
            Link::Scalar(_) | Link::Step(_) => false,
        };
        if outside {
            return None;
        }
        // what replaces an entry has to stay the same as it
        let own = Source { index: 0, ..source };
        if source.index > 0 {
            if let Some(name) = self.of.get(&own).cloned() {
                self.of.insert(source, name);
            }
            return None;
        }
        let in_place = matches!(placed.link, Link::Digits(_));
        if let (true, OriginKind::Default { variable }) = (in_place, &feed.origin(source).kind) {
            let alike: Vec<Source> = plan
                .iter()
                .filter(|(other, one)| {
                    feed.origin(**other).kind == feed.origin(source).kind
                        && one.one.to == placed.one.to
                })
                .map(|(other, _)| *other)
                .collect();
            let (project, ..) = source.publish.of(feed.workspace.projects);
            let reach = Reach::Folder(&project.root);
            if let Some(reason) = variable::other_use(feed, variable, reach, &alike) {
                return Some(format!(
                    "{reason}: move it in the compose file (--into compose)"
                ));
            }
            self.of.insert(source, variable.clone());
            return None;
        }
        let site = (placed.link.clone(), feed.entry(source));
        let name = match self.by_site.get(&site) {
            Some(name) => name.clone(),
            None => self.free(source.publish),
        };
        self.by_site.insert(site, name.clone());
        self.of.insert(source, name);
        None
    }

    /// Whether the entry of a source names its variable as it is.
    fn is_named(&self, feed: &Feed<'_>, source: Source, link: &Link) -> bool {
        let variable = match &feed.origin(source).kind {
            OriginKind::Default { variable } => variable,
            _ => return false,
        };
        matches!(link, Link::Digits(_)) && self.of.get(&source) == Some(variable)
    }

    /// `SERVICE_PORT`, or with the container port if the service publishes several, or with what
    /// else it takes to be no other variable.
    fn free(&mut self, publish: PublishId) -> String {
        let (_, service, port) = publish.of(self.feed.workspace.projects);
        let mut base: String = service
            .name
            .to_uppercase()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
            .collect();
        if base.starts_with(|c: char| c.is_ascii_digit()) {
            base.insert(0, '_');
        }
        let mut name = format!("{base}_PORT");
        if let (Some(target), true) = (port.target, service.ports.len() > 1) {
            name.push_str(&format!("_{target}"));
        }
        let protocol = port.protocol.as_deref().unwrap_or("tcp").to_uppercase();
        let mut tries = vec![name.clone()];
        if protocol != "TCP" {
            tries.push(format!("{name}_{protocol}"));
        }
        let numbered = (2..).map(|n| format!("{name}_{n}"));
        let free = tries
            .into_iter()
            .chain(numbered)
            .find(|name| !self.is_taken(name));
        let name = free.unwrap_or(name);
        self.taken.insert(name.clone());
        name
    }

    fn is_taken(&self, name: &str) -> bool {
        let feed = self.feed;
        let env_file = |text: &str| {
            let mut lines = text.lines().map(|line| line.trim_start());
            lines.any(|line| {
                let line = line.strip_prefix("export").map_or(line, str::trim_start);
                line.strip_prefix(name)
                    .is_some_and(|rest| rest.trim_start().starts_with(['=', ':']))
            }) || mentions(text, name) > 0
        };
        self.taken.contains(name)
            || feed.named(name).next().is_some()
            || feed.workspace.reading.shell.lookup(name).is_some()
            || feed
                .shelf
                .books
                .iter()
                .any(|book| book.format == Format::Env && env_file(book.text()))
    }
}

/// What env files get.
#[derive(Default)]
struct Settings {
    by_path: BTreeMap<Utf8PathBuf, EnvFile>,
}

struct EnvFile {
    /// Its book; `None` where it is not there yet.
    book: Option<usize>,
    shown: Utf8PathBuf,
    variables: BTreeMap<String, String>,
}

impl Settings {
    /// Sets a variable in the env file of a project.
    fn set(
        &mut self,
        feed: &Feed<'_>,
        project: usize,
        name: &str,
        value: String,
    ) -> Result<(), String> {
        let Workspace {
            reading,
            files,
            projects,
        } = *feed.workspace;
        let request = reading
            .requests
            .get(project)
            .ok_or("its project is unknown")?;
        let read = &projects[project];
        if request.stack {
            return Err("`docker stack deploy` reads no env file".into());
        }
        // of several the last wins
        let listed = reading.shell.lookup("COMPOSE_ENV_FILES");
        let listed = listed.and_then(|list| list.value().rsplit(',').find(|path| !path.is_empty()));
        let named = request
            .env_files
            .last()
            .map(|path| path.as_str())
            .or(listed);
        let path = match named {
            Some(path) => join(&reading.cwd, path),
            None => read.root.join(".env"),
        };
        let real = files.real(&path);
        if let Some(reason) = variable::given_to_a_container(feed, &real) {
            return Err(format!(
                "{reason}: move it in the compose file (--into compose)"
            ));
        }
        let book = feed
            .shelf
            .books_of(project)
            .find(|book| feed.shelf.books[*book].path == real);
        if book.is_none() && files.kind(&path).is_some() {
            return Err(format!("Compose does not read `{path}` for this project"));
        }
        let shown = match pathdiff::diff_utf8_paths(&path, &reading.cwd) {
            Some(relative) => relative,
            None => path,
        };
        let file = self.by_path.entry(real).or_insert_with(|| EnvFile {
            book,
            shown,
            variables: BTreeMap::new(),
        });
        match file.variables.get(name) {
            Some(other) if *other != value => {
                return Err(format!("{name} cannot be {other} and {value}"));
            }
            _ => {}
        }
        file.variables.insert(name.to_owned(), value);
        Ok(())
    }

    /// Adds the lines, at the end; a later one wins over one that is there.
    fn write(self, feed: &Feed<'_>, edits: &mut Edits, changes: &mut Changes) {
        for (path, file) in self.by_path {
            let lines = file.variables.iter();
            let lines = lines.map(|(name, value)| format!("{name}={value}"));
            let Some(book) = file.book else {
                let edits = lines.map(|line| Edit {
                    range: 0..0,
                    bytes: format!("{line}\n").into_bytes(),
                    scope: Scope::Number,
                });
                let edits = edits.collect();
                let patch = Patch::of(path, file.shown, Format::Env, None, edits);
                changes.patches.push(patch);
                continue;
            };
            let text = feed.shelf.books[book].text();
            let line_end = feed.shelf.books[book].line_end();
            let end = Span::new(
                feed.shelf.books[book].id(),
                text.len() as u32,
                text.len() as u32,
            );
            // a file that does not end in a line end goes on so
            let ends =
                text.ends_with('\n') || text.len() == feed.shelf.books[book].source.bom_len();
            edits.extend(lines.map(|line| {
                let text = if ends {
                    format!("{line}{line_end}")
                } else {
                    format!("{line_end}{line}")
                };
                (book, TextEdit::number(end, text))
            }));
        }
    }
}
