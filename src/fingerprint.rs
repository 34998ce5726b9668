//! What stays the same of a finding when lines move: the key of baselines and of code scanners.

use std::collections::HashMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::finding::{ClaimRef, Finding, Label};
use crate::world::World;

/// Names a finding by what it is about and not by the line it is on.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Of some texts, in this order; none of them can be taken for two.
    pub fn of(parts: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            let part = part.as_ref().as_bytes();
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let digest = hash.finalize();
        Self(
            digest[..8]
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
        )
    }

    /// As 16 hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Gives each finding its fingerprint; those that are about the same are numbered in their order.
pub fn assign(findings: &mut [Finding], world: &World) {
    let mut seen: HashMap<Vec<String>, usize> = HashMap::new();
    for finding in findings {
        let mut parts = identity(finding, world);
        let before = seen.entry(parts.clone()).or_default();
        parts.push(before.to_string());
        *before += 1;
        finding.fingerprint = Fingerprint::of(parts);
    }
}

/// The rule, who takes part whichever is written first, and who has the port.
fn identity(finding: &Finding, world: &World) -> Vec<String> {
    let mut claims: Vec<String> = finding
        .claims
        .iter()
        .map(|claim| claimed(claim, world))
        .collect();
    if claims.is_empty() {
        claims.extend(finding.labels.first().map(|label| labelled(label, world)));
    }
    claims.sort();
    let holder = finding.holder.iter();
    let holder = holder.map(|holder| format!("{:?} {}", holder.kind, holder.name));
    let mut parts = vec![finding.rule.to_owned()];
    parts.extend(claims);
    parts.extend(holder);
    parts.extend(finding.host.clone());
    parts
}

fn claimed(claim: &ClaimRef, world: &World) -> String {
    let project = &world.projects[claim.project];
    let file = project.sources.file(claim.origin.span.file).path();
    // one string of texts that hold no line breaks themselves
    [
        &world.settings.name_of(file),
        &project.name,
        &claim.service,
        claim.host_ip.as_deref().unwrap_or_default(),
        claim.published.as_deref().unwrap_or_default(),
        &claim.protocol,
    ]
    .join("\n")
}

fn labelled(label: &Label, world: &World) -> String {
    let project = &world.projects[label.project];
    let file = project.sources.file(label.span.file).path();
    let text = project.sources.slice(label.span);
    [&world.settings.name_of(file), &*project.name, text].join("\n")
}
