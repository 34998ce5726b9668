//! The ports that findings propose: as the plan moves them, or free ones near by.

use std::collections::HashMap;

use super::Context;
use super::describe::Entry;
use crate::binding::{Engine, HostIp, PortRange, PortSet};
use crate::compose::port::Publish;
use crate::compose::project::PublishId;
use crate::finding::{Finding, Remap};
use crate::plan::{candidates, place::in_pool};

/// Ports proposed for entries that nothing makes the plan move, each for one of them only.
#[derive(Debug, Default)]
pub(super) struct Proposals {
    /// The ports that are not free, of each host that one was looked for on.
    taken: HashMap<usize, PortSet>,
    given: HashMap<Key, PortRange>,
}

/// What a proposal is remembered by: TCP and UDP of one number are proposed one number.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Key {
    /// Another port for this one of a service of a project.
    Instead(usize, usize, PortRange),
    /// A host port for this container port of a service of a project, at this host IP; what is
    /// published so several times with one protocol is numbered.
    For(usize, usize, Option<HostIp>, PortRange, usize),
}

impl Context<'_> {
    /// Where to move an entry that the plan may leave alone; no two are proposed one port.
    pub(super) fn remap(&self, entry: &Entry<'_, '_>) -> Option<Remap> {
        entry.planned(self).or_else(|| {
            let PublishId {
                project, service, ..
            } = entry.first().id;
            let key = Key::Instead(project, service, entry.published()?);
            let to = self.propose(key, project, |taken| entry.near(taken))?;
            Some(entry.remap_to(to))
        })
    }

    /// Host ports for an entry whose host ports the engine chooses: those of its container ports,
    /// or near by; one for each container of its service. None where several container ports would
    /// each need several.
    pub(super) fn host_ports(&self, entry: &Entry<'_, '_>) -> Option<PortRange> {
        let claim = entry.first();
        let PublishId {
            project,
            service,
            port,
        } = claim.id;
        let targets = entry.targets();
        let copies = claim.service.copies().max(1);
        let count = match targets.len() {
            1 => copies,
            several if copies == 1 => several,
            _ => return None,
        };
        let what = |it: &Publish| (it.target, it.protocol.clone(), it.host_ip.clone());
        let before = claim.service.ports[..port].iter();
        let nth = before.filter(|it| what(it) == what(claim.publish)).count();
        let first = targets.first();
        let like = |taken: &PortSet, engine: &Engine| candidates::like(first, count, taken, engine);
        let host_ip = claim.wanted.binding.host_ip;
        let key = Key::For(project, service, host_ip, targets, nth);
        self.propose(key, project, |taken| entry.good(taken, like))
    }

    fn propose(
        &self,
        key: Key,
        project: usize,
        find: impl Fn(&PortSet) -> Option<PortRange>,
    ) -> Option<PortRange> {
        let Proposals { taken, given } = &mut *self.proposals.borrow_mut();
        if let Some(known) = given.get(&key) {
            return Some(*known);
        }
        // a project may be on several hosts
        let on = self.hosts.iter().enumerate();
        let on = on.filter(|(_, host)| host.projects.contains(&project));
        let on: Vec<usize> = on.map(|(index, _)| index).collect();
        let mut not_free = PortSet::default();
        for host in &on {
            let of_host = taken.entry(*host).or_insert_with(|| {
                let mut taken = self.hosts[*host].taken().clone();
                taken.extend(self.plan.moves().flat_map(|it| it.to.iter()));
                taken
            });
            not_free.add_all(of_host);
        }
        let found = find(&not_free)?;
        for host in &on {
            taken.entry(*host).or_default().extend(found.iter());
        }
        given.insert(key, found);
        Some(found)
    }
}

impl Entry<'_, '_> {
    /// Where to move the entry: as the plan does, or near by if that leaves it alone.
    pub(super) fn remap(&self, cx: &Context<'_>) -> Option<Remap> {
        let planned = self.planned(cx);
        planned.or_else(|| Some(self.remap_to(self.near(self.host.taken())?)))
    }

    /// Where the plan moves the entry to.
    pub(super) fn planned(&self, cx: &Context<'_>) -> Option<Remap> {
        let to = cx.plan.target(self.publishes())?;
        Some(self.remap_to(to))
    }

    fn remap_to(&self, to: PortRange) -> Remap {
        Remap {
            service: self.first().service.name.clone(),
            from: self.mapping(None),
            to: self.mapping(Some(to)),
        }
    }

    /// Good ports near by that are not taken, in the pools of its project.
    fn near(&self, taken: &PortSet) -> Option<PortRange> {
        let own = self.published()?;
        self.good(taken, |taken, engine| {
            candidates::near(own.first(), own.len(), taken, engine)
        })
    }

    /// Good ports in the pools of its project; of those that the kernel lends to connections only
    /// if there are no others.
    fn good(
        &self,
        taken: &PortSet,
        find: impl Fn(&PortSet, &Engine) -> Option<PortRange>,
    ) -> Option<PortRange> {
        let engine = &self.host.engine;
        let Some(mut outside) = self.world.outside_pools(self.first().project_index) else {
            return find(taken, engine);
        };
        outside.add_all(taken);
        find(&outside, engine).or_else(|| find(&outside, &in_pool(engine)))
    }
}

/// Findings on entries alone that nothing makes the plan move: each is proposed a free port of its
/// own.
pub(super) fn proposed(
    cx: &Context<'_>,
    find: impl Fn(&Entry<'_, '_>) -> Option<Finding>,
) -> Vec<Finding> {
    let mut found = Vec::new();
    for entry in cx.entries() {
        if let Some(mut finding) = find(&entry) {
            finding.remap = cx.remap(&entry);
            finding.help = finding.remap.as_ref().map(|remap| entry.advice(remap));
            found.push(finding);
        }
    }
    found
}
