//! `portplan check`

use std::io::IsTerminal as _;

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};

use super::machine::{self, MachineArgs, Machines};
use super::{ProjectArgs, Status, print};
use crate::binding::{Engine, Version};
use crate::compose::problem::Gravity;
use crate::finding::Severity;
use crate::report::check::{Findings, Outcome};
use crate::report::{concise, human};
use crate::rules;
use crate::world::World;

/// Find host ports that cannot all be had
///
/// Reads compose files as Docker Compose does and predicts what the engine will refuse to start.
/// Without --live or --against a pure function of the files and the environment.
#[derive(Args)]
#[command(after_help = "Example: portplan check docker-compose.yml")]
pub struct CheckArgs {
    /// Compose files, or folders to search for them; none: the current folder
    #[arg(value_name = "PATH")]
    paths: Vec<Utf8PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// All projects run on one host: look for collisions between them, too
    #[arg(long)]
    together: bool,
    /// The least severity that makes the exit status 1
    #[arg(long, value_enum, default_value_t = FailOn::Error, value_name = "SEVERITY")]
    fail_on: FailOn,
    /// Look at this machine, too: its containers, its other programs, its Swarm
    #[arg(long)]
    live: bool,
    /// Check against a machine's saved state, from `portplan snapshot`; several are several machines
    #[arg(long, value_name = "SNAPSHOT")]
    against: Vec<Utf8PathBuf>,
    /// Read the files as `docker stack deploy` would for this stack; with --live or --against a
    /// manager, check them against the services of its Swarm
    #[arg(long, value_name = "NAME")]
    stack: Option<String>,
    #[command(flatten)]
    machine: MachineArgs,
    /// Version of the Docker Engine that would run the projects; the newest if left out
    #[arg(long, value_name = "VERSION")]
    engine: Option<Version>,
    /// The engine runs rootless
    #[arg(long)]
    rootless: bool,
    /// Show what Compose would refuse for reasons apart from ports, too
    #[arg(short, long)]
    verbose: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// With the lines of the files
    Human,
    /// One line a finding
    Concise,
    /// For programs; see `schemas/findings.schema.json`
    Json,
}

#[derive(Clone, Copy, ValueEnum)]
enum FailOn {
    Error,
    Warning,
    Notice,
    Never,
}

pub(super) fn run(args: &CheckArgs, projects: &ProjectArgs) -> Status {
    let input = match args.stack {
        Some(_) => projects.read_stack(&args.paths),
        None => projects.read(&args.paths),
    };
    let input = match input {
        Ok(input) => input,
        Err(error) => return super::usage(&error),
    };
    let mut engine = Engine {
        rootless: args.rootless,
        ..Engine::default()
    };
    if let Some(version) = args.engine {
        engine.version = version;
    }
    let live = args.live || args.machine.named();
    let mut seen = if live {
        args.machine.read(true)
    } else {
        Machines::default()
    };
    machine::stored(&args.against, &mut seen);
    let world = World {
        projects: input.projects,
        engine,
        machines: seen.machines,
        live,
        together: args.together,
        stack: args.stack.clone(),
    };
    let findings = rules::check(&world);
    let outcome = Outcome {
        world,
        findings,
        problems: input.problems.into_iter().chain(seen.problems).collect(),
        remarks: seen.remarks,
    };
    match args.format {
        Format::Json => super::print_json(&Findings::of(&outcome)),
        Format::Concise => print(&concise::render(&outcome)),
        Format::Human => print(&human::render(&outcome, style(args.verbose))),
    }
    status(&outcome, args.fail_on, input.found)
}

/// How to print: as standard output can show it.
fn style(verbose: bool) -> human::Style {
    let terminal = std::io::stdout().is_terminal();
    human::Style {
        colour: anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never,
        width: if terminal { terminal_width() } else { 100 },
        verbose,
    }
}

fn terminal_width() -> usize {
    let size = terminal_size::terminal_size();
    size.map_or(100, |(width, _)| usize::from(width.0).clamp(60, 120))
}

fn status(outcome: &Outcome, fail_on: FailOn, found: bool) -> Status {
    let least = match fail_on {
        FailOn::Error => Some(Severity::Error),
        FailOn::Warning => Some(Severity::Warning),
        FailOn::Notice => Some(Severity::Notice),
        FailOn::Never => None,
    };
    let failing = |severity| least.is_some_and(|least| severity >= least);
    if !found {
        Status::Nothing
    } else if outcome.problems(Gravity::Error).next().is_some() {
        Status::Partial
    } else if outcome
        .findings
        .iter()
        .any(|finding| failing(finding.severity))
    {
        Status::Findings
    } else {
        Status::Clean
    }
}
