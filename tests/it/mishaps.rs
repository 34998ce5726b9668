//! Slips of the pen, broken files and hostile ones: nothing is lost, nothing hangs, nothing that was
//! not read passes for free.

use std::fs;

use crate::common::{folder, portplan};

const GOOD: &str =
    "services:\n  a: {image: i, ports: ['8080:80']}\n  b: {image: i, ports: ['8080:80']}\n";
const BROKEN: &str = "services:\n  a: {image: i, ports: ['8080:80']\n";

#[test]
fn a_file_that_is_something_else_is_not_written_over() {
    let latin = b"services: {} # caf\xe9\n";
    let folder = folder(&[("compose.yaml", GOOD), ("empty.json", "")]);
    fs::write(folder.path().join("latin.yaml"), latin).unwrap();
    for (args, word) in [
        (["check", "--write-baseline"], "baseline"),
        (["plan", "-o"], "plan"),
    ] {
        for file in ["compose.yaml", "latin.yaml"] {
            let output = portplan(folder.path(), &[&args[..], &[file]].concat());
            assert_eq!(output.status, Some(2), "{output:?}");
            let told = format!("error: `{file}` exists and is not a {word}: choose another name\n");
            assert!(output.stderr.ends_with(&told), "{output:?}");
        }
        // its own, twice, and a file that is empty
        let own = format!("{word}.json");
        for file in ["empty.json", &own, &own] {
            let output = portplan(folder.path(), &[&args[..], &[file]].concat());
            assert_ne!(output.status, Some(2), "{output:?}");
            fs::write(folder.path().join("empty.json"), "").unwrap();
        }
    }
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
    assert_eq!(read("compose.yaml"), GOOD.as_bytes());
    assert_eq!(read("latin.yaml"), latin);
}

#[cfg(unix)]
#[test]
fn a_plan_goes_to_standard_output() {
    let folder = folder(&[("compose.yaml", GOOD)]);
    let output = portplan(folder.path(), &["plan", "-o", "/dev/stdout"]);
    assert_eq!(output.status, Some(1), "{output:?}");
    assert!(
        output.stdout.starts_with("{\n  \"version\": 1"),
        "{output:?}"
    );
}

#[test]
fn what_was_not_read_is_not_free() {
    let folder = folder(&[("compose.yaml", BROKEN)]);
    for args in [
        &["who", "8080"][..],
        &["free", "--near", "8080"],
        &["list"],
        &["plan"],
        &["fix"],
    ] {
        let output = portplan(folder.path(), args);
        assert_eq!(output.status, Some(2), "{args:?}: {output:?}");
        let told =
            "compose.yaml:2:6: error[yaml]: `{` is never closed\n  help: add the closing `}`\n";
        assert!(output.stderr.contains(told), "{args:?}: {output:?}");
        assert!(!output.stdout.contains("is free"), "{output:?}");
        assert_ne!(output.stdout, "nothing has to move\n");
    }
}

#[test]
fn what_is_no_mapping_is_told_once() {
    for (text, message) in [
        (
            "hello\n",
            "error[yaml]: the document is a string, not a mapping",
        ),
        (
            "- a\n",
            "error[yaml]: the document is a list, not a mapping",
        ),
        ("# nothing\n", "error[file]: `compose.yaml` is empty"),
        (
            "services:\n  - web: {ports: ['80:80']}\n",
            "error[schema]: `services` is a list, not a mapping",
        ),
        (
            "services:\n  ports: ['80:80']\n",
            "error[schema]: service `ports` is a list, not a mapping",
        ),
    ] {
        let folder = folder(&[("compose.yaml", text)]);
        let output = portplan(folder.path(), &["check"]);
        assert_eq!(output.status, Some(2), "{output:?}");
        assert!(output.stdout.starts_with(message), "{output:?}");
        assert_eq!(output.stdout.matches("error[").count(), 1, "{output:?}");
    }
}
