//! Nothing else changes: every published port of the corpus is moved in turn.
//!
//! Each move is proved by portplan, its bytes are looked at, and where there is a Docker Compose,
//! its own rendering before and after is compared.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Mutex;

use camino::Utf8PathBuf;
use portplan::compose::environment::Environment;
use portplan::compose::port::OriginKind;
use portplan::compose::project::Project;
use portplan::compose::reading::Reading;
use portplan::edit::{Changes, Destination, Patch, Scope, Workspace};
use portplan::plan::Move;
use portplan::source::Disk;
use rayon::prelude::*;
use serde_json::Value;

use crate::common::{compose_program, say};
use crate::conformance::{CASES, Case, cases, compare};
use crate::edit_common::publishes;

/// Of a project with more ports than this, as many are moved, evenly chosen.
const MOST: usize = 12;

#[derive(Default)]
struct Tally {
    done: usize,
    exported: usize,
    own_entries: usize,
    rendered: usize,
    refused: BTreeMap<String, Vec<String>>,
    wrong: Vec<String>,
}

/// A project of the corpus.
pub struct Subject {
    pub case: Case,
    pub reading: Reading,
    projects: Vec<Project>,
}

impl Subject {
    pub fn open(part: &str, folder: &std::path::Path, copy: bool) -> Option<Self> {
        let case = Case::open_in(part, folder, copy);
        let expected = compare::expected(&case.expected, case.source.upstream.as_ref());
        if expected.get("error").is_some() {
            return None;
        }
        let mut request = case.request();
        request.search_parents = true;
        request.profiles.push("*".into());
        let cwd = Utf8PathBuf::from_path_buf(case.cwd()).unwrap();
        let pwd = [("PWD".to_owned(), cwd.to_string())];
        let stdin = case.source.stdin.as_ref();
        let reading = Reading {
            requests: vec![request],
            shell: Environment::from_shell(pwd.into_iter().chain(case.env())),
            cwd,
            stdin: stdin.map(|file| std::fs::read(case.folder.join(file)).unwrap()),
        };
        let projects = reading.load(&Disk);
        Some(Self {
            case,
            reading,
            projects,
        })
    }

    /// The moves to try: each the ports of one entry.
    fn moves(&self) -> Vec<Vec<Move>> {
        let mut entries: Vec<(_, Vec<Move>)> = Vec::new();
        for id in publishes(&self.projects) {
            let (_, _, publish) = id.of(&self.projects);
            let Some(Ok(from)) = publish.published.as_deref().map(str::parse) else {
                continue;
            };
            let key = (id.service, publish.origin.entry);
            let one = Move {
                publish: id,
                from,
                to: moved(from),
            };
            match entries.iter_mut().find(|(known, _)| *known == key) {
                Some((_, moves)) => moves.push(one),
                None => entries.push((key, vec![one])),
            }
        }
        let step = entries.len().div_ceil(MOST).max(1);
        let entries = entries.into_iter().step_by(step);
        entries.map(|(_, moves)| moves).collect()
    }

    /// What Compose renders.
    pub fn render(&self, program: &str, exports: &BTreeMap<String, String>) -> Option<Value> {
        let args = self
            .case
            .source
            .args
            .iter()
            .map(|arg| self.case.at_home(arg));
        let mut command = Command::new(program);
        command
            .args(["--profile", "*"])
            .args(args)
            .args(["config", "--format", "json"])
            .current_dir(self.case.cwd())
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", "/nonexistent")
            .envs(self.case.env())
            .envs(exports)
            .stderr(Stdio::null());
        match &self.case.source.stdin {
            Some(file) => command.stdin(std::fs::File::open(self.case.folder.join(file)).unwrap()),
            None => command.stdin(Stdio::null()),
        };
        let output = command.output().unwrap();
        let rendered = output.status.success().then_some(output.stdout)?;
        let mut rendered: Value = serde_json::from_slice(&rendered).ok()?;
        // Compose repeats what it takes no notice of, and a number may be written there
        let keys = rendered.as_object_mut()?;
        keys.retain(|key, _| !key.starts_with("x-"));
        Some(rendered)
    }
}

/// Another number, far from those in use.
fn moved(from: portplan::binding::PortRange) -> portplan::binding::PortRange {
    let shift = |port: u16| match port.checked_add(20_011) {
        Some(port) => port,
        None => port - 31_013,
    };
    // a range that would be torn keeps to the lower side
    let (first, last) = (from.first().get(), from.last().get());
    let torn = shift(first) > shift(last);
    let shift = |port: u16| if torn { port - 31_013 } else { shift(port) };
    format!("{}-{}", shift(first), shift(last)).parse().unwrap()
}

