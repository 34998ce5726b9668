//! The texts in which ports of a project may be named, and the places that name one.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use camino::{Utf8Path, Utf8PathBuf};

use super::folder::{self, Reader};
use super::place::{Places, Use};
use super::scan::{Address, Found, Scanner};
use crate::binding::Port;
use crate::compose::dotenv::{self, Variables};
use crate::compose::project::Project;
use crate::compose::text::{Text as Value, Written};
use crate::edit::{Format, Workspace};
use crate::source::{SourceFile, join};
use crate::span::{FileId, Span};
use crate::yaml;

/// A text.
#[derive(Debug)]
pub struct Text<'a> {
    /// From the root, links followed; `-` is standard input.
    pub path: Utf8PathBuf,
    /// The text itself.
    pub source: Cow<'a, SourceFile>,
    /// What it is.
    pub kind: Kind,
    /// The projects that it belongs to.
    pub owners: BTreeSet<usize>,
    places: Places,
    /// The places that name a port, by the first byte.
    pub sightings: BTreeMap<u32, Sighting>,
}

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file that a project is read from, or that its containers get.
    Project(Format),
    /// Another one.
    Other(Reader),
}

/// A place that names a port of this host, if it is one.
#[derive(Clone, Debug)]
pub struct Sighting {
    /// The address.
    pub address: Address,
    /// The port.
    pub port: Port,
    /// Address and port, as they read once variables are replaced.
    pub words: String,
    /// The bytes of the port, where they stand for nothing else.
    pub digits: Option<Range<u32>>,
    /// The variable's value that gives the port, where that is written elsewhere.
    pub through: Option<Through>,
    /// A comment: nothing depends on it.
    pub comment: bool,
    /// What the value is for.
    pub uses: BTreeSet<Use>,
}

/// How a port comes into a value by a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Through {
    /// The project.
    pub project: usize,
    /// The string that names the variable.
    pub template: Span,
    /// The bytes of the port in the env file.
    pub digits: Span,
}

/// All texts of some projects.
pub struct Texts<'a> {
    workspace: Workspace<'a>,
    scanner: &'a Scanner,
    all: BTreeMap<Utf8PathBuf, Text<'a>>,
    /// What projects are read from, with these projects.
    sources: BTreeMap<Utf8PathBuf, BTreeSet<usize>>,
}

impl<'a> Texts<'a> {
    /// No texts yet.
    #[must_use]
    pub fn new(workspace: Workspace<'a>, scanner: &'a Scanner) -> Self {
        Self {
            workspace,
            scanner,
            all: BTreeMap::new(),
            sources: BTreeMap::new(),
        }
    }

