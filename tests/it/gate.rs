//! The gates for CI: the shell steps of `action.yml` and of the GitLab template, run as their runners
//! run them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// A repository with something to look at.
struct Repository(tempfile::TempDir);

const GOOD: &str = "services: {web: {image: i, ports: ['8080:80']}}\n";
const BAD: &str =
    "services: {a: {image: i, ports: ['8080:80']}, b: {image: i, ports: ['8080:80']}}\n";
const BROKEN: &str = "services: {web: [\n";

impl Repository {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self(folder)
    }

    fn git(&self, args: &str) -> String {
        let output = Command::new("git")
            .args(["-c", "user.name=n", "-c", "user.email=e@x.invalid"])
            .args(args.split(' '))
            .current_dir(self.0.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "git {args}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Runs a script as CI does, with the program in the PATH.
    fn bash(&self, script: &str, env: &BTreeMap<String, String>) -> Output {
        let program = Path::new(env!("CARGO_BIN_EXE_portplan"));
        let path = format!("{}:/usr/bin:/bin", program.parent().unwrap().display());
        Command::new("bash")
            .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script])
            .current_dir(self.0.path())
            .env_clear()
            .env("PATH", path)
            .env("HOME", "/nonexistent")
            .env("GITHUB_STEP_SUMMARY", self.0.path().join("summary.md"))
            .envs(env)
            .output()
            .unwrap()
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.0.path().join(path)).unwrap_or_default()
    }

    fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.read(path)).unwrap()
    }
}

fn yaml(path: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    serde_yaml::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The strings of a mapping.
fn strings(mapping: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let entries = mapping.as_object().into_iter().flatten();
    entries
        .map(|(key, value)| (key.clone(), text(value)))
        .collect()
}

/// The shell steps of the action with these inputs; the status of the first that fails.
fn action(repository: &Repository, given: &[(&str, &str)]) -> (i32, String) {
    let action = yaml("action.yml");
    let mut inputs = BTreeMap::from([("version".to_owned(), "none".to_owned())]);
    for (name, input) in action["inputs"].as_object().unwrap() {
        let default = strings(input)["default"].clone();
        inputs.entry(name.clone()).or_insert(default);
    }
    inputs.extend(
        given
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );
    let mut printed = String::new();
    for step in action["runs"]["steps"].as_array().unwrap() {
        let Some(script) = step["run"].as_str() else {
            // what others wrote is not run here
            assert!(step["uses"].is_string());
            continue;
        };
        assert!(
            !script.contains("${{"),
            "inputs come by the environment: {script}"
        );
        let mut env = strings(&step["env"]);
        for value in env.values_mut() {
            let name = value
                .strip_prefix("${{ inputs.")
                .and_then(|it| it.strip_suffix(" }}"));
            *value = inputs[name.unwrap()].clone();
        }
        let output = repository.bash(script, &env);
        printed += &String::from_utf8_lossy(&output.stdout);
        printed += &String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            return (output.status.code().unwrap(), printed);
        }
    }
    (0, printed)
}

/// The job of the GitLab template.
fn gitlab(repository: &Repository, given: &[(&str, &str)]) -> (i32, String) {
    let template = yaml("ci/gitlab.yml");
    let job = &template["portplan"];
    let mut env = strings(&template["variables"]);
    env.extend(strings(&job["variables"]));
    env.insert("PORTPLAN_VERSION".into(), "none".into());
    env.extend(
        given
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );
    let lines = ["before_script", "script"].map(|part| job[part].as_array().unwrap().clone());
    let lines: Vec<String> = lines
        .concat()
        .iter()
        .map(|line| line.as_str().unwrap().to_owned())
        .collect();
    let output = repository.bash(&lines.join("\n"), &env);
    let printed = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap(),
        String::from_utf8(printed).unwrap(),
    )
}

