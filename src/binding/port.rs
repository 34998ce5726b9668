//! Ports, ranges of ports, and protocols.

use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A port a socket can be bound to: 1 to 65535.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Port(NonZeroU16);

/// A text that is no port from 1 to 65535.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is not a port from 1 to 65535")]
pub struct InvalidPort(String);

impl From<NonZeroU16> for Port {
    fn from(number: NonZeroU16) -> Self {
        Self(number)
    }
}

impl From<Port> for NonZeroU16 {
    fn from(port: Port) -> Self {
        port.0
    }
}

impl Port {
    /// The lowest port.
    pub const MIN: Self = Self(NonZeroU16::MIN);
    /// The highest port.
    pub const MAX: Self = Self(NonZeroU16::MAX);

    /// The port with this number; none for 0, which asks the engine to choose.
    #[must_use]
    pub const fn new(number: u16) -> Option<Self> {
        match NonZeroU16::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0.get()
    }

    /// The next higher port, if there is one.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }
}

impl TryFrom<u16> for Port {
    type Error = InvalidPort;

    fn try_from(number: u16) -> Result<Self, InvalidPort> {
        Self::new(number).ok_or_else(|| InvalidPort(number.to_string()))
    }
}

impl From<Port> for u16 {
    fn from(port: Port) -> Self {
        port.get()
    }
}

impl FromStr for Port {
    type Err = InvalidPort;

    /// Digits only, as Docker reads them: no sign, no blanks; `08080` is 8080 (engine.md 5).
    fn from_str(text: &str) -> Result<Self, InvalidPort> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let port = text.parse().ok().and_then(Self::new);
        port.filter(|_| digits)
            .ok_or_else(|| InvalidPort(text.to_owned()))
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Consecutive ports, both ends included; never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct PortRange {
    first: Port,
    last: Port,
}

/// A text or a pair of ports that is no range.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidPortRange {
    /// One end is no port.
    #[error(transparent)]
    Port(#[from] InvalidPort),
    /// The first port is higher than the last.
    #[error("the range {first}-{last} runs backwards")]
    Reversed {
        /// The port written first.
        first: Port,
        /// The port written last.
        last: Port,
    },
}

impl PortRange {
    /// Every port.
    pub const ALL: Self = Self {
        first: Port::MIN,
        last: Port::MAX,
    };

    /// The ports `first` to `last`.
    ///
    /// # Errors
    /// [`InvalidPortRange::Reversed`] if `first` is higher than `last`.
    pub fn new(first: Port, last: Port) -> Result<Self, InvalidPortRange> {
        if first > last {
            return Err(InvalidPortRange::Reversed { first, last });
        }
        Ok(Self { first, last })
    }

    /// The least range that holds all of these; none of none.
    #[must_use]
    pub fn around(ranges: impl IntoIterator<Item = Self>) -> Option<Self> {
        ranges.into_iter().reduce(|a, b| Self {
            first: a.first.min(b.first),
            last: a.last.max(b.last),
        })
    }

    /// The lowest port.
    #[must_use]
    pub fn first(self) -> Port {
        self.first
    }

    /// The highest port.
    #[must_use]
    pub fn last(self) -> Port {
        self.last
    }

    /// The number of ports, 1 to 65535.
    #[expect(clippy::len_without_is_empty, reason = "a range is never empty")]
    #[must_use]
    pub fn len(self) -> u32 {
        u32::from(self.last.get() - self.first.get()) + 1
    }

    /// The one port of a range as long as that.
    #[must_use]
    pub fn single(self) -> Option<Port> {
        (self.first == self.last).then_some(self.first)
    }

    /// True if the port is in the range.
    #[must_use]
    pub fn contains(self, port: Port) -> bool {
        self.first <= port && port <= self.last
    }

    /// True if the two have a port in common.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.intersection(other).is_some()
    }

    /// The ports the two have in common.
    #[must_use]
    pub fn intersection(self, other: Self) -> Option<Self> {
        Self::new(self.first.max(other.first), self.last.min(other.last)).ok()
    }

    /// The ports from the lowest up.
    pub fn iter(self) -> impl Iterator<Item = Port> {
        (self.first.get()..=self.last.get()).filter_map(Port::new)
    }

    /// The port after this one, and the first after the last: how an engine walks a range
    /// (engine.md 3.4 R1).
    #[must_use]
    pub fn successor(self, port: Port) -> Port {
        port.next()
            .filter(|next| self.contains(*next))
            .unwrap_or(self.first)
    }
}

impl From<Port> for PortRange {
    fn from(port: Port) -> Self {
        Self {
            first: port,
            last: port,
        }
    }
}

impl FromStr for PortRange {
    type Err = InvalidPortRange;

    /// `8000` or `8000-8010`.
    fn from_str(text: &str) -> Result<Self, InvalidPortRange> {
        match text.split_once('-') {
            Some((first, last)) => Self::new(first.parse()?, last.parse()?),
            None => Ok(text.parse::<Port>()?.into()),
        }
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.single() {
            Some(port) => port.fmt(f),
            None => write!(f, "{}-{}", self.first, self.last),
        }
    }
}

/// A transport protocol; each has its own ports (engine.md 0.5). The order is the engine's own.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP, also when none is written.
    #[default]
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

/// A protocol Docker does not publish.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is not a protocol that can be published: tcp, udp or sctp")]
pub struct InvalidProtocol(String);

impl Protocol {
    fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        }
    }
}

impl FromStr for Protocol {
    type Err = InvalidProtocol;

    /// In any case of letters: the CLI lowers them (engine.md 5).
    fn from_str(text: &str) -> Result<Self, InvalidProtocol> {
        let mut all = [Self::Tcp, Self::Udp, Self::Sctp].into_iter();
        all.find(|it| it.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| InvalidProtocol(text.to_owned()))
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
