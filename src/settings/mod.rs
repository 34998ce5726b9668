//! What the user has settled for good in `portplan.yaml`: how grave each rule is, which host ports
//! are whose, which projects share a host.

mod file;
pub mod find;
pub mod init;
mod mistake;
mod reader;
mod share;
mod value;

use std::cell::LazyCell;

use camino::{Utf8Path, Utf8PathBuf};

use crate::binding::{Port, PortRange, PortSet, Protocol};
use crate::compose::problem::Problem;
use crate::compose::project::Project;
use crate::finding::Severity;
pub use crate::glob::Globs;
use crate::machine::Machine;
use crate::plan::Pin;
use crate::report::slashes;
use crate::rules::Rule;
use crate::source::{self, SourceMap};

pub use file::{ConfigFile, Level};
pub use value::RuleName;

/// What is settled; the default is what holds without a `portplan.yaml`.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// How grave rules are; a later entry goes over an earlier one.
    pub levels: Vec<RuleLevel>,
    /// The host ports that may be published; none is all.
    pub pools: Vec<Pool>,
    /// The host ports that are kept for something else.
    pub reserved: Vec<Reservation>,
    /// What plan and fix never move.
    pub pins: Vec<Pin>,
    /// The hosts, with the projects that share them.
    pub hosts: Vec<NamedHost>,
    /// The files that are left out when folders are searched.
    pub exclude: Option<Globs>,
    /// True if what the repository's other git worktrees publish counts as held.
    pub worktrees: bool,
    /// The documents that list published ports; `None` is the nearest README of each project.
    pub documents: Option<Globs>,
    /// The baseline, relative to the file.
    pub baseline: Option<Utf8PathBuf>,
    /// The folder of the file, from the root: globs are relative to it.
    pub root: Utf8PathBuf,
    /// The working directory, from the root: the paths of files are relative to it.
    pub cwd: Utf8PathBuf,
    /// The file itself.
    pub sources: SourceMap,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

/// How grave a rule is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleLevel {
    /// The name of the rule.
    pub rule: String,
    /// How grave, `None` if it is off.
    pub level: Option<Severity>,
    /// The files in which.
    pub paths: Globs,
}

/// Host ports that may be published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pool {
    /// Its name, for messages.
    pub name: String,
    /// The ports.
    pub ports: Vec<PortRange>,
    /// The files whose projects may publish them.
    pub paths: Globs,
}

/// Host ports that are kept for something that no compose file names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// The ports.
    pub ports: PortRange,
    /// The protocol; none is all.
    pub protocol: Option<Protocol>,
    /// What they are kept for, for messages.
    pub reason: String,
}

/// A host, by name, and what runs on it.
#[derive(Clone, Debug)]
pub struct NamedHost {
    /// Its name, for messages.
    pub name: String,
    /// The files whose projects run on it.
    pub projects: Globs,
    /// The machine that it is, as it was when its snapshot was taken.
    pub machine: Option<Machine>,
}

impl Settings {
    /// How grave a rule is on findings in a file, `None` if it is off.
    ///
    /// Findings that a rule itself holds for less grave than its default stay so.
    #[must_use]
    pub fn level(&self, rule: &Rule, file: &Utf8Path) -> Option<Severity> {
        let covered = self.covered(file);
        let mut sets = self.levels.iter().rev();
        let set = sets.find(|set| set.rule == rule.name && covered(&set.paths));
        set.map_or(rule.default_level(), |set| set.level)
    }

    /// Turns rules on that are off by default, where nothing is settled about them.
    pub fn turn_on<'r>(&mut self, rules: impl Iterator<Item = &'r Rule>) {
        let on = rules.map(|rule| RuleLevel {
            rule: rule.name.to_owned(),
            level: Some(rule.severity),
            paths: Globs::default(),
        });
        // later ones go over them
        self.levels.splice(..0, on);
    }

    /// The pools for a project in a file.
    pub fn pools(&self, file: &Utf8Path) -> impl Iterator<Item = &Pool> {
        let covered = self.covered(file);
        let pools = self.pools.iter();
        pools.filter(move |pool| covered(&pool.paths))
    }

    /// The host ports that the pools for a project in a file leave out; none if it has no pools.
    #[must_use]
    pub fn outside_pools(&self, file: &Utf8Path) -> Option<PortSet> {
        let mut pools = self.pools(file).peekable();
        pools.peek()?;
        let mut outside = PortSet::default();
        outside.add_range(PortRange::ALL);
        for ports in pools.flat_map(|pool| &pool.ports) {
            ports.iter().for_each(|port| outside.remove(port));
        }
        Some(outside)
    }

    /// What a port is reserved for, if it is.
    #[must_use]
    pub fn reservation(&self, port: Port, protocol: Protocol) -> Option<&Reservation> {
        let mut all = self.reserved.iter();
        all.find(|kept| kept.ports.contains(port) && kept.protocol.is_none_or(|of| of == protocol))
    }

    /// True if a project runs on a host.
    #[must_use]
    pub fn runs_on(&self, project: &Project, host: &NamedHost) -> bool {
        let mut files = project.files.iter();
        files.any(|file| host.projects.cover(&self.from_root(file)))
    }

    /// Which globs cover a file.
    fn covered(&self, file: &Utf8Path) -> impl Fn(&Globs) -> bool {
        // most runs ask often and have no globs
        let file = LazyCell::new(move || self.from_root(file));
        move |globs| globs.cover_all() || globs.cover(&file)
    }

    /// The baseline, as it is shown.
    #[must_use]
    pub fn baseline(&self) -> Option<Utf8PathBuf> {
        let path = self.baseline.as_ref()?;
        Some(self.shown(&source::join(&self.root, path)))
    }

    /// What a file is called in what is stored: by its path from the folder of `portplan.yaml`,
    /// wherever the program is called; without one, as it is shown.
    #[must_use]
    pub fn name_of(&self, file: &Utf8Path) -> String {
        match self.root.as_str() {
            "" => slashes(file),
            _ => slashes(&self.from_root(file)),
        }
    }

    /// The path of a file as globs see it, from the folder of `portplan.yaml`.
    #[must_use]
    pub fn from_root(&self, file: &Utf8Path) -> Utf8PathBuf {
        let path = source::join(&self.cwd, file);
        pathdiff::diff_utf8_paths(&path, &self.root).unwrap_or(path)
    }
}
