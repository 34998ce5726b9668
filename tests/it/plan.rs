//! Plans: who moves and where to, as a table; and against brute force.

use portplan::binding::{Cause, Port, PortRange, Protocol, Published};
use portplan::compose::environment::Environment;
use portplan::compose::project::{Project, PublishId, Request};
use portplan::finding::Severity;
use portplan::graph::Allocation;
use portplan::plan::{self, Plan, Policy, Wanted, check, policy::Pin};
use portplan::settings::{Globs, Pool, Reservation, RuleLevel, Settings};
use portplan::source::Memory;
use portplan::world::World;
use proptest::prelude::*;

fn world(files: &[(&str, &str)]) -> World {
    let files = files
        .iter()
        .map(|(path, text)| (format!("/p/{path}").into(), (*text).into()));
    let request = Request::default();
    let shell = Environment::default();
    let project = Project::load(
        &request,
        &shell,
        "/p".into(),
        &Memory(files.collect()),
        None,
    );
    assert_eq!(project.problems, [], "{:?}", project.sources.files());
    World {
        projects: vec![project],
        ..World::default()
    }
}

/// The plan, which its judge has accepted.
fn plan(world: &World, policy: &Policy) -> Plan {
    let hosts: Vec<Allocation<'_>> = world
        .hosts()
        .map(|host| Allocation::of(world, &host))
        .collect();
    let plan = plan::plan(world, &hosts, policy);
    assert_eq!(
        check::judge(world, &hosts, policy, &plan),
        [],
        "{}",
        line(world, &plan)
    );
    plan
}

/// The plan in one line: `api 8080->8081`.
fn line(world: &World, plan: &Plan) -> String {
    let moves = plan.moves().map(|it| {
        let (_, service, publish) = it.publish.of(&world.projects);
        let protocol = publish.protocol.as_deref().filter(|it| *it != "tcp");
        let protocol = protocol.map_or_else(String::new, |it| format!("/{it}"));
        format!("{} {}->{}{protocol}", service.name, it.from, it.to)
    });
    let stuck = plan.stuck.iter().map(|stuck| {
        let fixed = stuck
            .fixed
            .iter()
            .map(|(id, fixed)| format!("{} {fixed:?}", id.of(&world.projects).1.name));
        format!("stuck: {}", fixed.collect::<Vec<_>>().join(" "))
    });
    moves.chain(stuck).collect::<Vec<_>>().join(", ")
}

