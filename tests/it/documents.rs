//! The documents: what their console blocks show is printed, and what they link to is there.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::run;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All documents, from the root of the project.
fn documents() -> Vec<PathBuf> {
    let mut found = vec!["README.md".into(), "CHANGELOG.md".into()];
    found.extend(
        [
            "CONTRIBUTING.md",
            "SECURITY.md",
            "fixtures/schemas/README.md",
        ]
        .map(Into::into),
    );
    let mut folders = vec![PathBuf::from("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).unwrap() {
            let path = folder.join(entry.unwrap().file_name());
            match root().join(&path).is_dir() {
                true => folders.push(path),
                false => found.push(path),
            }
        }
    }
    found.retain(|path| path.extension().is_some_and(|it| it == "md"));
    found.sort();
    found
}

fn text(document: &Path) -> String {
    fs::read_to_string(root().join(document)).unwrap()
}

/// Runs each `$ portplan …` of the console blocks of a document and compares what follows it.
fn check(document: &Path) -> usize {
    let mut commands = 0;
    for block in text(document).split("```console\n").skip(1) {
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
            let output = run(&args, root(), &[]);
            assert_eq!(
                output.stdout.trim_end(),
                expected.trim_end(),
                "{}: {command}",
                document.display()
            );
            commands += 1;
        }
    }
    commands
}

#[test]
fn documents_show_what_is_printed() {
    let shown: usize = documents().iter().map(|document| check(document)).sum();
    assert!(shown >= 5, "{shown}");
}

/// Where the files of the project are for what is read elsewhere, as the book is.
const BLOB: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/");

/// The targets of the links of a document that lie in the project, relative to its folder or from the
/// root of the project.
fn links(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1);
    let targets = targets.filter_map(|rest| Some(rest.split_once(')')?.0));
    let inside = |target: &&str| target.starts_with(BLOB) || !target.contains("://");
    let targets = targets.filter(|target| inside(target) && !target.contains(' '));
    targets.collect()
}

/// The name by which a heading is linked to.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = kept
        .chars()
        .filter(|it| it.is_alphanumeric() || " -_".contains(*it));
    kept.map(|it| if it == ' ' { '-' } else { it }).collect()
}

#[test]
fn links_lead_somewhere() {
    let mut dead = Vec::new();
    for document in documents() {
        let text = text(&document);
        for link in links(&text) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = match (file, file.strip_prefix(BLOB)) {
                ("", _) => document.clone(),
                (_, Some(file)) => file.into(),
                (file, None) => document.parent().unwrap().join(file),
            };
            let found = fs::metadata(root().join(&target)).is_ok();
            let named = || {
                let text = fs::read_to_string(root().join(&target)).unwrap_or_default();
                text.lines()
                    .any(|line| line.starts_with('#') && anchor(line) == heading)
            };
            if !found || !heading.is_empty() && !named() {
                dead.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert_eq!(dead, [""; 0]);
}

/// The book's table of contents is made from the rules and the guides.
#[test]
fn the_book_has_all_pages() {
    let summary = text(Path::new("docs/SUMMARY.md"));
    for document in documents() {
        let Ok(page) = document.strip_prefix("docs") else {
            continue;
        };
        let listed =
            page == Path::new("SUMMARY.md") || summary.contains(&format!("({})", page.display()));
        assert!(listed, "docs/SUMMARY.md does not list {}", page.display());
    }
}
