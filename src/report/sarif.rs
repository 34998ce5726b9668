//! SARIF 2.1.0, for code scanners.

use std::collections::BTreeMap;

use camino::Utf8Path;
use serde::Serialize;

use super::check::Outcome;
use super::item::{Item, Spot};
use super::replacement::{Replacement, replacement};
use crate::compose::problem::{Gravity, Problem};
use crate::finding::{Finding, Severity};
use crate::fingerprint::Fingerprint;
use crate::rules::{RULES, Rule};
use crate::source::{SourceFile, SourceMap, Unit};
use crate::span::Span;
use crate::suppress::Silencer;

/// A log of one run.
#[must_use]
pub fn render(outcome: &Outcome) -> String {
    let found = outcome.findings.iter();
    let found = found.map(|finding| Hit::of(finding, None, outcome));
    let silenced = outcome.silenced.iter();
    let silenced = silenced.map(|it| Hit::of(&it.finding, Some(&it.by), outcome));
    super::json(&Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver {
                    name: "portplan",
                    semantic_version: env!("CARGO_PKG_VERSION"),
                    rules: RULES.iter().map(Descriptor::of).collect(),
                },
            },
            invocations: [Invocation::of(outcome)],
            original_uri_base_ids: Bases {
                source_root: Base {
                    description: Text::of("The folder that portplan was run in."),
                },
            },
            column_kind: "utf16CodeUnits",
            results: found.chain(silenced).collect(),
        }],
    })
}

#[derive(Serialize)]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Tool,
    invocations: [Invocation<'a>; 1],
    original_uri_base_ids: Bases,
    column_kind: &'static str,
    results: Vec<Hit<'a>>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    semantic_version: &'static str,
    rules: Vec<Descriptor>,
}

#[derive(Serialize)]
struct Bases {
    #[serde(rename = "%SRCROOT%")]
    source_root: Base,
}

#[derive(Serialize)]
struct Base {
    description: Text,
}

#[derive(Serialize)]
struct Text {
    text: String,
}

impl Text {
    fn of(text: impl Into<String>) -> Self {
        Self { text: text.into() }
    }
}

/// A rule, with its page.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    id: &'static str,
    short_description: Text,
    full_description: Text,
    help: Help,
    default_configuration: Configuration,
    properties: Properties,
}

#[derive(Serialize)]
struct Help {
    text: String,
    markdown: String,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
    /// `false` of a rule that is off; true is the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
}

#[derive(Serialize)]
struct Properties {
    tags: [&'static str; 3],
}

impl Descriptor {
    fn of(rule: &Rule) -> Self {
        Self {
            id: rule.name,
            short_description: Text::of(rule.summary()),
            full_description: Text::of(rule.section("What it finds")),
            help: Help {
                text: rule.section("Remedy"),
                markdown: rule.page(),
            },
            default_configuration: Configuration {
                level: level(rule.severity),
                enabled: rule.opt_in.then_some(false),
            },
            properties: Properties {
                tags: ["docker", "compose", "ports"],
            },
        }
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Notice => "note",
    }
}

/// A finding.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Hit<'a> {
    rule_id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    level: &'static str,
    message: Text,
    locations: Vec<Location<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location<'a>>,
    partial_fingerprints: BTreeMap<&'static str, &'a Fingerprint>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fixes: Vec<Fix>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suppressions: Vec<Suppression>,
}

impl<'a> Hit<'a> {
    fn of(finding: &'a Finding, by: Option<&'a Silencer>, outcome: &'a Outcome) -> Self {
        let item = Item::finding(finding, outcome);
        let spots = item.spots.iter();
        let mut locations = spots.enumerate().map(|(id, spot)| Location::of(id, spot));
        Self {
            rule_id: finding.rule,
            rule_index: RULES.iter().position(|rule| rule.name == finding.rule),
            level: level(finding.severity),
            message: Text::of(item.text()),
            locations: locations.next().into_iter().collect(),
            related_locations: locations.collect(),
            partial_fingerprints: [("portplan/v1", &finding.fingerprint)].into(),
            fixes: replacement(finding, &outcome.world)
                .map(|edit| Fix::of(&edit))
                .into_iter()
                .collect(),
            suppressions: by.map(Suppression::of).into_iter().collect(),
        }
    }
}

/// Why a finding does not count.
#[derive(Serialize)]
struct Suppression {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    justification: Option<String>,
}

impl Suppression {
    fn of(by: &Silencer) -> Self {
        match by {
            Silencer::Comment { reason } => Self {
                kind: "inSource",
                justification: reason.clone(),
            },
            Silencer::Baseline | Silencer::Revision(_) => Self {
                kind: "external",
                justification: Some(by.reason()),
            },
        }
    }
}

