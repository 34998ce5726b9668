//! The texts of all projects, each file once, whoever read it and by whatever path.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::ops::Range;

use camino::Utf8PathBuf;

use super::Workspace;
use super::patch::Format;
use crate::compose::project::Project;
use crate::source::{SourceFile, SourceMap, join};
use crate::span::{FileId, Span};
use crate::yaml::{self, Node};

/// Bytes of a file on the shelf, counted in its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    pub book: usize,
    pub start: u32,
    pub end: u32,
}

impl Place {
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// One file.
pub(super) struct Book<'a> {
    /// From the root, links followed; `-` is standard input.
    pub path: Utf8PathBuf,
    pub source: &'a SourceFile,
    pub format: Format,
    id: FileId,
    sources: &'a SourceMap,
    documents: OnceCell<Vec<Node>>,
    by_span: OnceCell<HashMap<(u32, u32), Node>>,
}

impl<'a> Book<'a> {
    /// The trees of a compose file, as they are written.
    pub fn documents(&self) -> &[Node] {
        self.documents.get_or_init(|| match self.format {
            Format::Yaml => yaml::parse(self.source, self.id).unwrap_or_default(),
            Format::Env => Vec::new(),
        })
    }

    /// The nodes of the trees by their bytes.
    pub fn by_span(&self) -> &HashMap<(u32, u32), Node> {
        self.by_span.get_or_init(|| self.index())
    }

    pub fn text(&self) -> &'a str {
        self.source.text()
    }

    /// The name that spans of [`documents`](Self::documents) have for it.
    pub fn id(&self) -> FileId {
        self.id
    }

    /// The map that the spans of [`documents`](Self::documents) point into.
    pub fn sources(&self) -> &'a SourceMap {
        self.sources
    }
}

pub(super) struct Shelf<'a> {
    pub books: Vec<Book<'a>>,
    /// By project, then by file.
    by_file: Vec<Vec<usize>>,
}

impl<'a> Shelf<'a> {
    pub fn of(workspace: &Workspace<'a>) -> Self {
        let mut books: Vec<Book<'a>> = Vec::new();
        let mut known: HashMap<Utf8PathBuf, usize> = HashMap::new();
        let mut by_file = Vec::new();
        for project in workspace.projects {
            let mut of_project = Vec::new();
            for (index, source) in project.sources.files().iter().enumerate() {
                let path = match source.path() {
                    path if path == "-" => path.to_owned(),
                    path => workspace.files.real(&join(&workspace.reading.cwd, path)),
                };
                let same = |book: &usize| books[*book].text() == source.text();
                let book = known.get(&path).copied().filter(same);
                of_project.push(book.unwrap_or_else(|| {
                    let id = FileId(index as u32);
                    known.insert(path.clone(), books.len());
                    books.push(Book {
                        path,
                        source,
                        format: format(project, id),
                        id,
                        sources: &project.sources,
                        documents: OnceCell::new(),
                        by_span: OnceCell::new(),
                    });
                    books.len() - 1
                }));
            }
            by_file.push(of_project);
        }
        Self { books, by_file }
    }

    /// Where a span of a project is.
    pub fn place(&self, project: usize, span: Span) -> Place {
        Place {
            book: self.by_file[project][span.file.0 as usize],
            start: span.start,
            end: span.end,
        }
    }

    pub fn book(&self, place: Place) -> &Book<'a> {
        &self.books[place.book]
    }

    pub fn text(&self, place: Place) -> &'a str {
        &self.books[place.book].text()[place.range()]
    }

    /// A place as messages name it: file and line.
    pub fn name(&self, place: Place) -> String {
        let source = self.books[place.book].source;
        format!("{}:{}", source.path(), source.position(place.start).line)
    }

    /// The books that a project was read from.
    pub fn books_of(&self, project: usize) -> impl Iterator<Item = usize> {
        self.by_file[project].iter().copied()
    }
}

/// Env files are those that no compose file is made of.
fn format(project: &Project, id: FileId) -> Format {
    if project.env_files.contains(&id) {
        Format::Env
    } else {
        Format::Yaml
    }
}
