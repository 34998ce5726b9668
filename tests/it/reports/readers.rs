//! What programs of others read in our reports. `PORTPLAN_TEST_READERS` is a virtual environment with
//! those that `.ci/tools.txt` names.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::{json, reports, worlds};
use crate::common::say;

fn readers() -> Option<PathBuf> {
    let folder = std::env::var_os("PORTPLAN_TEST_READERS").map(PathBuf::from);
    if folder.is_none() {
        say("skipped: other programs read our reports, for there are none (PORTPLAN_TEST_READERS)");
    }
    folder.map(|folder| folder.join("bin"))
}

fn run(program: &Path, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Rule, file, line and severity of each issue of a Code Quality report.
fn issues(report: &Value) -> Vec<(String, String, u64, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let issues = report.as_array().unwrap().iter();
    let issues = issues.map(|issue| {
        assert_eq!(issue["type"], "issue");
        let place = &issue["location"];
        (
            text(&issue["check_name"]),
            text(&place["path"]),
            place["lines"]["begin"].as_u64().unwrap(),
            text(&issue["severity"]),
        )
    });
    let mut issues: Vec<_> = issues.collect();
    issues.sort();
    issues
}

/// `%20` is a blank.
fn decoded(uri: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = uri.as_bytes();
    while let [first, more @ ..] = rest {
        if *first == b'%' {
            let digits = std::str::from_utf8(&more[..2]).unwrap();
            bytes.push(u8::from_str_radix(digits, 16).unwrap());
            rest = &more[2..];
        } else {
            bytes.push(*first);
            rest = more;
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// What sarif-tools makes of our SARIF for GitLab is what we make for GitLab.
#[test]
fn sarif_becomes_the_report_of_gitlab() {
    let Some(readers) = readers() else { return };
    let mut all = 0;
    for (world, folder, status) in worlds() {
        let reports = reports(folder.path(), status);
        let out = tempfile::tempdir().unwrap();
        let file = |name: &str| out.path().join(name).to_str().unwrap().to_owned();
        fs::write(file("own.sarif"), &reports["sarif"]).unwrap();
        let args = [
            "codeclimate",
            &file("own.sarif"),
            "-o",
            &file("theirs.json"),
        ];
        run(&readers.join("sarif"), &args);
        let mut theirs = issues(&json(&fs::read_to_string(file("theirs.json")).unwrap()));
        for issue in &mut theirs {
            issue.1 = decoded(&issue.1);
        }
        theirs.sort();
        let mut own = issues(&json(&reports["gitlab"]));
        // what could not be read is no result in SARIF
        own.retain(|issue| issue.3 != "critical");
        assert_eq!(theirs, own, "{world}");
        all += own.len();
    }
    assert!(all >= 9, "{all}");
}

/// junitparser counts what the suite says, and reads the names as they are.
#[test]
fn junit_is_read() {
    let Some(readers) = readers() else { return };
    let script = "import json, sys; from junitparser import JUnitXml\n\
                  for suite in JUnitXml.fromfile(sys.argv[1]):\n    \
                  said = [suite.tests, suite.failures, suite.errors, suite.skipped]\n    \
                  suite.update_statistics()\n    \
                  found = [suite.tests, suite.failures, suite.errors, suite.skipped]\n    \
                  print(json.dumps([said, found, [case.classname for case in suite]]))";
    for (world, folder, status) in worlds() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), &reports(folder.path(), status)["junit"]).unwrap();
        let path = file.path().to_str().unwrap();
        let read = json(&run(&readers.join("python3"), &["-c", script, path]));
        assert_eq!(read[0], read[1], "{world}");
        assert!(read[0][0].as_u64().unwrap() > 0, "{world}");
        for name in read[2].as_array().unwrap() {
            assert!(
                folder.path().join(name.as_str().unwrap()).exists(),
                "{name}"
            );
        }
    }
}
