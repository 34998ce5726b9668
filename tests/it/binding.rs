//! Reading ports, addresses and versions; what bindings hold; what cannot be known.

use portplan::binding::{
    Binding, Bridge, Engine, Generation, HostIp, Network, Overlap, Port, PortRange, Protocol,
    Published, Reason, Socket, SocketState, Version, addresses, overlap, overlap_host,
};

fn binding(ip: &str, ports: &str) -> Binding {
    Binding {
        host_ip: (!ip.is_empty()).then(|| ip.parse().unwrap()),
        published: ports.parse::<PortRange>().unwrap().into(),
        target: Port::new(80).unwrap(),
        protocol: Protocol::Tcp,
    }
}

#[test]
fn ports_are_digits_from_1_to_65535() {
    assert_eq!("08080".parse::<Port>().unwrap().get(), 8080);
    for bad in ["", "0", "65536", "+80", " 80", "http", "-1"] {
        assert!(bad.parse::<Port>().is_err(), "{bad}");
    }
    assert_eq!("8000-8010".parse::<PortRange>().unwrap().len(), 11);
    assert_eq!(PortRange::ALL.iter().count(), 65535);
    for bad in ["9-8", "0-5", "-", "1-2-3"] {
        assert!(bad.parse::<PortRange>().is_err(), "{bad}");
    }
    let single: Published = "80-80".parse::<PortRange>().unwrap().into();
    assert!(matches!(single, Published::Fixed(_)));
}

#[test]
fn addresses_are_read_as_go_reads_them() {
    let ip = |text: &str| text.parse::<HostIp>();
    assert_eq!(ip("::ffff:127.0.0.1"), ip("127.0.0.1"));
    assert_eq!(ip("0:0:0:0:0:0:0:0").unwrap(), HostIp::ANY6);
    for bad in [
        "",
        "localhost",
        "127.0.0.01",
        "1.2.3",
        "[::1]",
        "fe80::1%eth0",
        "0",
    ] {
        assert!(ip(bad).is_err(), "{bad}");
    }
}

#[test]
fn versions_have_generations() {
    let generation = |text: &str| text.parse::<Version>().map(Version::generation);
    for (text, expected) in [
        ("20.10.24+dfsg1", Generation::G1),
        ("v26.1.5", Generation::G1),
        ("27.0.0-rc.1", Generation::G2),
        ("28.2.2", Generation::G3),
        ("28.3", Generation::G4),
        ("docker-v29.7.2", Generation::G5),
    ] {
        assert_eq!(generation(text), Ok(expected), "{text}");
    }
    for bad in ["", "29", "dev", "v.1", "99999999.1"] {
        assert!(generation(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_routed_family_holds_nothing_where_the_engine_knows_the_mode() {
    let routed = Network::Bridge(Bridge {
        routed_ipv4: true,
        ..Bridge::default()
    });
    let at = |version: &str| {
        let version = version.parse().unwrap();
        let engine = Engine {
            version,
            ..Engine::default()
        };
        addresses(&binding("", "80"), &routed, &engine)
            .iter()
            .collect::<Vec<_>>()
    };
    assert_eq!(at("28.5.2"), [HostIp::ANY6]);
    assert_eq!(at("20.10.24"), [HostIp::ANY4, HostIp::ANY6]);
}

#[test]
fn the_reason_of_an_overlap_is_told() {
    let (network, engine) = (Network::default(), Engine::default());
    let told = |a: &Binding, b: &Binding| match overlap((a, &network), (b, &network), &engine) {
        Overlap::Always(why) => why.to_string(),
        other => format!("{other:?}"),
    };
    assert_eq!(
        told(&binding("0.0.0.0", "80"), &binding("127.0.0.1", "80")),
        "0.0.0.0 contains 127.0.0.1"
    );
    assert_eq!(
        told(&binding("", "80"), &binding("::1", "80")),
        "no host IP means 0.0.0.0 and [::]; [::] contains [::1]"
    );
}

#[test]
fn what_proc_does_not_show_is_a_maybe() {
    let (network, engine) = (Network::default(), Engine::default());
    let seen = |ip: &str, protocol, state| Socket {
        ip: ip.parse().unwrap(),
        port: Port::new(80).unwrap(),
        protocol,
        state,
        reuse_address: None,
        reuse_port: None,
        v6_only: None,
        device: None,
    };
    let said = |binding: &Binding, socket: Socket, engine: &Engine| {
        overlap_host(binding, &network, &socket, engine)
    };
    let server = seen("::", Protocol::Tcp, SocketState::Listening);
    assert_eq!(
        said(&binding("127.0.0.1", "80"), server.clone(), &engine),
        Overlap::Maybe(Reason::DualStackUnknown)
    );
    let all = said(&binding("", "80"), server, &engine);
    assert!(matches!(all, Overlap::Always(_)));
    let client = seen("127.0.0.1", Protocol::Tcp, SocketState::Connected);
    assert_eq!(
        said(&binding("", "80"), client, &engine),
        Overlap::Maybe(Reason::NotListening)
    );
    let udp = Binding {
        protocol: Protocol::Udp,
        ..binding("", "80")
    };
    let holder = seen("0.0.0.0", Protocol::Udp, SocketState::Bound);
    let always = said(&udp, holder.clone(), &engine);
    assert!(matches!(always, Overlap::Always(_)));
    let version = "28.5.2".parse().unwrap();
    let sharing = Engine {
        version,
        ..Engine::default()
    };
    assert_eq!(
        said(&udp, holder, &sharing),
        Overlap::Maybe(Reason::UdpReuseUnknown)
    );
}
