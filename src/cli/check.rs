//! `portplan check`

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};

use super::known::KnownArgs;
use super::output::OutputArgs;
use super::view::ViewArgs;
use super::{ProjectArgs, Status};
use crate::compose::problem::Gravity;
use crate::finding::Severity;
use crate::report::check::{Limits, Outcome};
use crate::suppress;

/// Find host ports that two things want
///
/// Reads compose files as Docker Compose does and predicts what the engine will refuse to start.
/// Without --live or --against it looks at nothing but the files and the environment.
#[derive(Args)]
#[command(
    before_help = "Examples:\n  portplan check                     the project of this folder\n  portplan check stacks/ --together  all projects below, on one host\n  portplan check --live              and what this machine holds",
    after_help = "Exit status: 0 clean, 1 findings, 2 could not do all of it, 3 no compose file"
)]
pub struct CheckArgs {
    #[command(flatten)]
    output: OutputArgs,
    /// The least severity that makes the exit status 1
    #[arg(long, value_enum, default_value_t = FailOn::Error, value_name = "SEVERITY")]
    fail_on: FailOn,
    /// More warnings than these make the exit status 1
    #[arg(long, value_name = "N")]
    max_warnings: Option<usize>,
    /// Read the files as `docker stack deploy` would for this stack; with --live or --against a
    /// manager, check them against the services of its Swarm
    #[arg(long, value_name = "NAME")]
    stack: Option<String>,
    /// Also show what Compose would refuse for reasons that are not ports
    #[arg(short, long)]
    verbose: bool,
    /// Write what is found to this file, for --baseline; all of it is known then
    #[arg(long, value_name = "FILE", help_heading = "What is known already")]
    write_baseline: Option<Utf8PathBuf>,
    #[command(flatten)]
    known: KnownArgs,
    #[command(flatten)]
    view: ViewArgs,
}

#[derive(Clone, Copy, ValueEnum)]
enum FailOn {
    Error,
    Warning,
    Notice,
    Never,
}

impl FailOn {
    fn least(self) -> Option<Severity> {
        match self {
            Self::Error => Some(Severity::Error),
            Self::Warning => Some(Severity::Warning),
            Self::Notice => Some(Severity::Notice),
            Self::Never => None,
        }
    }
}

pub(super) fn run(args: &CheckArgs, projects: &ProjectArgs) -> Status {
    let view = match args.view.read(projects, args.stack.as_deref()) {
        Ok(view) => view.documented(),
        Err(error) => return super::usage(&error),
    };
    let before = match args.known.before(&view, &args.view, projects) {
        Ok(before) => before,
        Err(error) => return super::usage(&error),
    };
    let (findings, silenced) = suppress::check(&view.world);
    let mut outcome = Outcome {
        findings,
        silenced,
        world: view.world,
        problems: view.problems,
        remarks: view.remarks,
        limits: Limits {
            fail_on: args.fail_on.least(),
            max_warnings: args.max_warnings,
        },
    };
    let known = args
        .known
        .apply(before, args.write_baseline.as_deref(), &mut outcome);
    let errors = args.output.write(&outcome, args.verbose);
    let mut failed = Vec::new();
    failed.extend(known.err().map(|error| super::usage(&error)));
    failed.extend(errors.iter().map(|error| super::usage(error)));
    let failed = failed.first().copied();
    failed.unwrap_or_else(|| status(&outcome, view.found))
}

fn status(outcome: &Outcome, found: bool) -> Status {
    if !found {
        Status::Nothing
    } else if outcome.problems(Gravity::Error).next().is_some() {
        Status::Partial
    } else if outcome.fails() {
        Status::Findings
    } else {
        Status::Clean
    }
}
