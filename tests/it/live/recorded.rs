//! What other engines were seen to do in the life of a container (fixtures/engine, made by
//! `lifecycle.py` and `restart_cases.py`): the same is done here, read, and compared.

use portplan::binding::{self, Binding, Published};
use portplan::engine::container::Tenure;
use serde_json::Value;

use super::truth::predict;
use super::{LABEL, Live, Said, live, wait_until};

/// A free port in each row: `P`.
const BASE: u16 = 18200;

const LIFECYCLES: [&str; 3] = [
    include_str!("../../../fixtures/engine/lifecycle-20.10.24.json"),
    include_str!("../../../fixtures/engine/lifecycle-28.5.2.json"),
    include_str!("../../../fixtures/engine/lifecycle-29.7.2.json"),
];

const RESTARTS: [&str; 3] = [
    include_str!("../../../fixtures/engine/restart-20.10.24.txt"),
    include_str!("../../../fixtures/engine/restart-28.5.2.txt"),
    include_str!("../../../fixtures/engine/restart-29.7.2.txt"),
];

/// What was recorded, and how it comes about: commands that may fail, after which port P is in
/// question.
const ROWS: [(&str, &[&str]); 15] = [
    ("created/holds", &["create NAME -p P:80 bb"]),
    ("running/holds", &["run NAME -p P:80 bb"]),
    ("running/host-bind", &["run NAME -p P:80 bb"]),
    ("paused/holds", &["run NAME -p P:80 bb", "pause one"]),
    ("stopped/holds", &["run NAME -p P:80 bb", "stop -t 0 one"]),
    (
        "stopped-then-started/holds",
        &["run NAME -p P:80 bb", "stop -t 0 one", "start one"],
    ),
    ("killed/holds", &["run NAME -p P:80 bb", "kill one"]),
    (
        "conflict/multi-port-other-port-released",
        &["run NAME -p Q:80 bb", "run LABEL -p P:80 -p Q:81 bb"],
    ),
    (
        "restarting/holds-between-attempts",
        &["run NAME --restart always -p P:80 bb /bin/sh -c false"],
    ),
    (
        "restart-always/docker-stop-releases",
        &["run NAME --restart always -p P:80 bb", "stop -t 0 one"],
    ),
    (
        "host-mode/real-listener-holds",
        &["run NAME --network host -p P:80 bb /bin/busybox nc -l -p P"],
    ),
    (
        "network-disconnect/releases",
        &["run NAME -p P:80 bb", "network disconnect bridge one"],
    ),
    (
        "network-connect/claims-again",
        &[
            "run NAME -p P:80 bb",
            "network disconnect bridge one",
            "network connect portplan-live one",
        ],
    ),
    (
        "network-connect/then-conflict",
        &[
            "run NAME -p P:80 bb",
            "network disconnect bridge one",
            "network connect portplan-live one",
        ],
    ),
    (
        "two-networks/starts",
        &[
            "create NAME -p P:80 bb",
            "network connect portplan-live one",
            "start one",
        ],
    ),
];

impl Live {
    fn act(&self, commands: &[&str], port: u16) {
        for command in commands {
            let command = command
                .replace("NAME", "LABEL --name one")
                .replace("LABEL", &format!("--label {LABEL}"))
                .replace("run ", "run -d ")
                .replace("P:", &format!("{port}:"))
                .replace("-p P", &format!("-p {port}"))
                .replace("Q:", &format!("{}:", port + 1));
            let _ = self.try_docker(&command);
        }
    }

    /// What is said of a container that wants the port now, and what comes of it.
    fn ask(&self, port: u16) -> (&'static str, &'static str) {
        let binding = Binding {
            host_ip: None,
            published: Published::Fixed(binding::Port::new(port).unwrap()),
            target: binding::Port::new(80).unwrap(),
            protocol: binding::Protocol::Tcp,
        };
        let network = binding::Network::default_bridge();
        let said = match predict(&self.machine(), &[binding], network) {
            Said::Starts => "free",
            Said::Fails => "held",
            Said::Maybe(_) => "maybe",
        };
        let tried = self.run(&format!("-p {port}:80 bb"));
        (said, if tried.is_ok() { "free" } else { "held" })
    }
}

/// What an engine was seen to do in a row, in the words of [`Live::ask`].
fn recorded(table: &str, case: &str) -> &'static str {
    let rows: Vec<Value> = serde_json::from_str(table).unwrap();
    let row = rows.iter().find(|row| row["case"] == case).unwrap();
    match &row["outcome"] {
        Value::Bool(true) => "held",
        outcome => match outcome.as_str().unwrap() {
            "held" | "fail" => "held",
            "free" => "free",
            other => panic!("{case}: {other}"),
        },
    }
}

#[test]
fn the_life_of_a_container() {
    let Some(live) = live() else { return };
    for ((case, commands), port) in ROWS.iter().zip((BASE..).step_by(2)) {
        live.docker(&format!("network create --label {LABEL} portplan-live"));
        live.act(commands, port);
        if case.starts_with("restarting") {
            // each pause is twice as long as the one before: wait for one of some seconds, so that
            // no attempt falls between the question and the answer
            let status = "inspect --format {{.State.Status}}/{{.RestartCount}} one";
            wait_until(case, || {
                let status = live.docker(status);
                let attempts = status.strip_prefix("restarting/");
                attempts.is_some_and(|count| count.parse::<u32>().is_ok_and(|count| count >= 6))
            });
        }
        if case.starts_with("host-mode") {
            wait_until(case, || {
                let host = live.machine().host.unwrap();
                host.sockets.iter().any(|socket| socket.port.get() == port)
            });
        }
        let (said, tried) = live.ask(port);
        assert_eq!(said, tried, "{case}");
        for table in LIFECYCLES {
            assert_eq!(said, recorded(table, case), "{case}");
        }
        live.clean();
    }
}

/// Containers that hold nothing, by policy and by what became of them: will they have their ports
/// after the engine starts again?
#[test]
fn the_next_boot() {
    let Some(live) = live() else { return };
    let rows: [(&str, &[&str]); 4] = [
        (
            "always-stopped",
            &["run NAME --restart always -p P:80 bb", "stop -t 0 one"],
        ),
        (
            "unless-stopped",
            &[
                "run NAME --restart unless-stopped -p P:80 bb",
                "stop -t 0 one",
            ],
        ),
        (
            "always-created",
            &["create NAME --restart always -p P:80 bb"],
        ),
        ("no-run", &["run NAME -p P:80 bb", "stop -t 0 one"]),
    ];
    for ((case, commands), port) in rows.iter().zip(BASE + 100..) {
        live.act(commands, port);
        let machine = live.machine();
        let waiting = machine.waiting().any(|(container, ports, tenure)| {
            container.name == "one" && tenure == Tenure::AtBoot && ports.len() == 1
        });
        for table in RESTARTS {
            let line = table.lines().find(|line| line.trim().starts_with(case));
            let started = line.unwrap().contains("('running'");
            assert_eq!(waiting, started, "{case}");
        }
        live.clean();
    }
}
