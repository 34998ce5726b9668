//! `portplan check`: what was found, for programs.

use schemars::JsonSchema;
use serde::Serialize;

use super::place::{OriginPlace, Place, ProblemPlace};
use crate::compose::problem::{Gravity, Problem};
use crate::finding::{Finding, HolderRef, Remap, Severity};
use crate::source::SourceMap;
use crate::world::World;

/// All that a check has to say.
#[derive(Debug)]
pub struct Outcome {
    /// What was looked at.
    pub world: World,
    /// What the rules found.
    pub findings: Vec<Finding>,
    /// What stood in the way of finding the projects or looking at the machines.
    pub problems: Vec<Problem>,
    /// What is not known, though nothing failed.
    pub remarks: Vec<String>,
}

impl Outcome {
    /// The problems of this gravity, with the sources they point into.
    pub fn problems(&self, gravity: Gravity) -> impl Iterator<Item = (&Problem, &SourceMap)> {
        static NONE: std::sync::LazyLock<SourceMap> = std::sync::LazyLock::new(SourceMap::new);
        let own = self.problems.iter().map(|problem| (problem, &*NONE));
        let theirs = self.world.projects.iter().flat_map(|project| {
            project
                .problems
                .iter()
                .map(|problem| (problem, &project.sources))
        });
        own.chain(theirs)
            .filter(move |(problem, _)| problem.gravity == gravity)
    }
}

/// What `check --format json` prints.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "portplan check")]
pub struct Findings {
    /// The version of this form: 1.
    pub version: u32,
    /// What the rules found, by project and place.
    pub findings: Vec<FoundFinding>,
    /// What makes ports wrong or unknown.
    pub errors: Vec<ProblemPlace>,
    /// What Compose would refuse or complain of although the ports are known.
    pub notices: Vec<ProblemPlace>,
}

/// A finding.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FoundFinding {
    /// The rule that found it.
    pub rule: &'static str,
    /// How grave it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// The published ports that take part.
    pub claims: Vec<FoundClaim>,
    /// The places, each with a word on it; the first is where the finding is.
    pub labels: Vec<FoundLabel>,
    /// What limits or explains it.
    pub notes: Vec<String>,
    /// What to do.
    pub help: Option<String>,
    /// Who has the port already, if somebody has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<HolderRef>,
    /// The machine that this is about, if one is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// A published port that could be moved, and where to.
    pub remap: Option<Remap>,
}

/// A published port that takes part in a finding.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FoundClaim {
    /// The project.
    pub project: String,
    /// The service.
    pub service: String,
    /// What it wants of the host.
    pub binding: FoundBinding,
    /// Where its number is written.
    pub origin: OriginPlace,
}

/// What a published port wants of the host.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FoundBinding {
    /// The host's address; null is every address.
    pub host_ip: Option<String>,
    /// The host port or range; null lets the engine choose.
    pub published: Option<String>,
    /// The protocol.
    pub protocol: String,
}

/// A place with a word on it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FoundLabel {
    /// The place.
    #[serde(flatten)]
    pub place: Place,
    /// The word.
    pub text: String,
}

impl Findings {
    /// The outcome of a check, for programs.
    #[must_use]
    pub fn of(outcome: &Outcome) -> Self {
        let places = |gravity| {
            let problems = outcome.problems(gravity);
            problems
                .map(|(problem, sources)| ProblemPlace::of(problem, sources))
                .collect()
        };
        let findings = outcome.findings.iter();
        Self {
            version: 1,
            findings: findings
                .map(|finding| FoundFinding::of(finding, &outcome.world))
                .collect(),
            errors: places(Gravity::Error),
            notices: places(Gravity::Notice),
        }
    }
}

impl FoundFinding {
    fn of(finding: &Finding, world: &World) -> Self {
        let claims = finding.claims.iter().map(|claim| {
            let project = &world.projects[claim.project];
            FoundClaim {
                project: project.name.clone(),
                service: claim.service.clone(),
                binding: FoundBinding {
                    host_ip: claim.host_ip.clone(),
                    published: claim.published.clone(),
                    protocol: claim.protocol.clone(),
                },
                origin: OriginPlace::of(&claim.origin, &project.sources),
            }
        });
        let labels = finding.labels.iter().map(|label| FoundLabel {
            place: Place::of(label.span, &world.projects[label.project].sources),
            text: label.text.clone(),
        });
        Self {
            rule: finding.rule,
            severity: finding.severity,
            message: finding.message.clone(),
            claims: claims.collect(),
            labels: labels.collect(),
            notes: finding.notes.clone(),
            help: finding.help.clone(),
            holder: finding.holder.clone(),
            host: finding.host.clone(),
            remap: finding.remap.clone(),
        }
    }
}
