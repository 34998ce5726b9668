//! `overlap` and `allocate` against brute force: every order of starts, every cursor.

use std::cell::Cell;

use portplan::binding::simulate::Host;
use portplan::binding::{
    Binding, Bridge, Cause, Claim, Collision, Container, Engine, Existing, Hold, Network, Overlap,
    Port, PortRange, Protocol, Published, Reason, Socket, SocketState, allocate, overlap,
    overlap_in_container, refusal,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRng, TestRunner};

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
    let config = Config {
        cases,
        max_global_rejects: cases,
        failure_persistence: None,
        ..Config::default()
    };
    // The same cases each time: what fails in CI fails everywhere.
    let algorithm = config.rng_algorithm;
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(algorithm))
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

/// Two bindings, each on its network.
fn pairs() -> impl Strategy<Value = (Engine, Claim, Claim)> {
    let claim =
        || (bindings(true), networks()).prop_map(|(binding, network)| Claim { binding, network });
    (engines(), claim(), claim()).prop_filter("can be had alone", |(engine, a, b)| {
        let refused = |claim: &Claim| refusal(&claim.binding, &claim.network, engine).is_some();
        !refused(a) && !refused(b)
    })
}

fn side(claim: &Claim) -> (&Binding, &Network) {
    (&claim.binding, &claim.network)
}

fn check(said: Overlap, seen: Seen) -> Result<(), TestCaseError> {
    match said {
        Overlap::Never => prop_assert!(!seen.failure, "{said:?}, but {seen:?}"),
        Overlap::Always(_) => prop_assert!(!seen.success, "{said:?}, but {seen:?}"),
        Overlap::Maybe(_) => prop_assert!(seen.success, "{said:?}, but {seen:?}"),
    }
    Ok(())
}

#[test]
fn overlap_agrees_with_both_orders_and_is_symmetric() {
    runner(20_000)
        .run(&pairs(), |(engine, a, b)| {
            let said = overlap(side(&a), side(&b), &engine);
            prop_assert_eq!(said, overlap(side(&b), side(&a), &engine));
            let containers = [a, b].map(|claim| Container {
                copies: 1,
                claims: vec![claim],
            });
            check(said, brute_force(&engine, &containers, &[], &[]).0)
        })
        .unwrap_or_else(|error| panic!("{error:#?}"));
}

#[test]
fn overlap_in_a_container_agrees_with_its_start_and_is_symmetric() {
    runner(20_000)
        .run(&pairs(), |(engine, a, b)| {
            let (b, on) = (b.binding, a.network);
            prop_assume!(refusal(&b, &on, &engine).is_none());
            let said = overlap_in_container((&a.binding, &on), (&b, &on), &engine);
            let swapped = overlap_in_container((&b, &on), (&a.binding, &on), &engine);
            prop_assert_eq!(said, swapped);
            let claim = Claim {
                binding: b,
                network: on,
            };
            let container = Container {
                copies: 1,
                claims: vec![a, claim],
            };
            check(said, brute_force(&engine, &[container], &[], &[]).0)
        })
        .unwrap_or_else(|error| panic!("{error:#?}"));
}

/// A container with one claim on all addresses.
fn wants(copies: u32, published: Published) -> Container {
    let binding = Binding {
        host_ip: None,
        published,
        target: port(80),
        protocol: Protocol::Tcp,
    };
    let network = Network::default();
    Container {
        copies,
        claims: vec![Claim { binding, network }],
    }
}

fn causes(containers: &[Container]) -> Vec<(Cause, Vec<usize>)> {
    allocate(containers, Existing::default(), &Engine::default())
        .into_iter()
        .map(|one| {
            let members = one.claims.iter().map(|member| member.container);
            (one.cause, members.collect())
        })
        .collect()
}

#[test]
fn a_range_needs_a_port_for_each_copy() {
    assert_eq!(causes(&[wants(11, range(8000, 8010))]), []);
    let short = Cause::RangeTooShort {
        ports: 11,
        copies: 12,
    };
    assert_eq!(causes(&[wants(12, range(8000, 8010))]), [(short, vec![0])]);
    assert_eq!(
        causes(&[wants(u32::MAX, range(1, 65535))]),
        [(
            Cause::RangeTooShort {
                ports: 65535,
                copies: u32::MAX
            },
            vec![0]
        )]
    );
}

#[test]
fn no_containers_of_a_kind_claim_nothing() {
    let fixed = Published::Fixed(port(80));
    assert_eq!(causes(&[wants(0, fixed), wants(1, fixed)]), []);
    assert_eq!(causes(&[wants(2, fixed)]), [(Cause::Copies(2), vec![0])]);
}

/// Overlapping ranges that no pair and no single range shows to be too short.
#[test]
fn a_collision_names_the_ranges_that_are_exhausted_and_no_others() {
    let containers = [
        wants(1, range(100, 101)),
        wants(1, range(200, 300)),
        wants(2, range(100, 102)),
        wants(1, Published::Fixed(port(102))),
    ];
    let exhausted = Cause::Exhausted {
        ports: 2,
        wanted: 3,
    };
    assert_eq!(causes(&containers), [(exhausted, vec![0, 2, 3])]);
}

#[test]
fn a_range_may_take_a_fixed_port() {
    let containers = [
        wants(1, range(100, 105)),
        wants(1, Published::Fixed(port(103))),
    ];
    let maybe = Cause::Maybe(Reason::StartOrder);
    assert_eq!(causes(&containers), [(maybe, vec![0, 1])]);
}

#[test]
fn thousands_of_claims_are_one_call() {
    let mut containers: Vec<Container> = (0..3000)
        .map(|number| wants(1, Published::Fixed(port(1000 + number))))
        .collect();
    containers.extend((0..2000).map(|_| wants(1, Published::Dynamic)));
    containers
        .extend((0..1000).map(|number| wants(1, range(40000 + number * 7, 40020 + number * 9))));
    containers
        .extend((0..1000).map(|number| wants(3, range(10000 + number * 2, 10002 + number * 2))));
    let collisions = allocate(&containers, Existing::default(), &Engine::default());
    assert!(collisions.iter().any(Collision::is_certain));
}
