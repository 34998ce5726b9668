//! Comments that ignore findings.

use serde_json::Value;

use crate::common::{Output, folder, portplan};

fn check(files: &[(&str, &str)], args: &[&str]) -> Output {
    let folder = folder(files);
    portplan(folder.path(), &[&["check"], args].concat())
}

fn json(files: &[(&str, &str)]) -> Value {
    let output = check(files, &["--format", "json", "-p", "p"]);
    let json = serde_json::from_str(&output.stdout).unwrap();
    crate::schemas::validate("findings", &json);
    json
}

/// The rules of what is found and of what is ignored.
fn rules(json: &Value) -> [Vec<&str>; 2] {
    ["findings", "suppressed"].map(|list| {
        let list = json[list].as_array().unwrap().iter();
        list.map(|it| it["rule"].as_str().unwrap()).collect()
    })
}

const RULE: &str = "host-port-collision";

/// Wherever a comment may stand, for either of the two that collide.
#[test]
fn a_comment_ignores_what_is_beside_it() {
    let ignore = "# portplan: ignore[host-port-collision] never up together";
    for file in [
        format!("services:\n  a: {{image: i, ports: [\"80:80\"]}} {ignore}\n  b: {{image: i, ports: [\"80:80\"]}}\n"),
        format!("services:\n  a: {{image: i, ports: [\"80:80\"]}}\n  b: {{image: i, ports: [\"80:80\"]}}\n{ignore}\n")
            .replace("  b:", &format!("  {ignore}\n  b:"))
            .replace(&format!("]}}\n{ignore}\n"), "]}\n"),
        format!("services:\n  a:\n    image: i\n    ports:\n      - \"80:80\" {ignore}\n  b: {{image: i, ports: [\"80:80\"]}}\n"),
        format!("services:\n  a:\n    image: i\n    {ignore}\n    ports:\n      - \"80:80\"\n  b: {{image: i, ports: [\"80:80\"]}}\n"),
        format!("services:\n  a:\n    image: i\n    ports:\n      {ignore}\n      # and more\n      - target: 80\n        published: 80\n  b: {{image: i, ports: [\"80:80\"]}}\n"),
        format!("{ignore}\nservices:\n  a: {{image: i, ports: [\"80:80\"]}}\n  b: {{image: i, ports: [\"80:80\"]}}\n"),
        format!("name: p\n\n# x\n\n{}\n\nservices:\n  a: {{image: i, ports: [\"80:80\"]}}\n  b: {{image: i, ports: [\"80:80\"]}}\n", ignore.replace("ignore", "ignore-file")),
    ] {
        let json = json(&[("compose.yaml", &file)]);
        assert_eq!(rules(&json), [vec![], vec![RULE]], "{file}");
        assert_eq!(json["suppressed"][0]["by"], "comment");
        assert_eq!(json["suppressed"][0]["reason"], "never up together");
    }
}

#[test]
fn a_comment_ignores_nothing_else() {
    for (file, expected) in [
        // in a string
        (
            "services:\n  a: {image: \"# portplan: ignore[host-port-collision]\", ports: [\"80:80\"]}\n  b: {image: i, ports: [\"80:80\"]}\n",
            vec![RULE],
        ),
        // another rule
        (
            "services:\n  a: {image: i, ports: [\"80:80\"]} # portplan: ignore[replica-collision]\n  b: {image: i, ports: [\"80:80\"]}\n",
            vec!["host-port-collision", "unused-ignore"],
        ),
        // another line
        (
            "services:\n  a: {image: i, ports: [\"80:80\"]}\n  b: {image: i, ports: [\"80:80\"]}\n  # portplan: ignore[host-port-collision]\n  c: {image: i}\n",
            vec!["host-port-collision", "unused-ignore"],
        ),
        // another port of the service
        (
            "services:\n  a:\n    image: i\n    ports:\n      - \"81:80\" # portplan: ignore[host-port-collision]\n      - \"80:80\"\n  b: {image: i, ports: [\"80:80\"]}\n",
            vec!["unused-ignore", "host-port-collision"],
        ),
        // no rule
        (
            "services:\n  a: {image: i, ports: [\"80:80\"]} # portplan: ignore[host-port-colision]\n",
            vec!["unused-ignore"],
        ),
        (
            "services:\n  a: {image: i, ports: [\"80:80\"]} # portplan: ignore\n",
            vec!["unused-ignore"],
        ),
        // a rule that could not be looked for
        (
            "services:\n  a: {image: i, ports: [\"80:80\"]} # portplan: ignore[listener-collision, privileged-port]\n",
            vec![],
        ),
        // a finding about ignores is one that can be ignored
        (
            "# portplan: ignore-file[unused-ignore]\nservices:\n  a: {image: i, ports: [\"80:80\"]} # portplan: ignore[host-port-collision]\n",
            vec![],
        ),
    ] {
        assert_eq!(
            rules(&json(&[("compose.yaml", file)]))[0],
            expected,
            "{file}"
        );
    }
}

