//! Numbers changed where they are written, in every style of YAML and env files.

use portplan::edit::Destination;

use crate::edit_common::{Case, Scene};

const CASES: &[Case] = &[
    Case {
        name: "double quotes, a comment, characters of several bytes before",
        files: &[(
            "compose.yaml",
            "# é ü 日本\nservices:\n  web:\n    image: x # ß\n    ports:\n      - \"8080:80\" # 8080, ours\n",
        )],
        moves: "web 8080 8081",
        becomes: &[("compose.yaml", "\"8080:80\"", "\"8081:80\"")],
    },
    Case {
        name: "single quotes",
        files: &[(
            "compose.yaml",
            "services: {web: {image: x, ports: ['8080:80']}}",
        )],
        moves: "web 8080 18080",
        becomes: &[("compose.yaml", "'8080:80'", "'18080:80'")],
    },
    Case {
        name: "plain",
        files: &[(
            "compose.yaml",
            "services:\n  web:\n    image: x\n    ports:\n    - 8080:80\n    - 9090:90\n",
        )],
        moves: "web 8080 80",
        becomes: &[("compose.yaml", "8080:80", "80:80")],
    },
    Case {
        name: "plain, a number in base sixty to YAML 1.1, as it was before",
        files: &[(
            "compose.yaml",
            "services:\n  web:\n    image: x\n    ports:\n    - 2222:22\n",
        )],
        moves: "web 2222 2223",
        becomes: &[("compose.yaml", "2222:22", "2223:22")],
    },
    Case {
        name: "plain, and only the new text a number in base sixty",
        files: &[(
            "compose.yaml",
            "services:\n  web:\n    image: x\n    ports:\n    - 02222:22\n",
        )],
        moves: "web 2222 2223",
        becomes: &[("compose.yaml", "02222:22", "\"2223:22\"")],
    },
    Case {
        name: "flow, plain",
        files: &[(
            "compose.yaml",
            "services:\n  web: {image: x, ports: [8080:80, 8081:81]}\n",
        )],
        moves: "web 8081 9000",
        becomes: &[("compose.yaml", "8081:81", "9000:81")],
    },
    Case {
        name: "long, a number",
        files: &[(
            "compose.yaml",
            "services:\n  web:\n    image: x\n    ports:\n      - target: 80\n        published: 8080\n        protocol: udp\n",
        )],
        moves: "web 8080 8081",
        becomes: &[("compose.yaml", "8080", "8081")],
    },
    Case {
        name: "long, a hexadecimal number that becomes a range",
        files: &[(
            "compose.yaml",
            "services:\n  web:\n    image: x\n    ports:\n      - {target: 80, published: 0x1f90}\n",
        )],
        moves: "web 8080 8081-8083",
        becomes: &[("compose.yaml", "0x1f90", "8081-8083")],
    },
    Case {
        name: "long, a string with a name and more",
        files: &[(
            "compose.yaml",
            "services:\n  web:\n    image: x\n    ports:\n      - name: w\n        target: 80\n        host_ip: 127.0.0.1\n        published: '8080'\n        app_protocol: http\n",
        )],
        moves: "web 8080 8081",
        becomes: &[("compose.yaml", "'8080'", "'8081'")],
    },
    Case {
        name: "CRLF, a byte order mark, no line end at the end",
        files: &[(
            "compose.yaml",
            "\u{feff}services:\r\n  web:\r\n    image: x\r\n    ports:\r\n      - 8080:80",
        )],
        moves: "web 8080 8081",
        becomes: &[("compose.yaml", "8080:80", "8081:80")],
    },
    Case {
        name: "escapes",
        files: &[(
            "compose.yaml",
            "services: {web: {image: x, ports: [\"\\x38080:80\"]}}",
        )],
        moves: "web 8080 9000",
        becomes: &[("compose.yaml", "\\x38080", "9000")],
    },
    Case {
        name: "IPv6",
        files: &[(
            "compose.yaml",
            "services: {web: {image: x, ports: ['[::1]:8080:8080/udp']}}",
        )],
        moves: "web 8080 9000",
        becomes: &[("compose.yaml", "]:8080:", "]:9000:")],
    },
    Case {
        name: "a range that Compose expands",
        files: &[(
            "compose.yaml",
            "services: {web: {image: x, ports: ['8000-8002:80-82']}}",
        )],
        moves: "web 8000 9000, web 8001 9001, web 8002 9002",
        becomes: &[("compose.yaml", "8000-8002", "9000-9002")],
    },
    Case {
        name: "room for replicas",
        files: &[(
            "compose.yaml",
            "services: {web: {image: x, scale: 3, ports: ['8080:80']}}",
        )],
        moves: "web 8080 8080-8082",
        becomes: &[("compose.yaml", "8080:", "8080-8082:")],
    },
    Case {
        name: "a default, nested",
        files: &[(
            "compose.yaml",
            "services:\n  web:\n    image: x\n    ports:\n      - ${A:-${B-8080}}:80\n",
        )],
        moves: "web 8080 8081",
        becomes: &[("compose.yaml", "8080", "8081")],
    },
    Case {
        name: "an env file, exported, quoted, with a comment",
        files: &[
            (
                "compose.yaml",
                "services: {web: {image: x, ports: [\"${WEB_PORT:-80}:80\"]}}",
            ),
            (
                ".env",
                "# ports\r\nA=1\r\nexport WEB_PORT=\"8080\" # ours\r\nB=2",
            ),
        ],
        moves: "web 8080 8081",
        becomes: &[(".env", "8080", "8081")],
    },
    Case {
        name: "an env file that gives the address, too",
        files: &[
            (
                "compose.yaml",
                "services: {web: {image: x, ports: [\"${BIND}:80\"]}}",
            ),
            (".env", "BIND=127.0.0.1:8080 # ours\n"),
        ],
        moves: "web 8080 8081",
        becomes: &[(".env", "8080", "8081")],
    },
    Case {
        name: "a variable of an env file with another use",
        files: &[
            (
                "compose.yaml",
                "services:\n  web:\n    image: x\n    ports:\n      - ${PORT}:80\n    environment:\n      URL: http://db:${PORT}\n",
            ),
            (".env", "PORT=8080\n"),
        ],
        moves: "web 8080 8081",
        becomes: &[("compose.yaml", "${PORT}:80", "8081:80")],
    },
    Case {
        name: "a variable that is the container port, too",
        files: &[
            (
                "compose.yaml",
                "services:\n  web:\n    image: x\n    ports:\n      - '${IP:-127.0.0.1}:${PORT}:${PORT}'\n",
            ),
            (".env", "PORT=8080\n"),
        ],
        moves: "web 8080 8081",
        becomes: &[("compose.yaml", "1}:${PORT}:", "1}:8081:")],
    },
    Case {
        name: "an env file that a container sees, too",
        files: &[
            (
                "compose.yaml",
                "services:\n  web:\n    image: x\n    env_file: .env\n    ports:\n      - target: 80\n        published: ${PORT}\n",
            ),
            (".env", "PORT=8080\n"),
        ],
        moves: "web 8080 8081",
        becomes: &[("compose.yaml", "${PORT}", "\"8081\"")],
    },
    Case {
        name: "one variable for two services that move alike",
        files: &[
            (
                "compose.yaml",
                "services:\n  a: {image: x, ports: [\"${PORT}:80\"]}\n  b: {image: x, ports: [\"${PORT}:80/udp\"]}\n",
            ),
            (".env", "PORT=8080\n"),
        ],
        moves: "a 8080 8081, b 8080 8081",
        becomes: &[(".env", "8080", "8081")],
    },
    Case {
        name: "one variable for two services of which one moves",
        files: &[
            (
                "compose.yaml",
                "services:\n  a: {image: x, ports: [\"${PORT}:80\"]}\n  b: {image: x, ports: [\"${PORT}:80/udp\"]}\n",
            ),
            (".env", "PORT=8080\n"),
        ],
        moves: "a 8080 8081",
        becomes: &[("compose.yaml", "${PORT}:80\"", "8081:80\"")],
    },
];

