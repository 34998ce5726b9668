//! Whole runs of the program, against a reference in the same run: a process that only reads the
//! same files.
//!
//! `cargo bench` prints times, ratios and peak memory; nothing is asserted, for a clock is no test.
//! With `docker-compose` in the PATH (or `COMPOSE_BIN`), what it needs for ten of the projects is
//! printed as well.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A project as they are: a handful of services, comments, variables, an override, an env file.
const BASE: &str = include_str!("project/compose.yaml");
const OVERRIDE: &str = include_str!("project/compose.override.yaml");
const ENV: &str = include_str!("project/env");

fn main() {
    // `cargo test` runs this too, without `--bench`: then one small round, to see that it works
    let quick = std::env::args().all(|arg| arg != "--bench");
    let (sizes, rounds): (&[usize], _) = if quick {
        (&[1, 10], 1)
    } else {
        (&[1, 1_000, 2_000, 5_000, 10_000, 20_000], 7)
    };
    // list reads as check does and has no rules: check/list is what the rules need
    println!(
        "projects   check ms   list ms   read ms   check/read   check/list   us/project   peak MiB"
    );
    for size in sizes {
        let folder = tempfile::tempdir().unwrap();
        write_projects(folder.path(), *size);
        let check = median(rounds, || portplan(folder.path(), "check"));
        let list = median(rounds, || portplan(folder.path(), "list"));
        let read = median(rounds, || read_all(folder.path()));
        let peak = peak_memory(folder.path());
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        println!(
            "{size:>8} {:>10.2} {:>9.2} {:>9.2} {:>12.1} {:>12.2} {:>12.1} {:>10.1}",
            ms(check),
            ms(list),
            ms(read),
            ms(check) / ms(read),
            ms(check) / ms(list),
            ms(check) * 1e3 / *size as f64,
            peak as f64 / 1024.0,
        );
        if *size == 1_000 || quick {
            compose(folder.path(), ms(check) / *size as f64);
        }
    }
}

fn write_projects(folder: &Path, count: usize) {
    for number in 0..count {
        let project = folder.join(format!("{:03}/stack-{number}", number / 100));
        fs::create_dir_all(&project).unwrap();
        fs::write(project.join("compose.yaml"), BASE).unwrap();
        if number % 3 == 0 {
            fs::write(project.join("compose.override.yaml"), OVERRIDE).unwrap();
        }
        fs::write(project.join(".env"), ENV).unwrap();
    }
}

fn median(rounds: usize, run: impl Fn()) -> Duration {
    let mut times: Vec<Duration> = (0..rounds)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .collect();
    times.sort();
    times[rounds / 2]
}

fn command(folder: &Path, name: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portplan"));
    command
        .args([name, ".", "--format", "json"])
        .current_dir(folder);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

fn portplan(folder: &Path, name: &str) {
    let status = command(folder, name).status().unwrap();
    assert!(status.success(), "{status}");
}

/// The reference: find and read the same files in a process of its own.
fn read_all(folder: &Path) {
    let status = Command::new("sh")
        .args(["-c", "find . -type f -print0 | xargs -0 cat >/dev/null"])
        .current_dir(folder)
        .status()
        .unwrap();
    assert!(status.success());
}

/// The peak of a run's resident memory in KiB, as its process says shortly before it ends.
fn peak_memory(folder: &Path) -> u64 {
    let mut child = command(folder, "check").spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
        peak = peak.max(kib.unwrap_or(0));
    }
    peak
}

/// What `docker-compose config -q` needs for one of the projects.
fn compose(folder: &Path, ours: f64) {
    let program = std::env::var("COMPOSE_BIN").unwrap_or_else(|_| "docker-compose".into());
    let start = Instant::now();
    for number in 0..10 {
        let project = folder.join(format!("000/stack-{number}"));
        let run = Command::new(&program)
            .args(["config", "-q"])
            .current_dir(project)
            .stderr(Stdio::null())
            .status();
        if run.is_err() {
            println!("         (no {program} here to compare with)");
            return;
        }
    }
    let theirs = start.elapsed().as_secs_f64() * 100.0;
    println!(
        "         {program} config -q: {theirs:.1} ms a project, {:.0} times as long",
        theirs / ours
    );
}
