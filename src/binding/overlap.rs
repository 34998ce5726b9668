//! Two bindings, or a binding and a socket: can both be had?

use super::verdict::{Meeting, Overlap, Reason, Why};
use super::{
    Addresses, Binding, Engine, Generation, Hold, HostIp, Network, Protocol, Published, Socket,
    addresses,
};

/// Whether two bindings of two containers on one engine collide, whichever starts first
/// (engine.md 3.1, 3.4). A range or a dynamic port counts as the one port it will get.
///
/// That a binding cannot be had at all is not an overlap: see [`refusal`](super::refusal()).
#[must_use]
pub fn overlap(a: (&Binding, &Network), b: (&Binding, &Network), engine: &Engine) -> Overlap {
    let (x, y) = (Side::new(a, engine), Side::new(b, engine));
    if a.0.protocol != b.0.protocol {
        return Overlap::Never;
    }
    let (p, q) = (engine.candidates(a.0), engine.candidates(b.0));
    if !p.overlaps(q) {
        return Overlap::Never;
    }
    let excludes = |(v, w)| engine.excludes(a.0.protocol, v, w);
    let Some(pair) = x.pairs(&y).find(|pair| excludes(*pair)) else {
        return Overlap::Never;
    };
    match (p.single(), q.single()) {
        (Some(_), Some(_)) => Overlap::Always(x.why(&y, pair)),
        (None, None) if x.may_stumble_on(&y, engine) || y.may_stumble_on(&x, engine) => {
            Overlap::Maybe(Reason::RangeCursor)
        }
        (None, None) => Overlap::Never, // two ranges have room for two
        _ => Overlap::Maybe(Reason::StartOrder),
    }
}

/// Whether two bindings of one container collide, so that it cannot start (engine.md 3.3).
#[must_use]
pub fn overlap_in_container(
    a: (&Binding, &Network),
    b: (&Binding, &Network),
    engine: &Engine,
) -> Overlap {
    let first_generation = engine.generation() == Generation::G1;
    let (x, y) = (Side::new(a, engine), Side::new(b, engine));
    if is_group(a.0, b.0, engine) {
        return x
            .pairs(&y)
            .find(|(v, w)| excludes_in_group(engine, a.0.protocol, *v, *w))
            .map_or(Overlap::Never, |pair| Overlap::Always(x.why(&y, pair)));
    }
    match overlap(a, b, engine) {
        Overlap::Maybe(Reason::StartOrder) if first_generation => {
            Overlap::Maybe(Reason::BindingOrder)
        }
        // From 27 the fixed port is bound first and the range goes around it.
        Overlap::Maybe(Reason::StartOrder)
            if x.may_stumble_on(&y, engine) || y.may_stumble_on(&x, engine) =>
        {
            Overlap::Maybe(Reason::RangeCursor)
        }
        Overlap::Maybe(Reason::StartOrder) | Overlap::Never
            if a.0.protocol == b.0.protocol
                && listens_late(a.0.protocol, engine)
                && engine.candidates(a.0).overlaps(engine.candidates(b.0))
                && (x.meets_unseen(&y, engine) || y.meets_unseen(&x, engine)) =>
        {
            Overlap::Maybe(Reason::RangeCursor)
        }
        Overlap::Maybe(Reason::StartOrder) => Overlap::Never,
        other => other,
    }
}

/// Whether a binding cannot be had beside a socket of another program (engine.md 3.2).
#[must_use]
pub fn overlap_host(
    binding: &Binding,
    network: &Network,
    socket: &Socket,
    engine: &Engine,
) -> Overlap {
    let candidates = engine.candidates(binding);
    if binding.protocol != socket.protocol || !candidates.contains(socket.port) {
        return Overlap::Never;
    }
    let side = Side::new((binding, network), engine);
    let verdict = side
        .addresses
        .iter()
        .map(|ip| {
            let (port, protocol) = (socket.port, socket.protocol);
            Socket::of_engine(Hold { ip, port, protocol }, engine).clash(socket)
        })
        .fold(Overlap::Never, Overlap::or);
    match verdict {
        Overlap::Never => Overlap::Never,
        _ if candidates.single().is_none() && gives_up_at_busy(binding, engine) => {
            Overlap::Maybe(Reason::RangeCursor)
        }
        _ if candidates.single().is_none() => Overlap::Never,
        Overlap::Always(why) => Overlap::Always(Why {
            implied: side.implied(),
            ..why
        }),
        maybe => maybe,
    }
}

