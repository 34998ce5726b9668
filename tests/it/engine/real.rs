//! A real engine, driven by the docker command line.
//!
//! `PORTPLAN_TEST_ENGINE` names it (`unix://…`), or says `required`: then the engine that the
//! environment leads to must be there. `PORTPLAN_TEST_SWARM=1` allows to make it a swarm of one;
//! only for an engine that is thrown away afterwards.

use std::env;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use portplan::engine::container::{
    Container, HostPort, NetworkMode, Protocol, Publish, Request, RestartPolicy, State, Tenure,
};
use portplan::engine::endpoint::{Choice, Endpoint, Surroundings, resolve};
use portplan::engine::snapshot::{Product, PublishMode, ServiceMode, ServicePort, Swarm};
use portplan::engine::{Hints, Limits, Snapshot, observe};

use super::endpoint;

/// What all that these tests make is named.
const PREFIX: &str = "portplan-test-";

/// One test at a time, for they see each other's containers.
static TURN: Mutex<()> = Mutex::new(());

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
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    observe(&endpoint, Limits::default(), Hints::default()).unwrap();
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
        let mut snapshot = observe(&self.endpoint, Limits::default(), Hints::default()).unwrap();
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

#[test]
fn running_and_paused_hold() {
    let Some(real) = engine() else { return };
    real.docker("run -d --name P-web -p 18080:80 -p 127.0.0.1:18053:53/udp IMAGE");
    let both = [
        "127.0.0.1:18053->53/udp",
        "0.0.0.0:18080->80/tcp",
        ":::18080->80/tcp",
    ];
    let web = real.container("web");
    assert_eq!(
        (web.state, &web.start, web.tenure()),
        (State::Running, &None, Tenure::Holds)
    );
    assert_eq!(holds(&web), both);
    assert_eq!(
        web.publishes(),
        [
            Publish {
                port: 18053,
                protocol: Protocol::Udp,
                host_ip: Some("127.0.0.1".parse().unwrap()),
                target: 53
            },
            Publish {
                port: 18080,
                protocol: Protocol::Tcp,
                host_ip: None,
                target: 80
            }
        ]
    );
    // An IPv6 socket of a container without IPv6 is the proxy's.
    let engine = real.snapshot().engine;
    assert_eq!(
        (engine.userland_proxy, engine.ipv6),
        (Some(true), Some(true))
    );

    real.docker("pause P-web");
    let web = real.container("web");
    assert_eq!(
        (web.state, holds(&web)),
        (State::Paused, both.map(str::to_owned).to_vec())
    );
    real.docker("unpause P-web");
}

#[test]
fn ranges_and_all_ports() {
    let Some(real) = engine() else { return };
    real.docker("run -d --name P-range -p 127.0.0.1:18100-18105:80 IMAGE");
    let range = real.container("range");
    let [hold] = range.holds[..] else {
        panic!("{range:?}")
    };
    assert!((18100..=18105).contains(&hold.port));

    real.docker("run -d --name P-expanded -p 127.0.0.1:18110-18112:80-82 IMAGE");
    let expanded = real.container("expanded");
    let expected = [(18110, 80), (18111, 81), (18112, 82)];
    let found: Vec<_> = expanded.holds.iter().map(|h| (h.port, h.target)).collect();
    assert_eq!(found, expected);

    real.docker("run -d --name P-all -P --expose 80 --expose 90/udp IMAGE");
    let all = real.container("all");
    let mut targets: Vec<_> = all.holds.iter().map(|h| (h.target, h.protocol)).collect();
    targets.sort_unstable();
    targets.dedup();
    assert_eq!(targets, [(80, Protocol::Tcp), (90, Protocol::Udp)]);

    real.docker("run -d --name P-exposed --expose 80 IMAGE");
    assert_eq!(holds(&real.container("exposed")), [""; 0]);

    real.docker("create --name P-asks -P --expose 80 -p 18120-18125:81 -p 18126:82 IMAGE");
    let asks = real.container("asks").start.unwrap();
    assert_eq!(
        asks.ports,
        [
            tcp(80, HostPort::Dynamic),
            tcp(
                81,
                HostPort::OneOf {
                    first: 18120,
                    last: 18125
                }
            ),
            tcp(82, HostPort::Fixed { port: 18126 }),
        ]
    );
}

