//! Compose and Swarm.

use std::env;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use portplan::engine::container::Protocol;
use portplan::engine::snapshot::{PublishMode, ServiceMode, ServicePort, Swarm};

use super::{engine, holds};
use crate::common::{compose_program, say};

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
    let Some(program) = compose_program() else {
        say("skipped: no Docker Compose (COMPOSE_BIN)");
        return;
    };
    let compose = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        command.arg("-f").arg(&file).args(arguments);
        command.env("DOCKER_HOST", real.endpoint.address.to_string());
        command.output().unwrap().status.success()
    };
    assert!(compose(&["up", "-d"]));
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
