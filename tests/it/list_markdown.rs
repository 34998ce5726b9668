//! `list --format markdown`, and the part of a document that it writes.

use std::fs;

use crate::common::{folder, portplan, root};

const COMPOSE: &str = "\
services:
  db: { image: db, ports: [\"127.0.0.1:5432:5432\"] }
  sip: { image: sip, ports: [\"${SIP:-5060}:5060/udp\", \"9998-10001:8-11/udp\", \"9000-9010:80\"] }
  web: { image: web, profiles: [dev], deploy: { replicas: 2 }, ports: [\"80\", \"${A:-81}:81\"] }
";

const WRITE: [&str; 5] = ["list", "--format", "markdown", "--write", "README.md"];

#[test]
fn a_table_for_a_document() {
    let folder = folder(&[("compose.yaml", COMPOSE)]);
    let run = portplan(folder.path(), &["list", "--format", "markdown"]);
    insta::assert_snapshot!("table", run.stdout);
    let several = [
        "list",
        "--format",
        "markdown",
        "fixtures/shop",
        "fixtures/collisions/c04_range_overlap",
    ];
    insta::assert_snapshot!("several", portplan(&root(), &several).stdout);
}

#[test]
fn only_its_part_is_written() {
    let before = "# Shop\r\n\r\n<!-- portplan:ports -->\r\n";
    let after = "<!-- /portplan:ports -->\r\n\r\nlast line, without a break";
    let readme = format!("{before}old\r\n{after}");
    let folder = folder(&[("compose.yaml", COMPOSE), ("README.md", &readme)]);
    let first = portplan(folder.path(), &WRITE);
    assert_eq!(
        (first.status, &*first.stdout),
        (Some(0), "README.md: written\n")
    );
    let table = portplan(folder.path(), &WRITE[..3]).stdout;
    let written = fs::read_to_string(folder.path().join("README.md")).unwrap();
    let table = table.replace('\n', "\r\n");
    assert_eq!(written, format!("{before}{table}{after}"));
    let again = portplan(folder.path(), &WRITE);
    assert_eq!(again.stdout, "README.md is up to date\n");
}

#[test]
fn what_is_not_written() {
    let marked = "<!-- portplan:ports -->\nold\n<!-- /portplan:ports -->\n";
    let run = |compose: &str, readme: &str, args: &[&str]| {
        let folder = folder(&[("compose.yaml", compose), ("README.md", readme)]);
        let run = portplan(folder.path(), args);
        assert_eq!(run.status, Some(2), "{readme}");
        let left = fs::read_to_string(folder.path().join("README.md")).unwrap();
        assert_eq!(left, readme);
        run.stderr
    };
    let refused = [
        run(COMPOSE, "# Shop\n", &WRITE),
        run(COMPOSE, "<!-- portplan:ports -->\n", &WRITE),
        run("services: { web: { ports: [\"a\"] } }", marked, &WRITE),
        run(COMPOSE, marked, &["list", "--write", "README.md"]),
        run(COMPOSE, marked, &["list", "--live", "--format", "markdown"]),
        run(
            COMPOSE,
            marked,
            &["list", "--format", "markdown", "--write", "none.md"],
        ),
    ];
    insta::assert_snapshot!("refused", refused.join("\n"));
}
