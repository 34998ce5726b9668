//! What containers hold and claim in each state.

use portplan::engine::container::{HostPort, Protocol, Publish, RestartPolicy, State, Tenure};

use super::{PREFIX, engine, holds, tcp};

#[test]
fn running_and_paused_hold() {
    let Some(real) = engine() else { return };
    real.docker("run -d --name P-web -p 18080:80 -p 127.0.0.1:18053:53/udp IMAGE");
    let both = [
        "127.0.0.1:18053->53/udp",
        "0.0.0.0:18080->80/tcp",
        ":::18080->80/tcp",
    ];
    let web = real.container("web");
    assert_eq!(
        (web.state, &web.start, web.tenure()),
        (State::Running, &None, Tenure::Holds)
    );
    assert_eq!(holds(&web), both);
    assert_eq!(
        web.publishes(),
        [
            Publish {
                port: 18053,
                protocol: Protocol::Udp,
                host_ip: Some("127.0.0.1".parse().unwrap()),
                target: 53
            },
            Publish {
                port: 18080,
                protocol: Protocol::Tcp,
                host_ip: None,
                target: 80
            }
        ]
    );
    // An IPv6 socket of a container without IPv6 is the proxy's.
    let engine = real.snapshot().engine;
    assert_eq!(
        (engine.userland_proxy, engine.ipv6),
        (Some(true), Some(true))
    );

    real.docker("pause P-web");
    let web = real.container("web");
    assert_eq!(
        (web.state, holds(&web)),
        (State::Paused, both.map(str::to_owned).to_vec())
    );
    real.docker("unpause P-web");
}

#[test]
fn ranges_and_all_ports() {
    let Some(real) = engine() else { return };
    real.docker("run -d --name P-range -p 127.0.0.1:18100-18105:80 IMAGE");
    let range = real.container("range");
    let [hold] = range.holds[..] else {
        panic!("{range:?}")
    };
    assert!((18100..=18105).contains(&hold.port));

    real.docker("run -d --name P-expanded -p 127.0.0.1:18110-18112:80-82 IMAGE");
    let expanded = real.container("expanded");
    let expected = [(18110, 80), (18111, 81), (18112, 82)];
    let found: Vec<_> = expanded.holds.iter().map(|h| (h.port, h.target)).collect();
    assert_eq!(found, expected);

    real.docker("run -d --name P-all -P --expose 80 --expose 90/udp IMAGE");
    let all = real.container("all");
    let mut targets: Vec<_> = all.holds.iter().map(|h| (h.target, h.protocol)).collect();
    targets.sort_unstable();
    targets.dedup();
    assert_eq!(targets, [(80, Protocol::Tcp), (90, Protocol::Udp)]);

    real.docker("run -d --name P-exposed --expose 80 IMAGE");
    assert_eq!(holds(&real.container("exposed")), [""; 0]);

    real.docker("create --name P-asks -P --expose 80 -p 18120-18125:81 -p 18126:82 IMAGE");
    let asks = real.container("asks").start.unwrap();
    assert_eq!(
        asks.ports,
        [
            tcp(80, HostPort::Dynamic),
            tcp(
                81,
                HostPort::OneOf {
                    first: 18120,
                    last: 18125
                }
            ),
            tcp(82, HostPort::Fixed { port: 18126 }),
        ]
    );
}

#[test]
fn stopped_ones_claim_by_their_policy() {
    let Some(real) = engine() else { return };
    use RestartPolicy::{Always, No, OnFailure, UnlessStopped};
    use Tenure::{AtBoot, Nothing};
    // Name, policy, whether it is started and stopped, what it will do at boot.
    let table = [
        ("created-no", "no", No, false, Nothing),
        ("created-always", "always", Always, false, Nothing),
        ("stopped-no", "no", No, true, Nothing),
        ("stopped-always", "always", Always, true, AtBoot),
        (
            "stopped-unless",
            "unless-stopped",
            UnlessStopped,
            true,
            Nothing,
        ),
        // Killed: with an exit code of its own.
        ("stopped-failure", "on-failure:3", OnFailure, true, AtBoot),
    ];
    for (name, policy, _, started, _) in table {
        let create = format!("--name P-{name} --restart {policy} -p 18200:80 IMAGE");
        if started {
            real.docker(&format!("run -d {create}"));
            real.docker(&format!("stop -t 0 P-{name}"));
        } else {
            real.docker(&format!("create {create}"));
        }
    }
    // Its one attempt fails too.
    real.docker("run -d --name P-spent --restart on-failure:1 -p 18201:80 IMAGE sh -c missing");
    let spent = real.wait_until("spent", |c| {
        c.state == State::Exited && c.start.as_ref().is_some_and(|start| !start.retries_left)
    });

    assert_eq!(spent.tenure(), Nothing);

    let snapshot = real.snapshot();
    for (name, _, policy, started, tenure) in table {
        let full = format!("{PREFIX}{name}");
        let found = snapshot.containers.iter().find(|c| c.name == full).unwrap();
        let start = found.start.as_ref().unwrap();
        let state = if started {
            State::Exited
        } else {
            State::Created
        };
        assert_eq!((found.state, start.restart), (state, policy), "{name}");
        assert_eq!(
            (start.ever_started, found.tenure()),
            (started, tenure),
            "{name}"
        );
        assert_eq!(start.ports, [tcp(80, HostPort::Fixed { port: 18200 })]);
        assert!(found.holds.is_empty(), "{name}");
    }
    let claims: Vec<_> = snapshot
        .future_claims()
        .map(|c| (&*c.container.name, c.tenure))
        .collect();
    assert_eq!(
        claims,
        [
            ("portplan-test-stopped-always", AtBoot),
            ("portplan-test-stopped-failure", AtBoot)
        ]
    );
}

#[test]
fn failed_starts_hold_nothing() {
    let Some(real) = engine() else { return };
    real.docker("run -d --name P-first -p 18210:80 IMAGE");
    let taken = real.try_docker("run -d --name P-second --restart always -p 18210:80 IMAGE");
    assert!(taken.unwrap_err().contains("port is already allocated"));
    let second = real.container("second");
    let start = second.start.as_ref().unwrap();
    assert_eq!(
        (second.state, start.failed, start.ever_started),
        (State::Created, true, false)
    );
    assert_eq!((second.tenure(), second.holds.len()), (Tenure::Nothing, 0));
}

#[test]
fn restarting_ones_attempt() {
    let Some(real) = engine() else { return };
    real.docker("run -d --name P-crash --restart always -p 18220:80 IMAGE sh -c false");
    let crash = real.wait_until("crash", |c| c.state == State::Restarting);
    assert_eq!((crash.tenure(), crash.holds.len()), (Tenure::Attempts, 0));
    let start = crash.start.unwrap();
    assert_eq!(start.ports, [tcp(80, HostPort::Fixed { port: 18220 })]);
}
