//! Each rule's page is its test: the first example fires once, the second not at all.

use std::fs;
use std::path::Path;

use portplan::binding::Protocol;
use portplan::compose::environment::Environment;
use portplan::compose::project::{Project, Request};
use portplan::finding::Finding;
use portplan::report::rules::Catalogue;
use portplan::rules::{RULES, Rule};
use portplan::settings::{Globs, Pool, Reservation, RuleLevel, Settings};
use portplan::source::Memory;
use portplan::worktree::Neighbour;
use portplan::world::World;
use serde_json::Value;

use crate::common::{blessed, portplan, root, run};
use crate::schemas;

/// The examples of a page, marked `fires` or `silent`.
fn examples(page: &str) -> Vec<(bool, String)> {
    let blocks = page.split("```yaml\n").skip(1);
    let blocks = blocks.map(|block| block.split("```").next().unwrap().to_owned());
    let marked = blocks.map(|block| {
        let first = block.lines().next().unwrap();
        let fires = first.contains("# fires");
        assert!(fires || first.contains("# silent"), "{block}");
        (fires, block)
    });
    marked.collect()
}

/// What is found, apart from what comments ignore.
pub fn check(world: &World) -> Vec<Finding> {
    portplan::suppress::check(world).0
}

/// The rules that fire on an example, on the machine of `fixtures/machines` that the rule has.
fn rules_that_fire(rule: &str, example: &str) -> Vec<&'static str> {
    let world = example_world(rule, example);
    check(&world).iter().map(|finding| finding.rule).collect()
}

/// An example, where its rule finds what it looks for, and is on.
pub fn example_world(rule: &str, example: &str) -> World {
    // a document may be another project's
    let (example, other) = match example.split_once("---\nservices: # of another project") {
        Some((example, other)) => (example, Some(format!("services:{other}"))),
        None => (example, None),
    };
    let other = other.map(|other| Project {
        name: "other".to_owned(),
        ..world(&other, None).projects.remove(0)
    });
    let this = world(example, machine(rule));
    // what is in another worktree is the same file again
    let neighbours = world(example, None)
        .projects
        .into_iter()
        .map(|project| Neighbour {
            project: Project {
                name: "other".to_owned(),
                ..project
            },
            worktree: "../other".into(),
        });
    let neighbours = neighbours.filter(|_| rule == "worktree-collision");
    World {
        stack: (rule == "stack-collision").then(|| "example".to_owned()),
        neighbours: neighbours.collect::<Vec<_>>().into(),
        settings: settings(rule).into(),
        together: other.is_some(),
        projects: this.projects.into_iter().chain(other).collect(),
        ..this
    }
}

/// The settings under which a rule looks for something.
fn settings(rule: &str) -> Settings {
    let reserved = Reservation {
        ports: "9100".parse().unwrap(),
        protocol: None,
        reason: "the node exporter".to_owned(),
    };
    let pool = Pool {
        paths: Globs::default(),
        name: "example".to_owned(),
        ports: vec!["8100-8199".parse().unwrap()],
    };
    let level = RuleLevel {
        paths: Globs::default(),
        rule: rule.to_owned(),
        level: Rule::named(rule).map(|rule| rule.severity),
    };
    Settings {
        levels: vec![level],
        reserved: Vec::from_iter((rule == "reserved-port").then_some(reserved)),
        pools: Vec::from_iter((rule == "outside-pool").then_some(pool)),
        ..Settings::default()
    }
}

