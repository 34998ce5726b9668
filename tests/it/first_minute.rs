//! `portplan` alone, wherever somebody types it first, and commands that find nothing to do.

use crate::common::{folder, portplan, run_with_stdin};

const GOOD: &str = "services: {web: {image: i, ports: ['8080:80']}}\n";
const BAD: &str = "services: {web: {image: i, ports: ['8080:80', '8080:81']}}\n";

#[test]
fn portplan_alone_does_the_useful_thing() {
    let tree = folder(&[
        ("one/compose.yaml", GOOD),
        ("one/src/x", ""),
        ("bad/compose.yaml", BAD),
        ("many/a/compose.yaml", GOOD),
        ("many/b/docker-compose.yml", BAD),
        ("many/node_modules/c/compose.yaml", "services: ["),
        ("fine/a/compose.yaml", GOOD),
        ("broken/compose.yaml", "services: ["),
        ("empty/x", ""),
    ]);
    for (place, status, closing, next) in [
        (
            "one",
            0,
            "1 project, 1 published port: no collision.",
            "check --live",
        ),
        (
            "one/src",
            0,
            "1 project, 1 published port: no collision.",
            "check --live",
        ),
        ("bad", 1, "1 project, 2 published ports: 1 error.", "plan  "),
        (
            "many",
            1,
            "2 projects, 3 published ports: 1 error.",
            "plan . ",
        ),
        (
            "fine",
            0,
            "1 project, 1 published port: no collision.",
            "check . --together",
        ),
        (
            "broken",
            2,
            "1 project, 0 published ports: 1 problem. What is named above could not be read, so this \
             is not the whole picture.",
            " once more",
        ),
        ("empty", 3, "", "check FOLDER"),
    ] {
        let output = portplan(&tree.path().join(place), &[]);
        assert_eq!(output.status, Some(status), "{place}: {output:?}");
        assert_eq!(
            output.stdout.lines().next_back().unwrap_or(""),
            closing,
            "{place}"
        );
        let first = format!("\nnext:\n  portplan {next}");
        assert!(output.stderr.contains(&first), "{place}: {output:?}");
        let below = "note: there is no compose file here: the projects below were checked\n";
        let is_below = ["many", "fine"].contains(&place);
        assert_eq!(output.stderr.starts_with(below), is_below, "{output:?}");
    }
    let empty = portplan(&tree.path().join("empty"), &[]);
    let told = "there is no compose file here, above or below\n";
    assert!(empty.stderr.starts_with(told), "{empty:?}");
}

#[test]
fn no_command_finds_nothing_in_silence() {
    let tree = folder(&[("empty/x", "")]);
    for command in ["check", "plan", "fix", "list"] {
        let output = portplan(tree.path(), &[command, "empty"]);
        assert_eq!(output.status, Some(3), "{output:?}");
        let told = "error: no compose file in `empty` or below it\n";
        assert!(output.stderr.starts_with(told), "{output:?}");
        assert!(!output.stdout.contains("no collision"), "{output:?}");
        let here = portplan(tree.path(), &[command]);
        assert_eq!(here.status, Some(3), "{here:?}");
        let told = "error[file]: no compose file in `.` or above it\n";
        assert!(
            here.stdout.contains(told) || here.stderr.contains(told),
            "{here:?}"
        );
    }
}

#[test]
fn what_fix_leaves_has_its_reason() {
    let tree = folder(&[("compose.yaml", BAD)]);
    let args = ["fix", "-f", "-"].map(String::from);
    let output = run_with_stdin(&args, tree.path(), &[], BAD.as_bytes());
    assert_eq!(output.status, Some(1), "{output:?}");
    let told = "`web` (8080) stays: standard input cannot be changed\n";
    assert!(output.stderr.ends_with(told), "{output:?}");
    // the end of the input is a no, on a line of its own
    let output = portplan(tree.path(), &["fix", "-i"]);
    assert_eq!(output.status, Some(1), "{output:?}");
    assert!(
        output.stderr.contains("[q]uit: \nunresolved: "),
        "{output:?}"
    );
}
