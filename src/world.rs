//! Everything that a check looks at.

use std::sync::Arc;

use crate::binding::{Engine, Port, PortRange, PortSet};
use crate::compose::project::Project;
use crate::machine::Machine;
use crate::settings::{NamedHost, Pool, Settings};
use crate::worktree::Neighbour;

/// The projects, and what would run them.
#[derive(Debug, Default)]
pub struct World {
    /// The projects, in the order of their files.
    pub projects: Vec<Project>,
    /// How many of the last of them were not asked about, but share a host with one that was.
    pub bystanders: usize,
    /// The engine, where no machine is known.
    pub engine: Engine,
    /// The machines that the projects would be started on, each on every one of them.
    pub machines: Vec<Machine>,
    /// True if the projects are files of the machine, so that their folders can be compared with
    /// those that its containers were made from.
    pub live: bool,
    /// True if all projects run on one host; otherwise those that the settings say share one, and
    /// each of the others is alone.
    pub together: bool,
    /// Projects of the repository's other worktrees: what they publish counts as held.
    pub neighbours: Arc<Vec<Neighbour>>,
    /// The Swarm stack that the projects would be deployed as, instead of started by Compose.
    pub stack: Option<String>,
    /// What the user has settled for good.
    pub settings: Arc<Settings>,
}

/// Projects that share a host, and the machine that it is, if one is known.
#[derive(Clone, Debug)]
pub struct Host<'w> {
    /// Its name in `portplan.yaml`, if it is there.
    pub name: Option<&'w str>,
    /// The indices of the projects: what is of the first comes first.
    pub projects: Vec<usize>,
    /// The machine.
    pub machine: Option<&'w Machine>,
}

impl World {
    /// The host ports that are kept for something else, whatever the protocol.
    pub fn reserved(&self) -> impl Iterator<Item = Port> {
        let ranges = self.settings.reserved.iter().map(|kept| kept.ports);
        ranges.flat_map(PortRange::iter)
    }

    /// The pools of a project: those of its first file.
    pub fn pools(&self, project: usize) -> impl Iterator<Item = &Pool> {
        let file = self.projects[project].files.first();
        file.into_iter().flat_map(|file| self.settings.pools(file))
    }

    /// The host ports that the pools of a project leave out; none if it has no pools.
    #[must_use]
    pub fn outside_pools(&self, project: usize) -> Option<PortSet> {
        let mut pools = self.pools(project).peekable();
        pools.peek()?;
        let mut outside = PortSet::default();
        outside.add_range(PortRange::ALL);
        for ports in pools.flat_map(|pool| &pool.ports) {
            ports.iter().for_each(|port| outside.remove(port));
        }
        Some(outside)
    }

    /// Each group of projects on each of its machines; none where Swarm places them.
    ///
    /// A machine that was asked for is in the place of every host's own.
    pub fn hosts(&self) -> impl Iterator<Item = Host<'_>> {
        self.groups().into_iter().flat_map(|(named, projects)| {
            let own = named.and_then(|host| host.machine.as_ref());
            let unknown = self.machines.is_empty().then_some(own);
            let asked = self.machines.iter().map(Some);
            asked.chain(unknown).map(move |machine| Host {
                name: named.map(|host| host.name.as_str()),
                projects: projects.clone(),
                machine,
            })
        })
    }

    /// The projects that share a host; a project of none is alone.
    fn groups(&self) -> Vec<(Option<&NamedHost>, Vec<usize>)> {
        let all = 0..self.projects.len();
        if self.stack.is_some() {
            return Vec::new();
        }
        if self.together {
            return vec![(None, all.collect())];
        }
        let settings = &self.settings;
        let mut placed = vec![false; self.projects.len()];
        let mut groups = Vec::new();
        for host in &settings.hosts {
            let on = |index: &usize| settings.runs_on(&self.projects[*index], host);
            let mut projects: Vec<usize> = all.clone().filter(on).collect();
            // who is found to be in whose way must not depend on what was asked about
            projects.sort_by_key(|index| {
                let project = &self.projects[*index];
                (&project.root, &project.files)
            });
            projects.iter().for_each(|index| placed[*index] = true);
            groups.push((Some(host), projects));
        }
        let alone = all.filter(|index| !placed[*index]);
        groups.extend(alone.map(|index| (None, vec![index])));
        groups
    }

    /// True if a project was asked about.
    #[must_use]
    pub fn is_asked(&self, project: usize) -> bool {
        project + self.bystanders < self.projects.len()
    }

    /// True if the machine of each project is known.
    #[must_use]
    pub fn has_machine(&self) -> bool {
        let mut own = self
            .settings
            .hosts
            .iter()
            .filter_map(|it| it.machine.as_ref());
        let known = || self.hosts().all(|host| host.machine.is_some());
        !self.machines.is_empty() || own.next().is_some() && self.stack.is_none() && known()
    }
}
