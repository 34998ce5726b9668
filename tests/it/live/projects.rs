//! Projects that Docker Compose has started, looked at again.

use std::fs;
use std::path::Path;

use super::{Found, LABEL, Live, live, text, wait_until};
use crate::common::{compose_program, say};

/// A project in a folder, which is down again at the end.
struct Stack<'l> {
    live: &'l Live,
    program: String,
    folder: tempfile::TempDir,
}

impl<'l> Stack<'l> {
    /// A project of these services, each `name: ports`.
    fn new(live: &'l Live, services: &[(&str, &str)]) -> Option<Self> {
        let Some(program) = compose_program() else {
            say("skipped: no Docker Compose (COMPOSE_BIN)");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let stack = Self {
            live,
            program,
            folder,
        };
        stack.write(services);
        Some(stack)
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, services: &[(&str, &str)]) {
        write(self.path(), services);
    }

    fn compose(&self, args: &str) -> Result<String, String> {
        let mut command = self.live.command(&self.program);
        command.args(args.split_whitespace());
        text(&command.current_dir(self.path()).output().unwrap())
    }

    fn kinds(&self) -> Vec<String> {
        kinds(&self.live.check(self.path()))
    }
}

impl Drop for Stack<'_> {
    fn drop(&mut self) {
        let _ = self.compose("down -t 0 --remove-orphans");
    }
}

fn write(folder: &Path, services: &[(&str, &str)]) {
    let mut file = format!("name: {LABEL}-shop\nservices:\n");
    for (name, ports) in services {
        file += &format!(
            "  {name}: {{image: bb, pull_policy: never, stop_grace_period: 0s, labels: [{LABEL}], \
             ports: [{ports}]}}\n"
        );
    }
    fs::write(folder.join("compose.yaml"), file).unwrap();
}

fn kinds(findings: &[Found]) -> Vec<String> {
    findings.iter().map(Found::kind).collect()
}

#[test]
fn a_project_is_not_in_its_own_way() {
    let Some(live) = live() else { return };
    let ports = [
        ("web", "'18100:80', '18101-18103:81'"),
        ("dns", "'18104:53/udp'"),
    ];
    let Some(stack) = Stack::new(&live, &ports) else {
        return;
    };
    stack.compose("up -d").unwrap();
    assert_eq!(stack.kinds(), [""; 0]);

    // a port moves from one running service to another, as Compose does it, too
    stack.write(&[("web", "'18105:80'"), ("dns", "'18104:53/udp', '18100:80'")]);
    assert_eq!(stack.kinds(), [""; 0]);
    stack.compose("up -d").unwrap();
    assert_eq!(stack.kinds(), [""; 0]);

    // changed so that it is in its own way
    stack.write(&[("web", "'18105:80'"), ("dns", "'18105:80'")]);
    assert_eq!(stack.kinds(), ["error host-port-collision"]);
    stack.compose("up -d").unwrap_err();
}

#[test]
fn an_orphan_is_in_the_way() {
    let Some(live) = live() else { return };
    let Some(stack) = Stack::new(&live, &[("web", "'18110:80'")]) else {
        return;
    };
    stack.compose("up -d").unwrap();
    stack.write(&[("site", "'18110:80'")]);
    let findings = live.check(stack.path());
    assert_eq!(kinds(&findings), ["error container-collision"]);
    assert!(findings[0].text.contains("orphan"), "{findings:?}");
    stack.compose("up -d").unwrap_err();
    stack.compose("up -d --remove-orphans").unwrap();
    assert_eq!(stack.kinds(), [""; 0]);
}

#[test]
fn a_run_of_a_service_is_in_the_way() {
    let Some(live) = live() else { return };
    let Some(stack) = Stack::new(&live, &[("web", "'18115:80'")]) else {
        return;
    };
    stack.compose("run -d --service-ports web").unwrap();
    let findings = live.check(stack.path());
    assert_eq!(kinds(&findings), ["error container-collision"]);
    assert!(
        findings[0].text.contains("a run of service"),
        "{findings:?}"
    );
    stack.compose("up -d").unwrap_err();
}

#[test]
fn a_name_is_used_twice() {
    let Some(live) = live() else { return };
    let Some(stack) = Stack::new(&live, &[("web", "'18120:80'")]) else {
        return;
    };
    stack.compose("up -d").unwrap();
    let other = tempfile::tempdir().unwrap();
    write(other.path(), &[("web", "'18120:80'")]);
    let findings = live.check(other.path());
    assert_eq!(kinds(&findings), ["warning project-name-reused"]);
    let folder = stack.path().to_str().unwrap();
    assert!(findings[0].text.contains(folder), "{findings:?}");

    // another name for the same files: then it is in the way
    fs::copy(
        stack.path().join("compose.yaml"),
        other.path().join("compose.yaml"),
    )
    .unwrap();
    fs::write(other.path().join(".env"), "COMPOSE_PROJECT_NAME=other\n").unwrap();
    let findings = live.check(other.path());
    assert_eq!(kinds(&findings), ["error container-collision"]);
}

/// A container in each state, and what is said of a project that wants its port.
#[test]
fn each_state_for_what_it_is() {
    let Some(live) = live() else { return };
    let run = format!("run -d --label {LABEL} --name portplan-live -p 18130:80");
    let create = format!("create --label {LABEL} --name portplan-live -p 18130:80");
    let rows: [(&str, &str, &str, &[&str], bool); 9] = [
        (
            "running",
            &format!("{run} bb"),
            "",
            &["error container-collision"],
            false,
        ),
        (
            "paused",
            &format!("{run} bb"),
            "pause",
            &["error container-collision"],
            false,
        ),
        (
            "created",
            &format!("{create} --restart always bb"),
            "",
            &[],
            true,
        ),
        ("exited", &format!("{run} bb"), "kill", &[], true),
        (
            "exited",
            &format!("{run} --restart always bb"),
            "kill",
            &["notice boot-collision"],
            true,
        ),
        (
            "exited",
            &format!("{run} --restart unless-stopped bb"),
            "kill",
            &[],
            true,
        ),
        (
            "restarting",
            &format!("{run} --restart always bb /bin/sh -c false"),
            "",
            &["warning container-collision"],
            true,
        ),
        (
            "running",
            &format!("{run} --network none bb"),
            "",
            &[],
            true,
        ),
        (
            "running",
            &format!("{run} --network host bb"),
            "",
            &[],
            true,
        ),
    ];
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[("web", "'18130:80'")]);
    for (state, make, then, expected, starts) in rows {
        live.docker(make);
        if !then.is_empty() {
            live.docker(&format!("{then} portplan-live"));
        }
        let inspect = "inspect --format {{.State.Status}} portplan-live";
        wait_until(make, || live.docker(inspect) == state);
        let findings = live.check(folder.path());
        assert_eq!(kinds(&findings), expected, "{make}, {then}: {findings:#?}");
        if state != "restarting" {
            let tried = live.run("-p 18130:80 bb");
            assert_eq!(tried.is_ok(), starts, "{make}, {then}: {tried:?}");
        }
        live.clean();
    }
}
