//! Rounds of random listeners, containers and projects: what `check --live` says of the project,
//! and what comes of its start.
//!
//! `PORTPLAN_TEST_ROUNDS` is how many, `PORTPLAN_TEST_SEED` the first: a seed makes its round.

use std::collections::BTreeSet;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::sockets::open;
use super::{Found, LABEL, Live, Said, live, text};
use crate::common::{compose_program, say};
use crate::engine_table::Listen;

const ROUNDS: u64 = 30;

/// One round of this many is started by Docker Compose, if there is one; it takes its time.
const COMPOSE: u64 = 4;

const IPS: [&str; 9] = [
    "",
    "",
    "",
    "0.0.0.0",
    "127.0.0.1",
    "127.0.0.2",
    "198.51.100.2",
    "::",
    "::1",
];

/// Random numbers, the same each time for a seed (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[usize::try_from(self.below(list.len() as u64)).unwrap()]
    }

    /// What a container publishes, each of another target: Compose would make one of two alike.
    fn publishes(&mut self, base: u16) -> Vec<String> {
        let count = 1 + self.below(2);
        let one = |number| {
            let ip = match self.of(&IPS) {
                "" => String::new(),
                six if six.contains(':') => format!("[{six}]:"),
                four => format!("{four}:"),
            };
            let first = u64::from(base) + self.below(5);
            let ports = match self.below(20) {
                0..13 => format!("{first}:"),
                13..19 => format!("{first}-{}:", first + 1 + self.below(3)),
                _ => ":".to_owned(),
            };
            let protocol = if self.one_in(4) { "/udp" } else { "" };
            let ports = if ip.is_empty() && ports == ":" {
                String::new()
            } else {
                ports
            };
            format!("{ip}{ports}{}{protocol}", 80 + number)
        };
        (0..count).map(one).collect()
    }

    fn listener(&mut self, base: u16) -> Listen {
        let address = self.of(&["0.0.0.0", "127.0.0.1", "127.0.0.2", "::", "::", "::1"]);
        Listen {
            addr: address.to_owned(),
            port: (u64::from(base) + self.below(6)).to_string(),
            proto: self.one_in(3).then(|| "udp".to_owned()),
            reuseaddr: self.one_in(2),
            reuseport: self.one_in(7),
            v6only: self.one_in(2),
            state: None,
            bindtodevice: None,
            _family: 0,
        }
    }
}

/// `-p` for each.
fn flags(publishes: &[String]) -> String {
    publishes.iter().fold(String::new(), |mut flags, ports| {
        let _ = write!(flags, "-p {ports} ");
        flags
    })
}

/// A service of the project.
struct Service {
    publishes: Vec<String>,
    /// How often it runs.
    scale: u64,
    /// `network_mode`, if one is written.
    mode: Option<&'static str>,
}

impl Service {
    fn random(random: &mut Random, base: u16) -> Self {
        Self {
            publishes: random.publishes(base),
            scale: if random.one_in(8) { 2 } else { 1 },
            mode: random
                .one_in(8)
                .then(|| random.of(&["host", "none", "bridge"])),
        }
    }

    /// As it stands in a compose file.
    fn yaml(&self) -> String {
        let Self {
            publishes,
            scale,
            mode,
        } = self;
        let mode = mode.map_or_else(String::new, |mode| format!("network_mode: {mode}, "));
        format!(
            "{{image: bb, pull_policy: never, labels: [{LABEL}], {mode}scale: {scale}, \
             ports: {publishes:?}}}"
        )
    }

    /// Starts it without Compose.
    fn run(&self, live: &Live) -> Result<(), String> {
        let network = self.mode.unwrap_or("bridge");
        let command = format!("--network {network} {} bb", flags(&self.publishes));
        (0..self.scale).try_for_each(|_| live.run(&command).map(drop))
    }
}

