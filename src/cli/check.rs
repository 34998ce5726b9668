//! `portplan check`

use std::io::IsTerminal as _;

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};

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
/// A pure function of the files and the environment: no engine is asked.
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
    let input = match projects.read(&args.paths) {
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
    let world = World {
        projects: input.projects,
        engine,
        together: args.together,
    };
    let findings = rules::check(&world);
    let outcome = Outcome {
        world,
        findings,
        problems: input.problems,
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
