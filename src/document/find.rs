//! Which documents there are, and what stands in them.

use std::collections::BTreeMap;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use super::Document;
use super::embed::{self, NoPlace, OPEN};
use super::table;
use crate::compose::problem::{Kind, Problem};
use crate::compose::project::Project;
use crate::settings::{Globs, Settings};
use crate::source::{self, Disk, FileKind, Files, SourceFile};

/// The document that is looked for where `portplan.yaml` names none.
pub const DEFAULT: &str = "README.md";

/// Documents as they were found.
#[derive(Debug, Default)]
pub struct Found {
    /// Those with a place for ports, in the order of their paths.
    pub documents: Vec<Document>,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

/// Reads the documents of some projects: those that the settings name, each for all of them, or for
/// each project the nearest with a place for ports, in its own folder or above.
#[must_use]
pub fn read(projects: &[Project], settings: &Settings, cwd: &Utf8Path, files: &dyn Files) -> Found {
    let mut reader = Reader {
        cwd,
        files,
        read: BTreeMap::new(),
        problems: Vec::new(),
    };
    if let Some(globs) = &settings.documents {
        for path in reader.named(globs, settings) {
            if let Some(document) = reader.document(&path) {
                document.projects = (0..projects.len()).collect();
            }
        }
    } else {
        for (index, project) in projects.iter().enumerate() {
            for folder in folders(&project.root, &settings.root) {
                if let Some(document) = reader.document(&folder.join(DEFAULT)) {
                    document.projects.push(index);
                    break;
                }
            }
        }
    }
    Found {
        documents: reader.read.into_values().flatten().collect(),
        problems: reader.problems,
    }
}

/// A folder and those above, up to that of `portplan.yaml` or the top of a git repository; without
/// either the folder alone.
fn folders<'p>(folder: &'p Utf8Path, root: &Utf8Path) -> impl Iterator<Item = &'p Utf8Path> {
    let is_top = |at: &Utf8Path| at == root || Disk.kind(&at.join(".git")).is_some();
    let top = folder.ancestors().position(is_top).unwrap_or(0);
    folder.ancestors().take(top + 1)
}

struct Reader<'f> {
    cwd: &'f Utf8Path,
    files: &'f dyn Files,
    /// By path from the root; `None` has no place for ports.
    read: BTreeMap<Utf8PathBuf, Option<Document>>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    /// The document of a path, if it is one.
    fn document(&mut self, path: &Utf8Path) -> Option<&mut Document> {
        if !self.read.contains_key(path) {
            let document = self.load(path).unwrap_or_else(|reason| {
                let message = format!("cannot read the document `{}`: {reason}", self.shown(path));
                let problem = Problem::error(Kind::File, message).of(self.shown(path));
                let help = "`undocumented-port` looks for the table of ports there";
                self.problems.push(problem.help(help));
                None
            });
            self.read.insert(path.to_owned(), document);
        }
        self.read.get_mut(path)?.as_mut()
    }

    /// Reads a document; `None` if there is none, or none with a place for ports.
    fn load(&self, path: &Utf8Path) -> Result<Option<Document>, String> {
        let bytes = match self.files.read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.to_string()),
        };
        let marked = bytes
            .windows(OPEN.len())
            .any(|part| part == OPEN.as_bytes());
        let file = match SourceFile::decode(self.shown(path), bytes) {
            Ok(file) => file,
            // a picture, or a text that has nothing to do with ports
            Err(_) if !marked => return Ok(None),
            Err(error) => return Err(error.to_string()),
        };
        let text = file.text();
        let table = match embed::place(text) {
            Err(NoPlace::Unmarked) => return Ok(None),
            Err(unclear) => Err(unclear),
            Ok(place) => {
                let first = file.position(u32::try_from(place.start).unwrap_or(u32::MAX));
                Ok(table::read(&text[place], first.line))
            }
        };
        let folder = path.parent().unwrap_or(path);
        let names = table.iter().flatten().map(|(_, row)| &row.project);
        let is_gone = |name: &&String| self.files.kind(&source::join(folder, name)).is_none();
        Ok(Some(Document {
            path: file.path().to_owned(),
            folder: folder.to_owned(),
            projects: Vec::new(),
            gone: names.filter(is_gone).cloned().collect(),
            table,
        }))
    }

    /// The files that the settings name.
    fn named(&mut self, globs: &Globs, settings: &Settings) -> Vec<Utf8PathBuf> {
        let mut named = Vec::new();
        let mut unsaid = globs.texts().len();
        for path in globs.paths() {
            let path = source::join(&settings.root, path);
            match self.files.kind(&path) {
                Some(FileKind::File) => named.push(path),
                // all that is in it
                Some(FileKind::Folder) => continue,
                None => {
                    let shown = self.shown(&path);
                    let message = format!("there is no document `{shown}`");
                    let problem = Problem::error(Kind::Config, message).of(shown);
                    let help = "`documents` of portplan.yaml names it";
                    self.problems.push(problem.help(help));
                }
            }
            unsaid -= 1;
        }
        if unsaid > 0 {
            let all = self.files.walk(&settings.root).into_iter();
            named.extend(all.filter(|path| globs.cover(&settings.from_root(path))));
        }
        named.sort();
        named.dedup();
        named
    }

    /// A path from the root, as it is shown.
    fn shown(&self, path: &Utf8Path) -> Utf8PathBuf {
        pathdiff::diff_utf8_paths(path, self.cwd).unwrap_or_else(|| path.to_owned())
    }
}