#[test]
fn a_number_is_changed_where_it_is_written() {
    for case in CASES {
        case.check(Destination::Compose);
    }
}

#[test]
fn a_variable_of_the_shell_is_for_the_user_to_change() {
    let text: &[u8] = b"services: {web: {image: x, ports: ['${PORT:-80}:80']}}";
    let scene = Scene::new(&[("compose.yaml", text)], &[("PORT", "8080")], &[]);
    let changes = scene.changes(&scene.moves("web 8080 8081"), Destination::Compose);
    assert_eq!(changes.patches, []);
    assert_eq!(changes.exports["PORT"], "8081");
}

#[test]
fn utf_16_stays_utf_16() {
    let text = "\u{feff}services: # é 🦀\n  web:\n    image: x\n    ports: ['8080:80']\n";
    for encode in [u16::to_le_bytes, u16::to_be_bytes] {
        let bytes = |text: &str| text.encode_utf16().flat_map(encode).collect::<Vec<u8>>();
        let scene = Scene::new(&[("compose.yaml", &bytes(text))], &[], &[]);
        let changes = scene.changes(&scene.moves("web 8080 18080"), Destination::Compose);
        let expected = bytes(&text.replace("8080", "18080"));
        assert_eq!(changes.patches[0].new_bytes(), expected);
    }
}

