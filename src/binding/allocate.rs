//! A whole set of claims: can all be had on one engine, whatever the order of starts?

use std::collections::BTreeMap;

use super::range_claims::{self, Demand};
use super::{
    Addresses, Binding, Engine, Hold, HostIp, Meeting, Network, Overlap, Port, Protocol, Reason,
    Socket, Why, addresses, overlap, overlap_host, overlap_in_container,
};

/// A binding that a container wants, through its network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Claim {
    /// The binding.
    pub binding: Binding,
    /// The network that publishes it.
    pub network: Network,
}

/// What is to be started.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Container {
    /// How many of it; none of them claims anything if 0.
    pub copies: u32,
    /// What each copy wants.
    pub claims: Vec<Claim>,
}

/// What is taken before the first start, and stays so.
#[derive(Clone, Copy, Debug, Default)]
pub struct Existing<'a> {
    /// By containers that run on the engine.
    pub holds: &'a [Hold],
    /// By other programs of the host.
    pub sockets: &'a [Socket],
}

/// Names a claim by where it stands in what was given to [`allocate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Member {
    /// The container.
    pub container: usize,
    /// Its claim.
    pub claim: usize,
}

/// Claims, and perhaps things that exist, which cannot all be had, or not surely.
///
/// A certain one is minimal: without any one of its ranges the rest fit, where claims alike but
/// for their container count as one. An uncertain one names all that may be in each other's way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collision {
    /// What keeps them apart, and how surely.
    pub cause: Cause,
    /// The claims, in order.
    pub claims: Vec<Member>,
    /// Indices of [`Existing::holds`].
    pub holds: Vec<usize>,
    /// Indices of [`Existing::sockets`].
    pub sockets: Vec<usize>,
}

impl Collision {
    /// True if a start fails in every order; otherwise one may.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        !matches!(self.cause, Cause::Maybe(_))
    }
}

/// What makes a collision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// One port is needed twice: by two claims, or a claim and what exists.
    Port(Why),
    /// Copies of one claim of a fixed port.
    Copies(u32),
    /// One claim has more copies than its range has ports.
    RangeTooShort {
        /// The ports of the range.
        ports: u32,
        /// The copies.
        copies: u32,
    },
    /// More is wanted of some ranges than the others leave.
    Exhausted {
        /// The free ports of the ranges.
        ports: u64,
        /// How many are wanted.
        wanted: u64,
    },
    /// It depends.
    Maybe(Reason),
}

/// The collisions among what the containers claim and what exists (engine.md 3.4), without order
/// of start. None means that all can be had in every order; a certain one, that some start fails
/// in every order.
///
/// Of claims of one fixed port, each is paired with the first that is in its way and not in the way
/// of an earlier one: so the second of a pair is what must move for the others to stay.
///
/// That a claim cannot be had at all is no collision: see [`refusal`](super::refusal()).
#[must_use]
pub fn allocate(
    containers: &[Container],
    existing: Existing<'_>,
    engine: &Engine,
) -> Vec<Collision> {
    let mut fixed = Fixed::default();
    let mut ranges = Vec::new();
    for (index, container) in containers.iter().enumerate() {
        if container.copies == 0 {
            continue;
        }
        for (claim, wanted) in container.claims.iter().enumerate() {
            let wanted = Wanted {
                member: Member {
                    container: index,
                    claim,
                },
                copies: container.copies,
                addresses: addresses(&wanted.binding, &wanted.network, engine),
                claim: wanted,
            };
            match engine.candidates(&wanted.claim.binding).single() {
                _ if wanted.addresses == Addresses::default() => {}
                Some(port) => fixed.add(wanted.claim.binding.protocol, port, wanted),
                None => ranges.push(wanted),
            }
        }
    }
    let taken = Taken::new(&fixed, existing);
    let mut collisions = fixed.collisions(&taken, engine);
    let (demands, in_groups) = Demand::of(&ranges, engine);
    collisions.extend(in_groups);
    collisions.extend(range_claims::collisions(demands, &taken, engine));
    collisions.sort_by(|a, b| (&a.claims, a.is_certain()).cmp(&(&b.claims, b.is_certain())));
    collisions.dedup();
    collisions
}

