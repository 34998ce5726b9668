//! The rules on the public projects of the corpus: how often each finds something at its default
//! level, and every error, each with a word on why it is right, in `docs/measured.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use portplan::rules::{RULES, Rule};
use rayon::prelude::*;
use serde_json::Value;

use crate::common::{folder, run, say};
use crate::conformance::{Case, cases};

/// The findings on a case, with its own arguments and environment, and these settings.
fn findings(folder: &Path, settings: &Path) -> Vec<(String, String, String)> {
    let case = Case::open_in("real", folder, true);
    let mut args: Vec<String> = case
        .source
        .args
        .iter()
        .map(|arg| case.at_home(arg))
        .collect();
    args.extend(["check", "--format", "json", "--config"].map(str::to_owned));
    args.push(settings.to_str().unwrap().to_owned());
    let output = run(&args, &case.cwd(), &case.env());
    let report: Value =
        serde_json::from_str(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    let findings = report["findings"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let found = findings.iter().map(|it| {
        (
            text(&it["rule"]),
            text(&it["severity"]),
            text(&it["message"]),
        )
    });
    found.collect()
}

#[test]
fn what_the_rules_find_on_public_projects() {
    let Some(corpus) = std::env::var_os("PORTPLAN_CORPUS") else {
        return say("skipped: the rules on public projects (PORTPLAN_CORPUS)");
    };
    let folders = cases(&Path::new(&corpus).join("real"));
    // what is off by default is counted as if it were on
    let off = RULES.iter().filter(|rule| rule.opt_in);
    let levels: String = off
        .map(|rule| format!("  {}: notice\n", rule.name))
        .collect();
    let settings = folder(&[("portplan.yaml", &format!("version: 1\nrules:\n{levels}"))]);
    let settings = settings.path().join("portplan.yaml");
    let found: Vec<(String, Vec<_>)> = folders
        .par_iter()
        .map(|folder| {
            let name = folder.file_name().unwrap().to_string_lossy().into_owned();
            (name, findings(folder, &settings))
        })
        .collect();

    let mut counts: BTreeMap<&str, (usize, BTreeSet<&str>)> = BTreeMap::new();
    let mut errors = BTreeSet::new();
    for (project, findings) in &found {
        for (rule, severity, message) in findings {
            let (count, projects) = counts.entry(rule).or_default();
            *count += 1;
            projects.insert(project);
            if severity == "error" {
                errors.insert(format!(
                    "| {project} | {rule} | {} |",
                    message.replace('|', "\\|")
                ));
            }
        }
    }
    let is_on = |name: &str| !Rule::named(name).unwrap().opt_in;
    let silent = found
        .iter()
        .filter(|(_, findings)| !findings.iter().any(|(rule, ..)| is_on(rule)))
        .count();
    let mut table = format!(
        "{silent} of {} projects have no finding.\n\n| rule | findings | projects |\n|---|---|---|\n",
        found.len()
    );
    for rule in &RULES {
        let (count, projects) = counts.get(rule.name).cloned().unwrap_or_default();
        let level = if rule.opt_in { " (if on)" } else { "" };
        table += &format!(
            "| `{}`{level} | {count} | {} |\n",
            rule.name,
            projects.len()
        );
    }

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/measured.md");
    let stored = fs::read_to_string(&path).unwrap();
    let (before, rest) = stored.split_once("<!-- counts -->\n").unwrap();
    let (_, after) = rest.split_once("<!-- /counts -->").unwrap();
    let text = format!("{before}<!-- counts -->\n{table}<!-- /counts -->{after}");
    if std::env::var_os("PORTPLAN_BLESS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    // each error was looked at by somebody, who wrote why it is right
    let rows = after
        .lines()
        .filter(|line| line.starts_with("| ") && line.matches(" | ").count() >= 3);
    let explained: BTreeMap<String, &str> = rows
        .filter_map(|row| {
            let (key, why) = row.trim_end_matches(" |").rsplit_once(" | ")?;
            Some((format!("{key} |"), why))
        })
        .collect();
    let unexplained: Vec<&String> = errors
        .iter()
        .filter(|key| !explained.contains_key(*key))
        .collect();
    assert!(
        unexplained.is_empty(),
        "docs/measured.md does not explain {unexplained:#?}"
    );
    let heads = ["| project | rule | finding |", "|---|---|---|"];
    let gone = explained
        .keys()
        .filter(|key| !errors.contains(*key) && !heads.contains(&key.as_str()));
    let gone: Vec<&String> = gone.collect();
    assert!(
        gone.is_empty(),
        "explained, and not found any more: {gone:#?}"
    );
    let stored = fs::read_to_string(&path).unwrap();
    assert!(
        stored == text,
        "docs/measured.md is stale: run with PORTPLAN_BLESS=1"
    );
}
