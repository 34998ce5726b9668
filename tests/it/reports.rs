//! The forms of `check`: true to their schemas, and to the places they name.

mod places;
mod readers;
mod xml;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::common::{folder, portplan, portplan_in, root};

/// Every form that a program reads.
const FORMATS: [&str; 6] = ["sarif", "github", "gitlab", "junit", "checkstyle", "rdjson"];

/// A clash on one line, behind text of many bytes.
const CLASH: &str = "services: {ü🐳: {image: '🐳', ports: [\"8080:80\"]}, \
                     b: {image: b, ports: [\"127.0.0.1:8080:80\"]}}\n";

/// File names that some format writes in its own way.
const NAMES: [&str; 6] = [
    "a b/compose.yaml",
    "it's \"q\"/compose.yaml",
    "100%20/compose.yaml",
    "c#,:=;?/compose.yaml",
    "<&|`>/compose.yaml",
    "ü🐳/compose.yaml",
];

fn odd() -> tempfile::TempDir {
    folder(&NAMES.map(|name| (name, CLASH)))
}

/// A file with a byte order mark, one in UTF-16, one with line ends of two bytes.
fn encoded() -> tempfile::TempDir {
    let folder = folder(&[
        ("bom/compose.yaml", &format!("\u{feff}{CLASH}")),
        ("crlf/compose.yaml", &CLASH.replace(", b:", ",\r\n b:")),
    ]);
    let wide: Vec<u8> = format!("\u{feff}{CLASH}")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    fs::create_dir(folder.path().join("wide")).unwrap();
    fs::write(folder.path().join("wide/compose.yaml"), wide).unwrap();
    folder
}

fn nothing() -> tempfile::TempDir {
    folder(&[(
        "compose.yaml",
        "services: {web: {image: w, ports: [\"8080:80\"]}}\n",
    )])
}

fn broken() -> tempfile::TempDir {
    let folder = folder(&[
        ("a/compose.yaml", "services: [\n"),
        ("b/compose.yaml", CLASH),
        ("b/.env", "A B=1\n"),
        ("d/compose.yaml", CLASH),
    ]);
    // no text at all
    fs::create_dir(folder.path().join("c")).unwrap();
    fs::write(folder.path().join("c/compose.yaml"), b"a: \xff\n").unwrap();
    folder
}