/// Edits that reach past where the number is recorded to be.
fn stray(subject: &Subject, moves: &[Move], changes: &Changes) -> Vec<String> {
    let mut wrong = Vec::new();
    for patch in &changes.patches {
        for edit in patch
            .edits()
            .iter()
            .filter(|edit| edit.scope == Scope::Number)
        {
            let origins = moves.iter().flat_map(|one| {
                let (project, _, publish) = one.publish.of(&subject.projects);
                let origins = std::iter::once(&publish.origin).chain(&publish.replaces);
                origins.map(move |origin| (project, origin))
            });
            let inside = origins.into_iter().any(|(project, origin)| {
                let spans = [origin.span, origin.entry];
                spans.iter().any(|span| {
                    let file = project.sources.file(span.file);
                    let [start, end] = file.disk_range(*span);
                    // a variable's number goes into the entry, all others to the digits
                    let digits = *span == origin.span
                        || patch.format == portplan::edit::Format::Yaml
                            && matches!(
                                origin.kind,
                                OriginKind::EnvFile { .. } | OriginKind::Shell { .. }
                            );
                    digits
                        && file.path() == patch.shown
                        && start <= edit.range.start as u64
                        && edit.range.end as u64 <= end
                })
            });
            if !inside {
                wrong.push(format!("{} {:?}", patch.shown, edit.range));
            }
        }
    }
    wrong
}

/// Replaces the number in what Compose rendered.
fn expected(before: &Value, subject: &Subject, moves: &[Move]) -> Value {
    let mut expected = before.clone();
    for one in moves {
        let (_, service, _) = one.publish.of(&subject.projects);
        let port = &mut expected["services"][&service.name]["ports"][one.publish.port];
        port["published"] = one.to.to_string().into();
    }
    expected
}

/// What is done to a project.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Act {
    /// Moves, written to these files.
    Move(Into),
    /// Numbers become variables.
    Parameterize,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Into {
    Compose,
    Env,
    Override,
}

const ACTS: [Act; 4] = [
    Act::Move(Into::Compose),
    Act::Move(Into::Env),
    Act::Move(Into::Override),
    Act::Parameterize,
];

impl Act {
    fn changes(self, workspace: &Workspace<'_>, moves: &[Move]) -> Changes {
        match self {
            Self::Move(Into::Compose) => workspace.changes(moves, Destination::Compose),
            Self::Move(Into::Env) => workspace.changes(moves, Destination::Env),
            Self::Move(Into::Override) => workspace.changes(moves, Destination::Override),
            Self::Parameterize => {
                let publishes: Vec<_> = moves.iter().map(|one| one.publish).collect();
                workspace.parameterize(&publishes)
            }
        }
    }
}

/// Does it, proves it, and shows it to Compose if there is what that said before.
fn act(
    act: Act,
    subject: &Subject,
    moves: &[Move],
    compose: Option<(&str, &Value)>,
    tally: &Mutex<BTreeMap<Act, Tally>>,
) {
    let workspace = Workspace {
        reading: &subject.reading,
        files: &Disk,
        projects: &subject.projects,
    };
    let (_, service, publish) = moves[0].publish.of(&subject.projects);
    let name = format!(
        "{} {} {:?}",
        subject.case.name, service.name, publish.published
    );
    let changes = act.changes(&workspace, moves);
    let moved = if act == Act::Parameterize { &[] } else { moves };
    let mut wrong = match act {
        Act::Move(Into::Compose) => stray(subject, moves, &changes),
        _ => Vec::new(),
    };
    let refused = changes.refusals.first().map(|refusal| &refusal.reason);
    let mut rendered = 0;
    if refused.is_some() {
        wrong.clear();
    } else if let Err(error) = workspace.prove(moved, &changes) {
        wrong.push(error.to_string());
    } else if let Some((program, before)) = compose {
        for patch in &changes.patches {
            std::fs::write(&patch.path, patch.new_bytes()).unwrap();
        }
        let after = subject.render(program, &changes.exports);
        for patch in &changes.patches {
            match &patch.before {
                Some(old) => std::fs::write(&patch.path, old).unwrap(),
                None => std::fs::remove_file(&patch.path).unwrap(),
            }
        }
        let expected = expected(before, subject, moved);
        match after {
            None => wrong.push("Compose refuses the new files".into()),
            Some(after) if after == expected => {}
            Some(after) => wrong.push(difference(&expected, &after, "")),
        }
        rendered = 1;
    }
    let mut tally = tally.lock().unwrap();
    let tally = tally.entry(act).or_default();
    if let Some(reason) = refused {
        tally.refused.entry(reason.clone()).or_default().push(name);
        return;
    }
    tally.done += 1;
    tally.rendered += rendered;
    tally.exported += usize::from(!changes.exports.is_empty());
    let mut edits = changes.patches.iter().flat_map(|patch| patch.edits());
    tally.own_entries += usize::from(edits.any(|edit| edit.scope == Scope::Entries));
    if !wrong.is_empty() {
        let diffs: Vec<String> = changes.patches.iter().map(Patch::diff).collect();
        let wrong = wrong.join("; ");
        tally
            .wrong
            .push(format!("{act:?} {name}: {wrong}\n{}", diffs.join("\n")));
    }
}

