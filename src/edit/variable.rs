//! What else depends on a variable than host ports.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use super::feed::{Feed, Source};
use super::patch::Format;
use super::shelf::{Book, Place};
use crate::compose::interpolate::mentions;
use crate::source::join;

/// Who would see another value of a variable.
#[derive(Clone, Copy)]
pub(super) enum Reach<'p> {
    /// All projects: the shell gives it.
    Everyone,
    /// The projects that read this env file.
    EnvFile(Place),
    /// The projects of which something is in this folder or below: they may read its `.env`.
    Folder(&'p Utf8Path),
}

impl Reach<'_> {
    /// The books of those projects; `None` is all.
    fn books(self, feed: &Feed<'_>) -> Option<BTreeSet<usize>> {
        let cwd = &feed.workspace.reading.cwd;
        let reaches = |book: usize| match self {
            Self::Everyone => true,
            Self::EnvFile(place) => book == place.book,
            Self::Folder(folder) => {
                join(cwd, feed.shelf.books[book].source.path()).starts_with(folder)
            }
        };
        if matches!(self, Self::Everyone) {
            return None;
        }
        let of = |project| feed.shelf.books_of(project);
        let projects = 0..feed.workspace.projects.len();
        let reached = projects.filter(|project| of(*project).any(reaches));
        Some(reached.flat_map(of).collect())
    }
}

/// Something else than the host ports of `fed` that would change with a variable, in words.
///
pub(super) fn other_use(
    feed: &Feed<'_>,
    variable: &str,
    reach: Reach<'_>,
    fed: &[Source],
) -> Option<String> {
    let scalars = fed.iter().filter_map(|source| feed.scalar(*source));
    let scalars: BTreeSet<Place> = scalars.map(|scalar| scalar.place).collect();
    let readers = reach.books(feed);
    let is_read = |book: usize| readers.as_ref().is_none_or(|all| all.contains(&book));
    let mut named = feed.named(variable).filter(|used| is_read(used.book));
    let used = named.find(|used| {
        let times = mentions(feed.shelf.text(*used), variable);
        let is_port = times == 1 && scalars.contains(used);
        !(is_port || times == feed.times_along(*used))
    });
    let used = used.map(|used| feed.shelf.name(used)).or_else(|| {
        let mut books = feed.shelf.books.iter().enumerate();
        let names = |(index, book): &(usize, &Book<'_>)| {
            is_read(*index) && book.format == Format::Env && mentions(book.text(), variable) > 0
        };
        let found = books.find(names);
        found.map(|(_, book)| book.source.path().to_string())
    });
    match used {
        Some(used) => Some(format!(
            "the variable {variable} is also used elsewhere ({used})"
        )),
        None => match reach {
            Reach::EnvFile(place) => given_to_a_container(feed, &feed.shelf.books[place.book].path),
            Reach::Everyone | Reach::Folder(_) => None,
        },
    }
}

/// Whether a service gives an env file to its containers as a whole.
pub(super) fn given_to_a_container(feed: &Feed<'_>, env_file: &Utf8Path) -> Option<String> {
    let name = env_file.file_name().unwrap_or_default();
    feed.container_env_files().contains(env_file).then(|| {
        format!(
            "`{name}` is also the `env_file` of a service, whose containers would see the change"
        )
    })
}

/// The env files that services give to their containers as a whole, from the root, links followed.
pub(super) fn container_env_files(feed: &Feed<'_>) -> BTreeSet<Utf8PathBuf> {
    let Feed {
        workspace, shelf, ..
    } = feed;
    let mut found = BTreeSet::new();
    for (project, read) in workspace.projects.iter().enumerate() {
        for index in shelf.books_of(project) {
            let book = &shelf.books[index];
            let beside = join(&workspace.reading.cwd, book.source.path());
            let beside = beside.parent().unwrap_or(&read.root);
            for (path, span) in book.container_env_files() {
                // the path may name variables itself
                let place = Place {
                    book: index,
                    start: span.start,
                    end: span.end,
                };
                let path = feed.value(place).unwrap_or(path);
                let folders = [&*read.root, beside];
                found.extend(folders.map(|folder| workspace.files.real(&join(folder, path))));
            }
        }
    }
    found
}
