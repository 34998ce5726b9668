//! `portplan.yaml` as it is written.

use std::borrow::Cow;
use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::value::{Glob, RuleName, Several, Table, Text};
use super::{NamedHost, Pool, Reservation, RuleLevel, Settings};
use crate::binding::{PortRange, Protocol};
use crate::finding::Severity;
use crate::glob::{Globs, InvalidGlob};
use crate::plan::Pin;
use crate::rules::RULES;

/// The version of the form.
const VERSION: u32 = 1;

/// What is settled for good: rule levels, ports, hosts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "portplan.yaml")]
pub struct ConfigFile {
    /// The version of this form: 1.
    #[schemars(schema_with = "version_schema")]
    #[allow(dead_code)]
    version: Text<Version>,
    /// How grave each rule is.
    #[serde(default)]
    rules: Levels,
    /// What differs in the files that a glob matches; later over earlier.
    #[serde(default)]
    #[schemars(with = "Option<BTreeMap<String, Scope>>")]
    paths: Table<Text<Glob>, Scope>,
    /// The host ports that may be published; none is all.
    #[serde(default)]
    pools: Option<Vec<PoolEntry>>,
    /// What plan and fix never move: SERVICE, PORT or SERVICE:PORT.
    #[serde(default)]
    #[schemars(schema_with = "texts_schema")]
    pins: Several<Text<Pin>>,
    /// The host ports that are kept for what no compose file names.
    #[serde(default)]
    reserved: Option<Vec<Reserved>>,
    /// The hosts, by name, and the projects that share them.
    #[serde(default)]
    #[schemars(with = "Option<BTreeMap<String, HostEntry>>")]
    hosts: Table<Text<String>, HostEntry>,
    /// Globs of the files that are left out when folders are searched.
    #[serde(default)]
    #[schemars(schema_with = "texts_schema")]
    exclude: Several<Text<Glob>>,
    /// Count what the repository's other git worktrees publish as held.
    #[serde(default)]
    worktrees: bool,
    /// Globs of the documents that list published ports, for the rule undocumented-port; none is the
    /// nearest README.md of each project.
    #[serde(default)]
    #[schemars(schema_with = "texts_schema")]
    documents: Option<Several<Text<Glob>>>,
    /// What `check --write-baseline` wrote, relative to this file: what is in it is known to check,
    /// plan and fix.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    baseline: Option<Utf8PathBuf>,
}

type Levels = Table<Text<RuleName>, Level>;

/// What holds in some files.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Scope {
    /// How grave each rule is there.
    #[serde(default)]
    rules: Levels,
}

/// Host ports that may be published.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PoolEntry {
    /// A port, a range as 8000-8999, or a list of these.
    #[schemars(schema_with = "ports_schema")]
    ports: Several<Text<PortRange>>,
    /// Globs of the files whose projects may publish them; none is all.
    #[serde(default)]
    #[schemars(schema_with = "texts_schema")]
    paths: Option<Several<Text<Glob>>>,
    /// Its name, for messages.
    #[serde(default)]
    name: Option<String>,
}

/// Host ports that are kept.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Reserved {
    /// A port, a range as 9100-9199, or a list of these.
    #[schemars(schema_with = "ports_schema")]
    ports: Several<Text<PortRange>>,
    /// The protocol; none is all.
    #[serde(default)]
    #[schemars(with = "Option<Protocol>")]
    protocol: Option<Text<Protocol>>,
    /// What they are kept for, for messages.
    #[serde(rename = "for")]
    reason: String,
}

/// A host.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct HostEntry {
    /// Globs of the files and folders of the projects that run on it.
    #[schemars(schema_with = "texts_schema")]
    projects: Several<Text<Glob>>,
    /// What `portplan snapshot` wrote there, relative to this file.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    snapshot: Option<Utf8PathBuf>,
}

/// How grave the findings of a rule are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The rule is off.
    Off,
    /// Worth knowing.
    Notice,
    /// May go wrong.
    Warning,
    /// Will go wrong.
    Error,
}

impl Level {
    /// The severity; none if the rule is off.
    #[must_use]
    pub fn severity(self) -> Option<Severity> {
        match self {
            Self::Off => None,
            Self::Notice => Some(Severity::Notice),
            Self::Warning => Some(Severity::Warning),
            Self::Error => Some(Severity::Error),
        }
    }
}

