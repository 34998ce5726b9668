//! What a search for compose files leaves out.

use camino::{Utf8Path, Utf8PathBuf};

use crate::glob::Globs;

/// Globs, each with the folder that they are relative to; the default covers nothing.
#[derive(Clone, Debug, Default)]
pub struct Exclude {
    globs: Vec<(Utf8PathBuf, Globs)>,
}

impl Exclude {
    /// Adds globs that are relative to a folder, which is given from the root.
    #[must_use]
    pub fn and(mut self, folder: &Utf8Path, globs: Globs) -> Self {
        if !globs.is_empty() {
            self.globs.push((folder.to_owned(), globs));
        }
        self
    }

    /// True if nothing is left out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.globs.is_empty()
    }

    /// True if a path, from the root, or a folder that it is in, is left out.
    #[must_use]
    pub fn covers(&self, path: &Utf8Path) -> bool {
        self.globs.iter().any(|(folder, globs)| {
            let inside = pathdiff::diff_utf8_paths(path, folder);
            inside.is_some_and(|inside| globs.cover(&inside))
        })
    }
}
