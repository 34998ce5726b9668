//! All that some projects were read with, so that they can be read again.

use camino::Utf8PathBuf;
use rayon::prelude::*;

use super::environment::Environment;
use super::project::{Project, Request};
use crate::source::Files;

/// What decides how projects are read, apart from the files themselves.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// Which projects.
    pub requests: Vec<Request>,
    /// The environment of the process.
    pub shell: Environment,
    /// The working directory, from the root: relative paths start here, and shown ones are
    /// relative to it.
    pub cwd: Utf8PathBuf,
    /// What was on standard input, if a request names it.
    pub stdin: Option<Vec<u8>>,
}

impl Reading {
    /// Reads all projects, in the order of the requests.
    #[must_use]
    pub fn load(&self, files: &dyn Files) -> Vec<Project> {
        self.load_telling(files, &|| ())
    }

    /// [`load`](Self::load), on all cores; calls `done` after each project.
    pub fn load_telling(&self, files: &dyn Files, done: &(dyn Fn() + Sync)) -> Vec<Project> {
        let load = |request: &Request| {
            let stdin = self.stdin.as_deref();
            let project = Project::load(request, &self.shell, &self.cwd, files, stdin);
            done();
            project
        };
        match &self.requests[..] {
            // it takes a while to start threads
            few @ ([] | [_]) => few.iter().map(load).collect(),
            requests => requests.par_iter().map(load).collect(),
        }
    }
}
