//! Sockets that are no engine, and engines that answer what real ones here do not.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use portplan::engine::Failure;
use portplan::engine::container::{HostPort, Protocol, Request, RestartPolicy, State, Tenure};
use portplan::engine::snapshot::{Product, Swarm};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::observe_within;

/// What a false engine does with a request of this path.
pub type Reply = fn(path: &str) -> Action;

pub enum Action {
    /// Writes this and closes.
    Write(Vec<u8>),
    /// Writes this and then nothing more, for ever.
    WriteAndHang(Vec<u8>),
}

/// A socket in a folder of its own, and the address of it.
pub struct Fake {
    folder: TempDir,
    pub host: String,
}

impl Fake {
    /// A place for a socket, without one.
    pub fn absent() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let host = format!("unix://{}/docker.sock", folder.path().display());
        Self { folder, host }
    }

    pub fn bind(&self) -> UnixListener {
        UnixListener::bind(self.folder.path().join("docker.sock")).unwrap()
    }

    /// Answers every connection.
    pub fn serve(reply: Reply) -> Self {
        let fake = Self::absent();
        let listener = fake.bind();
        thread::spawn(move || {
            for stream in listener.incoming() {
                thread::spawn(move || answer(stream.unwrap(), reply));
            }
        });
        fake
    }

    /// The error's text and help, with the address as `ENGINE`.
    fn error(&self) -> String {
        let start = Instant::now();
        let error = observe_within(&self.host, 1.0, 3.0).unwrap_err();
        assert!(start.elapsed() < Duration::from_secs(2), "{error}");
        let text = error.to_string();
        assert!(
            text.contains(&self.host),
            "{text} does not name the endpoint"
        );
        format!("{text}\n  help: {}", error.help()).replace(&self.host, "ENGINE")
    }
}

fn answer(mut stream: UnixStream, reply: Reply) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let Some(Ok(request)) = lines.next() else {
        return;
    };
    while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
    let path = request.split(' ').nth(1).unwrap();
    let path = path.split('?').next().unwrap();
    // With or without the version of the API in front.
    let path = path
        .strip_prefix("/v1.")
        .map_or(path, |rest| &rest[rest.find('/').unwrap()..]);
    match reply(path) {
        Action::Write(bytes) => drop(stream.write_all(&bytes)),
        Action::WriteAndHang(bytes) => {
            drop(stream.write_all(&bytes));
            thread::sleep(Duration::from_secs(3600));
        }
    }
}

fn http(status: u16, body: &str) -> Action {
    let length = body.len();
    let head = format!("HTTP/1.1 {status} Answer\r\nContent-Length: {length}\r\n\r\n");
    Action::Write([head.as_bytes(), body.as_bytes()].concat())
}

fn json_of(value: &Value) -> Action {
    http(200, &value.to_string())
}

#[test]
fn hanging() {
    // Accepts in the kernel, never in the program.
    let fake = Fake::absent();
    let _listener = fake.bind();
    insta::assert_snapshot!("hanging", fake.error());

    let silent = Fake::serve(|_| Action::WriteAndHang(Vec::new()));
    assert_eq!(silent.error(), fake.error());
    let half = Fake::serve(|_| {
        Action::WriteAndHang(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"ApiV".to_vec())
    });
    assert_eq!(half.error(), fake.error());
}

#[test]
fn hanging_late() {
    let fake = Fake::serve(|path| match path {
        "/networks" => Action::WriteAndHang(Vec::new()),
        other => engine(other),
    });
    assert!(fake.error().contains("no answer within 1 s"));
}

#[test]
fn the_whole_has_a_limit_too() {
    let fake = Fake::serve(|path| {
        thread::sleep(Duration::from_millis(600));
        engine(path)
    });
    let start = Instant::now();
    let error = observe_within(&fake.host, 1.0, 1.0).unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(2));
    assert_eq!(error.failure, Failure::TimedOut(Duration::from_secs(1)));
}

