//! `include`: the services of other projects (compose.md 5).

use std::collections::HashSet;
use std::rc::Rc;

use camino::{Utf8Path, Utf8PathBuf};

use super::document::pulled_in;
use super::dotenv::DotenvErrorKind;
use super::load::{Loader, Scope};
use super::problem::{Kind, Problem};
use crate::source::{FileKind, join};
use crate::span::Span;
use crate::yaml::{Entry, How, Mapping, Node, Step, Value};

/// One entry of `include`.
struct Included<'a> {
    entry: &'a Node,
    paths: Vec<(String, Span)>,
    env_files: Vec<(String, Span)>,
    directory: Option<String>,
}

/// Includes within includes past this depth are a mistake.
const MAX_DEPTH: usize = 50;

impl Loader<'_> {
    /// Copies the resources of the projects that a document includes into it.
    pub(super) fn include(&mut self, root: &mut Node, scope: &Scope, includers: &[Utf8PathBuf]) {
        let Some(include) = root.as_mapping_mut().and_then(|map| map.remove("include")) else {
            return;
        };
        let include = include.value;
        let entries = match &include.value {
            Value::Null | Value::Unknown => return,
            Value::Sequence(entries) => entries.clone(),
            _ => {
                self.problems.push(
                    Problem::error(
                        Kind::Schema,
                        format!("`include` is {}, not a list", include.kind()),
                    )
                    .at(include.span, "a list is needed")
                    .help("write each path on its own line after `- `"),
                );
                return;
            }
        };
        let mut imported = HashSet::new();
        for entry in entries.iter() {
            if let Some(included) = self.included(entry)
                && let Some(project) = self.included_project(&included, scope, includers)
            {
                self.import(&project, root, entry, &mut imported);
            }
        }
    }

    fn included<'n>(&mut self, entry: &'n Node) -> Option<Included<'n>> {
        let list = |node: Option<&Node>| -> Option<Vec<(String, Span)>> {
            match node {
                None => Some(Vec::new()),
                Some(node) => match &node.value {
                    Value::Null => Some(Vec::new()),
                    Value::Str(text) => Some(vec![(text.as_str().to_owned(), node.span)]),
                    Value::Sequence(items) => items
                        .iter()
                        .map(|item| Some((item.as_str()?.to_owned(), item.span)))
                        .collect(),
                    _ => None,
                },
            }
        };
        let included = if entry.as_str().is_some() {
            list(Some(entry)).map(|paths| Included {
                entry,
                paths,
                env_files: Vec::new(),
                directory: None,
            })
        } else if entry.as_mapping().is_some() {
            list(entry.get("path"))
                .zip(list(entry.get("env_file")))
                .map(|(paths, env_files)| {
                    let directory = entry.get("project_directory").and_then(Node::as_str);
                    let directory = directory.filter(|text| !text.is_empty()).map(str::to_owned);
                    Included {
                        entry,
                        paths,
                        env_files,
                        directory,
                    }
                })
        } else {
            None
        };
        let problem = match included {
            Some(included) => {
                let Some((remote, span)) = included.paths.iter().find(|(path, _)| is_remote(path))
                else {
                    return Some(included);
                };
                Problem::error(
                    Kind::Include,
                    format!("`{remote}` is remote, and portplan does not fetch it"),
                )
                .at(*span, "the ports published there are not known")
                .help("include a local copy instead, to have it checked")
            }
            None if matches!(entry.value, Value::Unknown) => return None,
            None => Problem::error(Kind::Include, "this entry of `include` names no file")
                .at(entry.span, "a path is needed")
                .help("write a path, or `path:` with `env_file:` and `project_directory:`"),
        };
        self.problems.push(problem);
        None
    }

    fn included_project(
        &mut self,
        included: &Included<'_>,
        scope: &Scope,
        includers: &[Utf8PathBuf],
    ) -> Option<Node> {
        let paths: Vec<(Utf8PathBuf, Span)> = included
            .paths
            .iter()
            .map(|(path, span)| (join(&scope.resources, path), *span))
            .collect();
        let (main, main_span) = paths.first()?;
        if let Some(at) = includers.iter().position(|path| path == main) {
            let mut round: Vec<Utf8PathBuf> = includers[at..]
                .iter()
                .map(|path| self.shown(path))
                .collect();
            round.push(self.shown(main));
            let round: Vec<&str> = round.iter().map(|path| path.as_str()).collect();
            self.problems.push(
                Problem::error(
                    Kind::Include,
                    format!("these files include each other: {}", round.join(" -> ")),
                )
                .at(*main_span, "leads back to a file that is being read")
                .help("remove one of the includes"),
            );
            return None;
        }
        if includers.len() > MAX_DEPTH {
            let message = format!("files include files more than {MAX_DEPTH} deep");
            self.problems.push(
                Problem::error(Kind::Include, message)
                    .at(*main_span, "this file is not read")
                    .help("include it from one of the first files"),
            );
            return None;
        }
        // what Compose 2.40 computes, bug for bug: the directory handed on is relative to the
        // including project, and nested env files are looked up through it
        let parent = |path: &Utf8Path| path.parent().unwrap_or(Utf8Path::new(".")).to_owned();
        let (resources, seen_as) = match &included.directory {
            None => (parent(main), parent(main)),
            Some(directory) => (
                join(self.cwd, scope.directory.join(directory)),
                join(&scope.resources, directory),
            ),
        };
        let directory = match &included.directory {
            Some(directory) if Utf8Path::new(directory).is_absolute() => directory.into(),
            _ => pathdiff::diff_utf8_paths(&seen_as, &scope.resources).unwrap_or(seen_as),
        };
        let environment = self.included_environment(included, scope, &resources)?;

        let parsed: Option<Vec<_>> = paths
            .iter()
            .map(|(path, span)| self.parse(path, Some(*span)))
            .collect();
        let scope = self.scope(environment, directory, resources);
        Some(self.model(&parsed?, &scope, includers))
    }

    /// The root's environment, with that of the include below it.
    fn included_environment(
        &mut self,
        included: &Included<'_>,
        scope: &Scope,
        resources: &Utf8Path,
    ) -> Option<super::environment::Environment> {
        let mut environment = scope.environment.clone();
        let mut files = Vec::new();
        if included.env_files.is_empty() {
            let default = resources.join(".env");
            if self.files.kind(&default) == Some(FileKind::File) {
                files.push((default, included.entry.span));
            }
        }
        for (path, span) in &included.env_files {
            files.push((join(self.cwd, scope.directory.join(path)), *span));
        }
        let ids: Option<Vec<_>> = files
            .iter()
            .map(|(path, span)| self.read(path, Some(*span), Kind::Env))
            .collect();
        self.add_env_files(&mut environment, &ids?)
            .then_some(environment)
    }

    /// Copies what an included project defines; a name that is there already is a conflict,
    /// unless both are the same. `imported` are the names that came from other includes.
    fn import(
        &mut self,
        project: &Node,
        root: &mut Node,
        entry: &Node,
        imported: &mut HashSet<(&'static str, Rc<str>)>,
    ) {
        let step = Step {
            how: How::Include,
            span: entry.span,
        };
        for section in ["services", "networks", "volumes", "configs", "secrets"] {
            let Some(from) = project.get(section).and_then(Node::as_mapping) else {
                continue;
            };
            let Some(map) = root.as_mapping_mut() else {
                return;
            };
            if map
                .get(section)
                .is_none_or(|node| node.as_mapping().is_none())
            {
                let value = Node::new(Value::Mapping(Rc::default()), entry.span);
                let section = Rc::from(section);
                map.insert(
                    section,
                    Entry {
                        key: entry.span,
                        is_string: true,
                        value,
                    },
                );
            }
            let Some(to) = map.get_mut(section).and_then(Node::as_mapping_mut) else {
                return;
            };
            for (name, resource) in from.iter() {
                let Some(own) = to.entry(name) else {
                    to.insert(Rc::clone(name), brought_in(resource, step));
                    imported.insert((section, Rc::clone(name)));
                    continue;
                };
                // this document's own resources are still as they were written
                let comparable = imported.contains(&(section, Rc::clone(name)))
                    || !is_rewritten(&resource.value);
                if comparable && own.value.same(&resource.value) {
                    continue;
                }
                let kind = &section[..section.len() - 1];
                self.problems.push(
                    Problem::error(
                        Kind::Include,
                        format!("{kind} `{name}` is here and in an included project"),
                    )
                    .at(own.key, "here")
                    .at(resource.key, "included")
                    .help("rename one, or change the included one in an override file"),
                );
            }
        }
    }

    /// Adds env files that have been read; false if one of them is not readable as such.
    pub(super) fn add_env_files(
        &mut self,
        environment: &mut super::environment::Environment,
        ids: &[crate::span::FileId],
    ) -> bool {
        let group = ids.iter().map(|id| (*id, self.sources.file(*id)));
        match environment.add_env_files(group, &mut self.unset) {
            Ok(()) => true,
            Err(error) => {
                self.problems.push(
                    Problem::error(Kind::Env, error.to_string())
                        .at(error.span, "here")
                        .help(match error.kind {
                            DotenvErrorKind::NotUtf8 => "save the file as UTF-8",
                            DotenvErrorKind::UnterminatedQuote => "close it, or remove it",
                            DotenvErrorKind::TooLarge => {
                                "no project needs that; was it made to exhaust memory?"
                            }
                            _ => "write NAME=value, each on its own line",
                        }),
                );
                false
            }
        }
    }
}

