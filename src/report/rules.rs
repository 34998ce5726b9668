//! The rules: as a table, as JSON, and the page of one.

use std::cmp::Reverse;

use anstyle::{AnsiColor, Style};
use camino::Utf8Path;
use schemars::JsonSchema;
use serde::Serialize;

use super::concise;
use super::table::align;
use crate::finding::Severity;
use crate::rules::{Fixing, RULES, Rule};
use crate::settings::{Level, Settings};

/// What `rules --format json` prints.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "portplan rules")]
pub struct Catalogue {
    /// The version of this form: 1.
    pub version: u32,
    /// The rules, the gravest first, those that are off last.
    pub rules: Vec<ListedRule>,
}

/// A rule.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ListedRule {
    /// Its name.
    pub name: &'static str,
    /// How grave its findings are by themselves.
    pub severity: Severity,
    /// True if it is off until somebody asks for it.
    pub opt_in: bool,
    /// How grave they are as `portplan.yaml` has it; `off` if it is not looked for.
    pub level: Level,
    /// True if `portplan fix` can resolve its findings.
    pub fixable: bool,
    /// True if it does so only where that is asked for: `--only RULE`, `--all`, or the level
    /// `error` in `portplan.yaml`.
    pub when_asked: bool,
    /// What it finds, in Markdown.
    pub finds: String,
}

impl Catalogue {
    /// All rules, as they are where nothing is settled.
    #[must_use]
    pub fn new() -> Self {
        Self::of(&Settings::default(), Utf8Path::new(""))
    }

    /// All rules, as they are settled for a file.
    #[must_use]
    pub fn of(settings: &Settings, file: &Utf8Path) -> Self {
        let mut rules = RULES.to_vec();
        rules.sort_by_key(|rule| (Reverse(rule.default_level()), rule.name));
        let rules = rules.iter().map(|rule| ListedRule {
            name: rule.name,
            severity: rule.severity,
            opt_in: rule.opt_in,
            level: settings.level(rule, file).into(),
            fixable: rule.fixing != Fixing::Never,
            when_asked: rule.fixing == Fixing::WhenAsked,
            finds: rule.summary(),
        });
        Self {
            version: 1,
            rules: rules.collect(),
        }
    }

    /// As aligned columns.
    #[must_use]
    pub fn table(&self) -> String {
        let mut rows = vec![["RULE", "SEVERITY", "FIX", "FINDS"].map(String::from)];
        rows.extend(self.rules.iter().map(|rule| {
            [
                rule.name.to_owned(),
                rule.level().to_owned(),
                rule.fix().to_owned(),
                rule.finds.clone(),
            ]
        }));
        align(&rows)
    }

    /// As a table in Markdown; the pages are in `folder`.
    #[must_use]
    pub fn markdown(&self, folder: &str) -> String {
        let head = "| rule | severity | fix | finds |\n|---|---|---|---|\n".to_owned();
        self.rules.iter().fold(head, |table, rule| {
            let (name, fix) = (rule.name, rule.fix());
            let severity = rule.level();
            let finds = rule.finds.replace('|', "\\|");
            table + &format!("| [{name}]({folder}{name}.md) | {severity} | {fix} | {finds} |\n")
        })
    }
}

impl Default for Catalogue {
    fn default() -> Self {
        Self::new()
    }
}

impl ListedRule {
    fn level(&self) -> &'static str {
        self.level.severity().map_or("off", concise::severity)
    }

    fn fix(&self) -> &'static str {
        match (self.fixable, self.when_asked) {
            (false, _) => "",
            (true, false) => "yes",
            (true, true) => "asked",
        }
    }
}

/// The page of a rule, to be read in a terminal.
#[must_use]
pub fn page(rule: &Rule) -> String {
    let (title, heading, code) = (
        AnsiColor::Cyan.on_default().bold(),
        Style::new().bold(),
        Style::new().dimmed(),
    );
    let page = without_targets(&rule.page());
    let mut text = String::new();
    let mut in_code = false;
    let mut last = None;
    for line in page.lines() {
        if line.starts_with("```") {
            // two examples are apart
            if !in_code && last == Some("```") {
                text.push('\n');
            }
            in_code = !in_code;
        } else if in_code {
            text += &format!("    {code}{line}{code:#}\n");
        } else if let Some(name) = line.strip_prefix("# ") {
            let fix = match rule.fixing {
                Fixing::Never => String::new(),
                Fixing::Always => ", `portplan fix` resolves it".to_owned(),
                Fixing::WhenAsked => format!(", `portplan fix --only {name}` resolves it"),
            };
            let severity = concise::severity(rule.severity);
            let off = if rule.opt_in { ", off by default" } else { "" };
            text += &format!("{title}{name}{title:#} ({severity}{off}{fix})\n");
        } else if let Some(name) = line.strip_prefix("## ") {
            text += &format!("{heading}{name}{heading:#}\n");
        } else {
            text += &format!("{line}\n");
        }
        last = Some(line);
    }
    text
}

/// Links as a terminal shows them: `[text](https://…)` becomes `text <https://…>`, and of one to
/// another page the text stays.
fn without_targets(markdown: &str) -> String {
    let mut text = String::new();
    let mut rest = markdown;
    while let Some((before, after)) = rest.split_once("](") {
        let (words, target) = (before.rsplit_once('['), after.split_once(')'));
        let (Some((before, words)), Some((target, after))) = (words, target) else {
            break;
        };
        text += before;
        text += words;
        if target.contains("://") {
            text += &format!(" <{target}>");
        }
        rest = after;
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::without_targets;

    #[test]
    fn links_are_readable() {
        for (markdown, expected) in [
            ("see [a b](https://c/d).", "see a b <https://c/d>."),
            ("[a](../b.md) and [c](https://d)", "a and c <https://d>"),
            ("`[::]` and [a](b", "`[::]` and [a](b"),
            ("`ignore[rule]`", "`ignore[rule]`"),
        ] {
            assert_eq!(without_targets(markdown), expected);
        }
    }
}
