//! In which forms of a port some rules find what they look for.

use crate::rules::{check, example_world};

/// What a rule says of one service with these keys.
fn said(rule: &str, keys: &str) -> Vec<String> {
    let found = check(&example_world(rule, &format!("services:\n  web:\n{keys}")));
    let said = found.into_iter().filter(|finding| finding.rule == rule);
    said.map(|finding| finding.message).collect()
}

/// What it says of one entry of `ports`, as it is written after the dash.
fn said_of(rule: &str, image: &str, entry: &str) -> Vec<String> {
    said(
        rule,
        &format!("    image: {image}\n    ports:\n      - {entry}\n"),
    )
}

/// Tries entries; each is found once or not at all.
fn finds(rule: &str, rows: &[(&str, bool)]) {
    for (entry, found) in rows {
        let said = said_of(rule, "web", entry);
        assert_eq!(said.len(), usize::from(*found), "{entry}: {said:?}");
    }
}

#[test]
fn ports_of_variables_that_are_unset() {
    finds(
        "unset-variable-port",
        &[
            ("\"${P}:80\"", true),
            ("$P:80", true),
            ("127.0.0.1:${P}:80", true),
            ("\"[::1]:${P}:80/udp\"", true),
            ("${A}${B}:80", true),
            ("${P:-${Q}}:80", true),
            ("${P}:80-82", true),
            ("{ target: 80, published: \"${P}\" }", true),
            // a default that is empty is meant
            ("\"${P:-}:80\"", false),
            ("{ target: 80, published: \"${P-}\" }", false),
            ("${P:-8080}:80", false),
            ("${P}8080:80", false),
            ("80", false),
            // the address is empty, or the engine was to choose all the same
            ("\"${IP}:8080:80\"", false),
            ("\"${IP}::80\"", false),
            ("{ target: 80, name: \"${P}\" }", false),
        ],
    );
}

#[test]
fn unset_variables_are_named() {
    let rule = "unset-variable-port";
    let one = "P is not set, so the engine chooses a host port for `web`";
    assert_eq!(said_of(rule, "web", "${P}:80"), [one]);
    let two = "A and B are not set, so the engine chooses a host port for `web`";
    assert_eq!(said_of(rule, "web", "${A}${B}:80"), [two]);
}

#[test]
fn scalars_that_are_numbers_elsewhere() {
    finds(
        "ambiguous-port-scalar",
        &[
            ("22:22", true),
            ("2222:22", true),
            ("8080:59", true),
            ("8080:60", false),
            ("08:22", false),
            ("\"22:22\"", false),
            ("'22:22'", false),
            ("22:22/tcp", false),
            ("127.0.0.1:22:22", false),
            ("5000-5010:22", false),
            ("${P:-22}:22", false),
            ("{ target: 22, published: 2222 }", false),
        ],
    );
    let twice = "    image: web\n    ports: &ports\n      - 22:22\n  api:\n    image: api\n    ports: *ports\n";
    assert_eq!(said("ambiguous-port-scalar", twice).len(), 1);
}

#[test]
fn what_is_not_for_everybody() {
    let rule = "exposed-on-all-interfaces";
    for (image, entry, found) in [
        ("postgres:17", "5432:5432", true),
        ("web", "15432:5432", true),
        ("web", "5432", true),
        ("web", "\"0.0.0.0:5432:5432\"", true),
        ("web", "\"[::]:5432:5432\"", true),
        ("web", "{ target: 5432, published: \"5432\" }", true),
        ("docker:dind", "2375:2375", true),
        ("adminer", "8081:8080", true),
        ("host:5000/dpage/pgadmin4:9@sha256:0", "8081:80", true),
        ("postgres:17", "127.0.0.1:5432:5432", false),
        ("postgres:17", "192.0.2.1:5432:5432", false),
        ("postgres:17", "\"[::1]:5432:5432\"", false),
        ("postgres:17", "5432:80", false),
        ("docker:dind", "2376:2376", false),
        ("web", "8081:8080", false),
        ("adminer/web", "8081:8080", false),
    ] {
        let said = said_of(rule, image, entry);
        assert_eq!(said.len(), usize::from(found), "{image} {entry}: {said:?}");
    }
    let bridge = "com.docker.network.bridge.host_binding_ipv4: 127.0.0.1";
    let bound = format!(
        "    image: web\n    ports: [\"5432:5432\"]\nnetworks:\n  default:\n    driver_opts: {{ {bridge} }}\n"
    );
    assert_eq!(
        said(rule, &bound),
        [""; 0],
        "the network binds it to loopback"
    );
}

#[test]
fn how_to_keep_it_to_this_host() {
    let rule = "exposed-on-all-interfaces";
    for (entry, expected) in [
        ("15432:5432", "127.0.0.1:15432:5432"),
        ("\"[::]:15432:5432\"", "[::1]:15432:5432"),
        ("5432", "127.0.0.1::5432"),
    ] {
        let file = format!("services: {{ db: {{ image: db, ports: [{entry}] }} }}");
        let help = check(&example_world(rule, &file))[0].help.clone().unwrap();
        assert!(
            help.starts_with(&format!("publish it as {expected},")),
            "{help}"
        );
    }
}

#[test]
fn ports_on_loopback_of_old_engines() {
    finds(
        "loopback-reachable-from-lan",
        &[
            ("127.0.0.1:8080:80", true),
            ("127.0.0.2::80", true),
            ("\"[::1]:8080:80\"", false),
            ("8080:80", false),
            ("192.0.2.10:8080:80", false),
        ],
    );
}

#[test]
fn numbers_that_are_written_out_or_left_out() {
    finds(
        "hard-coded-port",
        &[
            ("8080:80", true),
            ("8000-8010:8000-8010", true),
            ("{ target: 80, published: 8080 }", true),
            ("${P:-8080}:80", false),
            ("80${P:-80}:80", false),
            ("80", false),
        ],
    );
    finds(
        "unpinned-host-port",
        &[
            ("80", true),
            ("127.0.0.1::80", true),
            ("0:80", true),
            ("{ target: 80 }", true),
            ("8080:80", false),
            ("8000-8010:80", false),
        ],
    );
}

/// Rules that are off find nothing.
#[test]
fn what_is_off_is_silent() {
    let file = "services: { db: { image: postgres, ports: [\"5432:5432\", \"80\"] } }";
    assert_eq!(check(&example_world("port-refused", file)), []);
    // nor is it known whether a comment is of use
    let comment = "# portplan: ignore[hard-coded-port] everybody knows it";
    let file = format!("services: {{ web: {{ image: web, ports: [80] }} }} {comment}");
    assert_eq!(check(&example_world("port-refused", &file)), []);
    let on = check(&example_world("hard-coded-port", &file));
    assert_eq!(on[0].rule, "unused-ignore");
}