#[test]
fn stopped_ones_claim_by_their_policy() {
    let Some(real) = engine() else { return };
    use RestartPolicy::{Always, No, OnFailure, UnlessStopped};
    use Tenure::{AtBoot, Nothing};
    // Name, policy, whether it is started and stopped, what it will do at boot.
    let table = [
        ("created-no", "no", No, false, Nothing),
        ("created-always", "always", Always, false, Nothing),
        ("stopped-no", "no", No, true, Nothing),
        ("stopped-always", "always", Always, true, AtBoot),
        (
            "stopped-unless",
            "unless-stopped",
            UnlessStopped,
            true,
            Nothing,
        ),
        // Killed: with an exit code of its own.
        ("stopped-failure", "on-failure:3", OnFailure, true, AtBoot),
    ];
    for (name, policy, _, started, _) in table {
        let create = format!("--name P-{name} --restart {policy} -p 18200:80 IMAGE");
        if started {
            real.docker(&format!("run -d {create}"));
            real.docker(&format!("stop -t 0 P-{name}"));
        } else {
            real.docker(&format!("create {create}"));
        }
    }
    // Its one attempt fails too.
    real.docker("run -d --name P-spent --restart on-failure:1 -p 18201:80 IMAGE sh -c missing");
    let spent = real.wait_until("spent", |c| {
        c.state == State::Exited && c.start.as_ref().is_some_and(|start| !start.retries_left)
    });

    assert_eq!(spent.tenure(), Nothing);

    let snapshot = real.snapshot();
    for (name, _, policy, started, tenure) in table {
        let full = format!("{PREFIX}{name}");
        let found = snapshot.containers.iter().find(|c| c.name == full).unwrap();
        let start = found.start.as_ref().unwrap();
        let state = if started {
            State::Exited
        } else {
            State::Created
        };
        assert_eq!((found.state, start.restart), (state, policy), "{name}");
        assert_eq!(
            (start.ever_started, found.tenure()),
            (started, tenure),
            "{name}"
        );
        assert_eq!(start.ports, [tcp(80, HostPort::Fixed { port: 18200 })]);
        assert!(found.holds.is_empty(), "{name}");
    }
    let claims: Vec<_> = snapshot
        .future_claims()
        .map(|c| (&*c.container.name, c.tenure))
        .collect();
    assert_eq!(
        claims,
        [
            ("portplan-test-stopped-always", AtBoot),
            ("portplan-test-stopped-failure", AtBoot)
        ]
    );
}

#[test]
fn failed_starts_hold_nothing() {
    let Some(real) = engine() else { return };
    real.docker("run -d --name P-first -p 18210:80 IMAGE");
    let taken = real.try_docker("run -d --name P-second --restart always -p 18210:80 IMAGE");
    assert!(taken.unwrap_err().contains("port is already allocated"));
    let second = real.container("second");
    let start = second.start.as_ref().unwrap();
    assert_eq!(
        (second.state, start.failed, start.ever_started),
        (State::Created, true, false)
    );
    assert_eq!((second.tenure(), second.holds.len()), (Tenure::Nothing, 0));
}

#[test]
fn restarting_ones_attempt() {
    let Some(real) = engine() else { return };
    real.docker("run -d --name P-crash --restart always -p 18220:80 IMAGE sh -c false");
    let crash = real.wait_until("crash", |c| c.state == State::Restarting);
    assert_eq!((crash.tenure(), crash.holds.len()), (Tenure::Attempts, 0));
    let start = crash.start.unwrap();
    assert_eq!(start.ports, [tcp(80, HostPort::Fixed { port: 18220 })]);
}

