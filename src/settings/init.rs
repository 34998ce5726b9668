//! What a project starts with: `portplan.yaml`, a commit hook, a job in CI.

/// The version of the program.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Where the program is at home.
const HOME: &str = env!("CARGO_PKG_REPOSITORY");

/// The `portplan.yaml` to start with: every key is there as a comment.
#[must_use]
pub fn config() -> String {
    let template = include_str!("template.yaml");
    format!(
        "# yaml-language-server: $schema={HOME}/raw/v{VERSION}/schemas/config.schema.json\n{template}"
    )
}

/// `.pre-commit-config.yaml`.
#[must_use]
pub fn hook() -> String {
    format!(
        "repos:
  - repo: {HOME}
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
    let action = HOME.trim_start_matches("https://github.com/");
    format!(
        "name: portplan
on: [push, pull_request]
permissions:
  contents: read
jobs:
  check:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v5
      - uses: {action}@v{VERSION}
"
    )
}

/// `.gitlab-ci.yml`.
#[must_use]
pub fn gitlab() -> String {
    format!(
        "include:
  - remote: {HOME}/raw/v{VERSION}/ci/gitlab.yml
"
    )
}
