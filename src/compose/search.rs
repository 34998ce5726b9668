//! Compose files below a folder, grouped into the projects they make.

use std::fs;
use std::path::Path;

use camino::{Utf8Path, Utf8PathBuf};

use super::discover::{COMPOSE_FILES, OVERRIDE_FILES, first_of};
use super::project::Request;
use crate::source::{self, Disk, Files};

/// What a search came upon.
#[derive(Debug, Default)]
pub struct Search {
    /// Compose files, sorted: those of a folder before those of the folders in it.
    pub files: Vec<Utf8PathBuf>,
    /// What could not be looked at, and why.
    pub errors: Vec<String>,
}

/// Files that can be searched.
pub trait Tree: Files {
    /// Looks for compose files in a folder, relative to `cwd`, and below.
    fn compose_files(&self, folder: &Utf8Path, cwd: &Utf8Path) -> Search;
}

impl Tree for Disk {
    fn compose_files(&self, folder: &Utf8Path, _: &Utf8Path) -> Search {
        below(folder)
    }
}

/// Looks for compose files in a folder and below, leaving out what git ignores.
#[must_use]
pub fn below(folder: &Utf8Path) -> Search {
    let mut search = Search::default();
    let walk = ignore::WalkBuilder::new(folder)
        .hidden(false)
        .filter_entry(|entry| entry.file_name() != ".git")
        .build();
    for entry in walk {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                search.errors.push(unread(&error));
                continue;
            }
        };
        let is_compose = entry.file_name().to_str().is_some_and(is_compose_file);
        // a pipe or a socket has no text of its own, and may never end
        let is_text =
            |kind: fs::FileType| kind.is_file() || kind.is_symlink() && !is_special(entry.path());
        if !is_compose || !entry.file_type().is_some_and(is_text) {
            continue;
        }
        match Utf8PathBuf::from_path_buf(entry.into_path()) {
            Ok(path) => search.files.push(path),
            Err(path) => search
                .errors
                .push(format!("the name of {} is not UTF-8", path.display())),
        }
    }
    search.files = sorted(search.files);
    search
}

/// A folder that cannot be looked into, in words.
fn unread(error: &ignore::Error) -> String {
    let (mut inner, mut folder) = (error, None);
    loop {
        inner = match inner {
            ignore::Error::WithPath { path, err } => {
                folder = Some(path);
                err
            }
            ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => err,
            _ => break,
        };
    }
    match (folder, inner) {
        (Some(folder), ignore::Error::Io(error)) => {
            let reason = source::reason(error);
            format!("cannot look into `{}`: {reason}", folder.display())
        }
        _ => error.to_string(),
    }
}

/// A link to what is neither a file nor a folder, such as a pipe.
fn is_special(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|there| !there.is_file() && !there.is_dir())
}

/// In the order of a search: a folder's files come before its folders.
#[must_use]
pub fn sorted(mut files: Vec<Utf8PathBuf>) -> Vec<Utf8PathBuf> {
    files.sort_by(|a, b| order(a).cmp(&order(b)));
    files
}

/// A folder's files come before its folders.
fn order(path: &Utf8Path) -> (Option<&Utf8Path>, Option<&str>) {
    (path.parent(), path.file_name())
}

/// Whether a file is named like a compose file: `compose.yaml`, `docker-compose.prod.yml`,
/// `compose-dev.yaml`, `db.compose.yml`.
#[must_use]
pub fn is_compose_file(name: &str) -> bool {
    let Some(stem) = name
        .strip_suffix(".yaml")
        .or_else(|| name.strip_suffix(".yml"))
    else {
        return false;
    };
    let rest = stem
        .strip_prefix("docker-compose")
        .or_else(|| stem.strip_prefix("docker_compose"))
        .or_else(|| stem.strip_prefix("compose"));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', '_']))
        || stem.ends_with(".compose")
        || stem.ends_with(".docker-compose")
}

/// The projects that `paths` make, each once, sorted: those of a folder before those below it.
///
/// A file that Compose would find by itself in its folder stands for the folder's project, its
/// override file included; any other file is a project of its own, as with `-f`.
#[must_use]
pub fn projects(paths: &[Utf8PathBuf], cwd: &Utf8Path, files: &dyn Files) -> Vec<Request> {
    let mut seen = std::collections::HashSet::new();
    let mut requests = Vec::new();
    for path in paths {
        let (project, found) = project_of(path, cwd, files);
        if seen.insert(project.clone()) {
            requests.push(Request {
                files: project,
                found,
                ..Request::default()
            });
        }
    }
    requests.sort_by(|a, b| order(&a.files[0]).cmp(&order(&b.files[0])));
    requests
}

/// The files that are loaded together with `path`, and whether Compose finds them by itself.
fn project_of(path: &Utf8Path, cwd: &Utf8Path, files: &dyn Files) -> (Vec<Utf8PathBuf>, bool) {
    let name = path.file_name().unwrap_or_default();
    let folder = path.parent().unwrap_or(Utf8Path::new(""));
    let known = COMPOSE_FILES.contains(&name) || OVERRIDE_FILES.contains(&name);
    if known && path.as_str() != "-" {
        let at = |names| first_of(files, &cwd.join(folder), names);
        let named = |found: Utf8PathBuf| folder.join(found.file_name().unwrap_or_default());
        if let Some(base) = at(&COMPOSE_FILES).map(named) {
            let over = at(&OVERRIDE_FILES).map(named);
            if base == path || over.as_deref() == Some(path) {
                return ([Some(base), over].into_iter().flatten().collect(), true);
            }
        }
    }
    (vec![path.to_owned()], false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Memory;

    #[test]
    fn names_of_compose_files() {
        for name in [
            "compose.yaml",
            "docker-compose.yml",
            "docker-compose.prod.yml",
            "compose-dev.yaml",
            "docker_compose.yml",
            "db.compose.yml",
        ] {
            assert!(is_compose_file(name), "{name}");
        }
        for name in [
            "compose.json",
            "composer.yaml",
            "values.yaml",
            ".yaml",
            "decompose.yml",
        ] {
            assert!(!is_compose_file(name), "{name}");
        }
    }

    #[test]
    fn an_override_is_checked_with_its_base() {
        let names = [
            "compose.yaml",
            "compose.yml",
            "compose.override.yaml",
            "compose.prod.yaml",
        ];
        let files = names.map(|name| (Utf8PathBuf::from(format!("/w/a/{name}")), Vec::new()));
        let files = Memory(files.into());
        let paths = [
            "a/compose.override.yaml",
            "a/compose.yaml",
            "a/compose.prod.yaml",
            "a/compose.yml",
        ];
        let projects = projects(&paths.map(Into::into), Utf8Path::new("/w"), &files);
        let projects: Vec<Vec<&str>> = projects
            .iter()
            .map(|request| request.files.iter().map(|path| path.as_str()).collect())
            .collect();
        assert_eq!(
            projects,
            [
                vec!["a/compose.prod.yaml"],
                vec!["a/compose.yaml", "a/compose.override.yaml"],
                vec!["a/compose.yml"],
            ]
        );
    }
}
