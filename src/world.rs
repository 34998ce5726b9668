//! Everything that a check looks at.

use std::ops::Range;
use std::sync::Arc;

use crate::binding::{Engine, Port, PortRange, PortSet};
use crate::compose::project::Project;
use crate::machine::Machine;
use crate::settings::{Pool, Settings};
use crate::worktree::Neighbour;

/// The projects, and what would run them.
#[derive(Debug, Default)]
pub struct World {
    /// The projects, in the order of their files.
    pub projects: Vec<Project>,
    /// The engine, where no machine is known.
    pub engine: Engine,
    /// The machines that the projects would be started on, each on every one of them.
    pub machines: Vec<Machine>,
    /// True if the projects are files of the machine, so that their folders can be compared with
    /// those that its containers were made from.
    pub live: bool,
    /// True if all projects run on one host; otherwise each is alone.
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
    /// The indices of the projects.
    pub projects: Range<usize>,
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
        let mut outside = PortSet::from_iter(PortRange::ALL.iter());
        for ports in pools.flat_map(|pool| &pool.ports) {
            ports.iter().for_each(|port| outside.remove(port));
        }
        Some(outside)
    }

    /// Each group of projects on each machine; none where Swarm places them.
    pub fn hosts(&self) -> impl Iterator<Item = Host<'_>> {
        let count = if self.stack.is_some() {
            0
        } else {
            self.projects.len()
        };
        let step = if self.together { count.max(1) } else { 1 };
        let groups = (0..count)
            .step_by(step)
            .map(move |first| first..(first + step).min(count));
        groups.flat_map(|projects| {
            let known = self.machines.iter().map(Some);
            let unknown = self.machines.is_empty().then_some(None);
            known.chain(unknown).map(move |machine| Host {
                projects: projects.clone(),
                machine,
            })
        })
    }
}
