//! What holders are called, and what frees their ports.

use super::Use;
use crate::engine::container::{Container, State};
use crate::engine::snapshot::Service;
use crate::finding::{HolderKind, HolderRef};
use crate::host::{self, Owner};

/// What the system's own program on ports 5000 and 7000 is called.
pub const AIRPLAY: &str = "the AirPlay Receiver of macOS";

/// What frees the ports of the AirPlay Receiver; the system starts it anew when it is killed.
pub const AIRPLAY_OFF: &str =
    "turn it off in System Settings, General, AirDrop & Handoff, AirPlay Receiver";

impl Use<'_> {
    /// The holder in words for the middle of a sentence.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Container(container) => container_words(container),
            Self::Elsewhere(container, engine) => {
                let engine = &engine.engine;
                format!(
                    "{} of the engine at {}",
                    container_words(container),
                    engine.address
                )
            }
            Self::Ingress(service) => format!("Swarm service `{}`", service.name),
            Self::AirPlay(_) => AIRPLAY.to_owned(),
            Self::Worktree(neighbour, service) => {
                format!("`{}` in worktree {}", service.name, neighbour.worktree)
            }
            Self::Socket(socket) => socket_words(socket),
        }
    }

    /// The holder for programs.
    #[must_use]
    pub fn reference(&self) -> HolderRef {
        match self {
            Self::Container(container) => container_ref(container, None),
            Self::Elsewhere(container, engine) => {
                container_ref(container, Some(&engine.engine.address))
            }
            Self::Ingress(service) => service_ref(service),
            Self::AirPlay(socket) => HolderRef {
                name: AIRPLAY.to_owned(),
                command: None,
                ..socket_ref(socket)
            },
            Self::Worktree(neighbour, service) => HolderRef {
                kind: HolderKind::Worktree,
                name: neighbour.worktree.to_string(),
                pid: None,
                user: None,
                project: Some(neighbour.project.name.clone()),
                service: Some(service.name.clone()),
                command: None,
            },
            Self::Socket(socket) => socket_ref(socket),
        }
    }

    /// What frees its port, if anything but time does.
    #[must_use]
    pub fn remedy(&self) -> Option<String> {
        match self {
            Self::AirPlay(_) => Some(AIRPLAY_OFF.to_owned()),
            _ => {
                let command = self.reference().command?;
                Some(format!("free it: `{command}`"))
            }
        }
    }
}

/// `container shop-web-1, service web of project shop`
#[must_use]
pub fn container_words(container: &Container) -> String {
    let state = match container.state {
        State::Running => "",
        State::Paused => "paused ",
        State::Restarting => "restarting ",
        State::Created => "created ",
        State::Stopping | State::Removing => "ending ",
        State::Exited | State::Dead => "stopped ",
    };
    let mut text = format!("{state}container `{}`", container.name);
    if let Some(labels) = &container.compose {
        let kind = if labels.one_off {
            "a run of service"
        } else {
            "service"
        };
        text += &format!(
            " ({kind} `{}` of project `{}`)",
            labels.service, labels.project
        );
    } else if let Some(task) = &container.task {
        text += &format!(" (a task of Swarm service `{}`)", task.service);
    }
    text
}

fn container_ref(container: &Container, engine: Option<&str>) -> HolderRef {
    let labels = container.compose.as_ref();
    let task = container.task.as_ref();
    let docker = match engine {
        Some(address) => format!("docker --host {address}"),
        None => "docker".to_owned(),
    };
    let command = match (labels, task) {
        (_, Some(task)) => format!("{docker} service scale {}=0", task.service),
        (Some(labels), None) if !labels.one_off => {
            format!(
                "{docker} compose -p {} stop {}",
                labels.project, labels.service
            )
        }
        _ => format!("{docker} stop {}", container.name),
    };
    HolderRef {
        kind: HolderKind::Container,
        name: container.name.clone(),
        pid: None,
        user: None,
        project: labels.map(|labels| labels.project.clone()),
        service: labels
            .map(|labels| labels.service.clone())
            .or_else(|| task.map(|task| task.service.clone())),
        command: Some(command),
    }
}

/// A Swarm service for programs.
#[must_use]
pub fn service_ref(service: &Service) -> HolderRef {
    HolderRef {
        kind: HolderKind::Service,
        name: service.name.clone(),
        pid: None,
        user: None,
        project: service.stack.clone(),
        service: Some(service.name.clone()),
        command: Some(format!("docker service rm {}", service.name)),
    }
}

fn socket_words(socket: &host::Socket) -> String {
    match socket.state {
        host::State::Listening => socket.owner.to_string(),
        host::State::Bound => socket.owner.to_string(),
        host::State::Outgoing => format!("an outgoing connection of {}", socket.owner),
        host::State::TimeWait => "a connection that ended within the last minute".to_owned(),
    }
}

fn socket_ref(socket: &host::Socket) -> HolderRef {
    let (pid, program, user) = match &socket.owner {
        Owner::Process { pid, program, user } => (Some(*pid), program.clone(), user.clone()),
        Owner::OtherUser { user } | Owner::Hidden { user } => (None, None, user.clone()),
        Owner::Nobody | Owner::Unread => (None, None, None),
    };
    let command = match (pid, socket.state) {
        (_, host::State::TimeWait) => None,
        // a container that its engine did not tell of
        _ if socket.owner.is_engine() => {
            Some(format!("docker ps --filter publish={}", socket.port))
        }
        (Some(pid), _) => Some(format!("kill {pid}")),
        (None, _) => Some(format!("sudo ss -lnp 'sport = :{}'", socket.port)),
    };
    HolderRef {
        kind: HolderKind::Socket,
        name: program.unwrap_or_else(|| socket.owner.to_string()),
        pid,
        user,
        project: None,
        service: None,
        command,
    }
}
