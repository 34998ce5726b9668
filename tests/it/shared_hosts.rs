//! `hosts` of `portplan.yaml`: projects that share a host, and those that do not.

use std::fs;

use serde_json::Value;

use crate::common::{folder, portplan, root};
use crate::schemas;
use crate::settings::{found, stacks};

/// The planted clashes, by the comments in the files: between stacks of one host and no others.
#[test]
fn hosts() {
    let stacks = root().join("fixtures/stacks");
    let output = portplan(&stacks, &["check", ".", "--format", "json"]);
    assert_eq!(output.status, Some(1), "{output:?}");
    let json: Value = serde_json::from_str(&output.stdout).unwrap();
    schemas::validate("findings", &json);
    let findings = json["findings"].as_array().unwrap().iter();
    let mut found: Vec<String> = findings
        .filter(|finding| finding["severity"] == "error")
        .map(|finding| {
            let claims = finding["claims"].as_array().unwrap().iter();
            let mut projects: Vec<&str> = claims
                .map(|claim| claim["project"].as_str().unwrap())
                .collect();
            projects.sort();
            let host = finding["host"].as_str().unwrap();
            format!("{host}: {}", projects.join(" "))
        })
        .collect();
    found.sort();
    assert_eq!(
        found,
        [
            "edge-1: adguard unbound",
            "edge-1: gitea grafana",
            "edge-1: proxy status",
            "media-1: emby jellyfin",
            "media-1: game torrent",
            "media-1: proxy qbit",
            "office-1: chat crm",
            "office-1: chat forms",
            "office-1: vault wiki",
        ]
    );
    // without the hosts each is alone, and with --together all are on one
    let alone = portplan(&stacks, &["check", ".", "--no-config"]);
    assert_eq!(alone.status, Some(0));
    let together = portplan(&stacks, &["check", ".", "--together", "--format", "json"]);
    let json: Value = serde_json::from_str(&together.stdout).unwrap();
    assert!(json["findings"].as_array().unwrap().len() > found.len());
    // the same each time
    let again = portplan(&stacks, &["check", ".", "--format", "json"]);
    assert_eq!(again.stdout, output.stdout);
}

/// What runs on two hosts moves once, to a port that is free on both.
#[test]
fn one_plan_for_all_hosts() {
    let copy = tempfile::tempdir().unwrap();
    let status = std::process::Command::new("cp")
        .args(["-r", "fixtures/stacks/."])
        .arg(copy.path())
        .current_dir(root())
        .status();
    assert!(status.unwrap().success());
    let plan = portplan(copy.path(), &["plan", "."]);
    let table: Vec<&str> = plan
        .stdout
        .lines()
        .take_while(|it| !it.is_empty())
        .collect();
    insta::assert_snapshot!("plan", table.join("\n"));
    assert_eq!(portplan(copy.path(), &["fix", "."]).status, Some(0));
    assert_eq!(portplan(copy.path(), &["check", "."]).status, Some(0));
}

/// A commit hook gives one file: the rest of its host is read, too, and stays.
#[test]
fn those_who_stand_by() {
    let stacks = root().join("fixtures/stacks");
    let check = |args: &[&str], cwd: &str| {
        let args = [&["check", "--format", "concise"], args].concat();
        let output = portplan(&stacks.join(cwd), &args);
        let lines: Vec<String> = output.stdout.lines().map(str::to_owned).collect();
        lines
    };
    let grafana = check(&["edge/grafana/compose.yaml"], "");
    assert!(
        grafana[0].contains("`gitea` of `gitea` and `grafana` of"),
        "{grafana:?}"
    );
    assert_eq!(grafana.len(), 1);
    assert_eq!(check(&["-f", "edge/grafana/compose.yaml"], "").len(), 1);
    assert_eq!(check(&[], "proxy").len(), 2);
    assert_eq!(check(&["office/mail/compose.yaml"], ""), [""; 0]);
    let plan = portplan(&stacks, &["fix", "--diff", "edge/gitea/compose.yaml"]);
    let files = plan.stdout.lines().filter(|line| line.starts_with("+++"));
    assert_eq!(files.collect::<Vec<_>>(), ["+++ b/edge/gitea/compose.yaml"]);
    let pinned = ["fix", "--diff", "edge/gitea/compose.yaml", "--pin", "gitea"];
    let pinned = portplan(&stacks, &pinned);
    assert_eq!(pinned.status, Some(1));
    assert!(
        pinned
            .stderr
            .contains("belongs to a project that was not named"),
        "{pinned:?}"
    );
}