#[test]
fn garbage() {
    let replies: &[(&str, Reply)] = &[
        ("another protocol", |_| {
            Action::Write(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec())
        }),
        ("nothing", |_| Action::Write(Vec::new())),
        ("binary", |_| {
            Action::Write((0..=255).cycle().take(100_000).collect())
        }),
        ("a web page", |_| http(200, "<html>\x1b[31m\nhello</html>")),
        ("an empty body", |_| http(200, "")),
        ("empty JSON", |_| http(200, "{}")),
        ("JSON of another form", |_| http(200, "[1, 2]")),
        ("half an answer", |_| {
            Action::Write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"ApiV".to_vec())
        }),
        ("not found", |_| http(404, "404 page not found\n")),
        ("an error", |_| {
            http(500, r#"{"message":"database\nis locked"}"#)
        }),
        ("TLS wanted", |_| {
            http(400, "Client sent an HTTP request to an HTTPS server.\n")
        }),
        ("no version", |path| match path {
            "/version" => json_of(&json!({"ApiVersion": "1.41"})),
            other => engine(other),
        }),
        ("no list", |path| match path {
            "/containers/json" => http(200, "{}"),
            other => engine(other),
        }),
        ("an unknown state", |path| match path {
            "/containers/json" => http(200, r#"[{"Id":"ab","State":"dancing"}]"#),
            other => engine(other),
        }),
        ("no state", |path| match path {
            "/containers/json" => http(200, r#"[{"Id":"ab"}]"#),
            other => engine(other),
        }),
        ("an address that is none", |path| match path {
            "/containers/json" => json_of(&json!([{"Id": "ab", "State": "running", "Ports":
                [{"IP": "localhost", "PrivatePort": 80, "PublicPort": 80, "Type": "tcp"}]}])),
            other => engine(other),
        }),
        ("a port that is none", |path| match path {
            "/containers/json" => json_of(&json!([{"Id": "ab", "State": "running", "Ports":
                [{"IP": "::", "PrivatePort": 80, "PublicPort": 80000, "Type": "tcp"}]}])),
            other => engine(other),
        }),
        ("an identifier that is a path", |path| match path {
            "/containers/json" => http(200, r#"[{"Id":"../x","State":"exited"}]"#),
            other => engine(other),
        }),
    ];
    let errors: Vec<_> = replies
        .iter()
        .map(|(name, reply)| format!("# {name}\n{}\n", Fake::serve(*reply).error()))
        .collect();
    insta::assert_snapshot!(errors.join("\n"));
}

#[test]
fn absent() {
    insta::assert_snapshot!(Fake::absent().error());
}

#[test]
fn refused() {
    let fake = Fake::absent();
    // The socket's file stays when its program is gone.
    drop(fake.bind());
    insta::assert_snapshot!("refused", fake.error());

    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let tcp = Fake {
        host: format!("tcp://127.0.0.1:{port}"),
        ..Fake::absent()
    };
    insta::assert_snapshot!("refused_tcp", tcp.error());
}

#[test]
fn unknown_host() {
    let host = "tcp://portplan.invalid:2375";
    let error = observe_within(host, 2.0, 2.0).unwrap_err();
    assert!(error.to_string().contains(host), "{error}");
}

/// Set by [`permission_denied`] for the copy of itself that it starts as another user.
const AS_NOBODY: &str = "PORTPLAN_TEST_HOST_AS_NOBODY";

#[test]
fn permission_denied() {
    if let Ok(host) = std::env::var(AS_NOBODY) {
        let error = observe_within(&host, 1.0, 1.0).unwrap_err();
        assert_eq!(error.failure, Failure::PermissionDenied);
        assert!(error.to_string().contains(&host));
        return;
    }
    let fake = Fake::serve(engine);
    let socket = fake.folder.path().join("docker.sock");
    let mode = |path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    mode(socket.as_path(), 0o000);
    // Root may open anything.
    if observe_within(&fake.host, 1.0, 1.0).is_err() {
        let error = fake.error();
        assert!(error.contains("permission denied") && error.contains("usermod -aG docker"));
        return;
    }
    let place = tempfile::tempdir().unwrap();
    mode(place.path(), 0o755);
    let copy = place.path().join("test");
    fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    // A closed socket; a socket in a closed folder.
    for folder_mode in [0o755, 0o700] {
        mode(fake.folder.path(), folder_mode);
        let test = "engine::fake::permission_denied";
        let run = Command::new("setpriv")
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(&copy)
            .args(["--exact", test])
            .env(AS_NOBODY, &fake.host)
            .output();
        let Ok(output) = run else {
            println!("skipped: no setpriv to become another user with");
            return;
        };
        assert!(output.status.success(), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
    }
}

#[cfg(not(feature = "ssh"))]
#[test]
fn ssh_is_not_built_in() {
    let error = observe_within("ssh://me@box", 1.0, 1.0).unwrap_err();
    insta::assert_snapshot!(format!("{error}\n  help: {}", error.help()));
}

/// An engine such as Podman 5, with what real ones rarely show at the right moment.
fn engine(path: &str) -> Action {
    match path {
        "/version" => json_of(&json!({
            "Version": "5.4.2", "ApiVersion": "1.41",
            "Components": [{"Name": "Podman Engine", "Version": "5.4.2"}]
        })),
        "/info" => json_of(&json!({
            "ID": "", "Name": "box", "OSType": "linux", "OperatingSystem": "fedora",
            "SecurityOptions": ["name=seccomp,profile=default", "name=rootless"],
            "Swarm": {"LocalNodeState": "inactive"}
        })),
        "/networks" => json_of(&json!([
            {"Name": "podman", "Id": "2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9",
             "Driver": "bridge", "EnableIPv6": false, "Internal": false, "Options": null}
        ])),
        "/containers/json" => json_of(&json!([
            {"Id": "c".repeat(64), "Names": ["/web"], "State": "running",
             "HostConfig": {"NetworkMode": "bridge"},
             "NetworkSettings": {"Networks": {"podman": {}}},
             "Ports": [
                 {"IP": "", "PrivatePort": 53, "PublicPort": 5353, "Type": "udp"},
                 {"IP": "::ffff:127.0.0.1", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
                 {"IP": "127.0.0.1", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
                 {"IP": "", "PrivatePort": 81, "PublicPort": 0, "Type": "tcp"},
                 {"PrivatePort": 82, "Type": "tcp"}]},
            // Gone before it can be looked at.
            {"Id": "dead", "Names": ["/gone"], "State": "exited"},
            {"Id": "e".repeat(64), "Names": ["/web/alias", "/stopped"], "State": "exited",
             // As Podman: still listed of a stopped container.
             "Ports": [{"IP": "", "PrivatePort": 80, "PublicPort": 9000, "Type": "tcp"}]}
        ])),
        "/containers/dead/json" => http(404, r#"{"message":"No such container: dead"}"#),
        inspect if inspect.contains("eeee") => json_of(&json!({
            "State": {"Status": "exited", "StartedAt": "2026-01-01T00:00:00Z", "ExitCode": 0},
            "Config": {"ExposedPorts": {"80/tcp": {}, "90/udp": {}}, "Env": ["PASSWORD=hunter2"]},
            "HostConfig": {
                "RestartPolicy": {"Name": "always", "MaximumRetryCount": 0},
                "PublishAllPorts": true,
                "PortBindings": {
                    "80/tcp": [{"HostIp": "", "HostPort": "9000"},
                               {"HostIp": "127.0.0.1", "HostPort": "9001-9005"},
                               {"HostIp": "localhost", "HostPort": "7-7"}],
                    "81/tcp": [{"HostIp": "", "HostPort": "0-5"}, {"HostPort": "x"}],
                    "82/sctp": [{"HostIp": "::1", "HostPort": ""}],
                    "bad": [{"HostPort": "1"}], "83/tcp": null}}
        })),
        _ => http(404, r#"{"message":"page not found"}"#),
    }
}

#[test]
fn a_whole_engine() {
    let fake = Fake::serve(engine);
    let snapshot = observe_within(&fake.host, 1.0, 3.0).unwrap();
    assert_eq!(snapshot.engine.product, Product::Podman);
    assert!(snapshot.engine.rootless);
    assert_eq!(snapshot.engine.swarm, Swarm::None);
    let names: Vec<_> = snapshot
        .containers
        .iter()
        .map(|c| c.name.as_str())
        .collect();
    assert_eq!(names, ["stopped", "web"]);
    let [stopped, web] = &snapshot.containers[..] else {
        unreachable!()
    };
    assert_eq!((stopped.state, web.state), (State::Exited, State::Running));
    let holds: Vec<_> = web
        .holds
        .iter()
        .map(|h| (h.host_ip.to_string(), h.port))
        .collect();
    assert_eq!(
        holds,
        [
            ("0.0.0.0".into(), 5353),
            ("::".into(), 5353),
            ("127.0.0.1".into(), 8080)
        ]
    );
    assert_eq!(stopped.holds, []);
    let start = stopped.start.as_ref().unwrap();
    assert_eq!(start.restart, RestartPolicy::Always);
    assert_eq!(stopped.tenure(), Tenure::AtBoot);
    let request = |target, protocol, host_ip: Option<&str>, host_port| Request {
        target,
        protocol,
        host_ip: host_ip.map(|ip| ip.parse().unwrap()),
        host_port,
    };
    let range = HostPort::OneOf {
        first: 9001,
        last: 9005,
    };
    assert_eq!(
        start.ports,
        [
            request(80, Protocol::Tcp, None, HostPort::Fixed { port: 7 }),
            request(80, Protocol::Tcp, None, HostPort::Fixed { port: 9000 }),
            request(80, Protocol::Tcp, Some("127.0.0.1"), range),
            request(82, Protocol::Sctp, Some("::1"), HostPort::Dynamic),
            request(90, Protocol::Udp, None, HostPort::Dynamic),
        ]
    );
    let text = serde_json::to_string_pretty(&snapshot).unwrap();
    assert!(!text.contains("hunter2"));
    assert_eq!(
        serde_json::from_str::<portplan::engine::Snapshot>(&text).unwrap(),
        snapshot
    );
    insta::assert_snapshot!(text.replace(&fake.host, "ENGINE"));
}

#[test]
fn the_schema_describes_a_snapshot() {
    let fake = Fake::serve(engine);
    let snapshot = observe_within(&fake.host, 1.0, 3.0).unwrap();
    let schema = schemars::schema_for!(portplan::engine::Snapshot);
    let schema = serde_json::to_value(schema).unwrap();
    let value = serde_json::to_value(&snapshot).unwrap();
    jsonschema::validate(&schema, &value).unwrap();
}
