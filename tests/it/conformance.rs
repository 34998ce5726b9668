//! Whole projects, against what the real Docker Compose 2.40.3 made of them.
//!
//! `fixtures/corpus` holds hand-made cases. Projects of public repositories are other people's
//! work and not part of this one: `PORTPLAN_CORPUS` names the folder whose `real/` has them.

pub mod compare;
mod origins;
mod rows;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use camino::{Utf8Path, Utf8PathBuf};
use portplan::compose::environment::Environment;
use portplan::compose::project::{Project, Request};
use portplan::source::Disk;
use rayon::prelude::*;
use serde::Deserialize;
use serde_json::Value;

use crate::common::{run, run_with_stdin, say};

/// How many cases each part has at least: a case that drops out silently would hide a regression.
pub const CASES: [(&str, usize); 4] = [("hand", 149), ("merge", 105), ("own", 49), ("real", 629)];

/// Cases that differ on purpose.
const EXCEPTIONS: [(&str, &str); 0] = [];

/// `source.json`: how Compose was run.
#[derive(Deserialize)]
pub struct Source {
    pub cwd: String,
    pub args: Vec<String>,
    pub env: BTreeMap<String, String>,
    pub stdin: Option<String>,
    pub upstream: Option<Value>,
    pub note: Option<String>,
}

/// A case, where it runs.
pub struct Case {
    pub name: String,
    pub folder: PathBuf,
    pub source: Source,
    pub expected: Value,
    /// Holds the copy, if it runs in one.
    _copy: Option<tempfile::TempDir>,
}

impl Case {
    pub fn open(part: &str, folder: &Path) -> Self {
        let json = |file| fs::read_to_string(folder.join(file)).unwrap();
        let source: Source = serde_json::from_str(&json("source.json")).unwrap();
        // a folder above may hold a compose file
        let copy = source.note.is_some();
        Self::open_in(part, folder, copy)
    }

    /// The case where it is, or in a copy that may be changed.
    pub fn open_in(part: &str, folder: &Path, copy: bool) -> Self {
        let name = folder.file_name().unwrap().to_str().unwrap();
        let json = |file| fs::read_to_string(folder.join(file)).unwrap();
        let source: Source = serde_json::from_str(&json("source.json")).unwrap();
        let copy = copy.then(|| {
            let home = tempfile::tempdir().unwrap();
            copy_folder(folder, &home.path().join(name));
            home
        });
        Self {
            name: format!("{part}/{name}"),
            folder: copy
                .as_ref()
                .map_or(folder.to_owned(), |home| home.path().join(name)),
            expected: serde_json::from_str(&json("expected.json")).unwrap(),
            source,
            _copy: copy,
        }
    }

    pub fn cwd(&self) -> PathBuf {
        self.folder.join(&self.source.cwd).canonicalize().unwrap()
    }

    pub fn at_home(&self, text: &str) -> String {
        text.replace("$CASE", self.folder.to_str().unwrap())
    }

    pub fn env(&self) -> Vec<(String, String)> {
        let env = self.source.env.iter();
        env.map(|(name, value)| (name.clone(), self.at_home(value)))
            .collect()
    }

    /// What the project differs in from what Compose says.
    fn differences(&self) -> Vec<String> {
        let mut args = vec!["--profile".to_owned(), "*".to_owned()];
        args.extend(self.source.args.iter().map(|arg| self.at_home(arg)));
        args.extend(["list", "--format", "json"].map(str::to_owned));
        let stdin = self.source.stdin.as_ref();
        let stdin = stdin.map(|file| fs::read(self.folder.join(file)).unwrap());
        let cwd = self.cwd();
        let output = match stdin {
            None => run(&args, &cwd, &self.env()),
            Some(text) => run_with_stdin(&args, &cwd, &self.env(), &text),
        };
        let Ok(list) = serde_json::from_str::<Value>(&output.stdout) else {
            return vec![format!("{:?}, no JSON: {}", output.status, output.stderr)];
        };
        let expected = compare::expected(&self.expected, self.source.upstream.as_ref());
        let mut differences = compare::differences(&expected, &list);
        differences.extend(origins::wrong(&list, &cwd));
        differences.extend(self.default_profile());
        differences
    }

