//! `portplan diff`

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};

use super::{ProjectArgs, Status, print};
use crate::report::diff::Diff;
use crate::report::list::List;
use crate::revision::Revision;

/// Show which published ports a change adds, removes and moves
///
/// Compares the files with those of a revision, which is read from git itself.
#[derive(Args)]
#[command(
    before_help = "Examples:\n  portplan diff HEAD                             what is not committed yet\n  portplan diff origin/main . --format markdown  for a comment on a pull request"
)]
pub struct DiffArgs {
    /// The revision to compare with, such as HEAD or origin/main
    #[arg(value_name = "REV")]
    revision: String,
    /// Compose files, or folders to search for them; none: the current folder
    #[arg(value_name = "PATH")]
    paths: Vec<Utf8PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// Aligned columns
    Human,
    /// A table, for a comment
    Markdown,
    /// For programs; see `portplan schema diff`
    Json,
}

pub(super) fn run(args: &DiffArgs, projects: &ProjectArgs) -> Status {
    let input = match projects.read(&args.paths) {
        Ok(input) => input,
        Err(error) => return super::usage(&error),
    };
    let partial = input.tell();
    let revision = match Revision::open(&args.revision, &input.reading.cwd) {
        Ok(revision) => revision,
        Err(error) => return super::usage(&error),
    };
    let then = projects.read_at(&args.paths, &input.reading, &input.exclude, &revision);
    let nothing = |project: &crate::compose::project::Project| project.sources.files().is_empty();
    let was_there = !then.iter().all(nothing);
    // a project that comes or goes is no error
    let gone = !input.found && was_there;
    let now = List::of(if gone { &[] } else { &input.projects }, &input.problems);
    let then: Vec<_> = then
        .into_iter()
        .filter(|project| !nothing(project))
        .collect();
    let before = List::of(&then, &[]);
    let diff = Diff::of(&args.revision, &before, &now);
    match args.format {
        Format::Human => print(&diff.table()),
        Format::Markdown => print(&diff.markdown()),
        Format::Json => super::print_json(&diff),
    }
    for (list, place) in [(&now, ""), (&before, &*format!("in {}, ", args.revision))] {
        for error in &list.errors {
            super::tell_problem(place, error);
        }
    }
    if !input.found && !was_there {
        Status::Nothing
    } else if now.errors.is_empty() && before.errors.is_empty() && !partial {
        Status::Clean
    } else {
        Status::Partial
    }
}
