//! # stack-collision
//!
//! ## What it finds
//! A port that `docker stack deploy` would be refused, or that a task could not have on its node.
//! Looked for with `check --stack NAME`: against the services of other stacks, between the services
//! of this one, and against what Swarm itself needs.
//!
//! ## Why
//! An ingress port exists once in the whole Swarm: `port '8080' is already in use by service … as
//! an ingress port`. A `mode: host` port exists once on each node; tasks beyond that stay pending,
//! `no suitable node (host-mode port already in use)`. A host range takes all of its ports here.
//!
//! ## Example
//! ```yaml
//! services: # fires
//!   web: { image: web, ports: ["8080:80"] }
//!   api: { image: api, ports: ["8080-8082:80"] }
//! ```
//! ```yaml
//! services: # silent
//!   web: { image: web, ports: ["8080:80"], deploy: { replicas: 3 } }
//!   api: { image: api, ports: ["8081:80"] }
//! ```
//!
//! ## Remedy
//! Publish another port, or remove the other service.
//!
//! ## Sources
//! [Publish ports of services](https://docs.docker.com/engine/swarm/services/#publish-ports);
//! recorded on engines 20.10, 28 and 29.

use std::collections::BTreeMap;

use super::{Context, Needs, Rule};
use crate::engine::snapshot::{PublishMode, Service, Swarm};
use crate::finding::{ClaimRef, Finding, Label, Severity};
use crate::machine::{Machine, words};
use crate::stack::{SWARM_PORTS, StackClaim, claims};

pub(super) const RULE: Rule = Rule::new(
    "stack-collision",
    Severity::Error,
    include_str!("stack_collision.rs"),
    check,
)
.needs(Needs::Stack);

fn check(rule: &Rule, cx: &Context<'_>, out: &mut Vec<Finding>) {
    let Some(stack) = &cx.world.stack else { return };
    for (index, project) in cx.world.projects.iter().enumerate() {
        let claims = claims(index, project);
        within(rule, cx, &claims, out);
        crowded(rule, cx, &claims, out);
        for claim in &claims {
            let swarm = |(port, protocol, _): &&(u16, _, _)| {
                claim.port.get() == *port && claim.protocol == *protocol
            };
            if let Some((.., who)) = SWARM_PORTS.iter().find(swarm) {
                out.push(finding(
                    rule,
                    claim,
                    &format!("which Swarm needs for {who}"),
                ));
            }
            for machine in &cx.world.machines {
                for service in machine
                    .services()
                    .filter(|other| !is_same(other, claim, stack))
                {
                    out.extend(against(rule, claim, service, machine));
                }
            }
        }
    }
}

/// `deploy` updates the service of this name in place.
fn is_same(other: &Service, claim: &StackClaim<'_>, stack: &str) -> bool {
    other.name == format!("{stack}_{}", claim.service.name)
}

/// Between the services of the stack, and within one.
fn within(rule: &Rule, cx: &Context<'_>, claims: &[StackClaim<'_>], out: &mut Vec<Finding>) {
    let mut first: BTreeMap<_, &StackClaim<'_>> = BTreeMap::new();
    let mut told = Vec::new();
    for claim in claims {
        let Some(other) = first.get(&(claim.port, claim.protocol)) else {
            first.insert((claim.port, claim.protocol), claim);
            continue;
        };
        let names = (&other.service.name, &claim.service.name);
        let both_host = [other.mode, claim.mode] == [PublishMode::Host; 2];
        // two tasks of host mode need two nodes
        if both_host && names.0 != names.1 && nodes(cx) != Some(1) {
            continue;
        }
        // an entry that is a range meets another but once
        let pair = (
            names,
            other.publish.origin.entry,
            claim.publish.origin.entry,
        );
        if told.contains(&pair) {
            continue;
        }
        told.push(pair);
        let mut found = finding(
            rule,
            claim,
            &format!("which `{}` has in the same stack", names.0),
        );
        found.labels.push(label(other, "here"));
        found.claims.insert(
            0,
            ClaimRef::of(other.project_index, other.service, other.publish),
        );
        out.push(found);
    }
}

/// More tasks with a port on their node than there are nodes.
fn crowded(rule: &Rule, cx: &Context<'_>, claims: &[StackClaim<'_>], out: &mut Vec<Finding>) {
    let Some(nodes) = nodes(cx) else { return };
    for claim in claims
        .iter()
        .filter(|claim| claim.mode == PublishMode::Host)
    {
        let tasks = claim.service.copies();
        if tasks > nodes && claim.service.deploy_mode.as_deref() != Some("global") {
            let what = format!("{tasks} times, and the Swarm has {nodes} nodes for it");
            let mut found = finding(rule, claim, &what);
            found.severity = Severity::Warning;
            found
                .notes
                .push("the tasks beyond that stay pending".to_owned());
            out.push(found);
        }
    }
}

fn nodes(cx: &Context<'_>) -> Option<u32> {
    let engines = cx
        .world
        .machines
        .iter()
        .filter_map(|machine| machine.engines.first());
    engines
        .into_iter()
        .find_map(|engine| match engine.engine.swarm {
            Swarm::Manager { nodes, .. } => nodes,
            _ => None,
        })
}

/// Against a service that the Swarm has.
fn against(
    rule: &Rule,
    claim: &StackClaim<'_>,
    service: &Service,
    machine: &Machine,
) -> Option<Finding> {
    let port = service.ports.iter().find(|port| {
        port.published == Some(claim.port.get())
            && port.protocol == claim.protocol
            && [port.mode, claim.mode] != [PublishMode::Host; 2]
    })?;
    let how = match port.mode {
        PublishMode::Ingress => "on every node",
        PublishMode::Host => "on the nodes of its tasks",
    };
    let what = format!("which Swarm service `{}` has {how}", service.name);
    let mut found = finding(rule, claim, &what);
    let holder = words::service_ref(service);
    found.help = holder
        .command
        .as_ref()
        .map(|command| format!("free it: `{command}`; or publish another port"));
    found.holder = Some(holder);
    found.host = Some(machine.name.clone());
    Some(found)
}

fn finding(rule: &Rule, claim: &StackClaim<'_>, what: &str) -> Finding {
    let (name, port, protocol) = (&claim.service.name, claim.port, claim.protocol);
    let mut found = rule.finding(format!("`{name}` wants {port}/{protocol}, {what}"));
    found.labels.push(label(
        claim,
        match claim.mode {
            PublishMode::Ingress => "on every node of the Swarm",
            PublishMode::Host => "on each node with a task",
        },
    ));
    found.claims.push(ClaimRef::of(
        claim.project_index,
        claim.service,
        claim.publish,
    ));
    if let Some(ip) = &claim.publish.host_ip {
        found.notes.push(format!("a stack drops the host IP {ip}"));
    }
    found.help = Some(format!("publish `{name}` on another port"));
    found
}

fn label(claim: &StackClaim<'_>, text: &str) -> Label {
    Label {
        project: claim.project_index,
        span: claim.publish.origin.span,
        text: format!("{}: {text}", claim.service.name),
    }
}