impl From<Option<Severity>> for Level {
    fn from(severity: Option<Severity>) -> Self {
        match severity {
            None => Self::Off,
            Some(Severity::Notice) => Self::Notice,
            Some(Severity::Warning) => Self::Warning,
            Some(Severity::Error) => Self::Error,
        }
    }
}

/// The version that is known here.
#[derive(Debug)]
struct Version;

impl std::str::FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.parse() == Ok(VERSION) {
            return Ok(Self);
        }
        let known = format!("this portplan knows version {VERSION}");
        Err(format!("there is no version `{text}`: {known}"))
    }
}

impl ConfigFile {
    /// What it settles, and where the snapshots of the hosts are.
    ///
    /// # Errors
    /// Globs that are fine each and cannot be put together.
    pub(super) fn settle(self) -> Result<(Settings, Vec<Option<Utf8PathBuf>>), InvalidGlob> {
        let mut levels = set(&self.rules, &Globs::default());
        for (glob, scope) in &self.paths.0 {
            levels.extend(set(&scope.rules, &Globs::new([glob.0.0.clone()])?));
        }
        let mut pools = Vec::new();
        for entry in self.pools.into_iter().flatten() {
            let ports: Vec<PortRange> = entry.ports.0.into_iter().map(|it| it.0).collect();
            let shown = ports.iter().map(PortRange::to_string).collect::<Vec<_>>();
            pools.push(Pool {
                name: entry.name.unwrap_or_else(|| shown.join(", ")),
                ports,
                paths: entry.paths.map_or_else(|| Ok(Globs::default()), globs)?,
            });
        }
        let reserved = self.reserved.into_iter().flatten().flat_map(|entry| {
            let Reserved {
                ports,
                protocol,
                reason,
            } = entry;
            ports.0.into_iter().map(move |ports| Reservation {
                ports: ports.0,
                protocol: protocol.as_ref().map(|protocol| protocol.0),
                reason: reason.clone(),
            })
        });
        let mut hosts = Vec::new();
        let mut snapshots = Vec::new();
        for (name, host) in self.hosts.0 {
            snapshots.push(host.snapshot);
            hosts.push(NamedHost {
                name: name.0,
                projects: globs(host.projects)?,
                machine: None,
            });
        }
        let settings = Settings {
            levels,
            pools,
            reserved: reserved.collect(),
            pins: self.pins.0.into_iter().map(|pin| pin.0).collect(),
            hosts,
            exclude: Some(globs(self.exclude)?),
            worktrees: self.worktrees,
            documents: self.documents.map(globs).transpose()?,
            baseline: self.baseline,
            ..Settings::default()
        };
        Ok((settings, snapshots))
    }
}

fn set(levels: &Levels, paths: &Globs) -> Vec<RuleLevel> {
    let levels = levels.0.iter().map(|(rule, level)| RuleLevel {
        rule: rule.0.0.to_owned(),
        level: level.severity(),
        paths: paths.clone(),
    });
    levels.collect()
}

fn globs(texts: Several<Text<Glob>>) -> Result<Globs, InvalidGlob> {
    Globs::new(texts.0.into_iter().map(|text| text.0.0))
}

fn version_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "const": VERSION })
}

impl JsonSchema for Levels {
    fn schema_name() -> Cow<'static, str> {
        "Levels".into()
    }

    /// Every rule by its name, so that an editor can offer them.
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let level = generator.subschema_for::<Level>();
        let rules = RULES.iter().map(|rule| {
            let mut schema = level.clone();
            schema.insert("description".to_owned(), rule.summary().into());
            (rule.name.to_owned(), schema.to_value())
        });
        let rules: serde_json::Map<_, _> = rules.collect();
        json_schema!({
            "type": ["object", "null"],
            "properties": rules,
            "additionalProperties": false
        })
    }
}

fn one_or_several(one: serde_json::Value) -> Schema {
    json_schema!({ "anyOf": [one, { "type": "array", "items": one }, { "type": "null" }] })
}

fn ports_schema(_: &mut SchemaGenerator) -> Schema {
    let number = serde_json::json!({ "type": "integer", "minimum": 1, "maximum": 65535 });
    let range = serde_json::json!({ "type": "string", "pattern": "^[0-9]+(-[0-9]+)?$" });
    one_or_several(serde_json::json!({ "anyOf": [number, range] }))
}

fn texts_schema(_: &mut SchemaGenerator) -> Schema {
    one_or_several(serde_json::json!({ "type": ["string", "integer"] }))
}