#[test]
fn networks_that_publish_nothing() {
    let Some(real) = engine() else { return };
    real.docker("network create --internal P-inside");
    real.docker("network create -o com.docker.network.bridge.host_binding_ipv4=127.0.0.1 P-local");
    real.docker("run -d --name P-host --network host -p 18300:80 IMAGE");
    real.docker("run -d --name P-none --network none -p 18301:80 IMAGE");
    real.docker("run -d --name P-inside --network P-inside -p 18302:80 IMAGE");
    real.docker("run -d --name P-local --network P-local -p 18303:80 IMAGE");
    real.docker("run -d --name P-sidecar --network container:P-local IMAGE");
    real.docker("run -d --restart always --name P-boot --network P-inside -p 18304:80 IMAGE");
    real.docker("stop -t 0 P-boot");

    let snapshot = real.snapshot();
    let find = |name: &str| {
        let name = format!("{PREFIX}{name}");
        snapshot.containers.iter().find(|c| c.name == name).unwrap()
    };
    for (name, mode) in [
        ("host", NetworkMode::Host),
        ("none", NetworkMode::None),
        (
            "inside",
            NetworkMode::Named("portplan-test-inside".to_owned()),
        ),
    ] {
        let container = find(name);
        assert_eq!((&container.network_mode, container.holds.len()), (&mode, 0));
        assert!(!snapshot.can_publish(container), "{name}");
    }
    assert_eq!(holds(find("local")), ["127.0.0.1:18303->80/tcp"]);
    assert!(snapshot.can_publish(find("local")));
    let NetworkMode::Container(id) = &find("sidecar").network_mode else {
        panic!()
    };
    assert!(id.starts_with(&find("local").id));
    assert!(find("sidecar").holds.is_empty());

    assert!(snapshot.network("portplan-test-inside").unwrap().internal);
    let local = snapshot.network("portplan-test-local").unwrap();
    assert_eq!(local.host_binding, Some("127.0.0.1".parse().unwrap()));
    // It would start at boot, and open nothing.
    assert_eq!(find("boot").tenure(), Tenure::AtBoot);
    assert_eq!(snapshot.future_claims().count(), 0);
}

#[test]
fn routed_gateways_hold_nothing() {
    let Some(real) = engine() else { return };
    let create = "network create -o com.docker.network.bridge.gateway_mode_ipv4=routed P-routed";
    real.docker(create);
    real.docker("run -d --name P-routed --network P-routed -p 127.0.0.1:18310:80 IMAGE");
    let snapshot = real.snapshot();
    let major: u32 = snapshot
        .engine
        .version
        .split('.')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let network = snapshot.network("portplan-test-routed").unwrap();
    assert_eq!(network.gateway_mode_ipv4.as_deref(), Some("routed"));
    // Engines before 27 do not know the option.
    let expected = usize::from(major < 27);
    assert_eq!(snapshot.containers[0].holds.len(), expected);
}

#[test]
fn labels_of_compose() {
    let Some(real) = engine() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("compose.yaml");
    let service = format!(
        "{{image: {}, pull_policy: never, ports: ['18400:80']}}",
        real.image
    );
    std::fs::write(
        &file,
        format!("name: portplan-test-shop\nservices: {{web: {service}}}\n"),
    )
    .unwrap();
    let compose = |arguments: &[&str]| {
        let run = |program: &str, first: &[&str]| {
            let mut command = Command::new(program);
            command.args(first).arg("-f").arg(&file).args(arguments);
            command
                .env("DOCKER_HOST", real.endpoint.address.to_string())
                .output()
                .ok()
        };
        let output = run("docker-compose", &[]).or_else(|| run("docker", &["compose"]));
        output.is_some_and(|output| output.status.success())
    };
    if !compose(&["version"]) {
        println!("skipped: no Docker Compose");
        return;
    }
    assert!(compose(&["up", "-d"]));
    // The scale of one service is a container's number.
    let snapshot = real.snapshot();
    let [web] = &snapshot.containers[..] else {
        panic!("{snapshot:?}")
    };
    let labels = web.compose.as_ref().unwrap();
    assert_eq!(
        (&*labels.project, &*labels.service),
        ("portplan-test-shop", "web")
    );
    assert_eq!(labels.working_dir.as_deref(), folder.path().to_str());
    assert_eq!(labels.config_files, [file.to_str().unwrap()]);
    assert_eq!((labels.number, labels.one_off), (Some(1), false));
    assert!(web.belongs_to("portplan-test-shop") && !web.belongs_to("shop"));
    assert_eq!(holds(web), ["0.0.0.0:18400->80/tcp", ":::18400->80/tcp"]);
    assert!(compose(&["down", "-t", "0"]));

    assert!(compose(&["run", "-d", "--service-ports", "web"]));
    let snapshot = real.snapshot();
    let [once] = &snapshot.containers[..] else {
        panic!("{snapshot:?}")
    };
    assert!(once.compose.as_ref().unwrap().one_off && !once.belongs_to("portplan-test-shop"));
    assert!(compose(&["down", "-t", "0", "--remove-orphans"]));
}

