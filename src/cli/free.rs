//! `portplan free`

use camino::Utf8PathBuf;
use clap::Args;

use super::machine::{MachineArgs, Scene};
use super::{ProjectArgs, Status, print};
use crate::binding::{Engine, HostIp, Port, Protocol};
use crate::host::{self, Bind, Outcome};
use crate::machine::Machine;
use crate::plan::candidates;
use crate::report::holdings::Holdings;

/// Find free host ports that are good to use
///
/// Not held or wanted by anything known, not lent to outgoing connections, not privileged, not
/// refused by browsers, not another service's well-known port. Each is tried by binding it on every
/// address, as the engine would.
#[derive(Args)]
#[command(
    before_help = "Examples:\n  portplan free\n  portplan free --near 8080 --count 3 --consecutive"
)]
pub struct FreeArgs {
    /// Look for ports near this one
    #[arg(long, value_name = "PORT", default_value = "8000")]
    near: Port,
    /// How many ports
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    count: u32,
    /// All in one block
    #[arg(long)]
    consecutive: bool,
    /// Compose files, or folders, whose ports do not count as free; none: the current folder
    #[arg(value_name = "PATH")]
    paths: Vec<Utf8PathBuf>,
    /// Look at a machine's saved state instead, from `portplan snapshot`
    #[arg(long, value_name = "SNAPSHOT")]
    against: Vec<Utf8PathBuf>,
    #[command(flatten)]
    machine: MachineArgs,
}

pub(super) fn run(args: &FreeArgs, projects: &ProjectArgs) -> Status {
    let needed = args.machine.named();
    let scene = Scene::read(projects, &args.paths, &args.machine, &args.against, needed);
    let scene = match scene {
        Ok(scene) => scene,
        Err(error) => return super::usage(&error),
    };
    let world = &scene.world;
    let engine = world
        .machines
        .first()
        .map_or_else(Engine::default, Machine::engine);
    let mut taken = Holdings::of(&scene.world).taken();
    taken.extend(world.machines.iter().flat_map(Machine::kept));
    taken.extend(world.reserved());
    // what is stored cannot be tried
    let here = args.against.is_empty() && world.machines.iter().any(|m| m.host.is_some());

    let mut found: Vec<Port> = Vec::new();
    let block = if args.consecutive { args.count } else { 1 };
    while found.len() < args.count as usize {
        let start = args.near.get().into();
        let Some(range) = candidates::first_good(start, block, &taken, &engine) else {
            anstream::eprintln!(
                "error: there are not that many free ports that are good to use: ask for fewer with --count"
            );
            return Status::Findings;
        };
        let busy: Vec<Port> = range
            .iter()
            .filter(|port| here && !can_bind(*port, &engine))
            .collect();
        taken.extend(busy.iter().copied());
        if busy.is_empty() {
            taken.extend(range.iter());
            found.extend(range.iter());
        }
    }
    print(
        &found
            .iter()
            .map(|port| format!("{port}\n"))
            .collect::<String>(),
    );
    scene.status()
}

/// Tries a port on every address of both families, TCP and UDP.
fn can_bind(port: Port, engine: &Engine) -> bool {
    let mut addresses = vec![HostIp::ANY4];
    if engine.ipv6 {
        addresses.push(HostIp::ANY6);
    }
    let tries = addresses
        .iter()
        .flat_map(|ip| [Protocol::Tcp, Protocol::Udp].map(|p| (ip, p)));
    let outcomes = tries.map(|(ip, protocol)| {
        host::probe(Bind {
            protocol,
            address: ip.ip(),
            port: port.into(),
            udp_reuse_address: engine.udp_reuses_address(),
        })
    });
    // an attempt without an answer proves nothing
    outcomes
        .into_iter()
        .all(|outcome| !matches!(outcome, Ok(Outcome::InUse | Outcome::NotPermitted)))
}
