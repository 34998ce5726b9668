//! What the rules make of single ports, row by row.

use portplan::binding::Protocol;
use portplan::compose::environment::Environment;
use portplan::compose::project::{Project, Request};
use portplan::settings::{Globs, Pool, Reservation, Settings};
use portplan::source::Memory;
use portplan::world::World;
use serde_json::Value;

use crate::rules::{check, machine, said, said_of, world};

/// What is said of a file.
fn said_of_file(file: &str) -> Vec<String> {
    said(&world(file, None))
}

#[test]
fn profiles_that_may_be_alternatives() {
    for (a, b, severity) in [
        ("", "", "error"),
        ("", "profiles: [gpu], ", "error"),
        ("profiles: [gpu], ", "profiles: [gpu], ", "error"),
        ("profiles: [cpu, all], ", "profiles: [all, gpu], ", "error"),
        ("profiles: [cpu], ", "profiles: [gpu], ", "warning"),
    ] {
        let service = |profiles| format!("{{ image: i, {profiles}ports: ['8080:80'] }}");
        let file = format!("services: {{ a: {}, b: {} }}", service(a), service(b));
        let expected = format!("{severity} host-port-collision");
        assert_eq!(said_of_file(&file), [expected], "{file}");
    }
    // three, of which no profile turns on all
    let file = "services:
  a: { image: i, profiles: [x], ports: ['8000-8001:80'] }
  b: { image: i, profiles: [y], ports: ['8000-8001:80'] }
  c: { image: i, profiles: [x, y], ports: ['8000-8001:80'] }";
    assert_eq!(said_of_file(file), ["warning host-port-collision"]);
}

/// What is said of one published port under settings, and where it would move.
fn said_under(ports: &str, settings: Settings) -> (Vec<String>, Option<String>) {
    let file = format!("services: {{ web: {{ image: web, ports: ['{ports}'] }} }}");
    let world = World {
        settings: settings.into(),
        ..world(&file, None)
    };
    let remap = check(&world).into_iter().find_map(|found| found.remap);
    (said(&world), remap.map(|remap| remap.to))
}

#[test]
fn ports_that_are_reserved_or_outside_of_pools() {
    let ranges = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
    let reserved = |ports: &str, protocol| Settings {
        reserved: vec![Reservation {
            ports: ports.parse().unwrap(),
            protocol,
            reason: "the printer".to_owned(),
        }],
        ..Settings::default()
    };
    let pools = |texts: &[&str]| Settings {
        pools: vec![Pool {
            paths: Globs::default(),
            name: "ours".to_owned(),
            ports: ranges(texts),
        }],
        ..Settings::default()
    };
    for (ports, settings, said, to) in [
        (
            "9100:80",
            reserved("9100-9110", None),
            "error reserved-port",
            "9111:80",
        ),
        ("9099:80", reserved("9100-9110", None), "", ""),
        ("9100:80", reserved("9100", Some(Protocol::Udp)), "", ""),
        (
            "9099-9101:80",
            reserved("9100", None),
            "warning reserved-port",
            "9102-9104:80",
        ),
        (
            "9098-9100:8-10",
            reserved("9100", None),
            "error reserved-port",
            "9101-9103:8-10",
        ),
        ("80", reserved("1-65535", None), "", ""),
        (
            "8080:80",
            pools(&["8100-8199"]),
            "error outside-pool",
            "8100:80",
        ),
        (
            "8080:80",
            pools(&["7000", "7500-7510"]),
            "error outside-pool",
            "7510:80",
        ),
        ("8199:80", pools(&["8100-8199"]), "", ""),
        (
            "8198-8201:80",
            pools(&["8100-8199"]),
            "warning outside-pool",
            "8194-8197:80",
        ),
        // chosen by hand, even where the kernel lends ports
        (
            "8080:80",
            pools(&["50000-50099"]),
            "error outside-pool",
            "50000:80",
        ),
        (
            "8080-8081:80-81",
            pools(&["8100"]),
            "error outside-pool",
            "",
        ),
        ("80", pools(&["8100-8199"]), "", ""),
    ] {
        let expected = Vec::from_iter((!said.is_empty()).then(|| said.to_owned()));
        let to = (!to.is_empty()).then(|| to.to_owned());
        assert_eq!(said_under(ports, settings), (expected, to), "{ports}");
    }
}

#[test]
fn addresses_that_the_host_has_or_not() {
    let mut machine = machine("host-ip-not-here").unwrap();
    let table = |machine: &Value, rows: &[(&str, bool)]| {
        for (ports, fires) in rows {
            let expected = fires.then(|| "error host-ip-not-here".to_owned());
            assert_eq!(said_of(ports, machine), Vec::from_iter(expected), "{ports}");
        }
    };
    table(
        &machine,
        &[
            ("192.0.2.9:8080:80", true),
            ("192.0.2.9::80", true),
            ("192.0.2.9:8080-8081:80", true),
            ("[2001:db8::1]:8080:80", true),
            ("[fe80::1]:8080:80", true),
            ("255.255.255.255:8080:80", true),
            ("255.255.255.255:8080:80/udp", false),
            ("192.0.2.10:8080:80", false),
            ("127.1.2.3:8080:80", false),
            ("[::1]:8080:80", false),
            ("0.0.0.0:8080:80", false),
            ("8080:80", false),
        ],
    );
    machine["host"]["limits"]["nonlocal_bind"] = true.into();
    table(&machine, &[("192.0.2.9:8080:80", false)]);
    machine["host"]["limits"]["nonlocal_bind"] = false.into();
    machine["engines"][0]["engine"]["desktop"] = true.into();
    table(&machine, &[("192.0.2.9:8080:80", false)]);
    machine["host"] = Value::Null;
    table(&machine, &[("192.0.2.9:8080:80", false)]);
}

