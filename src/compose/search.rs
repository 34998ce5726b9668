//! Compose files below a folder, grouped into the projects they make.

use std::fs;
use std::path::Path;

use camino::{Utf8Path, Utf8PathBuf};

use super::discover::{COMPOSE_FILES, OVERRIDE_FILES, first_of};
use super::exclude::Exclude;
use super::project::Request;
use crate::source::{self, Disk, Files, join};

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
    /// Looks for compose files in a folder, relative to `cwd`, and below. Folders that are excluded
    /// need not be entered.
    fn search(&self, folder: &Utf8Path, cwd: &Utf8Path, exclude: &Exclude) -> Search;
}

impl Tree for Disk {
    /// What git ignores is left out.
    fn search(&self, folder: &Utf8Path, cwd: &Utf8Path, exclude: &Exclude) -> Search {
        let mut walk = ignore::WalkBuilder::new(folder);
        let (cwd, exclude) = (cwd.to_owned(), exclude.clone());
        walk.hidden(false).filter_entry(move |entry| {
            let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
            let path = Utf8Path::from_path(entry.path());
            let excluded = || path.is_some_and(|path| exclude.covers(&join(&cwd, path)));
            entry.file_name() != ".git" && (exclude.is_empty() || !is_folder || !excluded())
        });
        below(walk.build())
    }
}

/// Looks for compose files in a folder, relative to `cwd`, and below, without those of projects that
/// are excluded.
#[must_use]
pub fn compose_files(
    tree: &dyn Tree,
    folder: &Utf8Path,
    cwd: &Utf8Path,
    exclude: &Exclude,
) -> Search {
    let mut search = tree.search(folder, cwd, exclude);
    search
        .files
        .retain(|file| !is_excluded(file, cwd, tree, exclude));
    search
}

/// Whether the project that a file belongs to is excluded. It is where the file that it begins with
/// is: an override is read with its base, excluded or not, as Compose does.
#[must_use]
pub fn is_excluded(file: &Utf8Path, cwd: &Utf8Path, files: &dyn Files, exclude: &Exclude) -> bool {
    if exclude.is_empty() || file == "-" {
        return false;
    }
    let (project, _) = project_of(file, cwd, files);
    exclude.covers(&join(cwd, &project[0]))
}

fn below(walk: ignore::Walk) -> Search {
    let mut search = Search::default();
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
    files.sort_by_cached_key(|path| order(path));
    files
}

/// A folder's files come before its folders.
fn order(path: &Utf8Path) -> (Option<Utf8PathBuf>, Option<String>) {
    let folder = path.parent().map(ToOwned::to_owned);
    (folder, path.file_name().map(ToOwned::to_owned))
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
    requests.sort_by_cached_key(|request| order(&request.files[0]));
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
