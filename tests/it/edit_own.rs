//! Entries of their own, for publishes whose origin others share.

use portplan::edit::Destination;

use crate::edit_common::Case;

const CASES: &[Case] = &[
    Case {
        name: "an anchor that only the moved service uses",
        files: &[(
            "compose.yaml",
            "x-ports: &p\n  - 8080:80 # web\nservices:\n  web: {image: x, ports: *p}\n",
        )],
        moves: "web 8080 8081",
        becomes: &[("compose.yaml", "8080", "8081")],
    },
    Case {
        name: "an anchor whose users all move alike",
        files: &[(
            "compose.yaml",
            "services:\n  a: {image: x, ports: &p ['8080:80']}\n  b: {image: x, ports: *p}\n",
        )],
        moves: "a 8080 8081, b 8080 8081",
        becomes: &[("compose.yaml", "8080", "8081")],
    },
    Case {
        name: "an alias of the whole list",
        files: &[(
            "compose.yaml",
            "x-ports: &p\n  - 8080:80 # web\n  - ${ADMIN:-9090}:90\n  - {target: 70, published: '7070', protocol: udp, name: n}\nservices:\n  a: {image: x, ports: *p}\n  b:\n    image: x\n    ports: *p # both\n",
        )],
        moves: "b 8080 8081",
        becomes: &[(
            "compose.yaml",
            "    ports: *p #",
            "    ports: [8081:80, \"${ADMIN:-9090}:90\", {target: 70, published: '7070', protocol: udp, name: n}] #",
        )],
    },
    Case {
        name: "an alias of the whole list, two of it move, one for both users",
        files: &[(
            "compose.yaml",
            "x-ports: &p ['8080:80', '9090:90', '7070:70']\nservices:\n  a: {image: x, ports: *p}\n  b:\n    image: x\n    ports: *p\n",
        )],
        moves: "b 8080 8081, b 9090 9091, a 9090 9091",
        becomes: &[
            (
                "compose.yaml",
                "['8080:80', '9090:90'",
                "['8080:80', '9091:90'",
            ),
            (
                "compose.yaml",
                "    ports: *p",
                "    ports: ['8081:80', '9091:90', '7070:70']",
            ),
        ],
    },
    Case {
        name: "an alias of one entry",
        files: &[(
            "compose.yaml",
            "services:\n  a:\n    image: x\n    ports:\n      - &web \"8080:80\"\n  b:\n    image: x\n    ports:\n      - 1:1\n      - *web # both\n",
        )],
        moves: "b 8080 8081",
        becomes: &[("compose.yaml", "- *web", "- \"8081:80\"")],
    },
    Case {
        name: "an alias of a long entry",
        files: &[(
            "compose.yaml",
            "services:\n  a:\n    image: x\n    ports:\n      - &web\n        target: 80\n        published: 8080\n        host_ip: 127.0.0.1 # here\n  b: {image: x, ports: [*web]}\n",
        )],
        moves: "b 8080 8081",
        becomes: &[(
            "compose.yaml",
            "*web",
            "{target: 80, published: 8081, host_ip: 127.0.0.1}",
        )],
    },
    Case {
        name: "an alias of the number",
        files: &[(
            "compose.yaml",
            "x-port: &n \"8080\"\nservices:\n  a:\n    image: x\n    ports: [{target: 80, published: *n}]\n  b:\n    image: x\n    ports:\n      - target: 80\n        published: *n\n",
        )],
        moves: "b 8080 8081",
        becomes: &[(
            "compose.yaml",
            "        published: *n",
            "        published: \"8081\"",
        )],
    },
    Case {
        name: "a number that is used apart from ports, too",
        files: &[(
            "compose.yaml",
            "services:\n  a:\n    image: x\n    environment:\n      PORT: &n 8080\n    ports: [{target: 80, published: *n}]\n",
        )],
        moves: "a 8080 8081",
        becomes: &[("compose.yaml", "*n", "8081")],
    },
    Case {
        name: "a merge key, in a block",
        files: &[(
            "compose.yaml",
            "x-base: &base\n  image: x\n  ports:\n    - \"8080:80\" # web\n    - 9090:90\nservices:\n  a:\n    <<: *base\n  b:\n    <<: *base # as a\n    command: y\n",
        )],
        moves: "b 8080 8081",
        becomes: &[(
            "compose.yaml",
            "    <<: *base # as a\n",
            "    <<: *base # as a\n    ports:\n      - \"8081:80\"\n      - 9090:90\n",
        )],
    },
    Case {
        name: "a merge key at the end of the file, with CRLF and without a last line end",
        files: &[(
            "compose.yaml",
            "x-base: &base\r\n  image: x\r\n  ports: [\"8080:80\"]\r\nservices:\r\n  a:\r\n    <<: *base\r\n  b:\r\n    <<: *base",
        )],
        moves: "b 8080 8081",
        becomes: &[(
            "compose.yaml",
            "  b:\r\n    <<: *base",
            "  b:\r\n    <<: *base\r\n    ports:\r\n      - \"8081:80\"",
        )],
    },
    Case {
        name: "a merge key between braces",
        files: &[(
            "compose.yaml",
            "x-base: &base {image: x, ports: ['8080:80']}\nservices:\n  a: {<<: *base}\n  b: { <<: *base, command: y}\n",
        )],
        moves: "b 8080 8081",
        becomes: &[("compose.yaml", "b: { <<", "b: { ports: ['8081:80'], <<")],
    },
    Case {
        name: "a list of merged mappings",
        files: &[(
            "compose.yaml",
            "x-a: &a {image: x}\nx-p: &p {ports: ['8080:80']}\nservices:\n  a:\n    <<: [*a, *p]\n  b:\n    <<: [*p, *a]\n    command: y\n",
        )],
        moves: "b 8080 8081",
        becomes: &[(
            "compose.yaml",
            "  b:\n    <<",
            "  b:\n    ports:\n      - '8081:80'\n    <<",
        )],
    },
    Case {
        name: "an alias of a service",
        files: &[(
            "compose.yaml",
            "services:\n  a: &a\n    image: x\n    ports:\n      - \"8080:80\"\n  b: *a\n",
        )],
        moves: "b 8080 8081",
        becomes: &[("compose.yaml", "b: *a", "b: {<<: *a, ports: [\"8081:80\"]}")],
    },
    Case {
        name: "an extended service",
        files: &[(
            "compose.yaml",
            "services:\n  a:\n    image: x\n    ports:\n      - '8080:80'\n      - 9000-9001:90-91\n  b:\n    extends: a\n    command: y\n",
        )],
        moves: "b 8080 8081",
        becomes: &[(
            "compose.yaml",
            "    extends: a\n",
            "    extends: a\n    ports: !override\n      - '8081:80'\n      - 9000-9001:90-91\n",
        )],
    },
    Case {
        name: "an extended service, with ports of its own",
        files: &[(
            "compose.yaml",
            "services:\n  a:\n    image: x\n    ports:\n      - '8080:80'\n  b:\n    extends:\n      service: a\n    ports: # mine\n      # first\n      - 9090:90\n",
        )],
        moves: "b 8080 8081",
        becomes: &[(
            "compose.yaml",
            "    ports: # mine\n      # first\n",
            "    ports: !override # mine\n      # first\n      - '8081:80'\n",
        )],
    },
    Case {
        name: "an extended service, with a list of its own between brackets",
        files: &[(
            "compose.yaml",
            "services:\n  a:\n    image: x\n    ports:\n      - 8080:80\n  b:\n    extends: {service: a}\n    ports: [ 9090:90 ]\n",
        )],
        moves: "b 8080 8081",
        becomes: &[("compose.yaml", "[ 9090", "!override [ 8081:80, 9090")],
    },
    Case {
        name: "an extended service of another file, which nobody else uses",
        files: &[
            (
                "compose.yaml",
                "services:\n  b:\n    extends: {file: base.yaml, service: a}\n",
            ),
            ("base.yaml", "services: {a: {image: x, ports: ['8080:80']}}"),
        ],
        moves: "b 8080 8081",
        becomes: &[("base.yaml", "8080", "8081")],
    },
    Case {
        name: "an extended service of another file, which two extend",
        files: &[
            (
                "compose.yaml",
                "services:\n  b:\n    extends:\n      file: base.yaml\n      service: a\n  c:\n    extends: {file: base.yaml, service: a}\n",
            ),
            (
                "base.yaml",
                "services: {a: {image: x, ports: ['8080:80', {target: 90, published: 9090}]}}",
            ),
        ],
        moves: "b 8080 8081, c 9090 9091",
        becomes: &[
            (
                "compose.yaml",
                "  b:\n    extends:\n      file: base.yaml\n      service: a\n",
                "  b:\n    extends:\n      file: base.yaml\n      service: a\n    ports: !override\n      - '8081:80'\n      - {target: 90, published: 9090}\n",
            ),
            (
                "compose.yaml",
                "  c:\n    extends: {file: base.yaml, service: a}\n",
                "  c:\n    extends: {file: base.yaml, service: a}\n    ports: !override\n      - '8080:80'\n      - {target: 90, published: 9091}\n",
            ),
        ],
    },
    Case {
        name: "an included service",
        files: &[
            ("compose.yaml", "include: [sub/web.yaml]\n"),
            (
                "sub/web.yaml",
                "services: {web: {image: x, ports: ['8080:80']}}",
            ),
        ],
        moves: "web 8080 8081",
        becomes: &[("sub/web.yaml", "8080", "8081")],
    },
    Case {
        name: "a shared variable in a shared list",
        files: &[
            (
                "compose.yaml",
                "x-ports: &p ['${PORT}:80', '${OTHER}:90']\nservices:\n  a: {image: x, ports: *p}\n  b:\n    image: x\n    ports: *p\n",
            ),
            (".env", "PORT=8080\nOTHER=9090\n"),
        ],
        moves: "b 8080 8081",
        becomes: &[(
            "compose.yaml",
            "    ports: *p",
            "    ports: ['8081:80', '${OTHER}:90']",
        )],
    },
];

#[test]
fn who_shares_a_number_gets_an_entry_of_its_own() {
    for case in CASES {
        case.check(Destination::Compose);
    }
}
