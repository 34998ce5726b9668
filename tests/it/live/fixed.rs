//! What `portplan fix` has written, started on a real engine: all of it comes up.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rayon::prelude::*;
use serde_json::{Map, Value, json};

use super::{LABEL, Live, live, text};
use crate::common::{Output, compose_program, run, say};
use crate::conformance::{Case, cases};

/// A project in a folder of its own, and how Compose is called for it.
struct Project {
    name: String,
    cwd: PathBuf,
    args: Vec<String>,
    env: Vec<(String, String)>,
    /// Holds the copy.
    _held: Box<dyn std::any::Any + Send + Sync>,
}

impl Project {
    fn portplan(&self, command: &[&str]) -> Output {
        let mut args = vec!["--profile".to_owned(), "*".to_owned()];
        args.extend(self.args.iter().cloned());
        args.extend(command.iter().map(|arg| (*arg).to_owned()));
        run(&args, &self.cwd, &self.env)
    }

    /// True if something in it has to move and all of that can.
    fn can_be_fixed(&self) -> bool {
        let output = self.portplan(&["plan", "--format", "json"]);
        let Ok(plan) = serde_json::from_str::<Value>(&output.stdout) else {
            return false;
        };
        let count = |key: &str| plan[key].as_array().map_or(0, Vec::len);
        output.status == Some(1) && count("remaps") > 0 && count("unresolved") == 0
    }

    /// The services as Compose has them, with an image that is there and their ports.
    fn stub(&self, compose: &str) -> Result<(Value, u64), String> {
        let mut command = Command::new(compose);
        command.args(["--profile", "*"]).args(&self.args);
        command.args(["config", "--format", "json"]);
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", "/nonexistent");
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        let config = text(&command.current_dir(&self.cwd).output().unwrap())?;
        let config: Value = serde_json::from_str(&config).unwrap();
        let mut count = 0;
        let mut services = Map::new();
        for (name, service) in config["services"].as_object().unwrap() {
            let replicas = service["deploy"]["replicas"].as_u64();
            let replicas = service["scale"].as_u64().or(replicas).unwrap_or(1);
            count += replicas;
            let mut stub = json!({
                "image": "bb", "pull_policy": "never", "stop_grace_period": "0s",
                "labels": [LABEL], "ports": service["ports"], "scale": replicas,
            });
            if service["ports"].is_null() {
                stub.as_object_mut().unwrap().remove("ports");
            }
            if let Some(mode @ ("host" | "none")) = service["network_mode"].as_str() {
                stub["network_mode"] = mode.into();
            }
            services.insert(name.clone(), stub);
        }
        Ok((
            json!({
                "name": format!("{LABEL}-fixed"), "services": services,
                "networks": { "default": { "labels": [LABEL] } },
            }),
            count,
        ))
    }
}

/// All projects that have something to fix, copied.
fn projects() -> Vec<Project> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut found = Vec::new();
    let truth = fs::read_to_string(fixtures.join("collisions/truth.tsv")).unwrap();
    for row in truth.lines().skip(1) {
        let name = row.split('\t').next().unwrap();
        let copy = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(fixtures.join("collisions").join(name)).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
        }
        found.push(Project {
            name: name.to_owned(),
            cwd: copy.path().to_owned(),
            args: Vec::new(),
            env: Vec::new(),
            _held: Box::new(copy),
        });
    }
    let mut parts: Vec<PathBuf> =
        Vec::from(["hand", "merge", "own"].map(|part| fixtures.join("corpus").join(part)));
    parts.extend(std::env::var_os("PORTPLAN_CORPUS").map(|corpus| Path::new(&corpus).join("real")));
    for part in parts {
        let opened = cases(&part).into_par_iter().filter_map(|folder| {
            let case = Case::open_in("", &folder, true);
            let project = Project {
                name: case.name.clone(),
                cwd: case.cwd(),
                args: case
                    .source
                    .args
                    .iter()
                    .map(|arg| case.at_home(arg))
                    .collect(),
                env: case.env(),
                _held: Box::new(()),
            };
            // what is read from standard input cannot be written
            let fixable = case.source.stdin.is_none() && project.can_be_fixed();
            fixable.then(|| Project {
                _held: Box::new(case),
                ..project
            })
        });
        found.extend(opened.collect::<Vec<_>>());
    }
    found.retain(Project::can_be_fixed);
    found
}

impl Live {
    /// Starts a project; how many of its containers run, or what the engine complains of.
    fn start(&self, compose: &str, file: &Value) -> Result<u64, String> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("compose.yaml"), file.to_string()).unwrap();
        let act = |args: &[&str]| {
            let mut command = self.command(compose);
            text(
                &command
                    .args(args)
                    .current_dir(folder.path())
                    .output()
                    .unwrap(),
            )
        };
        let tried = act(&["up", "-d"]);
        let running = self.docker(&format!("ps -q --filter label={LABEL}"));
        // what it leaves is cleared away after it
        let _ = act(&["down", "-t", "0"]);
        tried.map(|_| running.lines().count() as u64)
    }
}

#[test]
fn what_was_fixed_comes_up() {
    let Some(live) = live() else { return };
    let Some(compose) = compose_program() else {
        say("skipped: no Docker Compose (COMPOSE_BIN)");
        return;
    };
    let projects = projects();
    let (mut up, mut elsewhere, mut invalid, mut wrong) = (0, 0, 0, Vec::new());
    for project in &projects {
        let name = &project.name;
        let valid = project.stub(&compose).is_ok();
        let fixed = project.portplan(&["fix", "--unsafe-fixes"]);
        if fixed.status != Some(0) {
            wrong.push(format!("{name}: {fixed:?}"));
            continue;
        }
        let again = project.portplan(&["fix", "--unsafe-fixes"]);
        if again.stdout != "nothing has to move\n" {
            wrong.push(format!("{name}, again: {again:?}"));
        }
        // all profiles at once make some projects invalid
        let (file, count) = match project.stub(&compose) {
            Ok(stub) => stub,
            Err(_) if !valid => {
                invalid += 1;
                continue;
            }
            Err(error) => {
                wrong.push(format!("{name}: {error}"));
                continue;
            }
        };
        match live.start(&compose, &file) {
            Ok(running) if running == count => up += 1,
            Ok(running) => wrong.push(format!("{name}: {running} of {count} containers run")),
            // an address of another machine
            Err(error) if error.contains("cannot assign requested address") => elsewhere += 1,
            Err(error) => wrong.push(format!("{name}: {error}\n{file}")),
        }
        live.clean();
    }
    say(&format!(
        "fixed projects on {}: {up} of {} come up, {elsewhere} need addresses of other machines, \
         {invalid} are refused by Compose with all profiles on",
        live.version(),
        projects.len(),
    ));
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(up >= 25, "{up} projects are too few");
}
