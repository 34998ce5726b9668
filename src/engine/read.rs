//! From the answers of an engine to a [`Snapshot`]; pure.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bollard::models::{
    self, ContainerInspectResponse, ContainerSummary, ContainerSummaryStateEnum,
    EndpointPortConfig, EndpointPortConfigProtocolEnum, EndpointPortConfigPublishModeEnum,
    LocalNodeState, PortBinding, PortSummary, PortSummaryTypeEnum, RestartPolicyNameEnum,
    SystemInfo,
};

use super::client::Answers;
use super::container::{
    ComposeLabels, Container, Hold, HostPort, NetworkMode, Protocol, Request, RestartPolicy, Start,
    State, Task,
};
use super::endpoint::Endpoint;
use super::error::Failure;
use super::snapshot::{
    Engine, Network, Product, PublishMode, Service, ServiceMode, ServicePort, Snapshot, Swarm,
};

type Labels = HashMap<String, String>;

/// What the API gives as the start of a container that never ran.
const NEVER: &str = "0001-01-01T00:00:00Z";

pub(super) fn snapshot(endpoint: &Endpoint, answers: &Answers) -> Result<Snapshot, Failure> {
    let engine = engine(endpoint, answers)?;
    let networks = answers.networks.iter().map(network);
    let unnamed = unnamed(&engine);
    let containers = answers.containers.iter();
    let containers =
        containers.map(|(summary, details)| container(summary, details.as_ref(), unnamed));
    let mut snapshot = Snapshot {
        engine,
        networks: networks.collect::<Result<_, _>>()?,
        containers: containers.collect::<Result<_, _>>()?,
    };
    let by_name = |a: &Container, b: &Container| (&a.name, &a.id).cmp(&(&b.name, &b.id));
    snapshot.containers.sort_by(by_name);
    let by_name = |a: &Network, b: &Network| (&a.name, &a.id).cmp(&(&b.name, &b.id));
    snapshot.networks.sort_by(by_name);
    infer(&mut snapshot);
    Ok(snapshot)
}

/// Draws from the holds what nobody told (engine.md 1.8): one on an IPv6 address shows that the
/// host has IPv6, and of a container without IPv6 also that the userland proxy made it.
fn infer(snapshot: &mut Snapshot) {
    // Podman has no such proxy, and rootless engines no addresses of the host.
    if snapshot.engine.rootless || snapshot.engine.product == Product::Podman {
        return;
    }
    let holds_ipv6 = |container: &&Container| container.holds.iter().any(|h| h.host_ip.is_ipv6());
    let only_ipv4 = |container: &Container| {
        let mut networks = container.networks.iter();
        networks.all(|name| snapshot.network(name).is_some_and(|network| !network.ipv6))
    };
    let holders: Vec<_> = snapshot.containers.iter().filter(holds_ipv6).collect();
    let proxied = holders.iter().any(|container| only_ipv4(container));
    let held = !holders.is_empty();
    snapshot.engine.ipv6 = held.then_some(true);
    snapshot.engine.userland_proxy = proxied.then_some(true);
}

fn engine(endpoint: &Endpoint, answers: &Answers) -> Result<Engine, Failure> {
    let Answers { version, info, .. } = answers;
    let components = version.components.iter().flatten();
    let podman = components
        .map(|part| &part.name)
        .any(|name| name == "Podman Engine");
    let security = info.security_options.iter().flatten();
    let told = |what: &str, text: &Option<String>| match text {
        Some(text) if !text.is_empty() => Ok(text.clone()),
        _ => Err(Failure::value("the engine does not tell its", what)),
    };
    Ok(Engine {
        address: endpoint.address.to_string(),
        id: info.id.clone().filter(|id| !id.is_empty()),
        host: info.name.clone().filter(|name| !name.is_empty()),
        version: told("version", &version.version)?,
        api_version: told("API version", &version.api_version)?,
        product: if podman {
            Product::Podman
        } else {
            Product::Docker
        },
        rootless: security
            .flat_map(|option| option.split(','))
            .any(|option| option == "name=rootless")
            || (podman && in_a_home(info)),
        os: info.os_type.clone(),
        desktop: info
            .operating_system
            .as_ref()
            .is_some_and(|system| system.contains("Docker Desktop")),
        live_restore: info.live_restore_enabled.unwrap_or_default(),
        userland_proxy: None,
        ipv6: None,
        swarm: swarm(answers)?,
    })
}

/// True if the images are where Podman keeps those of a user; version 4 does not say in so many
/// words that it is rootless.
fn in_a_home(info: &SystemInfo) -> bool {
    let folder = info.docker_root_dir.as_deref();
    folder.is_some_and(|folder| folder.contains("/.local/share/containers/"))
}

