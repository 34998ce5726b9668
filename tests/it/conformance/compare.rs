//! What Compose said of a project, and what `portplan list --format json` says.

use std::collections::BTreeSet;

use serde_json::Value;

use super::texts;

/// Errors that cost ports. Others may be notices.
const ERRORS: [&str; 7] = [
    "ports", "yaml", "extends", "include", "merge", "env", "file",
];

/// What Compose says of a case: Docker's own build (`upstream`) goes before the one that was run.
pub fn expected(expected: &Value, upstream: Option<&Value>) -> Value {
    let mut expected = expected.clone();
    let map = expected.as_object_mut().unwrap();
    match upstream.and_then(Value::as_object) {
        Some(upstream) if upstream.contains_key("error") => {
            map.insert("error".into(), upstream["error"].clone());
            map.insert("kind".into(), "ports".into());
        }
        Some(upstream) => {
            map.remove("error");
            map.extend(upstream.clone());
        }
        None => {}
    }
    expected
}

/// What `list` says otherwise.
pub fn differences(expected: &Value, list: &Value) -> Vec<String> {
    match (expected.get("error"), expected.get("no_consistency")) {
        (Some(error), None) => refusal(expected, error, list).into_iter().collect(),
        (Some(error), Some(model)) => {
            let mut differences = model_differences(model, list);
            differences.extend(refusal(expected, error, list));
            differences
        }
        (None, Some(model)) => model_differences(model, list),
        (None, None) => model_differences(expected, list),
    }
}

fn refusal(expected: &Value, error: &Value, list: &Value) -> Option<String> {
    let kind = expected["kind"].as_str().unwrap();
    let errors = kinds(&list["errors"]);
    let projects = list["projects"].as_array().into_iter().flatten();
    let notices: BTreeSet<&str> = projects
        .flat_map(|project| kinds(&project["notices"]))
        .collect();
    let told = match kind {
        "other" => !(errors.is_empty() && notices.is_empty()),
        // a service's env_file sets no port: a notice will do (the corpus's README)
        _ if error
            .as_str()
            .is_some_and(|error| error.starts_with("env file ")) =>
        {
            notices.contains(kind)
        }
        _ if ERRORS.contains(&kind) => errors.contains(kind),
        _ => errors.contains(kind) || notices.contains(kind),
    };
    (!told).then(|| format!("no {kind} in {errors:?}, {notices:?}: {error}"))
}

fn kinds(problems: &Value) -> BTreeSet<&str> {
    let problems = problems.as_array().into_iter().flatten();
    problems
        .filter_map(|problem| problem["kind"].as_str())
        .collect()
}

fn model_differences(model: &Value, list: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let errors = list["errors"].as_array().unwrap();
    if !errors.is_empty() {
        wrong.push(format!("refused: {errors:?}"));
    }
    let project = &list["projects"][0];
    for key in ["name", "services"] {
        let expected = &model[key];
        if !expected.is_null() && project[key] != *expected {
            wrong.push(format!("{key}: {}, not {expected}", project[key]));
        }
    }
    let ports = project["ports"].as_array().unwrap();
    let expected = model["ports"].as_array().unwrap();
    if ports.len() != expected.len() || !ports.iter().zip(expected).all(|(a, b)| same(a, b)) {
        wrong.push(format!("ports: {ports:?}, not {expected:?}"));
    }
    if let Some(expected) = model.get("unset") {
        let names = |list| texts(list).collect::<BTreeSet<_>>();
        if names(&project["unset"]) != names(expected) {
            wrong.push(format!("unset: {}, not {expected}", project["unset"]));
        }
    }
    wrong
}

/// A port is what is expected; only `origin` is our own. The tables give some of the keys.
fn same(port: &Value, expected: &Value) -> bool {
    let (port, expected) = (port.as_object().unwrap(), expected.as_object().unwrap());
    let extra = |key: &String| matches!(&**key, "name" | "app_protocol");
    expected
        .iter()
        .all(|(key, value)| port.get(key) == Some(value))
        && port
            .keys()
            .filter(|key| extra(key))
            .all(|key| expected.contains_key(key))
}