    /// The texts, by path.
    pub fn iter(&self) -> impl Iterator<Item = &Text<'a>> {
        self.all.values()
    }

    /// The text at a path.
    #[must_use]
    pub fn get(&self, path: &Utf8Path) -> Option<&Text<'a>> {
        self.all.get(path)
    }

    fn real(&self, shown: &Utf8Path) -> Utf8PathBuf {
        match shown {
            path if path == "-" => path.to_owned(),
            path => self
                .workspace
                .files
                .real(&join(&self.workspace.reading.cwd, path)),
        }
    }

    /// Notes which files projects are read from.
    fn note_sources(&mut self) {
        for (index, project) in self.workspace.projects.iter().enumerate() {
            for file in project.sources.files() {
                let path = self.real(file.path());
                self.sources.entry(path).or_default().insert(index);
            }
        }
    }

    /// Adds the texts of a project.
    pub fn add(&mut self, index: usize) {
        if self.sources.is_empty() {
            self.note_sources();
        }
        let project = &self.workspace.projects[index];
        let mut paths = Vec::new();
        for (id, source) in project.sources.files().iter().enumerate() {
            let format = match project.env_files.contains(&FileId(id as u32)) {
                true => Format::Env,
                false => Format::Yaml,
            };
            let path = self.real(source.path());
            let owners = self.sources.get(&path).cloned().unwrap_or_default();
            self.put(&path, Cow::Borrowed(source), Kind::Project(format), &owners);
            paths.push(path);
        }
        self.variables(index, project, &paths);
        self.env_files(index, project, &paths);
        let own = paths.iter().cloned().collect();
        let all = self.workspace.projects.iter().enumerate();
        let owners = all.filter(|(_, other)| other.root == project.root);
        let owners = owners.map(|(index, _)| index).collect();
        for (path, reader) in folder::below(&project.root, &own, self.workspace.files) {
            let path = self.workspace.files.real(&path);
            if !self.sources.contains_key(&path) {
                self.read(&path, Kind::Other(reader), &owners);
            }
        }
    }

    /// Reads a file, unless it is there already.
    fn read(&mut self, path: &Utf8Path, kind: Kind, owners: &BTreeSet<usize>) {
        if let Some(text) = self.all.get_mut(path) {
            text.owners.extend(owners);
            return;
        }
        let shown = pathdiff::diff_utf8_paths(path, &self.workspace.reading.cwd);
        let shown = shown.unwrap_or_else(|| path.to_owned());
        let source = match self.workspace.files.read(path) {
            Ok(bytes) if !bytes.contains(&0) => SourceFile::decode(shown, bytes),
            _ => return,
        };
        if let Ok(source) = source
            && !is_plan(&source)
        {
            self.put(path, Cow::Owned(source), kind, owners);
        }
    }

    fn put(
        &mut self,
        path: &Utf8Path,
        source: Cow<'a, SourceFile>,
        kind: Kind,
        owners: &BTreeSet<usize>,
    ) {
        if let Some(text) = self.all.get_mut(path) {
            text.owners.extend(owners);
            return;
        }
        let mut text = Text {
            path: path.to_owned(),
            source,
            kind,
            owners: owners.clone(),
            places: Places::default(),
            sightings: BTreeMap::new(),
        };
        text.look(self.scanner);
        self.all.insert(path.to_owned(), text);
    }

    /// The env files that the project's services hand to their containers.
    fn env_files(&mut self, index: usize, project: &Project, paths: &[Utf8PathBuf]) {
        let mut found = BTreeSet::new();
        for (id, path) in paths.iter().enumerate() {
            let Some(text) = self.all.get(path) else {
                continue;
            };
            // Compose takes them from the project's folder, or from that of an included or
            // extended file
            let shown = text.source.path();
            let folder = match project.files.iter().any(|file| file == shown) {
                true => &*project.root,
                false => path.parent().unwrap_or(&project.root),
            };
            for (range, written, service) in &text.places.env_files {
                let span = Span::new(FileId(id as u32), range.start, range.end);
                let template = project.templates.iter().find(|it| it.span == span);
                let written = template.map_or(&**written, |it| it.value.value());
                let path = self.workspace.files.real(&join(folder, written));
                found.insert((path, service.clone()));
            }
        }
        for (path, service) in found {
            self.read(&path, Kind::Project(Format::Env), &BTreeSet::from([index]));
            if let Some(text) = self.all.get_mut(&path) {
                for sighting in text.sightings.values_mut().filter(|it| !it.comment) {
                    sighting.uses.insert(Use::Value(service.clone()));
                }
            }
        }
    }

    /// What the project's values say once their variables are replaced.
    fn variables(&mut self, index: usize, project: &Project, paths: &[Utf8PathBuf]) {
        for template in &project.templates {
            let value = template.value.value();
            let found: Vec<Found> = self.scanner.find(value).collect();
            let at = |span: Span| &paths[span.file.0 as usize];
            for found in found {
                let Some(text) = self.all.get(at(template.span)) else {
                    continue;
                };
                let uses = text.places.uses(template.span.start);
                let writer = template.value.slice(found.digits.clone()).single();
                let digits = writer.as_ref().and_then(Written::span);
                let whole = digits.filter(|span| span.len() as usize == found.digits.len());
                // named as it is where the digits stand
                if let Some(span) = whole
                    && let Some(text) = self.all.get_mut(at(span))
                    && let Some(known) = text.with_digits(&(span.start..span.end))
                {
                    known.uses.extend(uses);
                    continue;
                }
                let in_place = |span: &Span| {
                    matches!(writer, Some(Written::Literal(_) | Written::Default { .. }))
                        && span.file == template.span.file
                };
                let by_env_file = matches!(writer, Some(Written::EnvFile { .. }));
                let through = whole.filter(|_| by_env_file).map(|digits| Through {
                    project: index,
                    template: template.span,
                    digits,
                });
                let digits = whole.filter(in_place).map(|span| span.start..span.end);
                let begin = template.value.slice(found.start..found.digits.start);
                let begin = begin.writers().next().and_then(Written::span);
                let begin = begin.filter(|span| span.file == template.span.file);
                let start = begin.unwrap_or(template.span).start;
                if let Some(text) = self.all.get_mut(at(template.span)) {
                    // in the place of what the text says, which is a default that is not used
                    let sighting = Sighting {
                        uses,
                        digits,
                        through,
                        ..Sighting::of(&found, value)
                    };
                    text.sightings.insert(start, sighting);
                }
            }
        }
    }
}