/// True if the engine can tell of the swarm's services.
pub(super) fn is_manager(info: &SystemInfo) -> bool {
    let swarm = info.swarm.as_ref();
    is_active(info) && swarm.and_then(|swarm| swarm.control_available) == Some(true)
}

fn is_active(info: &SystemInfo) -> bool {
    let state = info.swarm.as_ref().and_then(|swarm| swarm.local_node_state);
    // A pending node opens the swarm's own ports too.
    matches!(
        state,
        Some(LocalNodeState::ACTIVE | LocalNodeState::PENDING)
    )
}

fn swarm(answers: &Answers) -> Result<Swarm, Failure> {
    let info = &answers.info;
    let Some(listed) = &answers.services else {
        return Ok(if is_active(info) {
            Swarm::Worker
        } else {
            Swarm::None
        });
    };
    let services: Result<Vec<_>, _> = listed.iter().map(service).collect();
    let mut services = services?;
    services.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    let nodes = info.swarm.as_ref().and_then(|swarm| swarm.nodes);
    Ok(Swarm::Manager {
        nodes: nodes.and_then(|nodes| u32::try_from(nodes).ok()),
        services,
    })
}

fn service(service: &models::Service) -> Result<Service, Failure> {
    let id = short(service.id.as_deref());
    let spec = service.spec.as_ref();
    let endpoint = service.endpoint.as_ref();
    // The endpoint's ports have the numbers that the swarm chose; it has none until then.
    let allocated = endpoint.and_then(|endpoint| endpoint.ports.as_ref());
    let wanted = spec.and_then(|spec| spec.endpoint_spec.as_ref()?.ports.as_ref());
    let ports = allocated.filter(|ports| !ports.is_empty()).or(wanted);
    let ports: Result<Vec<_>, _> = ports.into_iter().flatten().map(service_port).collect();
    let mut ports = ports?;
    ports.sort_unstable();
    let mode = spec.and_then(|spec| spec.mode.as_ref());
    let replicated = mode.and_then(|mode| mode.replicated.as_ref());
    let mode = match mode {
        Some(mode) if mode.global.is_some() => ServiceMode::Global,
        Some(mode) if mode.replicated_job.is_some() || mode.global_job.is_some() => {
            ServiceMode::Job
        }
        _ => ServiceMode::Replicated {
            // As the API's default: a service that does not say has one task.
            replicas: replicated
                .and_then(|mode| mode.replicas)
                .map_or(1, |replicas| u64::try_from(replicas).unwrap_or(0)),
        },
    };
    Ok(Service {
        name: spec
            .and_then(|spec| spec.name.clone())
            .unwrap_or_else(|| id.clone()),
        id,
        stack: spec.and_then(|spec| label(spec.labels.as_ref(), "com.docker.stack.namespace")),
        mode,
        ports,
    })
}

fn service_port(port: &EndpointPortConfig) -> Result<ServicePort, Failure> {
    let number = |number: Option<i64>| match number {
        None | Some(0) => Ok(None),
        Some(number) => u16::try_from(number)
            .map(Some)
            .map_err(|_| Failure::value("the service port", number)),
    };
    Ok(ServicePort {
        published: number(port.published_port)?,
        protocol: match port.protocol {
            Some(EndpointPortConfigProtocolEnum::UDP) => Protocol::Udp,
            Some(EndpointPortConfigProtocolEnum::SCTP) => Protocol::Sctp,
            _ => Protocol::Tcp,
        },
        target: number(port.target_port)?
            .ok_or_else(|| Failure::value("the service's target port", 0))?,
        mode: match port.publish_mode {
            Some(EndpointPortConfigPublishModeEnum::HOST) => PublishMode::Host,
            _ => PublishMode::Ingress,
        },
    })
}

fn network(network: &models::Network) -> Result<Network, Failure> {
    let option = |name: &str| {
        let option = label(
            network.options.as_ref(),
            &format!("com.docker.network.bridge.{name}"),
        );
        option.filter(|value| !value.is_empty())
    };
    Ok(Network {
        name: network.name.clone().unwrap_or_default(),
        id: short(network.id.as_deref()),
        driver: network.driver.clone().unwrap_or_default(),
        default_bridge: option("default_bridge").as_deref() == Some("true"),
        internal: network.internal.unwrap_or_default(),
        ipv4: network.enable_ipv4.unwrap_or(true),
        ipv6: network.enable_ipv6.unwrap_or_default(),
        host_binding: option("host_binding_ipv4")
            .map(|address| {
                let parsed = address.parse::<IpAddr>().map(|ip| ip.to_canonical());
                parsed.map_err(|_| Failure::value("the network's host address", address))
            })
            .transpose()?,
        gateway_mode_ipv4: option("gateway_mode_ipv4"),
        gateway_mode_ipv6: option("gateway_mode_ipv6"),
    })
}

