//! Files to one tree: document on document, file on file, as Compose lays them.
//!
//! Source: `loader.go` of compose-go 2.9.1 (compose.md 1).

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use camino::{Utf8Path, Utf8PathBuf};

use super::document::{self, Document, Reset, Template};
use super::environment::Environment;
use super::merge::merge;
use super::path::Path;
use super::port;
use super::problem::{Kind, Problem};
use crate::source::{self, Files, SourceFile, SourceMap};
use crate::span::{FileId, Span};
use crate::yaml::{self, Mapping, Node, Value};

/// Reads files and remembers what was wrong with them.
pub(super) struct Loader<'a> {
    pub files: &'a dyn Files,
    /// Where relative paths start and shown paths are relative to.
    pub cwd: &'a Utf8Path,
    pub sources: SourceMap,
    pub problems: Vec<Problem>,
    pub unset: BTreeSet<String>,
    pub templates: Vec<Template>,
    pub replaced: Vec<port::Replaced>,
    pub env_files: BTreeSet<FileId>,
    /// Files that services extend, with the number of the scope they were read in.
    pub(super) extended: HashMap<(Utf8PathBuf, u32), Option<Extended>>,
    scopes: u32,
}

/// What a project, or an included one, is read with.
#[derive(Clone)]
pub(super) struct Scope {
    pub environment: Environment,
    /// Where Compose believes the project to be. In a nested include it is relative to the wrong
    /// folder, and so are the env files found through it (compose.md 5).
    pub directory: Utf8PathBuf,
    /// Where the files named by `extends` and `include` are.
    pub resources: Utf8PathBuf,
    pub number: u32,
}

/// The services of a file that others extend.
#[derive(Clone)]
pub(super) struct Extended {
    pub services: Mapping,
    pub resets: Vec<Reset>,
}

/// A file with its documents.
pub(super) struct Parsed {
    pub path: Utf8PathBuf,
    pub documents: Vec<Node>,
}

/// Which steps a file goes through.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// `extends` and `include` are followed.
    Whole,
    /// Only its own services count: another file's service extends one of them.
    Own,
}

impl<'a> Loader<'a> {
    pub fn new(files: &'a dyn Files, cwd: &'a Utf8Path) -> Self {
        Self {
            files,
            cwd,
            sources: SourceMap::new(),
            problems: Vec::new(),
            unset: BTreeSet::new(),
            templates: Vec::new(),
            replaced: Vec::new(),
            env_files: BTreeSet::new(),
            extended: HashMap::new(),
            scopes: 0,
        }
    }

    pub fn scope(
        &mut self,
        environment: Environment,
        directory: Utf8PathBuf,
        resources: Utf8PathBuf,
    ) -> Scope {
        self.scopes += 1;
        Scope {
            environment,
            directory,
            resources,
            number: self.scopes,
        }
    }

    /// A path as people see it: relative to the working directory.
    pub fn shown(&self, path: &Utf8Path) -> Utf8PathBuf {
        if !path.is_absolute() {
            return path.to_owned();
        }
        match pathdiff::diff_utf8_paths(path, self.cwd) {
            Some(relative) if relative.as_str().is_empty() => ".".into(),
            Some(relative) => relative,
            None => path.to_owned(),
        }
    }

    /// Reads a text file into the source map.
    pub fn read(&mut self, path: &Utf8Path, named_at: Option<Span>, kind: Kind) -> Option<FileId> {
        let shown = self.shown(path);
        let decode = match kind {
            Kind::Env => SourceFile::decode_bytes,
            _ => SourceFile::decode,
        };
        let problem = match self.files.read(path) {
            Ok(bytes) => match decode(shown.clone(), bytes) {
                Ok(file) => {
                    let id = self.sources.add(file);
                    if kind == Kind::Env {
                        self.env_files.insert(id);
                    }
                    return Some(id);
                }
                Err(error) => {
                    let problem = Problem::error(
                        if kind == Kind::File { Kind::Yaml } else { kind },
                        format!("`{shown}` is {error}"),
                    );
                    problem.of(&shown).help("save the file as UTF-8")
                }
            },
            Err(error) => {
                let reason = source::reason(&error);
                let problem = Problem::error(kind, format!("cannot read `{shown}`: {reason}"));
                match error.kind() {
                    std::io::ErrorKind::NotFound => problem.help(match named_at {
                        Some(_) => "correct the path: it is read from the folder of this file",
                        None => "check the name; `portplan check .` looks in this folder and below",
                    }),
                    _ => problem,
                }
            }
        };
        self.problems.push(match named_at {
            Some(span) => problem.at(span, "named here"),
            None => problem.of(shown),
        });
        None
    }

