//! The findings that were there when a project took portplan up: known, and not to be told again.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::finding::Finding;
use crate::fingerprint::Fingerprint;
use crate::rules::Rule;
use crate::suppress;
use crate::world::World;

/// What `check --write-baseline` writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "portplan baseline")]
pub struct Baseline {
    /// The version of this form: 1.
    pub version: u32,
    /// The findings, by file.
    pub findings: Vec<Known>,
}

/// A finding that is known. Only the fingerprint counts; the rest is for people.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// The file it is in.
    pub file: String,
    /// The rule that found it.
    pub rule: String,
    /// What is wrong.
    pub message: String,
    /// What names it wherever its lines go.
    pub fingerprint: Fingerprint,
}

/// Why a text is no baseline.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// Not JSON, or not of this form.
    #[error(
        "is not a baseline of portplan ({0}): give another name, or write one with --write-baseline"
    )]
    Form(#[from] serde_json::Error),
    /// Of another version of the form.
    #[error(
        "is a baseline of version {0}, and this portplan reads version 1: write it again with --write-baseline"
    )]
    Version(u32),
}

impl Baseline {
    /// Of these findings.
    #[must_use]
    pub fn of<'a>(findings: impl IntoIterator<Item = &'a Finding>, world: &World) -> Self {
        let known = findings.into_iter().map(|finding| Known {
            file: file(finding, world),
            rule: finding.rule.to_owned(),
            message: finding.message.clone(),
            fingerprint: finding.fingerprint.clone(),
        });
        let mut findings: Vec<Known> = known.collect();
        findings.sort();
        Self {
            version: 1,
            findings,
        }
    }

    /// Reads what was written.
    ///
    /// # Errors
    /// The text is no baseline of this version.
    pub fn read(text: &str) -> Result<Self, BaselineError> {
        let baseline: Self = serde_json::from_str(text)?;
        match baseline.version {
            1 => Ok(baseline),
            other => Err(BaselineError::Version(other)),
        }
    }

    /// What it knows.
    #[must_use]
    pub fn fingerprints(&self) -> BTreeSet<Fingerprint> {
        let known = self.findings.iter();
        known.map(|known| known.fingerprint.clone()).collect()
    }

    /// Those that are no longer found, though their files were looked at and their rules could
    /// find them.
    pub fn gone<'a>(
        &'a self,
        found: impl IntoIterator<Item = &'a Finding>,
        world: &'a World,
    ) -> impl Iterator<Item = &'a Known> {
        let found: BTreeSet<&Fingerprint> = found.into_iter().map(|it| &it.fingerprint).collect();
        let asked = world.projects.iter().enumerate();
        let asked = asked.filter(|(index, _)| world.is_asked(*index));
        let sources = asked.map(|(_, project)| &project.sources);
        let files = sources.flat_map(|sources| sources.files());
        let files = files.map(|file| (world.settings.name_of(file.path()), file.path()));
        let files: BTreeMap<String, &Utf8Path> = files.collect();
        self.findings.iter().filter(move |known| {
            let rule = Rule::named(&known.rule);
            let file = files.get(&known.file).copied();
            file.is_some_and(|file| {
                !found.contains(&known.fingerprint)
                    && rule.is_none_or(|rule| suppress::looked_for(world, rule, file))
            })
        })
    }
}

fn file(finding: &Finding, world: &World) -> String {
    finding.labels.first().map_or_else(String::new, |label| {
        let sources = &world.projects[label.project].sources;
        world.settings.name_of(sources.file(label.span.file).path())
    })
}