#[test]
fn an_env_file_that_is_not_utf_8_keeps_its_bytes() {
    let text: &[u8] = b"services: {web: {image: x, ports: ['${PORT}:80']}}";
    let env: &[u8] = b"# caf\xe9 \xff\nA=\xe9\nPORT=8080\n";
    let scene = Scene::new(&[("compose.yaml", text), (".env", env)], &[], &[]);
    let changes = scene.changes(&scene.moves("web 8080 8081"), Destination::Compose);
    assert_eq!(
        changes.patches[0].new_bytes(),
        b"# caf\xe9 \xff\nA=\xe9\nPORT=8081\n"
    );
}

/// What one project's move may touch of another's, with the files of both.
#[test]
fn projects_that_name_one_variable() {
    const PORTS: &str = "services: {web: {image: x, ports: ['${PORT}:80']}}\n";
    const DEFAULT: &str = "services: {web: {image: x, ports: ['${PORT:-8080}:80']}}\n";
    const INCLUDE: &str = "include: [{path: sub/compose.yaml, env_file: sub/given.env}]\n";
    const INCLUDED: &str = "it is included here and elsewhere, and an included service cannot be \
                            changed where it is included: move it in an override file (--into override)";
    type Files<'a> = &'a [(&'a str, &'a str)];
    let cases: &[(&str, Files<'_>, Destination, Result<&str, &str>)] = &[
        (
            "each has an env file of its own",
            &[
                ("a/compose.yaml", PORTS),
                ("a/.env", "PORT=8080\n"),
                ("b/compose.yaml", PORTS),
                ("b/.env", "PORT=8080\n"),
            ],
            Destination::Compose,
            Ok("a/.env"),
        ),
        (
            "each would have one",
            &[("a/compose.yaml", DEFAULT), ("b/compose.yaml", DEFAULT)],
            Destination::Env,
            Ok("a/.env"),
        ),
        (
            "an env file of the one who includes",
            &[
                ("a/compose.yaml", INCLUDE),
                ("a/sub/compose.yaml", PORTS),
                ("a/sub/given.env", "PORT=8080\n"),
                ("b/compose.yaml", PORTS),
            ],
            Destination::Compose,
            Ok("a/sub/given.env"),
        ),
        (
            "the entry is also that of one who has no number",
            &[
                ("a/compose.yaml", INCLUDE),
                ("a/sub/compose.yaml", PORTS),
                ("a/sub/given.env", "PORT=8080\nOTHER=$PORT\n"),
                ("b/compose.yaml", "include: [../a/sub/compose.yaml]\n"),
            ],
            Destination::Compose,
            Err(INCLUDED),
        ),
        (
            "the entry is also that of one who has another number",
            &[
                ("a/compose.yaml", INCLUDE),
                ("a/sub/compose.yaml", PORTS),
                ("a/sub/given.env", "PORT=8080\nOTHER=$PORT\n"),
                (
                    "b/compose.yaml",
                    "include: [{path: ../a/sub/compose.yaml, env_file: given.env}]\n",
                ),
                ("b/given.env", "PORT=9090\n"),
            ],
            Destination::Compose,
            Err(INCLUDED),
        ),
    ];
    for (name, files, destination, expected) in cases {
        let files: Vec<_> = files.iter().map(|it| (it.0, it.1.as_bytes())).collect();
        let scene = Scene::new(&files, &[], &["a/compose.yaml", "b/compose.yaml"]);
        let mut moves = scene.moves("web 8080 8081");
        moves.truncate(1);
        let changes = scene.changes(&moves, *destination);
        let refused = changes.refusals.first().map(|it| it.reason.as_str());
        let files = changes.patches.iter().map(|patch| patch.shown.as_str());
        let found = match refused {
            Some(reason) => Err(reason),
            None => Ok(files.collect::<Vec<_>>().join(" ")),
        };
        let found = found.as_ref().map(String::as_str).map_err(|it| *it);
        assert_eq!(found, *expected, "{name}");
    }
}