/// A claim that takes a port.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub member: Member,
    pub copies: u32,
    pub addresses: Addresses,
    pub claim: &'a Claim,
}

impl Wanted<'_> {
    fn side(&self) -> (&Binding, &Network) {
        (&self.claim.binding, &self.claim.network)
    }

    /// What this and another claim do to each other.
    pub fn overlap(&self, other: &Self, engine: &Engine) -> Overlap {
        if self.member.container == other.member.container {
            overlap_in_container(self.side(), other.side(), engine)
        } else {
            overlap(self.side(), other.side(), engine)
        }
    }
}

/// The claims of fixed ports, by port.
#[derive(Default)]
struct Fixed<'a>(BTreeMap<(Protocol, Port), Vec<Wanted<'a>>>);

impl<'a> Fixed<'a> {
    fn add(&mut self, protocol: Protocol, port: Port, wanted: Wanted<'a>) {
        self.0.entry((protocol, port)).or_default().push(wanted);
    }

    fn collisions(&self, taken: &Taken<'_>, engine: &Engine) -> Vec<Collision> {
        let mut collisions = Vec::new();
        for (&(protocol, port), claims) in &self.0 {
            // those that have the port, if all claims come in order: few, for all of them differ in
            // address, so that thousands of claims of one port do not make millions of pairs
            let mut served: Vec<&Wanted<'_>> = Vec::new();
            for wanted in claims {
                if wanted.copies > 1 {
                    let cause = Cause::Copies(wanted.copies);
                    collisions.push(Collision::of(cause, [wanted.member]));
                }
                let mut met = served.iter().filter_map(|other| {
                    let cause = cause(other.overlap(wanted, engine))?;
                    Some(Collision::of(cause, [other.member, wanted.member]))
                });
                match met.next() {
                    Some(collision) => collisions.push(collision),
                    None => served.push(wanted),
                }
                for taker in taken.at(protocol, port) {
                    collisions.extend(wanted.beside(taker, engine));
                }
            }
        }
        collisions
    }
}

impl Wanted<'_> {
    /// What this claim of a fixed port and something that exists do to each other.
    fn beside(&self, taker: &Taker<'_>, engine: &Engine) -> Option<Collision> {
        match *taker {
            Taker::Claim(_) => None,
            Taker::Hold(index, hold) => {
                let mine = self.addresses.iter();
                let ip = mine
                    .into_iter()
                    .find(|ip| engine.excludes(hold.protocol, *ip, hold.ip))?;
                let why = Why {
                    meeting: Meeting::of(ip, hold.ip),
                    implied: (self.claim.binding.host_ip.is_none()).then_some(self.addresses),
                };
                let mut collision = Collision::of(Cause::Port(why), [self.member]);
                collision.holds.push(index);
                Some(collision)
            }
            Taker::Socket(index, socket) => {
                let (binding, network) = self.side();
                let cause = cause(overlap_host(binding, network, socket, engine))?;
                let mut collision = Collision::of(cause, [self.member]);
                collision.sockets.push(index);
                Some(collision)
            }
        }
    }
}

fn cause(overlap: Overlap) -> Option<Cause> {
    match overlap {
        Overlap::Never => None,
        Overlap::Always(why) => Some(Cause::Port(why)),
        Overlap::Maybe(reason) => Some(Cause::Maybe(reason)),
    }
}

impl Collision {
    /// A collision of claims alone.
    pub(super) fn of(cause: Cause, claims: impl IntoIterator<Item = Member>) -> Self {
        let mut claims: Vec<Member> = claims.into_iter().collect();
        claims.sort_unstable();
        claims.dedup();
        Self {
            cause,
            claims,
            holds: Vec::new(),
            sockets: Vec::new(),
        }
    }

