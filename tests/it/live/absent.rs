//! `check --live` where there is no engine, or something that is none.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::common::run;
use crate::engine::fake::{Action, Fake};

/// `portplan check --live` of a project; nothing but the engine of this address, if one is given,
/// can be found.
fn check(host: Option<&str>) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = "name: shop\nservices: {web: {image: web, ports: ['18300:80', '18300:81']}}\n";
    fs::write(folder.path().join("compose.yaml"), file).unwrap();
    let env = host.map(|host| ("DOCKER_HOST".to_owned(), host.to_owned()));
    let args = ["check", "--live"].map(str::to_owned);
    let start = Instant::now();
    let output = run(&args, folder.path(), env.as_slice());
    assert!(start.elapsed() < Duration::from_secs(10), "{output:?}");
    assert_eq!(output.status, Some(2), "{output:?}");
    let text = output.stdout + &output.stderr;
    // what the files alone show is told all the same
    assert!(text.contains("host-port-collision"), "{text}");
    text
}

#[test]
fn no_engine() {
    let fake = Fake::absent();
    let text = check(Some(&fake.host));
    assert!(text.contains(&fake.host), "{text}");
    assert!(text.contains("without --live"), "{text}");

    // nobody names one, and none is at the usual place
    if !Path::new("/var/run/docker.sock").exists() {
        let text = check(None);
        assert!(text.contains("/var/run/docker.sock"), "{text}");
        assert!(text.contains("without --live"), "{text}");
    }
}

#[test]
fn no_engine_but_something_else() {
    let hanging = Fake::serve(|_| Action::WriteAndHang(Vec::new()));
    let text = check(Some(&hanging.host));
    assert!(text.contains("no answer within 3 s"), "{text}");

    let garbage = Fake::serve(|_| Action::Write(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()));
    let text = check(Some(&garbage.host));
    assert!(text.contains(&garbage.host), "{text}");
}
