//! What a project starts with: `portplan.yaml`, a commit hook, a job in CI.

/// The `portplan.yaml` to start with: every key is there as a comment.
#[must_use]
pub fn config() -> String {
    let schema = match repository() {
        "" => "config.schema.json".to_owned(),
        url => format!("{url}/raw/v{VERSION}/schemas/config.schema.json"),
    };
    let template = include_str!("template.yaml");
    format!("# yaml-language-server: $schema={schema}\n{template}")
}

/// The version of the program.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Where the program is at home.
fn repository() -> &'static str {
    env!("CARGO_PKG_REPOSITORY").trim_end_matches('/')
}

/// `.pre-commit-config.yaml`.
#[must_use]
pub fn hook() -> String {
    let repository = match repository() {
        "" => "portplan",
        url => url,
    };
    format!(
        "repos:
  - repo: {repository}
    rev: v{VERSION}
    hooks:
      - id: portplan-check
      # writes the least that must change
      #- id: portplan-fix
"
    )
}

/// `.github/workflows/portplan.yml`.
#[must_use]
pub fn github() -> String {
    format!(
        "name: portplan
on: [push, pull_request]
permissions:
  contents: read
jobs:
  check:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: {install}
      - run: portplan check . --format github
",
        install = install()
    )
}

/// `.gitlab-ci.yml`.
#[must_use]
pub fn gitlab() -> String {
    format!(
        "portplan:
  image: rust:slim
  script:
    - {install}
    - portplan check . --output gitlab=portplan.json
  artifacts:
    when: always
    reports:
      codequality: portplan.json
",
        install = install()
    )
}

fn install() -> String {
    format!("cargo install --locked portplan@{VERSION}")
}
