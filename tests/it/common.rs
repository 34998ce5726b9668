//! Running the program itself.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// How a run of the program ended and what it printed.
#[derive(Debug)]
pub struct Output {
    /// The exit status; `None` if a signal ended it.
    pub status: Option<i32>,
    /// Standard output, which must be UTF-8.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// Runs `portplan` in `cwd`, with only `env` and what every process needs in its environment.
pub fn run(args: &[String], cwd: &Path, env: &[(String, String)]) -> Output {
    run_with_stdin(args, cwd, env, b"")
}

/// The program with no environment but this.
pub fn command(args: &[String], cwd: &Path, env: &[(String, String)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portplan"));
    command
        .args(args)
        .current_dir(cwd)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", "/nonexistent")
        .envs(env.iter().map(|(name, value)| (name, value)));
    command
}

/// [`run`], with something to read on standard input.
pub fn run_with_stdin(
    args: &[String],
    cwd: &Path,
    env: &[(String, String)],
    stdin: &[u8],
) -> Output {
    let mut child = command(args, cwd, env)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // a program that does not read its input closes the pipe: no matter
    let _ = child.stdin.take().unwrap().write_all(stdin);
    let output = child.wait_with_output().unwrap();
    Output {
        status: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The project's folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// Runs `portplan` without any environment.
pub fn portplan(cwd: &Path, args: &[&str]) -> Output {
    portplan_in(cwd, args, &[])
}

/// [`portplan`], with an environment.
pub fn portplan_in(cwd: &Path, args: &[&str], env: &[(&str, &str)]) -> Output {
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    let env: Vec<_> = env
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
    run(&args, cwd, &env)
}

/// Writes a folder of files.
pub fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// Fails if a generated file that is checked in has another text; writes it with `PORTPLAN_BLESS`.
pub fn blessed(path: &str, text: &str) {
    let path = root().join(path);
    if std::env::var_os("PORTPLAN_BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
    }
    let stored = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        stored == text,
        "{} is stale: run with PORTPLAN_BLESS=1",
        path.display()
    );
}

/// Docker Compose, if there is one: `COMPOSE_BIN`, or in the PATH, or where `debian-docker newer`
/// puts it by custom.
pub fn compose_program() -> Option<String> {
    let named = std::env::var("COMPOSE_BIN").ok();
    let usual = ["docker-compose", "/opt/newer/bin/docker-compose"];
    let mut programs = named.into_iter().chain(usual.map(str::to_owned));
    programs.find(|program| {
        let run = Command::new(program).arg("version").output();
        run.is_ok_and(|output| output.status.success())
    })
}

/// Says something even where the test harness keeps the output of tests that pass.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
