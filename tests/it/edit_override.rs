//! Numbers in the override file that Compose finds.

use portplan::edit::Destination;

use crate::edit_common::{Case, Scene};

const BASE: &str = "services:\n  web:\n    image: x\n    ports:\n      - 8080:80 # web\n      - ${ADMIN:-9090}:90/udp\n      - {target: 70, published: 7070, name: n}\n  db:\n    image: x\n    ports: ['5432:5432']\n";

const CASES: &[Case] = &[
    Case {
        name: "no override file yet",
        files: &[("docker-compose.yml", BASE)],
        moves: "web 8080 8081, db 5432 5433",
        becomes: &[(
            "docker-compose.override.yml",
            "",
            "services:\n  db:\n    ports: !override\n      - '5433:5432'\n  web:\n    ports: !override\n      - 8081:80\n      - ${ADMIN:-9090}:90/udp\n      - {target: 70, published: 7070, name: n}\n",
        )],
    },
    Case {
        name: "a number of several places, and a range of which one port moves",
        files: &[
            (
                "compose.yaml",
                "services:\n  web:\n    image: x\n    ports: ['${A}80:80', '[::1]:8000-8001:60-61/udp']\n",
            ),
            (".env", "A=80\n"),
        ],
        moves: "web 8080 8081, web 8001 9001",
        becomes: &[(
            "compose.override.yaml",
            "",
            "services:\n  web:\n    ports: !override\n      - \"8081:80\"\n      - \"[::1]:8000:60/udp\"\n      - \"[::1]:9001:61/udp\"\n",
        )],
    },
    Case {
        name: "an override file without the service",
        files: &[
            ("compose.yaml", BASE),
            (
                "compose.override.yml",
                "# mine\r\nservices:\r\n  db:\r\n    command: y # why\r\n\r\n# end\r\n",
            ),
        ],
        moves: "web 8080 8081",
        becomes: &[(
            "compose.override.yml",
            "    command: y # why\r\n",
            "    command: y # why\r\n  web:\r\n    ports: !override\r\n      - 8081:80\r\n      - ${ADMIN:-9090}:90/udp\r\n      - {target: 70, published: 7070, name: n}\r\n",
        )],
    },
    Case {
        name: "an override file with the service, without ports",
        files: &[
            ("compose.yaml", BASE),
            (
                "compose.override.yml",
                "services:\n    db:\n        command: y",
            ),
        ],
        moves: "db 5432 5433",
        becomes: &[(
            "compose.override.yml",
            "command: y",
            "command: y\n        ports: !override\n          - '5433:5432'",
        )],
    },
    Case {
        name: "an override file that adds ports",
        files: &[
            ("compose.yaml", BASE),
            (
                "compose.override.yml",
                "services:\n  db:\n    ports:\n      # debug\n      - 9229:9229\n",
            ),
        ],
        moves: "db 5432 5433, db 9229 9230",
        becomes: &[(
            "compose.override.yml",
            "ports:\n      # debug\n      - 9229:",
            "ports: !override\n      # debug\n      - '5433:5432'\n      - 9230:",
        )],
    },
    Case {
        name: "lists that are not indented",
        files: &[
            (
                "compose.yaml",
                "services:\n  db:\n    image: x\n    ports:\n    - '5432:5432'\n",
            ),
            (
                "compose.override.yml",
                "services:\n  db:\n    ports:\n    - 9229:9229\n",
            ),
        ],
        moves: "db 5432 5433",
        becomes: &[(
            "compose.override.yml",
            "ports:\n    - 9229",
            "ports: !override\n    - '5433:5432'\n    - 9229",
        )],
    },
    Case {
        name: "a range of which another entry has taken a part",
        files: &[(
            "compose.yaml",
            "services: {web: {image: x, ports: ['8000-8002:60-62', '8001:61/tcp']}}",
        )],
        moves: "web 8001 9001",
        becomes: &[(
            "compose.override.yaml",
            "",
            "services:\n  web:\n    ports: !override\n      - \"8000:60\"\n      - '9001:61/tcp'\n      - \"8002:62\"\n",
        )],
    },
    Case {
        name: "an override file of an earlier run",
        files: &[
            ("compose.yaml", BASE),
            (
                "compose.override.yml",
                "services:\n  db:\n    ports: !override\n      - '5433:5432'\n",
            ),
        ],
        moves: "db 5433 5434",
        becomes: &[("compose.override.yml", "5433", "5434")],
    },
    Case {
        name: "an override file that says the same again",
        files: &[
            ("compose.yaml", BASE),
            (
                "compose.override.yml",
                "services: {db: {ports: ['5432:5432']}}",
            ),
        ],
        moves: "db 5432 5433",
        becomes: &[("compose.override.yml", "['5432:", "!override ['5433:")],
    },
    Case {
        name: "an override file without services",
        files: &[
            ("compose.yaml", BASE),
            ("compose.override.yml", "name: other\n"),
        ],
        moves: "db 5432 5433",
        becomes: &[(
            "compose.override.yml",
            "name: other\n",
            "name: other\nservices:\n  db:\n    ports: !override\n      - '5433:5432'\n",
        )],
    },
    Case {
        name: "an included service, whose file sees other variables",
        files: &[
            ("compose.yaml", "include: [sub/web.yaml]\n"),
            (
                "sub/web.yaml",
                "services: {web: {image: x, ports: ['${P}:80', {target: 90, published: 9090, mode: host}]}}",
            ),
            ("sub/.env", "P=8080\n"),
        ],
        moves: "web 9090 9091",
        becomes: &[(
            "compose.override.yaml",
            "",
            "services:\n  web:\n    ports: !override\n      - \"8080:80\"\n      - {target: 90, published: \"9091\", protocol: \"tcp\", mode: \"host\"}\n",
        )],
    },
];

#[test]
fn a_number_goes_to_the_override_file() {
    for case in CASES {
        case.check(Destination::Override);
    }
}

#[test]
fn files_that_are_named_have_no_override_file() {
    let scene = Scene::new(&[("compose.yaml", BASE.as_bytes())], &[], &["compose.yaml"]);
    let changes = scene.changes(&scene.moves("db 5432 5433"), Destination::Override);
    assert_eq!(changes.patches, []);
    assert!(changes.refusals[0].reason.contains("no override file"));
}
