//! Containers: what they hold, and what they would ask for (engine.md 4).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::binding::Protocol;

/// A container in whatever state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// Its identifier, shortened to 12 digits.
    pub id: String,
    /// Its state.
    pub state: State,
    /// The network stack it was created for.
    pub network_mode: NetworkMode,
    /// The names of the networks it is on.
    pub networks: Vec<String>,
    /// The ports it holds now; none unless it has a process ([`State::has_process`]).
    pub holds: Vec<Hold>,
    /// What its next start would ask for; known of those without a process.
    pub start: Option<Start>,
    /// What Compose wrote on it.
    pub compose: Option<ComposeLabels>,
    /// What Swarm wrote on it.
    pub task: Option<Task>,
}

impl Container {
    /// True if Compose made it for this project and would replace it: not in the project's way.
    ///
    /// Compose knows its containers by the project's name alone, whatever the folder. One-off
    /// containers (`docker compose run`) stay when the project starts, and are in its way.
    #[must_use]
    pub fn belongs_to(&self, project: &str) -> bool {
        let labels = self.compose.as_ref();
        labels.is_some_and(|labels| labels.project == project && !labels.one_off)
    }

    /// Its claim on the ports of [`Container::start`] or [`Container::holds`] (engine.md 4).
    #[must_use]
    pub fn tenure(&self) -> Tenure {
        let start = match (&self.start, self.state) {
            (_, state) if state.has_process() => return Tenure::Holds,
            (Some(start), State::Restarting | State::Exited | State::Dead) => start,
            _ => return Tenure::Nothing,
        };
        match start.restart {
            _ if self.state == State::Restarting => Tenure::Attempts,
            RestartPolicy::Always if start.ever_started => Tenure::AtBoot,
            // Also after a stop by the user: the policy sees the exit code alone (20.10, 28.5).
            RestartPolicy::OnFailure if start.exit_code != 0 && start.retries_left => {
                Tenure::AtBoot
            }
            // Stopped by the user, it stays so; if its last start failed, 28.5 tries again at the
            // next boot and 20.10 does not.
            RestartPolicy::UnlessStopped if start.failed => Tenure::PerhapsAtBoot,
            _ => Tenure::Nothing,
        }
    }

    /// The holds, with the two addresses of one publish as one.
    #[must_use]
    pub fn publishes(&self) -> Vec<Publish> {
        fold(&self.holds)
    }
}

/// A container's claim on its ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tenure {
    /// It has them now.
    Holds,
    /// It crashes and is started again and again: it has them during each attempt.
    Attempts,
    /// It has none now, and takes them when the daemon or the machine starts.
    AtBoot,
    /// As [`Tenure::AtBoot`], with some engines.
    PerhapsAtBoot,
    /// None unless somebody starts it.
    Nothing,
}

/// The state of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Never started, or its first start failed.
    Created,
    /// Running.
    Running,
    /// Halted in memory; it keeps its ports.
    Paused,
    /// It crashed and waits for its next start.
    Restarting,
    /// On its way to `exited`; it still has its ports.
    Stopping,
    /// On its way out.
    Removing,
    /// It came to an end or was stopped.
    Exited,
    /// It could not be removed.
    Dead,
}

impl State {
    /// True if the container has a process, and so holds the ports that the engine lists.
    #[must_use]
    pub fn has_process(self) -> bool {
        matches!(self, State::Running | State::Paused | State::Stopping)
    }
}

/// The network stack of a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", content = "of", rename_all = "kebab-case")]
pub enum NetworkMode {
    /// Its own, on the default bridge.
    Bridge,
    /// The host's: its processes are listeners like any other; it publishes nothing.
    Host,
    /// Its own, without a network; it publishes nothing.
    None,
    /// That of the container of this identifier, which has the ports.
    Container(String),
    /// Its own, on the network of this name, or as an engine's own word says.
    Named(String),
}

