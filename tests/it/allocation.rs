//! `overlap` and `allocate` against brute force: every order of starts, every cursor.

use std::cell::Cell;
use std::time::{Duration, Instant};

use portplan::binding::simulate::Host;
use portplan::binding::{
    Binding, Bridge, Cause, Claim, Collision, Container, Engine, Existing, Hold, Network, Overlap,
    Port, PortRange, Protocol, Published, Reason, Socket, SocketState, allocate, overlap,
    overlap_in_container, refusal,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

fn port(number: u16) -> Port {
    Port::new(number).unwrap()
}

fn range(first: u16, last: u16) -> Published {
    PortRange::new(port(first), port(last)).unwrap().into()
}

fn engines() -> impl Strategy<Value = Engine> {
    let versions = prop::sample::select(vec![
        "20.10.24", "26.1.5", "27.5.1", "28.2.2", "28.5.2", "29.5.0", "29.7.2",
    ]);
    let proxy = prop::bool::weighted(0.8);
    (versions, proxy, prop::bool::weighted(0.8), any::<bool>()).prop_map(
        |(version, userland_proxy, ipv6, rootless)| Engine {
            version: version.parse().unwrap(),
            userland_proxy,
            ipv6,
            rootless,
            // Small, so that dynamic ports meet the others.
            ephemeral: PortRange::new(port(101), port(103)).unwrap(),
            ..Engine::default()
        },
    )
}

fn bindings(ranges: bool) -> impl Strategy<Value = Binding> {
    let ips = prop::sample::select(vec![
        "",
        "",
        "",
        "0.0.0.0",
        "127.0.0.1",
        "127.0.0.2",
        "192.0.2.2",
        "::",
        "::1",
        "fd00::2",
    ]);
    let fixed = (100u16..104).prop_map(|number| Published::Fixed(port(number)));
    let wide = (100u16..104, 1u16..4).prop_map(|(first, more)| range(first, first + more));
    let published = if ranges {
        prop_oneof![3 => fixed, 3 => wide, 1 => Just(Published::Dynamic)].boxed()
    } else {
        fixed.boxed()
    };
    (ips, published, 80u16..82, prop::bool::weighted(0.25)).prop_map(
        |(ip, published, target, udp)| Binding {
            host_ip: (!ip.is_empty()).then(|| ip.parse().unwrap()),
            published,
            target: port(target),
            protocol: if udp { Protocol::Udp } else { Protocol::Tcp },
        },
    )
}

fn networks() -> impl Strategy<Value = Network> {
    let v6 = Bridge {
        ipv6: true,
        ..Bridge::default()
    };
    let lo = Bridge {
        host_binding: Some("127.0.0.1".parse().unwrap()),
        ..Bridge::default()
    };
    prop_oneof![
        6 => Just(Network::default()),
        1 => Just(Network::Bridge(v6)),
        1 => Just(Network::Bridge(lo)),
        1 => Just(Network::Unpublished),
    ]
}

fn containers() -> impl Strategy<Value = Vec<Container>> {
    let copies = prop_oneof![5 => Just(1u32), 2 => Just(2), 1 => Just(3)];
    let one =
        (copies, vec(bindings(true), 1..3), networks()).prop_map(|(copies, bindings, network)| {
            Container {
                copies,
                claims: bindings
                    .into_iter()
                    .map(|binding| Claim { binding, network })
                    .collect(),
            }
        });
    vec(one, 1..4).prop_filter("few enough to try all orders", |containers| {
        containers.iter().map(|one| one.copies).sum::<u32>() <= 4
    })
}

fn sockets() -> impl Strategy<Value = Socket> {
    let ips = prop::sample::select(vec!["0.0.0.0", "127.0.0.1", "192.0.2.2", "::", "::1"]);
    (ips, 100u16..105, any::<[bool; 4]>()).prop_map(|(ip, number, [udp, reuse, only, listens])| {
        Socket {
            ip: ip.parse().unwrap(),
            port: port(number),
            protocol: if udp { Protocol::Udp } else { Protocol::Tcp },
            state: if listens && !udp {
                SocketState::Listening
            } else {
                SocketState::Bound
            },
            reuse_address: Some(reuse),
            reuse_port: Some(false),
            v6_only: Some(only),
            device: None,
        }
    })
}

/// A container's bindings, and the network.
fn publish(container: &Container) -> (Vec<Binding>, Network) {
    let bindings = container.claims.iter().map(|claim| claim.binding).collect();
    (bindings, container.claims[0].network)
}

/// What can happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Seen {
    success: bool,
    failure: bool,
}

