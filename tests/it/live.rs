//! What is said of a running machine, against what its engine then does.
//!
//! `PORTPLAN_TEST_ENGINE` names the engine (`unix://…`), or says `required`: then the one of
//! `DOCKER_HOST`, or else the private engine of `.ci/run`, must be there. An engine in a network
//! namespace of its own, as `private_engine.sh` makes them, is looked at from within.

mod absent;
mod fixed;
mod others;
mod projects;
mod random;
mod recorded;
mod sockets;
mod swarm;
mod truth;

use std::collections::BTreeSet;
use std::env;
use std::fs::File;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::MutexGuard;
use std::thread;
use std::time::{Duration, Instant};

use portplan::engine::{Hints, observe};
use portplan::host::{self, Detail};
use portplan::machine::{Machine, VERSION};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use serde_json::Value;

use crate::common::{self, say};
use crate::engine::{endpoint, real};

/// The engine that `.ci/run` starts.
const PRIVATE: &str = "unix:///run/pp/ci.sock";

/// What all that these tests make is labelled with.
const LABEL: &str = "portplan-live";

/// A real engine, of which these tests have the turn; what they make is removed at the end.
struct Live {
    host: String,
    _turn: MutexGuard<'static, ()>,
}

/// The engine to test with. Moves this thread to its network namespace.
fn live() -> Option<Live> {
    let host = match env::var("PORTPLAN_TEST_ENGINE") {
        Ok(required) if required == "required" => {
            env::var("DOCKER_HOST").unwrap_or_else(|_| PRIVATE.to_owned())
        }
        Ok(host) => host,
        Err(_) => {
            let test = thread::current();
            let name = test.name().unwrap_or("a test");
            say(&format!("skipped: {name}: no PORTPLAN_TEST_ENGINE"));
            return None;
        }
    };
    Some(Live::at(host))
}

impl Live {
    /// This engine. Moves this thread to its network namespace.
    fn at(host: String) -> Self {
        let live = Self {
            host,
            _turn: real::turn(),
        };
        if let Some(netns) = live.netns().filter(|path| path.exists()) {
            let file = File::open(netns).unwrap();
            move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))
                .expect("to enter the engine's network namespace takes root");
        }
        live.docker("image inspect bb");
        live.clean();
        live
    }

    /// Where `private_engine.sh` keeps the network namespace of the engine with this socket.
    fn netns(&self) -> Option<PathBuf> {
        let name = self.host.strip_prefix("unix:///run/pp/")?;
        Some(Path::new("/run/netns").join(name.strip_suffix(".sock")?))
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("DOCKER_HOST", &self.host);
        command
    }

    /// Runs a docker command, words parted by spaces; its output, or what it complains of.
    fn try_docker(&self, command: &str) -> Result<String, String> {
        let words = command.split_whitespace();
        text(&self.command("docker").args(words).output().unwrap())
    }

    fn docker(&self, command: &str) -> String {
        let output = self.try_docker(command);
        output.unwrap_or_else(|error| panic!("docker {command}: {error}"))
    }

    /// Creates and starts a container, described as for `docker run`; its name or id.
    fn run(&self, container: &str) -> Result<String, String> {
        let tried = self.try_docker(&format!("run -d --label {LABEL} {container}"));
        if let Err(error) = &tried {
            let of_ports = [
                "external connectivity",
                "networking:",
                "bind:",
                "rootlessport",
            ];
            let of_ports = of_ports.iter().any(|part| error.contains(part));
            assert!(of_ports, "not for a port: docker run {container}: {error}");
        }
        tried
    }

    /// Removes containers and networks of these tests.
    fn clean(&self) {
        let filter = format!("--filter label={LABEL}");
        let ids = |list: &str| self.docker(&format!("{list} {filter}")).replace('\n', " ");
        let containers = ids("ps -aq");
        if !containers.is_empty() {
            self.docker(&format!("rm -fv {containers}"));
        }
        // an engine lets go of a container's endpoint a moment after the container is gone
        for _ in 0..20 {
            let networks = ids("network ls -q");
            if networks.is_empty() || self.try_docker(&format!("network rm {networks}")).is_ok() {
                return;
            }
            thread::sleep(Duration::from_millis(500));
        }
        say("the engine does not let go of a network of these tests");
    }

    /// The machine as `check --live` reads it.
    fn machine(&self) -> Machine {
        let host = host::Snapshot::read(Detail::Options).unwrap();
        let hints = Hints {
            userland_proxy: None,
            ipv6: Some(host.limits.ipv6),
        };
        let engine = observe(&endpoint(&self.host), real::PATIENT).unwrap();
        Machine {
            version: VERSION,
            name: "live".to_owned(),
            engines: vec![engine.with(hints)],
            host: Some(host),
        }
    }

    /// `portplan check --live` of a folder: its findings.
    fn check(&self, folder: &Path) -> Vec<Found> {
        self.check_with(folder, &[])
    }

    fn check_with(&self, folder: &Path, more: &[&str]) -> Vec<Found> {
        let tried = self.try_check(folder, more);
        tried.unwrap_or_else(|output| panic!("{output:?}"))
    }

    fn try_check(&self, folder: &Path, more: &[&str]) -> Result<Vec<Found>, common::Output> {
        let args = ["check", "--live", "--format", "json", "--fail-on", "never"];
        let args: Vec<String> = args.iter().chain(more).map(|&arg| arg.to_owned()).collect();
        let env = [("DOCKER_HOST".to_owned(), self.host.clone())];
        let output = common::run(&args, folder, &env);
        if output.status != Some(0) {
            return Err(output);
        }
        let report: Value = serde_json::from_str(&output.stdout).unwrap();
        let findings = report["findings"].as_array().unwrap();
        Ok(findings.iter().map(Found::of).collect())
    }

    fn version(&self) -> String {
        self.docker("version --format {{.Server.Version}}")
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.clean();
        }
    }
}

/// What is said of a start.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Said<R> {
    Starts,
    Fails,
    Maybe(BTreeSet<R>),
}

/// A finding, as far as these tests look at it.
#[derive(Clone, Debug)]
struct Found {
    rule: String,
    severity: String,
    /// The message, the notes and the help.
    text: String,
}

impl Found {
    fn of(finding: &Value) -> Self {
        let text = |key: &str| finding[key].as_str().unwrap_or_default().to_owned();
        let mut lines = vec![text("message")];
        let notes = finding["notes"].as_array().unwrap().iter();
        lines.extend(notes.map(|note| note.as_str().unwrap().to_owned()));
        lines.push(text("help"));
        Self {
            rule: text("rule"),
            severity: text("severity"),
            text: lines.join("\n"),
        }
    }

    /// `error container-collision`
    fn kind(&self) -> String {
        format!("{} {}", self.severity, self.rule)
    }
}

/// The output of a program that succeeded, or what it complains of.
fn text(output: &Output) -> Result<String, String> {
    let text = |bytes| String::from_utf8_lossy(bytes).trim().to_owned();
    match output.status.success() {
        true => Ok(text(&output.stdout)),
        false => Err(text(&output.stderr)),
    }
}

/// Waits until something is so.
#[track_caller]
fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(30), "{what}");
        thread::sleep(Duration::from_millis(100));
    }
}
