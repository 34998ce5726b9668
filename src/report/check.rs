//! `portplan check`: what was found, for programs.

use schemars::JsonSchema;
use serde::Serialize;

use super::place::{OriginPlace, Place, ProblemPlace};
use crate::compose::problem::{Gravity, Problem};
use crate::finding::{Finding, HolderRef, Remap, Severity};
use crate::fingerprint::Fingerprint;
use crate::source::SourceMap;
use crate::suppress::{Silenced, Silencer};
use crate::world::World;

/// All that a check has to say.
#[derive(Debug)]
pub struct Outcome {
    /// What was looked at.
    pub world: World,
    /// What the rules found.
    pub findings: Vec<Finding>,
    /// What they found, too, and somebody has accepted.
    pub silenced: Vec<Silenced>,
    /// What stood in the way of finding the projects or looking at the machines.
    pub problems: Vec<Problem>,
    /// What is not known, though nothing failed.
    pub remarks: Vec<String>,
    /// What makes the check fail.
    pub limits: Limits,
}

/// What makes a check fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Findings of this severity do, and graver ones.
    pub fail_on: Option<Severity>,
    /// More warnings than these do.
    pub max_warnings: Option<usize>,
}

impl Limits {
    /// Whether one finding of this severity makes the check fail.
    #[must_use]
    pub fn fails(&self, severity: Severity) -> bool {
        self.fail_on.is_some_and(|least| severity >= least)
    }
}

impl Outcome {
    /// True if what was found makes the check fail.
    #[must_use]
    pub fn fails(&self) -> bool {
        let warnings = self.findings.iter();
        let warnings = warnings.filter(|it| it.severity == Severity::Warning);
        let crowded = self
            .limits
            .max_warnings
            .is_some_and(|max| warnings.count() > max);
        let mut findings = self.findings.iter();
        crowded || findings.any(|finding| self.limits.fails(finding.severity))
    }

    /// The problems of this gravity, with the sources they point into.
    pub fn problems(&self, gravity: Gravity) -> impl Iterator<Item = (&Problem, &SourceMap)> {
        static NONE: std::sync::LazyLock<SourceMap> = std::sync::LazyLock::new(SourceMap::new);
        let own = self.problems.iter().map(|problem| (problem, &*NONE));
        let settings = &self.world.settings;
        let settled = settings.problems.iter();
        let settled = settled.map(|problem| (problem, &settings.sources));
        let theirs = self.world.projects.iter().flat_map(|project| {
            project
                .problems
                .iter()
                .map(|problem| (problem, &project.sources))
        });
        own.chain(settled)
            .chain(theirs)
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
    /// What they found, too, and somebody has accepted.
    pub suppressed: Vec<SuppressedFinding>,
    /// What makes ports wrong or unknown.
    pub errors: Vec<ProblemPlace>,
    /// What Compose would refuse or complain of although the ports are known.
    pub notices: Vec<ProblemPlace>,
}

/// A finding that does not count.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SuppressedFinding {
    /// What says so.
    pub by: SuppressedBy,
    /// Why, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The finding.
    #[serde(flatten)]
    pub finding: FoundFinding,
}

/// What makes a finding not count.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SuppressedBy {
    /// A comment in the file.
    Comment,
    /// The baseline.
    Baseline,
    /// The revision of `--since`, where it was already.
    Revision,
}

/// A finding.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FoundFinding {
    /// The rule that found it.
    pub rule: &'static str,
    /// What names the finding wherever its lines go.
    pub fingerprint: Fingerprint,
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
            suppressed: outcome
                .silenced
                .iter()
                .map(|silenced| SuppressedFinding::of(silenced, &outcome.world))
                .collect(),
            errors: places(Gravity::Error),
            notices: places(Gravity::Notice),
        }
    }
}

impl SuppressedFinding {
    fn of(silenced: &Silenced, world: &World) -> Self {
        let (by, reason) = match &silenced.by {
            Silencer::Comment { reason } => (SuppressedBy::Comment, reason.clone()),
            Silencer::Baseline => (SuppressedBy::Baseline, None),
            Silencer::Revision(_) => (SuppressedBy::Revision, Some(silenced.by.reason())),
        };
        Self {
            by,
            reason,
            finding: FoundFinding::of(&silenced.finding, world),
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
            fingerprint: finding.fingerprint.clone(),
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
