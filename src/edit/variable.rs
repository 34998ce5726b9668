//! What else depends on a variable than host ports.

use std::collections::BTreeSet;

use camino::Utf8Path;

use super::feed::{Feed, Source};
use super::patch::Format;
use super::shelf::{Book, Place};
use crate::compose::interpolate::mentions;
use crate::source::join;
use crate::span::Span;

/// Something else than the host ports of `fed` that would change with a variable, in words.
///
/// `place` is where an env file gives it.
pub(super) fn other_use(
    feed: &Feed<'_>,
    variable: &str,
    place: Option<Place>,
    fed: &[Source],
) -> Option<String> {
    let scalars = fed.iter().filter_map(|source| feed.scalar(*source));
    let scalars: BTreeSet<Place> = scalars.map(|scalar| scalar.place).collect();
    let used = feed.named(variable).find(|used| {
        let times = mentions(feed.shelf.text(*used), variable);
        let is_port = times == 1 && scalars.contains(used);
        !(is_port || times == feed.times_along(*used))
    });
    let used = used.map(|used| feed.shelf.name(used)).or_else(|| {
        let mut books = feed.shelf.books.iter();
        let names =
            |book: &&Book<'_>| book.format == Format::Env && mentions(book.text(), variable) > 0;
        books.find(names).map(|book| book.source.path().to_string())
    });
    match used {
        Some(used) => Some(format!("the variable {variable} has another use ({used})")),
        None => given_to_a_container(feed, &feed.shelf.books[place?.book].path),
    }
}

/// Whether a service gives an env file to its containers as a whole.
pub(super) fn given_to_a_container(feed: &Feed<'_>, env_file: &Utf8Path) -> Option<String> {
    let Feed {
        workspace, shelf, ..
    } = feed;
    for (project, read) in workspace.projects.iter().enumerate() {
        for index in shelf.books_of(project) {
            let book = &shelf.books[index];
            let beside = join(&workspace.reading.cwd, book.source.path());
            let beside = beside.parent().unwrap_or(&read.root);
            let is_it = |(path, span): (&str, Span)| {
                // the path may name variables itself
                let place = Place {
                    book: index,
                    start: span.start,
                    end: span.end,
                };
                let path = feed.value(place).unwrap_or(path);
                let mut folders = [&*read.root, beside].into_iter();
                folders.any(|folder| workspace.files.real(&join(folder, path)) == env_file)
            };
            if book.container_env_files().into_iter().any(is_it) {
                let name = env_file.file_name().unwrap_or_default();
                return Some(format!(
                    "`{name}` is the `env_file` of a service, whose containers would see it change"
                ));
            }
        }
    }
    None
}