#[test]
fn the_action() {
    let of = |text| Repository::new(&[("a b/compose.yaml", text)]);
    let results = |repository: &Repository| {
        repository.json("portplan.sarif")["runs"][0]["results"]
            .as_array()
            .unwrap()
            .len()
    };

    let repository = of(BAD);
    let (status, printed) = action(&repository, &[]);
    assert_eq!(status, 1, "{printed}");
    assert!(
        printed.contains("::error file=a b/compose.yaml,line=1"),
        "{printed}"
    );
    assert_eq!(results(&repository), 1);
    assert!(
        repository
            .read("summary.md")
            .contains("host-port-collision")
    );

    let repository = of(GOOD);
    let (status, printed) = action(&repository, &[("paths", "a b\n"), ("sarif", "out.sarif")]);
    assert_eq!(status, 0, "{printed}");
    assert!(repository.json("out.sarif")["runs"].is_array());
    assert!(!repository.read("summary.md").is_empty());

    let repository = of(BAD);
    let (status, printed) = action(&repository, &[("format", "concise")]);
    assert_eq!((status, results(&repository)), (1, 1), "{printed}");
    assert!(
        printed.starts_with("a b/compose.yaml:1:") && !printed.contains("::error"),
        "{printed}"
    );
    let (status, printed) = action(&repository, &[("format", "pretty")]);
    assert_eq!(status, 2, "{printed}");
    assert!(printed.contains("human, concise"), "{printed}");

    let repository = Repository::new(&[("README", "")]);
    let (status, printed) = action(&repository, &[]);
    assert_eq!(status, 3, "{printed}");
    assert!(
        printed.contains("::error title=portplan::nothing was found"),
        "{printed}"
    );

    let repository = of(BROKEN);
    let (status, printed) = action(&repository, &[]);
    assert_eq!(status, 2, "{printed}");
    assert!(printed.contains("a b/compose.yaml"), "{printed}");

    let repository = of(BAD);
    let (status, printed) = action(
        &repository,
        &[("args", "--fail-on=never\n--only-looks-like-a-flag")],
    );
    assert_eq!(status, 2, "{printed}");
    let (status, printed) = action(&repository, &[("args", "--fail-on=never")]);
    assert_eq!(status, 0, "{printed}");
}

#[test]
fn the_action_of_a_pull_request() {
    let repository = Repository::new(&[("compose.yaml", BAD)]);
    repository.git("init -q -b main");
    repository.git("add -A");
    repository.git("commit -q -m base");
    assert_eq!(action(&repository, &[("since", "main")]).0, 0);
    let more = BAD.replace("}}\n", "}, c: {image: i, ports: ['9090:1', '9090:2']}}\n");
    fs::write(repository.0.path().join("compose.yaml"), more).unwrap();
    let (status, printed) = action(&repository, &[("since", "main")]);
    assert_eq!(status, 1, "{printed}");
    assert!(
        printed.contains("9090") && !printed.contains("::error file=compose.yaml,line=1,col=37"),
        "{printed}"
    );
}

#[test]
fn the_job_of_gitlab() {
    let issues = |repository: &Repository| {
        repository
            .json("gl-code-quality-report.json")
            .as_array()
            .unwrap()
            .len()
    };
    let repository = Repository::new(&[("stacks/compose.yaml", BAD)]);
    let (status, printed) = gitlab(&repository, &[]);
    assert_eq!((status, issues(&repository)), (1, 1), "{printed}");
    let (status, printed) = gitlab(&repository, &[("PORTPLAN_ARGS", "--fail-on never")]);
    assert_eq!(status, 0, "{printed}");
    repository.git("init -q -b main");
    repository.git("add -A");
    repository.git("commit -q -m base");
    let base = repository.git("rev-parse HEAD");
    let given = [
        ("CI_MERGE_REQUEST_DIFF_BASE_SHA", base.as_str()),
        ("PORTPLAN_PATHS", "stacks"),
    ];
    let (status, printed) = gitlab(&repository, &given);
    assert_eq!((status, issues(&repository)), (0, 0), "{printed}");

    let repository = Repository::new(&[("compose.yaml", GOOD)]);
    let (status, printed) = gitlab(&repository, &[]);
    assert_eq!((status, issues(&repository)), (0, 0), "{printed}");
    assert_eq!(gitlab(&Repository::new(&[("README", "")]), &[]).0, 3);
    assert_eq!(
        gitlab(&Repository::new(&[("compose.yaml", BROKEN)]), &[]).0,
        2
    );
}