fn brought_in(resource: &Entry, step: Step) -> Entry {
    let mut entry = resource.clone();
    let ports = entry
        .value
        .as_mapping_mut()
        .and_then(|map: &mut Mapping| map.get_mut("ports"));
    if let Some(ports) = ports {
        *ports = pulled_in(ports, &[step]);
    }
    entry
}

/// True of a service that loading changes even where nothing is wrong with it, so that it can
/// never equal its raw form.
fn is_rewritten(service: &Node) -> bool {
    const REWRITTEN: [&str; 14] = [
        "build",
        "configs",
        "depends_on",
        "develop",
        "devices",
        "dns",
        "env_file",
        "extends",
        "gpus",
        "label_file",
        "networks",
        "ports",
        "secrets",
        "volumes",
    ];
    // what is empty stays so, but where Compose makes a map of a list
    let kept = |key: &str, node: &Node| match &node.value {
        Value::Sequence(items) => {
            items.is_empty() && !["depends_on", "gpus", "label_file", "networks"].contains(&key)
        }
        Value::Mapping(map) => map.is_empty() && key != "build",
        _ => false,
    };
    REWRITTEN
        .iter()
        .any(|key| service.get(key).is_some_and(|node| !kept(key, node)))
}

/// Git repositories and OCI artifacts. Anything else, even with `https://`, is a path to Compose.
fn is_remote(path: &str) -> bool {
    let repository = path.split('#').next().unwrap_or(path);
    path.starts_with("oci://")
        || path.starts_with("git@")
        || path.starts_with("git://")
        || path.starts_with("github.com/")
        || (path.contains("://") && repository.ends_with(".git"))
}
