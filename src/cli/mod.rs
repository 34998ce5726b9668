//! The command line: flags, the library, an exit status.

mod ask;
mod check;
mod config;
mod diff;
mod fix;
mod free;
mod init;
mod input;
mod known;
mod list;
mod machine;
mod output;
mod plan;
mod policy;
mod rules;
mod schema;
mod shell;
mod snapshot;
mod start;
mod view;
mod who;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

pub use input::ProjectArgs;

use crate::compose::problem::Problem;

/// How a run ended, for scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nothing at or above `--fail-on`.
    Clean,
    /// Findings.
    Findings,
    /// Not all that was asked could be done: the view is partial.
    Partial,
    /// There was no compose file.
    Nothing,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(match status {
            Status::Clean => 0,
            Status::Findings => 1,
            Status::Partial => 2,
            Status::Nothing => 3,
        })
    }
}

#[derive(Parser)]
#[command(
    name = "portplan",
    version,
    about = "Find two things that want one host port, before Docker does",
    before_help = "Examples:\n  portplan               check the project of this folder\n  portplan check --live  also look at what this machine holds\n  portplan fix           move what collides\n  portplan who 8080      show who holds or wants a port",
    after_help = "Exit status: 0 clean, 1 findings, 2 could not do all of it, 3 no compose file",
    max_term_width = 100
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    projects: ProjectArgs,
}

#[derive(Subcommand)]
enum Command {
    Check(check::CheckArgs),
    Plan(plan::PlanArgs),
    Fix(fix::FixArgs),
    List(list::ListArgs),
    Diff(diff::DiffArgs),
    Who(who::WhoArgs),
    Free(free::FreeArgs),
    Snapshot(snapshot::SnapshotArgs),
    Init(init::InitArgs),
    Rules(rules::RulesArgs),
    Explain(rules::ExplainArgs),
    Schema(schema::SchemaArgs),
    Completions(shell::CompletionsArgs),
    Man(shell::ManArgs),
}

/// What all help is made of: what it does and an example before anything else.
const HELP: &str = "\
{about-with-newline}
{before-help}{usage-heading} {usage}

{all-args}{after-help}";

/// The command line.
fn command() -> clap::Command {
    let command = Cli::command().help_template(HELP);
    command.mut_subcommands(|command| command.help_template(HELP))
}

/// What the arguments ask for.
fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let mut command = command();
    let matches = command.try_get_matches_from_mut(args)?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

/// Runs the program with the process's arguments and environment.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => {
            // a closed pipe is no error
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let Some(command) = cli.command else {
        return start::run(&cli.projects).into();
    };
    let status = match command {
        Command::Check(args) => check::run(&args, &cli.projects),
        Command::Plan(args) => plan::run(&args, &cli.projects),
        Command::Fix(args) => fix::run(&args, &cli.projects),
        Command::List(args) => list::run(&args, &cli.projects),
        Command::Diff(args) => diff::run(&args, &cli.projects),
        Command::Who(args) => who::run(&args, &cli.projects),
        Command::Free(args) => free::run(&args, &cli.projects),
        Command::Snapshot(args) => snapshot::run(&args),
        Command::Init(args) => init::run(&args),
        Command::Rules(args) => rules::run(&args, &cli.projects),
        Command::Explain(args) => rules::explain(&args),
        Command::Schema(args) => schema::run(&args),
        Command::Completions(args) => shell::completions(&args),
        Command::Man(args) => shell::man(&args),
    };
    status.into()
}

/// Writes to standard output; a reader that has gone away is no error.
fn print(text: &str) {
    use std::io::Write as _;
    let _ = anstream::stdout().write_all(text.as_bytes());
}

fn print_json(value: &impl serde::Serialize) {
    print(&crate::report::json(value));
}

/// What was asked cannot be done.
fn usage(error: &dyn std::error::Error) -> Status {
    anstream::eprintln!("error: {error}");
    Status::Partial
}

/// Says on standard error what could not be seen, and what is not known.
fn tell(problems: &[Problem], remarks: &[String]) {
    for problem in problems {
        let place = problem
            .file
            .as_ref()
            .map_or_else(String::new, |file| format!("{file}: "));
        anstream::eprintln!("{place}error: {}", problem.message);
        if let Some(help) = &problem.help {
            anstream::eprintln!("  help: {help}");
        }
    }
    for remark in remarks {
        anstream::eprintln!("note: {remark}");
    }
}
