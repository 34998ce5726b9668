//! A set of ports.

use super::{Port, PortRange};

/// Ports, one bit each: made for asking often. It is as long as its highest port needs.
#[derive(Clone, Debug, Default)]
pub struct PortSet(Vec<u64>);

/// The word of a port, and its bit in that.
fn place(port: Port) -> (usize, u64) {
    let bit = usize::from(port.get());
    (bit / 64, 1 << (bit % 64))
}

impl PortSet {
    /// Adds a port.
    pub fn insert(&mut self, port: Port) {
        self.add_range(port.into());
    }

    /// Adds all ports of a range.
    pub fn add_range(&mut self, range: PortRange) {
        let ((first, low), (last, high)) = (place(range.first()), place(range.last()));
        self.grow(last + 1);
        for word in first..=last {
            let from = if word == first { low } else { 1 };
            let up_to = if word == last { high } else { 1 << 63 };
            // the bits from one to the other
            self.0[word] |= up_to | (up_to - from);
        }
    }

    /// Adds all ports of another set.
    pub fn add_all(&mut self, other: &Self) {
        self.grow(other.0.len());
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            *word |= more;
        }
    }

    /// Takes a port out.
    pub fn remove(&mut self, port: Port) {
        let (word, bit) = place(port);
        if let Some(word) = self.0.get_mut(word) {
            *word &= !bit;
        }
    }

    /// Whether it holds a port.
    #[must_use]
    pub fn contains(&self, port: Port) -> bool {
        let (word, bit) = place(port);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }

    /// The ports of a range that it does not hold, from the lowest up.
    pub fn gaps(&self, range: PortRange) -> impl DoubleEndedIterator<Item = Port> {
        let [first, last] = [range.first(), range.last()].map(Port::get);
        // where gaps are rare, most words have none
        let full = |word: u16| self.0.get(usize::from(word)) == Some(&u64::MAX);
        let words = (first / 64..=last / 64).filter(move |word| !full(*word));
        let ports =
            words.flat_map(|word| (0..64).filter_map(move |bit| Port::new(word * 64 + bit)));
        ports.filter(move |port| range.contains(*port) && !self.contains(*port))
    }

    fn grow(&mut self, words: usize) {
        if self.0.len() < words {
            self.0.resize(words, 0);
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_gaps() {
        let range = |text: &str| text.parse::<PortRange>().unwrap();
        for (held, within, gaps) in [
            ("1-65535", "1-65535", vec![]),
            ("2-65534", "1-65535", vec![1, 65535]),
            ("64-127", "62-129", vec![62, 63, 128, 129]),
            ("63-64", "63-65", vec![65]),
            ("80", "79-81", vec![79, 81]),
            ("80", "8080-8081", vec![8080, 8081]),
            ("1-63", "60-70", (64..=70).collect()),
            ("1000-2000", "1500-2002", vec![2001, 2002]),
        ] {
            let mut set = PortSet::default();
            set.add_range(range(held));
            let mut one_by_one = PortSet::from_iter(range(held).iter());
            let ports = |ports: Vec<Port>| ports.into_iter().map(Port::get).collect::<Vec<u16>>();
            assert_eq!(
                ports(set.gaps(range(within)).collect()),
                gaps,
                "{held} {within}"
            );
            let mut down = ports(one_by_one.gaps(range(within)).rev().collect());
            down.reverse();
            assert_eq!(down, gaps, "{held} {within}");
            one_by_one.remove(range(held).first());
            assert!(set.contains(range(held).first()) && !one_by_one.contains(range(held).first()));
        }
    }
}