/// The first place where two renderings differ.
pub fn difference(expected: &Value, found: &Value, path: &str) -> String {
    match (expected, found) {
        (Value::Object(a), Value::Object(b)) => {
            let mut keys = a.keys().chain(b.keys());
            let key = keys.find(|key| a.get(*key) != b.get(*key)).unwrap();
            let none = &Value::Null;
            let (a, b) = (a.get(key).unwrap_or(none), b.get(key).unwrap_or(none));
            difference(a, b, &format!("{path}.{key}"))
        }
        _ => format!("Compose has {path} {found}, not {expected}"),
    }
}

/// Docker Compose, where it is asked for.
pub fn wanted_compose() -> Option<String> {
    std::env::var("COMPOSE_BIN").ok()?;
    compose_program()
}

/// The folders of all cases, each with the part of the corpus that it is in.
pub fn folders() -> Vec<(&'static str, PathBuf)> {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/corpus");
    let corpus = std::env::var_os("PORTPLAN_CORPUS").map(PathBuf::from);
    let mut folders = Vec::new();
    for (part, _) in CASES {
        let root = match (part, &corpus) {
            ("real", None) => continue,
            ("real", Some(corpus)) => corpus.join(part),
            _ => own.join(part),
        };
        folders.extend(cases(&root).into_iter().map(|folder| (part, folder)));
    }
    folders
}

#[test]
fn every_port_of_the_corpus_moves_and_nothing_else_changes() {
    let program = wanted_compose();
    let folders = folders();
    let tally = Mutex::new(BTreeMap::new());
    // Compose takes its time: of each public project it is shown one move, unless all are wanted
    let all = std::env::var_os("PORTPLAN_ALL_MOVES").is_some();
    folders.par_iter().for_each(|(part, folder)| {
        let Some(subject) = Subject::open(part, folder, true) else {
            return;
        };
        let moves = subject.moves();
        if moves.is_empty() {
            return;
        }
        let program = program.as_deref();
        let before = program.and_then(|program| subject.render(program, &BTreeMap::new()));
        let compose = program.zip(before.as_ref());
        let chosen = subject.case.name.len() % moves.len();
        let real = *part == "real";
        for (index, entry) in moves.iter().enumerate() {
            for one in ACTS.into_iter().filter(|one| *one != Act::Parameterize) {
                let in_place = one == Act::Move(Into::Compose);
                let shown = all || !real || in_place && index == chosen;
                act(one, &subject, entry, compose.filter(|_| shown), &tally);
            }
        }
        let together = moves.concat();
        let shown = compose.filter(|_| all || !real);
        act(Act::Parameterize, &subject, &together, shown, &tally);
    });
    let mut wrong = Vec::new();
    for (act, tally) in tally.into_inner().unwrap() {
        let refused: usize = tally.refused.values().map(Vec::len).sum();
        say(&format!(
            "{act:?}: {} done ({} by new entries, {} by the shell), {refused} refused, {} rendered \
             by Compose, {} wrong",
            tally.done,
            tally.own_entries,
            tally.exported,
            tally.rendered,
            tally.wrong.len()
        ));
        for (reason, names) in &tally.refused {
            say(&format!(
                "  refused {}: {reason} ({})",
                names.len(),
                names[0]
            ));
        }
        wrong.extend(tally.wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