#[test]
fn who_moves_and_where_to() {
    let pins = |pins: &[&str]| Policy {
        pins: pins.iter().map(|pin| pin.parse::<Pin>().unwrap()).collect(),
        ..Policy::default()
    };
    let strategy = |text: &str| Policy {
        strategy: text.parse().unwrap(),
        ..Policy::default()
    };
    let cases: &[(&str, Policy, &str, &str)] = &[
        (
            "nothing to do",
            Policy::default(),
            "a: ['8080:80'], b: ['8081:80']",
            "",
        ),
        (
            "the first written stays",
            Policy::default(),
            "web: ['8080:80'], api: ['127.0.0.1:8080:80']",
            "api 8080->8081",
        ),
        (
            "one moves instead of two",
            Policy::default(),
            "a: ['127.0.0.1:8080:80'], b: ['8080:80'], c: ['127.0.0.2:8080:80']",
            "b 8080->8081",
        ),
        (
            "all but one",
            Policy::default(),
            "a: ['8080:80'], b: ['8080:80'], c: ['8080:80'], d: ['8080:80']",
            "b 8080->8081, c 8080->8082, d 8080->8083",
        ),
        (
            "a port is recognised",
            Policy::default(),
            "a: ['80:80', '443:443'], b: ['80:80', '443:443'], c: ['5432:5432'], d: ['5432:5432']",
            "b 80->8080, b 443->8443, d 5432->5433",
        ),
        (
            "a range moves as a block, and a single port instead of it",
            Policy::default(),
            "a: ['8000-8002:80-82'], b: ['8001:80'], c: ['9000-9001:1-2'], d: ['9001-9002:1-2']",
            "b 8001->8003, d 9001->9003, d 9002->9004",
        ),
        (
            "tcp and udp of one number move together",
            Policy::default(),
            "a: ['5300:53', '5301:1'], b: ['5300:53', '5300:53/udp']",
            "a 5300->5302",
        ),
        (
            "both protocols",
            Policy::default(),
            "a: ['5300:53', '5300:53/udp'], b: ['5300:53', '5300:53/udp']",
            "b 5300->5301, b 5300->5301/udp",
        ),
        (
            "replicas get room",
            Policy::default(),
            "a: {scale: 3, ports: ['8080:80']}, b: ['8081:80']",
            "a 8080->8082-8084",
        ),
        (
            "replicas grow where they are",
            Policy::default(),
            "a: {scale: 3, ports: ['8080:80']}, b: ['8083:80']",
            "a 8080->8080-8082",
        ),
        (
            "a short range grows",
            Policy::default(),
            "a: {scale: 3, ports: ['8080-8081:80']}, b: ['8080:80/udp']",
            "a 8080-8081->8080-8082",
        ),
        (
            "replicas of a range of targets",
            Policy::default(),
            "a: {scale: 2, ports: ['8080-8081:80-81']}",
            "stuck: a Replicas a Replicas",
        ),
        (
            "a range without room",
            Policy::default(),
            "a: ['8000-8001:80'], b: ['8000:80'], c: ['8001:80']",
            "c 8001->8002",
        ),
        (
            "a known number stays",
            Policy::default(),
            "debug: ['127.0.0.1:5431-5432:1-2'], db: ['5432:5432']",
            "db 5432->5433",
        ),
        (
            "twice in one service",
            Policy::default(),
            "a: ['8080:80', '127.0.0.1:8080:80']",
            "a 8080->8081",
        ),
        (
            "pinned",
            pins(&["api"]),
            "web: ['8080:80'], api: ['8080:80']",
            "web 8080->8081",
        ),
        (
            "pinned by port",
            pins(&["8080"]),
            "a: ['8080:80'], b: ['8080:1']",
            "stuck: a Pinned b Pinned",
        ),
        (
            "what is pinned does not keep the rest from being planned",
            pins(&["a:8080", "b:8080"]),
            "a: ['8080:80', '9090:1'], b: ['8080:80'], c: ['8080:80'], d: ['9090:80']",
            "c 8080->8081, d 9090->9091, stuck: a Pinned b Pinned",
        ),
        (
            "offset",
            strategy("offset:100"),
            "a: ['8080:80'], b: ['8080:80'], c: ['8180:80']",
            "b 8080->8280",
        ),
        (
            "sequential",
            strategy("sequential"),
            "a: ['8080:80', '9000:1'], b: ['9000:1', '8080:80']",
            "b 9000->9001, b 8080->9002",
        ),
        (
            "the ephemeral range is not for us",
            Policy::default(),
            "a: ['32767:80'], b: ['32767:80']",
            "b 32767->61000",
        ),
    ];
    for (name, policy, services, expected) in cases {
        let services = services
            .replace(": [", ": {image: i, ports: [")
            .replace("']", "']}");
        let services = services
            .replace(": {scale", ": {image: i, scale")
            .replace("']}}", "']}");
        let services = services.replace("ports: {image: i, ports: [", "ports: [");
        let world = world(&[("compose.yaml", &format!("services: {{{services}}}"))]);
        assert_eq!(line(&world, &plan(&world, policy)), *expected, "{name}");
    }
}

