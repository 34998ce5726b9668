//! Made-up files with odd quoting, flow style, comments, anchors and characters of several bytes:
//! every port moves, and nothing but its bytes.

use std::fmt::Write as _;

use portplan::edit::{Destination, Scope};
use portplan::plan::Move;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::edit_common::Scene;

/// How an entry is written.
#[derive(Clone, Copy, Debug)]
enum Form {
    Plain,
    Single,
    Double,
    Escaped,
    Default,
    EnvFile,
    Shared,
    LongInt,
    LongText,
    LongFlow,
    Range,
    Ip,
    Alias,
}

#[derive(Clone, Debug)]
struct Entry {
    form: Form,
    comment: &'static str,
    udp: bool,
}

#[derive(Clone, Debug)]
struct Service {
    entries: Vec<Entry>,
    flow: bool,
    merged: bool,
}

#[derive(Clone, Debug)]
struct Made {
    services: Vec<Service>,
    indent: usize,
    line_end: &'static str,
    mark: bool,
    last_line_end: bool,
}

fn entry() -> impl Strategy<Value = Entry> {
    use Form::*;
    let forms = select(vec![
        Plain, Single, Double, Escaped, Default, EnvFile, Shared, LongInt, LongText, LongFlow,
        Range, Ip, Alias,
    ]);
    let comments = select(vec!["", " # 8080, ours", " # é 日本 🦀", " #"]);
    (forms, comments, any::<bool>()).prop_map(|(form, comment, udp)| Entry { form, comment, udp })
}

fn made() -> impl Strategy<Value = Made> {
    let service =
        (vec(entry(), 1..5), any::<bool>(), any::<bool>()).prop_map(|(entries, flow, merged)| {
            Service {
                entries,
                flow,
                merged,
            }
        });
    (
        vec(service, 1..4),
        1..5_usize,
        select(vec!["\n", "\r\n"]),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(services, indent, line_end, mark, last_line_end)| Made {
            services,
            indent,
            line_end,
            mark,
            last_line_end,
        })
}

/// The text of an entry, between brackets or on lines of its own, each of which begins with
/// `lead`.
fn write_entry(entry: &Entry, n: u16, flow: bool, lead: &str, env: &mut String) -> String {
    let (host, target) = (8000 + 10 * n, 60 + n);
    let protocol = if entry.udp { "/udp" } else { "" };
    let short = format!("{host}:{target}{protocol}");
    let long = |host: &str| format!("{{target: {target}, published: {host}, protocol: udp}}");
    let lines = |host: &str| {
        format!(
            "target: {target}\n{lead}  published: {host}{}\n{lead}  name: é{n}",
            entry.comment
        )
    };
    match entry.form {
        Form::Plain => short,
        Form::Single => format!("'{short}'"),
        Form::Double => format!("\"{short}\""),
        Form::Escaped => format!("\"\\x38{}\"", &short[1..]),
        Form::Default => format!("\"${{P{n}:-${{Q{n}-{host}}}}}:{target}{protocol}\""),
        Form::EnvFile => {
            let _ = writeln!(env, "export E{n}='{host}' # é");
            format!("\"$E{n}:{target}{protocol}\"")
        }
        Form::Shared => {
            let _ = writeln!(env, "S{n}={host}");
            format!("'${{S{n}}}:{target}{protocol}'")
        }
        Form::LongInt if flow => long(&host.to_string()),
        Form::LongInt => lines(&host.to_string()),
        Form::LongText if flow => long(&format!("'{host}'")),
        Form::LongText => lines(&format!("\"{host}\"")),
        Form::LongFlow => long(&format!("\"{host}\"")),
        Form::Range => format!("\"{host}-{}:{target}-{}\"", host + 2, target + 2),
        Form::Ip => format!("'[::1]:{short}'"),
        Form::Alias => format!("*a{}", n % 3),
    }
}