/// The machine of that name in `fixtures/machines`, if there is one.
fn machine(name: &str) -> Option<Value> {
    let machines = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/machines");
    let text = fs::read_to_string(machines.join(format!("{name}.json"))).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

/// A project of one file, and a machine.
fn world(file: &str, machine: Option<Value>) -> World {
    let files = Memory([("/example/compose.yaml".into(), file.into())].into());
    let request = Request::default();
    let shell = Environment::default();
    let project = Project::load(&request, &shell, "/example".into(), &files, None);
    assert_eq!(project.problems, [], "{file}");
    let machine = machine.map(|machine| {
        schemas::validate("snapshot", &machine);
        serde_json::from_value(machine).unwrap()
    });
    World {
        projects: vec![project],
        machines: machine.into_iter().collect(),
        live: true,
        ..World::default()
    }
}

/// What is said of one published port on a machine: `error os-service-port`.
fn said_of(ports: &str, machine: &Value) -> Vec<String> {
    let file = format!("services: {{ web: {{ image: web, ports: ['{ports}'] }} }}");
    let findings = check(&world(&file, Some(machine.clone())));
    let said = findings.iter().map(|found| {
        let severity = format!("{:?}", found.severity).to_lowercase();
        format!("{severity} {}", found.rule)
    });
    said.collect()
}

#[test]
fn two_projects_are_two_places() {
    // the same bytes of two files
    let files = ["a/compose.yaml", "b/compose.yaml"];
    let text = "services: {web: {image: web, ports: ['8080:80']}}";
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        fs::create_dir(folder.path().join(&file[..1])).unwrap();
        fs::write(folder.path().join(file), text).unwrap();
    }
    let args = ["check", "--together", "--format", "json", "a", "b"].map(str::to_owned);
    let report: Value = serde_json::from_str(&run(&args, folder.path(), &[]).stdout).unwrap();
    let labels = report["findings"][0]["labels"].as_array().unwrap();
    let places: Vec<_> = labels
        .iter()
        .map(|label| label["file"].as_str().unwrap())
        .collect();
    assert_eq!(places, files);
}

#[test]
fn two_engines_of_one_machine_are_in_each_others_way() {
    let mut machine = machine("container-collision").unwrap();
    assert_eq!(said_of("8080:80", &machine), ["error container-collision"]);
    let mut other = machine["engines"][0].clone();
    other["engine"]["id"] = "another".into();
    machine["engines"][0]["containers"] = Value::Array(Vec::new());
    machine["engines"].as_array_mut().unwrap().push(other);
    assert_eq!(said_of("8080:80", &machine), ["error container-collision"]);
    assert_eq!(said_of("8081:80", &machine), [""; 0]);
}

#[test]
fn ports_that_the_system_keeps() {
    let table = |machine: &Value, rows: &[(&str, Option<&str>)]| {
        for (ports, severity) in rows {
            let expected = severity.map(|severity| format!("{severity} os-service-port"));
            assert_eq!(said_of(ports, machine), Vec::from_iter(expected), "{ports}");
        }
    };
    let mut machine = machine("os-service-port").unwrap();
    table(
        &machine,
        &[
            ("127.0.0.1:7000:80", Some("error")),
            ("4990-5010:4990-5010", Some("error")),
            ("5000:80/udp", None),
            ("5001:80", None),
        ],
    );
    // on, and not seen: another user's
    machine["host"]["sockets"] = Value::Array(Vec::new());
    table(
        &machine,
        &[
            ("5000:80", Some("warning")),
            ("4990-5010:80", Some("warning")),
            ("5000:80/udp", None),
            ("80", None),
        ],
    );
    let limits = &mut machine["host"]["limits"];
    limits["airplay"] = false.into();
    limits["excluded"]["tcp"] = serde_json::json!([[8000, 8099], [8100, 8199]]);
    table(
        &machine,
        &[
            ("5000:80", None),
            ("8080:80", Some("error")),
            ("8080:80/udp", None),
            ("7999-8001:7999-8001", Some("error")),
            ("8090-8110:80", Some("error")),
            ("7999-8001:80", Some("warning")),
            ("8200-8210:80", None),
        ],
    );
    let world = world(
        "services: { web: { image: web, ports: ['8080:80'] } }",
        Some(machine),
    );
    let remap = check(&world)[0].remap.clone().unwrap();
    assert_eq!(remap.to, "8201:80", "beyond what is excluded");
}

#[test]
fn low_ports_of_a_range() {
    let machine = machine("privileged-port").unwrap();
    for (ports, severity) in [
        ("1000-1023:80", Some("error")),
        ("1020-1030:80", Some("warning")),
        ("1020-1030:1020-1030", Some("error")),
        ("1024-1030:80", None),
        ("80", None),
    ] {
        let expected = severity.map(|severity| format!("{severity} privileged-port"));
        assert_eq!(
            said_of(ports, &machine),
            Vec::from_iter(expected),
            "{ports}"
        );
    }
}

