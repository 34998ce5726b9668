//! The rule `undocumented-port`: what the documents of a project say, against what is published.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common::{folder, portplan};

const ON: &str = "version: 1\nrules: { undocumented-port: warning }\n";
const PLACE: &str = "# Ports\n\n<!-- portplan:ports -->\n<!-- /portplan:ports -->\n\nEnd.\n";
const WEB: &str = "services:\n  web: { image: web, ports: [\"8080:80\"] }\n";

/// What is told of it, a line each, without the name of the rule.
fn told(cwd: &Path, args: &[&str]) -> Vec<String> {
    let args = [&["check", "--format", "concise"], args].concat();
    let output = portplan(cwd, &args);
    let lines = output.stdout.lines().map(str::to_owned);
    lines
        .map(|line| line.replace("warning[undocumented-port]: ", ""))
        .collect()
}

/// Runs the command that a finding names, as a shell would.
fn remedy(cwd: &Path) -> String {
    let shown = portplan(cwd, &["check", "."]).stdout;
    let command = shown
        .split('`')
        .find(|part| part.starts_with("portplan list"));
    let command = command.unwrap_or_else(|| panic!("{shown}")).to_owned();
    let program = env!("CARGO_BIN_EXE_portplan");
    let script = command.replacen("portplan", program, 1);
    let status = Command::new("sh")
        .args(["-c", &script])
        .current_dir(cwd)
        .output()
        .unwrap();
    assert!(status.status.success(), "{command}: {status:?}");
    command
}

