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
use std::io;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

pub use input::ProjectArgs;

use crate::compose::problem::Problem;
use crate::report::concise::problem_line;
use crate::report::place::ProblemPlace;
use crate::report::plain;
use crate::source;

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
    let status = match cli.command {
        None => start::run(&cli.projects),
        Some(Command::Check(args)) => check::run(&args, &cli.projects),
        Some(Command::Plan(args)) => plan::run(&args, &cli.projects),
        Some(Command::Fix(args)) => fix::run(&args, &cli.projects),
        Some(Command::List(args)) => list::run(&args, &cli.projects),
        Some(Command::Diff(args)) => diff::run(&args, &cli.projects),
        Some(Command::Who(args)) => who::run(&args, &cli.projects),
        Some(Command::Free(args)) => free::run(&args, &cli.projects),
        Some(Command::Snapshot(args)) => snapshot::run(&args),
        Some(Command::Init(args)) => init::run(&args),
        Some(Command::Rules(args)) => rules::run(&args, &cli.projects),
        Some(Command::Explain(args)) => rules::explain(&args),
        Some(Command::Schema(args)) => schema::run(&args),
        Some(Command::Completions(args)) => shell::completions(&args),
        Some(Command::Man(args)) => shell::man(&args),
    };
    match IS_CUT.load(Ordering::Relaxed) {
        true => Status::Partial.into(),
        false => status.into(),
    }
}

/// Set when standard output did not take all that was written to it.
static IS_CUT: AtomicBool = AtomicBool::new(false);

/// Writes to standard output; a reader that has gone away is no error.
fn print(text: &str) {
    write(&mut anstream::stdout(), text);
}

fn print_json(value: &impl serde::Serialize) {
    // there are no colours in it to take away
    write(&mut io::stdout(), &crate::report::json(value));
}

fn write(output: &mut dyn io::Write, text: &str) {
    let written = output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush());
    if let Err(error) = written
        && error.kind() != io::ErrorKind::BrokenPipe
        && !IS_CUT.swap(true, Ordering::Relaxed)
    {
        let reason = source::reason(&error);
        anstream::eprintln!("error: cannot write to standard output: {reason}");
    }
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
        anstream::eprintln!("{place}error: {}", plain(&problem.message));
        if let Some(help) = &problem.help {
            anstream::eprintln!("  help: {}", plain(help));
        }
    }
    for remark in remarks {
        anstream::eprintln!("note: {}", plain(remark));
    }
}

/// Says on standard error what could not be read, with words before it.
fn tell_problem(before: &str, problem: &ProblemPlace) {
    anstream::eprintln!("{before}{}", problem_line("error", problem));
    if let Some(help) = &problem.help {
        anstream::eprintln!("  help: {}", plain(help));
    }
}