/// Starts all in every order.
fn in_every_order(host: Host<'_>, left: &[&Container], failed: bool, seen: &mut Seen) {
    if seen.success && seen.failure {
        return;
    }
    if failed || left.is_empty() {
        seen.failure |= failed;
        seen.success |= !failed;
        return;
    }
    for at in 0..left.len() {
        let mut rest = left.to_vec();
        let (bindings, network) = publish(rest.remove(at));
        for (host, started) in host.outcomes(&bindings, &network) {
            in_every_order(host, &rest, started.is_err(), seen);
        }
    }
}

/// Moves the cursors of all ranges to every place they can be at, then starts all.
fn with_every_cursor<'e>(
    engine: &'e Engine,
    ranges: &[Claim],
    host: Host<'e>,
    then: &mut impl FnMut(Host<'e>),
) {
    let Some((claim, rest)) = ranges.split_first() else {
        return then(host);
    };
    let mut host = host;
    for _ in 0..engine.candidates(&claim.binding).len() {
        with_every_cursor(engine, rest, host.clone(), then);
        if let Ok((container, _)) = host.start(&[claim.binding], &claim.network) {
            host.stop(container);
        }
    }
}

fn brute_force(
    engine: &Engine,
    containers: &[Container],
    running: &[Container],
    sockets: &[Socket],
) -> (Seen, Vec<Hold>) {
    let mut ranges: Vec<Claim> = containers
        .iter()
        .flat_map(|one| one.claims.iter().copied())
        .filter(|claim| !matches!(claim.binding.published, Published::Fixed(_)))
        .collect();
    ranges.dedup();
    ranges.truncate(3);
    let copies: Vec<&Container> = containers
        .iter()
        .flat_map(|one| (0..one.copies).map(move |_| one))
        .collect();
    let mut seen = Seen::default();
    let mut holds = Vec::new();
    with_every_cursor(engine, &ranges, Host::new(engine), &mut |mut host| {
        holds.clear();
        for container in running {
            let (bindings, network) = publish(container);
            if let Ok((_, held)) = host.start(&bindings, &network) {
                holds.extend(held);
            }
        }
        for socket in sockets {
            host.open(socket.clone());
        }
        in_every_order(host, &copies, false, &mut seen);
    });
    (seen, holds)
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    })
}

#[test]
fn allocate_agrees_with_every_order_of_starts() {
    let fixed = (bindings(false), networks()).prop_map(|(binding, network)| Container {
        copies: 1,
        claims: vec![Claim { binding, network }],
    });
    let world = (
        engines(),
        containers(),
        vec(fixed, 0..2),
        vec(sockets(), 0..2),
    );
    let count: [Cell<u32>; 4] = Default::default();
    let add = |at: usize| count[at].set(count[at].get() + 1);
    runner(3000)
        .run(&world, |(engine, containers, running, sockets)| {
            let mut claims = containers.iter().flat_map(|one| &one.claims);
            let refused = |claim: &Claim| refusal(&claim.binding, &claim.network, &engine);
            prop_assume!(!claims.any(|claim| refused(claim).is_some()));
            let (seen, holds) = brute_force(&engine, &containers, &running, &sockets);
            let existing = Existing {
                holds: &holds,
                sockets: &sockets,
            };
            let collisions = allocate(&containers, existing, &engine);
            if collisions.iter().any(Collision::is_certain) {
                add(0);
                prop_assert!(!seen.success, "always, but: {seen:?} {collisions:#?}");
            } else if collisions.is_empty() {
                add(1);
                prop_assert!(!seen.failure, "never, but: {seen:?}");
            } else if seen.success && seen.failure {
                add(2);
            } else {
                add(3);
            }
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error:#?}"));
    let [always, never, maybe, undecided] = count.map(Cell::into_inner);
    println!(
        "allocate: {always} always, {never} never, {maybe} maybe (both seen), {undecided} maybe (one seen)"
    );
    assert!(always > 300 && never > 300 && maybe > 300);
    assert!(undecided * 5 < maybe, "too many idle maybes");
}