impl NetworkMode {
    /// True if ports are published in this mode (engine.md 1.1).
    #[must_use]
    pub fn can_publish(&self) -> bool {
        matches!(self, NetworkMode::Bridge | NetworkMode::Named(_))
    }
}

/// One socket that a container holds on the host.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct Hold {
    /// The port on the host.
    pub port: u16,
    /// TCP, UDP or SCTP.
    pub protocol: Protocol,
    /// The address on the host, unspecified for all of its family.
    pub host_ip: IpAddr,
    /// The port in the container.
    pub target: u16,
}

/// One publish as a user would write it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct Publish {
    /// The port on the host.
    pub port: u16,
    /// TCP, UDP or SCTP.
    pub protocol: Protocol,
    /// The address on the host; none for all addresses of both families.
    pub host_ip: Option<IpAddr>,
    /// The port in the container.
    pub target: u16,
}

/// Makes one publish of each `0.0.0.0` and `::` of the same ports (engine.md 4).
#[must_use]
pub fn fold(holds: &[Hold]) -> Vec<Publish> {
    const ANY4: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    const ANY6: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
    let has = |hold: &Hold, host_ip| holds.contains(&Hold { host_ip, ..*hold });
    let mut publishes: Vec<Publish> = holds
        .iter()
        .map(|hold| {
            let any = hold.host_ip == ANY4 || hold.host_ip == ANY6;
            let both = any && has(hold, ANY4) && has(hold, ANY6);
            Publish {
                port: hold.port,
                protocol: hold.protocol,
                host_ip: (!both).then_some(hold.host_ip),
                target: hold.target,
            }
        })
        .collect();
    publishes.sort_unstable();
    publishes.dedup();
    publishes
}

/// What a container's next start would ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Start {
    /// Whether and when the engine starts it by itself.
    pub restart: RestartPolicy,
    /// It once ran.
    pub ever_started: bool,
    /// Its last start failed, as for a port in use.
    pub failed: bool,
    /// The exit code of its last run.
    pub exit_code: i64,
    /// The restart policy's number of attempts is not used up; true without such a number.
    pub retries_left: bool,
    /// The ports it would ask for.
    pub ports: Vec<Request>,
}

/// Whether and when an engine starts a container by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RestartPolicy {
    /// Never.
    No,
    /// After an exit code other than 0.
    OnFailure,
    /// Always, unless the user stopped it.
    UnlessStopped,
    /// Always; after a stop by the user, from the next start of the daemon.
    Always,
}

/// A port that a container's start would ask for.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct Request {
    /// The port in the container.
    pub target: u16,
    /// TCP, UDP or SCTP.
    pub protocol: Protocol,
    /// The address on the host; none for the network's default.
    pub host_ip: Option<IpAddr>,
    /// The port on the host.
    pub host_port: HostPort,
}

/// The host's port in a request (engine.md 1.12).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum HostPort {
    /// Whatever is free.
    Dynamic,
    /// This.
    Fixed {
        /// The port.
        port: u16,
    },
    /// One of a range.
    OneOf {
        /// The lowest.
        first: u16,
        /// The highest, above the lowest.
        last: u16,
    },
}

/// What Compose wrote on a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ComposeLabels {
    /// The project's name.
    pub project: String,
    /// The service's name.
    pub service: String,
    /// The project's folder, on the machine that ran Compose.
    pub working_dir: Option<String>,
    /// Its files.
    pub config_files: Vec<String>,
    /// Which replica it is, from 1.
    pub number: Option<u32>,
    /// Made by `docker compose run`.
    pub one_off: bool,
}

/// What Swarm wrote on a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Task {
    /// The identifier of the service.
    pub service_id: String,
    /// The name of the service.
    pub service: String,
    /// The stack it was deployed with.
    pub stack: Option<String>,
}

#[cfg(test)]
#[path = "container_tests.rs"]
mod tests;
