//! The JSON Schemas of what is printed for programs, and of `portplan.yaml`.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::check::Findings;
use super::diff::Diff;
use super::holdings::Holdings;
use super::list::List;
use super::plan::Proposal;
use super::rules::Catalogue;
use crate::baseline::Baseline;
use crate::machine::Machine;
use crate::settings::ConfigFile;

/// The names of the schemas.
pub const NAMES: [&str; 9] = [
    "baseline", "config", "diff", "findings", "list", "plan", "rules", "snapshot", "who",
];

/// The schema of this name, as it is checked in.
#[must_use]
pub fn of(name: &str) -> Option<&'static str> {
    match name {
        "baseline" => Some(include_str!("../../schemas/baseline.schema.json")),
        "config" => Some(include_str!("../../schemas/config.schema.json")),
        "diff" => Some(include_str!("../../schemas/diff.schema.json")),
        "findings" => Some(include_str!("../../schemas/findings.schema.json")),
        "list" => Some(include_str!("../../schemas/list.schema.json")),
        "plan" => Some(include_str!("../../schemas/plan.schema.json")),
        "rules" => Some(include_str!("../../schemas/rules.schema.json")),
        "snapshot" => Some(include_str!("../../schemas/snapshot.schema.json")),
        "who" => Some(include_str!("../../schemas/who.schema.json")),
        _ => None,
    }
}

/// The schemas as the types have them, by name; a test compares them with what is checked in.
#[must_use]
pub fn generate() -> Vec<(&'static str, Value)> {
    vec![
        ("baseline", schema::<Baseline>()),
        ("config", schema_to_read::<ConfigFile>()),
        ("diff", schema::<Diff>()),
        ("findings", schema::<Findings>()),
        ("list", schema::<List>()),
        ("plan", schema::<Proposal>()),
        ("rules", schema::<Catalogue>()),
        ("snapshot", schema::<Machine>()),
        ("who", schema::<Holdings>()),
    ]
}

/// The schema of what is written, which has more required keys than one of what may be read.
fn schema<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    settings
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}

/// The schema of what a user writes.
fn schema_to_read<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12();
    settings
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}
