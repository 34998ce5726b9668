//! `portplan free`

use camino::Utf8PathBuf;
use clap::Args;

use super::machine::{Asked, MachineArgs, Scene};
use super::{ProjectArgs, Status, print};
use crate::binding::{Engine, HostIp, Port, PortRange, PortSet, Protocol};
use crate::compose::discover::COMPOSE_FILES;
use crate::graph::Allocation;
use crate::host::{self, Bind, Outcome};
use crate::machine::Machine;
use crate::plan::candidates;
use crate::plan::place::in_pool;
use crate::report::holdings::Holdings;

/// Find free host ports that are good to use
///
/// Not held or wanted by anything known, not lent to outgoing connections, not privileged, not
/// refused by browsers, not another service's well-known port; not reserved in portplan.yaml, and in
/// a pool of the project if it has any. Each is tried by binding it on every address, as the engine
/// would.
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
    let world = &scene.world;
    let engine = world
        .machines
        .first()
        .map_or_else(Engine::default, Machine::engine);
    let mut taken = Holdings::of(world).taken();
    for host in world.hosts() {
        taken.add_all(Allocation::of(world, &host).taken());
    }
    let outside = outside_pools(&scene);
    outside.iter().for_each(|ports| taken.add_all(ports));

    let mut found: Vec<Port> = Vec::new();
    let block = if args.consecutive { args.count } else { 1 };
    while found.len() < args.count as usize {
        let start = args.near.get().into();
        let good = |engine: &Engine| candidates::first_good(start, block, &taken, engine);
        let in_pools = || outside.as_ref().and_then(|_| good(&in_pool(&engine)));
        let Some(range) = good(&engine).or_else(in_pools) else {
            let of = if outside.is_some() {
                " in the pools of portplan.yaml"
            } else {
                ""
            };
            anstream::eprintln!(
                "error: there are not that many free ports{of} that are good to use: ask for fewer \
                 with --count"
            );
            return Status::Findings;
        };
        let busy: Vec<Port> = range
            .iter()
            .filter(|port| scene.here && !can_bind(*port, &engine))
            .collect();
        taken.extend(busy.iter().copied());
        if busy.is_empty() {
            taken.add_range(range);
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

/// The ports that the pools of all projects asked about leave out; where there is no project, those
/// of one that would be made in the current folder. None if any has no pools.
fn outside_pools(scene: &Scene) -> Option<PortSet> {
    let world = &scene.world;
    let asked = 0..world.projects.len() - world.bystanders;
    if asked.is_empty() {
        let file = scene.cwd.join(COMPOSE_FILES[0]);
        return world.settings.outside_pools(&file);
    }
    let outside = asked.map(|project| world.outside_pools(project));
    let outside: Vec<PortSet> = outside.collect::<Option<_>>()?;
    let of_all = |port: &Port| outside.iter().all(|ports| ports.contains(*port));
    Some(PortRange::ALL.iter().filter(of_all).collect())
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
