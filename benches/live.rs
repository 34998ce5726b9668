//! `check --live` on a real engine with many containers and listeners, against what a person would
//! ask in its place, in the same run: `docker ps` and `ss -tulnp`.
//!
//! `PORTPLAN_TEST_ENGINE` names the engine, as for the tests; without, nothing is measured.

#[cfg(target_os = "linux")]
fn main() {
    linux::main();
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("not measured: only on Linux");
}

#[cfg(target_os = "linux")]
mod linux {
    use std::env;
    use std::fs::{self, File};
    use std::net::TcpListener;
    use std::os::fd::AsFd as _;
    use std::path::Path;
    use std::process::{Command, Stdio};
    use std::thread;
    use std::time::{Duration, Instant};

    use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

    const LABEL: &str = "portplan-bench";
    const FIRST_PORT: u16 = 12_000;
    const FIRST_LISTENER: u16 = 13_000;

    struct Engine(String);

    impl Engine {
        fn command(&self, program: &str, words: &str) -> Command {
            let mut command = Command::new(program);
            command.args(words.split_whitespace());
            command.env("DOCKER_HOST", &self.0).stdin(Stdio::null());
            command
        }

        fn docker(&self, words: &str) -> String {
            let output = self.command("docker", words).output().unwrap();
            assert!(output.status.success(), "docker {words}: {output:?}");
            String::from_utf8(output.stdout).unwrap()
        }

        fn clean(&self) {
            let ids = self.docker(&format!("ps -aq --filter label={LABEL}"));
            if !ids.is_empty() {
                self.docker(&format!("rm -fv {ids}"));
            }
        }

        /// Starts containers, a few at a time.
        fn start(&self, count: u16) {
            let ports: Vec<u16> = (FIRST_PORT..FIRST_PORT + count).collect();
            thread::scope(|scope| {
                for ports in ports.chunks(ports.len().div_ceil(4)) {
                    scope.spawn(move || {
                        for port in ports {
                            self.docker(&format!("run -d --label {LABEL} -p {port}:80 bb"));
                        }
                    });
                }
            });
        }

        /// The median time of a program that is to end so.
        fn time(&self, rounds: usize, program: &str, words: &str, status: i32) -> Duration {
            let mut times: Vec<Duration> = (0..rounds)
                .map(|_| {
                    let mut command = self.command(program, words);
                    let start = Instant::now();
                    let output = command.output().unwrap();
                    let time = start.elapsed();
                    assert_eq!(output.status.code(), Some(status), "{program}: {output:?}");
                    time
                })
                .collect();
            times.sort();
            times[rounds / 2]
        }
    }

    impl Drop for Engine {
        fn drop(&mut self) {
            self.clean();
        }
    }

    /// The engine to measure with; its network namespace, if it has its own, becomes this thread's.
    fn engine() -> Option<Engine> {
        let host = match env::var("PORTPLAN_TEST_ENGINE").ok()?.as_str() {
            "required" => env::var("DOCKER_HOST").unwrap_or("unix:///run/pp/ci.sock".to_owned()),
            host => host.to_owned(),
        };
        let name = host.strip_prefix("unix:///run/pp/");
        if let Some(name) = name.and_then(|name| name.strip_suffix(".sock"))
            && let Ok(netns) = File::open(Path::new("/run/netns").join(name))
        {
            move_into_link_name_space(netns.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
        }
        Some(Engine(host))
    }

    pub fn main() {
        let Some(engine) = engine() else {
            println!("not measured: no engine (PORTPLAN_TEST_ENGINE)");
            return;
        };
        // `cargo test` runs this too, without `--bench`: then little, to see that it works
        let quick = env::args().all(|arg| arg != "--bench");
        let (containers, listeners, rounds) = if quick { (4, 20, 1) } else { (200, 500, 11) };
        engine.clean();
        engine.start(containers);
        let _listeners: Vec<TcpListener> = (FIRST_LISTENER..FIRST_LISTENER + listeners)
            .map(|port| TcpListener::bind(("127.0.0.1", port)).unwrap())
            .collect();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("compose.yaml");
        let ports = format!("['{FIRST_PORT}:80', '{FIRST_LISTENER}:81']");
        fs::write(
            &file,
            format!("services: {{web: {{image: bb, ports: {ports}}}}}\n"),
        )
        .unwrap();
        let check = format!("check --live {}", file.display());
        // status 1: it has found who has the two ports
        let check = engine.time(rounds, env!("CARGO_BIN_EXE_portplan"), &check, 1);
        let docker = engine.time(rounds, "docker", "ps", 0);
        let ss = engine.time(rounds, "ss", "-tulnp", 0);
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        println!("containers   listeners   check --live ms   docker ps ms   ss -tulnp ms   ratio");
        println!(
            "{containers:>10} {listeners:>11} {:>17.1} {:>14.1} {:>14.1} {:>7.2}",
            ms(check),
            ms(docker),
            ms(ss),
            ms(check) / ms(docker + ss),
        );
    }
}