impl Text<'_> {
    /// Finds what the text itself says.
    fn look(&mut self, scanner: &Scanner) {
        let text = self.source.text();
        let found: Vec<Found> = scanner.find(text).collect();
        if let Kind::Project(Format::Yaml) = self.kind {
            let documents = yaml::parse(&self.source, FileId::default()).unwrap_or_default();
            self.places = Places::of(&documents);
        }
        let values = match self.kind {
            Kind::Project(Format::Env) if !found.is_empty() => values(&self.source),
            _ => Vec::new(),
        };
        for found in found {
            let start = found.start as u32;
            let mut sighting = Sighting {
                digits: Some(found.digits.start as u32..found.digits.end as u32),
                ..Sighting::of(&found, text)
            };
            match self.kind {
                Kind::Project(Format::Yaml) => {
                    sighting.uses = self.places.uses(start);
                    sighting.comment = sighting.uses.is_empty();
                }
                Kind::Project(Format::Env) => {
                    sighting.comment = !values.iter().any(|it| it.contains(&start));
                    sighting.uses.insert(Use::Neutral);
                }
                Kind::Other(_) => {}
            }
            self.sightings.insert(start, sighting);
        }
    }

    fn with_digits(&mut self, digits: &Range<u32>) -> Option<&mut Sighting> {
        let mut before = self.sightings.range_mut(..digits.start).rev();
        let (_, last) = before.next()?;
        (last.digits.as_ref() == Some(digits)).then_some(last)
    }
}

impl Sighting {
    fn of(found: &Found, text: &str) -> Self {
        Self {
            address: found.address,
            port: found.port,
            words: format!("{}:{}", address(found, text), found.port),
            digits: None,
            through: None,
            comment: false,
            uses: BTreeSet::new(),
        }
    }
}

/// True of a saved plan, which names what it moves.
fn is_plan(source: &SourceFile) -> bool {
    let (begin, _) = source.text().split_once('[').unwrap_or_default();
    begin.trim_start().starts_with('{') && begin.contains("\"remaps\":")
}

/// The address of a port as it is written.
fn address<'t>(found: &Found, text: &'t str) -> &'t str {
    let before = &text[found.start..found.digits.start];
    let before = before
        .rsplit_once("${")
        .map_or(before, |(address, _)| address);
    before.trim_end_matches(':')
}

/// Where the values of an env file stand that count; all else is comments, or set again later.
fn values(source: &SourceFile) -> Vec<Range<u32>> {
    let mut variables = Variables::new();
    let nothing = crate::compose::environment::Environment::default();
    // what stands before an error counts
    let _ = dotenv::parse(
        source,
        FileId::default(),
        &nothing,
        &mut variables,
        &mut BTreeSet::new(),
    );
    let spans = variables
        .values()
        .flat_map(Value::writers)
        .filter_map(Written::span);
    spans.map(|span| span.start..span.end).collect()
}
