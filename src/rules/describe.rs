//! The words that findings share.

use std::collections::HashSet;

use crate::binding::{Addresses, Cause, Meeting, Network, Port, PortRange, Published, addresses};
use crate::claim::Claim;
use crate::compose::port::OriginKind;
use crate::finding::{ClaimRef, Finding, Label, Remap, Severity};
pub(super) use crate::graph::Entry;
use crate::graph::{Allocation, Collision};
use crate::machine::Use;
use crate::yaml::{How, Step};

use super::{Context, Rule};

/// What findings say of an entry.
impl Entry<'_, '_> {
    /// A finding on the entry alone that another host port does not resolve, the same on
    /// each machine.
    pub(super) fn remark(&self, rule: &Rule, message: String) -> Finding {
        let mut finding = rule.finding(message);
        finding.labels = self.labels("");
        finding.claims = vec![self.claim_ref()];
        finding.notes.extend(profile_note(&[self]));
        finding
    }

    /// The same, where it depends on the machine.
    pub(super) fn remark_there(&self, rule: &Rule, message: String) -> Finding {
        Finding {
            host: self.host.host_name(),
            ..self.remark(rule, message)
        }
    }

    /// A finding on the entry alone.
    pub(super) fn finding(&self, rule: &Rule, cx: &Context<'_>, message: String) -> Finding {
        let mut finding = self.remark_there(rule, message);
        finding.remap = self.remap(cx);
        finding.help = finding.remap.as_ref().map(|remap| self.advice(remap));
        finding
    }

    /// How grave it is that some ports cannot be bound: an error if a claim can get no other, a
    /// warning if its range has others, for the engine may try that one first.
    pub(super) fn barred(&self, is_barred: impl Fn(Port) -> bool) -> Option<Severity> {
        let graveness = |published| match published {
            Published::Fixed(port) => is_barred(port).then_some(Severity::Error),
            Published::OneOf(range) if range.iter().all(&is_barred) => Some(Severity::Error),
            Published::OneOf(range) => range.iter().any(&is_barred).then_some(Severity::Warning),
            Published::Dynamic => None,
        };
        let claims = self.claims().map(|claim| &claim.wanted);
        let graveness = claims.filter_map(|wanted| {
            let found = graveness(wanted.binding.published)?;
            let on = addresses(&wanted.binding, &wanted.network, &self.host.engine);
            (on != Addresses::default()).then_some(found)
        });
        graveness.max()
    }

    /// From the lowest to the highest of its ports that are barred.
    pub(super) fn barred_ports(&self, is_barred: impl Fn(Port) -> bool) -> Option<PortRange> {
        let ports = self.claims().filter_map(Claim::ports);
        let barred = ports
            .flat_map(PortRange::iter)
            .filter(|port| is_barred(*port));
        PortRange::around(barred.map(PortRange::from))
    }

    /// The entry for programs.
    pub(super) fn claim_ref(&self) -> ClaimRef {
        let claim = self.first();
        ClaimRef {
            project: claim.project_index,
            service: claim.service.name.clone(),
            host_ip: claim.publish.host_ip.clone(),
            published: self.published().map(|ports| ports.to_string()),
            protocol: claim.wanted.binding.protocol.to_string(),
            origin: self.origin().clone(),
        }
    }

    /// The number, and what pulled it in from elsewhere.
    pub(super) fn labels(&self, more: &str) -> Vec<Label> {
        let claim = self.first();
        let origin = self.origin();
        let name = &claim.service.name;
        let writer = match &origin.kind {
            OriginKind::Default { variable } => format!(" (default of {variable})"),
            OriginKind::EnvFile { variable } => format!(" ({variable})"),
            OriginKind::Shell { variable } => format!(" ({variable} of the shell)"),
            OriginKind::Literal | OriginKind::Mixed => String::new(),
        };
        let text = format!("{name}: {}{writer}{more}", self.place());
        let mut labels = vec![self.label(origin.span, text)];
        labels.extend(origin.trail.iter().map(|step: &Step| {
            let how = match step.how {
                How::Alias => "alias",
                How::Merge => "merge",
                How::Extends => "extends",
                How::Include => "include",
            };
            self.label(step.span, format!("{name} gets it by this {how}"))
        }));
        labels
    }

    fn label(&self, span: crate::span::Span, text: String) -> Label {
        Label {
            project: self.first().project_index,
            span,
            text,
        }
    }

    /// How to move the entry, given where to.
    pub(super) fn advice(&self, remap: &Remap) -> String {
        let ports = remap.to.rsplit(':').nth(1).unwrap_or_default();
        let file = || {
            self.first()
                .project
                .sources
                .file(self.origin().span.file)
                .path()
        };
        match &self.origin().kind {
            OriginKind::Default { variable } => {
                format!("set {variable}={ports}, or make that the default")
            }
            OriginKind::EnvFile { variable } => format!("set {variable}={ports} in {}", file()),
            OriginKind::Shell { variable } => format!("set {variable}={ports} in the shell"),
            OriginKind::Literal | OriginKind::Mixed => {
                format!("publish {} as {} instead", self.who(), remap.to)
            }
        }
    }

    /// What must be so for the entry to count at all.
    pub(super) fn notes(&self) -> Vec<String> {
        let claim = self.first();
        let mut notes = Vec::new();
        if claim.wanted.network == Network::Unknown {
            notes.push(format!(
                "the network of `{}` is not defined here: it is taken for a bridge",
                claim.service.name
            ));
        }
        notes
    }
}

