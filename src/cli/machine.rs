//! Which machines a command is about, and how they are looked at.

use std::panic::resume_unwind;
use std::thread;

use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;

use super::input::{InputError, ProjectArgs};
use super::view::load;
use super::{Status, policy};
use crate::compose::problem::{Kind, Problem};
use crate::compose::project::Project;
use crate::compose::reading::Reading;
use crate::engine::endpoint::{Choice, Source, Surroundings};
use crate::engine::{Endpoint, EngineError, Failure, Hints, Limits, endpoint, observe};
use crate::host::{self, Owner};
use crate::machine::{Machine, VERSION};
use crate::settings::Settings;
use crate::source::Disk;
use crate::worktree::{Neighbour, Repository};
use crate::world::World;

/// The flags that choose machines.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Which machine")]
pub struct MachineArgs {
    /// Docker context; give it several times for several machines
    #[arg(long = "context", value_name = "NAME")]
    contexts: Vec<String>,
    /// Address of an engine, such as unix:///var/run/docker.sock
    #[arg(short = 'H', long, value_name = "ADDRESS")]
    host: Option<String>,
}

/// Machines that were looked at, and what could not be seen.
#[derive(Debug, Default)]
pub struct Machines {
    /// The machines.
    pub machines: Vec<Machine>,
    /// What could not be seen.
    pub problems: Vec<Problem>,
    /// What is not known, though nothing failed.
    pub remarks: Vec<String>,
}

impl MachineArgs {
    /// True if a machine is named.
    #[must_use]
    pub fn named(&self) -> bool {
        !self.contexts.is_empty() || self.host.is_some()
    }

    /// Looks at the machines named, or at this one. An engine that is asked for, by a flag, a
    /// variable or because `needed`, and does not answer is a problem; the rest is still read.
    #[must_use]
    pub fn read(&self, needed: bool) -> Machines {
        let mut seen = Machines::default();
        let contexts = self.contexts.iter().map(|name| Choice::Context(name));
        let mut choices: Vec<Choice<'_>> = contexts.collect();
        choices.extend(self.host.as_deref().map(Choice::Host));
        if choices.is_empty() {
            choices.push(Choice::Unsaid);
        }
        for choice in choices {
            look(choice, needed, &mut seen);
        }
        seen
    }
}

/// The compose files and the machines that a question about ports is asked of, as one host each.
pub struct Scene {
    /// The files' projects, if there are any, with those that share a host with them; and the
    /// machines.
    pub world: World,
    /// The working directory.
    pub cwd: Utf8PathBuf,
    /// True if a machine is the one that the program runs on.
    pub here: bool,
    /// False if something could not be seen; it has been told.
    pub whole: bool,
}

/// What a question about ports is asked of, as flags say it.
pub struct Asked<'a> {
    /// Files and folders; none is the current folder.
    pub paths: &'a [Utf8PathBuf],
    /// Which machines.
    pub machines: &'a MachineArgs,
    /// Stored machines, in place of live ones.
    pub against: &'a [Utf8PathBuf],
    /// An engine that does not answer is a problem.
    pub needed: bool,
    /// Beside live machines, the hosts that the projects run on, as their snapshots have them.
    pub hosts: bool,
}

impl Scene {
    /// Reads the files that are named, and the machines: those stored, or if there are none, the
    /// live ones.
    ///
    /// # Errors
    /// What cannot be asked for together.
    pub fn read(projects: &ProjectArgs, asked: &Asked<'_>) -> Result<Self, InputError> {
        let input = projects.read(asked.paths)?;
        let wrong = input.tell();
        let (reading, settings) = (input.reading, input.settings);
        let mut seen = match asked.against {
            [] => asked.machines.read(asked.needed),
            _ => Machines::default(),
        };
        let here = seen.machines.iter().any(|machine| machine.host.is_some());
        stored(asked.against, &mut seen);
        let mut whole = !wrong;
        // a folder without a compose file wants nothing
        let mut projects = if input.found {
            super::tell(&input.problems, &[]);
            whole &= input.problems.is_empty();
            input.projects
        } else {
            Vec::new()
        };
        if asked.hosts && asked.against.is_empty() && !asked.machines.named() {
            seen.machines.extend(of_hosts(&settings, &projects));
        }
        let neighbours = match settings.worktrees {
            true => neighbours(&reading, &projects, &mut seen.problems),
            false => Vec::new(),
        };
        let joined = settings.bystanders(&projects, &input.exclude, &Disk);
        let bystanders = joined.len();
        projects.extend(load(&reading, joined, &Disk));
        super::tell(&seen.problems, &seen.remarks);
        for project in &projects {
            whole &= !policy::tell_errors(&project.problems, &project.sources);
        }
        Ok(Self {
            whole: whole && seen.problems.is_empty(),
            cwd: reading.cwd,
            here,
            world: World {
                projects,
                bystanders,
                machines: seen.machines,
                together: true,
                neighbours: neighbours.into(),
                settings: settings.into(),
                ..World::default()
            },
        })
    }

    /// How the command ends, all else being well.
    pub fn status(&self) -> Status {
        if self.whole {
            Status::Clean
        } else {
            Status::Partial
        }
    }
}

/// The hosts of portplan.yaml that some projects run on, as their snapshots have them.
fn of_hosts(settings: &Settings, projects: &[Project]) -> Vec<Machine> {
    let hosts = settings.hosts.iter();
    let hosts = hosts.filter(|host| projects.iter().any(|it| settings.runs_on(it, host)));
    let machines = hosts.filter_map(|host| {
        let name = host.name.clone();
        let machine = host.machine.clone()?;
        Some(Machine { name, ..machine })
    });
    machines.collect()
}

