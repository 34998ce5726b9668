//! Numbers in env files.

use portplan::edit::Destination;

use crate::edit_common::{Case, Scene, applied};

const CASES: &[Case] = &[
    Case {
        name: "a service with one port, no env file yet",
        files: &[(
            "compose.yaml",
            "services:\n  web-app:\n    image: x\n    ports:\n      - \"127.0.0.1:8080:80\" # ours\n",
        )],
        moves: "web-app 8080 8081",
        becomes: &[
            ("compose.yaml", ":8080:", ":${WEB_APP_PORT:-8080}:"),
            (".env", "", "WEB_APP_PORT=8081\n"),
        ],
    },
    Case {
        name: "several ports, names that are taken, CRLF without a last line end",
        files: &[
            (
                "compose.yaml",
                "services:\n  web:\n    image: x\n    command: $WEB_PORT_80\n    ports: [8080:80, {target: 90, published: 9090}]\n",
            ),
            (".env", "WEB_PORT_80=x\r\nB='1'"),
        ],
        moves: "web 8080 8081, web 9090 9091",
        becomes: &[
            (
                "compose.yaml",
                "[8080:80, {target: 90, published: 9090}]",
                "[\"${WEB_PORT_80_2:-8080}:80\", {target: 90, published: \"${WEB_PORT_90:-9090}\"}]",
            ),
            (
                ".env",
                "B='1'",
                "B='1'\r\nWEB_PORT_80_2=8081\r\nWEB_PORT_90=9091",
            ),
        ],
    },
    Case {
        name: "a variable that is there",
        files: &[
            (
                "compose.yaml",
                "services: {web: {image: x, ports: [\"${P:-8080}:80\"]}}",
            ),
            (".env", "# none\n"),
        ],
        moves: "web 8080 8081",
        becomes: &[(".env", "# none\n", "# none\nP=8081\n")],
    },
    Case {
        name: "a variable whose default gives the address, too",
        files: &[(
            "compose.yaml",
            "services: {web: {image: x, ports: [\"${BIND:-127.0.0.1:8080}:80\"]}}",
        )],
        moves: "web 8080 8081",
        becomes: &[(".env", "", "BIND=127.0.0.1:8081\n")],
    },
    Case {
        name: "a variable that the env file gives",
        files: &[
            (
                "compose.yaml",
                "services: {web: {image: x, ports: [\"${P:-80}:80\"]}}",
            ),
            (".env", "P=8080\n"),
        ],
        moves: "web 8080 8081",
        becomes: &[(".env", "8080", "8081")],
    },
    Case {
        name: "an expanded range and udp",
        files: &[(
            "compose.yaml",
            "services: {web: {image: x, ports: ['8000-8001:80-81/udp']}}",
        )],
        moves: "web 8000 9000, web 8001 9001",
        becomes: &[
            ("compose.yaml", "8000-8001", "${WEB_PORT_80:-8000-8001}"),
            (".env", "", "WEB_PORT_80=9000-9001\n"),
        ],
    },
    Case {
        name: "an alias, of which one user moves",
        files: &[(
            "compose.yaml",
            "x-p: &p ['8080:80']\nservices:\n  a: {image: x, ports: *p}\n  b: {image: x, ports: *p}\n",
        )],
        moves: "b 8080 8081",
        becomes: &[
            (
                "compose.yaml",
                "b: {image: x, ports: *p}",
                "b: {image: x, ports: ['${B_PORT:-8080}:80']}",
            ),
            (".env", "", "B_PORT=8081\n"),
        ],
    },
];

#[test]
fn a_number_goes_to_the_env_file() {
    for case in CASES {
        case.check(Destination::Env);
    }
}

#[test]
fn a_second_run_changes_the_env_file_only() {
    let text: &[u8] = b"services: {web: {image: x, ports: ['8080:80']}}";
    let mut scene = Scene::new(&[("compose.yaml", text)], &[], &[]);
    for to in ["8081", "8082"] {
        let from = scene.projects[0].services[0].ports[0].published.clone();
        let moves = scene.moves(&format!("web {} {to}", from.unwrap()));
        let changes = scene.changes(&moves, Destination::Env);
        let files = applied(&scene, &changes);
        let files: Vec<(&str, &[u8])> = files
            .iter()
            .map(|(path, text)| (&**path, text.as_bytes()))
            .collect();
        scene = Scene::new(&files, &[], &[]);
        let env = &scene.files.0[camino::Utf8Path::new("/w/.env")];
        assert_eq!(*env, format!("WEB_PORT={to}\n").into_bytes());
    }
}

#[test]
fn containers_see_no_new_variable() {
    for path in ["[{path: .env, required: false}]", "['${FOLDER:-.}/.env']"] {
        let text = format!("services: {{web: {{image: x, env_file: {path}, ports: ['8080:80']}}}}");
        let files: [(&str, &[u8]); 2] = [("compose.yaml", text.as_bytes()), (".env", b"A=1\n")];
        let scene = Scene::new(&files, &[], &[]);
        let changes = scene.changes(&scene.moves("web 8080 8081"), Destination::Env);
        assert_eq!(changes.patches, []);
        let reason = &changes.refusals[0].reason;
        assert!(
            reason.starts_with("`.env` is also the `env_file`"),
            "{reason}"
        );
    }
}

#[test]
fn what_is_replaced_shares_the_variable_of_what_replaces_it() {
    let base: &[u8] = b"services: {web: {image: x, ports: ['8080:80', '9090:90', {target: 1, published: 1}, '1:1']}}";
    let over: &[u8] = b"services: {web: {ports: ['${P:-8080}:80', 9090:90]}}";
    let files = [("compose.yaml", base), ("compose.override.yaml", over)];
    let scene = Scene::new(&files, &[], &[]);
    let changes = scene.workspace().parameterize(&scene.publishes());
    scene.workspace().prove(&[], &changes).unwrap();
    let texts = applied(&scene, &changes);
    let variable = "${WEB_PORT_90:-9090}:90";
    assert!(
        texts[0].1.contains(&format!("\"{variable}\"")),
        "{}",
        texts[0].1
    );
    assert!(
        texts[1].1.contains(&format!("'{variable}'")),
        "{}",
        texts[1].1
    );
    assert!(texts[1].1.contains("'8080:80'"), "{}", texts[1].1);
}

#[test]
fn parameterizing_leaves_what_compose_makes_of_the_files() {
    let text = "x-p: &p\n  - 7070:70\nservices:\n  a:\n    image: x\n    ports: *p\n  b:\n    image: x\n    ports: *p\n  web:\n    image: x\n    scale: 2\n    ports:\n      - '8000-8001:80-81' # range\n      - target: 90\n        published: 9090\n        mode: host\n      - ${P:-6060}:60\n      - 5050\n";
    let scene = Scene::new(&[("compose.yaml", text.as_bytes())], &[], &[]);
    let workspace = scene.workspace();
    let changes = workspace.parameterize(&scene.publishes());
    workspace.prove(&[], &changes).unwrap();
    assert_eq!(changes.refusals, []);
    let expected = text
        .replace("7070", "${A_PORT:-7070}")
        .replace("8000-8001", "${WEB_PORT_80:-8000-8001}")
        .replace("9090", "${WEB_PORT_90:-9090}");
    assert_eq!(applied(&scene, &changes)[0].1, expected);
    assert_eq!(scene.projects[0].services.len(), 3);
}