/// Findings on the ports that holders of a kind have already.
pub(super) fn held_by(
    rule: &Rule,
    cx: &Context<'_>,
    is_kind: impl Fn(&Use<'_>) -> bool,
    out: &mut Vec<Finding>,
) {
    for host in cx.hosts {
        let collisions = host.collisions.iter().filter(|found| found.has_holder());
        let sure = collisions.clone().filter(|found| found.is_certain());
        let sure: HashSet<&[usize]> = sure.map(|found| &found.claims[..]).collect();
        for collision in collisions {
            // what fails surely does not also fail perhaps
            if !collision.is_certain() && sure.contains(&collision.claims[..]) {
                continue;
            }
            if let Some(who) = host.holder(collision).filter(&is_kind) {
                out.extend(held(rule, cx, host, collision, who));
            }
        }
    }
}

/// A finding on a port that somebody has already.
fn held(
    rule: &Rule,
    cx: &Context<'_>,
    host: &Allocation<'_>,
    collision: &Collision,
    who: Use<'_>,
) -> Option<Finding> {
    let entry = Entry::of(cx.world, host, *collision.claims.first()?);
    let ports = entry.published();
    let ports = ports.map_or_else(|| "a port".to_owned(), |ports| ports.to_string());
    let (name, holder) = (entry.who(), who.words());
    let protocol = entry.protocol();
    let mut finding = rule.finding(match collision.cause {
        Cause::Port(_) => format!("{name} wants {ports}/{protocol}, which {holder} has"),
        Cause::Maybe(_) => format!("{name} may not get {ports}/{protocol}, because of {holder}"),
        _ => format!("{name} finds no free port in {ports}/{protocol}, of which {holder} has one"),
    });
    let why = meeting(collision.cause).map_or_else(String::new, |why| format!("; {why}"));
    finding.labels = entry.labels(&why);
    finding.claims = vec![entry.claim_ref()];
    finding.host = host.host_name();
    if let Cause::Maybe(reason) = collision.cause {
        finding.severity = finding.severity.min(Severity::Warning);
        finding.notes.push(reason.to_string());
    }
    let orphan = match who {
        Use::Container(container) => container
            .belongs_to(&entry.first().project.name)
            .then_some("an orphan of this project"),
        _ => None,
    };
    finding.notes.extend(
        orphan.map(|word| format!("it is {word}: `docker compose up --remove-orphans` removes it")),
    );
    finding.notes.extend(profile_note(&[&entry]));
    finding.notes.extend(entry.notes());
    finding.remap = entry.remap(cx);
    let moved = finding.remap.as_ref().map(|remap| entry.advice(remap));
    finding.help = match (who.remedy(), moved) {
        (Some(stop), Some(moved)) => Some(format!("{stop}; or {moved}")),
        (stop, moved) => stop.or(moved),
    };
    finding.holder = Some(who.reference());
    Some(finding)
}

/// The profiles of those services that are off as long as nobody chooses one of them.
fn unchosen<'w>(entries: &[&Entry<'_, 'w>]) -> Vec<&'w [String]> {
    let claims = entries.iter().map(|entry| entry.first());
    let off = claims.filter(|claim| !claim.project.profiles.enable(&claim.service.profiles));
    off.map(|claim| &claim.service.profiles[..]).collect()
}

/// True if no single profile turns all of these services on: they may well be alternatives.
pub(super) fn are_alternatives(entries: &[&Entry<'_, '_>]) -> bool {
    let unchosen = unchosen(entries);
    unchosen.split_first().is_some_and(|(first, rest)| {
        let turns_all_on = |name: &String| rest.iter().all(|names| names.contains(name));
        !first.iter().any(turns_all_on)
    })
}

/// Says on which host projects meet, where `portplan.yaml` has them share it: what is wrong within
/// one project is so on each of its hosts, and told once.
pub(super) fn name_host(finding: &mut Finding, host: &Allocation<'_>) {
    let mut projects = finding.claims.iter().map(|claim| claim.project);
    let first = projects.next();
    if let Some(name) = host.name.filter(|_| projects.any(|it| Some(it) != first)) {
        finding.host = Some(name.to_owned());
        finding.notes.push(format!("they share the host {name}"));
    }
}

/// In which profiles the services must be on to meet.
pub(super) fn profile_note(entries: &[&Entry<'_, '_>]) -> Option<String> {
    let mut needed: Vec<String> = Vec::new();
    for profiles in unchosen(entries) {
        let names: Vec<String> = profiles.iter().map(|name| format!("`{name}`")).collect();
        let names = names.join(" or ");
        if !needed.contains(&names) {
            needed.push(names);
        }
    }
    match &needed[..] {
        [] => None,
        [one] => Some(format!("only when profile {one} is on")),
        several => Some(format!(
            "only when profiles {} are on",
            several.join(" and ")
        )),
    }
}

/// Why two addresses meet, where that needs a word.
pub(super) fn meeting(cause: Cause) -> Option<String> {
    match cause {
        Cause::Port(why) => match why.meeting {
            Meeting::Same(_) => None,
            Meeting::Contains { any, one } => Some(format!("{any} contains {one}")),
            other => Some(other.to_string()),
        },
        _ => None,
    }
}