/// The projects of the repository's other worktrees.
fn neighbours(
    reading: &Reading,
    projects: &[Project],
    problems: &mut Vec<Problem>,
) -> Vec<Neighbour> {
    let folder = projects.first();
    let folder = folder.map_or(&reading.cwd, |project| &project.root);
    match Repository::of(folder) {
        Ok(repository) => repository.neighbours(reading, projects),
        Err(error) => {
            let problem = Problem::error(Kind::Machine, error.to_string());
            problems.push(problem.help("--no-config goes on without `worktrees` of portplan.yaml"));
            Vec::new()
        }
    }
}

/// Reads stored machines.
pub fn stored(paths: &[Utf8PathBuf], seen: &mut Machines) {
    for path in paths {
        let reason = match Machine::read(path) {
            Ok(machine) => {
                seen.machines.push(machine);
                continue;
            }
            Err(reason) => reason,
        };
        let message = format!("cannot read the snapshot `{path}`: {reason}");
        let problem = Problem::error(Kind::Machine, message).of(path);
        seen.problems
            .push(problem.help("make one on that machine: `portplan snapshot > host.json`"));
    }
}

fn look(choice: Choice<'_>, needed: bool, seen: &mut Machines) {
    let home = std::env::home_dir().and_then(|home| Utf8PathBuf::from_path_buf(home).ok());
    let around = Surroundings {
        variable: &|name| std::env::var(name).ok(),
        home: home.as_deref(),
        exists: &|path: &Utf8Path| path.exists(),
    };
    let endpoint = match endpoint::resolve(choice, &around) {
        Ok(endpoint) => endpoint,
        Err(error) => {
            seen.problems
                .push(Problem::error(Kind::Machine, error.to_string()));
            return;
        }
    };
    // both take their time, the one in the kernel and the other in the engine
    let (host, engine) = thread::scope(|scope| {
        let local = endpoint.is_local();
        let host = local.then(|| scope.spawn(|| host::Snapshot::read(host::Detail::Options)));
        let engine = observe(&endpoint, Limits::default());
        (host.map(thread::ScopedJoinHandle::join), engine)
    });
    let host = match host {
        Some(Ok(Ok(host))) => Some(host),
        Some(Ok(Err(error))) => {
            let problem = Problem::error(Kind::Machine, error.to_string());
            seen.problems.push(problem);
            None
        }
        Some(Err(panic)) => resume_unwind(panic),
        None => {
            seen.remarks.push(format!(
                "{} is another machine: programs that listen there outside of containers are not seen",
                endpoint.address
            ));
            None
        }
    };
    let hints = hints(host.as_ref());
    let mut engines = Vec::new();
    match engine {
        Ok(engine) => engines.push(engine.with(hints)),
        Err(error) if !needed && is_absent(&error) => {
            seen.remarks
                .push("no container engine runs here".to_owned());
        }
        Err(error) => {
            let help = if choice == Choice::Unsaid && needed {
                format!(
                    "{}; without --live only the files are checked",
                    error.help()
                )
            } else {
                error.help()
            };
            seen.problems
                .push(Problem::error(Kind::Machine, error.to_string()).help(help));
        }
    }
    if host.is_some() && choice == Choice::Unsaid {
        others(&endpoint, &around, hints, &mut engines);
    }
    if host.is_none() && engines.is_empty() {
        return;
    }
    seen.machines.push(Machine {
        version: VERSION,
        name: name(&endpoint, host.as_ref()),
        engines,
        host,
    });
}

/// What the API does not tell and the host does.
fn hints(host: Option<&host::Snapshot>) -> Hints {
    let proxy = host.into_iter().flat_map(|host| &host.sockets).any(|socket| {
        matches!(&socket.owner, Owner::Process { program: Some(name), .. } if name == "docker-proxy")
    });
    Hints {
        userland_proxy: proxy.then_some(true),
        ipv6: host.map(|host| host.limits.ipv6),
    }
}

/// True where nobody asked for an engine and none is installed.
fn is_absent(error: &EngineError) -> bool {
    let unasked = matches!(
        error.endpoint.source,
        Source::Default | Source::Rootless | Source::Podman
    );
    unasked && matches!(error.failure, Failure::NotThere | Failure::Refused)
}

/// Other engines of this machine: their containers take ports of the same host.
fn others(
    first: &Endpoint,
    around: &Surroundings<'_>,
    hints: Hints,
    engines: &mut Vec<crate::engine::Snapshot>,
) {
    let runtime = (around.variable)("XDG_RUNTIME_DIR").map(Utf8PathBuf::from);
    let mut paths = vec![
        Utf8PathBuf::from("/var/run/docker.sock"),
        Utf8PathBuf::from("/run/podman/podman.sock"),
    ];
    paths.extend(runtime.iter().map(|folder| folder.join("docker.sock")));
    paths.extend(
        runtime
            .iter()
            .map(|folder| folder.join("podman/podman.sock")),
    );
    for path in paths.iter().filter(|path| path.exists()) {
        let address = format!("unix://{path}");
        let endpoint = endpoint::resolve(Choice::Host(&address), around);
        let Some(endpoint) = endpoint.ok().filter(|other| other.address != first.address) else {
            continue;
        };
        // what it holds is seen as sockets all the same, so it may stay silent
        let Ok(engine) = observe(&endpoint, Limits::default()) else {
            continue;
        };
        if engines
            .iter()
            .all(|known| known.engine.id != engine.engine.id)
        {
            engines.push(engine.with(hints));
        }
    }
}

fn name(endpoint: &Endpoint, host: Option<&host::Snapshot>) -> String {
    match &endpoint.source {
        Source::Context { name, .. } => name.clone(),
        _ if host.is_some() => "this machine".to_owned(),
        _ => endpoint.address.to_string(),
    }
}