#[test]
fn the_examples_of_the_pages_are_true() {
    for rule in &RULES {
        let page = rule.page();
        let examples = examples(&page);
        let marks: Vec<bool> = examples.iter().map(|(fires, _)| *fires).collect();
        assert_eq!(marks, [true, false], "{}", rule.name);
        assert_eq!(
            rules_that_fire(rule.name, &examples[0].1),
            [rule.name],
            "{}",
            examples[0].1
        );
        assert_eq!(
            rules_that_fire(rule.name, &examples[1].1),
            [""; 0],
            "{}",
            examples[1].1
        );
    }
}

#[test]
fn the_pages_have_one_form() {
    for rule in &RULES {
        let page = rule.page();
        let headings: Vec<&str> = page.lines().filter(|line| line.starts_with('#')).collect();
        let title = format!("# {}", rule.name);
        let expected = [
            &title,
            "## What it finds",
            "## Why",
            "## Example",
            "## Remedy",
            "## Sources",
        ];
        assert_eq!(headings, expected);
    }
    let names: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
    assert!(names.is_sorted(), "rules are sorted by name: {names:?}");
}

/// The pages in `docs/rules/` are generated from the rules.
#[test]
fn the_pages_are_checked_in() {
    for rule in &RULES {
        blessed(&format!("docs/rules/{}.md", rule.name), &rule.page());
    }
}

/// The tables of the rules come from the rules.
#[test]
fn the_tables_are_checked_in() {
    let rules = Catalogue::new();
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let (before, rest) = readme.split_once("<!-- rules -->\n").unwrap();
    let (_, after) = rest.split_once("<!-- /rules -->").unwrap();
    let table = rules.markdown("docs/rules/");
    blessed(
        "README.md",
        &format!("{before}<!-- rules -->\n{table}<!-- /rules -->{after}"),
    );
    let index = format!("# Rules\n\n{}", rules.markdown(""));
    blessed("docs/rules/README.md", &index);
}

/// Each rule says what it finds in a line that a table can hold.
#[test]
fn the_summaries_are_short() {
    for rule in &RULES {
        let summary = rule.summary();
        assert!(
            (20..=170).contains(&summary.len()),
            "{}: {summary}",
            rule.name
        );
        assert_eq!(summary.matches('`').count() % 2, 0, "{summary}");
    }
}

/// A rule that proposes another port says in the tables that it does.
#[test]
fn rules_that_can_be_fixed_say_so() {
    for rule in &RULES {
        let examples = examples(&rule.page());
        let fixed = check(&example_world(rule.name, &examples[0].1))[0]
            .remap
            .is_some();
        assert!(!fixed || rule.fixable, "{}", rule.name);
    }
}

#[test]
fn pages_can_be_asked_for() {
    let run = |args: &[&str]| portplan(Path::new("."), args);
    insta::assert_snapshot!("table", run(&["rules"]).stdout);
    insta::assert_snapshot!("page", run(&["explain", "unused-ignore"]).stdout);
    let json = serde_json::from_str(&run(&["rules", "--format", "json"]).stdout).unwrap();
    schemas::validate("rules", &json);
    let unknown = run(&["explain", "host-port-colision"]);
    assert_eq!(unknown.status, Some(2));
    insta::assert_snapshot!("unknown", unknown.stderr);
}

/// The rules and severities that a file is found guilty of: `error host-port-collision`.
fn said_of_file(file: &str) -> Vec<String> {
    let findings = check(&world(file, None));
    let said = findings.iter().map(|found| {
        let severity = format!("{:?}", found.severity).to_lowercase();
        format!("{severity} {}", found.rule)
    });
    said.collect()
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
    let findings = check(&world);
    let said = findings.iter().map(|found| {
        let severity = format!("{:?}", found.severity).to_lowercase();
        format!("{severity} {}", found.rule)
    });
    let remap = findings.iter().find_map(|found| found.remap.clone());
    (said.collect(), remap.map(|remap| remap.to))
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