/// The state in the list of containers.
pub(super) fn state(summary: &ContainerSummary) -> Result<State, Failure> {
    use ContainerSummaryStateEnum as Listed;
    match summary.state {
        Some(Listed::CREATED) => Ok(State::Created),
        Some(Listed::RUNNING) => Ok(State::Running),
        Some(Listed::PAUSED) => Ok(State::Paused),
        Some(Listed::RESTARTING) => Ok(State::Restarting),
        Some(Listed::STOPPING) => Ok(State::Stopping),
        Some(Listed::REMOVING) => Ok(State::Removing),
        Some(Listed::EXITED) => Ok(State::Exited),
        Some(Listed::DEAD) => Ok(State::Dead),
        Some(Listed::EMPTY) | None => {
            let id = summary.id.as_deref().unwrap_or_default();
            Err(Failure::value("no state of the container", id))
        }
    }
}

fn container(
    summary: &ContainerSummary,
    details: Option<&ContainerInspectResponse>,
    unnamed: &[IpAddr],
) -> Result<Container, Failure> {
    let id = short(summary.id.as_deref());
    let state = state(summary)?;
    let labels = summary.labels.as_ref();
    // Names of legacy links have a second slash: `/web/db`.
    let names = summary.names.iter().flatten();
    let mut names = names.map(|name| name.trim_start_matches('/'));
    let name = names.find(|name| !name.contains('/')).unwrap_or(&id);
    let settings = summary.network_settings.as_ref();
    let networks = settings.and_then(|settings| settings.networks.as_ref());
    let mut networks: Vec<_> = networks
        .into_iter()
        .flat_map(|map| map.keys().cloned())
        .collect();
    networks.sort_unstable();
    let listed = summary
        .ports
        .iter()
        .flatten()
        .filter(|_| state.has_process());
    let holds: Result<Vec<_>, _> = listed.map(|port| holds(port, unnamed)).collect();
    let mut holds = holds?.concat();
    holds.sort_unstable();
    holds.dedup();
    let mode = summary.host_config.as_ref();
    Ok(Container {
        name: name.to_owned(),
        state,
        network_mode: network_mode(mode.and_then(|mode| mode.network_mode.as_deref())),
        networks,
        holds,
        start: details.map(start),
        compose: compose(labels),
        task: task(labels),
        id,
    })
}

fn network_mode(mode: Option<&str>) -> NetworkMode {
    match mode.unwrap_or_default() {
        "" | "default" | "bridge" => NetworkMode::Bridge,
        "host" => NetworkMode::Host,
        "none" => NetworkMode::None,
        other => match other.strip_prefix("container:") {
            Some(id) => NetworkMode::Container(id.to_owned()),
            None => NetworkMode::Named(other.to_owned()),
        },
    }
}

/// The addresses that an engine means where it lists a port without one, as Podman and engines of
/// Windows do. A rootless Podman has all of them where it names one (engine.md 10).
fn unnamed(engine: &Engine) -> &'static [IpAddr] {
    const ANY: [IpAddr; 2] = [
        IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    ];
    match (engine.product, engine.rootless) {
        (Product::Podman, true) => &ANY,
        _ => &ANY[..1],
    }
}

/// The sockets that a listed port stands for; none if it is only exposed, or routed.
fn holds(port: &PortSummary, unnamed: &[IpAddr]) -> Result<Vec<Hold>, Failure> {
    let Some(public) = port.public_port.filter(|port| *port != 0) else {
        return Ok(Vec::new());
    };
    let addresses = match port.ip.as_deref() {
        None | Some("") => unnamed.to_vec(),
        Some(ip) => {
            let parsed = ip.parse::<IpAddr>().map(|ip| ip.to_canonical());
            let ip = parsed.map_err(|_| Failure::value("the host address", ip))?;
            match unnamed.contains(&ip) {
                true => unnamed.to_vec(),
                false => vec![ip],
            }
        }
    };
    let hold = |host_ip| Hold {
        port: public,
        protocol: match port.typ {
            Some(PortSummaryTypeEnum::UDP) => Protocol::Udp,
            Some(PortSummaryTypeEnum::SCTP) => Protocol::Sctp,
            _ => Protocol::Tcp,
        },
        host_ip,
        target: port.private_port,
    };
    Ok(addresses.into_iter().map(hold).collect())
}