#[test]
fn the_table_of_one_project() {
    let compose = "services:
  db: { image: db, profiles: [dev], ports: [\"127.0.0.1:5432:5432\"] }
  sip: { image: sip, ports: [\"9000-9010:80\", \"9998-10001:8-11/udp\"] }
  web: { image: web, deploy: { replicas: 2 }, ports: [\"80\", \"8080-8081:81\"] }
";
    let files = [
        ("compose.yaml", compose),
        ("README.md", PLACE),
        ("portplan.yaml", ON),
    ];
    let folder = folder(&files);
    let path = folder.path();
    assert_eq!(told(path, &[]).len(), 5);
    assert_eq!(
        remedy(path),
        "portplan list --format markdown --write README.md"
    );
    assert_eq!(told(path, &[]), [""; 0]);
    assert_eq!(told(path, &["--profile", "other"]), [""; 0]);
    // a formatter, a byte order mark, and line breaks of another system
    let table = fs::read_to_string(path.join("README.md")).unwrap();
    let table = table.replace(" | ", "   |  ").replace('\n', "\r\n");
    fs::write(path.join("README.md"), format!("\u{feff}{table}")).unwrap();
    assert_eq!(told(path, &[]), [""; 0]);
    // lines, replicas, profiles and what is written elsewhere may change
    let moved = compose
        .replace("services:", "# moved\n\nservices:")
        .replace("replicas: 2", "replicas: 1");
    fs::write(
        path.join("compose.yaml"),
        moved.replace(", profiles: [dev]", ""),
    )
    .unwrap();
    assert_eq!(told(path, &[]), [""; 0]);
    let changed = compose
        .replace("5432:5432", "5433:5432")
        .replace("10001:8-11/udp", "10000:8-10/udp")
        .replace("  web:", "  www:");
    fs::write(path.join("compose.yaml"), changed).unwrap();
    insta::assert_snapshot!("changed", portplan(path, &["check"]).stdout);
    // every part of a row counts, and no other does
    for (from, to, count) in [
        ("127.0.0.1:5432", "127.0.0.2:5432", 1),
        ("127.0.0.1:5432", "5432", 1),
        ("5432/tcp", "5432/udp", 2),
        ("`any port`", "`8082`", 1),
        ("sip", "sap", 4),
        ("db [dev]", "db", 0),
        ("web x2", "web", 0),
    ] {
        fs::write(path.join("compose.yaml"), compose).unwrap();
        fs::write(path.join("README.md"), table.replace(from, to)).unwrap();
        let told = told(path, &[]);
        assert_eq!(told.len(), count, "{from} {to}: {told:#?}");
    }
}

#[test]
fn the_table_of_several_projects() {
    let files = [
        ("a/compose.yaml", WEB),
        ("b/compose.yaml", &WEB.replace("8080", "8081")),
        ("b/compose.dev.yaml", &WEB.replace("8080", "8082")),
        ("own/compose.yaml", WEB),
        ("own/README.md", PLACE),
        ("own/docs/README.md", PLACE),
        ("docs/README.md", PLACE),
        ("README.md", PLACE),
        ("portplan.yaml", ON),
    ];
    let folder = folder(&files);
    let path = folder.path();
    assert_eq!(told(path, &["."]).len(), 4);
    assert_eq!(
        remedy(path),
        "portplan list . --format markdown --write README.md"
    );
    let text = fs::read_to_string(path.join("README.md")).unwrap();
    insta::assert_snapshot!("several", text);
    // the nearest counts
    assert_eq!(
        told(path, &["."]),
        [
            "own/compose.yaml:2:31: `web` publishes 80/tcp on 8080, which `own/README.md` does not list"
        ]
    );
    assert_eq!(
        remedy(path),
        "portplan list own/compose.yaml --format markdown --write own/README.md"
    );
    assert_eq!(told(path, &["."]), [""; 0]);
    // from wherever, and whatever is looked at
    assert_eq!(told(&path.join("own"), &[]), [""; 0]);
    assert_eq!(told(&path.join("b"), &[]), [""; 0]);
    assert_eq!(told(path, &["b/compose.dev.yaml"]), [""; 0]);
    fs::write(path.join("a/compose.yaml"), WEB.replace("8080", "8083")).unwrap();
    let elsewhere = portplan(&path.join("a"), &["check"]).stdout;
    let command = "portplan list .. --format markdown --write ../README.md";
    assert!(elsewhere.contains(command), "{elsewhere}");
    // a project that is gone
    fs::write(path.join("a/compose.yaml"), WEB).unwrap();
    fs::remove_dir_all(path.join("b")).unwrap();
    insta::assert_snapshot!("gone", told(path, &["."]).join("\n"));
    let written = Command::new(env!("CARGO_BIN_EXE_portplan"))
        .args([
            "list",
            "..",
            "--format",
            "markdown",
            "--write",
            "../README.md",
        ])
        .current_dir(path.join("a"))
        .output();
    assert!(written.unwrap().status.success());
    assert_eq!(told(path, &["."]), [""; 0]);
}

#[test]
fn where_there_is_no_place() {
    let files = [
        ("it's/compose.yaml", WEB),
        ("portplan.yaml", ON),
        ("README.md", "# Shop\n"),
    ];
    let folder = folder(&files);
    let path = folder.path();
    let mut shown = portplan(path, &["check", "."]).stdout;
    let broken = PLACE.replace("/portplan", "portplan");
    fs::write(path.join("README.md"), broken).unwrap();
    shown += &portplan(path, &["check", "."]).stdout;
    insta::assert_snapshot!("no_place", shown);
    // what is above the settings is not looked at
    fs::write(path.join("README.md"), PLACE).unwrap();
    fs::write(path.join("it's/portplan.yaml"), ON).unwrap();
    assert_eq!(told(&path.join("it's"), &[]).len(), 1);
    assert_eq!(told(path, &["--no-config", "."]), [""; 0]);
}

#[test]
fn documents_that_are_named() {
    let config = |documents: &str| format!("{ON}documents: {documents}\n");
    let files = [
        ("a/compose.yaml", WEB),
        ("b/compose.yaml", &WEB.replace("8080", "8081")),
        ("docs/a.md", PLACE),
        ("docs/b.md", PLACE),
        ("docs/logo.md", "not UTF-8: see below"),
        ("portplan.yaml", &config("docs/a.md")),
    ];
    let folder = folder(&files);
    let path = folder.path();
    fs::write(path.join("docs/logo.md"), b"\xff\xd8").unwrap();
    assert_eq!(told(path, &["."]).len(), 2);
    assert_eq!(
        remedy(path),
        "portplan list . --format markdown --write docs/a.md"
    );
    let text = fs::read_to_string(path.join("docs/a.md")).unwrap();
    assert!(text.contains("| `../a` | `web` |"), "{text}");
    assert_eq!(told(path, &["."]), [""; 0]);
    // each port in one of several
    let list = |project: &str, document: &str| {
        let args = ["list", project, "--format", "markdown", "--write", document];
        assert_eq!(portplan(path, &args).status, Some(0));
    };
    list("a", "docs/a.md");
    assert_eq!(told(path, &["."]).len(), 1);
    for documents in ["[docs/a.md, docs/b.md]", "\"docs/*.md\"", "docs"] {
        fs::write(path.join("docs/b.md"), PLACE).unwrap();
        fs::write(path.join("portplan.yaml"), config(documents)).unwrap();
        assert_eq!(
            told(path, &["."]),
            ["b/compose.yaml:2:31: `web` publishes 80/tcp on 8081, which no document lists"]
        );
        list("b", "docs/b.md");
        assert_eq!(told(path, &["."]), [""; 0], "{documents}");
    }
    // one that is not there, and one that is no text
    fs::write(
        path.join("docs/b.md"),
        [PLACE.as_bytes(), b"caf\xe9"].concat(),
    )
    .unwrap();
    fs::write(
        path.join("portplan.yaml"),
        config("[docs/a.md, docs/b.md, docs/c.md]"),
    )
    .unwrap();
    let output = portplan(path, &["check", "a"]);
    assert_eq!(output.status, Some(2));
    insta::assert_snapshot!("unread", output.stdout);
    // nobody asks
    fs::write(
        path.join("portplan.yaml"),
        "version: 1\ndocuments: docs/c.md\n",
    )
    .unwrap();
    assert_eq!(portplan(path, &["check", "a"]).status, Some(0));
}

/// What the shell or an env file says is one machine's, and the README is all of theirs.
#[test]
fn a_variable_stands_for_its_number() {
    let compose = WEB.replace("8080", "${WEB_PORT:-8080}");
    let files = [
        ("compose.yaml", &*compose),
        ("README.md", PLACE),
        ("portplan.yaml", ON),
    ];
    let folder = folder(&files);
    let path = folder.path();
    remedy(path);
    fs::write(path.join(".env"), "WEB_PORT=9090\n").unwrap();
    assert_eq!(told(path, &[]), [""; 0]);
    fs::remove_file(path.join(".env")).unwrap();
    fs::write(path.join("compose.yaml"), compose.replace("8080", "9090")).unwrap();
    assert_eq!(told(path, &[]).len(), 1);
    fs::write(
        path.join("compose.yaml"),
        compose.replace("WEB_PORT", "PORT"),
    )
    .unwrap();
    assert_eq!(told(path, &[]), [""; 0]);
    fs::write(path.join(".env"), "PORT=9090\n").unwrap();
    assert_eq!(told(path, &[]).len(), 1);
}

/// Documents are those of the revision, too: a change may be one of the document alone.
#[test]
fn what_a_change_brings() {
    let files = [
        ("compose.yaml", WEB),
        ("README.md", PLACE),
        ("portplan.yaml", ON),
    ];
    let folder = folder(&files);
    let path = folder.path();
    remedy(path);
    let git = |args: &[&str]| {
        let mut git = Command::new("git");
        let git = git.current_dir(path).env("GIT_CONFIG_GLOBAL", "/dev/null");
        let git = git.args(["-c", "user.name=t", "-c", "user.email=t@example.org"]);
        assert!(git.args(args).output().unwrap().status.success());
    };
    git(&["init", "--quiet"]);
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message", "c"]);
    let since = ["--since", "HEAD"];
    let old = fs::read_to_string(path.join("README.md")).unwrap();
    fs::write(path.join("README.md"), old.replace("`8080`", "`8081`")).unwrap();
    assert_eq!(told(path, &since).len(), 1);
    git(&["commit", "--quiet", "--all", "--message", "c"]);
    assert_eq!(told(path, &[]).len(), 1);
    assert_eq!(told(path, &since), [""; 0]);
    fs::write(
        path.join("portplan.yaml"),
        format!("{ON}documents: \"*.md\"\n"),
    )
    .unwrap();
    assert_eq!(told(path, &since), [""; 0]);
}

#[test]
fn more_files_than_compose_finds() {
    let files = [
        ("one.yaml", WEB),
        (
            "two.yaml",
            &WEB.replace("web:", "api:").replace("8080", "8081"),
        ),
        ("README.md", PLACE),
        ("portplan.yaml", ON),
    ];
    let folder = folder(&files);
    let args = ["check", "-f", "one.yaml", "-f", "two.yaml"];
    let shown = portplan(folder.path(), &args).stdout;
    let command = "portplan list -f one.yaml -f two.yaml --format markdown --write README.md";
    assert!(shown.contains(command), "{shown}");
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    assert_eq!(portplan(folder.path(), &words).status, Some(0));
    assert!(
        portplan(folder.path(), &args)
            .stdout
            .contains("no collision")
    );
}
