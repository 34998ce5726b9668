//! Each rule's page is its test: the first example fires once, the second not at all.

use std::fs;

use std::path::Path;

use portplan::compose::environment::Environment;
use portplan::compose::project::{Project, Request};
use portplan::rules::{RULES, check};
use portplan::source::Memory;
use portplan::world::World;

use crate::schemas;

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

/// The rules that fire on an example, on the machine of `fixtures/machines` that the rule has.
fn rules_that_fire(rule: &str, example: &str) -> Vec<&'static str> {
    let files = Memory([("/example/compose.yaml".into(), example.into())].into());
    let request = Request::default();
    let shell = Environment::default();
    let project = Project::load(&request, &shell, "/example".into(), &files, None);
    assert_eq!(project.problems, [], "{example}");
    let machines = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/machines");
    let machine = fs::read_to_string(machines.join(format!("{rule}.json"))).ok();
    let machine = machine.map(|text| {
        schemas::validate("snapshot", &serde_json::from_str(&text).unwrap());
        serde_json::from_str(&text).unwrap()
    });
    let world = World {
        projects: vec![project],
        machines: machine.into_iter().collect(),
        live: true,
        stack: (rule == "stack-collision").then(|| "example".to_owned()),
        ..World::default()
    };
    check(&world).iter().map(|finding| finding.rule).collect()
}

#[test]
fn the_examples_of_the_pages_are_true() {
    for rule in &RULES {
        let page = rule.page();
        let examples = examples(&page);
        let marks: Vec<bool> = examples.iter().map(|(fires, _)| *fires).collect();
        assert_eq!(marks, [true, false], "{}", rule.name);
        assert_eq!(
            rules_that_fire(rule.name, &examples[0].1),
            [rule.name],
            "{}",
            examples[0].1
        );
        assert_eq!(
            rules_that_fire(rule.name, &examples[1].1),
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

/// The README's table names each rule with its severity.
#[test]
fn the_readme_names_every_rule() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(readme).unwrap();
    for rule in &RULES {
        let severity = format!("{:?}", rule.severity).to_lowercase();
        let row = format!("| [{0}](docs/rules/{0}.md) | {severity} |", rule.name);
        assert!(readme.contains(&row), "{row}");
    }
}
