//! The files below a project's folder that people and other programs read.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use crate::compose::discover::COMPOSE_FILES;
use crate::compose::search::is_compose_file;
use crate::source::Files;

/// No more files than this are looked at.
const MAX_FILES: usize = 2_000;

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// People read it.
    People,
    /// A program reads it.
    Program,
}

/// Documents and configuration below `root`, in order, but for those of other projects: what lies
/// in a folder with a compose file of its own, none of which is in `own`.
#[must_use]
pub fn below(
    root: &Utf8Path,
    own: &BTreeSet<Utf8PathBuf>,
    files: &dyn Files,
) -> Vec<(Utf8PathBuf, Reader)> {
    let all = files.walk(root);
    let has_name = |path: &Utf8Path, names: &[&str]| {
        path.file_name().is_some_and(|name| names.contains(&name))
    };
    let compose = all.iter().filter(|path| has_name(path, &COMPOSE_FILES));
    let foreign: BTreeSet<&Utf8Path> = compose
        .filter_map(|path| path.parent())
        .filter(|folder| *folder != root && own.iter().all(|file| !file.starts_with(folder)))
        .collect();
    let is_foreign = |path: &Utf8Path| {
        let mut above = path.ancestors().skip(1);
        !foreign.is_empty() && above.any(|folder| foreign.contains(folder))
    };
    let known = all.iter().filter_map(|path| {
        let reader = reader(path.file_name()?)?;
        (!is_foreign(path)).then(|| (path.clone(), reader))
    });
    known.take(MAX_FILES).collect()
}

/// Who reads a file of this name; `None` of source code, data, what an image is built from (there
/// `localhost` is the container), and compose files, which are projects of their own.
fn reader(name: &str) -> Option<Reader> {
    let lower = name.to_ascii_lowercase();
    let (stem, extension) = match lower.rsplit_once('.') {
        Some((stem, extension)) => (stem, extension),
        None => (&*lower, ""),
    };
    if is_compose_file(&lower) {
        return None;
    }
    match extension {
        "md" | "mdx" | "markdown" | "rst" | "adoc" | "asciidoc" | "org" | "txt" => {
            Some(Reader::People)
        }
        // `.env.example`: copied by hand
        "example" | "sample" | "template" | "dist" | "tmpl" => Some(Reader::People),
        "conf" | "cfg" | "cnf" | "config" | "ini" | "json" | "jsonc" | "json5" | "toml"
        | "yaml" | "yml" | "properties" | "xml" | "env" | "hcl" | "tf" | "tfvars" | "service"
        | "sh" | "bash" | "fish" | "ps1" | "bat" | "cmd" | "mk" | "just" | "http" | "rest" => {
            Some(Reader::Program)
        }
        "js" | "cjs" | "mjs" | "ts" | "mts" | "cts" if stem.ends_with(".config") => {
            Some(Reader::Program)
        }
        _ if stem == "readme" || stem.starts_with("readme.") => Some(Reader::People),
        _ if lower.starts_with(".env") => Some(Reader::Program),
        _ => match &*lower {
            "makefile" | "gnumakefile" | "justfile" | "caddyfile" | "procfile" | "vagrantfile"
            | "tiltfile" | ".npmrc" | ".envrc" => Some(Reader::Program),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_reads_what() {
        use Reader::{People, Program};
        let cases = [
            ("README.md", Some(People)),
            ("README", Some(People)),
            ("notes.txt", Some(People)),
            (".env.example", Some(People)),
            ("nginx.conf", Some(Program)),
            ("package.json", Some(Program)),
            (".env.local", Some(Program)),
            ("app.env", Some(Program)),
            ("Makefile", Some(Program)),
            ("vite.config.ts", Some(Program)),
            ("main.ts", None),
            ("Dockerfile.dev", None),
            ("data.csv", None),
            ("compose.yaml", None),
            ("docker-compose.prod.yml", None),
        ];
        for (name, expected) in cases {
            assert_eq!(reader(name), expected, "{name}");
        }
    }
}
