//! The planner on large projects, against a reference in the same run: reading the project and
//! finding its collisions, without which there is no plan.
//!
//! `cargo bench --bench plan` prints times and ratios; nothing is asserted, for a clock is no test.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use portplan::compose::environment::Environment;
use portplan::compose::project::{Project, Request};
use portplan::graph::Allocation;
use portplan::plan::{self, Plan, Policy, check};
use portplan::source::Memory;
use portplan::world::World;

fn main() {
    // `cargo test` runs this too, without `--bench`: then one small round, to see that it works
    let quick = std::env::args().all(|arg| arg != "--bench");
    let (sizes, rounds): (&[usize], _) = if quick {
        (&[40], 1)
    } else {
        (&[200, 2_000, 10_000], 5)
    };
    println!(
        "project   services   collisions   moves   at least   read ms   plan ms   plan/read   judge ms"
    );
    for &size in sizes {
        row("pairs", &pairs(size), rounds);
        row("nets", &nets(size, 12), rounds);
        row("knots", &nets(size, 7), rounds);
    }
}

/// A quarter of the services wants what another has: the way projects are.
fn pairs(size: usize) -> String {
    services(size, |index| {
        let port = 1_100 + (index - usize::from(index % 4 == 3)) % 30_000;
        let ip = ["", "127.0.0.1:"][index / 4 % 2];
        format!("'{ip}{port}:80'")
    })
}

/// Each service on addresses and ranges of its own that meet those of several others, so that who
/// has to move is a question for the solver; the fewer ports for twenty services, the more do.
fn nets(size: usize, ports: usize) -> String {
    let mut state = 1_u64;
    let mut random = move |below: u64| {
        // the constants of Knuth's MMIX
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    services(size, |index| {
        let group = index / 20 * ports % 30_000;
        let port = 1_100 + group as u64 + random(36);
        match random(4) {
            0 => format!("'{port}:80'"),
            1 => format!("'127.0.0.{}:{port}-{}:80-81'", 1 + random(3), port + 1),
            _ => format!("'127.0.0.{}:{port}:80'", 1 + random(3)),
        }
    })
}

fn services(size: usize, mut ports: impl FnMut(usize) -> String) -> String {
    let mut text = "services:\n".to_owned();
    for index in 0..size {
        let ports = ports(index);
        writeln!(text, "  s{index}: {{ image: i, ports: [{ports}] }}").unwrap();
    }
    text
}

fn row(name: &str, text: &str, rounds: usize) {
    let policy = Policy::default();
    let (mut reads, mut plans, mut judgements) = (Vec::new(), Vec::new(), Vec::new());
    let mut said = String::new();
    for _ in 0..rounds {
        let start = Instant::now();
        let world = world(text);
        let hosts: Vec<Allocation<'_>> = world
            .hosts()
            .map(|host| Allocation::of(&world, &host))
            .collect();
        reads.push(start.elapsed());
        let start = Instant::now();
        let plan = plan::plan(&world, &hosts, &policy);
        plans.push(start.elapsed());
        let start = Instant::now();
        assert_eq!(check::judge(&world, &hosts, &policy, &plan), []);
        judgements.push(start.elapsed());
        said = summary(&world, &hosts, &plan);
    }
    let (read, plan) = (median(reads), median(plans));
    println!(
        "{name:>7} {said} {read:>9.1} {plan:>9.1} {:>11.2} {:>10.1}",
        plan / read,
        median(judgements)
    );
}

fn summary(world: &World, hosts: &[Allocation<'_>], plan: &Plan) -> String {
    let services = world.projects[0].services.len();
    let collisions: usize = hosts.iter().map(|host| host.collisions.len()).sum();
    let moves = plan.moves().count();
    format!(
        "{services:>10} {collisions:>12} {moves:>7} {:>10}",
        plan.at_least
    )
}

fn world(text: &str) -> World {
    let files = Memory([("/p/compose.yaml".into(), text.into())].into());
    let shell = Environment::default();
    let project = Project::load(&Request::default(), &shell, "/p".into(), &files, None);
    World {
        projects: vec![project],
        ..World::default()
    }
}

/// In milliseconds.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e3
}