#[test]
fn many_containers_are_quick() {
    let Some(real) = engine() else { return };
    for number in 0..50 {
        let port = 18600 + number;
        real.docker(&format!("create --name P-many{number} -p {port}:80 IMAGE"));
    }
    let start = Instant::now();
    let snapshot = real.snapshot();
    let took = start.elapsed();
    println!("50 stopped containers: {took:?}");
    assert_eq!(snapshot.containers.len(), 50);
    assert!(
        snapshot
            .containers
            .iter()
            .all(|c| c.start.as_ref().unwrap().ports.len() == 1)
    );
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[test]
fn vanishing_containers_are_left_out() {
    let Some(real) = engine() else { return };
    thread::scope(|scope| {
        let churn = scope.spawn(|| {
            for _ in 0..15 {
                real.docker("create --name P-churn -p 18700:80 IMAGE");
                real.docker("rm -f P-churn");
            }
        });
        while !churn.is_finished() {
            real.snapshot();
        }
    });
}

#[test]
fn services_of_a_swarm() {
    let Some(real) = engine() else { return };
    if env::var("PORTPLAN_TEST_SWARM").is_err() {
        println!("skipped: a swarm is made only of a throw-away engine (PORTPLAN_TEST_SWARM=1)");
        return;
    }
    assert_eq!(real.snapshot().engine.swarm, Swarm::None);
    real.docker("swarm init --advertise-addr 127.0.0.1");
    let create = "service create --detach --no-resolve-image";
    let ingress = "--publish published=18500,target=80";
    let chosen = "--publish target=81";
    real.docker(&format!(
        "{create} --name P-web --replicas 3 {ingress} {chosen} IMAGE"
    ));
    let host = "--publish published=18501,target=53,protocol=udp,mode=host";
    let stack = "--label com.docker.stack.namespace=shop";
    real.docker(&format!(
        "{create} --name P-node --mode global {stack} {host} IMAGE"
    ));

    let held = || {
        let snapshot = real.snapshot();
        let tasks = snapshot.containers.iter().filter(|c| c.task.is_some());
        let mut holds = tasks.filter(|task| !task.holds.is_empty());
        holds.next().cloned()
    };
    let start = Instant::now();
    let task = loop {
        if let Some(task) = held() {
            break task;
        }
        assert!(start.elapsed() < Duration::from_secs(30));
        thread::sleep(Duration::from_millis(200));
    };
    let snapshot = real.snapshot();
    let left = real.docker("swarm leave --force");

    assert_eq!(task.holds[0].port, 18501);
    assert_eq!(task.task.unwrap().service, "portplan-test-node");
    let Swarm::Manager { nodes, services } = &snapshot.engine.swarm else {
        panic!("{left}: {:?}", snapshot.engine.swarm);
    };
    assert_eq!(*nodes, Some(1));
    let [node, web] = &services[..] else {
        panic!("{services:?}")
    };
    assert_eq!(
        (node.mode, node.stack.as_deref()),
        (ServiceMode::Global, Some("shop"))
    );
    assert_eq!(
        node.ports,
        [ServicePort {
            published: Some(18501),
            protocol: Protocol::Udp,
            target: 53,
            mode: PublishMode::Host
        }]
    );
    assert_eq!(web.mode, ServiceMode::Replicated { replicas: 3 });
    let ports: Vec<_> = web.ports.iter().map(|p| (p.target, p.mode)).collect();
    assert_eq!(
        ports,
        [(80, PublishMode::Ingress), (81, PublishMode::Ingress)]
    );
    assert_eq!(web.ports[0].published, Some(18500));
    assert!((30000..=32767).contains(&web.ports[1].published.unwrap()));
}
