//! The addresses of this host.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Error;

/// An address of an interface.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct LocalAddress {
    /// The address.
    pub address: IpAddr,
    /// The name of the interface, as the system gives it.
    pub interface: String,
}

/// The addresses of this host, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Addresses(Vec<LocalAddress>);

impl Addresses {
    /// Reads them from the interfaces.
    ///
    /// # Errors
    ///
    /// [`Error::Addresses`] if the system does not list them.
    pub fn read() -> Result<Self, Error> {
        let interfaces = if_addrs::get_if_addrs().map_err(|source| Error::Addresses { source })?;
        Ok(interfaces
            .into_iter()
            .map(|interface| LocalAddress {
                address: interface.ip(),
                interface: interface.name,
            })
            .collect())
    }

    /// The addresses, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &LocalAddress> {
        self.0.iter()
    }

    /// True if a socket can be bound to the address as far as interfaces go: one of theirs, every
    /// address, or in 127.0.0.0/8, which is local as a whole (engine.md 1.13).
    ///
    /// False is no proof that it cannot: there is `Limits::nonlocal_bind`, UDP binds multicast and
    /// broadcast addresses too, and a route of type `local` makes addresses no interface has.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let loopback4 = address.is_ipv4() && address.is_loopback();
        address.is_unspecified()
            || self
                .0
                .iter()
                .any(|local| local.address == address || (loopback4 && local.address.is_loopback()))
    }
}

impl FromIterator<LocalAddress> for Addresses {
    fn from_iter<T: IntoIterator<Item = LocalAddress>>(addresses: T) -> Self {
        let mut addresses: Vec<_> = addresses.into_iter().collect();
        addresses.sort_unstable();
        addresses.dedup();
        Self(addresses)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(address: &str, interface: &str) -> LocalAddress {
        LocalAddress {
            address: address.parse().unwrap(),
            interface: interface.to_owned(),
        }
    }

    #[test]
    fn local_or_not() {
        let addresses: Addresses = [local("192.0.2.7", "eth0"), local("127.0.0.1", "lo")]
            .into_iter()
            .collect();
        let contains = |address: &str| addresses.contains(address.parse().unwrap());
        for address in [
            "127.0.0.1",
            "127.9.9.9",
            "192.0.2.7",
            "0.0.0.0",
            "::",
            "::ffff:192.0.2.7",
        ] {
            assert!(contains(address), "{address}");
        }
        for address in ["192.0.2.8", "::1", "2001:db8::1"] {
            assert!(!contains(address), "{address}");
        }
        assert!(!Addresses::default().contains("127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn sorted_and_without_repeats() {
        let addresses: Addresses = [
            local("::1", "lo"),
            local("10.0.0.1", "b"),
            local("10.0.0.1", "a"),
            local("::1", "lo"),
        ]
        .into_iter()
        .collect();
        let order: Vec<_> = addresses.iter().map(|local| &*local.interface).collect();
        assert_eq!(order, ["a", "b", "lo"]);
    }
}