/// At a revision, those who stood by are read as they were then.
#[test]
fn what_a_change_brings_to_a_host() {
    let stack =
        |port: u16| format!("services: {{ web: {{ image: web, ports: [\"{port}:80\"] }} }}\n");
    let (a, b, c) = (stack(8080), stack(8080), stack(9090));
    let folder = folder(&[
        (
            "portplan.yaml",
            "version: 1\nhosts: { edge-1: { projects: [.] } }\n",
        ),
        ("a/compose.yaml", &a),
        ("b/compose.yaml", &b),
        ("c/compose.yaml", &c),
    ]);
    let git = |args: &[&str]| {
        let mut git = std::process::Command::new("git");
        git.args(["-c", "user.name=a", "-c", "user.email=a@b"]);
        let status = git.args(args).current_dir(folder.path()).status();
        assert!(status.unwrap().success(), "{args:?}");
    };
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-qm", "stacks"]);
    assert_eq!(found(folder.path(), &["a"]).len(), 1);
    assert_eq!(found(folder.path(), &["a", "--since", "HEAD"]), [""; 0]);
    fs::write(folder.path().join("c/compose.yaml"), stack(8080)).unwrap();
    assert_eq!(found(folder.path(), &["c", "--since", "HEAD"]).len(), 1);
    assert_eq!(found(folder.path(), &["c"]).len(), 1);
    assert_eq!(found(folder.path(), &["b", "--since", "HEAD"]), [""; 0]);
    assert_eq!(found(folder.path(), &[".", "--since", "HEAD"]).len(), 1);
}

#[test]
fn a_host_without_projects_is_told() {
    let config =
        "version: 1\nhosts: { edge-1: { projects: [edeg] }, dev-1: { projects: [dev] } }\n";
    let stacks = stacks(config);
    let note = "portplan.yaml names the host edge-1, and no project was found";
    let whole = portplan(stacks.path(), &["check", "."]);
    assert!(whole.stdout.contains(note), "{whole:?}");
    let part = portplan(stacks.path(), &["check", "dev"]);
    assert!(!part.stdout.contains("no project"), "{part:?}");
}

/// The snapshot of a host is about that host alone.
#[test]
fn snapshots() {
    let machine = root().join("fixtures/machines/container-collision.json");
    let stack = "services: { web: { image: web, ports: [\"8080:80\"] } }\n";
    let config = "version: 1\nhosts:\n  \
                  edge-1: { projects: [edge], snapshot: snapshots/edge-1.json }\n  \
                  media-1: { projects: [media] }\n";
    let folder = folder(&[
        ("portplan.yaml", config),
        ("edge/compose.yaml", stack),
        ("media/compose.yaml", stack),
        (
            "snapshots/edge-1.json",
            &fs::read_to_string(&machine).unwrap(),
        ),
    ]);
    assert_eq!(
        found(folder.path(), &["."]),
        ["edge error container-collision"]
    );
    // from the folder of portplan.yaml, whatever the current one
    let edge = folder.path().join("edge");
    let output = portplan(&edge, &["check", "--format", "json"]);
    let json: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(json["findings"][0]["host"], "edge-1");
    // flags go over the file
    let machine = machine.to_str().unwrap();
    assert_eq!(found(folder.path(), &[".", "--against", machine]).len(), 2);
}
