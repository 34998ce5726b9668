//! Which machines a command is about, and how they are looked at.

use std::panic::resume_unwind;
use std::thread;

use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;

use super::input::{InputError, ProjectArgs};
use super::{Status, policy};
use crate::compose::problem::{Kind, Problem};
use crate::engine::endpoint::{Choice, Source, Surroundings};
use crate::engine::{Endpoint, EngineError, Failure, Hints, Limits, endpoint, observe};
use crate::host::{self, Owner};
use crate::machine::{Machine, VERSION};
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
    /// The files' projects, if there are any, and the machines.
    pub world: World,
    /// False if something could not be seen; it has been told.
    pub whole: bool,
}

impl Scene {
    /// Reads the files that `paths` and the flags name, and the machines: those stored in `against`,
    /// or if there are none, the live ones.
    ///
    /// # Errors
    /// What cannot be asked for together.
    pub fn read(
        projects: &ProjectArgs,
        paths: &[Utf8PathBuf],
        machines: &MachineArgs,
        against: &[Utf8PathBuf],
        needed: bool,
    ) -> Result<Self, InputError> {
        let input = projects.read(paths)?;
        let mut seen = match against {
            [] => machines.read(needed),
            _ => Machines::default(),
        };
        stored(against, &mut seen);
        super::tell(&seen.problems, &seen.remarks);
        let mut whole = seen.problems.is_empty();
        // a folder without a compose file wants nothing
        let projects = if input.found {
            super::tell(&input.problems, &[]);
            whole &= input.problems.is_empty();
            input.projects
        } else {
            Vec::new()
        };
        for project in &projects {
            whole &= !policy::tell_errors(&project.problems, &project.sources);
        }
        let machines = seen.machines;
        let world = World {
            projects,
            machines,
            together: true,
            ..World::default()
        };
        Ok(Self { world, whole })
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
