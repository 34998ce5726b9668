//! How the published ports differ from those of before: what a change to the files brings.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use schemars::JsonSchema;
use serde::Serialize;

use super::list::{List, ListedPort};
use super::markdown::code;
use super::place::Place;
use super::summary::count;
use super::table::{align, host};

/// What `diff --format json` prints.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "portplan diff")]
pub struct Diff {
    /// The version of this form: 1.
    pub version: u32,
    /// What is compared with.
    pub revision: String,
    /// By project, service and container port.
    pub changes: Vec<Change>,
}

/// A published port that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Change {
    /// How it changed.
    pub change: Kind,
    /// The project.
    pub project: String,
    /// The service.
    pub service: String,
    /// The port inside the container, with its protocol.
    pub container: String,
    /// Where it was published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Where it is published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub now: Option<String>,
    /// Where that is written, or was.
    #[serde(flatten)]
    pub place: Place,
}

/// How a published port changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// It was not published.
    Added,
    /// It is no longer published.
    Removed,
    /// It is published elsewhere.
    Moved,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Moved => "moved",
        }
    }
}

/// What stays the same of a published port that is moved: the file of its project, service, port
/// inside.
type Identity<'l> = (Utf8PathBuf, &'l str, String);

impl Diff {
    /// What has become of the ports of `before`.
    #[must_use]
    pub fn of(revision: &str, before: &List, now: &List) -> Self {
        let (before, now) = (ports(before), ports(now));
        let mut identities: Vec<&Identity<'_>> = before.keys().chain(now.keys()).collect();
        identities.sort();
        identities.dedup();
        let none = Vec::new();
        let changes = identities.into_iter().flat_map(|identity| {
            let before = before.get(identity).unwrap_or(&none);
            let now = now.get(identity).unwrap_or(&none);
            changes(identity, before, now)
        });
        Self {
            version: 1,
            revision: revision.to_owned(),
            changes: changes.collect(),
        }
    }

    /// As aligned columns, then a closing line.
    #[must_use]
    pub fn table(&self) -> String {
        let mut rows = vec![
            [
                "CHANGE",
                "PROJECT",
                "SERVICE",
                "CONTAINER",
                "WAS",
                "IS",
                "WRITTEN IN",
            ]
            .map(String::from),
        ];
        rows.extend(self.changes.iter().map(|change| {
            let Place { file, line, column } = &change.place;
            [
                change.change.word().to_owned(),
                change.project.clone(),
                change.service.clone(),
                change.container.clone(),
                change.before.clone().unwrap_or_default(),
                change.now.clone().unwrap_or_default(),
                match change.change {
                    Kind::Removed => file.to_string(),
                    Kind::Added | Kind::Moved => format!("{file}:{line}:{column}"),
                },
            ]
        }));
        if self.changes.is_empty() {
            return self.closing(&self.revision) + "\n";
        }
        format!("{}\n{}\n", align(&rows), self.closing(&self.revision))
    }

    /// As a table in Markdown, then a closing line.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        if !self.changes.is_empty() {
            text += "| | service | container | was | is |\n|---|---|---|---|---|\n";
        }
        let cell = |text: &Option<String>| text.as_deref().map(code).unwrap_or_default();
        for change in &self.changes {
            text += &format!(
                "| {} | {} of {} | {} | {} | {} |\n",
                change.change.word(),
                code(&change.service),
                code(&change.project),
                code(&change.container),
                cell(&change.before),
                cell(&change.now),
            );
        }
        if !self.changes.is_empty() {
            text.push('\n');
        }
        format!("{text}{}\n", self.closing(&code(&self.revision)))
    }

    fn closing(&self, revision: &str) -> String {
        let of = |kind| {
            let changes = self.changes.iter();
            changes.filter(|change| change.change == kind).count()
        };
        let counts = [Kind::Added, Kind::Removed, Kind::Moved].map(|kind| (of(kind), kind));
        let some = counts.iter().filter(|(number, _)| *number > 0);
        let words: Vec<String> = some
            .map(|(number, kind)| format!("{} {}", count(*number, "port"), kind.word()))
            .collect();
        let words = if words.is_empty() {
            "no published port has changed".to_owned()
        } else {
            words.join(", ")
        };
        format!("{words} since {revision}.")
    }
}

/// The ports of a list, in their order, with the name of the project.
fn ports(list: &List) -> BTreeMap<Identity<'_>, Vec<(&str, &ListedPort)>> {
    let mut ports: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for project in &list.projects {
        // an override file may come or go
        let file = project.files.first().unwrap_or(&project.directory);
        for port in &project.ports {
            let identity = (file.clone(), &*port.service, container(port));
            let named = (&*project.name, port);
            ports.entry(identity).or_default().push(named);
        }
    }
    ports
}

fn container(port: &ListedPort) -> String {
    let target = port
        .target
        .map_or_else(|| "-".to_owned(), |it| it.to_string());
    format!("{target}/{}", port.protocol.as_deref().unwrap_or("-"))
}

/// Those that are as they were are left out; of the others, the first goes to the first.
fn changes(
    identity: &Identity<'_>,
    before: &[(&str, &ListedPort)],
    now: &[(&str, &ListedPort)],
) -> Vec<Change> {
    let mut before = before.to_vec();
    let mut new = Vec::new();
    for port in now {
        match before.iter().position(|old| host(old.1) == host(port.1)) {
            Some(index) => drop(before.remove(index)),
            None => new.push(*port),
        }
    }
    let moved = before.len().min(new.len());
    let change = |kind, (project, port): (&str, &ListedPort), before, now| Change {
        change: kind,
        project: project.to_owned(),
        service: port.service.clone(),
        container: identity.2.clone(),
        before,
        now,
        place: port.origin.place.clone(),
    };
    let mut changes = Vec::new();
    for (old, new) in before.iter().zip(&new) {
        let (was, is) = (Some(host(old.1)), Some(host(new.1)));
        changes.push(change(Kind::Moved, *new, was, is));
    }
    for old in &before[moved..] {
        changes.push(change(Kind::Removed, *old, Some(host(old.1)), None));
    }
    for new in &new[moved..] {
        changes.push(change(Kind::Added, *new, None, Some(host(new.1))));
    }
    changes
}
