//! Edits of values that must follow a move: laid over what is written already, and proved apart
//! from it.

use std::collections::BTreeSet;

use serde_yaml::Value;

use super::patch::{Format, Patch, lay};
use super::proof::{Disproof, Overlay, Proof, variables};
use super::second::documents;
use super::{Changes, Workspace};
use crate::compose::environment::Environment;

/// Whether a value may become another.
type Explains<'a> = &'a dyn Fn(&str, &str) -> bool;

pub(super) fn follow(
    workspace: &Workspace<'_>,
    changes: &Changes,
    patches: &[Patch],
    explains: Explains<'_>,
) -> Result<Changes, Disproof> {
    let mut all = changes.clone();
    for patch in patches {
        lay(&mut all.patches, patch).map_err(|reason| Disproof(vec![reason]))?;
    }
    all.patches.sort_by(|a, b| a.path.cmp(&b.path));

    let mut reading = workspace.reading.clone();
    for (variable, value) in &changes.exports {
        reading.shell.export(variable, value);
    }
    let before = reading.load(&Overlay::of(workspace, &changes.patches));
    let after = reading.load(&Overlay::of(workspace, &all.patches));
    let mut proof = Proof::default();
    if before.len() != after.len() {
        proof.differ("the projects are not the same");
    }
    for (old, new) in before.iter().zip(&after) {
        proof.project(old, new, &|_, _| None, &BTreeSet::new());
        if old.templates.len() != new.templates.len() {
            proof.differ(format!("project `{}`: its templates", old.name));
        }
        for (old, new) in old.templates.iter().zip(&new.templates) {
            let (old, new) = (old.value.value(), new.value.value());
            if old != new && !explains(old, new) {
                proof.differ(format!("the value `{old}` becomes `{new}`"));
            }
        }
    }
    for patch in patches {
        let find = |patches: &[Patch]| {
            let same = patches.iter().find(|it| it.path == patch.path);
            same.map_or_else(|| patch.old().to_vec(), Patch::new_bytes)
        };
        let (old, new) = (find(&changes.patches), find(&all.patches));
        let result = match patch.format {
            Format::Yaml => trees(&old, &new, explains),
            Format::Env => values(patch, old, new, &reading.shell, explains),
        };
        if let Err(difference) = result {
            proof.differ(format!("{}: {difference}", patch.shown));
        }
    }
    proof.result().map(|()| all)
}

/// Compares two texts of a file by the second reader.
fn trees(old: &[u8], new: &[u8], explains: Explains<'_>) -> Result<(), String> {
    // what it cannot read at all it cannot judge
    let Ok(old) = documents(old) else {
        return Ok(());
    };
    let new = documents(new).map_err(|error| format!("the new text is not YAML: {error}"))?;
    let same = old.len() == new.len()
        && old
            .iter()
            .zip(&new)
            .all(|(old, new)| same(old, new, explains));
    match same {
        true => Ok(()),
        false => Err("more than the values named would change".to_owned()),
    }
}

fn same(old: &Value, new: &Value, explains: Explains<'_>) -> bool {
    match (old, new) {
        (Value::Sequence(old), Value::Sequence(new)) => {
            let mut pairs = old.iter().zip(new);
            old.len() == new.len() && pairs.all(|(old, new)| same(old, new, explains))
        }
        (Value::Mapping(old), Value::Mapping(new)) => {
            let mut pairs = old.iter().zip(new);
            let pair = |((key, old), (other, new))| key == other && same(old, new, explains);
            old.len() == new.len() && pairs.all(pair)
        }
        (Value::Tagged(old), Value::Tagged(new)) => {
            old.tag == new.tag && same(&old.value, &new.value, explains)
        }
        (Value::String(old), Value::String(new)) => old == new || explains(old, new),
        (old, new) => old == new,
    }
}

/// Compares the variables of two texts of an env file.
fn values(
    patch: &Patch,
    old: Vec<u8>,
    new: Vec<u8>,
    shell: &Environment,
    explains: Explains<'_>,
) -> Result<(), String> {
    let (old, new) = (variables(patch, old, shell)?, variables(patch, new, shell)?);
    let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    for name in names {
        let [before, after] = [&old, &new].map(|all| all.get(name).map(|text| text.value()));
        let same = match (before, after) {
            (Some(before), Some(after)) => before == after || explains(before, after),
            _ => false,
        };
        if !same {
            return Err(format!("the variable {name} would change otherwise"));
        }
    }
    Ok(())
}
