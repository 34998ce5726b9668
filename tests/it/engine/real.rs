//! A real engine, driven by the docker command line.
//!
//! `PORTPLAN_TEST_ENGINE` names it (`unix://…`), or says `required`: then the engine that the
//! environment leads to must be there. `PORTPLAN_TEST_SWARM=1` allows to make it a swarm of one;
//! only for an engine that is thrown away afterwards.

mod image;
mod labels;
mod many;
mod networks;
mod states;

use std::env;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use portplan::engine::container::{Container, HostPort, Protocol, Request};
use portplan::engine::endpoint::{Choice, Endpoint, Surroundings, resolve};
use portplan::engine::snapshot::Product;
use portplan::engine::{Limits, Snapshot, observe};

use super::endpoint;

/// What all that these tests make is named.
const PREFIX: &str = "portplan-test-";

/// What is asked here is right answers, also of an engine that starts containers beside other work.
pub const PATIENT: Limits = Limits {
    request: Duration::from_secs(20),
    total: Duration::from_secs(60),
};

/// One test at a time, for they see each other's containers.
static TURN: Mutex<()> = Mutex::new(());

/// Waits for the engine to be free of other tests.
pub fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A real engine, without anything of these tests; it is cleaned again afterwards.
struct Real {
    endpoint: Endpoint,
    image: &'static str,
    _turn: MutexGuard<'static, ()>,
}

/// The engine to test with, or none if there is none to be had.
fn engine() -> Option<Real> {
    let endpoint = match env::var("PORTPLAN_TEST_ENGINE") {
        Ok(required) if required == "required" => {
            let home = env::var("HOME").ok();
            let around = Surroundings {
                variable: &|name| env::var(name).ok(),
                home: home.as_deref().map(Into::into),
                exists: &|path| path.exists(),
            };
            resolve(Choice::Unsaid, &around).unwrap()
        }
        Ok(host) => endpoint(&host),
        Err(_) => {
            println!("skipped: no engine (set PORTPLAN_TEST_ENGINE)");
            return None;
        }
    };
    let turn = turn();
    observe(&endpoint, Limits::default()).unwrap();
    let mut real = Real {
        endpoint,
        image: "bb",
        _turn: turn,
    };
    if real.try_docker("image inspect bb").is_err() {
        real.image = "busybox";
        if real.try_docker("image inspect busybox").is_err() {
            real.docker("pull -q busybox");
        }
    }
    real.clean();
    Some(real)
}

impl Real {
    /// Runs a docker command, words parted by spaces; the output, or what it complains of.
    fn try_docker(&self, command: &str) -> Result<String, String> {
        let words = command.replace("IMAGE", self.image).replace("P-", PREFIX);
        let output = Command::new("docker")
            .args(["--host", &self.endpoint.address.to_string()])
            .args(words.split_whitespace())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8_lossy(bytes).trim().to_owned();
        match output.status.success() {
            true => Ok(text(&output.stdout)),
            false => Err(text(&output.stderr)),
        }
    }

    fn docker(&self, command: &str) -> String {
        self.try_docker(command)
            .unwrap_or_else(|error| panic!("docker {command}: {error}"))
    }

    fn clean(&self) {
        for (list, remove) in [
            ("ps -aq --filter name=P-", "rm -fv"),
            ("network ls -q --filter name=P-", "network rm"),
        ] {
            let ids = self.docker(list).replace('\n', " ");
            if !ids.is_empty() {
                self.docker(&format!("{remove} {ids}"));
            }
        }
    }

    /// The snapshot with nothing in it but what the tests made.
    fn snapshot(&self) -> Snapshot {
        let mut snapshot = observe(&self.endpoint, PATIENT).unwrap();
        snapshot
            .containers
            .retain(|container| container.name.starts_with(PREFIX));
        snapshot
    }

    /// The container of this name after [`PREFIX`].
    fn container(&self, name: &str) -> Container {
        let name = format!("{PREFIX}{name}");
        let mut containers = self.snapshot().containers.into_iter();
        containers.find(|container| container.name == name).unwrap()
    }

    /// Waits until this is true of a container.
    fn wait_until(&self, name: &str, is_so: impl Fn(&Container) -> bool) -> Container {
        let start = Instant::now();
        loop {
            let container = self.container(name);
            if is_so(&container) {
                return container;
            }
            assert!(start.elapsed() < Duration::from_secs(30), "{container:?}");
            thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.clean();
        }
    }
}

/// `address:port->target/protocol` of each hold.
fn holds(container: &Container) -> Vec<String> {
    let holds = container.holds.iter();
    holds
        .map(|hold| {
            let (port, target) = (hold.port, hold.target);
            format!("{}:{port}->{target}/{:?}", hold.host_ip, hold.protocol).to_lowercase()
        })
        .collect()
}

fn tcp(target: u16, host_port: HostPort) -> Request {
    Request {
        target,
        protocol: Protocol::Tcp,
        host_ip: None,
        host_port,
    }
}

#[test]
fn about_the_engine() {
    let Some(real) = engine() else { return };
    let snapshot = real.snapshot();
    let version = real.docker("version --format {{.Server.Version}}");
    assert_eq!(snapshot.engine.version, version);
    assert_eq!(snapshot.engine.product, Product::Docker);
    assert_eq!(snapshot.engine.os.as_deref(), Some("linux"));
    assert!(snapshot.engine.id.is_some());
    assert!(snapshot.network("bridge").unwrap().default_bridge);
    assert_eq!(snapshot.network("host").unwrap().driver, "host");
    assert_eq!(snapshot, real.snapshot());
}
