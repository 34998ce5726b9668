//! What recorded engines did (fixtures/engine/ground_truth.json), against what we say.

use std::collections::BTreeMap;

use portplan::binding::simulate::Host;
use portplan::binding::{
    Binding, Bridge, Claim, Collision, Container, Engine, Existing, HostIp, LocalAddresses,
    Network, Overlap, Port, PortRange, Published, Socket, SocketState, allocate, overlap,
    overlap_host, overlap_in_container, refusal,
};
use serde::Deserialize;

/// Every observation; a case that drops out silently would hide a regression.
const OBSERVATIONS: usize = 7170;

const BASE: u16 = 21000;

#[derive(Deserialize)]
struct Table {
    configs: BTreeMap<String, Config>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Config {
    engine: String,
    userland_proxy: bool,
    ipv6: bool,
    rootless: bool,
}

#[derive(Deserialize)]
pub struct Case {
    pub id: String,
    pub setup: Vec<Step>,
    pub probe: Step,
    outcome: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Step {
    Publish {
        publish: Vec<(String, String, String)>,
        #[serde(default)]
        network: Option<String>,
    },
    Listen {
        listen: Listen,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listen {
    pub addr: String,
    pub port: String,
    #[serde(default)]
    pub proto: Option<String>,
    #[serde(default)]
    pub reuseaddr: bool,
    #[serde(default)]
    pub reuseport: bool,
    #[serde(default)]
    pub v6only: bool,
    #[serde(default)]
    pub state: Option<String>,
    #[serde(default)]
    pub bindtodevice: Option<String>,
    #[serde(default, rename = "family")]
    pub _family: u8,
}

impl Table {
    fn read() -> Self {
        let text = include_str!("../../fixtures/engine/ground_truth.json");
        serde_json::from_str(text).expect("the table is valid")
    }
}

impl Config {
    fn engine(&self) -> Engine {
        let mut local = vec!["198.51.100.2", "198.51.100.3", "192.0.2.2"];
        if self.ipv6 {
            local.extend(["fd00:51::2", "fd00::2"]);
        }
        Engine {
            version: self.engine.parse().unwrap(),
            userland_proxy: self.userland_proxy,
            ipv6: self.ipv6,
            rootless: self.rootless,
            local: LocalAddresses::Known(local.iter().map(|ip| ip.parse().unwrap()).collect()),
            ..Engine::default()
        }
    }
}

/// `{3}` is the base port and three.
pub fn place(text: &str, base: u16) -> String {
    let mut parts = text.split(['{', '}']);
    let mut placed = parts.next().unwrap().to_owned();
    while let (Some(number), Some(rest)) = (parts.next(), parts.next()) {
        let number: u16 = number.parse().unwrap();
        placed += &(base + number).to_string();
        placed += rest;
    }
    placed
}

pub fn binding((ip, published, target): &(String, String, String), base: u16) -> Binding {
    let (target, protocol) = target.split_once('/').unwrap();
    let published = place(published, base);
    Binding {
        host_ip: (!ip.is_empty()).then(|| ip.parse().unwrap()),
        published: match published.as_str() {
            "" | "0" => Published::Dynamic,
            ports => ports.parse::<PortRange>().unwrap().into(),
        },
        target: target.parse().unwrap(),
        protocol: protocol.parse().unwrap(),
    }
}

fn network(name: Option<&str>) -> Network {
    let bridge = Bridge::default();
    match name {
        None | Some("bridge") => Network::default_bridge(),
        Some("pp_v4") => Network::Bridge(bridge),
        Some("pp_v6") => Network::Bridge(Bridge {
            ipv6: true,
            ..bridge
        }),
        Some("pp_lo") => Network::Bridge(Bridge {
            host_binding: Some("127.0.0.1".parse().unwrap()),
            ..bridge
        }),
        Some("pp_internal" | "host" | "none") => Network::Unpublished,
        Some(other) => panic!("unknown network {other}"),
    }
}

impl Listen {
    fn socket(&self) -> Socket {
        let mut ip: HostIp = self.addr.parse().unwrap();
        let protocol = self.proto.as_deref().unwrap_or("tcp").parse().unwrap();
        let state = match self.state.as_deref() {
            None | Some("listen") => SocketState::Listening,
            Some("bound") => SocketState::Bound,
            Some(_) => SocketState::Connected,
        };
        if state == SocketState::Connected && ip.is_any() {
            // The connections of the recorded runs were to this host.
            ip = if ip.is_ipv4() { "127.0.0.1" } else { "::1" }
                .parse()
                .unwrap();
        }
        Socket {
            ip,
            port: place(&self.port, BASE).parse::<Port>().unwrap(),
            protocol,
            state,
            reuse_address: Some(self.reuseaddr),
            reuse_port: Some(self.reuseport),
            v6_only: Some(self.v6only),
            device: self.bindtodevice.clone(),
        }
    }
}

/// A step, read.
pub enum Act {
    Start(Vec<Binding>, Network),
    Open(Socket),
}

impl Step {
    pub fn act(&self) -> Act {
        match self {
            Self::Publish {
                publish,
                network: name,
            } => Act::Start(
                publish.iter().map(|one| binding(one, BASE)).collect(),
                network(name.as_deref()),
            ),
            Self::Listen { listen } => Act::Open(listen.socket()),
        }
    }
}

/// Every case.
#[cfg(target_os = "linux")]
pub fn cases() -> Vec<Case> {
    Table::read().cases
}

/// Calls with each observation: the configuration, its engine, the case, what happened.
pub fn each(mut check: impl FnMut(&str, &Engine, &Case, &str)) -> usize {
    let table = Table::read();
    let mut count = 0;
    for (name, config) in &table.configs {
        let engine = config.engine();
        for case in &table.cases {
            if let Some(outcome) = case.outcome.get(name) {
                count += 1;
                check(name, &engine, case, outcome);
            }
        }
    }
    assert_eq!(table.configs.len(), 15);
    count
}

fn simulated(engine: &Engine, case: &Case) -> &'static str {
    let mut host = Host::new(engine);
    for step in &case.setup {
        match step.act() {
            Act::Open(socket) => host.open(socket),
            Act::Start(publish, network) => {
                if host.start(&publish, &network).is_err() {
                    return "setup-fail";
                }
            }
        }
    }
    let Act::Start(publish, network) = case.probe.act() else {
        panic!("{}: a probe publishes", case.id);
    };
    let outcomes = host.outcomes(&publish, &network);
    match outcomes.iter().filter(|(_, end)| end.is_ok()).count() {
        0 => "fail",
        ok if ok == outcomes.len() => "ok",
        _ => "maybe",
    }
}

#[test]
fn the_simulation_does_what_engines_did() {
    let (mut agree, mut maybe, mut wrong) = (0, 0, Vec::new());
    let count = each(
        |name, engine, case, outcome| match simulated(engine, case) {
            said if said == outcome => agree += 1,
            "maybe" => maybe += 1,
            said => wrong.push(format!(
                "{name} {}: we say {said}, it was {outcome}",
                case.id
            )),
        },
    );
    println!("engine table: {agree} of {count} outcomes agree, {maybe} maybe");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!((count, agree, maybe), (OBSERVATIONS, OBSERVATIONS, 0));
}

/// What is said of a case with nothing but fixed ports and at most two containers; none if it is
/// another kind of case.
fn said(engine: &Engine, case: &Case) -> Option<&'static str> {
    let fixed = |one: &Binding| matches!(one.published, Published::Fixed(_));
    let Act::Start(publish, network) = case.probe.act() else {
        return None;
    };
    let refused = |publish: &[Binding], network: &Network| {
        publish
            .iter()
            .any(|one| refusal(one, network, engine).is_some())
    };
    let mut worst = Overlap::Never;
    for (at, a) in publish.iter().enumerate() {
        for b in &publish[at + 1..] {
            worst = worst.or(overlap_in_container((a, &network), (b, &network), engine));
        }
    }
    if !publish.iter().all(fixed) {
        return None;
    }
    for step in &case.setup {
        match step.act() {
            Act::Start(holders, on) => {
                if !holders.iter().all(fixed) {
                    return None;
                }
                if refused(&holders, &on) {
                    return Some("setup-fail");
                }
                for a in &holders {
                    for b in &publish {
                        worst = worst.or(overlap((a, &on), (b, &network), engine));
                    }
                }
            }
            Act::Open(socket) => {
                for b in &publish {
                    worst = worst.or(overlap_host(b, &network, &socket, engine));
                }
            }
        }
    }
    Some(match worst {
        _ if refused(&publish, &network) => "fail",
        Overlap::Always(_) => "fail",
        Overlap::Never => "ok",
        Overlap::Maybe(_) => "maybe",
    })
}

#[test]
fn overlap_says_what_engines_did() {
    let (mut agree, mut wrong) = (0, Vec::new());
    each(|name, engine, case, outcome| match said(engine, case) {
        Some(said) if said == outcome => agree += 1,
        Some(said) => wrong.push(format!(
            "{name} {}: we say {said}, it was {outcome}",
            case.id
        )),
        None => {}
    });
    println!("engine table: overlap agrees on {agree} outcomes");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(agree, FIXED);
}

/// The observations of fixed ports.
const FIXED: usize = 6813;

/// The claims that a step makes.
fn container(publish: &[Binding], network: Network) -> Container {
    let claims = publish.iter().map(|&binding| Claim { binding, network });
    Container {
        copies: 1,
        claims: claims.collect(),
    }
}

#[test]
fn allocate_does_not_contradict_what_engines_did() {
    let (mut certain, mut none, mut maybe, mut wrong) = (0, 0, 0, Vec::new());
    each(|name, engine, case, outcome| {
        let (mut containers, mut sockets) = (Vec::new(), Vec::new());
        for step in case.setup.iter().chain([&case.probe]) {
            match step.act() {
                Act::Start(publish, network) => containers.push(container(&publish, network)),
                Act::Open(socket) => sockets.push(socket),
            }
        }
        let mut claims = containers.iter().flat_map(|one| &one.claims);
        if claims.any(|one| refusal(&one.binding, &one.network, engine).is_some()) {
            return;
        }
        let existing = Existing {
            holds: &[],
            sockets: &sockets,
        };
        let collisions = allocate(&containers, existing, engine);
        let (count, agrees) = if collisions.iter().any(Collision::is_certain) {
            (&mut certain, outcome == "fail")
        } else if collisions.is_empty() {
            (&mut none, outcome == "ok")
        } else {
            (&mut maybe, true)
        };
        *count += 1;
        if !agrees {
            wrong.push(format!("{name} {}: {outcome}, {collisions:?}", case.id));
        }
    });
    println!(
        "engine table: allocate is right {certain} times of failure, {none} of success, {maybe} maybe"
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!((certain, none, maybe), ALLOCATED);
}

/// Outcomes of which `allocate` is certain either way, and those that hang on order or cursors.
const ALLOCATED: (usize, usize, usize) = (3013, 3654, 167);
