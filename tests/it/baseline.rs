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

/// The services that a plan moves, in order, and how it ends.
fn moved(folder: &Path, args: &[&str]) -> (Option<i32>, String) {
    let plan = portplan(folder, &[&["plan"], args].concat());
    let rows = plan
        .stdout
        .lines()
        .skip(1)
        .take_while(|line| !line.is_empty());
    let rows: Vec<&str> = rows.filter_map(|row| row.split(' ').next()).collect();
    (plan.status, rows.join(" "))
}

/// Who is in whose way when the baseline is written, who comes then, and what is left to do.
#[test]
fn what_is_known_does_not_move() {
    let service = |(name, port): &(&str, &str)| {
        let scale = if name.starts_with('r') {
            ", scale: 2"
        } else {
            ""
        };
        format!("  {name}: {{image: i, ports: [\"{port}\"]{scale}}}\n")
    };
    let file = |services: &[(&str, &str)]| {
        let services: String = services.iter().map(service).collect();
        format!("name: p\nservices:\n{services}")
    };
    let (a, b, c) = (("a", "80:80"), ("b", "80:80"), ("c", "80:80"));
    for (before, after, expected) in [
        (&[a, b][..], &[a, b][..], ""),
        (&[a, b, c], &[a, b, c], ""),
        // what nobody told, for it was behind another
        (&[a, b, c], &[b, c], "c"),
        // the new one moves, and the old ones stay
        (&[a, b], &[a, b, c], "c"),
        (&[b, c], &[a, b, c], "a"),
        (&[a, b], &[a, b, ("c", "80-81:80-81")], "c"),
        // what collides elsewhere
        (&[a, b], &[a, b, ("c", "90:80"), ("d", "90:80")], "d"),
        // another way for the same
        (&[a, b], &[("a", "81:80"), ("b", "81:80")], "b"),
        (
            &[("a", "80-85:80-85"), ("b", "80-82:80-82")],
            &[("a", "80-85:80-85"), ("b", "80-82:80-82")],
            "",
        ),
        (&[("r", "80:80")], &[("r", "80:80")], ""),
        (&[("r", "80:80")], &[("r", "80:80"), ("s", "80:80")], "s"),
        (&[a, b], &[("a", "80:80"), b, ("r", "90:80")], "r"),
    ] {
        let folder = folder(&[("compose.yaml", &file(before))]);
        let path = folder.path();
        assert_eq!(
            check(path, &["--write-baseline", "base.json"]).status,
            Some(0)
        );
        fs::write(path.join("compose.yaml"), file(after)).unwrap();
        let status = Some(i32::from(!expected.is_empty()));
        let expected = (status, expected.to_owned());
        let known = ["--baseline", "base.json"];
        assert_eq!(moved(path, &known), expected, "{before:?} {after:?}");
        let told = check(path, &known).status;
        assert_eq!(told, status, "{before:?} {after:?}");
        // and it is done when it is written
        let fixed = portplan(path, &[&["fix"], &known[..]].concat());
        assert_eq!(fixed.status, Some(0), "{fixed:?}");
        assert_eq!(moved(path, &known), (Some(0), String::new()), "{fixed:?}");
        assert_eq!(check(path, &known).status, Some(0), "{before:?} {after:?}");
    }
}

/// What is known of one host port is not what another has of it now.
#[test]
fn what_holds_a_port_is_part_of_what_is_known() {
    let machine = crate::common::root().join("fixtures/machines/container-collision.json");
    let machine = fs::read_to_string(machine).unwrap();
    let web = "name: p\nservices:\n  web: {image: i, ports: [\"8080:80\"]}\n";
    let files = [
        ("compose.yaml", web),
        ("old.json", &machine),
        ("new.json", &machine.replace("\"other\"", "\"another\"")),
    ];
    let folder = folder(&files);
    let path = folder.path();
    let write = ["--against", "old.json", "--write-baseline", "base.json"];
    assert_eq!(check(path, &write).status, Some(0));
    let plan = portplan(
        path,
        &["plan", "--against", "old.json", "--baseline", "base.json"],
    );
    assert_eq!(plan.stderr, "note: what is known already stays as it is\n");
    for (against, expected) in [("old.json", ""), ("new.json", "web")] {
        let args = ["--baseline", "base.json", "--against", against];
        let status = Some(i32::from(!expected.is_empty()));
        assert_eq!(check(path, &args).status, status, "{against}");
        assert_eq!(
            moved(path, &args),
            (status, expected.to_owned()),
            "{against}"
        );
    }
    // on a second machine it is new
    let both = [
        "--baseline",
        "base.json",
        "--against",
        "old.json",
        "--against",
        "new.json",
    ];
    assert_eq!(moved(path, &both).1, "web");
}

/// A team need not repeat the flag, wherever somebody is.
#[test]
fn a_baseline_that_is_settled() {
    let config = "version: 1\nbaseline: ci/base.json\n";
    let files = [
        ("portplan.yaml", config),
        ("app/compose.yaml", FILE),
        ("app/deep/x", ""),
        ("ci/x", ""),
        ("other.json", "{\"version\": 1, \"findings\": []}"),
    ];
    let folder = folder(&files);
    let (path, app) = (folder.path(), folder.path().join("app"));
    let missing = check(path, &["app"]);
    assert_eq!(missing.status, Some(2));
    assert!(
        missing
            .stderr
            .contains("`check --write-baseline ci/base.json` makes it"),
        "{missing:?}"
    );
    let plan = portplan(path, &["plan", "app"]);
    assert_eq!((plan.status, &*plan.stdout), (Some(2), ""));
    // it is made where it is not yet
    let written = check(path, &["app", "--write-baseline", "ci/base.json"]);
    assert_eq!((written.status, &*written.stderr), (Some(0), ""));
    let text = fs::read_to_string(path.join("ci/base.json")).unwrap();
    assert!(text.contains("\"app/compose.yaml\""), "{text}");
    for (cwd, args) in [
        (path, &["app"][..]),
        (&app, &[]),
        (&app, &["."]),
        (&app.join("deep"), &[]),
    ] {
        assert_eq!(check(cwd, args).status, Some(0), "{args:?}");
        assert_eq!(moved(cwd, args), (Some(0), String::new()), "{args:?}");
        let new = check(cwd, &[args, &["--no-config"]].concat());
        assert_eq!(new.status, Some(1), "{args:?}");
    }
    // a flag goes over it
    assert_eq!(
        check(path, &["app", "--baseline", "other.json"]).status,
        Some(1)
    );
    assert_eq!(moved(path, &["app", "--baseline", "other.json"]).1, "b c");
    assert_eq!(moved(path, &["app", "--no-config"]).1, "b c");
    // what is gone is known by its file
    fs::write(app.join("compose.yaml"), FILE.replace(", scale: 2", "")).unwrap();
    let gone = check(&app, &[]);
    assert!(
        gone.stdout
            .contains("lists what is no longer found: replica-collision"),
        "{gone:?}"
    );
    let anew = check(&app, &["--write-baseline", "../ci/base.json"]);
    assert_eq!(anew.status, Some(0));
    let text = fs::read_to_string(path.join("ci/base.json")).unwrap();
    assert!(!text.contains("replica-collision"), "{text}");
}
