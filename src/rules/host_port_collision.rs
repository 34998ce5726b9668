//! # host-port-collision
//!
//! ## What it finds
//! Two services, or two entries of one service, that publish the same host port. Services of two
//! projects are `project-collision`'s.
//!
//! Services that meet only when several profiles are turned on that nobody chose are a warning:
//! such profiles often are alternatives, `cpu` and `gpu`, of which one is on at a time.
//!
//! ## Why
//! Only one socket can have an address, a port and a protocol. The engine starts whichever comes
//! first and refuses the other: `Bind for 0.0.0.0:8080 failed: port is already allocated`. What
//! was started keeps running, so that half of the project is up. Compose itself does not check.
//!
//! No host IP means every address, IPv4 and IPv6: it collides with any other. `0.0.0.0` contains
//! every IPv4 address, `[::]` every IPv6 address, but neither the other. Two different addresses
//! do not collide, nor do TCP and UDP.
//!
//! ## Example
//! ```yaml
//! services: # fires
//!   web: { image: web, ports: ["8080:80"] }
//!   api: { image: api, ports: ["127.0.0.1:8080:80"] }
//! ```
//! ```yaml
//! services: # silent
//!   web: { image: web, ports: ["127.0.0.1:8080:80"] }
//!   api: { image: api, ports: ["127.0.0.2:8080:80"] }
//!   dns: { image: dns, ports: ["53:53/udp", "53:53/tcp"] }
//! ```
//!
//! ## Remedy
//! Publish one of them on another host port; the message names a free one. What depends on profiles
//! can be checked as it will run: `--profile gpu`.
//!
//! ## Sources
//! [Publishing ports](https://docs.docker.com/engine/network/port-publishing/); the bindings of
//! real engines 20.10 to 29 were recorded and are replayed in the tests.

use std::collections::{BTreeMap, BTreeSet};

use super::describe::{self, Entry, profile_note};
use super::{Context, Rule, project_collision};
use crate::binding::{Cause, Port, Published};
use crate::finding::{Finding, Label, Severity};
use crate::fingerprint;
use crate::graph::Allocation;
use crate::plan::meetings;
use crate::world::World;

pub(super) const RULE: Rule = Rule::new(
    "host-port-collision",
    Severity::Error,
    include_str!("host_port_collision.rs"),
    check,
)
.fixed();

fn check(rule: &Rule, cx: &Context<'_>, out: &mut Vec<Finding>) {
    find(rule, cx, false, out);
}

/// Finds claims that are in each other's way, of one project or of several.
pub(super) fn find(rule: &Rule, cx: &Context<'_>, across: bool, out: &mut Vec<Finding>) {
    for host in cx.hosts {
        pairs(rule, cx, host, across, out);
        for collision in host.collisions.iter().filter(|found| !found.has_holder()) {
            if host.crosses_projects(&collision.claims) != across {
                continue;
            }
            if let Cause::Exhausted { ports, wanted } = collision.cause {
                out.push(exhausted(rule, cx, host, &collision.claims, ports, wanted));
            }
        }
    }
}

/// The claims that must move, each with the first one that stands in its way.
fn pairs(
    rule: &Rule,
    cx: &Context<'_>,
    host: &Allocation<'_>,
    across: bool,
    out: &mut Vec<Finding>,
) {
    // entry against entry: a range that meets a range is one finding
    let mut found: BTreeMap<_, (usize, usize, Cause, Vec<Port>)> = BTreeMap::new();
    for (stayer, mover, collision) in host.graph.all_edges() {
        let (stayer, mover) = (stayer.min(mover), stayer.max(mover));
        if host.crosses_projects(&[stayer, mover]) != across {
            continue;
        }
        let Published::Fixed(port) = host.claims[mover].wanted.binding.published else {
            continue;
        };
        let key = |index: usize| host.entry(index)[0];
        let cause = host.collisions[*collision].cause;
        let found = found.entry((key(mover), key(stayer)));
        found
            .or_insert_with(|| (stayer, mover, cause, Vec::new()))
            .3
            .push(port);
    }
    for (stayer, mover, cause, mut ports) in found.into_values() {
        ports.sort();
        let stayer = Entry::of(cx.world, host, stayer);
        let mover = Entry::of(cx.world, host, mover);
        out.push(pair(rule, cx, &stayer, &mover, cause, &ports));
    }
}

