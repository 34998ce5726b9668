//! What users see: output and exit status of the program.

use std::fs;

use crate::common::{Output, folder, portplan, portplan_in, root, run, run_with_stdin};

/// Output as one text, for a snapshot.
fn shown(output: &Output) -> String {
    format!(
        "{}{}(exit status {})\n",
        output.stdout,
        output.stderr,
        output.status.unwrap()
    )
}

#[test]
fn a_project_that_collides() {
    insta::assert_snapshot!(shown(&portplan(&root(), &["check", "fixtures/shop"])));
}

#[test]
fn every_kind_of_origin() {
    let files = [
        (
            "compose.yaml",
            "name: origins
include: [sub/inc.yaml]
x-p: &p [\"8080:80\"]
x-s: &s
  ports: [\"8080:81\"]
services:
  literal: {image: i, ports: [\"8080:80\"]}
  default: {image: i, ports: [\"${D:-8080}:80\"]}
  env: {image: i, ports: [\"$E:80\"]}
  shell: {image: i, ports: [\"${S}:80\"]}
  mixed: {image: i, ports: [\"80${M}:80\"]}
  long: {image: i, ports: [{target: 80, published: 8080}]}
  alias: {image: i, ports: *p}
  merge: {<<: *s, image: i}
  extends: {extends: {service: literal}}
  other: {extends: {file: base.yaml, service: base}}
",
        ),
        (
            "base.yaml",
            "services:\n  base: {image: i, ports: [\"8080:82\"]}\n",
        ),
        (
            "sub/inc.yaml",
            "services:\n  included: {image: i, ports: [\"8080:83\"]}\n",
        ),
        (".env", "# ports\nE=8080\nM='80'\n"),
    ];
    let folder = folder(&files);
    let env = [("S", "8080")];
    insta::assert_snapshot!(
        "origins_list",
        shown(&portplan_in(folder.path(), &["list"], &env))
    );
    insta::assert_snapshot!(
        "origins",
        shown(&portplan_in(folder.path(), &["check"], &env))
    );
    let json = portplan_in(folder.path(), &["list", "--format", "json"], &env);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    crate::schemas::validate("list", &json);
    for port in json["projects"][0]["ports"].as_array().unwrap() {
        let origin = &port["origin"];
        let bytes = origin["bytes"].as_array().unwrap();
        let [start, end] = [&bytes[0], &bytes[1]].map(|byte| byte.as_u64().unwrap() as usize);
        let file = fs::read(folder.path().join(origin["file"].as_str().unwrap())).unwrap();
        let written = std::str::from_utf8(&file[start..end]).unwrap();
        let kind = origin["kind"].as_str().unwrap();
        match kind {
            "literal" | "default" | "env-file" => assert_eq!(written, "8080", "{port}"),
            // the number is in no file, or in several: the whole entry
            "shell" => assert_eq!(written, "\"${S}:80\"", "{port}"),
            "mixed" => assert_eq!(written, "\"80${M}:80\"", "{port}"),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn an_override_that_moves_a_port_to_another_address() {
    let folder = folder(&[
        (
            "compose.yaml",
            "services:\n  web: {image: w, ports: [\"8080:80\"]}\n",
        ),
        (
            "local.yaml",
            "services:\n  web: {ports: [\"127.0.0.1:8080:80\"]}\n",
        ),
    ]);
    let args = ["check", "-p", "p", "-f", "compose.yaml", "-f", "local.yaml"];
    insta::assert_snapshot!(shown(&portplan(folder.path(), &args)));
}

#[test]
fn ranges_and_order_of_starts() {
    let folder = folder(&[(
        "compose.yaml",
        "name: ranges
services:
  pool: {image: p, ports: [\"8000-8002:80\"], scale: 3}
  taken: {image: p, ports: [\"8001:80\"], profiles: [debug]}
  early: {image: p, ports: [\"9000-9005:80\"]}
  late: {image: p, ports: [\"9003:80\"]}
  block: {image: p, ports: [\"7000-7003:7000-7003\"]}
  inside: {image: p, ports: [\"7001-7002:1-2\"]}
",
    )]);
    insta::assert_snapshot!(shown(&portplan(folder.path(), &["check"])));
}

#[test]
fn what_the_engine_drops_or_refuses() {
    let folder = folder(&[(
        "compose.yaml",
        "name: odd
services:
  host: {image: i, network_mode: host, ports: [\"8080:80\", \"8081:81\"]}
  inner: {image: i, networks: [inner], ports: [\"8080:80\"]}
  side: {image: i, network_mode: \"service:web\", ports: [\"8080:80\", \"8081:81\"]}
  text: {image: i, ports: [{target: 80, published: abc}, {target: 80, published: \"127.0.0.1:80\"}]}
  odd: {image: i, ports: [{target: 70000, published: \"9000\"}, {target: 1, protocol: foo}]}
  web: {image: i}
  far: {image: i, networks: [far], ports: [\"8085:80\"]}
  near: {image: i, ports: [\"8085:80\"]}
networks:
  inner: {internal: true}
  far: {external: true}
",
    )]);
    insta::assert_snapshot!(shown(&portplan(folder.path(), &["check"])));
}

#[test]
fn what_cannot_be_read() {
    let folder = folder(&[
        (
            "a/compose.yaml",
            "services:\n  web:\n    image: w\n    ports:\n      - 80:80:80\n      - \"8080:80\"\n      -\t\"9000:80\"\n",
        ),
        (
            "b/compose.yaml",
            "services:\n  web: {image: w, ports: [\"localhost:80:80\", \"8080:80\", \"${X:?set X}:80\"]}\n  api: {image: w, ports: [\"8080:81\"]}\n",
        ),
        (
            "c/compose.yaml",
            "services:\n  web: {image: w, ports: 8080}\n  web: {image: w}\n",
        ),
        (
            "d/compose.yaml",
            "web:\n  image: w\n  ports: [\"8080:80\"]\n",
        ),
        (
            "e/compose.yaml",
            "services:\n  web: {extends: {file: none.yaml, service: x}, ports: [\"80\"]}\n",
        ),
        (
            "f/compose.yaml",
            "services:\n  web: {image: w, ports: [8080.5, 080, 80: 80]}\n",
        ),
        (
            "g/compose.yaml",
            "services:\n  web: {ports: [\"80\"], networks: [lan], port: [\"81\"]}\n",
        ),
        ("g/.env", "A B=1\n"),
        (
            "h/compose.yaml",
            "services: {web: {ports: [\"80\"], networks: [lan], imaeg: x}}\n",
        ),
        ("i/compose.yaml", ""),
    ]);
    insta::assert_snapshot!(shown(&portplan(folder.path(), &["check", "-v", "."])));
    let concise = portplan(folder.path(), &["check", ".", "--format", "concise"]);
    insta::assert_snapshot!("what_cannot_be_read_concise", shown(&concise));
    let json = portplan(folder.path(), &["check", ".", "--format", "json"]);
    crate::schemas::validate("findings", &serde_json::from_str(&json.stdout).unwrap());
    // one bad file stops nothing else
    assert!(
        json.stdout
            .contains("`web` and `api` both publish 8080/tcp")
    );
}

#[test]
fn exit_statuses() {
    let clean = "services: {web: {image: w, ports: [\"8080:80\"]}}";
    let clash = "services: {a: {image: w, ports: [\"80:80\"]}, b: {image: w, ports: [\"80:80\"]}}";
    let warned =
        "services: {a: {image: w, ports: [\"80-90:80\"]}, b: {image: w, ports: [\"85:80\"]}}";
    let folder = folder(&[
        ("clean/compose.yaml", clean),
        ("clash/compose.yaml", clash),
        ("warned/compose.yaml", warned),
        ("broken/compose.yaml", "services: ["),
        ("none/README", ""),
    ]);
    for (args, status) in [
        (&["check", "clean"][..], 0),
        (&["check", "clash"], 1),
        (&["check", "clash", "--fail-on", "never"], 0),
        (&["check", "warned"], 0),
        (&["check", "warned", "--fail-on", "warning"], 1),
        (&["check", "broken"], 2),
        // a partial view is never a pass, nor is it only a finding
        (&["check", "clash", "broken"], 2),
        (&["check", "none"], 3),
        (&["list", "none"], 3),
        (&["list", "clash"], 0),
        (&["list", "broken"], 2),
        (&["check", "clean/nothing.yaml"], 2),
        (&["check", "-f", "clean/compose.yaml", "clash"], 2),
        (&["check", "--no-such-flag"], 2),
        (
            &["check", "-f", "clean/compose.yaml", "--scale", "nobody=2"],
            2,
        ),
        (&["--help"], 0),
    ] {
        let output = portplan(folder.path(), args);
        assert_eq!(output.status, Some(status), "{args:?}: {output:?}");
    }
    // nothing here or above
    assert_eq!(
        portplan(&folder.path().join("none"), &["check"]).status,
        Some(3)
    );
}

#[test]
fn standard_input_is_a_file() {
    let args = ["list", "-f", "-", "--format", "json", "-p", "piped"].map(str::to_owned);
    let text = b"services: {web: {image: w, ports: [\"8080:80\"]}}";
    let output = run_with_stdin(&args, &std::env::temp_dir(), &[], text);
    let json: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(json["projects"][0]["ports"][0]["published"], "8080");
    assert_eq!(json["projects"][0]["ports"][0]["origin"]["file"], "-");
}

#[test]
fn a_closed_pipe_is_no_error() {
    let program = env!("CARGO_BIN_EXE_portplan");
    let command = format!(
        "{program} list fixtures/corpus --format json | head -c 1; exit ${{PIPESTATUS[0]}}"
    );
    let output = std::process::Command::new("bash")
        .args(["-c", &command])
        .current_dir(root())
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!stderr.contains("panicked"), "{stderr}");
    assert_eq!(output.stdout, b"{");
}

#[test]
fn no_colour_without_a_terminal() {
    let output = portplan(&root(), &["check", "fixtures/shop"]);
    assert!(!output.stdout.contains('\u{1b}'));
    let forced = portplan_in(
        &root(),
        &["check", "fixtures/shop"],
        &[("CLICOLOR_FORCE", "1")],
    );
    assert!(forced.stdout.contains('\u{1b}'));
    let env = [("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")];
    assert!(
        !portplan_in(&root(), &["check", "fixtures/shop"], &env)
            .stdout
            .contains('\u{1b}')
    );
}

/// The same bytes for any number of threads and any order of arguments.
#[test]
fn output_is_deterministic() {
    let mut paths: Vec<String> = fs::read_dir(root().join("fixtures/collisions"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .map(|path| {
            path.strip_prefix(root())
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    paths.sort();
    let check = |paths: &[String], threads: &str, format: &str| {
        let mut args = ["check", "--together", "--format", format]
            .map(str::to_owned)
            .to_vec();
        args.extend(paths.iter().cloned());
        run(
            &args,
            &root(),
            &[("RAYON_NUM_THREADS".to_owned(), threads.to_owned())],
        )
        .stdout
    };
    for format in ["json", "human", "concise"] {
        let first = check(&paths, "1", format);
        assert!(first.len() > 1000);
        let backwards: Vec<String> = paths.iter().rev().cloned().collect();
        assert!(first == check(&backwards, "4", format), "{format}");
        assert!(first == check(&paths, "3", format), "{format}");
    }
}

#[cfg(unix)]
/// The names of all subcommands but `help`, from the program itself.
fn subcommands() -> Vec<String> {
    let help = portplan(&root(), &["--help"]).stdout;
    let list = help.split_once("\nCommands:\n").unwrap().1;
    let list = list.split_once("\n\n").unwrap().0;
    let names = list.lines().filter(|line| !line.starts_with("    "));
    let names = names.filter_map(|line| line.split_whitespace().next());
    let names: Vec<String> = names
        .filter(|name| *name != "help")
        .map(String::from)
        .collect();
    assert!(names.len() > 10, "{names:?}");
    names
}

#[cfg(unix)]
#[test]
fn help_opens_with_examples_that_run() {
    let names = subcommands();
    let mut pages: Vec<Vec<&str>> = names.iter().map(|name| vec![&**name, "--help"]).collect();
    pages.extend([vec!["--help"], vec!["-h"], vec!["check", "-h"]]);
    let mut tried = 0;
    for page in pages {
        let help = portplan_in(&root(), &page, &[("COLUMNS", "80")]).stdout;
        let long = help.lines().find(|line| line.chars().count() > 80);
        assert_eq!(long, None, "{page:?}");
        let (head, rest) = help.split_once("\nExamples:\n").unwrap();
        assert!(!head.contains("Usage:") && !head.is_empty(), "{help}");
        let (examples, usage) = rest.split_once("\n\n").unwrap();
        assert!(usage.starts_with("Usage: portplan"), "{help}");
        for example in examples.lines() {
            let words = example.trim_start();
            let line = words.split_once("  ").map_or(words, |(line, _)| line);
            try_line(line);
            tried += 1;
        }
    }
    assert!(tried > names.len());
}

#[test]
fn a_manual_has_the_examples() {
    let folder = folder(&[]);
    assert_eq!(portplan(folder.path(), &["man", "."]).status, Some(0));
    let page = fs::read_to_string(folder.path().join("portplan-fix.1")).unwrap();
    assert!(page.contains("portplan fix \\-\\-live"), "{page}");
    assert!(page.contains("Exit status: 0 nothing is left"), "{page}");
}

#[cfg(unix)]
/// Types a line of a shell where there is all that it names.
fn try_line(line: &str) {
    let host = root().join("fixtures/machines/container-collision.json");
    let host = fs::read_to_string(host).unwrap();
    let folder = folder(&[
        (
            "compose.yaml",
            "services: {web: {image: i, ports: ['8080:80']}}",
        ),
        (
            "stacks/a/compose.yaml",
            "services: {web: {image: i, ports: ['8080:80']}}",
        ),
        ("host.json", &host),
        ("home/.config/fish/completions/x", ""),
    ]);
    let git = "git init -q -b main && git add . && git -c user.name=a -c user.email=a@b commit -qm a \
               && git update-ref refs/remotes/origin/main HEAD";
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_portplan"))
        .parent()
        .unwrap();
    let output = std::process::Command::new("bash")
        .args(["-c", &format!("{git} && {line}")])
        .current_dir(folder.path())
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", bin.display()))
        .env("HOME", folder.path().join("home"))
        .output()
        .unwrap();
    let told = [output.stdout, output.stderr].concat();
    let told = String::from_utf8_lossy(&told);
    // there may be no engine, and then the view is partial
    let engine = ["--live", "snapshot", "who"]
        .iter()
        .any(|word| line.contains(word));
    let good = match output.status.code() {
        Some(0 | 1) => true,
        Some(2) => engine && told.contains("engine"),
        _ => false,
    };
    assert!(
        good && !told.contains("--help"),
        "{line}: {:?} {told}",
        output.status
    );
}
