//! What `free`, `who` and `list` make of `portplan.yaml`.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::common::{Output, folder, portplan, root};
use crate::schemas;

const WEB: &str = "services:\n  web: { image: web, ports: [\"8080:80\"] }\n";

const CONFIG: &str = "version: 1
reserved:
  - { ports: 8001, protocol: tcp, for: the node exporter }
  - { ports: [8003-8004], for: the other team }
pools:
  - { ports: [8000-8009, 40000-40009], paths: [a, d] }
hosts:
  edge-1: { projects: [a, b], snapshot: edge-1.json }
";

/// A machine on which a container has 8080.
fn machine() -> String {
    fs::read_to_string(root().join("fixtures/machines/container-collision.json")).unwrap()
}

/// Two projects of one host, and one that is on none.
fn stacks(config: &str) -> tempfile::TempDir {
    folder(&[
        ("portplan.yaml", config),
        ("a/compose.yaml", WEB),
        ("b/compose.yaml", &WEB.replace("8080", "8000")),
        ("c/compose.yaml", &WEB.replace("8080", "8002")),
        ("edge-1.json", &machine()),
        ("empty.json", &machine().replace("8080", "9999")),
    ])
}

fn free(cwd: &Path, args: &[&str]) -> Output {
    let args = [&["free", "--against", "empty.json", "--near", "8000"], args].concat();
    portplan(cwd, &args)
}

#[test]
fn free_ports_are_such_as_may_be_published() {
    let stacks = stacks(CONFIG);
    let path = stacks.path();
    let list = |args: &[&str]| free(path, args).stdout.replace('\n', " ");
    // not what another project of the host wants, and not what is reserved
    assert_eq!(list(&["--count", "3", "a"]), "8002 8005 8006 ");
    assert_eq!(
        list(&["--count", "3", "--no-config", "a"]),
        "8000 8001 8002 "
    );
    assert_eq!(list(&["--count", "3", "c"]), "8000 8005 8006 ");
    assert_eq!(
        list(&["--count", "3", "--consecutive", "a"]),
        "8005 8006 8007 "
    );
    // what the kernel lends to connections will do where a pool has it
    let many = list(&["--count", "8", "a"]);
    assert_eq!(many, "8002 8005 8006 8007 8008 8009 40000 40001 ");
    let no_more = free(path, &["--count", "17", "a"]);
    assert_eq!((no_more.status, &*no_more.stdout), (Some(1), ""));
    assert!(
        no_more.stderr.contains("in the pools of portplan.yaml"),
        "{no_more:?}"
    );
    // one that has no pools may have any
    assert_eq!(
        list(&["--count", "8", "a", "c"]),
        "8005 8006 8007 8008 8009 8010 8011 8012 "
    );
    // where no project is yet
    fs::create_dir(path.join("d")).unwrap();
    let args = ["free", "--against", "../empty.json", "--near", "8010"];
    let output = portplan(&path.join("d"), &args);
    assert_eq!(output.stdout, "8009\n", "{output:?}");
}

#[test]
fn who_has_what_is_settled() {
    let stacks = stacks(CONFIG);
    let path = stacks.path();
    let who = |args: &[&str]| {
        let args = [&["who"], args].concat();
        let table = portplan(path, &args).stdout;
        let rows = table.lines().skip(1).map(|row| {
            let words: Vec<&str> = row.split_whitespace().collect();
            words.join(" ")
        });
        rows.collect::<Vec<_>>()
    };
    let empty = ["--against", "empty.json"];
    let with = |args: &[&'static str]| who(&[args, &empty].concat());
    assert_eq!(with(&["8001"]), ["8001/tcp RESERVED for the node exporter"]);
    assert_eq!(with(&["8001/udp"]), [""; 0]);
    assert_eq!(
        with(&["8004/udp"]),
        ["8003-8004 RESERVED for the other team"]
    );
    assert_eq!(with(&["8001", "--no-config"]), [""; 0]);
    // of the other project of the host; what is free near by is so for the project
    let of_b =
        "8000/tcp WANTED service `web` of `b`, b/compose.yaml:2 0.0.0.0 [::] free nearby: 8002";
    assert_eq!(with(&["8000", "a"]), [of_b]);
    assert_eq!(with(&["8000", "c"]), [""; 0]);
    // of the host itself, beside this machine
    let held = "8080/tcp HELD container `other` on edge-1 0.0.0.0 [::] docker stop other";
    let on_host = |rows: &[String]| rows.iter().any(|row| row == held);
    assert!(on_host(&who(&["8080", "a"])), "{:?}", who(&["8080", "a"]));
    assert!(!on_host(&who(&["8080", "c"])));
    assert!(!on_host(&who(&["8080", "a", "--no-config"])));
    let json = portplan(
        path,
        &["who", "8003", "--format", "json", "--against", "empty.json"],
    );
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    schemas::validate("who", &json);
    assert_eq!(json["ports"][0]["tenure"], "reserved");
}

#[test]
fn live_lists_have_what_is_reserved() {
    let stacks = stacks(CONFIG);
    let live = ["list", "--live", "--format", "json", "a"];
    let json = portplan(stacks.path(), &live).stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    let ports = json["ports"].as_array().unwrap();
    let reserved = ports.iter().filter(|row| row["tenure"] == "reserved");
    assert_eq!(reserved.count(), 2);
    assert!(ports.iter().all(|row| row["host"] != "edge-1"));
}

#[test]
fn what_is_wrong_is_told() {
    let stacks = stacks("version: 1\nreserved:\n  - { prts: 80, for: x }\n");
    for args in [
        &["who", "1", "--against", "empty.json"][..],
        &["free", "--against", "empty.json"],
    ] {
        let output = portplan(stacks.path(), args);
        assert_eq!(output.status, Some(2), "{output:?}");
        assert!(
            output.stderr.contains("did you mean `ports`?"),
            "{output:?}"
        );
    }
}

/// What is published in another worktree is not free.
#[test]
fn worktrees_that_are_settled() {
    let stacks = folder(&[
        ("one/portplan.yaml", "version: 1\nworktrees: true\n"),
        ("one/compose.yaml", WEB),
        ("empty.json", &machine().replace("8080", "9999")),
    ]);
    let one = stacks.path().join("one");
    for args in [
        &["init", "--quiet"][..],
        &["add", "--all"],
        &["commit", "--quiet", "--message", "c"],
        &["worktree", "add", "--quiet", "../two"],
    ] {
        let mut git = std::process::Command::new("git");
        let git = git.current_dir(&one).env("GIT_CONFIG_GLOBAL", "/dev/null");
        let git = git.args(["-c", "user.name=t", "-c", "user.email=t@example.org"]);
        assert!(
            git.args(args).output().unwrap().status.success(),
            "{args:?}"
        );
    }
    fs::write(
        stacks.path().join("two/compose.yaml"),
        WEB.replace("8080", "8000"),
    )
    .unwrap();
    let run = |args: &[&str]| {
        let args = [args, &["--against", "../empty.json"]].concat();
        portplan(&one, &args).stdout
    };
    assert_eq!(run(&["free", "--near", "8000"]), "8001\n");
    assert_eq!(run(&["free", "--near", "8000", "--no-config"]), "8000\n");
    let who = run(&["who", "8000"]);
    assert!(who.contains("HELD") && who.contains("two"), "{who}");
}
