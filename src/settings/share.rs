//! The projects that share a host with those that were named.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use super::{NamedHost, Settings};
use crate::compose::exclude::Exclude;
use crate::compose::project::{Project, Request};
use crate::compose::search::{self, Tree};
use crate::source::{self, FileKind};

impl Settings {
    /// The requests for the other projects of the hosts that some projects run on.
    #[must_use]
    pub fn bystanders(
        &self,
        projects: &[Project],
        exclude: &Exclude,
        tree: &dyn Tree,
    ) -> Vec<Request> {
        let named = |host: &&NamedHost| projects.iter().any(|it| self.runs_on(it, host));
        let hosts: Vec<&NamedHost> = self.hosts.iter().filter(named).collect();
        if hosts.is_empty() {
            return Vec::new();
        }
        let found = search::compose_files(tree, &self.shown(&self.root), &self.cwd, exclude).files;
        let found = found
            .into_iter()
            .map(|file| self.shown(&source::join(&self.cwd, file)));
        let on_any = |file: &Utf8PathBuf| {
            let file = self.from_root(file);
            hosts.iter().any(|host| host.projects.cover(&file))
        };
        // a file of any name can be named by its path
        let paths = hosts.iter().flat_map(|host| host.projects.paths());
        let paths = paths.map(|path| source::join(&self.root, path));
        let paths = paths.filter(|path| tree.kind(path) == Some(FileKind::File));
        let files: Vec<Utf8PathBuf> = found
            .filter(on_any)
            .chain(paths.map(|path| self.shown(&path)))
            .collect();
        let known = projects.iter().flat_map(|project| &project.files);
        let known: BTreeSet<Utf8PathBuf> = known.map(|it| source::join(&self.cwd, it)).collect();
        let mut requests = search::projects(&files, &self.cwd, tree);
        requests.retain(|request| {
            let mut files = request.files.iter();
            files.all(|file| !known.contains(&source::join(&self.cwd, file)))
        });
        requests
    }

    /// The hosts that none of some projects run on.
    pub fn empty_hosts<'s>(
        &'s self,
        projects: &'s [Project],
    ) -> impl Iterator<Item = &'s NamedHost> {
        let hosts = self.hosts.iter();
        hosts.filter(|host| projects.iter().all(|it| !self.runs_on(it, host)))
    }

    /// A path from the root, as it is shown.
    #[must_use]
    pub(crate) fn shown(&self, path: &Utf8Path) -> Utf8PathBuf {
        let shown = pathdiff::diff_utf8_paths(path, &self.cwd);
        match shown {
            Some(shown) if shown.as_str().is_empty() => ".".into(),
            Some(shown) => shown,
            None => path.to_owned(),
        }
    }
}