    /// The services that are on without `--profile`, where they are not those Compose has.
    fn default_profile(&self) -> Option<String> {
        let expected = self.expected.get("default_profile")?.get("services")?;
        let expected: Vec<&str> = texts(expected).collect();
        let mut request = self.request();
        request.search_parents = true;
        let cwd = Utf8PathBuf::from_path_buf(self.cwd()).unwrap();
        let pwd = [("PWD".to_owned(), cwd.to_string())];
        let shell = Environment::from_shell(pwd.into_iter().chain(self.env()));
        let project = Project::load(&request, &shell, &cwd, &Disk, None);
        let active: Vec<&str> = project.active().map(|service| &*service.name).collect();
        (active != expected).then(|| format!("active: {active:?}, not {expected:?}"))
    }

    /// The flags, as the library takes them.
    pub fn request(&self) -> Request {
        let mut request = Request::default();
        let args: Vec<String> = self
            .source
            .args
            .iter()
            .map(|arg| self.at_home(arg))
            .collect();
        let (flags, rest) = args.as_chunks::<2>();
        assert!(rest.is_empty(), "{}: {args:?}", self.name);
        for [flag, value] in flags {
            match &**flag {
                "-f" => request.files.push(value.into()),
                "-p" => request.project_name = Some(value.clone()),
                "--env-file" => request.env_files.push(value.into()),
                "--project-directory" => request.project_directory = Some(value.into()),
                "--profile" => request.profiles.push(value.clone()),
                other => panic!("{}: the flag {other}", self.name),
            }
        }
        request
    }
}

/// The strings of a list.
fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
            // the corpus may be read-only
            let mut permissions = fs::metadata(&target).unwrap().permissions();
            #[allow(clippy::permissions_set_readonly_false)] // a copy in a temporary folder
            permissions.set_readonly(false);
            fs::set_permissions(&target, permissions).unwrap();
        }
    }
}

/// The folders of a part's cases.
pub fn cases(part: &Path) -> Vec<PathBuf> {
    let Ok(folders) = fs::read_dir(part) else {
        return Vec::new();
    };
    let mut cases: Vec<_> = folders
        .map(|folder| folder.unwrap().path())
        .filter(|folder| folder.join("expected.json").exists())
        .collect();
    cases.sort();
    cases
}

#[test]
fn projects_are_read_as_compose_reads_them() {
    let own = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/corpus");
    let corpus = std::env::var_os("PORTPLAN_CORPUS").map(PathBuf::from);
    let (mut agree, mut all, mut parts, mut failures) = (0, 0, Vec::new(), Vec::new());
    for (part, least) in CASES {
        let root = match (part, &corpus) {
            ("real", None) => {
                parts.push("real skipped: PORTPLAN_CORPUS does not name a corpus".to_owned());
                continue;
            }
            ("real", Some(corpus)) => corpus.join(part),
            _ => own.join(part).into_std_path_buf(),
        };
        let folders = cases(&root);
        let results: Vec<_> = folders
            .par_iter()
            .map(|folder| {
                let case = Case::open(part, folder);
                let differences = case.differences();
                (case.name, differences)
            })
            .collect();
        let same = results.iter().filter(|(_, wrong)| wrong.is_empty()).count();
        parts.push(format!("{part} {same} of {}", results.len()));
        agree += same;
        all += results.len();
        if results.len() < least {
            failures.push(format!("{part}: {} cases, not {least}", results.len()));
        }
        for (name, wrong) in results {
            let reason = EXCEPTIONS.iter().find(|(exception, _)| *exception == name);
            match reason {
                Some(_) if wrong.is_empty() => {
                    failures.push(format!("{name} is no exception any more"));
                }
                Some((_, reason)) => say(&format!("  {name} differs on purpose: {reason}")),
                None if wrong.is_empty() => {}
                None => failures.push(format!("{name}: {}", wrong.join("; "))),
            }
        }
    }
    say(&format!(
        "conformance: {agree} of {all} ({})",
        parts.join(", ")
    ));
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
