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
    let dash = portplan(folder.path(), &["plan", "-o", "-"]);
    assert!(output.stdout.starts_with(&dash.stdout), "{dash:?}");
    assert!(!folder.path().join("-").exists());
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

#[cfg(target_os = "linux")]
#[test]
fn output_that_is_cut_is_no_success() {
    let folder = folder(&[("compose.yaml", GOOD)]);
    for args in [&["list"][..], &["schema", "findings"], &[]] {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let mut command = crate::common::command(&args, folder.path(), &[]);
        let output = command.stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let told = "error: cannot write to standard output: the disk is full\n";
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.starts_with(told), "{stderr}");
    }
}

#[cfg(unix)]
#[test]
fn a_search_waits_for_no_pipe() {
    let folder = folder(&[("a/compose.yaml", GOOD), ("b/x", "")]);
    let pipe = folder.path().join("b/compose.yaml");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    std::os::unix::fs::symlink(&pipe, folder.path().join("b/compose.yml")).unwrap();
    let output = portplan(folder.path(), &["check", "."]);
    assert_eq!(output.status, Some(1), "{output:?}");
    assert!(
        output
            .stdout
            .contains("1 project, 2 published ports: 1 error."),
        "{output:?}"
    );
}

#[test]
fn files_command_no_terminal() {
    let name = "services:\n  \"a\\n::error::b\\e[31m\":\n    image: i # \u{202e}\n    ports: ['80:80', '80:81']\n";
    let folder = folder(&[("compose.yaml", name), (".env", "A=1\n\u{1b}[31mB=2\n")]);
    for args in [
        &["check", "-v"][..],
        &["check", "--format", "concise"],
        &["list"],
        &["plan"],
    ] {
        let output = portplan(folder.path(), args);
        for text in [&output.stdout, &output.stderr] {
            assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
            assert!(!text.lines().any(|line| line.starts_with("::")), "{text}");
        }
    }
    let output = portplan(folder.path(), &["check"]);
    assert!(output.stdout.contains(" 2 │ ?[31mB=2\n"), "{output:?}");
    fs::write(folder.path().join(".env"), "").unwrap();
    let output = portplan(folder.path(), &["check"]);
    let head = "error[host-port-collision]: `a\\n::error::b\\u{1b}[31m` publishes 80/tcp twice\n";
    assert!(output.stdout.starts_with(head), "{output:?}");
}

#[test]
fn lines_have_their_numbers_and_an_end() {
    let crlf = "services:\r\n  a: {image: i,\r\n  ports: [x]\r\n";
    let long = format!(
        "services: {{a: {{x-a: {}, ports: [x], x-b: {}}}}}\n",
        "é".repeat(999),
        "b".repeat(999)
    );
    for (text, line) in [
        (crlf, " 2 │   a: {image: i,\n"),
        (
            &long,
            &format!(
                " 1 │ {}, ports: [x], x-b: {}\n",
                "é".repeat(45),
                "b".repeat(92)
            ),
        ),
    ] {
        let folder = folder(&[("compose.yaml", text)]);
        let output = portplan(folder.path(), &["check"]);
        assert_eq!(output.status, Some(2), "{output:?}");
        assert!(output.stdout.contains(line), "{}", output.stdout);
    }
}

/// What is deeper than any stack is refused, whichever thread reads it; what is only deep is read.
#[test]
fn no_depth_overflows_the_stack() {
    let nested = |rounds: usize, deep: usize| {
        let (open, close) = ("[".repeat(deep), "]".repeat(deep));
        let rounds = (1..=rounds).map(|i| format!("x-{i}: &a{i} {open}*a{}{close}\n", i - 1));
        let rounds: String = rounds.collect();
        format!("x-0: &a0 1\n{rounds}{GOOD}")
    };
    let chain = |links: usize| {
        let links = (0..links).map(|i| format!("  s{i}: {{extends: s{}}}\n", i + 1));
        let links: Vec<String> = links.collect();
        let last = format!("  s{}: {{image: i}}\n", links.len());
        format!("{GOOD}{}{last}", links.concat())
    };
    for (text, message) in [
        (nested(2, 200), None),
        (
            nested(900, 200),
            Some("error[yaml]: aliases nest this more than 500 deep"),
        ),
        (chain(90), None),
        (
            chain(10_000),
            Some("error[extends]: services extend services more than 100 deep"),
        ),
    ] {
        let folder = folder(&[("a/compose.yaml", &text), ("b/compose.yaml", &text)]);
        for args in [
            &["check", "a"][..],
            &["check", "."],
            &["fix", "--diff", "."],
        ] {
            let output = portplan(folder.path(), args);
            let status = if message.is_some() { 2 } else { 1 };
            assert_eq!(
                output.status,
                Some(status),
                "{args:?} {message:?}: {}",
                output.stderr
            );
            let told = output.stdout + &output.stderr;
            assert!(
                message.is_none_or(|message| told.contains(&message["error".len()..])),
                "{told}"
            );
        }
    }
}
