//! Writes the seeds of all targets to `fuzz/corpus`.

use std::fs;
use std::path::Path;

fn main() -> std::io::Result<()> {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (target, number, seed) in portplan_fuzz::seeds::all(&home.join("../fixtures"))? {
        let folder = home.join("corpus").join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(format!("seed-{number}")), seed)?;
    }
    Ok(())
}