#[test]
fn ports_that_browsers_refuse() {
    for (ports, fires) in [
        ("6000:80", true),
        ("25:8080", true),
        ("6666-6667:3000-3001", true),
        ("6000:80/udp", false),
        ("6667:6667", false),
        ("5060:5060", false),
        ("6000:6000", false),
        ("25:25", false),
        ("8080:80", false),
        // the engine may take another
        ("6666-6670:80", false),
    ] {
        let file = format!("services: {{ a: {{ image: i, ports: ['{ports}'] }} }}");
        let expected = fires.then(|| "warning browser-blocked-port".to_owned());
        assert_eq!(said_of_file(&file), Vec::from_iter(expected), "{ports}");
    }
}

#[test]
fn ports_that_the_kernel_lends() {
    let table = |machine: &Value, rows: &[(&str, bool)]| {
        for (ports, fires) in rows {
            let expected = fires.then(|| "notice ephemeral-range".to_owned());
            assert_eq!(said_of(ports, machine), Vec::from_iter(expected), "{ports}");
        }
    };
    let mut machine = machine("host-ip-not-here").unwrap();
    let limits = |ephemeral: [u16; 2], reserved: &[[u16; 2]]| {
        (ephemeral.into(), serde_json::json!(reserved))
    };
    let mut set = |(ephemeral, reserved): (Value, Value)| {
        machine["host"]["limits"]["ephemeral"] = ephemeral;
        machine["host"]["limits"]["reserved"] = reserved;
        machine.clone()
    };
    table(
        &set(limits([32768, 60999], &[])),
        &[
            ("50000:80", true),
            ("60990-61010:60990-61010", true),
            ("40000:53/udp", true),
            ("32767:80", false),
            ("61000:80", false),
            // the engine takes one that is free
            ("50000-50010:80", false),
            ("80", false),
        ],
    );
    table(
        &set(limits([32768, 60999], &[[50000, 50000]])),
        &[("50000:80", false), ("50001:80", true)],
    );
    table(&set(limits([1024, 65535], &[])), &[("8080:80", true)]);
    let pool = Pool {
        paths: Globs::default(),
        name: "ours".to_owned(),
        ports: vec!["50000-50009".parse().unwrap()],
    };
    let settings = Settings {
        pools: vec![pool],
        ..Settings::default()
    };
    assert_eq!(said_under("50000:80", settings), (Vec::new(), None));
}

#[test]
fn numbers_by_which_something_else_is_known() {
    for (image, ports, fires) in [
        ("web", "5432:80", true),
        ("mysql:8", "5432:3306", true),
        ("prom/prometheus", "9092:9090", false),
        ("postgres:17", "5432:5432", false),
        ("example/pgbouncer", "5432:6432", false),
        ("provectuslabs/kafka-ui", "9092:8080", false),
        ("haproxy", "3306:3306", false),
        ("web", "6379:7777", false),
        ("web", "5432:80/udp", false),
        ("web", "127.0.0.1:27016-27017:8079-8080", true),
    ] {
        let file = format!("services: {{ a: {{ image: {image}, ports: ['{ports}'] }} }}");
        let expected = fires.then(|| "notice well-known-mismatch".to_owned());
        assert_eq!(
            said_of_file(&file),
            Vec::from_iter(expected),
            "{image} {ports}"
        );
    }
    let named = "services: { redis: { image: web, ports: ['6379:80'] } }";
    assert_eq!(said_of_file(named), [""; 0], "the service has the name");
}

/// Following all proposals at once makes no new collision.
#[test]
fn proposals_are_not_the_same_for_two() {
    let file = "services:
  a: { image: i, ports: ['50000:80', '50000:80/udp', '50001:81'] }
  b: { image: i, ports: ['50002:80'] }";
    let findings = check(&world(file, None));
    let helps: Vec<&str> = findings
        .iter()
        .flat_map(|found| &found.help)
        .map(|it| &**it)
        .collect();
    let expected = [
        "publish `a` as 61000:80 instead",
        "publish `a` as 61000:80/udp instead",
        "publish `a` as 61001:81 instead",
        "publish `b` as 61002:80 instead",
    ];
    assert_eq!(helps, expected);
}

/// Two files that are written alike are two places all the same.
#[test]
fn each_project_is_shown() {
    let project = |name: &str| {
        let path = format!("{name}/compose.yaml");
        let text = "services: { web: { image: web, ports: ['8080:80'] } }";
        let files = Memory([(format!("/{path}").into(), text.into())].into());
        let request = Request {
            files: vec![path.into()],
            ..Request::default()
        };
        Project::load(&request, &Environment::default(), "/".into(), &files, None)
    };
    let world = World {
        projects: vec![project("one"), project("two")],
        together: true,
        ..World::default()
    };
    assert_eq!(said(&world), ["error project-collision"]);
    let labels = check(&world).remove(0).labels;
    let projects: Vec<usize> = labels.iter().map(|label| label.project).collect();
    assert_eq!(projects, [0, 1]);
}
