//! Whose the sockets are.

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use portplan::host::{Detail, Owner, Protocol, Socket, State, sockets};

use super::{eventually, loopback, of_port, only};
use crate::common::say;

/// Asserts that a socket is this process's.
#[track_caller]
pub(super) fn this_process(owner: &Owner) {
    let Owner::Process { pid, program, user } = owner else {
        panic!("{owner:?}");
    };
    assert_eq!(*pid, std::process::id());
    let executable = std::env::current_exe().unwrap();
    let name = executable.file_name().unwrap().to_str().unwrap();
    assert_eq!(program.as_deref(), Some(name));
    let id = Command::new("id").arg("-un").output().unwrap();
    assert_eq!(
        user.as_deref(),
        Some(str::from_utf8(&id.stdout).unwrap().trim())
    );
}

#[test]
fn a_listener_is_ours() {
    let address = loopback(1);
    let listener = TcpListener::bind((address, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let socket = only(Protocol::Tcp, port);
    assert_eq!((socket.state, socket.address), (State::Listening, address));
    assert_eq!(socket.v6only, None);
    this_process(&socket.owner);
    let unread = of_port(Protocol::Tcp, port, Detail::Table);
    assert_eq!(unread[0].owner, Owner::Unread);

    drop(listener);
    eventually(|| of_port(Protocol::Tcp, port, Detail::Table), vec![]);
}

#[test]
fn the_parent_stands_for_the_processes_that_share() {
    let script = "import os, socket, sys\n\
        s = socket.create_server(('127.80.80.2', 0)); os.fork() and print(s.getsockname()[1], flush=True)\n\
        sys.stdin.read()";
    let child = Command::new("python3")
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        eprintln!("no python3 here");
        return;
    };
    let mut port = String::new();
    let mut out = child.stdout.take().unwrap();
    while !port.ends_with('\n') {
        let mut byte = [0];
        out.read_exact(&mut byte).unwrap();
        port.push(byte[0].into());
    }
    let socket = only(Protocol::Tcp, port.trim().parse().unwrap());
    let Owner::Process { pid, program, .. } = &socket.owner else {
        panic!("{socket:?}");
    };
    assert_eq!(*pid, child.id());
    assert!(
        program
            .as_deref()
            .is_some_and(|name| name.starts_with("python3")),
        "{program:?}"
    );
    drop(child.stdin.take());
    child.wait().unwrap();
}

/// Numbers of processes begin anew: a worker may have a lower one than its parent.
#[test]
fn the_parent_stands_for_a_worker_of_a_lower_number() {
    let last = "/proc/sys/kernel/ns_last_pid";
    let listener = TcpListener::bind((loopback(16), 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    // a worker that keeps the socket
    rustix::io::fcntl_setfd(&listener, rustix::io::FdFlags::empty()).unwrap();
    let spawn = || {
        fs::write(last, "300").ok()?;
        let mut worker = Command::new("sleep").arg("60").spawn().unwrap();
        if worker.id() < std::process::id() {
            return Some(worker);
        }
        worker.kill().unwrap();
        worker.wait().unwrap();
        None
    };
    let Some(mut worker) = (0..20).find_map(|_| spawn()) else {
        say("skipped: this user cannot choose the numbers of processes");
        return;
    };
    let seen = only(Protocol::Tcp, port);
    worker.kill().unwrap();
    worker.wait().unwrap();
    this_process(&seen.owner);
}

/// The sockets as this binary sees them when it runs under another command; none where this
/// machine or this user cannot run that.
fn seen_under(command: &[&str]) -> Option<Vec<Socket>> {
    let output = Command::new(command[0])
        .args(&command[1..])
        .arg(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "host::owners::print_sockets",
            "--nocapture",
        ])
        .output()
        .ok()?;
    let output = String::from_utf8(output.stdout).unwrap();
    let json = output.lines().find_map(|line| line.strip_prefix(SOCKETS));
    if json.is_none() {
        eprintln!("cannot run {command:?} here");
    }
    Some(serde_json::from_str(json?).unwrap())
}

const SOCKETS: &str = "sockets: ";

#[test]
#[ignore = "part of the tests that run it"]
fn print_sockets() {
    let sockets = sockets(Detail::Options).unwrap().sockets;
    println!("\n{SOCKETS}{}", serde_json::to_string(&sockets).unwrap());
}

#[test]
fn processes_of_another_user() {
    let listener = TcpListener::bind((loopback(14), 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let nobody = [
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
    ];
    let Some(seen) = seen_under(&nobody) else {
        return;
    };
    let ours = seen
        .iter()
        .find(|socket| socket.port.get() == port)
        .unwrap();
    let user = Some("root".to_owned());
    assert_eq!(ours.owner, Owner::OtherUser { user });
    assert_eq!(ours.state, State::Listening);
}

#[test]
fn another_network_namespace_has_its_own() {
    let listener = TcpListener::bind((loopback(15), 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let here = seen_under(&["env"]).unwrap();
    assert!(here.iter().any(|socket| socket.port.get() == port));
    if let Some(there) = seen_under(&["unshare", "--net"]) {
        assert_eq!(there, []);
    }
}

/// `cargo test --release reading_500 -- --ignored --nocapture`: a few milliseconds.
#[test]
#[ignore = "a measurement"]
fn reading_500_listeners() {
    let listeners: Vec<_> = (0..500)
        .map(|_| TcpListener::bind((loopback(13), 0)).unwrap())
        .collect();
    for detail in [Detail::Table, Detail::Owners, Detail::Options] {
        let mut best = Duration::MAX;
        for _ in 0..20 {
            let start = Instant::now();
            let found = sockets(detail).unwrap().sockets;
            best = best.min(start.elapsed());
            assert!(found.len() >= listeners.len());
        }
        println!("{detail:?}: {best:?}");
    }
}