/// True if the engine does not try the next port of a range when the kernel refuses one
/// (engine.md 3.4 R3, 3.6); otherwise it tries ten.
pub(super) fn gives_up_at_busy(binding: &Binding, engine: &Engine) -> bool {
    match engine.generation() {
        Generation::G1 => binding.published != Published::Dynamic,
        Generation::G3 | Generation::G5 => engine.rootless,
        Generation::G2 | Generation::G4 => false,
    }
}

/// True if the engine binds all of a container's ports before it listens on any: two that overlap
/// are then noticed too late to try another port of a range (engine.md 2, G3).
pub(super) fn listens_late(protocol: Protocol, engine: &Engine) -> bool {
    engine.generation() == Generation::G3 && protocol == Protocol::Tcp && !engine.rootless
}

/// True if the engine gives two bindings of one container one port: from 27, those that differ
/// only in the host IP (engine.md 3.3).
pub(super) fn is_group(a: &Binding, b: &Binding, engine: &Engine) -> bool {
    engine.generation() >= Generation::G2
        && (a.protocol, a.published, a.target) == (b.protocol, b.published, b.target)
}

/// True if two addresses of one group cannot both be bound. The allocator does not see it, so
/// only the sockets count.
fn excludes_in_group(engine: &Engine, protocol: Protocol, a: HostIp, b: HostIp) -> bool {
    let child_reuses = matches!(engine.generation(), Generation::G3 | Generation::G4);
    match protocol {
        Protocol::Udp if engine.udp_reuses_address() => false,
        Protocol::Udp if child_reuses => a.overlaps(b),
        _ => {
            let child = |ip| engine.child_address(ip);
            a.overlaps(b) || (engine.rootless && child(a) == child(b))
        }
    }
}

/// True if a port taken at the addresses `held` is busy at `wanted`, but the allocator does not
/// know, so that the engine tries it (engine.md 3.4 R2, R3).
pub(super) fn is_busy_unseen(
    engine: &Engine,
    protocol: Protocol,
    wanted: &[HostIp],
    held: &[HostIp],
) -> bool {
    let any = |test: &dyn Fn(HostIp, HostIp) -> bool| {
        wanted.iter().any(|a| held.iter().any(|b| test(*a, *b)))
    };
    if engine.generation() == Generation::G1 {
        // Each address is allocated by itself.
        return any(&|a, b| engine.excludes(protocol, a, b) && !engine.allocator_sees(a, b));
    }
    any(&|a, b| engine.excludes(protocol, a, b)) && !any(&|a, b| engine.allocator_sees(a, b))
}

/// One of the two that are compared.
struct Side<'a> {
    binding: &'a Binding,
    addresses: Addresses,
}

impl<'a> Side<'a> {
    fn new((binding, network): (&'a Binding, &Network), engine: &Engine) -> Self {
        Self {
            binding,
            addresses: addresses(binding, network, engine),
        }
    }

    fn implied(&self) -> Option<Addresses> {
        self.binding.host_ip.is_none().then_some(self.addresses)
    }

    /// True if this is a range in which the engine may try the other's port and give up.
    fn may_stumble_on(&self, other: &Side<'_>, engine: &Engine) -> bool {
        gives_up_at_busy(self.binding, engine) && self.meets_unseen(other, engine)
    }

    /// True if this is a range in which the engine may try the other's port.
    fn meets_unseen(&self, other: &Side<'_>, engine: &Engine) -> bool {
        let wanted: Vec<HostIp> = self.addresses.iter().collect();
        let held: Vec<HostIp> = other.addresses.iter().collect();
        !matches!(self.binding.published, Published::Fixed(_))
            && is_busy_unseen(engine, self.binding.protocol, &wanted, &held)
    }

    fn pairs(&self, other: &Side<'_>) -> impl Iterator<Item = (HostIp, HostIp)> {
        let others = other.addresses;
        self.addresses
            .iter()
            .flat_map(move |ip| others.iter().map(move |other| (ip, other)))
    }

    fn why(&self, other: &Side<'_>, (a, b): (HostIp, HostIp)) -> Why {
        // Where neither names an address nothing needs to be explained.
        let implied = match (self.implied(), other.implied()) {
            (Some(implied), None) | (None, Some(implied)) => Some(implied),
            _ => None,
        };
        Why {
            meeting: Meeting::of(a, b),
            implied,
        }
    }
}
