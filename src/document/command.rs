//! What to type so that a document is true again.

use camino::{Utf8Path, Utf8PathBuf};

use super::Document;
use super::find::DEFAULT;
use crate::compose::project::Project;
use crate::report::slashes;
use crate::source;

/// The document beside a project.
#[must_use]
pub fn beside(project: &Project) -> Utf8PathBuf {
    match project.directory.as_str() {
        "" | "." => DEFAULT.into(),
        _ => project.directory.join(DEFAULT),
    }
}

/// The command that writes the table of a document anew: with the projects that are to be in it, and
/// those of other names that are.
#[must_use]
pub fn rewrite<'p>(
    document: &Document,
    projects: &[&Project],
    others: impl Iterator<Item = &'p str>,
) -> String {
    let folder = document.path.parent().unwrap_or(Utf8Path::new(""));
    let others: Vec<Utf8PathBuf> = others.map(|name| plain(&folder.join(name))).collect();
    if let ([one], []) = (projects, &others[..]) {
        return write(&document.path, one);
    }
    let own = projects.iter().map(|project| plain(&project.directory));
    command(&document.path, &[common(own.chain(others))])
}

/// The command that writes the table of a project into a document.
#[must_use]
pub fn write(document: &Utf8Path, project: &Project) -> String {
    command(document, &project_files(project))
}

/// The files that a project is made of; none if it is the one of the working directory.
fn project_files(project: &Project) -> Vec<Utf8PathBuf> {
    match (project.found, project.directory.as_str()) {
        (true, "" | ".") => Vec::new(),
        // an override beside the first is found
        (true, _) => project.files.iter().take(1).cloned().collect(),
        (false, _) => project.files.clone(),
    }
}

/// The command that writes the table of some files or a folder into a document.
fn command(document: &Utf8Path, files: &[Utf8PathBuf]) -> String {
    let write = format!("--format markdown --write {}", word(document));
    match files {
        [] => format!("portplan list {write}"),
        [one] => format!("portplan list {} {write}", word(one)),
        several => {
            let files = several.iter().map(|file| format!(" -f {}", word(file)));
            format!("portplan list{} {write}", files.collect::<String>())
        }
    }
}

/// A path as a shell reads it.
fn word(path: &Utf8Path) -> String {
    let path = slashes(path);
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+@%,:".contains(c);
    match path.chars().all(is_plain) {
        true => path,
        false => format!("'{}'", path.replace('\'', "'\\''")),
    }
}

/// A path without `.`.
fn plain(path: &Utf8Path) -> Utf8PathBuf {
    source::join(Utf8Path::new(""), path)
}

/// The folder that holds all of these.
fn common(paths: impl Iterator<Item = Utf8PathBuf>) -> Utf8PathBuf {
    let common = paths.reduce(|a, b| {
        let both = a.components().zip(b.components());
        let alike = both.take_while(|(a, b)| a == b).map(|(a, _)| a);
        let alike: Utf8PathBuf = alike.collect();
        match alike.as_str() {
            // of `a` and `../b`
            "" if b.starts_with("..") || a.starts_with("..") => "..".into(),
            _ => alike,
        }
    });
    match common {
        Some(path) if !path.as_str().is_empty() => path,
        _ => ".".into(),
    }
}
