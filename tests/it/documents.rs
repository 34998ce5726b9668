//! The console blocks of the documents are what the program prints.

use std::fs;
use std::path::Path;

use crate::common::run;

/// Runs each `$ portplan …` of the console blocks of a document and compares what follows it.
fn check(document: &str) -> usize {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join(document)).unwrap();
    let mut commands = 0;
    for block in text.split("```console\n").skip(1) {
        let block = block.split("```").next().unwrap();
        for part in block.split("$ ").skip(1) {
            let (command, expected) = part.split_once('\n').unwrap();
            let words: Vec<&str> = command.split_whitespace().collect();
            // the README's first command builds the program first; the rest is the same
            let args = words.strip_prefix(&["cargo", "run", "--release", "--"][..]);
            let Some(args) = args.or(words.strip_prefix(&["portplan"][..])) else {
                continue;
            };
            let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
            let output = run(&args, root, &[]);
            assert_eq!(
                output.stdout.trim_end(),
                expected.trim_end(),
                "{document}: {command}"
            );
            commands += 1;
        }
    }
    commands
}

#[test]
fn the_readme_shows_what_is_printed() {
    assert!(check("README.md") >= 2);
}
