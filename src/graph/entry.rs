//! Claims that are written as one.

use super::Allocation;
use crate::binding::{Addresses, HostIp, PortRange, Protocol, Published, addresses};
use crate::claim::Claim;
use crate::compose::port::Origin;
use crate::compose::project::PublishId;
use crate::world::World;

/// Claims that are written as one: those of one entry of one service.
#[derive(Clone, Debug)]
pub struct Entry<'a, 'w> {
    /// Everything.
    pub world: &'w World,
    /// The host.
    pub host: &'a Allocation<'w>,
    /// All claims of the entry, by target; never empty.
    claims: Vec<&'a Claim<'w>>,
}

impl<'a, 'w> Entry<'a, 'w> {
    /// The entry that the claim of this index is part of.
    #[must_use]
    pub fn of(world: &'w World, host: &'a Allocation<'w>, index: usize) -> Self {
        let claims = host.entry(index).iter().map(|index| &host.claims[*index]);
        Self {
            world,
            host,
            claims: claims.collect(),
        }
    }

    /// Its first claim.
    #[must_use]
    pub fn first(&self) -> &'a Claim<'w> {
        self.claims[0]
    }

    /// Where it is written.
    #[must_use]
    pub fn origin(&self) -> &'a Origin {
        &self.first().publish.origin
    }

    /// `` `web` ``, with its project where several share the host.
    #[must_use]
    pub fn who(&self) -> String {
        let claim = self.first();
        if self.host.is_shared {
            format!("`{}` of `{}`", claim.service.name, claim.project.name)
        } else {
            format!("`{}`", claim.service.name)
        }
    }

    /// Its claims, by target.
    pub fn claims(&self) -> impl Iterator<Item = &'a Claim<'w>> {
        self.claims.iter().copied()
    }

    /// The publishes that it stands for, by target.
    pub fn publishes(&self) -> impl Iterator<Item = PublishId> {
        self.claims.iter().map(|claim| claim.id)
    }

    /// The host ports, from the lowest to the highest; none where the engine chooses.
    #[must_use]
    pub fn published(&self) -> Option<PortRange> {
        let ranges: Option<Vec<PortRange>> =
            self.claims.iter().map(|claim| claim.ports()).collect();
        PortRange::around(ranges?)
    }

    /// True if the engine chooses its host ports.
    #[must_use]
    pub fn is_dynamic(&self) -> bool {
        self.first().wanted.binding.published == Published::Dynamic
    }

    /// The container ports, from the lowest to the highest.
    #[must_use]
    pub fn targets(&self) -> PortRange {
        let targets = self.claims.iter().map(|claim| claim.wanted.binding.target);
        let first = self.first().wanted.binding.target;
        PortRange::around(targets.map(PortRange::from)).unwrap_or(first.into())
    }

    /// The entry in short syntax, with other host ports if given.
    #[must_use]
    pub fn mapping(&self, published: Option<PortRange>) -> String {
        self.mapping_at(self.first().wanted.binding.host_ip, published)
    }

    /// The entry in short syntax at another address, with other host ports if given.
    #[must_use]
    pub fn mapping_at(&self, host_ip: Option<HostIp>, published: Option<PortRange>) -> String {
        let binding = self.first().wanted.binding;
        let mut text = match host_ip {
            Some(ip) => format!("{ip}:"),
            None => String::new(),
        };
        match published.or(self.published()) {
            Some(ports) => text += &format!("{ports}:"),
            None if host_ip.is_some() => text += ":",
            None => {}
        }
        text += &self.targets().to_string();
        match binding.protocol {
            Protocol::Tcp => text,
            protocol => format!("{text}/{protocol}"),
        }
    }

    /// TCP, UDP or SCTP.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.first().wanted.binding.protocol
    }

    /// Where its ports are bound, in words.
    #[must_use]
    pub fn place(&self) -> String {
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

    /// The entry's identity, to tell entries apart.
    #[must_use]
    pub fn key(&self) -> (usize, &'w str, crate::span::Span) {
        let claim = self.first();
        (
            claim.project_index,
            &claim.service.name,
            claim.publish.origin.entry,
        )
    }
}
