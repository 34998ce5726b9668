//! Edits that move no port: what each rule's fix writes, and that nothing else changes.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Mutex;

use portplan::edit::{Changes, Effect, Patch, Workspace};
use portplan::finding::{Fix, Severity};
use portplan::graph::Allocation;
use portplan::plan::Plan;
use portplan::rules::{self, RULES};
use portplan::settings::Settings;
use portplan::source::Disk;
use portplan::world::World;
use rayon::prelude::*;
use serde_json::Value;

use crate::common::{folder, portplan, say};
use crate::edit_corpus::{Subject, difference, folders, wanted_compose};

/// What `fix --only RULE` makes of an entry, as it is written after the dash, of an image.
fn fixed(rule: &str, image: &str, entry: &str) -> String {
    let before = format!("services:\n  web:\n    image: {image}\n    ports:\n      - ");
    let file = format!("{before}{entry}\n");
    let folder = folder(&[("compose.yaml", &file)]);
    let output = portplan(folder.path(), &["fix", "--only", rule]);
    let after = fs::read_to_string(folder.path().join("compose.yaml")).unwrap();
    let after = after.strip_prefix(&before).unwrap().trim_end().to_owned();
    if after != entry {
        let again = portplan(folder.path(), &["fix", "--only", rule]);
        assert_eq!(
            (again.status, again.stdout.as_str()),
            (Some(0), "nothing to fix\n"),
            "{entry}: {output:?}"
        );
    }
    after
}

#[test]
fn what_is_written() {
    for (rule, image, entry, expected) in [
        ("ambiguous-port-scalar", "web", "2222:22", "\"2222:22\""),
        (
            "ambiguous-port-scalar",
            "web",
            "2222:22   # ssh",
            "\"2222:22\"   # ssh",
        ),
        ("unpinned-host-port", "web", "80", "8080:80"),
        ("unpinned-host-port", "web", "\"80\"", "\"8080:80\""),
        ("unpinned-host-port", "web", "22", "\"8022:22\""),
        ("unpinned-host-port", "web", "'5432/tcp'", "'5432:5432/tcp'"),
        ("unpinned-host-port", "web", ":80", "8080:80"),
        ("unpinned-host-port", "web", "0:80", "8080:80"),
        (
            "unpinned-host-port",
            "web",
            "127.0.0.1::80",
            "127.0.0.1:8080:80",
        ),
        (
            "unpinned-host-port",
            "web",
            "'[::1]::80/udp'",
            "'[::1]:8080:80/udp'",
        ),
        (
            "unpinned-host-port",
            "web",
            "3000-3002",
            "3000-3002:3000-3002",
        ),
        ("unpinned-host-port", "web", "${T:-80}", "8080:${T:-80}"),
        (
            "unpinned-host-port",
            "web",
            "target: 80\n        protocol: tcp",
            "target: 80\n        published: \"8080\"\n        protocol: tcp",
        ),
        (
            "unpinned-host-port",
            "web",
            "{target: 80, published: '0'}",
            "{target: 80, published: \"8080\"}",
        ),
        // a variable that is empty on purpose
        (
            "unpinned-host-port",
            "web",
            "\"${P:-}:80\"",
            "\"${P:-}:80\"",
        ),
        (
            "unset-variable-port",
            "web",
            "\"${P}:80\"",
            "\"${P:-8080}:80\"",
        ),
        ("unset-variable-port", "web", "$P:80", "${P:-8080}:80"),
        (
            "unset-variable-port",
            "web",
            "127.0.0.1:${P}:80-82/udp",
            "127.0.0.1:${P:-8080-8082}:80-82/udp",
        ),
        (
            "unset-variable-port",
            "web",
            "{target: 80, published: \"${P}\"}",
            "{target: 80, published: \"${P:-8080}\"}",
        ),
        // which of two, or which part of it, cannot be known
        ("unset-variable-port", "web", "${A}${B}:80", "${A}${B}:80"),
        (
            "unset-variable-port",
            "web",
            "${P:-${Q}}:80",
            "${P:-${Q}}:80",
        ),
        (
            "exposed-on-all-interfaces",
            "postgres",
            "5432:5432",
            "127.0.0.1:5432:5432",
        ),
        (
            "exposed-on-all-interfaces",
            "postgres",
            "\"5432\" # any",
            "\"127.0.0.1::5432\" # any",
        ),
        (
            "exposed-on-all-interfaces",
            "postgres",
            "'0.0.0.0:5432:5432'",
            "'127.0.0.1:5432:5432'",
        ),
        (
            "exposed-on-all-interfaces",
            "postgres",
            "'[::]:5432:5432'",
            "'[::1]:5432:5432'",
        ),
        (
            "exposed-on-all-interfaces",
            "postgres",
            "${P:-5432}:5432",
            "127.0.0.1:${P:-5432}:5432",
        ),
        (
            "exposed-on-all-interfaces",
            "postgres",
            "{target: 5432, published: \"5432\"}",
            "{host_ip: \"127.0.0.1\", target: 5432, published: \"5432\"}",
        ),
        (
            "exposed-on-all-interfaces",
            "postgres",
            "${IP:-0.0.0.0}:5432:5432",
            "${IP:-0.0.0.0}:5432:5432",
        ),
        (
            "hard-coded-port",
            "web",
            "'8080:80'",
            "'${WEB_PORT:-8080}:80'",
        ),
        (
            "hard-coded-port",
            "web",
            "8080-8081:80-81",
            "${WEB_PORT_80:-8080-8081}:80-81",
        ),
    ] {
        assert_eq!(fixed(rule, image, entry), expected, "{rule}");
    }
}

