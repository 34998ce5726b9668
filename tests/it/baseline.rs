//! What is known is not told again.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::common::{Output, folder, portplan};

const FILE: &str = "name: p
services:
  a: {image: i, ports: [\"80:80\"]}
  b: {image: i, ports: [\"80:80\"]}
  c: {image: i, ports: [\"90:80\"], scale: 2}
";

fn check(folder: &Path, args: &[&str]) -> Output {
    portplan(folder, &[&["check"], args].concat())
}

fn concise(folder: &Path, args: &[&str]) -> Vec<String> {
    let args = [args, &["--format", "concise", "--baseline", "base.json"]].concat();
    let output = check(folder, &args);
    output.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn only_what_is_new_is_told() {
    let folder = folder(&[("compose.yaml", FILE)]);
    let path = folder.path();
    let written = check(path, &["--write-baseline", "base.json"]);
    assert_eq!(written.status, Some(0));
    let text = fs::read_to_string(path.join("base.json")).unwrap();
    insta::assert_snapshot!("baseline", text);
    crate::schemas::validate("baseline", &serde_json::from_str(&text).unwrap());
    assert_eq!(check(path, &["--baseline", "base.json"]).status, Some(0));

    // lines move, in either direction, and others come between
    let moved = FILE
        .replace(
            "services:",
            "# new\n\nx-new: 1\nservices:\n  aa: {image: i}",
        )
        .replace("  b:", "\n  # new\n  b:")
        .replace("  c: {image: i, ", "  c:\n    scale: 2\n    image: i\n    ")
        .replace(", scale: 2}", "");
    let moved = moved.replace("ports: [\"90:80\"]", "ports:\n      - \"90:80\"");
    fs::write(path.join("compose.yaml"), &moved).unwrap();
    assert_eq!(concise(path, &[]), [""; 0], "{moved}");

    // a new collision, even one on the same port
    let more = moved.clone() + "  d: {image: i, ports: [\"127.0.0.1:80:80\"]}\n";
    fs::write(path.join("compose.yaml"), &more).unwrap();
    let output = check(path, &["--baseline", "base.json"]);
    assert_eq!(output.status, Some(1));
    insta::assert_snapshot!("new", output.stdout);
    let json = check(path, &["--baseline", "base.json", "--format", "json"]).stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    crate::schemas::validate("findings", &json);
    assert_eq!(json["findings"].as_array().unwrap().len(), 1);
    assert_eq!(json["suppressed"].as_array().unwrap().len(), 2);
    assert_eq!(json["suppressed"][0]["by"], "baseline");

    // and when it is known, it is known with the old ones
    let args = ["--baseline", "base.json", "--write-baseline", "base.json"];
    assert_eq!(check(path, &args).status, Some(0));
    assert_eq!(concise(path, &[]), [""; 0]);
}

#[test]
fn what_is_gone_is_mentioned() {
    let folder = folder(&[("compose.yaml", FILE), ("other/compose.yaml", FILE)]);
    let path = folder.path();
    let all = ["compose.yaml", "other"];
    let write = [&all[..], &["--write-baseline", "base.json"]].concat();
    assert_eq!(check(path, &write).status, Some(0));
    fs::write(path.join("compose.yaml"), FILE.replace(", scale: 2", "")).unwrap();
    let output = check(path, &["--baseline", "base.json"]);
    insta::assert_snapshot!("gone", output.stdout);
    assert_eq!(output.status, Some(0));
    // what was not looked at is not gone
    let output = check(path, &["other", "--baseline", "base.json"]);
    assert!(!output.stdout.contains("note"), "{}", output.stdout);
    // to write it anew drops what is gone, and what was not looked at
    let size = || {
        let text = fs::read_to_string(path.join("base.json")).unwrap();
        let json: Value = serde_json::from_str(&text).unwrap();
        json["findings"].as_array().unwrap().len()
    };
    assert_eq!(size(), 4);
    assert_eq!(check(path, &write).status, Some(0));
    assert_eq!(size(), 3);
}

/// Two that are the same in all but their number are told apart.
#[test]
fn equal_findings_are_numbered() {
    let twice = "services:\n  a: {image: i, ports: [\"80:80\", \"80:81\"]}\n";
    let folder = folder(&[("compose.yaml", twice)]);
    check(folder.path(), &["--write-baseline", "base.json"]);
    assert_eq!(concise(folder.path(), &[]), [""; 0]);
    let thrice = twice.replace("\"80:81\"", "\"80:81\", \"80:82\"");
    fs::write(folder.path().join("compose.yaml"), thrice).unwrap();
    assert_eq!(concise(folder.path(), &[]).len(), 1);
}

#[test]
fn what_is_no_baseline() {
    let files = [
        ("compose.yaml", FILE),
        ("broken.yaml", "services: ["),
        ("text.json", "no"),
        ("future.json", "{\"version\": 2, \"findings\": []}"),
        ("list.json", "[]"),
    ];
    let folder = folder(&files);
    let mut told = String::new();
    for args in [
        &["--baseline", "none.json"][..],
        &["--baseline", "text.json"],
        &["--baseline", "future.json"],
        &["--baseline", "list.json"],
        &["--write-baseline", "none/base.json"],
        &[
            "compose.yaml",
            "broken.yaml",
            "--write-baseline",
            "new.json",
        ],
    ] {
        let output = check(folder.path(), args);
        assert_eq!(output.status, Some(2), "{args:?}");
        // the findings are told all the same
        assert!(output.stdout.contains("both publish 80/tcp"), "{args:?}");
        told += &output.stderr;
    }
    assert!(!folder.path().join("new.json").exists());
    insta::assert_snapshot!(told);
}
