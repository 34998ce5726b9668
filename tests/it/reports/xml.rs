//! The XML formats: well formed, with the names as they are, and as the schema of JUnit says.

use std::process::Command;

use super::{NAMES, broken, nothing, odd, reports, worlds};
use crate::common::{root, say};

/// `xmllint`, if there is one; there must be where `PORTPLAN_XMLLINT` names it.
fn xmllint() -> Option<String> {
    let named = std::env::var("PORTPLAN_XMLLINT").ok();
    let program = named.clone().unwrap_or_else(|| "xmllint".to_owned());
    let run = Command::new(&program).arg("--version").output();
    let works = run.is_ok_and(|output| output.status.success());
    assert!(works || named.is_none(), "{program} does not run");
    works.then_some(program)
}

#[test]
fn junit_is_as_its_schema_says() {
    let Some(program) = xmllint() else {
        say("skipped: JUnit against its schema, for there is no xmllint");
        return;
    };
    let schema = root().join("fixtures/schemas/junit-10.xsd");
    for (world, folder, status) in worlds() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &reports(folder.path(), status)["junit"]).unwrap();
        let output = Command::new(&program)
            .args(["--noout", "--schema"])
            .args([&schema, file.path()])
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{world}: {errors}");
    }
}

#[test]
fn checkstyle_is_read_as_it_was_meant() {
    for (_, folder, status) in worlds() {
        let report = &reports(folder.path(), status)["checkstyle"];
        let document = roxmltree::Document::parse(report).unwrap();
        let root = document.root_element();
        assert_eq!(root.tag_name().name(), "checkstyle");
        assert_eq!(root.attribute("version"), Some("4.3"));
        for file in root.children().filter(roxmltree::Node::is_element) {
            assert_eq!(file.tag_name().name(), "file");
            assert!(folder.path().join(file.attribute("name").unwrap()).exists());
            for error in file.children().filter(roxmltree::Node::is_element) {
                assert_eq!(error.tag_name().name(), "error");
                for number in ["line", "column"] {
                    assert!(error.attribute(number).unwrap().parse::<u32>().unwrap() > 0);
                }
                let severity = error.attribute("severity").unwrap();
                assert!(["error", "warning", "info"].contains(&severity));
                assert!(error.attribute("source").unwrap().starts_with("portplan."));
                assert!(!error.attribute("message").unwrap().is_empty());
            }
        }
    }
}

#[test]
fn names_are_read_back() {
    let folder = odd();
    let reports = reports(folder.path(), 1);
    for (format, element, attribute) in [
        ("checkstyle", "file", "name"),
        ("junit", "testcase", "classname"),
    ] {
        let document = roxmltree::Document::parse(&reports[format]).unwrap();
        let elements = document.descendants().filter(|it| it.has_tag_name(element));
        let mut found: Vec<&str> = elements
            .map(|it| it.attribute(attribute).unwrap())
            .collect();
        found.sort_unstable();
        let mut names = NAMES;
        names.sort_unstable();
        assert_eq!(found, names, "{format}");
    }
}

/// The numbers of a JUnit suite are those of its tests.
#[test]
fn junit_counts() {
    for (folder, status, expected) in [
        (odd(), 1, ["6", "6", "0", "0"]),
        (nothing(), 0, ["1", "0", "0", "0"]),
        (broken(), 2, ["4", "1", "3", "0"]),
    ] {
        let report = &reports(folder.path(), status)["junit"];
        let document = roxmltree::Document::parse(report).unwrap();
        let suite = document
            .descendants()
            .find(|it| it.has_tag_name("testsuite"));
        let suite = suite.unwrap();
        let count = |name| suite.attribute(name).unwrap();
        assert_eq!(
            ["tests", "failures", "errors", "skipped"].map(count),
            expected,
            "{report}"
        );
        let tests = suite.children().filter(|it| it.has_tag_name("testcase"));
        assert_eq!(tests.count().to_string(), count("tests"));
    }
}
