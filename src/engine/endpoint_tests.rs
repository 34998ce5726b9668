use std::collections::HashMap;

use super::*;

/// A machine with these variables and these sockets, and this home folder.
fn resolve_in(
    choice: Choice<'_>,
    variables: &[(&str, &str)],
    home: Option<&Utf8Path>,
    sockets: &[&str],
) -> Result<Endpoint, EndpointError> {
    let variables: HashMap<&str, &str> = variables.iter().copied().collect();
    resolve(
        choice,
        &Surroundings {
            variable: &|name| variables.get(name).map(|value| (*value).to_owned()),
            home,
            exists: &|path| sockets.contains(&path.as_str()) || path.exists(),
        },
    )
}

fn shown(endpoint: Result<Endpoint, EndpointError>) -> String {
    match endpoint {
        Ok(endpoint) => endpoint.to_string(),
        Err(error) => format!("error: {error}"),
    }
}

#[test]
fn variables_and_flags() {
    use Choice::{Context, Host, Unsaid};
    type Row<'a> = (Choice<'a>, &'a [(&'a str, &'a str)], &'a str);
    let host = ("DOCKER_HOST", "unix:///h.sock");
    let table: &[Row<'_>] = &[
        (
            Host("unix:///f.sock"),
            &[host],
            "unix:///f.sock (from --host)",
        ),
        (
            Unsaid,
            &[host, ("DOCKER_CONTEXT", "c")],
            "unix:///h.sock (from DOCKER_HOST)",
        ),
        (
            Context("default"),
            &[host],
            "unix:///h.sock (from DOCKER_HOST)",
        ),
        (
            Context("default"),
            &[],
            "unix:///var/run/docker.sock (the default)",
        ),
        (
            Unsaid,
            &[("DOCKER_CONTEXT", "default")],
            "unix:///var/run/docker.sock (the default)",
        ),
        (
            Unsaid,
            &[("DOCKER_CONTEXT", "c")],
            "error: the Docker context `c` cannot be looked up: set DOCKER_CONFIG or HOME",
        ),
        (Host("tcp://box:2375"), &[], "tcp://box:2375 (from --host)"),
        (Host("box:99"), &[], "tcp://box:99 (from --host)"),
        (Host("box"), &[], "tcp://box:2375 (from --host)"),
        (Host("tcp://"), &[], "tcp://localhost:2375 (from --host)"),
        (Host("tcp://[::1]:7"), &[], "tcp://[::1]:7 (from --host)"),
        (Host("tcp://[::1]"), &[], "tcp://[::1]:2375 (from --host)"),
        (
            Host("tcp://box"),
            &[("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", "/certs")],
            "tcp://box:2376 (from --host)",
        ),
        (
            Host("ssh://me@box:22"),
            &[],
            "ssh://me@box:22 (from --host)",
        ),
        (
            Host("npipe://"),
            &[],
            "npipe:////./pipe/docker_engine (from --host)",
        ),
        (
            Host("unix://"),
            &[],
            "unix:///var/run/docker.sock (from --host)",
        ),
    ];
    for (choice, variables, expected) in table {
        let found = shown(resolve_in(
            *choice,
            variables,
            None,
            &["/var/run/docker.sock"],
        ));
        assert_eq!(&found, expected, "{choice:?} {variables:?}");
    }
}

