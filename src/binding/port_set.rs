//! A set of ports.

use super::Port;

/// Ports, one bit each: made for asking often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortSet(Vec<u64>);

impl Default for PortSet {
    fn default() -> Self {
        Self(vec![0; 1 << 10])
    }
}

impl PortSet {
    /// Adds a port.
    pub fn insert(&mut self, port: Port) {
        let bit = usize::from(port.get());
        self.0[bit / 64] |= 1 << (bit % 64);
    }

    /// Adds all ports of another set.
    pub fn add_all(&mut self, other: &Self) {
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            *word |= more;
        }
    }

    /// Takes a port out.
    pub fn remove(&mut self, port: Port) {
        let bit = usize::from(port.get());
        self.0[bit / 64] &= !(1 << (bit % 64));
    }

    /// Whether it holds a port.
    #[must_use]
    pub fn contains(&self, port: Port) -> bool {
        let bit = usize::from(port.get());
        self.0[bit / 64] & 1 << (bit % 64) != 0
    }
}

impl Extend<Port> for PortSet {
    fn extend<T: IntoIterator<Item = Port>>(&mut self, ports: T) {
        ports.into_iter().for_each(|port| self.insert(port));
    }
}

impl FromIterator<Port> for PortSet {
    fn from_iter<T: IntoIterator<Item = Port>>(ports: T) -> Self {
        let mut set = Self::default();
        set.extend(ports);
        set
    }
}