/// What is reported of each two entries that meet, if it is reported: where several meet, not all
/// pairs are, and which are depends on who comes first.
pub(crate) fn all_pairs(world: &World) -> Vec<Finding> {
    let mut found = Vec::new();
    for host in world.hosts() {
        let host = Allocation::of(world, &host);
        let mut pairs = BTreeSet::new();
        for clique in meetings::cliques(&host) {
            let entries: BTreeSet<usize> = clique.iter().map(|it| host.entry(*it)[0]).collect();
            for (at, a) in entries.iter().enumerate() {
                pairs.extend(entries.iter().skip(at + 1).map(|b| (*a, *b)));
            }
        }
        for (a, b) in pairs {
            let rule = match host.crosses_projects(&[a, b]) {
                true => project_collision::RULE,
                false => RULE,
            };
            let mut finding = rule.finding(String::new());
            let entries = [a, b].map(|index| Entry::of(world, &host, index));
            finding.claims = entries.iter().map(Entry::claim_ref).collect();
            describe::name_host(&mut finding, &host);
            found.push(finding);
        }
    }
    fingerprint::assign(&mut found, world);
    found
}

fn pair(
    rule: &Rule,
    cx: &Context<'_>,
    stayer: &Entry<'_, '_>,
    mover: &Entry<'_, '_>,
    cause: Cause,
    ports: &[Port],
) -> Finding {
    let protocol = mover.first().wanted.binding.protocol;
    let port = match ports {
        [first, .., last] => format!("{first}-{last}/{protocol}"),
        [port] => format!("{port}/{protocol}"),
        [] => protocol.to_string(),
    };
    let (a, b) = (stayer.who(), mover.who());
    let mut finding = rule.finding(if a == b {
        format!("{a} publishes {port} twice")
    } else {
        format!("{a} and {b} both publish {port}")
    });
    let why = describe::meeting(cause).map_or_else(String::new, |why| format!("; {why}"));
    finding.labels = stayer.labels("");
    let mut more = mover.labels(&why);
    // files of two projects can be alike to the byte
    let place = |label: &Label| {
        let file = cx.world.projects[label.project]
            .sources
            .file(label.span.file);
        (file.path().to_owned(), label.span.range())
    };
    if place(&more[0]) == place(&finding.labels[0]) {
        finding.labels[0].text = format!("both {a} and {b} have it from here");
        more.remove(0);
    }
    finding.labels.extend(more);
    finding.claims = vec![stayer.claim_ref(), mover.claim_ref()];
    finding.severity = by_profiles(rule, &[stayer, mover]);
    describe::name_host(&mut finding, stayer.host);
    finding.notes.extend(profile_note(&[stayer, mover]));
    finding.notes.extend(stayer.notes());
    finding.notes.extend(mover.notes());
    finding.notes.dedup();
    let planned = mover.planned(cx).map(|remap| (mover, remap));
    let planned = planned.or_else(|| stayer.planned(cx).map(|remap| (stayer, remap)));
    finding.remap = planned.as_ref().map(|(_, remap)| remap.clone());
    let layer = |entry: &Entry<'_, '_>| {
        let claim = entry.first();
        claim.project.layer_of(&claim.publish.origin)
    };
    finding.help = Some(match planned {
        _ if a == b && layer(stayer) < layer(mover) => {
            "to replace the first, write `ports: !override` above the second".to_owned()
        }
        Some((entry, remap)) => entry.advice(&remap),
        None => format!("publish {b} on other host ports"),
    });
    finding
}

/// How grave it is that services meet: less if no single profile turns all of them on.
fn by_profiles(rule: &Rule, entries: &[&Entry<'_, '_>]) -> Severity {
    if describe::are_alternatives(entries) {
        rule.severity.min(Severity::Warning)
    } else {
        rule.severity
    }
}

/// Ranges that together are too short.
fn exhausted(
    rule: &Rule,
    cx: &Context<'_>,
    host: &Allocation<'_>,
    claims: &[usize],
    ports: u64,
    wanted: u64,
) -> Finding {
    let entries: Vec<Entry<'_, '_>> = claims
        .iter()
        .map(|index| Entry::of(cx.world, host, *index))
        .collect();
    let mut names: Vec<String> = entries.iter().map(Entry::who).collect();
    names.dedup();
    let free = match ports {
        0 => "none is free".to_owned(),
        1 => "1 is free".to_owned(),
        ports => format!("{ports} are free"),
    };
    let need = if wanted == 1 {
        "1 host port".to_owned()
    } else {
        format!("{wanted} host ports")
    };
    let mut finding = rule.finding(format!("{} need {need}, but {free}", names.join(", ")));
    finding.labels = entries.iter().flat_map(|entry| entry.labels("")).collect();
    finding.claims = entries.iter().map(Entry::claim_ref).collect();
    let all: Vec<&Entry<'_, '_>> = entries.iter().collect();
    describe::name_host(&mut finding, host);
    finding.severity = by_profiles(rule, &all);
    finding.notes.extend(profile_note(&all));
    finding.help = Some("widen one of the ranges, or move it".to_owned());
    finding
}