#[test]
fn what_is_no_address() {
    let texts = [
        "/var/run/docker.sock",
        "fd://",
        "ssh://",
        "ssh://me:secret@box",
        "ssh://box/path",
        "tcp://me@box:1",
        "tcp://box:http",
        "tcp://box:70000",
        "::1",
        "tcp://box:1/base",
    ];
    let shown: Vec<_> = texts
        .iter()
        .map(|text| shown(resolve_in(Choice::Host(text), &[], None, &[])))
        .collect();
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn tls_of_variables() {
    let tls = |variables: &[(&str, &str)]| {
        let home = Some(Utf8Path::new("/home/me"));
        let endpoint = resolve_in(Choice::Host("tcp://box"), variables, home, &[]).unwrap();
        match endpoint.address {
            Address::Tcp { tls, .. } => tls,
            other => panic!("{other}"),
        }
    };
    assert_eq!(tls(&[]), Tls::Off);
    assert_eq!(tls(&[("DOCKER_TLS_VERIFY", "")]), Tls::Off);
    assert_eq!(tls(&[("DOCKER_TLS", "1")]), Tls::Unverified);
    assert_eq!(
        tls(&[("DOCKER_TLS_VERIFY", "1")]),
        Tls::Verified("/home/me/.docker".into())
    );
    assert_eq!(
        tls(&[("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", "/certs")]),
        Tls::Verified("/certs".into())
    );
}

#[test]
fn other_sockets_only_where_nothing_is_chosen() {
    const DEFAULT: &str = "/var/run/docker.sock";
    const ROOTLESS: &str = "/run/user/7/docker.sock";
    const PODMAN: &str = "/run/user/7/podman/podman.sock";
    const ROOT_PODMAN: &str = "/run/podman/podman.sock";
    let user = ("XDG_RUNTIME_DIR", "/run/user/7");
    type Row<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str], &'a str);
    let table: &[Row<'_>] = &[
        (
            &[user],
            &[DEFAULT, ROOTLESS, PODMAN],
            "unix:///var/run/docker.sock (the default)",
        ),
        (
            &[user],
            &[ROOTLESS, PODMAN],
            "unix:///run/user/7/docker.sock (rootless Docker)",
        ),
        (
            &[user],
            &[PODMAN, ROOT_PODMAN],
            "unix:///run/user/7/podman/podman.sock (Podman)",
        ),
        (
            &[],
            &[ROOTLESS, ROOT_PODMAN],
            "unix:///run/podman/podman.sock (Podman)",
        ),
        (&[user], &[], "unix:///var/run/docker.sock (the default)"),
        (
            &[user, ("DOCKER_CONTEXT", "default")],
            &[ROOTLESS],
            "unix:///var/run/docker.sock (the default)",
        ),
    ];
    for (variables, sockets, expected) in table {
        // Not `resolve_in`: this machine may have an engine.
        let variables: HashMap<&str, &str> = variables.iter().copied().collect();
        let around = Surroundings {
            variable: &|name| variables.get(name).map(|value| (*value).to_owned()),
            home: None,
            exists: &|path| sockets.contains(&path.as_str()),
        };
        assert_eq!(&shown(resolve(Choice::Unsaid, &around)), expected);
    }
}

/// A Docker configuration folder as `docker context create` makes it.
fn config(current: &str, contexts: &[(&str, &str)]) -> (tempfile::TempDir, Utf8PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let home = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
    let docker = home.join(".docker");
    fs::create_dir(&docker).unwrap();
    fs::write(
        docker.join("config.json"),
        format!(r#"{{"auths":{{}},"currentContext":"{current}"}}"#),
    )
    .unwrap();
    for (digest, meta) in contexts {
        let place = docker.join("contexts/meta").join(digest);
        fs::create_dir_all(&place).unwrap();
        fs::write(place.join("meta.json"), meta).unwrap();
    }
    (folder, home)
}

/// `printf remote | sha256sum`
const REMOTE: &str = "b71199ebd070b36beab7317920c2c2f1d777df8d05e5527d8458fda57cb17a7a";

#[test]
fn contexts() {
    let meta = r#"{"Name":"remote","Metadata":{},
        "Endpoints":{"docker":{"Host":"tcp://10.0.0.5:2376","SkipTLSVerify":false}}}"#;
    let (_folder, home) = config("remote", &[(REMOTE, meta)]);
    let found = |choice, variables: &[(&str, &str)]| {
        resolve_in(choice, variables, Some(&home), &["/var/run/docker.sock"])
    };

    let address = "tcp://10.0.0.5:2376";
    assert_eq!(
        shown(found(Choice::Unsaid, &[])),
        format!("{address} (context `remote`, from docker context use)")
    );
    assert_eq!(
        shown(found(
            Choice::Context("remote"),
            &[("DOCKER_HOST", "unix:///h")]
        )),
        format!("{address} (context `remote`, from --context)")
    );
    assert_eq!(
        shown(found(Choice::Unsaid, &[("DOCKER_CONTEXT", "remote")])),
        format!("{address} (context `remote`, from DOCKER_CONTEXT)")
    );
    assert_eq!(
        shown(found(Choice::Unsaid, &[("DOCKER_HOST", "unix:///h")])),
        "unix:///h (from DOCKER_HOST)"
    );
    // Another folder, by DOCKER_CONFIG.
    let folder = home.join(".docker");
    let elsewhere = resolve_in(
        Choice::Unsaid,
        &[("DOCKER_CONFIG", folder.as_str())],
        Some(Utf8Path::new("/nowhere")),
        &[],
    );
    assert!(shown(elsewhere).starts_with(address));
    assert_eq!(
        shown(found(Choice::Context("nope"), &[])).replace(home.as_str(), "~"),
        "error: there is no Docker context `nope` (from --context): `docker context ls` lists those \
         there are; this one would be in `~/.docker/contexts/meta/\
         ca3704aa0b06f5954c79ee837faa152d84d6b2d42838f0637a15eda8337dbdce/meta.json`"
    );
}

