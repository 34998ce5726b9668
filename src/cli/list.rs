//! `portplan list`

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};

use super::machine::{MachineArgs, Scene};
use super::{ProjectArgs, Status, print};
use crate::report::holdings::Holdings;
use crate::report::list::List;
use crate::report::table;

/// Show every published port and where it is written
#[derive(Args)]
#[command(after_help = "Example: portplan list stacks/ --format json")]
pub struct ListArgs {
    /// Compose files, or folders to search for them; none: the current folder
    #[arg(value_name = "PATH")]
    paths: Vec<Utf8PathBuf>,
    /// Show what holds or wants a port on this machine: containers, programs, Swarm, the files
    #[arg(long)]
    live: bool,
    #[command(flatten)]
    machine: MachineArgs,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// A table
    Human,
    /// For programs; see `schemas/list.schema.json`, with --live `schemas/who.schema.json`
    Json,
}

pub(super) fn run(args: &ListArgs, projects: &ProjectArgs) -> Status {
    if args.live || args.machine.named() {
        return live(args, projects);
    }
    let input = match projects.read(&args.paths) {
        Ok(input) => input,
        Err(error) => return super::usage(&error),
    };
    let list = List::of(&input.projects, &input.problems);
    match args.format {
        Format::Json => super::print_json(&list),
        Format::Human => print(&table::render(&list)),
    }
    if !input.found {
        Status::Nothing
    } else if list.errors.is_empty() {
        Status::Clean
    } else {
        Status::Partial
    }
}

/// Everything that holds or wants a port, the files' and the machine's.
fn live(args: &ListArgs, projects: &ProjectArgs) -> Status {
    let scene = match Scene::read(projects, &args.paths, &args.machine, &[], true) {
        Ok(scene) => scene,
        Err(error) => return super::usage(&error),
    };
    let holdings = Holdings::of(&scene.world).without_connections();
    match args.format {
        Format::Json => super::print_json(&holdings),
        Format::Human => print(&holdings.table()),
    }
    scene.status()
}