/// What the findings say of the project's start. A port that is ignored is in nobody's way.
pub(super) fn said(findings: &[Found]) -> Said<String> {
    let of_start = findings.iter().filter(|found| found.rule != "port-ignored");
    let rules: BTreeSet<String> = of_start.clone().map(|found| found.rule.clone()).collect();
    if rules.is_empty() {
        Said::Starts
    } else if of_start.clone().any(|found| found.severity == "error") {
        Said::Fails
    } else {
        Said::Maybe(rules)
    }
}

impl Live {
    /// A round: what was said of the start, whether it came about, and all about it.
    fn round(&self, seed: u64, compose: Option<&str>) -> (Said<String>, bool, String) {
        let mut random = Random(seed);
        let base = 5000 + u16::try_from(seed % 1000).unwrap() * 16;
        let mut story = format!("PORTPLAN_TEST_SEED={seed} PORTPLAN_TEST_ROUNDS=1\n");
        let mut sockets = Vec::new();
        for _ in 0..random.below(3) {
            let row = random.listener(base);
            if let Ok(opened) = open(&row, row.port.parse().unwrap()) {
                let _ = writeln!(story, "{row:?}");
                sockets.push(opened);
            }
        }
        for _ in 0..random.below(3) {
            let container = flags(&random.publishes(base));
            let tried = self.run(&format!("{container} bb"));
            let _ = writeln!(story, "docker run {container}: {tried:?}");
        }
        let services: Vec<_> = (0..1 + random.below(3))
            .map(|_| Service::random(&mut random, base))
            .collect();
        let mut file = format!("name: {LABEL}-{seed}\nservices:\n");
        for (number, service) in services.iter().enumerate() {
            let _ = writeln!(file, "  s{number}: {}", service.yaml());
        }
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("compose.yaml"), &file).unwrap();
        let findings = self.check(folder.path());
        let tried = match compose.filter(|_| random.one_in(COMPOSE)) {
            Some(program) => self.up(program, folder.path()),
            None => services.iter().try_for_each(|service| service.run(self)),
        };
        let _ = writeln!(story, "{file}{findings:#?}\n{tried:?}");
        (said(&findings), tried.is_ok(), story)
    }

    fn up(&self, program: &str, folder: &Path) -> Result<(), String> {
        let run = |args: &[&str]| {
            let mut command = self.command(program);
            text(&command.args(args).current_dir(folder).output().unwrap()).map(drop)
        };
        let tried = run(&["up", "-d"]);
        if tried.is_ok() {
            // what is up is not in its own way
            let findings = self.check(folder);
            assert_ne!(
                said(&findings),
                Said::Fails,
                "{}: {findings:?}",
                folder.display()
            );
        }
        run(&["down", "-t", "0"]).unwrap();
        tried
    }
}

#[test]
fn random_rounds() {
    let Some(live) = live() else { return };
    let number = |name: &str| env::var(name).ok().map(|text| text.parse().unwrap());
    let first = number("PORTPLAN_TEST_SEED").unwrap_or(1);
    let rounds = number("PORTPLAN_TEST_ROUNDS").unwrap_or(ROUNDS);
    let program = compose_program();
    let (mut starts, mut fails, mut maybe, mut wrong) = (0, 0, 0, Vec::new());
    for seed in first..first + rounds {
        let (said, started, story) = live.round(seed, program.as_deref());
        match (&said, started) {
            (Said::Starts, true) => starts += 1,
            (Said::Fails, false) => fails += 1,
            (Said::Maybe(_), _) => maybe += 1,
            _ => wrong.push(format!("{story}{said:?}, but started: {started}")),
        }
        live.clean();
    }
    say(&format!(
        "random rounds: {rounds} from seed {first} on {}: {starts} start and {fails} fail as said, \
         {maybe} maybe, {} wrong",
        live.version(),
        wrong.len(),
    ));
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(rounds < 30 || (starts > 0 && fails > 0), "too little known");
}