/// Runs `fix` with flags on a project, and shows what that says and leaves.
fn shown(files: &[(&str, &str)], flags: &[&str]) -> String {
    let folder = folder(files);
    let args: Vec<&str> = ["fix"].iter().chain(flags).copied().collect();
    let output = portplan(folder.path(), &args);
    let status = output.status.unwrap();
    let mut shown = format!("{}{}(exit status {status})\n", output.stdout, output.stderr);
    for (name, _) in files {
        let text = fs::read_to_string(folder.path().join(name)).unwrap();
        shown += &format!("--- {name}\n{text}");
    }
    shown
}

#[test]
fn an_override_replaces_what_it_publishes_again() {
    let base = "services:\n  web:\n    image: web\n    ports:\n      - 8080:80\n      - 8443:443\n";
    let over = |ports: &str| format!("services:\n  web:\n    ports:{ports}\n");
    let fix = |ports: &str| {
        let files = [
            ("compose.yaml", base),
            ("compose.override.yaml", &over(ports)),
        ];
        shown(&files, &["--only", "override-appends-ports"])
    };
    insta::assert_snapshot!(
        "override_block",
        fix(" # ours\n      - 8081:80\n      - 8444:443")
    );
    insta::assert_snapshot!("override_flow", fix(" [\"8081:80\", \"8444:443\"]"));
    // 443 is published nowhere else
    insta::assert_snapshot!("override_partly", fix(" [\"8081:80\"]"));
}

