//! Documents that list published ports: what `list --write` writes into them, and what the rule
//! `undocumented-port` reads there.
//!
//! [`embed`] finds the place, [`table`] is what stands there, [`find`] says which documents there
//! are, and [`command`] what to type so that one is true again.

pub mod command;
pub mod embed;
pub mod find;
pub mod table;

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use crate::compose::project::Project;
use crate::report::slashes;
use embed::NoPlace;
use table::Row;

/// A document that has a place for the ports of some projects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The document, as it is shown.
    pub path: Utf8PathBuf,
    /// Its folder, from the root: the names of projects are relative to it.
    pub folder: Utf8PathBuf,
    /// The projects that it is to list, by their indices in the world.
    pub projects: Vec<usize>,
    /// The rows of its table, each with its line from 1; or what is wrong with the place.
    pub table: Result<Vec<(u32, Row)>, NoPlace>,
    /// The projects in it whose folder or file is no longer there.
    pub gone: BTreeSet<String>,
}

impl Document {
    /// The rows; none where the place is wrong.
    pub fn rows(&self) -> impl Iterator<Item = &(u32, Row)> {
        self.table.iter().flatten()
    }

    /// What a project may be called in it.
    #[must_use]
    pub fn names_of(&self, project: &Project) -> [String; 2] {
        [
            folder_name(project, &self.folder),
            file_name(project, &self.folder),
        ]
    }
}

/// What projects are called in a document of a folder: by their own folders relative to it, `.` if
/// it is the same; or where several have one folder, by their first files. Machines differ in the
/// names that Compose takes from folders, and in where the program is called.
#[must_use]
pub fn names(projects: &[Project], folder: &Utf8Path) -> Vec<String> {
    let alone = |project: &Project| {
        let of_folder = projects.iter().filter(|it| it.root == project.root);
        of_folder.count() == 1
    };
    let names = projects.iter().map(|project| match alone(project) {
        true => folder_name(project, folder),
        false => file_name(project, folder),
    });
    names.collect()
}

/// The name of a project in a document of a folder, where its own folder holds no other.
fn folder_name(project: &Project, folder: &Utf8Path) -> String {
    let path = pathdiff::diff_utf8_paths(&project.root, folder);
    match path.as_deref().unwrap_or(&project.root) {
        here if here.as_str().is_empty() => ".".to_owned(),
        path => slashes(path),
    }
}

/// The name of a project in a document of a folder, where its own folder holds others.
fn file_name(project: &Project, folder: &Utf8Path) -> String {
    let file = project.files.first().map(Utf8PathBuf::as_path);
    let file = file.unwrap_or(Utf8Path::new(""));
    // both are as they are shown
    let inside = pathdiff::diff_utf8_paths(file, &project.directory);
    let inside = inside.unwrap_or_else(|| file.to_owned());
    match &*folder_name(project, folder) {
        "." => slashes(&inside),
        folder => format!("{folder}/{}", slashes(&inside)),
    }
}
