//! A swarm of one node. Only of an engine that is thrown away afterwards: `PORTPLAN_TEST_SWARM=1`.

use std::collections::BTreeSet;
use std::env;
use std::fs;

use serde_json::Value;

use super::{Found, LABEL, Live, live};
use crate::common::say;

/// What engines said to `docker service create` (`swarm_cases.py`).
const RECORDED: [&str; 3] = [
    include_str!("../../../fixtures/engine/swarm-20.10.24.json"),
    include_str!("../../../fixtures/engine/swarm-28.5.2.json"),
    include_str!("../../../fixtures/engine/swarm-29.7.2.json"),
];

/// The engine, as a swarm of its own.
struct Swarm(Live);

impl Swarm {
    fn new() -> Option<Self> {
        let live = live()?;
        if env::var("PORTPLAN_TEST_SWARM").is_err() {
            say("skipped: only a throw-away engine becomes a swarm (PORTPLAN_TEST_SWARM=1)");
            return None;
        }
        live.docker("swarm init --advertise-addr 127.0.0.1");
        Some(Self(live))
    }

    fn create(&self, name: &str, rest: &str) -> Result<String, String> {
        let create = "service create --detach --no-resolve-image";
        self.0
            .try_docker(&format!("{create} --name {name} {rest} bb"))
    }

    /// What `check --live --stack` says of a stack with these ports: is one of them refused?
    fn refused(&self, publish: &[Value]) -> bool {
        let entries: Vec<String> = publish.iter().map(entry).collect();
        let file = format!(
            "services: {{web: {{image: bb, ports: [{}]}}}}\n",
            entries.join(", ")
        );
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("compose.yaml"), file).unwrap();
        let findings = self.0.check_with(folder.path(), &["--stack", "new"]);
        findings
            .iter()
            .any(|found| found.kind() == "error stack-collision")
    }

    /// The ingress ports, as read: `15000/tcp`.
    fn ingress(&self) -> BTreeSet<String> {
        let machine = self.0.machine();
        let ports = machine.ingress();
        ports
            .map(|(_, port, protocol)| format!("{port}/{protocol}"))
            .collect()
    }
}

impl Drop for Swarm {
    fn drop(&mut self) {
        let _ = self.0.try_docker("swarm leave --force");
    }
}

/// What `--publish` was given, for a compose file: `published=80,target=80` is the long form.
fn entry(publish: &Value) -> String {
    let publish = publish.as_str().unwrap();
    match publish.contains('=') {
        true => format!("{{{}}}", publish.replace('=', ": ").replace(',', ", ")),
        false => format!("'{publish}'"),
    }
}

#[test]
fn a_stack_has_the_port() {
    let Some(swarm) = Swarm::new() else { return };
    let stack = "--label com.docker.stack.namespace=blog";
    swarm
        .create("blog_web", &format!("{stack} -p 18400:80"))
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (ports, expected) in [
        ("18400:80", true),
        ("18400:80/udp", false),
        ("18401:80", false),
    ] {
        let file = format!(
            "name: shop\nservices: {{web: {{image: bb, labels: [{LABEL}], ports: ['{ports}']}}}}\n"
        );
        fs::write(folder.path().join("compose.yaml"), file).unwrap();
        let findings = swarm.0.check(folder.path());
        let found: Vec<&str> = findings.iter().map(|found| found.rule.as_str()).collect();
        let rule: &[&str] = if expected {
            &["swarm-ingress-collision"]
        } else {
            &[]
        };
        assert_eq!(found, rule, "{ports}: {findings:?}");
        assert!(findings.iter().all(|found| found.text.contains("blog_web")));
        // certain only where the mesh is seen to listen
        let tried = swarm.0.run(&format!("-p {ports} bb"));
        let certain = findings.iter().any(|found| found.severity == "error");
        assert!(tried.is_err() || !certain, "{findings:?}");
        assert!(tried.is_ok() || expected, "{ports}: {tried:?}");

        // as another stack it is refused, as a new version of the same it is not
        let stacks = [("shop", &["error stack-collision"][..]), ("blog", &[])];
        for (stack, refused) in stacks {
            let findings = swarm.0.check_with(folder.path(), &["--stack", stack]);
            let kinds: Vec<String> = findings.iter().map(Found::kind).collect();
            assert_eq!(
                kinds,
                if expected { refused } else { &[] },
                "{stack}, {ports}: {findings:?}"
            );
        }
    }
}

/// Each service that engines accepted has the ports that are read of it; those that they refused
/// wanted one that was read as taken.
#[test]
fn services_as_recorded() {
    let Some(swarm) = Swarm::new() else { return };
    let tables = RECORDED.map(|table| serde_json::from_str::<Vec<Value>>(table).unwrap());
    let (mut created, mut agree) = (0, 0);
    for (index, row) in tables[0].iter().enumerate() {
        let Some(publish) = row["publish"].as_array() else {
            continue;
        };
        let case = row["case"].as_str().unwrap();
        let before = swarm.ingress();
        let said = swarm.refused(publish);
        let ports = publish
            .iter()
            .map(|one| format!("-p {} ", one.as_str().unwrap()));
        let more = match case {
            "dnsrr-with-ingress" => "--endpoint-mode dnsrr",
            _ if case.starts_with("replicas-2") => "--replicas 2",
            _ => "",
        };
        let tried = swarm.create(&format!("s{index}"), &(ports.collect::<String>() + more));
        for table in &tables {
            let row = table.iter().find(|row| row["case"] == case).unwrap();
            assert_eq!(tried.is_ok(), row["outcome"] == "ok", "{case}: {tried:?}");
        }
        // a stack's file has no such mode, and a host IP is dropped from it (engine.md 7)
        if !["dnsrr-with-ingress", "host-ip"].contains(&case) {
            assert_eq!(said, tried.is_err(), "{case}: {tried:?}");
            agree += 1;
        }
        let after = swarm.ingress();
        let new: BTreeSet<&String> = after.difference(&before).collect();
        match case {
            _ if tried.is_err() || case.contains("host") => assert!(new.is_empty(), "{case}"),
            _ if case.starts_with("range-to") => assert_eq!(new.len(), 3, "{case}: {new:?}"),
            _ => assert_eq!(new.len(), 1, "{case}: {new:?}"),
        }
        if case == "range-overlaps-claimed" {
            assert!(before.contains("15012/tcp"), "{before:?}");
        }
        created += usize::from(tried.is_ok());
    }
    say(&format!("swarm: {agree} of {agree} deployments as said"));
    assert!(created > 8 && agree > 12);
}
