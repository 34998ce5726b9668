//! `portplan list`

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use clap::{Args, ValueEnum};

use super::input::Input;
use super::machine::{Asked, MachineArgs, Scene};
use super::output::{self, NotWritten};
use super::{ProjectArgs, Status, print};
use crate::document;
use crate::document::embed::{NoPlace, embed};
use crate::document::table::Row;
use crate::report::holdings::Holdings;
use crate::report::list::List;
use crate::report::table;
use crate::source::{self, SourceFile};

/// Show every published port and where it is written
#[derive(Args)]
#[command(
    before_help = "Examples:\n  portplan list                        the project of this folder\n  portplan list --live                 what holds ports on this machine\n  portplan list stacks/ --format json  all projects below, for programs"
)]
pub struct ListArgs {
    /// Compose files, or folders to search for them; none: the current folder
    #[arg(value_name = "PATH")]
    paths: Vec<Utf8PathBuf>,
    /// Show what holds or wants a port on this machine: containers, programs, Swarm, the files, and
    /// what portplan.yaml reserves
    #[arg(long)]
    live: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Write the Markdown table into a document, between the lines `<!-- portplan:ports -->` and
    /// `<!-- /portplan:ports -->`
    #[arg(long, value_name = "FILE")]
    write: Option<Utf8PathBuf>,
    #[command(flatten)]
    machine: MachineArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table
    Human,
    /// For programs; see `portplan schema list`, with --live `portplan schema who`
    Json,
    /// A table, for a document
    Markdown,
}

/// What cannot be done with the list.
#[derive(Debug, thiserror::Error)]
enum ListError {
    #[error(
        "--live shows what one machine holds now, which is not for a document: leave out --live, or --format markdown and --write"
    )]
    Live,
    #[error("--write writes a Markdown table: add --format markdown")]
    NoTable,
    #[error("`{0}` cannot be read: {why}", why = source::reason(.1))]
    Unreadable(Utf8PathBuf, io::Error),
    #[error("`{0}` {1}")]
    NoPlace(Utf8PathBuf, NoPlace),
    #[error(
        "`{0}` was not written, because not everything could be read: mend the errors above first"
    )]
    Partial(Utf8PathBuf),
    #[error(transparent)]
    NotWritten(#[from] NotWritten),
}

pub(super) fn run(args: &ListArgs, projects: &ProjectArgs) -> Status {
    let table = args.format == Format::Markdown;
    if args.live || args.machine.named() {
        return match table || args.write.is_some() {
            true => super::usage(&ListError::Live),
            false => live(args, projects),
        };
    }
    if args.write.is_some() && !table {
        return super::usage(&ListError::NoTable);
    }
    let input = match projects.read(&args.paths) {
        Ok(input) => input,
        Err(error) => return super::usage(&error),
    };
    let partial = input.tell();
    let list = List::of(&input.projects, &input.problems);
    if args.format != Format::Json {
        for error in &list.errors {
            super::tell_problem("", error);
        }
    }
    match (args.format, &args.write) {
        (Format::Json, _) => super::print_json(&list),
        (Format::Human, _) => print(&table::render(&list)),
        (Format::Markdown, Some(file)) if input.found => {
            if let Err(error) = write(file, &input, &list) {
                return super::usage(&error);
            }
        }
        (Format::Markdown, _) => print(&markdown(&input, &list, &input.reading.cwd)),
    }
    if !input.found {
        Status::Nothing
    } else if list.errors.is_empty() && !partial {
        Status::Clean
    } else {
        Status::Partial
    }
}

/// The table for a document in a folder.
fn markdown(input: &Input, list: &List, folder: &Utf8Path) -> String {
    let names = document::names(&input.projects, folder);
    let projects = list.projects.iter().zip(&names);
    let rows: Vec<Row> = projects
        .flat_map(|(project, name)| Row::all(project, name))
        .collect();
    document::table::write(&rows)
}

/// Writes the table into a document that has a place for it.
fn write(file: &Utf8Path, input: &Input, list: &List) -> Result<(), ListError> {
    if !list.errors.is_empty() {
        return Err(ListError::Partial(file.to_owned()));
    }
    let unreadable = |error| ListError::Unreadable(file.to_owned(), error);
    let bytes = std::fs::read(file).map_err(unreadable)?;
    let old = SourceFile::decode(file, bytes)
        .map_err(|error| unreadable(io::Error::new(io::ErrorKind::InvalidData, error)))?;
    let path = source::join(&input.reading.cwd, file);
    let table = markdown(input, list, path.parent().unwrap_or(&path));
    let new =
        embed(old.text(), &table).map_err(|error| ListError::NoPlace(file.to_owned(), error))?;
    if new == old.text() {
        print(&format!("{file} is up to date\n"));
        return Ok(());
    }
    output::write(file, old.encode(&new))?;
    print(&format!("{file}: written\n"));
    Ok(())
}

/// Everything that holds or wants a port, the files' and the machine's.
fn live(args: &ListArgs, projects: &ProjectArgs) -> Status {
    let asked = Asked {
        paths: &args.paths,
        machines: &args.machine,
        against: &[],
        needed: true,
        hosts: false,
    };
    let scene = match Scene::read(projects, &asked) {
        Ok(scene) => scene,
        Err(error) => return super::usage(&error),
    };
    let holdings = Holdings::of(&scene.world).without_connections();
    match args.format {
        Format::Json => super::print_json(&holdings),
        Format::Human | Format::Markdown => print(&holdings.table()),
    }
    scene.status()
}
