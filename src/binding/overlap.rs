//! Two bindings, or a binding and a socket: can both be had?

use super::verdict::{Meeting, Overlap, Reason, Why};
use super::{
    Addresses, Binding, Engine, Generation, Hold, HostIp, Network, Protocol, Socket, addresses,
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
        (None, None) => {
            let unseen = |(v, w): (HostIp, HostIp)| !engine.allocator_sees(v, w);
            if gives_up_at_busy(engine) && x.pairs(&y).any(|pair| excludes(pair) && unseen(pair)) {
                Overlap::Maybe(Reason::RangeCursor)
            } else {
                Overlap::Never // two ranges have room for two
            }
        }
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
        Overlap::Maybe(Reason::StartOrder) => {
            // From 27 the fixed port is bound first and the range goes around it.
            let unseen = |(v, w): (HostIp, HostIp)| {
                engine.excludes(a.0.protocol, v, w) && !engine.allocator_sees(v, w)
            };
            if gives_up_at_busy(engine) && x.pairs(&y).any(unseen) {
                Overlap::Maybe(Reason::RangeCursor)
            } else {
                Overlap::Never
            }
        }
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
        _ if candidates.single().is_none() => {
            if gives_up_at_busy(engine) {
                Overlap::Maybe(Reason::RangeCursor)
            } else {
                Overlap::Never
            }
        }
        Overlap::Always(why) => Overlap::Always(Why {
            implied: side.implied(),
            ..why
        }),
        maybe => maybe,
    }
}

/// True if the engine does not try the next port of a range when the kernel refuses one
/// (engine.md 3.4 R3, 3.6).
pub(super) fn gives_up_at_busy(engine: &Engine) -> bool {
    match engine.generation() {
        Generation::G1 => true,
        Generation::G3 | Generation::G5 => engine.rootless,
        Generation::G2 | Generation::G4 => false,
    }
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

/// One of the two that are compared.
struct Side {
    addresses: Addresses,
    names_ip: bool,
}

impl Side {
    fn new((binding, network): (&Binding, &Network), engine: &Engine) -> Self {
        Self {
            addresses: addresses(binding, network, engine),
            names_ip: binding.host_ip.is_some(),
        }
    }

    fn implied(&self) -> Option<Addresses> {
        (!self.names_ip).then_some(self.addresses)
    }

    fn pairs(&self, other: &Self) -> impl Iterator<Item = (HostIp, HostIp)> {
        let others = other.addresses;
        self.addresses
            .iter()
            .flat_map(move |ip| others.iter().map(move |other| (ip, other)))
    }

    fn why(&self, other: &Self, (a, b): (HostIp, HostIp)) -> Why {
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