    /// Adds one that takes a port.
    pub(super) fn add(&mut self, taker: &Taker<'_>) {
        match taker {
            Taker::Claim(wanted) => self.claims.push(wanted.member),
            Taker::Hold(index, _) => self.holds.push(*index),
            Taker::Socket(index, _) => self.sockets.push(*index),
        }
        for list in [&mut self.holds, &mut self.sockets] {
            list.sort_unstable();
            list.dedup();
        }
        self.claims.sort_unstable();
        self.claims.dedup();
    }
}

/// Something that takes one port, whatever else happens.
#[derive(Clone, Copy)]
pub(super) enum Taker<'a> {
    /// A claim of a fixed port.
    Claim(Wanted<'a>),
    /// By its index.
    Hold(usize, &'a Hold),
    /// By its index.
    Socket(usize, &'a Socket),
}

impl Taker<'_> {
    /// Whether a range at these addresses cannot have the port.
    pub fn blocks(&self, wanted: &[HostIp], engine: &Engine) -> Overlap {
        let excluded = |protocol, held: HostIp| {
            let mut mine = wanted.iter();
            mine.find(|ip| engine.excludes(protocol, **ip, held))
                .map_or(Overlap::Never, |ip| {
                    Overlap::Always(Why {
                        meeting: Meeting::of(*ip, held),
                        implied: None,
                    })
                })
        };
        match self {
            Self::Claim(claim) => claim
                .addresses
                .iter()
                .map(|held| excluded(claim.claim.binding.protocol, held))
                .fold(Overlap::Never, Overlap::or),
            Self::Hold(_, hold) => excluded(hold.protocol, hold.ip),
            Self::Socket(_, socket) => wanted
                .iter()
                .map(|&ip| {
                    let (port, protocol) = (socket.port, socket.protocol);
                    Socket::of_engine(Hold { ip, port, protocol }, engine).clash(socket)
                })
                .fold(Overlap::Never, Overlap::or),
        }
    }

    /// The addresses on which the engine itself holds the port; none of another program's.
    pub fn held(&self) -> Vec<HostIp> {
        match self {
            Self::Claim(claim) => claim.addresses.iter().collect(),
            Self::Hold(_, hold) => vec![hold.ip],
            Self::Socket(..) => Vec::new(),
        }
    }
}

/// All that takes one certain port, by port.
pub(super) struct Taken<'a>(BTreeMap<(Protocol, Port), Vec<Taker<'a>>>);

impl<'a> Taken<'a> {
    fn new(fixed: &Fixed<'a>, existing: Existing<'a>) -> Self {
        let mut taken: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (key, claims) in &fixed.0 {
            taken.insert(*key, claims.iter().copied().map(Taker::Claim).collect());
        }
        for (index, hold) in existing.holds.iter().enumerate() {
            let key = (hold.protocol, hold.port);
            taken.entry(key).or_default().push(Taker::Hold(index, hold));
        }
        for (index, socket) in existing.sockets.iter().enumerate() {
            let key = (socket.protocol, socket.port);
            let socket = Taker::Socket(index, socket);
            taken.entry(key).or_default().push(socket);
        }
        Self(taken)
    }

    fn at(&self, protocol: Protocol, port: Port) -> &[Taker<'a>] {
        self.0.get(&(protocol, port)).map_or(&[], Vec::as_slice)
    }

    /// What takes ports from `first` to `last`, from the lowest port up.
    pub fn within(
        &self,
        protocol: Protocol,
        first: Port,
        last: Port,
    ) -> impl Iterator<Item = (Port, &Taker<'a>)> {
        self.0
            .range((protocol, first)..=(protocol, last))
            .flat_map(|((_, port), takers)| takers.iter().map(|taker| (*port, taker)))
    }
}
