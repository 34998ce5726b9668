//! The schemas: generated from the types, checked in, and true of what is printed.

use serde_json::Value;

use crate::common::blessed;

/// Fails if `json` is not as the schema of this name says.
pub fn validate(name: &str, json: &Value) {
    let schema = serde_json::from_str(portplan::report::schema::of(name).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(json)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{name}: {errors:#?}\n{json:#}");
}

#[test]
fn the_schemas_are_those_of_the_types() {
    for (name, generated) in portplan::report::schema::generate() {
        let path = format!("schemas/{name}.schema.json");
        blessed(&path, &format!("{generated:#}\n"));
    }
}

#[test]
fn a_wrong_document_is_told() {
    let schema = serde_json::from_str(portplan::report::schema::of("list").unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert!(
        !validator.is_valid(&serde_json::json!({"version": 1, "projects": [{}], "errors": []}))
    );
}
