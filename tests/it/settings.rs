//! `portplan.yaml`: found, read, applied; and what is said of one that is wrong.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::common::{folder, portplan, root};
use crate::schemas;

/// Two findings in each of two folders: an error and a warning.
const STACK: &str = "services:
  web:
    image: web
    ports: [\"8080:80\", \"8080:81\"]
    # portplan: ignore[no-such-rule]
";

pub fn stacks(config: &str) -> tempfile::TempDir {
    folder(&[
        ("portplan.yaml", config),
        ("prod/compose.yaml", STACK),
        ("dev/compose.yaml", STACK),
    ])
}

/// `dev error host-port-collision`, in the order they are told.
pub fn found(cwd: &Path, args: &[&str]) -> Vec<String> {
    let args = [&["check", "--format", "json"], args].concat();
    let output = portplan(cwd, &args);
    let json: Value = serde_json::from_str(&output.stdout).unwrap();
    let findings = json["findings"].as_array().unwrap();
    let line = |finding: &Value| {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let file = text(&finding["labels"][0]["file"]);
        let folder = file.trim_end_matches("compose.yaml").trim_end_matches('/');
        let (severity, rule) = (text(&finding["severity"]), text(&finding["rule"]));
        format!("{folder} {severity} {rule}").trim().to_owned()
    };
    findings.iter().map(line).collect()
}

#[test]
fn levels() {
    let both = "dev error host-port-collision, dev warning unused-ignore, \
                prod error host-port-collision, prod warning unused-ignore";
    for (config, expected) in [
        ("", both),
        (
            "rules: { host-port-collision: notice, unused-ignore: error }",
            "dev notice host-port-collision, dev error unused-ignore, \
             prod notice host-port-collision, prod error unused-ignore",
        ),
        (
            "rules: { host-port-collision: off }",
            "dev warning unused-ignore, prod warning unused-ignore",
        ),
        (
            "paths: { \"dev/**\": { rules: { host-port-collision: off, unused-ignore: off } } }",
            "prod error host-port-collision, prod warning unused-ignore",
        ),
        (
            "rules: { host-port-collision: off, unused-ignore: off }\n\
             paths:\n  \"**\": { rules: { host-port-collision: warning } }\n  \
             prod: { rules: { host-port-collision: error } }",
            "dev warning host-port-collision, prod error host-port-collision",
        ),
        ("rules:\npaths:\npools:\npins:\nreserved:\nhosts:\n", both),
    ] {
        let stacks = stacks(&format!("version: 1\n{config}\n"));
        assert_eq!(
            found(stacks.path(), &["."]).join(", "),
            expected,
            "{config}"
        );
    }
}

#[test]
fn where_it_is_found() {
    let stacks = stacks("version: 1\nrules: { host-port-collision: off, unused-ignore: notice }\n");
    let path = stacks.path();
    let off = ["notice unused-ignore"];
    let on = ["error host-port-collision", "warning unused-ignore"];
    // above the current folder, and above the first path
    assert_eq!(found(&path.join("dev"), &[]), off);
    assert_eq!(found(Path::new("/"), &[path.to_str().unwrap()]).len(), 2);
    assert_eq!(found(&path.join("dev"), &["--no-config"]), on);
    // another one
    fs::write(path.join("other.yaml"), "version: 1\n").unwrap();
    assert_eq!(found(&path.join("dev"), &["--config", "../other.yaml"]), on);
    // what is above a repository is not the repository's
    fs::create_dir(path.join("dev/.git")).unwrap();
    assert_eq!(found(&path.join("dev"), &[]), on);
    fs::write(
        path.join("dev/portplan.yml"),
        "version: 1\nrules: {unused-ignore: off}",
    )
    .unwrap();
    assert_eq!(found(&path.join("dev"), &[]), on[..1]);
    let both = portplan(path, &["check", "--no-config", "--config", "other.yaml"]);
    assert_eq!(both.status, Some(2));
}

/// What is off is not looked for, so that a comment that ignores it is not unused.
#[test]
fn what_is_off_needs_no_ignore() {
    let ignored = STACK
        .replace("no-such-rule", "host-port-collision")
        .replace(", \"8080:81\"", "");
    let folder = folder(&[("compose.yaml", &ignored)]);
    assert_eq!(found(folder.path(), &[]), ["warning unused-ignore"]);
    let config = "version: 1\nrules: { host-port-collision: off }\n";
    fs::write(folder.path().join("portplan.yaml"), config).unwrap();
    assert_eq!(found(folder.path(), &[]), [""; 0]);
}

#[test]
fn what_is_wrong_is_said() {
    let mut told = String::new();
    for config in [
        "",
        "rules: {}",
        "version: 2",
        "rules: []\nversion: [1]\nnew: 1",
        "version: 1\nrule: {}",
        "version: 1\nzzz: {}",
        "version: 1\nrules:\n  host-port-colision: off",
        "version: 1\nrules:\n  zzz: off",
        "version: 1\nrules:\n  privileged-port: warn",
        "version: 1\nrules: [privileged-port]",
        "version: 1\nrules: { privileged-port: off, privileged-port: error }",
        "version: 1\npaths:\n  \"dev/[\": {}",
        "version: 1\npaths:\n  dev: { levels: {} }",
        "version: 1\npools:\n  - { port: 8000-8999 }",
        "version: 1\npools:\n  - { ports: 8999-8000 }",
        "version: 1\npools:\n  - { ports: [8000, 80000] }",
        "version: 1\npools:\n  - { name: web }",
        "version: 1\npins: [db:5432, \"db:\"]",
        "version: 1\nreserved:\n  - { ports: 9100, protocol: tpc, for: x }",
        "version: 1\nreserved:\n  - { ports: 9100 }",
        "version: 1\nhosts:\n  edge-1: { project: [edge] }",
        "version: 1\nhosts:\n  edge-1: { projects: [dev], snapshot: none.json }",
        "version: 1\nworktrees: yes",
        "version: 1\npools: 8000",
        "version: 1\npools: [8000]",
        "version: 1\nhosts: { edge-1: [edge] }",
        "version: 1\nrules: { privileged-port: }",
        "- version: 1",
        "version: 1\npins: [{}, ~, [a]]",
        "version: 1\nreserved: [{ ports: [1, { a: b }], for: [] }]",
        "version: 1\n---\nversion: 1",
        "version: 1\npools: &p [{ ports: 0 }]\nreserved: *p",
        "version: 1\nrules: {",
    ] {
        let stacks = stacks(config);
        let output = portplan(stacks.path(), &["check", "dev", "--format", "concise"]);
        // the files are checked all the same
        assert_eq!(output.status, Some(2), "{config}");
        assert!(output.stdout.contains("dev/compose.yaml:4:"), "{config}");
        let plan = portplan(stacks.path(), &["plan", "dev"]);
        assert_eq!(plan.status, Some(2), "{config}");
        let says = plan.stderr.lines().filter(|line| !line.starts_with("note"));
        let says: Vec<&str> = says.collect();
        let _ = writeln!(told, "{config}\n>>> {}\n", says.join("\n>>> "));
    }
    insta::assert_snapshot!("broken", told);
    let stacks = stacks("version: 1\npools:\n  - { prts: 8000-8999 }\n");
    let output = portplan(stacks.path(), &["check", "dev"]);
    insta::assert_snapshot!("broken_shown", output.stdout);
    let none = portplan(stacks.path(), &["check", "dev", "--config", "none.yaml"]);
    insta::assert_snapshot!("none", none.stdout.lines().next().unwrap());
    assert_eq!(none.status, Some(2));
}

/// All that is wrong with the form is said in one run, and nothing that only follows from it.
#[test]
fn every_mistake_is_said() {
    let config = "rules:
  host-port-colision: off
  privileged-port: warn
  port-ignored: off
  port-refused: []
path: {}
paths:
  \"dev/[\": {}
  dev:
    rules: { zzz: off, port-ignored: of }
    level: off
pools:
  - ports: [8000, 80000, 9-8]
    nam: web
  - { port: 8000-8999, name: web }
  - { name: [web] }
  - 8000
  - { ports: 8000-8999 }
pins: [db:5432, \"db:\", \":\"]
reserved:
  - { ports: 9100, protocol: tpc }
hosts:
  edge-1: { projects: [\"a[\", b], snapshot: {} }
  edge-2:
worktrees: yes
";
    let stacks = stacks(config);
    let output = portplan(stacks.path(), &["check", "dev", "--format", "concise"]);
    assert_eq!(output.status, Some(2));
    let lines = output.stdout.lines();
    let lines: Vec<&str> = lines
        .filter(|line| line.starts_with("portplan.yaml"))
        .collect();
    insta::assert_snapshot!("every_mistake", lines.join("\n"));
    // with a byte order mark and other line breaks, at the same places
    let dos = format!("\u{feff}{}", config.replace('\n', "\r\n"));
    fs::write(stacks.path().join("portplan.yaml"), dos).unwrap();
    let same = portplan(stacks.path(), &["check", "dev", "--format", "concise"]);
    assert_eq!(same.stdout, output.stdout);
    // each one that is mended is one less
    let mended = config.replace("path: {}\n", "version: 1\n");
    fs::write(stacks.path().join("portplan.yaml"), mended).unwrap();
    let fewer = portplan(stacks.path(), &["check", "dev", "--format", "concise"]);
    assert_eq!(
        fewer.stdout.lines().count() + 2,
        output.stdout.lines().count()
    );
}

#[test]
fn pins() {
    let stack = "services:\n  a: { image: i, ports: [\"8080:80\"] }\n  \
                 b: { image: i, ports: [\"8080:80\"] }\n";
    let folder = folder(&[("compose.yaml", stack), ("portplan.yaml", "version: 1\n")]);
    let moved = |args: &[&str]| {
        let plan = portplan(folder.path(), &[&["plan"], args].concat());
        let row = plan.stdout.lines().nth(1).unwrap_or_default().to_owned();
        row.split(' ').next().unwrap_or_default().to_owned()
    };
    assert_eq!(moved(&[]), "b");
    fs::write(
        folder.path().join("portplan.yaml"),
        "version: 1\npins: [b]\n",
    )
    .unwrap();
    assert_eq!(moved(&[]), "a");
    assert_eq!(moved(&["--no-config"]), "b");
    let both = portplan(folder.path(), &["plan", "--pin", "a"]);
    assert!(both.stdout.contains("`b` (8080) is pinned"), "{both:?}");
}

/// What a comment ignores, and what is off, stays where it is; the others part all the same.
#[test]
fn what_is_accepted_does_not_move() {
    let moved = |config: &str, comment: &str, services: &[&str]| {
        let services = services.iter().map(|name| {
            let comment = if *name == "b" { comment } else { "" };
            format!("  {name}: {{ image: i, ports: [\"8080:80\"] }}{comment}\n")
        });
        let stack = format!("services:\n{}", services.collect::<String>());
        let folder = folder(&[("compose.yaml", &stack), ("portplan.yaml", config)]);
        let plan = portplan(folder.path(), &["plan"]);
        let lines = plan.stdout.lines();
        let rows = lines.skip(1).take_while(|line| !line.is_empty());
        let rows: Vec<&str> = rows.filter_map(|row| row.split(' ').next()).collect();
        (plan.status, rows.join(" "))
    };
    let ignore = " # portplan: ignore[host-port-collision] never up together";
    let version = "version: 1\n";
    let off = "version: 1\nrules: { host-port-collision: off }\n";
    let clean = (Some(0), String::new());
    assert_eq!(moved(version, "", &["a", "b"]).1, "b");
    assert_eq!(moved(version, ignore, &["a", "b"]), clean);
    assert_eq!(moved(version, ignore, &["a", "b", "c"]).1, "c");
    let other = " # portplan: ignore[replica-collision]";
    assert_eq!(moved(version, other, &["a", "b"]).1, "b");
    assert_eq!(moved(off, "", &["a", "b", "c"]), clean);
}

#[test]
fn rules_are_listed_as_they_are_settled() {
    let stacks = stacks(
        "version: 1\nrules: { port-ignored: off }\n\
         paths: { dev: { rules: { port-ignored: error } } }\n",
    );
    let level = |cwd: &Path, args: &[&str]| {
        let args = [&["rules", "--format", "json"], args].concat();
        let json: Value = serde_json::from_str(&portplan(cwd, &args).stdout).unwrap();
        schemas::validate("rules", &json);
        let rules = json["rules"].as_array().unwrap();
        let rule = rules.iter().find(|rule| rule["name"] == "port-ignored");
        rule.unwrap()["level"].as_str().unwrap().to_owned()
    };
    assert_eq!(level(stacks.path(), &[]), "off");
    assert_eq!(level(&stacks.path().join("dev"), &[]), "error");
    assert_eq!(level(stacks.path(), &["--no-config"]), "notice");
    let table = portplan(stacks.path(), &["rules"]).stdout;
    let row = table.lines().find(|row| row.starts_with("port-ignored "));
    let words: Vec<&str> = row.unwrap().split_whitespace().take(2).collect();
    assert_eq!(words, ["port-ignored", "off"], "{table}");
    fs::write(stacks.path().join("portplan.yaml"), "version: 3").unwrap();
    assert_eq!(portplan(stacks.path(), &["rules"]).status, Some(2));
}

/// Settings in YAML, as the schema sees them.
fn as_json(yaml: &str) -> Value {
    serde_yaml::from_str(yaml).unwrap()
}

/// The template without the `#` of its keys: prose has one space after it.
fn uncommented(text: &str) -> String {
    let is_prose = |line: &str| line.starts_with("# ") && !line.starts_with("#  ");
    let lines = text.lines().filter(|line| !is_prose(line));
    let lines = lines.map(|line| line.strip_prefix('#').unwrap_or(line));
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn init() {
    let folder = folder(&[("compose.yaml", STACK)]);
    let init = |args: &[&str]| portplan(folder.path(), &[&["init"], args].concat());
    let first = init(&[]);
    assert_eq!(first.status, Some(0));
    let version = env!("CARGO_PKG_VERSION");
    let shown = first.stdout.replace(version, "VERSION");
    let shown = match env!("CARGO_PKG_REPOSITORY") {
        "" => shown,
        url => shown.replace(url.trim_end_matches('/'), "portplan"),
    };
    insta::assert_snapshot!("init", shown);
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let text = read("portplan.yaml");
    assert!(text.starts_with("# yaml-language-server: $schema="));
    assert_eq!(found(folder.path(), &[]).len(), 2);
    // every key of the schema is there, and it is true
    let whole = uncommented(&text);
    let keys = as_json(&whole);
    schemas::validate("config", &keys);
    let schema = portplan(folder.path(), &["schema", "config"]).stdout;
    let schema: Value = serde_json::from_str(&schema).unwrap();
    for key in schema["properties"].as_object().unwrap().keys() {
        assert!(keys.get(key).is_some(), "{key}");
    }
    let whole = whole
        .replace("snapshot:", "# snapshot:")
        .replace("baseline:", "# baseline:");
    fs::write(
        folder.path().join("whole.yaml"),
        whole.replace("worktrees: true", ""),
    )
    .unwrap();
    let output = portplan(folder.path(), &["check", "--config", "whole.yaml"]);
    assert_eq!(output.status, Some(1), "{output:?}");
    // what is there stays
    fs::write(folder.path().join("portplan.yaml"), "version: 1\n").unwrap();
    let again = init(&["--hook", "--ci", "github"]);
    assert_eq!(again.status, Some(0));
    assert!(
        again
            .stdout
            .contains("portplan.yaml exists already and stays as it is")
    );
    assert_eq!(read("portplan.yaml"), "version: 1\n");
    let hook = as_json(&read(".pre-commit-config.yaml"));
    assert_eq!(hook["repos"][0]["hooks"][0]["id"], "portplan-check");
    let job = as_json(&read(".github/workflows/portplan.yml"));
    assert!(job["jobs"]["check"]["steps"].is_array());
    fs::write(folder.path().join(".gitlab-ci.yml"), "mine").unwrap();
    let gitlab = init(&["--ci", "gitlab"]);
    assert!(
        gitlab.stderr.contains(".gitlab-ci.yml exists already"),
        "{gitlab:?}"
    );
    assert_eq!(read(".gitlab-ci.yml"), "mine");
    assert_eq!(init(&["none"]).status, Some(2));
}

/// The examples of the documentation are read without a word.
#[test]
fn the_examples_of_the_page() {
    let page = fs::read_to_string(root().join("docs/configuration.md")).unwrap();
    let blocks = page.split("```yaml\n").skip(1);
    let mut count = 0;
    for block in blocks.map(|block| block.split("```").next().unwrap()) {
        let config = match block.starts_with("version:") {
            true => block.to_owned(),
            false => format!("version: 1\n{block}"),
        };
        schemas::validate("config", &as_json(&config));
        let machine = fs::read_to_string(root().join("fixtures/machines/container-collision.json"));
        let folder = folder(&[
            ("portplan.yaml", &config),
            ("web/compose.yaml", "services: {}\n"),
            ("snapshots/edge-1.json", &machine.unwrap()),
            (
                "portplan-baseline.json",
                "{\"version\": 1, \"findings\": []}",
            ),
        ]);
        let mut git = std::process::Command::new("git");
        let git = git.args(["init", "-q"]).current_dir(folder.path());
        assert!(git.status().unwrap().success());
        let output = portplan(folder.path(), &["check", "web"]);
        assert_eq!(output.status, Some(0), "{config}\n{output:?}");
        count += 1;
    }
    assert!(count >= 8, "{count}");
}