    /// Reads the documents of a file.
    pub fn parse(&mut self, path: &Utf8Path, named_at: Option<Span>) -> Option<Parsed> {
        let id = self.read(path, named_at, Kind::File)?;
        self.parse_source(id, path)
    }

    /// Reads the documents of a source that has been read.
    pub fn parse_source(&mut self, id: FileId, path: &Utf8Path) -> Option<Parsed> {
        match yaml::parse(self.sources.file(id), id) {
            Ok(documents) => Some(Parsed {
                path: path.to_owned(),
                documents,
            }),
            Err(error) => {
                let mut problem = Problem::error(Kind::Yaml, error.message).at(error.span, "here");
                problem.labels.extend(error.other);
                problem.help = error.help;
                self.problems.push(problem);
                None
            }
        }
    }

    /// Lays the files of a project over one another.
    pub fn model(&mut self, files: &[Parsed], scope: &Scope, includers: &[Utf8PathBuf]) -> Node {
        let mut tree: Option<Node> = None;
        let mut includers = includers.to_vec();
        for file in files {
            includers.push(file.path.clone());
            self.lay(&mut tree, file, scope, &includers, Depth::Whole);
        }
        tree.unwrap_or_else(|| empty(FileId::default()))
    }

    /// Lays the documents of a file on `tree`; gives what its last one resets.
    pub fn lay(
        &mut self,
        tree: &mut Option<Node>,
        file: &Parsed,
        scope: &Scope,
        includers: &[Utf8PathBuf],
        depth: Depth,
    ) -> Vec<Reset> {
        let mut last = Vec::new();
        for root in &file.documents {
            let prepared = document::prepare(
                root,
                &self.sources,
                &scope.environment,
                &mut self.unset,
                &mut self.templates,
                &mut self.problems,
            );
            let Some(Document { mut root, resets }) = prepared else {
                continue;
            };
            if depth == Depth::Whole {
                self.extend_services(&mut root, &file.path, scope, &resets);
            }
            if let Some(tree) = tree.as_mut() {
                for reset in &resets {
                    document::forget(tree, reset);
                }
            }
            if depth == Depth::Whole {
                self.include(&mut root, scope, includers);
            }
            let merged = match tree.take() {
                None => root,
                Some(tree) => merge(tree, root, Path::Root, &mut self.problems),
            };
            *tree = Some(self.canonical(merged));
            last = resets;
        }
        last
    }

    /// Makes the ports of all services long and each of them unique.
    fn canonical(&mut self, mut tree: Node) -> Node {
        let services = tree
            .as_mapping_mut()
            .and_then(|map| map.get_mut("services"));
        let Some(services) = services.and_then(Node::as_mapping_mut) else {
            return tree;
        };
        for (name, entry) in services.iter_mut() {
            let Some(service) = entry.value.as_mapping_mut() else {
                continue;
            };
            if let Some(ports) = service.get_mut("ports") {
                let list = std::mem::replace(ports, ports.unknown());
                let (replaced, problems) = (&mut self.replaced, &mut self.problems);
                let list = port::unique(list, name, replaced, problems);
                let list = port::canonical(list, name, &self.sources, problems);
                *ports = port::unique(list, name, replaced, problems);
            }
        }
        tree
    }
}

/// A document that says nothing.
pub(super) fn empty(file: FileId) -> Node {
    Node::new(Value::Mapping(Rc::default()), Span::new(file, 0, 0))
}
