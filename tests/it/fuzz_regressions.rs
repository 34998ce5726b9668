//! The fuzz targets, with their seeds and with what the fuzzer has found before.

#[path = "../../fuzz/src/lib.rs"]
pub mod targets;

use std::path::Path;
use std::time::{Duration, Instant};
use std::{fs, panic};

use crate::common::say;

/// What no input takes, even without optimisation on a busy machine.
const LIMIT: Duration = Duration::from_secs(10);

#[test]
fn the_fuzz_targets_hold() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let seeds = targets::seeds::all(&fixtures).unwrap();
    let mut wrong = Vec::new();
    for (target, hold) in targets::TARGETS {
        let mut inputs: Vec<(String, Vec<u8>)> = seeds
            .iter()
            .filter(|(of, ..)| *of == target)
            .map(|(_, number, seed)| (format!("seed {number}"), seed.clone()))
            .collect();
        assert!(!inputs.is_empty(), "{target} has no seeds");
        let found = targets::seeds::listed(&fixtures.join("fuzz").join(target)).unwrap();
        let count = (inputs.len(), found.len());
        for path in found {
            inputs.push((path.display().to_string(), fs::read(path).unwrap()));
        }
        say(&format!(
            "fuzz {target}: {} seeds, {} found",
            count.0, count.1
        ));
        for (name, input) in inputs {
            let start = Instant::now();
            if panic::catch_unwind(|| hold(&input)).is_err() || start.elapsed() > LIMIT {
                wrong.push(format!("{target}: {name} {:?}", start.elapsed()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
