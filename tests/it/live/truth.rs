//! The cases of fixtures/engine/ground_truth.json on a real engine: what is said of each start,
//! from the machine as it is read at that moment, and what comes of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use portplan::binding::{
    self, Binding, Cause, Claim, Collision, Container, Existing, Reason, allocate, refusal,
};
use portplan::machine::Machine;

use super::sockets::{Opened, open};
use super::{LABEL, Live, Said, live};
use crate::common::say;
use crate::engine_table::{Case, Step, binding, cases, place};

/// Apart enough for the longest range of a case.
const STRIDE: u16 = 16;

/// Every pair of this many is tried; of the other kinds all cases are.
const PAIRS: usize = 3;

/// What became of all starts.
#[derive(Default)]
struct Count {
    agree: usize,
    maybe: BTreeMap<BTreeSet<Reason>, usize>,
    wrong: Vec<String>,
}

impl Count {
    fn add(&mut self, what: &str, said: &Said<Reason>, may: bool, tried: &Result<String, String>) {
        match (said, tried) {
            (Said::Starts, Ok(_)) | (Said::Fails, Err(_)) => self.agree += 1,
            (Said::Maybe(reasons), _) if may => {
                *self.maybe.entry(reasons.clone()).or_default() += 1
            }
            _ => self.wrong.push(format!("{what}: {said:?}, but {tried:?}")),
        }
    }
}

/// What a machine as it is now makes of the start of one container.
pub(super) fn predict(
    machine: &Machine,
    publish: &[Binding],
    network: binding::Network,
) -> Said<Reason> {
    let engine = machine.engine();
    let holders = machine.holders(|_| false);
    let holds: Vec<_> = holders.holds.iter().map(|(hold, _)| *hold).collect();
    let sockets: Vec<_> = holders.sockets.iter().map(|h| h.socket.clone()).collect();
    let existing = Existing {
        holds: &holds,
        sockets: &sockets,
    };
    let claims = publish.iter().map(|&binding| Claim { binding, network });
    let container = Container {
        copies: 1,
        claims: claims.collect(),
    };
    let refused = |binding| refusal(binding, &network, &engine).is_some();
    if publish.iter().any(refused) {
        return Said::Fails;
    }
    let collisions = allocate(&[container], existing, &engine);
    if collisions.iter().any(Collision::is_certain) {
        return Said::Fails;
    }
    let reasons = collisions.iter().filter_map(|found| match found.cause {
        Cause::Maybe(reason) => Some(reason),
        _ => None,
    });
    let reasons: BTreeSet<Reason> = reasons.collect();
    match reasons.is_empty() {
        true => Said::Starts,
        false => Said::Maybe(reasons),
    }
}

/// True if engine.md 14 allows not to know: the option of a socket that no process has any more,
/// the cursor of a range of which the host has a port, and the order in which old engines bind
/// one container.
fn may_be_unknown(case: &Case, reasons: &BTreeSet<Reason>) -> bool {
    let ownerless = ["timewait", "finwait2"];
    let ownerless = ownerless.iter().any(|state| case.id.contains(state));
    let range = case.id.starts_with("range/");
    reasons.iter().all(|reason| match reason {
        Reason::NotListening => ownerless,
        Reason::RangeCursor | Reason::BindingOrder => range,
        _ => false,
    })
}

/// Containers and sockets that are there before the start in question.
#[derive(Default)]
struct Setup {
    base: u16,
    containers: Vec<String>,
    sockets: Vec<Opened>,
    failed: bool,
}

impl Live {
    /// Starts a container after saying what will come of it.
    fn attempt(&self, case: &Case, step: &Step, base: u16, count: &mut Count) -> Option<String> {
        let Step::Publish { publish, network } = step else {
            panic!("{}: only containers are tried", case.id);
        };
        let network = network.as_deref().unwrap_or("bridge");
        let bindings: Vec<Binding> = publish.iter().map(|one| binding(one, base)).collect();
        let mut command = format!("--network {network}");
        for (ip, ports, target) in publish {
            let ip = match ip.as_str() {
                "" => String::new(),
                six if six.contains(':') => format!("[{six}]:"),
                four => format!("{four}:"),
            };
            let _ = write!(command, " -p {ip}{}:{target}", place(ports, base));
        }
        let machine = self.machine();
        let network = machine.network(network).unwrap();
        let said = predict(&machine, &bindings, network);
        let tried = self.run(&format!("{command} bb"));
        let may = matches!(&said, Said::Maybe(reasons) if may_be_unknown(case, reasons));
        count.add(&case.id, &said, may, &tried);
        tried.ok()
    }

    fn set_up(&self, case: &Case, base: u16, count: &mut Count) -> Setup {
        let mut setup = Setup {
            base,
            ..Setup::default()
        };
        for step in &case.setup {
            if let Step::Listen { listen } = step {
                let port = place(&listen.port, setup.base).parse().unwrap();
                let (opened, port) = open(listen, port)
                    .unwrap_or_else(|error| panic!("{}: port {port}: {error}", case.id));
                setup.sockets.push(opened);
                if listen.port == "{0}" {
                    setup.base = port;
                }
            } else {
                let started = self.attempt(case, step, setup.base, count);
                setup.failed |= started.is_none();
                setup.containers.extend(started);
            }
        }
        setup
    }

    fn remove(&self, containers: &[String]) {
        if !containers.is_empty() {
            self.docker(&format!("rm -fv {}", containers.join(" ")));
        }
    }

    /// The networks that cases name.
    fn networks(&self) {
        let label = format!("--label {LABEL}");
        for network in [
            "pp_v4",
            "--ipv6 --subnet 172.28.0.0/24 --subnet fd00:aa::/64 pp_v6",
            "--opt com.docker.network.bridge.host_binding_ipv4=127.0.0.1 pp_lo",
            "--internal pp_internal",
        ] {
            self.docker(&format!("network create {label} {network}"));
        }
    }
}

/// True if cases can follow each other on one setup, as a start that ends leaves it as it was: not
/// where a connection dies of old age, or a cursor moves.
fn shares(case: &Case) -> bool {
    !case.setup.is_empty() && !case.id.contains("timewait") && !case.id.starts_with("range/")
}

#[test]
fn engine_truth() {
    let Some(live) = live() else { return };
    live.networks();
    let mut cases = cases();
    let mut pair = 0;
    cases.retain(|case| {
        pair += usize::from(case.id.starts_with("pair/"));
        !case.id.starts_with("pair/") || pair % PAIRS == 0
    });
    let mut count = Count::default();
    let mut base = 5000;
    let mut last: Option<(String, Setup)> = None;
    for case in &cases {
        let key = format!("{:?}", case.setup);
        let setup = match last.take_if(|(of, _)| *of == key && shares(case)) {
            Some((_, setup)) => setup,
            None => {
                if let Some((_, over)) = last.take() {
                    live.remove(&over.containers);
                }
                base += STRIDE;
                live.set_up(case, base, &mut count)
            }
        };
        if !setup.failed {
            let started = live.attempt(case, &case.probe, setup.base, &mut count);
            live.remove(started.as_slice());
        }
        last = Some((key, setup));
    }
    let Count {
        agree,
        maybe,
        wrong,
    } = count;
    let unknown: usize = maybe.values().sum();
    say(&format!(
        "engine truth: {agree} of {} agree, {unknown} maybe on {} ({} cases; {maybe:?})",
        agree + unknown + wrong.len(),
        live.version(),
        cases.len(),
    ));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        cases.len() >= 150 && unknown * 10 < agree,
        "too little known"
    );
}
