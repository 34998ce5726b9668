//! Everything that a check looks at.

use crate::binding::Engine;
use crate::compose::project::Project;

/// The projects, and the engine that would run them.
#[derive(Debug, Default)]
pub struct World {
    /// The projects, in the order they were named or found.
    pub projects: Vec<Project>,
    /// The engine.
    pub engine: Engine,
    /// True if all projects run on one host; otherwise each is alone.
    pub together: bool,
}

impl World {
    /// The indices of the projects that share a host.
    pub fn hosts(&self) -> impl Iterator<Item = std::ops::Range<usize>> {
        let all = 0..self.projects.len();
        let step = if self.together { all.len().max(1) } else { 1 };
        all.clone()
            .step_by(step)
            .map(move |first| first..(first + step).min(all.len()))
    }
}
