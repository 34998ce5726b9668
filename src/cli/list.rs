//! `portplan list`

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};

use super::{ProjectArgs, Status, print};
use crate::report::list::List;

/// Show every published port and where it is written
#[derive(Args)]
#[command(after_help = "Example: portplan list stacks/ --format json")]
pub struct ListArgs {
    /// Compose files, or folders to search for them; none: the current folder
    #[arg(value_name = "PATH")]
    paths: Vec<Utf8PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// A table
    Human,
    /// For programs; see `schemas/list.schema.json`
    Json,
}

pub(super) fn run(args: &ListArgs, projects: &ProjectArgs) -> Status {
    let input = match projects.read(&args.paths) {
        Ok(input) => input,
        Err(error) => {
            eprintln!("error: {error}");
            return Status::Partial;
        }
    };
    let list = List::of(&input.projects);
    match args.format {
        Format::Json => {
            let mut text = serde_json::to_string_pretty(&list).unwrap_or_default();
            text.push('\n');
            print(&text);
        }
        Format::Human => {}
    }
    Status::Clean
}
