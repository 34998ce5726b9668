//! Rootless Docker and Podman: each pair of addresses, programs and low ports, as `check --live`
//! sees them and as they come out.
//!
//! `PORTPLAN_TEST_OTHERS` names such engines (`unix://…`), parted by spaces; `other_engine.sh` starts
//! them.

use std::env;
use std::fs;

use super::random::said;
use super::sockets::open;
use super::{LABEL, Live, Said};
use crate::common::say;
use crate::engine_table::Listen;

/// What comes before the host port; the first three are tried beside everything.
const ADDRESSES: [&str; 6] = [
    "",
    "127.0.0.1:",
    "[::1]:",
    "0.0.0.0:",
    "127.0.0.2:",
    "[::]:",
];

/// Addresses of programs, those of IPv6 with `IPV6_V6ONLY` and without.
const PROGRAMS: [(&str, bool); 4] = [
    ("127.0.0.1", false),
    ("127.0.0.2", false),
    ("::", true),
    ("::", false),
];

/// Ports about the threshold, which a rootless engine may bind from 1024 on.
const LOW: [&str; 6] = [
    "80:80",
    "127.0.0.1:80:80",
    "1023:80",
    "1024:80",
    "1022-1024:80-82",
    "80:80/udp",
];

/// What became of all starts.
#[derive(Default)]
struct Count {
    agree: usize,
    maybe: usize,
    wrong: Vec<String>,
}

impl Live {
    /// Says what will come of a container's start, and starts it.
    fn compare(&self, beside: &str, publish: &str, count: &mut Count) {
        let folder = tempfile::tempdir().unwrap();
        let file =
            format!("services: {{web: {{image: bb, network_mode: bridge, ports: ['{publish}']}}}}");
        fs::write(folder.path().join("compose.yaml"), file).unwrap();
        // Podman 4 runs the package manager to tell its version: slow beside other work
        let tries = (0..5).find_map(|_| self.try_check(folder.path(), &[]).ok());
        let findings = tries.expect("an answer in time");
        let tried = self.run(&format!("-p {publish} bb"));
        match (said(&findings), &tried) {
            (Said::Starts, Ok(_)) | (Said::Fails, Err(_)) => count.agree += 1,
            (Said::Maybe(_), _) => count.maybe += 1,
            (said, tried) => {
                let wrong = format!("{beside}, then {publish}: {said:?}, but {tried:?}");
                say(&wrong);
                count.wrong.push(wrong);
            }
        }
        match tried {
            Ok(container) => self.end(&container),
            Err(_) => {
                let created = format!("ps -aq --filter label={LABEL} --filter status=created");
                self.docker(&format!("rm -f {}", self.docker(&created)));
            }
        }
    }

    /// Removes a container; Podman would give it ten seconds to end by itself.
    fn end(&self, container: &str) {
        self.docker(&format!("kill {container}"));
        self.docker(&format!("rm -f {container}"));
    }

    /// Each pair of publishes of one port; which comes first does not matter.
    fn pairs(&self, count: &mut Count) {
        for (protocol, port, addresses) in [
            ("tcp", 18080, &ADDRESSES[..]),
            ("udp", 18081, &ADDRESSES[..3]),
        ] {
            for (index, first) in addresses.iter().enumerate() {
                let first = format!("{first}{port}:80/{protocol}");
                let container = self.run(&format!("-p {first} bb")).unwrap();
                for second in &addresses[index..] {
                    self.compare(&first, &format!("{second}{port}:81/{protocol}"), count);
                }
                self.end(&container);
            }
        }
    }

    /// Publishes beside each program.
    fn programs(&self, count: &mut Count) {
        for (addr, v6only) in PROGRAMS {
            for (proto, port) in [("tcp", 18082), ("udp", 18083)] {
                let row = Listen {
                    addr: addr.to_owned(),
                    port: port.to_string(),
                    proto: Some(proto.to_owned()),
                    reuseaddr: true,
                    reuseport: false,
                    v6only,
                    state: None,
                    bindtodevice: None,
                    _family: 0,
                };
                let _program = open(&row, port).unwrap();
                for address in &ADDRESSES[..3] {
                    let publish = format!("{address}{port}:80/{proto}");
                    let program = format!("a program on {addr} (v6only {v6only})");
                    self.compare(&program, &publish, count);
                }
            }
        }
    }
}

#[test]
fn other_engines() {
    let Ok(engines) = env::var("PORTPLAN_TEST_OTHERS") else {
        say("skipped: other engines: no PORTPLAN_TEST_OTHERS");
        return;
    };
    let mut wrong = Vec::new();
    for host in engines.split_whitespace() {
        let live = Live::at(host.to_owned());
        let mut count = Count::default();
        for publish in LOW {
            live.compare("nothing", publish, &mut count);
        }
        live.pairs(&mut count);
        live.programs(&mut count);
        say(&format!(
            "{host} ({}): {} agree, {} maybe, {} wrong",
            live.version(),
            count.agree,
            count.maybe,
            count.wrong.len(),
        ));
        wrong.extend(count.wrong.iter().map(|line| format!("{host}: {line}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