#[test]
fn comments_that_ignore_nothing_go() {
    let file = "# portplan: ignore-file[huge-range] gone
services:
  # portplan: ignore[host-port-collision] gone
  # about web
  web:
    image: web # the web # portplan: ignore[host-port-collision, huge-range] gone
    ports: [\"22:22\", 2222:22] # portplan: ignore[huge-range, ambiguous-port-scalar] one stays
";
    let files = [("compose.yaml", file)];
    insta::assert_snapshot!("comments", shown(&files, &["--only", "unused-ignore"]));
}

#[test]
fn what_shares_an_entry_changes_with_it_or_not_at_all() {
    let file = "x-ports: &ports
  - 80
services:
  web: {image: web, ports: *ports}
  api: {image: api, ports: *ports}
  db: {image: postgres, ports: &db [\"5432:5432\"]}
  web2: {image: postgres, ports: *db, profiles: [b]}
";
    let fix = |rule: &str| shown(&[("compose.yaml", file)], &["--only", rule]);
    insta::assert_snapshot!("shared_host_port", fix("unpinned-host-port"));
    insta::assert_snapshot!("shared_host_ip", fix("exposed-on-all-interfaces"));
}

/// What is written makes no collision: each container gets a port, each entry one of its own.
#[test]
fn new_ports_are_for_one_each() {
    let file = "services:
  web:
    image: web
    scale: 3
    ports:
      - 80
      - ${P}:81
      - 3000-3001
  api:
    image: api
    ports:
      - 80
      - 127.0.0.1::80
      - 0:80
      - 80/udp
";
    let folder = folder(&[("compose.yaml", file)]);
    let rules = [
        "--only",
        "unpinned-host-port",
        "--only",
        "unset-variable-port",
    ];
    let args: Vec<&str> = ["fix"].into_iter().chain(rules).collect();
    portplan(folder.path(), &args);
    let text = fs::read_to_string(folder.path().join("compose.yaml")).unwrap();
    insta::assert_snapshot!("one_each", text);
    let check = portplan(folder.path(), &["check"]);
    assert_eq!(check.status, Some(0), "{text}{check:?}");
}

/// The file of one project is part of another, whose `.env` gives the number.
#[test]
fn a_default_counts_where_the_variable_is_not_set() {
    let file = "services:\n  web: {image: web, ports: [\"${P}:80\"]}\n";
    let files = [
        ("compose.yaml", "include: [web/compose.yaml]\n"),
        (".env", "P=9000\n"),
        ("web/compose.yaml", file),
    ];
    let folder = folder(&files);
    let args = ["fix", "--only", "unset-variable-port", "."];
    let output = portplan(folder.path(), &args);
    assert_eq!(output.status, Some(0), "{output:?}");
    let text = fs::read_to_string(folder.path().join("web/compose.yaml")).unwrap();
    assert_eq!(text, file.replace("${P}", "${P:-8080}"));
}

#[test]
fn all_is_what_keeps_every_port_where_it_is_reached() {
    let file = "services:
  git: {image: git, ports: [\"50022:22\"]}
  web:
    image: web
    ports:
      - 2222:22
      - \"${P}:80\"
      - 2222:23
  db: {image: postgres, ports: [\"5432:5432\"]}
";
    let settings =
        "version: 1\nrules: { exposed-on-all-interfaces: warning, hard-coded-port: off }\n";
    let files = [("compose.yaml", file), ("portplan.yaml", settings)];
    insta::assert_snapshot!("all", shown(&files, &["--all"]));
    insta::assert_snapshot!("needed", shown(&files, &[]));
    let error =
        "version: 1\nrules: { unset-variable-port: error, exposed-on-all-interfaces: error }\n";
    let files = [("compose.yaml", file), ("portplan.yaml", error)];
    insta::assert_snapshot!("settled", shown(&files, &[]));
    let off = "version: 1\nrules: { unset-variable-port: off }\n";
    let files = [("compose.yaml", file), ("portplan.yaml", off)];
    insta::assert_snapshot!("off", shown(&files, &["--only", "unset-variable-port"]));
    insta::assert_snapshot!(
        "into_override",
        shown(&files, &["--all", "--into", "override"])
    );
}

/// The rules that some edit resolves that moves no port.
const REWRITING: [&str; 6] = [
    "ambiguous-port-scalar",
    "exposed-on-all-interfaces",
    "hard-coded-port",
    "override-appends-ports",
    "unpinned-host-port",
    "unset-variable-port",
];

#[derive(Default)]
struct Tally {
    done: usize,
    rendered: usize,
    refused: BTreeMap<String, usize>,
    wrong: Vec<String>,
}

/// What Compose should make of changed files, given what it made of them before.
fn expected(before: &Value, projects: &World, changes: &Changes) -> Value {
    let mut expected = before.clone();
    // from the last, for some go
    for (id, effect) in changes.effects.iter().rev() {
        let (_, service, _) = id.of(&projects.projects);
        let ports = &mut expected["services"][&service.name]["ports"];
        match effect {
            Effect::Published(port) | Effect::Default(_, port) => {
                ports[id.port]["published"] = port.clone().into();
            }
            Effect::HostIp(ip) => ports[id.port]["host_ip"] = ip.clone().into(),
            Effect::Gone => drop(ports.as_array_mut().unwrap().remove(id.port)),
        }
    }
    expected
}

/// What Compose renders, with the ports of each service in one order: a list that replaces those
/// before it has an order of its own.
fn sorted(mut rendered: Value) -> Value {
    let services = rendered["services"].as_object_mut();
    for service in services.into_iter().flatten() {
        if let Some(ports) = service.1["ports"].as_array_mut() {
            ports.sort_by_key(Value::to_string);
        }
    }
    rendered
}

/// How many errors the rules find.
fn errors(world: &World) -> usize {
    let found = rules::check(world);
    let errors = found.iter().filter(|it| it.severity == Severity::Error);
    errors.count()
}

/// Does what the fixes of a rule do to a project, and shows it to Compose.
fn rewrite(
    rule: &'static str,
    subject: &Subject,
    compose: Option<(&str, &Value)>,
    tally: &Mutex<BTreeMap<&'static str, Tally>>,
) {
    let mut settings = Settings::default();
    settings.turn_on(RULES.iter());
    let world = World {
        projects: subject.reading.load(&Disk),
        settings: settings.into(),
        ..World::default()
    };
    let hosts: Vec<Allocation<'_>> = world
        .hosts()
        .map(|it| Allocation::of(&world, &it))
        .collect();
    let found = rules::find(&world, &hosts, &Plan::default());
    let found = found.into_iter().filter(|finding| finding.rule == rule);
    let fixes: Vec<Fix> = found.filter_map(|finding| finding.fix).collect();
    if fixes.is_empty() {
        return;
    }
    let workspace = Workspace {
        reading: &subject.reading,
        files: &Disk,
        projects: &world.projects,
    };
    let nothing = Changes::default();
    let written = workspace.rewrite(&[], &nothing, &fixes, &|_, _| false);
    let changes = &written.changes;
    let mut wrong = Vec::new();
    if let Err(error) = workspace.prove(&[], changes) {
        wrong.push(error.to_string());
    }
    for patch in &changes.patches {
        fs::write(&patch.path, patch.new_bytes()).unwrap();
    }
    let compose = compose.filter(|_| !changes.patches.is_empty());
    let after = compose.map(|(program, _)| subject.render(program, &BTreeMap::new()));
    let then = World {
        projects: subject.reading.load(&Disk),
        ..World::default()
    };
    for patch in &changes.patches {
        fs::write(&patch.path, patch.old()).unwrap();
    }
    let (old, new) = (errors(&world), errors(&then));
    if new > old {
        wrong.push(format!("{old} errors become {new}"));
    }
    let mut rendered = 0;
    if let Some(((_, before), after)) = compose.zip(after) {
        let expected = expected(before, &world, changes);
        match after {
            None => wrong.push("Compose refuses the new files".into()),
            Some(after) if sorted(after.clone()) == sorted(expected.clone()) => {}
            Some(after) => wrong.push(difference(&expected, &after, "")),
        }
        rendered = 1;
    }
    let mut tally = tally.lock().unwrap();
    let tally = tally.entry(rule).or_default();
    tally.done += fixes.len() - written.refused.len();
    tally.rendered += rendered;
    for reason in written.refused.into_values() {
        *tally.refused.entry(reason).or_default() += 1;
    }
    if !wrong.is_empty() {
        let diffs: Vec<String> = changes.patches.iter().map(Patch::diff).collect();
        let (name, wrong, diffs) = (&subject.case.name, wrong.join("; "), diffs.join("\n"));
        tally.wrong.push(format!("{rule} {name}: {wrong}\n{diffs}"));
    }
}

#[test]
fn what_the_rules_rewrite_in_the_corpus_is_all_that_changes() {
    let program = wanted_compose();
    let folders = folders();
    let tally = Mutex::new(BTreeMap::new());
    // Compose takes its time: it is shown every tenth public project, unless all are wanted
    let all = std::env::var_os("PORTPLAN_ALL_MOVES").is_some();
    let folders: Vec<_> = folders.into_iter().enumerate().collect();
    folders.par_iter().for_each(|(index, (part, folder))| {
        let Some(subject) = Subject::open(part, folder, true) else {
            return;
        };
        let shown = all || *part != "real" || index % 10 == 0;
        let program = program.as_deref().filter(|_| shown);
        let before = program.and_then(|program| subject.render(program, &BTreeMap::new()));
        let compose = program.zip(before.as_ref());
        for rule in REWRITING {
            rewrite(rule, &subject, compose, &tally);
        }
    });
    let tally = tally.into_inner().unwrap();
    let mut wrong = Vec::new();
    for (rule, tally) in tally {
        say(&format!(
            "{rule}: {} rewritten, {} rendered by Compose, {} wrong, refused: {:?}",
            tally.done,
            tally.rendered,
            tally.wrong.len(),
            tally.refused
        ));
        assert!(tally.done > 0, "{rule}");
        wrong.extend(tally.wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
