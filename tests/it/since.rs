//! What a change brings, on a git history made here.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common::{Output, folder, portplan, portplan_in};

/// Runs git, whatever the user's own settings are.
fn git(folder: &Path, args: &[&str]) {
    let output = Command::new("git")
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .args(["-c", "user.name=t", "-c", "user.email=t@example.org"])
        .args(args)
        .output()
        .unwrap();
    assert!(output.status.success(), "{args:?}: {output:?}");
}

fn commit(folder: &Path) {
    git(folder, &["add", "--all"]);
    git(folder, &["commit", "--quiet", "--message", "c"]);
}

/// A repository with one commit of these files.
fn repository(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = folder(files);
    git(folder.path(), &["init", "--quiet"]);
    commit(folder.path());
    folder
}

fn concise(folder: &Path, args: &[&str]) -> String {
    let args = [&["check", "--format", "concise"], args].concat();
    let output = portplan(folder, &args);
    output.stdout + &output.stderr
}

const OLD: &str = "name: p
services:
  a: {image: i, ports: [\"80:80\"]}
  b: {image: i, ports: [\"80:80\"]}
";

#[test]
fn only_what_the_change_brings() {
    let folder = repository(&[("compose.yaml", OLD)]);
    let path = folder.path();
    assert_eq!(concise(path, &["--since", "HEAD"]), "");
    let new = OLD.replace("services:", "# moved\nservices:") + "  c: {image: i, ports: [80:80]}\n";
    fs::write(path.join("compose.yaml"), new).unwrap();
    let told = concise(path, &["--since", "HEAD"]);
    assert_eq!(
        told,
        "compose.yaml:4:26: error[host-port-collision]: `a` and `c` both publish 80/tcp\n"
    );
    let human = portplan(path, &["check", "--since", "HEAD"]);
    assert_eq!(human.status, Some(1));
    let closing = human.stdout.lines().last().unwrap();
    assert_eq!(
        closing,
        "1 project, 3 published ports: 1 error, 1 already in HEAD."
    );
    // committed, it is no longer new since then, but since before
    commit(path);
    assert_eq!(concise(path, &["--since", "HEAD"]), "");
    assert_eq!(concise(path, &["--since", "HEAD~1"]), told);
    // from a folder inside, and by folder
    fs::create_dir(path.join("sub")).unwrap();
    assert_eq!(concise(&path.join("sub"), &["--since", "HEAD"]), "");
    assert_eq!(concise(path, &[".", "--since", "HEAD"]), "");
    assert_eq!(concise(path, &["compose.yaml", "--since", "HEAD~1"]), told);
}

/// The files around a compose file are those of the revision, too; but what git ignores is nobody's
/// change.
#[test]
fn every_file_is_that_of_the_revision() {
    let compose = "name: p
include: [inc/compose.yaml]
services:
  a: {image: i, ports: [\"${A:-80}:80\"]}
  b: {extends: {file: link/base.yaml, service: x}}
";
    let base = "services:\n  x: {image: i, ports: [\"81:80\"]}\n";
    let files = [
        ("compose.yaml", compose),
        (
            "inc/compose.yaml",
            "services:\n  c: {image: i, ports: [\"82:80\"]}\n",
        ),
        ("real/base.yaml", base),
        (".gitignore", ".env\nlocal/\n"),
        (".env", "A=80\n"),
    ];
    let folder = folder(&files);
    let path = folder.path();
    #[cfg(unix)]
    std::os::unix::fs::symlink("real", path.join("link")).unwrap();
    git(path, &["init", "--quiet"]);
    commit(path);
    for (file, text, expected) in [
        (
            "inc/compose.yaml",
            "services:\n  c: {image: i, ports: [\"80:80\"]}\n",
            1,
        ),
        (
            "real/base.yaml",
            "services:\n  x: {image: i, ports: [\"80:80\"]}\n",
            1,
        ),
        (
            "compose.override.yaml",
            "services:\n  d: {image: i, ports: [\"80:80\"]}\n",
            1,
        ),
        (".env", "A=81\n", 0),
    ] {
        let old = fs::read_to_string(path.join(file)).ok();
        fs::write(path.join(file), text).unwrap();
        let all = portplan(path, &["check", "--format", "concise"]);
        assert_eq!(all.stdout.lines().count(), 1, "{file}: {all:?}");
        for paths in [&[][..], &["."]] {
            let told = concise(path, &[paths, &["--since", "HEAD"]].concat());
            assert_eq!(told.lines().count(), expected, "{file}: {told}");
        }
        match old {
            Some(old) => fs::write(path.join(file), old).unwrap(),
            None => fs::remove_file(path.join(file)).unwrap(),
        }
    }
}

#[test]
fn what_cannot_be_read_from_git() {
    let repository = repository(&[("compose.yaml", OLD)]);
    let outside = folder(&[("compose.yaml", OLD)]);
    for (path, revision, words) in [
        (repository.path(), "none", "there is no such commit here"),
        (repository.path(), "--help", "there is no such commit here"),
        (outside.path(), "HEAD", "not in a git repository"),
    ] {
        let since = format!("--since={revision}");
        let output = portplan(path, &["check", &since]);
        assert_eq!(output.status, Some(2));
        assert!(output.stderr.contains(words), "{}", output.stderr);
        assert_eq!(output.stdout, "");
    }
    // what was broken then is told now
    let path = repository.path();
    fs::write(path.join("compose.yaml"), "services: [").unwrap();
    commit(path);
    fs::write(path.join("compose.yaml"), OLD).unwrap();
    let output = portplan(path, &["check", "--since", "HEAD"]);
    assert_eq!(output.status, Some(1));
    assert!(
        output
            .stdout
            .contains("note: 1 project could not be read in HEAD")
    );
}

fn shown(output: &Output) -> String {
    let (out, error) = (&output.stdout, &output.stderr);
    format!("{out}{error}(exit status {})\n", output.status.unwrap())
}

#[test]
fn the_change_of_the_ports() {
    let folder = repository(&[
        (
            "shop/compose.yaml",
            "services:
  same: {image: i, ports: [\"1:80\"]}
  moved: {image: i, ports: [\"8080:80\", \"8443:443\"]}
  inward: {image: i, ports: [\"5432:5432\"]}
  gone: {image: i, ports: [\"3:80\"]}
",
        ),
        (
            "old/compose.yaml",
            "services: {x: {image: i, ports: [\"9:80/udp\"]}}\n",
        ),
    ]);
    let path = folder.path();
    assert_eq!(
        shown(&portplan(path, &["diff", "HEAD", "."])),
        "no published port has changed since HEAD.\n(exit status 0)\n"
    );
    fs::remove_dir_all(path.join("old")).unwrap();
    fs::create_dir(path.join("new")).unwrap();
    fs::write(
        path.join("new/compose.yaml"),
        "services: {y: {image: i, ports: [\"7000-7001:80\"]}}\n",
    )
    .unwrap();
    fs::write(
        path.join("shop/compose.yaml"),
        "services:
  # lines may move
  same: {image: i, ports: [\"1:80\"]}
  moved: {image: i, ports: [\"8443:443\", \"8081:80\"]}
  inward: {image: i, ports: [\"127.0.0.1:5432:5432\", \"5433:5432\"]}
",
    )
    .unwrap();
    insta::assert_snapshot!("diff", shown(&portplan(path, &["diff", "HEAD", "."])));
    let markdown = portplan(path, &["diff", "HEAD", ".", "--format", "markdown"]);
    insta::assert_snapshot!("diff_markdown", shown(&markdown));
    let json = portplan(path, &["diff", "HEAD", ".", "--format", "json"]);
    crate::schemas::validate("diff", &serde_json::from_str(&json.stdout).unwrap());
    // a project that is gone, asked for by itself
    let gone = portplan(path, &["diff", "HEAD", "new"]);
    assert!(gone.stdout.contains("1 port added"), "{gone:?}");
    for (args, status) in [
        (&["diff", "none", "."][..], 2),
        (&["diff"], 2),
        (&["diff", "HEAD"], 3),
    ] {
        let output = portplan(path, args);
        assert_eq!(output.status, Some(status), "{args:?}: {output:?}");
    }
}

/// A plan, too, may be for what the change brings alone.
#[test]
fn what_was_there_does_not_move() {
    let folder = repository(&[("compose.yaml", OLD)]);
    let path = folder.path();
    let plan = |args: &[&str]| {
        let plan = portplan(path, &[&["plan"], args].concat());
        let rows = plan
            .stdout
            .lines()
            .skip(1)
            .take_while(|line| !line.is_empty());
        let rows: Vec<&str> = rows.filter_map(|row| row.split(' ').next()).collect();
        (plan.status, rows.join(" "))
    };
    assert_eq!(plan(&["--since", "HEAD"]), (Some(0), String::new()));
    assert_eq!(plan(&[]).1, "b");
    let new = OLD.to_owned() + "  c: {image: i, ports: [\"80:80\"]}\n";
    fs::write(path.join("compose.yaml"), new).unwrap();
    assert_eq!(plan(&["--since", "HEAD"]), (Some(1), "c".to_owned()));
    assert_eq!(plan(&["--since", "none"]).0, Some(2));
    let fixed = portplan(path, &["fix", "--since", "HEAD"]);
    assert_eq!(fixed.status, Some(0), "{fixed:?}");
    assert_eq!(concise(path, &["--since", "HEAD"]), "");
}

#[test]
fn without_git() {
    let folder = folder(&[("compose.yaml", "services: {}\n")]);
    for (args, status) in [
        ("diff HEAD", 2),
        ("check --since HEAD", 2),
        ("check --worktrees", 2),
        ("check", 0),
    ] {
        let args: Vec<&str> = args.split(' ').collect();
        let output = portplan_in(folder.path(), &args, &[("PATH", "/nonexistent")]);
        assert_eq!(output.status, Some(status), "{output:?}");
        let said = output.stdout + &output.stderr;
        let word = said.contains("`git`, which is not installed here");
        assert_eq!(word, status != 0, "{said}");
    }
}
