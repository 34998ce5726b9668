//! Each rule's page is its test: the first example fires once, the second not at all.

use std::fs;

use portplan::rules::RULES;
use serde_json::Value;

use crate::common::run;

/// The examples of a page, marked `fires` or `silent`.
fn examples(page: &str) -> Vec<(bool, String)> {
    let blocks = page.split("```yaml\n").skip(1);
    let blocks = blocks.map(|block| block.split("```").next().unwrap().to_owned());
    let marked = blocks.map(|block| {
        let first = block.lines().next().unwrap();
        let fires = first.contains("# fires");
        assert!(fires || first.contains("# silent"), "{block}");
        (fires, block)
    });
    marked.collect()
}

fn rules_that_fire(example: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("compose.yaml"), example).unwrap();
    let args = ["check", "-p", "example", "--format", "json"].map(str::to_owned);
    let output = run(&args, folder.path(), &[]);
    let json: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(json["errors"], serde_json::json!([]), "{example}");
    assert_eq!(json["notices"], serde_json::json!([]), "{example}");
    let findings = json["findings"].as_array().unwrap().iter();
    findings
        .map(|finding| finding["rule"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_examples_of_the_pages_are_true() {
    for rule in &RULES {
        let page = rule.page();
        let examples = examples(&page);
        let marks: Vec<bool> = examples.iter().map(|(fires, _)| *fires).collect();
        assert_eq!(marks, [true, false], "{}", rule.name);
        assert_eq!(
            rules_that_fire(&examples[0].1),
            [rule.name],
            "{}",
            examples[0].1
        );
        assert_eq!(
            rules_that_fire(&examples[1].1),
            [""; 0],
            "{}",
            examples[1].1
        );
    }
}

#[test]
fn the_pages_have_one_form() {
    for rule in &RULES {
        let page = rule.page();
        let headings: Vec<&str> = page.lines().filter(|line| line.starts_with('#')).collect();
        let title = format!("# {}", rule.name);
        let expected = [
            &title,
            "## What it finds",
            "## Why",
            "## Example",
            "## Remedy",
            "## Sources",
        ];
        assert_eq!(headings, expected);
    }
    let names: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
    assert!(names.is_sorted(), "rules are sorted by name: {names:?}");
}

/// The pages in `docs/rules/` are generated from the rules.
#[test]
fn the_pages_are_checked_in() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules");
    for rule in &RULES {
        let path = folder.join(format!("{}.md", rule.name));
        if std::env::var_os("PORTPLAN_BLESS").is_some() {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&path, rule.page()).unwrap();
        }
        let stored = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            stored == rule.page(),
            "{} is stale: run with PORTPLAN_BLESS=1",
            path.display()
        );
    }
}