/// What was run, and what stood in its way.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation<'a> {
    execution_successful: bool,
    tool_execution_notifications: Vec<Notification<'a>>,
}

#[derive(Serialize)]
struct Notification<'a> {
    descriptor: Reference<'a>,
    level: &'static str,
    message: Text,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    locations: Vec<Location<'a>>,
}

#[derive(Serialize)]
struct Reference<'a> {
    id: &'a str,
}

impl<'a> Invocation<'a> {
    fn of(outcome: &'a Outcome) -> Self {
        let errors = outcome.problems(Gravity::Error);
        let all = errors.chain(outcome.problems(Gravity::Notice));
        Self {
            execution_successful: outcome.problems(Gravity::Error).next().is_none(),
            tool_execution_notifications: all
                .map(|(problem, sources)| Notification::of(problem, sources))
                .collect(),
        }
    }
}

impl<'a> Notification<'a> {
    fn of(problem: &'a Problem, sources: &'a SourceMap) -> Self {
        let item = Item::problem(problem, sources);
        let spot = item.spots.first().map(|spot| Location::of(0, spot));
        let file = item.path().map(Location::file);
        Self {
            descriptor: Reference { id: item.code },
            level: level(item.severity),
            message: Text::of(item.text()),
            locations: spot.or(file).into_iter().collect(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    physical_location: Physical,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Words<'a>>,
}

#[derive(Serialize)]
struct Words<'a> {
    text: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Artifact,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

impl<'a> Location<'a> {
    fn of(id: usize, spot: &Spot<'a>) -> Self {
        Self {
            id: (id > 0).then_some(id),
            physical_location: Physical {
                artifact_location: Artifact::of(spot.file.path()),
                region: Some(Region::of(spot.file, spot.span)),
            },
            message: (!spot.text.is_empty()).then_some(Words { text: spot.text }),
        }
    }

    fn file(path: &Utf8Path) -> Self {
        Self {
            id: None,
            physical_location: Physical {
                artifact_location: Artifact::of(path),
                region: None,
            },
            message: None,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Artifact {
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_base_id: Option<&'static str>,
}

impl Artifact {
    fn of(path: &Utf8Path) -> Self {
        let path = super::slashes(path);
        let encoded = percent_encoded(&path);
        if path.starts_with('/') {
            return Self {
                uri: format!("file://{encoded}"),
                uri_base_id: None,
            };
        }
        Self {
            uri: encoded,
            uri_base_id: Some("%SRCROOT%"),
        }
    }
}

/// A path as part of a URI.
fn percent_encoded(path: &str) -> String {
    path.bytes().fold(String::new(), |uri, byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
            uri + char::from(byte).encode_utf8(&mut [0; 4])
        }
        _ => uri + &format!("%{byte:02X}"),
    })
}

/// Lines and columns from 1, in UTF-16, and the bytes on disk; an end is not included.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    start_column: u32,
    end_line: u32,
    end_column: u32,
    byte_offset: u64,
    byte_length: u64,
}

impl Region {
    fn of(file: &SourceFile, span: Span) -> Self {
        let start = file.position_in(span.start, Unit::Utf16);
        let end = file.position_in(span.end, Unit::Utf16);
        let [first, last] = file.disk_range(span);
        Self {
            start_line: start.line,
            start_column: start.column,
            end_line: end.line,
            end_column: end.column,
            byte_offset: first,
            byte_length: last - first,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Fix {
    description: Text,
    artifact_changes: [Change; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Change {
    artifact_location: Artifact,
    replacements: [Edit; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Edit {
    deleted_region: Region,
    inserted_content: Text,
}

impl Fix {
    fn of(edit: &Replacement<'_>) -> Self {
        Self {
            description: Text::of(format!("publish on {}", edit.text)),
            artifact_changes: [Change {
                artifact_location: Artifact::of(edit.file.path()),
                replacements: [Edit {
                    deleted_region: Region::of(edit.file, edit.span),
                    inserted_content: Text::of(&edit.text),
                }],
            }],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Artifact, percent_encoded};

    #[test]
    fn paths_become_uris() {
        for (path, expected) in [
            ("a/compose.yaml", "a/compose.yaml"),
            ("a b/c%20#?.yaml", "a%20b/c%2520%23%3F.yaml"),
            // not a scheme
            ("c:/x.yaml", "c%3A/x.yaml"),
            ("ö/\u{1f433}.yaml", "%C3%B6/%F0%9F%90%B3.yaml"),
            ("\"'<>.yaml", "%22%27%3C%3E.yaml"),
        ] {
            assert_eq!(percent_encoded(path), expected);
        }
        assert_eq!(Artifact::of("/a b".into()).uri, "file:///a%20b");
    }
}