#[test]
fn what_is_written_once_moves_once() {
    type Files<'a> = &'a [(&'a str, &'a str)];
    let cases: &[(&str, Files<'_>, &str)] = &[
        (
            "all users of an anchor move",
            &[(
                "compose.yaml",
                "x-p: &p ['8080:80']\nservices:\n  a: {image: i, ports: ['127.0.0.1:8080:80', '127.0.0.1:8080:81/udp']}\n  b: {image: i, ports: *p}\n",
            )],
            "b 8080->8081",
        ),
        (
            "users of one anchor in each other's way part",
            &[(
                "compose.yaml",
                "services:\n  a: {image: i, ports: &p ['8080:80']}\n  b: {image: i, ports: *p}\n",
            )],
            "b 8080->8081",
        ),
        (
            "one variable in an env file",
            &[
                (
                    "compose.yaml",
                    "services:\n  a: {image: i, ports: ['127.0.0.1:$P:80']}\n  b: {image: i, ports: ['127.0.0.2:$P:80']}\n  c: {image: i, ports: ['127.0.0.1:8080:80']}\n",
                ),
                (".env", "P=8080\n"),
            ],
            "c 8080->8081",
        ),
        (
            "a number from two places",
            &[
                (
                    "compose.yaml",
                    "services:\n  a: {image: i, ports: ['${P}80:80']}\n  b: {image: i, ports: ['${P}80:80']}\n",
                ),
                (".env", "P=80\n"),
            ],
            "stuck: a Mixed b Mixed",
        ),
    ];
    for (name, files, expected) in cases {
        let world = world(files);
        assert_eq!(
            line(&world, &plan(&world, &Policy::default())),
            *expected,
            "{name}"
        );
    }
}

/// Entries of random services: few ports, so that they meet.
fn services() -> impl Strategy<Value = String> {
    let entry = (0_usize..5, 0_u16..5, 0_u16..3, 0_usize..5, 1_u16..3);
    let entry = entry.prop_map(|(ip, port, length, kind, target)| {
        let ip = ["", "0.0.0.0:", "127.0.0.1:", "[::1]:", "127.0.0.2:"][ip];
        let first = 8000 + port;
        let last = first + length;
        let ports = match kind {
            0 => format!("{first}-{last}:{target}"),
            1 => format!("{first}-{last}:{target}-{}", target + length),
            2 => format!("{first}:{target}/udp"),
            _ => format!("{first}:{target}"),
        };
        format!("'{ip}{ports}'")
    });
    prop::collection::vec((entry, 1_u32..3), 2..6).prop_map(|entries| {
        let services = entries.iter().enumerate().map(|(index, (entry, copies))| {
            // several targets cannot be had by replicas
            let copies = if entry.contains('-') { 1 } else { *copies };
            format!("s{index}: {{image: i, scale: {copies}, ports: [{entry}]}}")
        });
        format!("services: {{{}}}", services.collect::<Vec<_>>().join(", "))
    })
}

/// The fewest publishes whose removal to the far ports of their own leaves no certain collision.
fn fewest(world: &World) -> usize {
    let host = world.hosts().next().unwrap();
    let host = Allocation::of(world, &host);
    let mut ids: Vec<Vec<PublishId>> = Vec::new();
    for (index, claim) in host.claims.iter().enumerate() {
        // an expanded range is one
        match host.entry(index)[0] == index {
            true => ids.push(
                host.entry(index)
                    .iter()
                    .map(|claim| host.claims[*claim].id)
                    .collect(),
            ),
            false => assert!(ids.iter().any(|unit| unit.contains(&claim.id))),
        }
    }
    let mut sets: Vec<(usize, u32)> = (0..1_u32 << ids.len())
        .map(|set| {
            let units = (0..ids.len()).filter(|unit| set >> unit & 1 == 1);
            (units.map(|unit| ids[unit].len()).sum(), set)
        })
        .collect();
    sets.sort_unstable();
    let fits = |set: u32| {
        let after = |claim: usize| {
            let id = host.claims[claim].id;
            let unit = ids.iter().position(|unit| unit.contains(&id)).unwrap();
            let place = ids[unit].iter().position(|other| *other == id).unwrap() as u16;
            let first = Port::new(20_000 + 100 * unit as u16 + 10 * place).unwrap();
            let last = Port::new(first.get() + 9).unwrap();
            let wide = PortRange::new(first, last).unwrap();
            (set >> unit & 1 == 1).then_some(match host.claims[claim].service.copies() {
                1 => Published::Fixed(first),
                _ => Published::OneOf(wide),
            })
        };
        let left = host.collisions_if(after);
        left.iter()
            .all(|collision| matches!(collision.cause, Cause::Maybe(_)))
    };
    sets.into_iter().find(|(_, set)| fits(*set)).unwrap().0
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn no_plan_moves_fewer(compose in services()) {
        let world = world(&[("compose.yaml", &compose)]);
        let plan = plan(&world, &Policy::default());
        prop_assert_eq!(&plan.stuck, &[], "{}", compose);
        prop_assert!(plan.is_optimal());
        prop_assert_eq!(plan.moves().count(), fewest(&world), "{}", line(&world, &plan));
    }
}

/// What these rules find, or without any what is needed.
fn wanted(rules: &[&str]) -> Wanted {
    match rules {
        [] => Wanted::Needed,
        rules => Wanted::Only(rules.iter().map(|rule| (*rule).to_owned()).collect()),
    }
}

/// The plan under settings, which its judge has accepted.
fn line_under(settings: Settings, rules: &[&str], file: &str) -> String {
    let world = World {
        settings: settings.into(),
        ..world(&[("compose.yaml", file)])
    };
    let policy = Policy {
        wanted: wanted(rules),
        ..Policy::default()
    };
    line(&world, &plan(&world, &policy))
}

#[test]
fn reservations_and_pools() {
    let ports = |text: &str| text.parse::<PortRange>().unwrap();
    let settings = || Settings {
        reserved: vec![Reservation {
            ports: ports("8080-8082"),
            protocol: Some(Protocol::Tcp),
            reason: "the printer".to_owned(),
        }],
        pools: vec![Pool {
            paths: Globs::default(),
            name: "ours".to_owned(),
            ports: vec![ports("8000-8099"), ports("50000-50009")],
        }],
        ..Settings::default()
    };
    let file = "services:
  a: { image: i, ports: ['8080:80'] }
  b: { image: i, ports: ['8079:80', '9000:81'] }
  c: { image: i, ports: ['8079:80'] }
  d: { image: i, ports: ['8081:53/udp', '50000:80'] }";
    let all = "a 8080->8083, b 9000->8099, c 8079->8084";
    assert_eq!(line_under(settings(), &[], file), all);
    for (rule, expected) in [
        ("reserved-port", "a 8080->8083"),
        ("outside-pool", "b 9000->8099"),
        ("host-port-collision", "c 8079->8083"),
        ("project-collision", ""),
    ] {
        assert_eq!(line_under(settings(), &[rule], file), expected, "{rule}");
    }
}

/// What the rules of collisions resolve alone and together, where three want one port.
#[test]
fn a_host_without_room_is_no_endless_search() {
    // nine find room, and what is written first stays; few are given up one by one, many at once
    for services in [50, 2_000] {
        let text = (0..services).fold("services:\n".to_owned(), |text, at| {
            text + &format!("  s{at:04}: {{ image: a, ports: ['8000:80'] }}\n")
        });
        let mut world = world(&[("compose.yaml", &text)]);
        let ports = "8000-8009".parse().unwrap();
        world.settings = std::sync::Arc::new(Settings {
            pools: vec![Pool {
                ports: vec![ports],
                ..Pool::default()
            }],
            ..Settings::default()
        });
        let plan = plan(&world, &Policy::default());
        let taken: Vec<u16> = plan.moves().map(|it| it.to.first().get()).collect();
        assert_eq!(taken, (8001..=8009).collect::<Vec<u16>>(), "{services}");
        assert_eq!(plan.stuck.len(), 1, "{services}");
        assert_eq!(plan.stuck[0].fixed.len(), services - 9, "{services}");
    }
}

#[test]
fn collisions_within_and_between_projects() {
    let project = |name: &str, file: &str| {
        let path = format!("{name}/compose.yaml");
        let files = Memory([(format!("/{path}").into(), file.into())].into());
        let request = Request {
            files: vec![path.into()],
            ..Request::default()
        };
        let shell = Environment::default();
        Project::load(&request, &shell, "/".into(), &files, None)
    };
    let a =
        "services: { a: { image: i, ports: ['8080:80'] }, b: { image: i, ports: ['8080:80'] } }";
    let c = "services: { c: { image: i, ports: ['8080:80'] } }";
    let world = World {
        projects: vec![project("one", a), project("two", c)],
        together: true,
        ..World::default()
    };
    for (rules, expected) in [
        (
            &["host-port-collision", "project-collision"][..],
            "b 8080->8081, c 8080->8082",
        ),
        (&[], "b 8080->8081, c 8080->8082"),
        (&["host-port-collision"], "b 8080->8081"),
        (&["project-collision"], "c 8080->8081"),
    ] {
        let policy = Policy {
            wanted: wanted(rules),
            ..Policy::default()
        };
        assert_eq!(line(&world, &plan(&world, &policy)), expected, "{rules:?}");
    }
}

#[test]
fn what_runs_all_the_same_moves_where_that_is_asked_for() {
    let file = "services:
  a: {image: a, ports: ['50000:80']}
  b: {image: b, ports: ['6000:8080']}
  c: {image: c, ports: ['5432:80']}
";
    let world = || world(&[("compose.yaml", file)]);
    let moves = |world: World, wanted: Wanted| {
        let policy = Policy {
            wanted,
            ..Policy::default()
        };
        line(&world, &plan(&world, &policy))
    };
    assert_eq!(moves(world(), Wanted::Needed), "");
    assert_eq!(
        moves(world(), wanted(&["ephemeral-range"])),
        "a 50000->61000"
    );
    assert_eq!(
        moves(world(), wanted(&["browser-blocked-port"])),
        "b 6000->6001"
    );
    assert_eq!(
        moves(world(), wanted(&["well-known-mismatch"])),
        "c 5432->5433"
    );
    assert_eq!(
        moves(world(), Wanted::All),
        "a 50000->61000, b 6000->6001, c 5432->5433"
    );
    // an error is what is needed, and what is off is not even among all
    let level = |level| RuleLevel {
        rule: "ephemeral-range".to_owned(),
        level,
        paths: Globs::default(),
    };
    let settled = |set| World {
        settings: Settings {
            levels: vec![level(set)],
            ..Settings::default()
        }
        .into(),
        ..world()
    };
    assert_eq!(
        moves(settled(Some(Severity::Error)), Wanted::Needed),
        "a 50000->61000"
    );
    assert_eq!(
        moves(settled(None), Wanted::All),
        "b 6000->6001, c 5432->5433"
    );
}
