//! Git worktrees: each gets ports of its own.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

use crate::common::{Output, run};

fn git(folder: &Path, args: &[&str]) {
    let mut command = Command::new("git");
    command
        .args(["-c", "user.name=a", "-c", "user.email=a@b"])
        .args(args);
    let output = command.current_dir(folder).output().unwrap();
    assert!(output.status.success(), "git {args:?}: {output:?}");
}

fn portplan(folder: &Path, args: &str) -> Output {
    let args: Vec<String> = args.split_whitespace().map(str::to_owned).collect();
    run(&args, folder, &[])
}

/// A repository of one project, with worktrees `one`, `two` and so on beside it.
fn repository(worktrees: &[&str]) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let shop = home.path().join("shop");
    fs::create_dir(&shop).unwrap();
    let compose = "services:\n  web:\n    image: web\n    ports:\n      - \"8080:80\"\n      \
                   - \"${DEBUG_PORT:-9229}:9229\"\n";
    fs::write(shop.join("compose.yaml"), compose).unwrap();
    fs::write(shop.join(".gitignore"), "compose.override.yaml\n.env\n").unwrap();
    git(&shop, &["init", "-q"]);
    git(&shop, &["add", "."]);
    git(&shop, &["commit", "-qm", "shop"]);
    for name in worktrees {
        git(&shop, &["worktree", "add", "-q", &format!("../{name}")]);
    }
    home
}

/// The host ports that the project of a worktree publishes.
fn published(worktree: &Path) -> Vec<String> {
    let output = portplan(worktree, "list --format json");
    let list: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let ports = list["projects"][0]["ports"].as_array().unwrap();
    ports
        .iter()
        .map(|port| port["published"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn each_worktree_gets_ports_of_its_own() {
    let home = repository(&["one", "two"]);
    let at = |name: &str| home.path().join(name);
    // alone each is fine, together they are not
    assert_eq!(portplan(&at("one"), "check").status, Some(0));
    let config = at("one").join("portplan.yaml");
    fs::write(&config, "version: 1\nworktrees: true\n").unwrap();
    assert_eq!(portplan(&at("one"), "check").status, Some(1));
    fs::remove_file(config).unwrap();
    let found = portplan(&at("one"), "check --worktrees --format concise");
    assert_eq!(found.status, Some(1), "{found:?}");
    assert!(found.stdout.contains("worktree-collision"), "{found:?}");
    assert!(
        found.stdout.contains("`web` in worktree ../shop"),
        "{found:?}"
    );

    let fixed = portplan(&at("one"), "fix --worktrees --into override");
    assert_eq!(fixed.status, Some(0), "{fixed:?}");
    let fixed = portplan(&at("two"), "fix --worktrees --into override");
    assert_eq!(fixed.status, Some(0), "{fixed:?}");
    assert_eq!(published(&at("shop")), ["8080", "9229"]);
    assert_eq!(published(&at("one")), ["8081", "9230"]);
    assert_eq!(published(&at("two")), ["8082", "9231"]);
    for name in ["shop", "one", "two"] {
        git(&at(name), &["diff", "--exit-code"]);
    }
    // the ports stay as they are
    for name in ["one", "two", "shop"] {
        let again = portplan(&at(name), "fix --worktrees --into override");
        assert_eq!(
            (again.status, &*again.stdout),
            (Some(0), "nothing has to move\n"),
            "{name}"
        );
    }
}

#[test]
fn two_at_once_do_not_choose_the_same_port() {
    let names = ["one", "two", "three", "four", "five"];
    let home = repository(&names);
    thread::scope(|scope| {
        for name in names {
            let folder = home.path().join(name);
            scope.spawn(move || {
                let fixed = portplan(&folder, "fix --worktrees --into override");
                assert_eq!(fixed.status, Some(0), "{fixed:?}");
            });
        }
    });
    let mut ports: Vec<String> = names
        .iter()
        .flat_map(|name| published(&home.path().join(name)))
        .collect();
    ports.sort();
    ports.dedup();
    assert_eq!(ports.len(), 10, "{ports:?}");
}

#[test]
fn outside_of_a_repository() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("compose.yaml"),
        "services: {web: {image: web}}",
    )
    .unwrap();
    let output = portplan(folder.path(), "check --worktrees");
    assert_eq!(output.status, Some(2), "{output:?}");
    assert!(
        output.stdout.contains("leave out --worktrees"),
        "{output:?}"
    );
}
