//! What is left out: `exclude`, `--exclude`, `--force-exclude`.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::common::{folder, portplan};

const STACK: &str = "services: {web: {image: i, ports: ['8080:80']}}\n";

fn repository(config: &str) -> tempfile::TempDir {
    folder(&[
        ("portplan.yaml", &format!("version: 1\n{config}\n")),
        ("web/compose.yaml", STACK),
        ("web/compose.override.yaml", STACK),
        ("web/compose.prod.yaml", STACK),
        ("vendor/a/compose.yaml", STACK),
        ("vendor/b/docker-compose.yml", STACK),
        ("vendor/b/docker-compose.override.yml", STACK),
    ])
}

/// The files that are read, projects apart; the exit status; what is said on standard error.
fn read(cwd: &Path, args: &[&str]) -> (String, Option<i32>, String) {
    let output = portplan(cwd, &[&["list", "--format", "json"], args].concat());
    let json: Value = serde_json::from_str(&output.stdout).unwrap();
    let files = |project: &Value| {
        let files = project["files"].as_array().unwrap().iter();
        let files: Vec<&str> = files.map(|file| file.as_str().unwrap()).collect();
        files.join("+")
    };
    let projects = json["projects"].as_array().unwrap().iter();
    let projects: Vec<String> = projects.map(files).collect();
    (projects.join(" "), output.status, output.stderr)
}

#[test]
fn what_is_left_out() {
    let web = "web/compose.prod.yaml web/compose.yaml+web/compose.override.yaml";
    let one = "web/compose.yaml+web/compose.override.yaml";
    let a = "vendor/a/compose.yaml";
    let b = "vendor/b/docker-compose.yml+vendor/b/docker-compose.override.yml";
    for (config, args, expected, status) in [
        // folders are searched without it, named files are read all the same
        (
            "exclude: vendor",
            "web vendor/a/compose.yaml",
            &*format!("{a} {web}"),
            0,
        ),
        ("exclude: vendor", ".", web, 0),
        ("exclude: [\"vendor/**\"]", ".", web, 0),
        (
            "exclude: [vendor/a, \"**/*.prod.yaml\"]",
            ".",
            &format!("{b} {one}"),
            0,
        ),
        ("exclude:", "web", web, 0),
        ("", ". --exclude vendor/ --exclude web/*.prod.*", one, 0),
        ("exclude: vendor", ". --exclude **/*.prod.yaml", one, 0),
        (
            "exclude: vendor",
            ". --no-config --exclude web",
            &format!("{a} {b}"),
            0,
        ),
        // nothing is left to be looked at
        ("exclude: vendor", "vendor", "", 3),
        ("exclude: \"**\"", ".", "", 3),
        // a project is where the file that it begins with is
        (
            "exclude: web/compose.yaml",
            "web",
            "web/compose.prod.yaml",
            0,
        ),
        ("exclude: \"**/*override*\"", "web", web, 0),
        (
            "exclude: \"**/*override*\"",
            "--force-exclude web/compose.override.yaml",
            one,
            0,
        ),
        (
            "exclude: web/compose.yaml",
            "--force-exclude web/compose.override.yaml",
            "",
            0,
        ),
        // named, and left out
        (
            "exclude: vendor",
            "--force-exclude web/compose.prod.yaml vendor/a/compose.yaml",
            "web/compose.prod.yaml",
            0,
        ),
        (
            "exclude: vendor",
            "--force-exclude vendor/a/compose.yaml",
            "",
            0,
        ),
        ("exclude: vendor", "--force-exclude vendor", "", 0),
        ("exclude: vendor", "--force-exclude vendor/gone.yaml", "", 0),
        (
            "exclude: vendor",
            "--force-exclude -f vendor/a/compose.yaml",
            "",
            0,
        ),
        ("exclude: vendor", "-f vendor/a/compose.yaml", a, 0),
        // nothing is there, excluded or not
        ("exclude: vendor", "--force-exclude .git", "", 3),
    ] {
        let repository = repository(config);
        fs::create_dir(repository.path().join(".git")).unwrap();
        let args: Vec<&str> = args.split(' ').collect();
        let (files, ended, said) = read(repository.path(), &args);
        assert_eq!(
            (&*files, ended),
            (expected, Some(status)),
            "{config} {args:?} {said}"
        );
    }
}

#[test]
fn it_is_said() {
    let repository = repository("exclude: vendor");
    let git = |args: &str| {
        let mut git = std::process::Command::new("git");
        let identity = ["-c", "user.name=n", "-c", "user.email=e@x.invalid"];
        git.args(identity)
            .args(args.split(' '))
            .current_dir(repository.path());
        assert!(git.status().unwrap().success());
    };
    git("init -q");
    git("commit -q --allow-empty -m begin");
    let said = |args: &str| {
        let args: Vec<&str> = args.split(' ').collect();
        let output = portplan(repository.path(), &args);
        (output.status, output.stdout + &output.stderr)
    };
    let none = "note: no compose file in `vendor`, apart from what is excluded\n";
    let left = "note: `vendor/a/compose.yaml` is excluded: not looked at\n";
    for command in [
        "check",
        "list",
        "plan",
        "fix",
        "diff HEAD",
        "who 8080",
        "free",
    ] {
        // whoever asks about a port asks about the machine first
        let status = if ["who 8080", "free"].contains(&command) {
            0
        } else {
            3
        };
        let (ended, words) = said(&format!("{command} vendor"));
        assert!(
            ended == Some(status) && words.contains(none),
            "{command}: {ended:?} {words}"
        );
        let named = format!("{command} --force-exclude vendor/a/compose.yaml");
        let (ended, words) = said(&named);
        assert!(
            ended == Some(0) && words.contains(left),
            "{command}: {ended:?} {words}"
        );
    }
    let (status, words) = said("check . --exclude [");
    assert_eq!(status, Some(2));
    assert!(words.contains("`[` is not a pattern of paths"), "{words}");
    fs::write(
        repository.path().join("portplan.yaml"),
        "version: 1\nexclude: ['{']\n",
    )
    .unwrap();
    let (status, words) = said("list .");
    assert_eq!(status, Some(2));
    assert!(
        words.contains(
            "portplan.yaml:2:11: error[config]: exclude[0]: `{` is not a pattern of paths"
        ),
        "{words}"
    );
}

/// The rest of a host is searched for, too; what is named there by its path is named.
#[test]
fn the_rest_of_a_host() {
    for (exclude, found) in [("", 2), ("exclude: vendor", 1), ("exclude: vendor/a", 2)] {
        let config = format!("hosts: {{ h: {{ projects: [web, vendor/b/**] }} }}\n{exclude}");
        let repository = repository(&config);
        let args = ["check", "--format", "json", "web/compose.prod.yaml"];
        let output = portplan(repository.path(), &args);
        let json: Value = serde_json::from_str(&output.stdout).unwrap();
        let findings = json["findings"].as_array().unwrap();
        let vendor = findings
            .iter()
            .filter(|finding| finding.to_string().contains("vendor/b"));
        assert_eq!(vendor.count(), found - 1, "{exclude} {}", output.stdout);
    }
}
