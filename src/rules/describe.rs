//! The words that findings share.

use std::collections::BTreeSet;

use crate::binding::{
    Addresses, Cause, Meeting, Network, Port, PortRange, Protocol, Published, addresses,
};
use crate::claim::Claim;
use crate::compose::port::{Origin, OriginKind};
use crate::finding::{ClaimRef, Finding, Label, Remap, Severity};
use crate::graph::{Allocation, Collision};
use crate::machine::Use;
use crate::plan::candidates;
use crate::world::World;
use crate::yaml::{How, Step};

use super::{Context, Rule};

/// Claims that are written as one: those of one entry of one service.
#[derive(Clone, Debug)]
pub(super) struct Entry<'a, 'w> {
    pub world: &'w World,
    host: &'a Allocation<'w>,
    /// All claims of the entry, by target; never empty.
    claims: Vec<&'a Claim<'w>>,
}

impl<'a, 'w> Entry<'a, 'w> {
    /// The entry that the claim of this index is part of.
    pub fn of(world: &'w World, host: &'a Allocation<'w>, index: usize) -> Self {
        let claims = host.entry(index).iter().map(|index| &host.claims[*index]);
        Self {
            world,
            host,
            claims: claims.collect(),
        }
    }

    pub fn first(&self) -> &'a Claim<'w> {
        self.claims[0]
    }

