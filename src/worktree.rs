//! The other git worktrees of a repository: what their projects publish counts as held.
//!
//! Source: `git help worktree`, porcelain format; `git help rev-parse`.

use std::fs::File;
use std::io;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};

use crate::compose::discover::{COMPOSE_FILES, first_of};
use crate::compose::project::{Project, Request};
use crate::compose::reading::Reading;
use crate::compose::search;
use crate::revision;
use crate::source::{self, Disk, FileKind, Files as _};

/// A project in another worktree.
#[derive(Debug)]
pub struct Neighbour {
    /// The project.
    pub project: Project,
    /// The worktree, relative to the working directory.
    pub worktree: Utf8PathBuf,
}

/// A git repository with its worktrees, as seen from one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// The worktree that it is seen from.
    pub top: Utf8PathBuf,
    /// The folder that all worktrees share, `.git` of the first.
    pub common: Utf8PathBuf,
    /// The other worktrees, as git lists them.
    pub others: Vec<Utf8PathBuf>,
}

/// Why the worktrees are not known.
#[derive(Debug, thiserror::Error)]
pub enum WorktreeError {
    /// `git` could not be run.
    #[error("the worktrees are known to `git`, which {}", revision::absent(.0))]
    NoGit(io::Error),
    /// `git` refused.
    #[error("git cannot list the worktrees of `{folder}`: {reason}")]
    Git {
        /// The folder that was asked about.
        folder: Utf8PathBuf,
        /// What git said.
        reason: String,
    },
    /// The lock could not be had.
    #[error("cannot lock `{path}`, which makes plans of several worktrees take turns: {}", source::reason(.error))]
    Lock {
        /// The lock's file.
        path: Utf8PathBuf,
        /// What the operating system says.
        error: io::Error,
    },
}

/// The turn of one process to choose ports for a worktree; others wait. Ends when it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Repository {
    /// The repository that a folder is in.
    ///
    /// # Errors
    /// Git is not there, or the folder is in no repository.
    pub fn of(folder: &Utf8Path) -> Result<Self, WorktreeError> {
        let places = git(
            folder,
            &[
                "rev-parse",
                "--path-format=absolute",
                "--show-toplevel",
                "--git-common-dir",
            ],
        )?;
        let mut places = places.lines().map(Utf8PathBuf::from);
        let top = places.next().unwrap_or_default();
        let common = places.next().unwrap_or_default();
        let list = git(folder, &["worktree", "list", "--porcelain"])?;
        let others = list.split("\n\n").filter_map(|entry| {
            let path = entry
                .lines()
                .find_map(|line| line.strip_prefix("worktree "))?;
            let bare = entry.lines().any(|line| line == "bare");
            let path = Utf8PathBuf::from(path);
            (!bare && path != top && Disk.kind(&path) == Some(FileKind::Folder)).then_some(path)
        });
        Ok(Self {
            others: others.collect(),
            top,
            common,
        })
    }

    /// Waits for the turn to choose ports.
    ///
    /// # Errors
    /// The lock's file cannot be made or locked.
    pub fn lock(&self) -> Result<Lock, WorktreeError> {
        let path = self.common.join("portplan.lock");
        let file = File::options().create(true).append(true).open(&path);
        let locked = file.and_then(|file| {
            file.lock()?;
            Ok(Lock { _file: file })
        });
        locked.map_err(|error| WorktreeError::Lock { path, error })
    }

    /// The same projects in the other worktrees, as they are written there.
    #[must_use]
    pub fn neighbours(&self, reading: &Reading, projects: &[Project]) -> Vec<Neighbour> {
        let mut neighbours = Vec::new();
        for other in &self.others {
            let asked = reading.requests.iter().zip(projects);
            let requests = asked.filter_map(|(request, project)| {
                self.elsewhere(other, request, project, &reading.cwd)
            });
            let there = Reading {
                requests: requests.collect(),
                stdin: None,
                ..reading.clone()
            };
            let worktree = relative(other, &reading.cwd);
            neighbours.extend(there.load(&Disk).into_iter().map(|project| Neighbour {
                project,
                worktree: worktree.clone(),
            }));
        }
        neighbours
    }

    /// The request for a project in another worktree; none if it is not there.
    fn elsewhere(
        &self,
        other: &Utf8Path,
        request: &Request,
        project: &Project,
        cwd: &Utf8Path,
    ) -> Option<Request> {
        let there = |path: &Utf8Path| {
            let path = crate::source::join(cwd, path);
            let inside = path.strip_prefix(&self.top);
            inside.map_or(path.clone(), |inside| relative(&other.join(inside), cwd))
        };
        let root = crate::source::join(cwd, there(&project.root));
        if root == project.root {
            return None;
        }
        let is_default = project.files.iter().any(|file| {
            file.file_name()
                .is_some_and(|name| COMPOSE_FILES.contains(&name))
        });
        // its override may be there and not here
        let files = if is_default {
            let base = first_of(&Disk, &root, &COMPOSE_FILES)?;
            let found = search::projects(&[relative(&base, cwd)], cwd, &Disk);
            found.into_iter().next()?.files
        } else {
            let files = project.files.iter().map(|file| there(file));
            let files: Vec<Utf8PathBuf> = files.collect();
            let all = files
                .iter()
                .all(|file| Disk.kind(&cwd.join(file)).is_some());
            all.then_some(files)?
        };
        Some(Request {
            files,
            project_directory: request.project_directory.as_deref().map(there),
            env_files: request.env_files.iter().map(|file| there(file)).collect(),
            ..request.clone()
        })
    }
}

fn relative(path: &Utf8Path, cwd: &Utf8Path) -> Utf8PathBuf {
    pathdiff::diff_utf8_paths(path, cwd).unwrap_or_else(|| path.to_owned())
}

/// What git says.
fn git(folder: &Utf8Path, args: &[&str]) -> Result<String, WorktreeError> {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(args)
        .output();
    let output = output.map_err(WorktreeError::NoGit)?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    let words = text(&output.stderr);
    let fatal = words.lines().find(|line| line.starts_with("fatal: "));
    let last = words.lines().next_back();
    Err(WorktreeError::Git {
        folder: folder.to_owned(),
        reason: revision::plain(fatal.or(last).unwrap_or_default()),
    })
}

/// The files among these that git tracks, by their paths from the root.
#[must_use]
pub fn tracked<'p>(paths: impl IntoIterator<Item = &'p Utf8Path>) -> Vec<&'p Utf8Path> {
    let is_tracked = |path: &&Utf8Path| {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return false;
        };
        git(folder, &["ls-files", "--error-unmatch", "--", name]).is_ok()
    };
    paths.into_iter().filter(is_tracked).collect()
}
