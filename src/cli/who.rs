//! `portplan who`

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};

use super::machine::{Asked, MachineArgs, Scene};
use super::{ProjectArgs, Status, print};
use crate::binding::{Port, Protocol};
use crate::report::holdings::Holdings;

/// Show who holds or wants a port, and what to do
///
/// Containers, running or not, programs, Swarm services, the compose files of the current folder or
/// of the folders named, and what portplan.yaml reserves; on the hosts that it says these run on, as
/// their snapshots have them, too.
#[derive(Args)]
#[command(before_help = "Examples:\n  portplan who 8080\n  portplan who 53/udp stacks/")]
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
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    #[command(flatten)]
    machine: MachineArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table
    Human,
    /// For programs; see `portplan schema who`
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
    let asked = Asked {
        paths: &args.paths,
        machines: &args.machine,
        against: &args.against,
        needed: args.machine.named(),
        hosts: true,
    };
    let scene = match Scene::read(projects, &asked) {
        Ok(scene) => scene,
        Err(error) => return super::usage(&error),
    };
    let (port, protocol) = args.port;
    let holdings = Holdings::of(&scene.world).on(port, protocol);
    if args.format == Format::Json {
        super::print_json(&holdings);
    } else if holdings.ports.is_empty() {
        print(&match scene.whole {
            true => format!("{port} is free: nothing known holds or wants it\n"),
            false => format!("nothing that could be read holds or wants {port}\n"),
        });
    } else {
        print(&holdings.table());
    }
    scene.status()
}