#[test]
fn certificates_of_a_context() {
    let meta = r#"{"Name":"remote","Endpoints":{"docker":{"Host":"tcp://box:2376"}}}"#;
    let (_folder, home) = config("", &[(REMOTE, meta)]);
    let tls = || {
        let endpoint = resolve_in(Choice::Context("remote"), &[], Some(&home), &[]).unwrap();
        match endpoint.address {
            Address::Tcp { tls, .. } => tls,
            other => panic!("{other}"),
        }
    };
    assert_eq!(tls(), Tls::Off);
    let certificates = home
        .join(".docker/contexts/tls")
        .join(REMOTE)
        .join("docker");
    fs::create_dir_all(&certificates).unwrap();
    fs::write(certificates.join("ca.pem"), "").unwrap();
    assert_eq!(tls(), Tls::Verified(certificates));
}

#[test]
fn contexts_that_skip_verification_or_name_no_host() {
    let skip = r#"{"Endpoints":{"docker":{"Host":"tcp://box","SkipTLSVerify":true}}}"#;
    let (_folder, home) = config("", &[(REMOTE, skip)]);
    let endpoint = resolve_in(Choice::Context("remote"), &[], Some(&home), &[]).unwrap();
    assert_eq!(
        endpoint.address,
        Address::Tcp {
            authority: "box:2376".to_owned(),
            tls: Tls::Unverified
        }
    );
    let (_folder, home) = config("", &[(REMOTE, r#"{"Name":"remote"}"#)]);
    assert_eq!(
        shown(resolve_in(Choice::Context("remote"), &[], Some(&home), &[])),
        "unix:///var/run/docker.sock (context `remote`, from --context)"
    );
}

#[test]
fn broken_configuration_names_the_file() {
    let (_folder, home) = config("a\"b", &[(REMOTE, "{")]);
    for choice in [Choice::Unsaid, Choice::Context("remote")] {
        let error = resolve_in(choice, &[], Some(&home), &[]).unwrap_err();
        let EndpointError::Configuration { path, .. } = &error else {
            panic!("{error}");
        };
        assert!(error.to_string().contains(path.as_str()));
    }
}

#[test]
fn what_is_local() {
    let table = [
        ("unix:///x", true),
        ("npipe://", true),
        ("tcp://localhost:1", true),
        ("tcp://127.0.0.9:1", true),
        ("tcp://[::1]:1", true),
        ("tcp://10.0.0.1:1", false),
        ("ssh://localhost", false),
    ];
    for (host, local) in table {
        let endpoint = resolve_in(Choice::Host(host), &[], None, &[]).unwrap();
        assert_eq!(endpoint.is_local(), local, "{host}");
    }
}
