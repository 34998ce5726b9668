//! What the fuzzer starts from: the inputs of `fixtures`.

use std::path::{Path, PathBuf};
use std::{fs, io};

use super::{FILES, SEPARATOR};

/// The target, a number and the input of each seed.
pub fn all(fixtures: &Path) -> io::Result<Vec<(&'static str, usize, Vec<u8>)>> {
    let mut seeds = Vec::new();
    let mut add = |target, seed| seeds.push((target, seeds.len(), seed));
    for (target, table, key) in [
        ("port", "shortforms", "in"),
        ("dotenv", "dotenv", "dotenv"),
        ("interpolate", "interp", "template"),
        ("yaml", "scalars", "yaml"),
        ("yaml", "longforms", "yaml"),
    ] {
        let rows = fs::read_to_string(fixtures.join(format!("tables/{table}.jsonl")))?;
        for row in rows.lines() {
            let row: serde_json::Value = serde_json::from_str(row)?;
            add(target, row[key].as_str().unwrap_or_default().into());
        }
    }
    for part in ["hand", "merge", "own"] {
        let mut folders = listed(&fixtures.join("corpus").join(part))?;
        folders.retain(|folder| folder.is_dir());
        for folder in folders {
            let mut parts = Vec::new();
            for file in FILES {
                let bytes = fs::read(folder.join(file)).unwrap_or_default();
                if file.ends_with(".yaml") && !bytes.is_empty() {
                    add("yaml", bytes.clone());
                } else if !bytes.is_empty() {
                    add("dotenv", bytes.clone());
                }
                parts.push(bytes);
            }
            add("project", parts.join(SEPARATOR.as_bytes()));
        }
    }
    Ok(seeds)
}

/// What is in a folder, sorted; nothing if it is not there.
pub fn listed(folder: &Path) -> io::Result<Vec<PathBuf>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let mut paths = entries.collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}