fn start(details: &ContainerInspectResponse) -> Start {
    let state = details.state.as_ref();
    let started = state.and_then(|state| state.started_at.as_deref());
    let error = state.and_then(|state| state.error.as_deref());
    let host = details.host_config.as_ref();
    let policy = host.and_then(|host| host.restart_policy.as_ref());
    let attempts = policy.and_then(|policy| policy.maximum_retry_count);
    let attempts = attempts.filter(|attempts| *attempts > 0);
    Start {
        restart: match policy.and_then(|policy| policy.name) {
            Some(RestartPolicyNameEnum::ALWAYS) => RestartPolicy::Always,
            Some(RestartPolicyNameEnum::UNLESS_STOPPED) => RestartPolicy::UnlessStopped,
            Some(RestartPolicyNameEnum::ON_FAILURE) => RestartPolicy::OnFailure,
            Some(RestartPolicyNameEnum::NO | RestartPolicyNameEnum::EMPTY) | None => {
                RestartPolicy::No
            }
        },
        ever_started: started.is_some_and(|started| !started.is_empty() && started != NEVER),
        failed: error.is_some_and(|error| !error.is_empty()),
        exit_code: state.and_then(|state| state.exit_code).unwrap_or_default(),
        retries_left: attempts.is_none_or(|most| details.restart_count.unwrap_or_default() < most),
        ports: requests(details),
    }
}

/// The ports a start would ask for: those published, and with `-P` those exposed besides.
fn requests(details: &ContainerInspectResponse) -> Vec<Request> {
    let host = details.host_config.as_ref();
    let published = host.and_then(|host| host.port_bindings.as_ref());
    let all = host.and_then(|host| host.publish_all_ports) == Some(true);
    let exposed = details.config.as_ref().filter(|_| all);
    let exposed = exposed.and_then(|config| config.exposed_ports.as_ref());
    let bindings = |key: &String| published.and_then(|map| map.get(key)?.as_ref());
    let unbound = exposed.into_iter().flatten();
    let unbound = unbound.filter(|key| bindings(key).is_none_or(|list| list.is_empty()));
    let dynamic = unbound.filter_map(|key| {
        let (target, protocol) = port_key(key)?;
        Some(Request {
            target,
            protocol,
            host_ip: None,
            host_port: HostPort::Dynamic,
        })
    });
    let bound = published.into_iter().flatten();
    let bound = bound.flat_map(|(key, list)| {
        let list = list.iter().flatten();
        list.filter_map(|binding| request(key, binding))
    });
    let mut requests: Vec<_> = bound.chain(dynamic).collect();
    requests.sort_unstable();
    requests
}

/// A binding as it was asked for; none if the start would fail for it (engine.md 1.12).
fn request(key: &str, binding: &PortBinding) -> Option<Request> {
    let (target, protocol) = port_key(key)?;
    // An address that is none counts as left out (engine.md 1.4).
    let host_ip = binding.host_ip.as_deref();
    let host_ip = host_ip.and_then(|ip| ip.parse::<IpAddr>().ok());
    Some(Request {
        target,
        protocol,
        host_ip: host_ip.map(|ip| ip.to_canonical()),
        host_port: host_port(binding.host_port.as_deref().unwrap_or_default())?,
    })
}

fn host_port(text: &str) -> Option<HostPort> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    if matches!((first, last), ("" | "0", "" | "0")) {
        return Some(HostPort::Dynamic);
    }
    let (first, last): (u16, u16) = (first.parse().ok()?, last.parse().ok()?);
    match first {
        0 => None,
        port if port == last => Some(HostPort::Fixed { port }),
        _ if first > last => None,
        _ => Some(HostPort::OneOf { first, last }),
    }
}

/// `80/tcp`; the protocol may be left out.
fn port_key(key: &str) -> Option<(u16, Protocol)> {
    let (port, protocol) = key.split_once('/').unwrap_or((key, "tcp"));
    let protocol = match protocol {
        "tcp" => Protocol::Tcp,
        "udp" => Protocol::Udp,
        "sctp" => Protocol::Sctp,
        _ => return None,
    };
    Some((port.parse().ok()?, protocol))
}

fn compose(labels: Option<&Labels>) -> Option<ComposeLabels> {
    let label = |name: &str| label(labels, &format!("com.docker.compose.{name}"));
    let files = label("project.config_files").unwrap_or_default();
    let files = files.split(',').filter(|file| !file.is_empty());
    Some(ComposeLabels {
        project: label("project")?,
        service: label("service")?,
        working_dir: label("project.working_dir"),
        config_files: files.map(str::to_owned).collect(),
        number: label("container-number").and_then(|number| number.parse().ok()),
        one_off: label("oneoff").is_some_and(|flag| flag.eq_ignore_ascii_case("true")),
    })
}

fn task(labels: Option<&Labels>) -> Option<Task> {
    Some(Task {
        service_id: short(label(labels, "com.docker.swarm.service.id").as_deref()),
        service: label(labels, "com.docker.swarm.service.name")?,
        stack: label(labels, "com.docker.stack.namespace"),
    })
}

fn label(labels: Option<&Labels>, name: &str) -> Option<String> {
    labels?.get(name).cloned()
}

/// The first twelve digits, as the docker command line shows them.
fn short(id: Option<&str>) -> String {
    id.unwrap_or_default().chars().take(12).collect()
}
