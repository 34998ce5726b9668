//! What check, plan and fix look at: projects, and what would run them.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;

use super::ProjectArgs;
use super::input::{Input, InputError};
use super::machine::{self, MachineArgs, Machines};
use crate::binding::{Engine, Version};
use crate::compose::exclude::Exclude;
use crate::compose::problem::{Kind, Problem};
use crate::compose::project::{Project, Request};
use crate::compose::reading::Reading;
use crate::document::find::{self, Found};
use crate::revision::{Revision, RevisionError};
use crate::rules::{self, undocumented_port};
use crate::source::{self, Disk, Files};
use crate::worktree::{Lock, Repository};
use crate::world::World;

/// The flags that say what is looked at, beside those that choose projects.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "What is looked at")]
pub struct ViewArgs {
    /// Compose files, or folders to search for them; none: the current folder
    #[arg(value_name = "PATH", help_heading = None)]
    paths: Vec<Utf8PathBuf>,
    /// All projects run on one host: also look for collisions between them
    #[arg(long)]
    together: bool,
    /// Also look at this machine: its containers, its other programs, its Swarm
    #[arg(long)]
    live: bool,
    /// Also look at a machine's saved state, from `portplan snapshot`; give it several times for
    /// several machines
    #[arg(long, value_name = "SNAPSHOT")]
    against: Vec<Utf8PathBuf>,
    /// Count the ports that the repository's other git worktrees publish as held
    #[arg(long)]
    worktrees: bool,
    /// Version of the Docker Engine that would run the projects; the newest if left out
    #[arg(long, value_name = "VERSION")]
    engine: Option<Version>,
    /// The engine runs rootless
    #[arg(long)]
    rootless: bool,
    // its heading goes on to all that follows
    #[command(flatten)]
    machine: MachineArgs,
}

/// What was looked at.
pub struct View {
    /// The projects and the machines.
    pub world: World,
    /// What the projects were read with.
    pub reading: Reading,
    /// What a search leaves out.
    pub exclude: Exclude,
    /// False where there was nothing to read.
    pub found: bool,
    /// What stood in the way of finding the projects or looking at the machines.
    pub problems: Vec<Problem>,
    /// What is not known, though nothing failed.
    pub remarks: Vec<String>,
    /// True if other worktrees count.
    pub worktrees: bool,
    /// The turn to choose ports among the worktrees, if they count.
    _lock: Option<Lock>,
}

impl ViewArgs {
    /// Reads the projects, as those of a Swarm stack if one is named, and looks at the machines.
    ///
    /// # Errors
    /// What cannot be asked for together.
    pub fn read(&self, args: &ProjectArgs, stack: Option<&str>) -> Result<View, InputError> {
        let Input {
            mut projects,
            mut reading,
            settings,
            exclude,
            mut problems,
            found,
            mut remarks,
        } = match stack {
            Some(_) => args.read_stack(&self.paths)?,
            None => args.read(&self.paths)?,
        };
        let mut engine = Engine {
            rootless: self.rootless,
            ..Engine::default()
        };
        if let Some(version) = self.engine {
            engine.version = version;
        }
        let mut lock = None;
        let mut neighbours = Vec::new();
        let worktrees = self.worktrees || settings.worktrees;
        if worktrees {
            let folder = projects
                .first()
                .map_or(&reading.cwd, |project| &project.root);
            match Repository::of(folder).and_then(|found| Ok((found.lock()?, found))) {
                Ok((turn, repository)) => {
                    lock = Some(turn);
                    neighbours = repository.neighbours(&reading, &projects);
                }
                Err(error) => {
                    let problem = Problem::error(Kind::Machine, error.to_string());
                    problems.push(problem.help(
                        "to go on without, leave out --worktrees, or remove `worktrees` from portplan.yaml",
                    ));
                }
            }
        }
        let start = args.start(&self.paths).unwrap_or(Utf8Path::new(""));
        let is_whole = settings.root.starts_with(source::join(&reading.cwd, start));
        if is_whole {
            let empty = settings.empty_hosts(&projects);
            remarks.extend(empty.map(|host| {
                let name = &host.name;
                format!("portplan.yaml names the host {name}, and no project was found for it: check its `projects`")
            }));
        }
        let joined = if self.together || stack.is_some() {
            Vec::new()
        } else {
            settings.bystanders(&projects, &exclude, &Disk)
        };
        let bystanders = joined.len();
        projects.extend(load(&reading, joined.clone(), &Disk));
        reading.requests.extend(joined);
        let live = self.live || self.machine.named();
        let mut seen = if live {
            self.machine.read(true)
        } else {
            Machines::default()
        };
        machine::stored(&self.against, &mut seen);
        Ok(View {
            world: World {
                projects,
                bystanders,
                engine,
                machines: seen.machines,
                live,
                together: self.together,
                neighbours: neighbours.into(),
                stack: stack.map(str::to_owned),
                documents: Vec::new(),
                settings: Arc::new(settings),
            },
            reading,
            exclude,
            found,
            problems: problems.into_iter().chain(seen.problems).collect(),
            remarks: remarks.into_iter().chain(seen.remarks).collect(),
            worktrees,
            _lock: lock,
        })
    }

    /// What the rules would have found at a revision, on the machines as they are now.
    ///
    /// # Errors
    /// The revision cannot be read.
    pub fn world_at(
        &self,
        revision: &str,
        view: &View,
        projects: &ProjectArgs,
    ) -> Result<World, RevisionError> {
        let revision = Revision::open(revision, &view.reading.cwd)?;
        let now = &view.world;
        let mut reading = view.reading.clone();
        let asked = reading.requests.len() - now.bystanders;
        reading.requests.truncate(asked);
        let mut projects = projects.read_at(&self.paths, &reading, &view.exclude, &revision);
        let joined = if self.together || now.stack.is_some() {
            Vec::new()
        } else {
            now.settings.bystanders(&projects, &view.exclude, &revision)
        };
        let bystanders = joined.len();
        projects.extend(load(&reading, joined, &revision));
        let mut world = World {
            projects,
            bystanders,
            engine: now.engine.clone(),
            machines: now.machines.clone(),
            stack: now.stack.clone(),
            neighbours: now.neighbours.clone(),
            settings: now.settings.clone(),
            documents: Vec::new(),
            ..*now
        };
        // a change is a change of its documents, too
        world.documents = documents(&world, &reading.cwd, &revision).documents;
        Ok(world)
    }
}

impl View {
    /// The same, with the documents that a rule asks for.
    #[must_use]
    pub fn documented(mut self) -> Self {
        let found = documents(&self.world, &self.reading.cwd, &Disk);
        self.world.documents = found.documents;
        self.problems.extend(found.problems);
        self
    }
}

/// The documents of the projects of a world, if a rule asks for them.
fn documents(world: &World, cwd: &Utf8Path, files: &dyn Files) -> Found {
    match rules::is_on(&undocumented_port::RULE, world) {
        true => find::read(&world.projects, &world.settings, cwd, files),
        false => Found::default(),
    }
}

/// Reads more projects in the same way.
pub(super) fn load(reading: &Reading, requests: Vec<Request>, files: &dyn Files) -> Vec<Project> {
    let more = Reading {
        requests,
        shell: reading.shell.clone(),
        cwd: reading.cwd.clone(),
        stdin: None,
    };
    more.load(files)
}