impl Made {
    fn files(&self) -> [(&'static str, Vec<u8>); 2] {
        let mut text = String::from("# ports 8000 é\n");
        let mut env = String::from("# 8000\n");
        for n in 0..3 {
            let _ = writeln!(text, "x-{n}: &a{n} \"{}:{}\" # shared", 7000 + n, 50 + n);
        }
        text.push_str(
            "x-base: &base\n  image: x\n  ports:\n    - 6000:40 # base\n    - '6001:41'\n",
        );
        text.push_str("services:\n");
        let pad = " ".repeat(self.indent);
        let mut n = 0;
        for (index, service) in self.services.iter().enumerate() {
            let _ = writeln!(text, "{pad}s{index}: # é");
            let keys = pad.repeat(2);
            if service.merged {
                let _ = writeln!(text, "{keys}<<: *base # 6000\n{pad}t{index}:");
            }
            let _ = writeln!(text, "{keys}image: x");
            let lead = pad.repeat(3);
            let mut entries = Vec::new();
            for entry in &service.entries {
                n += 1;
                entries.push(write_entry(entry, n, service.flow, &lead, &mut env));
            }
            if service.flow {
                let _ = writeln!(text, "{keys}ports: [ {}]", entries.join(" , "));
            } else {
                let _ = writeln!(text, "{keys}ports:");
                for (entry, made) in entries.iter().zip(&service.entries) {
                    let _ = writeln!(text, "{lead}- {entry}{}", made.comment);
                }
            }
            let first = n + 1 - service.entries.len() as u16;
            let shared = |entry: &Entry| matches!(entry.form, Form::Shared);
            if let Some(at) = service.entries.iter().position(shared) {
                let variable = first + at as u16;
                let _ = writeln!(text, "{keys}command: [\"$S{variable}\", 8000]");
            }
        }
        let mut text = text.replace('\n', self.line_end);
        if !self.last_line_end {
            text.truncate(text.trim_end().len());
        }
        if self.mark {
            text.insert(0, '\u{feff}');
        }
        let env = env.replace('\n', self.line_end);
        [("compose.yaml", text.into()), (".env", env.into())]
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_port_of_a_made_up_file_moves(made in made()) {
        let files = made.files();
        let files: Vec<(&str, &[u8])> = files.iter().map(|(path, text)| (*path, &text[..])).collect();
        let scene = Scene::new(&files, &[], &[]);
        let problems: Vec<_> = scene.projects[0].problems.iter().map(|problem| &problem.message).collect();
        let text = String::from_utf8_lossy(files[0].1);
        prop_assert!(problems.is_empty(), "{problems:?}\n{text}");
        let publishes = scene.publishes();
        for id in &publishes {
            let (_, service, publish) = id.of(&scene.projects);
            // all ports of a range move together
            let moves: Vec<Move> = publishes
                .iter()
                .filter(|other| {
                    other.service == id.service
                        && other.of(&scene.projects).2.origin.entry == publish.origin.entry
                })
                .map(|other| {
                    let published = other.of(&scene.projects).2.published.as_deref().unwrap();
                    let to = published.parse::<u16>().unwrap() + 20_000;
                    Move {
                        publish: *other,
                        from: published.parse().unwrap(),
                        to: to.to_string().parse().unwrap(),
                    }
                })
                .collect();
            for destination in [Destination::Compose, Destination::Env, Destination::Override] {
                let changes = scene.changes(&moves, destination);
                prop_assert_eq!(&changes.refusals, &[], "{} of {}\n{}", publish.origin.span.start, service.name, text);
                if destination != Destination::Compose {
                    continue;
                }
                prop_assert_eq!(changes.patches.len(), 1);
                let patch = &changes.patches[0];
                prop_assert_eq!(patch.edits().len(), 1);
                let edit = &patch.edits()[0];
                let file = scene.projects[0].sources.file(publish.origin.span.file);
                if edit.scope == Scope::Number && file.path() == patch.shown {
                    prop_assert!(edit.range.start >= publish.origin.span.start as usize);
                    prop_assert!(edit.range.end <= publish.origin.span.end as usize);
                }
            }
        }
        let workspace = scene.workspace();
        let changes = workspace.parameterize(&publishes);
        prop_assert_eq!(&changes.refusals, &[]);
        if let Err(error) = workspace.prove(&[], &changes) {
            prop_assert!(false, "{}\n{}", error, text);
        }
    }
}