fn worlds() -> [(&'static str, tempfile::TempDir, i32); 4] {
    [
        ("odd names", odd(), 1),
        ("encodings", encoded(), 1),
        ("nothing", nothing(), 0),
        ("broken", broken(), 2),
    ]
}

/// All formats of one run, written to files.
fn reports(folder: &Path, status: i32) -> BTreeMap<&'static str, String> {
    let out = tempfile::tempdir().unwrap();
    let file = |format: &str| out.path().join(format);
    let outputs = FORMATS.map(|format| format!("{format}={}", file(format).display()));
    let mut args = vec!["check", "."];
    args.extend(outputs.iter().flat_map(|output| ["--output", output]));
    let output = portplan(folder, &args);
    assert_eq!(output.status, Some(status), "{output:?}");
    let read = |format| (format, fs::read_to_string(file(format)).unwrap());
    FORMATS.map(read).into()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn schema(name: &str) -> jsonschema::Validator {
    let text = fs::read_to_string(root().join("fixtures/schemas").join(name)).unwrap();
    jsonschema::validator_for(&json(&text)).unwrap()
}

#[test]
fn json_formats_are_as_their_schemas_say() {
    for (format, name) in [
        ("sarif", "sarif-2.1.0.json"),
        ("gitlab", "gitlab.json"),
        ("rdjson", "rdjson.json"),
    ] {
        let schema = schema(name);
        for (world, folder, status) in worlds() {
            let report = json(&reports(folder.path(), status)[format]);
            let errors: Vec<_> = schema.iter_errors(&report).map(|e| e.to_string()).collect();
            assert!(
                errors.is_empty(),
                "{format}, {world}: {errors:#?}\n{report:#}"
            );
        }
    }
}

#[test]
fn a_wrong_report_is_told() {
    for (name, report) in [
        ("sarif-2.1.0.json", r#"{"version": "2.1.0", "runs": [{}]}"#),
        ("gitlab.json", r#"[{"description": "d"}]"#),
        (
            "rdjson.json",
            r#"{"source": {"name": "p"}, "diagnostics": [{}]}"#,
        ),
    ] {
        assert!(!schema(name).is_valid(&json(report)), "{name}");
    }
}

/// `--output` writes whole files, and never over what is not its own.
#[test]
fn where_reports_go() {
    let files = [
        ("compose.yaml", CLASH),
        ("old.md", "old\n"),
        ("summary.md", "# mine\n"),
        ("folder/x", ""),
    ];
    let folder = folder(&files);
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let run = |args: &[&str]| {
        let summary = folder.path().join("summary.md");
        let env = [("GITHUB_STEP_SUMMARY", summary.to_str().unwrap())];
        let args = [&["check", "-f", "compose.yaml", "-p", "p"], args].concat();
        portplan_in(folder.path(), &args, &env)
    };
    let table = run(&["--format", "markdown"]).stdout;
    assert!(table.starts_with("| |"), "{table}");
    // a report on standard output is the only one there
    assert_eq!(run(&["--output", "markdown=-"]).stdout, table);
    let both = run(&["--format", "github", "--output", "markdown=-"]).stdout;
    assert!(both.starts_with("::error") && both.ends_with(&table));
    // old text is replaced, that of others in a step's summary is kept
    assert!(run(&["--output", "markdown=old.md"]).stdout.contains("╭─["));
    assert_eq!(read("old.md"), table);
    run(&[
        "--output",
        "markdown=summary.md",
        "--output",
        "markdown=new.md",
    ]);
    assert_eq!(read("summary.md"), format!("# mine\n{table}"));
    assert_eq!(read("new.md"), table);
    // what cannot be written is told, and the rest is written
    for (bad, word) in [
        ("none/x.sarif", "there is no such folder"),
        ("folder", "it is a folder"),
        ("compose.yaml", "it is one of the files that were checked"),
    ] {
        fs::remove_file(folder.path().join("new.md")).unwrap();
        let bad = format!("sarif={bad}");
        let output = run(&["--output", &bad, "--output", "markdown=new.md"]);
        assert_eq!(output.status, Some(2));
        assert!(output.stderr.contains(word), "{}", output.stderr);
        assert_eq!(read("new.md"), table);
    }
    assert_eq!(read("compose.yaml"), CLASH);
    for bad in ["sarif", "sarif=", "=x", "yaml=x"] {
        assert_eq!(run(&["--output", bad]).status, Some(2), "{bad}");
    }
    let left = fs::read_dir(folder.path()).unwrap();
    assert_eq!(left.count(), 5, "no temporary file is left");
}

#[cfg(unix)]
#[test]
fn a_report_is_as_public_as_other_files() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let folder = nothing();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("old"), "").unwrap();
    fs::set_permissions(path("old"), fs::Permissions::from_mode(0o640)).unwrap();
    symlink("old", path("link")).unwrap();
    let args = ["check", "--output", "json=new", "--output", "json=link"];
    assert_eq!(portplan(folder.path(), &args).status, Some(0));
    let mode = |name| fs::metadata(path(name)).unwrap().permissions().mode() & 0o777;
    fs::write(path("plain"), "").unwrap();
    assert_eq!(mode("new"), mode("plain"));
    assert_eq!(mode("old"), 0o640);
    assert!(fs::symlink_metadata(path("link")).unwrap().is_symlink());
    assert!(
        fs::read_to_string(path("old"))
            .unwrap()
            .contains("findings")
    );
    // a pipe, or a terminal, is no file to replace
    let output = portplan(
        folder.path(),
        &["check", "--output", "markdown=/dev/stderr"],
    );
    assert!(output.stderr.contains("no collision"), "{output:?}");
}

#[test]
fn too_many_warnings_fail() {
    let folder = folder(&[(
        "compose.yaml",
        "services: {a: {image: w, ports: [\"80-90:80\"]}, b: {image: w, ports: [\"85:80\"]}}",
    )]);
    for (args, status) in [
        (&["--max-warnings", "1"][..], 0),
        (&["--max-warnings", "0"], 1),
        (&["--max-warnings", "0", "--fail-on", "never"], 1),
        (&["--max-warnings", "-1"], 2),
    ] {
        let args = [&["check"], args].concat();
        assert_eq!(
            portplan(folder.path(), &args).status,
            Some(status),
            "{args:?}"
        );
    }
}

/// What cannot be read is told by each format, and none says that all is well.
#[test]
fn a_partial_view_is_told() {
    let folder = broken();
    let reports = reports(folder.path(), 2);
    let run = &json(&reports["sarif"])["runs"][0];
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);
    for (format, report) in &reports {
        for file in ["a/compose.yaml", "b/.env", "c/compose.yaml"] {
            assert!(
                report.contains(file),
                "{format} does not tell of {file}: {report}"
            );
        }
    }
}

#[test]
fn fingerprints_are_unique_in_a_report() {
    let folder = odd();
    let report = json(&reports(folder.path(), 1)["gitlab"]);
    let issues = report.as_array().unwrap();
    let mut seen: Vec<&str> = issues
        .iter()
        .map(|issue| issue["fingerprint"].as_str().unwrap())
        .collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), issues.len());
}

#[test]
fn what_they_look_like() {
    for format in FORMATS.into_iter().chain(["markdown"]) {
        let args = ["check", "fixtures/shop", "--format", format];
        let output = portplan(&root(), &args);
        assert_eq!(output.status, Some(1));
        // the pages of the rules are tested where they are
        let text = match format {
            "sarif" => {
                let mut log = json(&output.stdout);
                log["runs"][0]["tool"]["driver"]["rules"] = "…".into();
                log["runs"][0]["tool"]["driver"]["semanticVersion"] = "…".into();
                for result in log["runs"][0]["results"].as_array_mut().unwrap() {
                    result["ruleIndex"] = "…".into();
                }
                format!("{log:#}")
            }
            _ => output.stdout,
        };
        insta::assert_snapshot!(format!("shop_{format}"), text);
    }
}

#[test]
fn sarif_names_each_rule_with_its_page() {
    let output = portplan(&root(), &["check", "fixtures/shop", "--format", "sarif"]);
    let run = &json(&output.stdout)["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), portplan::rules::RULES.len());
    for rule in rules {
        for text in ["shortDescription", "fullDescription"] {
            assert!(!rule[text]["text"].as_str().unwrap().is_empty(), "{rule:#}");
        }
        for form in ["text", "markdown"] {
            assert!(!rule["help"][form].as_str().unwrap().is_empty(), "{rule:#}");
        }
    }
    for result in run["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
    }
}