    fn origin(&self) -> &'a Origin {
        &self.first().publish.origin
    }

    /// `` `web` ``, with its project where several share the host.
    pub fn who(&self) -> String {
        let claim = self.first();
        if self.world.together && self.world.projects.len() > 1 {
            format!("`{}` of `{}`", claim.service.name, claim.project.name)
        } else {
            format!("`{}`", claim.service.name)
        }
    }

    /// The host ports as one text: `8080`, `8000-8010`; none where the engine chooses.
    fn published(&self) -> Option<String> {
        let ports = |claim: &Claim<'_>| match claim.wanted.binding.published {
            Published::Fixed(port) => Some(PortRange::from(port)),
            Published::OneOf(range) => Some(range),
            Published::Dynamic => None,
        };
        let ranges: Option<Vec<PortRange>> = self.claims.iter().map(|claim| ports(claim)).collect();
        let ranges = ranges?;
        let first = ranges.iter().map(|range| range.first()).min()?;
        let last = ranges.iter().map(|range| range.last()).max()?;
        Some(range_text(first, last))
    }

    /// The entry in short syntax, with other host ports if given.
    fn mapping(&self, published: Option<&str>) -> String {
        let binding = self.first().wanted.binding;
        let targets = self.claims.iter().map(|claim| claim.wanted.binding.target);
        let first = binding.target;
        let last = targets.max().unwrap_or(first);
        let mut text = match binding.host_ip {
            Some(ip) => format!("{ip}:"),
            None => String::new(),
        };
        let own = self.published();
        match published.or(own.as_deref()) {
            Some(ports) => text += &format!("{ports}:"),
            None if binding.host_ip.is_some() => text += ":",
            None => {}
        }
        text += &range_text(first, last);
        match binding.protocol {
            crate::binding::Protocol::Tcp => text,
            protocol => format!("{text}/{protocol}"),
        }
    }

    /// TCP, UDP or SCTP.
    pub fn protocol(&self) -> Protocol {
        self.first().wanted.binding.protocol
    }

    /// Where its ports are bound, in words.
    fn place(&self) -> String {
        let claim = self.first();
        let binding = &claim.wanted.binding;
        match binding.host_ip {
            Some(ip) if ip.is_any() => {
                let family = if ip.is_ipv4() { "IPv4" } else { "IPv6" };
                format!("{ip}, every {family} address")
            }
            Some(ip) => ip.to_string(),
            None => match addresses(binding, &claim.wanted.network, &self.host.engine) {
                Addresses {
                    ipv4: Some(four),
                    ipv6: Some(six),
                } if four.is_any() => {
                    format!("every address ({four} and {six})")
                }
                found => {
                    let found: Vec<String> = found.iter().map(|ip| ip.to_string()).collect();
                    found.join(" and ")
                }
            },
        }
    }

    /// The entry for programs.
    pub fn claim_ref(&self) -> ClaimRef {
        let claim = self.first();
        ClaimRef {
            project: claim.project_index,
            service: claim.service.name.clone(),
            host_ip: claim.publish.host_ip.clone(),
            published: self.published(),
            protocol: claim.wanted.binding.protocol.to_string(),
            origin: self.origin().clone(),
        }
    }

    /// The number, and what pulled it in from elsewhere.
    pub fn labels(&self, more: &str) -> Vec<Label> {
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

    /// Where the entry could go instead: free ports near its own.
    pub fn remap(&self) -> Option<Remap> {
        self.remap_beside(&mut BTreeSet::new())
    }

    /// Where it could go if the ports of `given` are promised to others; adds its own to them.
    pub fn remap_beside(&self, given: &mut BTreeSet<Port>) -> Option<Remap> {
        let port = self.fixed_port()?;
        let count = self.claims.len() as u32;
        let taken = |port: &Port| given.contains(port) || self.host.taken().contains(port);
        let range = candidates::near(port, count, &taken, &self.host.engine)?;
        given.extend(range.iter());
        self.remap_to(range)
    }

    /// The entry with `count` host ports instead of one, from its own upwards if they are free.
    pub fn widened(&self, count: u32) -> Option<Remap> {
        let port = self.fixed_port()?;
        let taken = |other: &Port| *other != port && self.host.taken().contains(other);
        let start = port.get().into();
        self.remap_to(candidates::first_good(
            start,
            count,
            &taken,
            &self.host.engine,
        )?)
    }

    fn fixed_port(&self) -> Option<Port> {
        match self.first().wanted.binding.published {
            Published::Fixed(port) => Some(port),
            Published::OneOf(_) | Published::Dynamic => None,
        }
    }

    fn remap_to(&self, range: PortRange) -> Option<Remap> {
        let published = range_text(range.first(), range.last());
        Some(Remap {
            service: self.first().service.name.clone(),
            from: self.mapping(None),
            to: self.mapping(Some(&published)),
        })
    }

    /// How to move the entry, given where to.
    pub fn advice(&self, remap: &Remap) -> String {
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
    pub fn notes(&self) -> Vec<String> {
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

    /// The entry's identity, to tell entries apart.
    pub fn key(&self) -> (usize, &'w str, crate::span::Span) {
        let claim = self.first();
        (
            claim.project_index,
            &claim.service.name,
            claim.publish.origin.entry,
        )
    }
}

/// A finding on a port that somebody has already.
pub(super) fn held(
    rule: &Rule,
    cx: &Context<'_>,
    host: &Allocation<'_>,
    collision: &Collision,
    who: Use<'_>,
) -> Option<Finding> {
    let entry = Entry::of(cx.world, host, *collision.claims.first()?);
    let ports = entry.published().unwrap_or_else(|| "a port".to_owned());
    let (name, holder) = (entry.who(), who.words());
    let protocol = entry.protocol();
    let mut finding = rule.finding(match collision.cause {
        Cause::Port(_) => format!("{name} wants {ports}/{protocol}, which {holder} has"),
        Cause::Maybe(_) => format!("{name} may not get {ports}/{protocol}, for {holder} is there"),
        _ => format!("{name} finds no free port in {ports}/{protocol}, of which {holder} has one"),
    });
    let why = meeting(collision.cause).map_or_else(String::new, |why| format!("; {why}"));
    finding.labels = entry.labels(&why);
    finding.claims = vec![entry.claim_ref()];
    finding.host = host.machine.map(|machine| machine.name.clone());
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
    finding.remap = entry.remap();
    let holder = who.reference();
    let stop = holder
        .command
        .as_ref()
        .map(|command| format!("free it: `{command}`"));
    let moved = finding.remap.as_ref().map(|remap| entry.advice(remap));
    finding.help = match (stop, moved) {
        (Some(stop), Some(moved)) => Some(format!("{stop}; or {moved}")),
        (stop, moved) => stop.or(moved),
    };
    finding.holder = Some(holder);
    Some(finding)
}

/// In which profiles the services must be on to meet.
pub(super) fn profile_note(entries: &[&Entry<'_, '_>]) -> Option<String> {
    let mut needed: Vec<String> = Vec::new();
    for entry in entries {
        let service = entry.first().service;
        let on = &entry.first().project.profiles;
        if service.profiles.is_empty() || on.enable(&service.profiles) {
            continue;
        }
        let names: Vec<String> = service
            .profiles
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
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

/// `8080` or `8000-8010`.
pub(super) fn range_text(first: Port, last: Port) -> String {
    if first == last {
        first.to_string()
    } else {
        format!("{first}-{last}")
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