/// A comment in a file of several projects counts as used if it is in one of them.
#[test]
fn a_shared_file_is_told_of_once() {
    let shared =
        "services:\n  a: {image: i, ports: [\"80:80\"]} # portplan: ignore[host-port-collision]\n";
    let clash = "include: [../shared.yaml]\nservices:\n  b: {image: i, ports: [\"80:80\"]}\n";
    let clean = "include: [../shared.yaml]\nservices:\n  b: {image: i, ports: [\"81:80\"]}\n";
    for (one, two, expected) in [(clash, clean, "0"), (clean, clean, "1")] {
        let files = [
            ("shared.yaml", shared),
            ("one/compose.yaml", one),
            ("two/compose.yaml", two),
        ];
        let output = check(&files, &["one", "two", "--format", "concise"]);
        let lines = output.stdout.lines().count();
        assert_eq!(lines.to_string(), expected, "{output:?}");
    }
}

#[test]
fn an_env_file_has_comments_too() {
    let files = [
        (
            "compose.yaml",
            "services:\n  a: {image: i, ports: [\"$A:80\"]}\n  b: {image: i, ports: [\"80:80\"]}\n",
        ),
        (".env", "# portplan: ignore[host-port-collision]\nA=80\n"),
    ];
    assert_eq!(rules(&json(&files)), [vec![], vec![RULE]]);
}

#[test]
fn what_cannot_be_known_is_not_unused() {
    let file =
        "services:\n  a: {image: i, ports: [\"80:80\"]} # portplan: ignore[host-port-collision]\n";
    let files = [("compose.yaml", file), ("broken.yaml", "services: [")];
    for (args, expected) in [
        (&["compose.yaml"][..], 1),
        (&["compose.yaml", "broken.yaml"], 0),
        (&["compose.yaml", "--profile", "x"], 0),
    ] {
        let args = [args, &["--format", "concise"]].concat();
        let output = check(&files, &args).stdout;
        let told = output.lines().filter(|line| line.contains("unused-ignore"));
        assert_eq!(told.count(), expected, "{args:?}: {output}");
    }
}

#[test]
fn what_it_looks_like() {
    let file = "name: p
services:
  a:
    image: i
    ports:
      # portplan: ignore[host-port-collision] never up together
      - \"80:80\"
  b: {image: i, ports: [\"80:80\"]}
  c: {image: i, ports: [\"90:80\"]} # portplan: ignore[replica-collision, host-port-colission]
  d: {image: i, ports: [\"91:80\"]} # portplan: ignore everything
  e: {image: i, ports: [\"92:80\"]} # portplan: ignore[blue]
";
    let files = [("compose.yaml", file)];
    insta::assert_snapshot!(check(&files, &[]).stdout);
    let sarif = check(&files, &["--format", "sarif"]).stdout;
    let sarif: Value = serde_json::from_str(&sarif).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let suppressed: Vec<&Value> = results
        .iter()
        .filter(|result| result.get("suppressions").is_some())
        .collect();
    assert_eq!(suppressed.len(), 1);
    assert_eq!(
        suppressed[0]["suppressions"],
        serde_json::json!([{"kind": "inSource", "justification": "never up together"}])
    );
    let junit = check(&files, &["--format", "junit"]).stdout;
    assert!(
        junit.contains("<skipped message=\"never up together\">"),
        "{junit}"
    );
}
