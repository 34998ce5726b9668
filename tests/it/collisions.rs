//! Projects that a real engine was asked to start: its verdict and ours.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::common::{Output, run, say};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn check(cwd: &Path, args: &[&str], env: &[(&str, &str)]) -> (Output, Value) {
    let mut all = vec!["check".to_owned(), "--format".to_owned(), "json".to_owned()];
    all.extend(args.iter().map(|arg| (*arg).to_owned()));
    let env: Vec<_> = env
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
    let output = run(&all, cwd, &env);
    let json = serde_json::from_str(&output.stdout).unwrap();
    crate::schemas::validate("findings", &json);
    (output, json)
}

/// The rules of the findings that say what the engine will refuse.
fn rules(json: &Value) -> Vec<&str> {
    let findings = json["findings"].as_array().unwrap().iter();
    let errors = findings.filter(|finding| finding["severity"] == "error");
    errors
        .map(|finding| finding["rule"].as_str().unwrap())
        .collect()
}

/// How many findings say that ports collide, those that depend on profiles as well.
fn collisions_said(json: &Value) -> usize {
    let findings = json["findings"].as_array().unwrap().iter();
    let rules = findings.filter_map(|finding| finding["rule"].as_str());
    let kinds = ["host-port-collision", "replica-collision"];
    rules.filter(|rule| kinds.contains(rule)).count()
}

#[test]
fn the_engines_verdict_on_each_project() {
    let truth = fs::read_to_string(fixtures().join("collisions/truth.tsv")).unwrap();
    let (mut found, mut collisions, mut clean) = (0, 0, 0);
    for row in truth.lines().skip(1) {
        let columns: Vec<&str> = row.split('\t').collect();
        let (case, verdict) = (columns[0], columns[1]);
        // the note says: "ok with P set"
        let env = if case == "c32_empty_default_interp" {
            vec![("P", "8080")]
        } else {
            vec![]
        };
        let (output, json) = check(&fixtures().join("collisions").join(case), &[], &env);
        let rules = rules(&json);
        let hits = collisions_said(&json);
        let errors = json["errors"].as_array().unwrap().len();
        match verdict {
            "collision" => {
                collisions += 1;
                let status = Some(i32::from(!rules.is_empty()));
                found += usize::from(hits > 0 && output.status == status && errors == 0);
                assert!(hits > 0, "{case}: {json:#}");
            }
            // the kernel here has no SCTP; nothing collides
            "clean" | "environment" => {
                clean += 1;
                assert_eq!(
                    (output.status, rules.len(), errors),
                    (Some(0), 0, 0),
                    "{case}: {json:#}"
                );
            }
            "invalid" => assert!(output.status == Some(2) && errors > 0, "{case}: {json:#}"),
            "refused" => {
                assert_eq!(
                    (output.status, &rules[..]),
                    (Some(1), &["port-refused"][..]),
                    "{case}"
                );
            }
            other => panic!("{case}: unknown verdict {other}"),
        }
    }
    say(&format!(
        "collisions: {found} of {collisions} found, 0 false alarms on {clean} clean ones"
    ));
    assert_eq!((found, collisions, clean), (14, 14, 15));
}

/// What `docker compose up` did on engines 20.10 and 28.5, row by row.
#[test]
fn what_up_did() {
    let (mut agree, mut maybe) = (0, 0);
    for engine in ["20.10.24", "28.5.2"] {
        let file = format!("engine/compose-2.40.3-engine-{engine}.json");
        let rows = fs::read_to_string(fixtures().join(file)).unwrap();
        let rows: Vec<Value> = serde_json::from_str(&rows).unwrap();
        // `config` rows are the tables' of conformance; `run` starts no service
        for row in rows.iter().filter(|row| row["kind"] == "up") {
            let name = row["case"].as_str().unwrap();
            let folder = tempfile::tempdir().unwrap();
            let mut args = vec!["--engine", engine];
            // two rows say in words what was there: `web` with one port, and a project beside it
            let web = "services: {web: {image: bb, ports: ['12580:80']}}";
            let compose = row["compose"].as_str().unwrap_or(web);
            fs::write(folder.path().join("compose.yaml"), compose).unwrap();
            if name == "second-project-same-port" {
                fs::create_dir(folder.path().join("ppd")).unwrap();
                fs::write(folder.path().join("ppd/compose.yaml"), web).unwrap();
                args.extend(["--together", "."]);
            }
            let flags = row["args"].as_array().into_iter().flatten();
            args.extend(flags.map(|arg| arg.as_str().unwrap()));
            // what was started: services in profiles only if asked for
            if !args.contains(&"--profile") {
                args.extend(["--profile", ""]);
            }
            let (_, json) = check(folder.path(), &args, &[]);
            // Compose refuses what it calls inconsistent; the ports are known all the same
            let refused = ["errors", "notices"].map(|key| json[key].as_array().unwrap().len());
            let refused = refused[0] + refused[1];
            let certain = rules(&json).len() + refused;
            let perhaps = json["findings"].as_array().unwrap().iter();
            let perhaps = perhaps.filter(|f| f["rule"] == "range-start-order").count();
            match (row["outcome"].as_str().unwrap(), certain, perhaps) {
                ("fail", 1.., _) | ("ok", 0, 0) => agree += 1,
                (_, 0, 1..) => maybe += 1,
                (outcome, ..) => panic!("{name} on {engine}: {outcome}, but {json:#}\n{row:#}"),
            }
        }
    }
    say(&format!(
        "compose up: {agree} rows agree, {maybe} depend on the order of starts"
    ));
    assert_eq!((agree, maybe), (58, 2));
}
