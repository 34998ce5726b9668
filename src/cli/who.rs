//! `portplan who`

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};

use super::machine::{self, MachineArgs, Machines};
use super::{ProjectArgs, Status, print, tell};
use crate::binding::{Port, Protocol};
use crate::report::holdings::Holdings;
use crate::world::World;

/// Show who holds or wants a port, and what to do
///
/// Containers, running or not, programs, Swarm services, and the compose files of the current
/// folder or of the folders named.
#[derive(Args)]
#[command(after_help = "Example: portplan who 8080")]
pub struct WhoArgs {
    /// The port, with /tcp, /udp or /sctp if only one is meant
    #[arg(value_name = "PORT[/PROTO]", value_parser = port)]
    port: (Port, Option<Protocol>),
    /// Compose files, or folders to search for them; none: the current folder
    #[arg(value_name = "PATH")]
    paths: Vec<Utf8PathBuf>,
    /// Look at a machine's saved state instead, from `portplan snapshot`
    #[arg(long, value_name = "SNAPSHOT")]
    against: Vec<Utf8PathBuf>,
    #[command(flatten)]
    machine: MachineArgs,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table
    Human,
    /// For programs; see `schemas/who.schema.json`
    Json,
}

fn port(text: &str) -> Result<(Port, Option<Protocol>), String> {
    let (port, protocol) = match text.split_once('/') {
        Some((port, protocol)) => (port, Some(protocol)),
        None => (text, None),
    };
    let port = port.parse().map_err(|error| format!("{error}"))?;
    let protocol = protocol.map(str::parse).transpose();
    Ok((
        port,
        protocol.map_err(|error: crate::binding::InvalidProtocol| error.to_string())?,
    ))
}

pub(super) fn run(args: &WhoArgs, projects: &ProjectArgs) -> Status {
    let input = match projects.read(&args.paths) {
        Ok(input) => input,
        Err(error) => return super::usage(&error),
    };
    let mut seen = if args.against.is_empty() {
        args.machine.read(args.machine.named())
    } else {
        Machines::default()
    };
    machine::stored(&args.against, &mut seen);
    tell(&seen.problems, &seen.remarks);
    // a folder without a compose file wants nothing
    let projects = if input.found {
        input.projects
    } else {
        Vec::new()
    };
    let world = World {
        projects,
        machines: seen.machines,
        together: true,
        ..World::default()
    };
    let (port, protocol) = args.port;
    let holdings = Holdings::of(&world).on(port, protocol);
    if args.format == Format::Json {
        super::print_json(&holdings);
    } else if holdings.ports.is_empty() {
        print(&format!(
            "{port} is free: nothing known holds or wants it\n"
        ));
    } else {
        print(&holdings.table());
    }
    if seen.problems.is_empty() {
        Status::Clean
    } else {
        Status::Partial
    }
}
