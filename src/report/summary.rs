//! The closing line.

use super::check::Outcome;
use crate::compose::problem::Gravity;
use crate::finding::Severity;
use crate::suppress::Silencer;

/// `2 projects, 7 published ports: 1 error, 2 warnings, 1 ignored.`
#[must_use]
pub fn summary(outcome: &Outcome) -> String {
    let world = &outcome.world;
    let ports = world.projects.iter().flat_map(|project| {
        let services = project.services.iter();
        let on = services.filter(|service| project.profiles.may_enable(&service.profiles));
        on.map(|service| service.ports.len())
    });
    let problems = outcome.problems(Gravity::Error).count();
    let found = counts(outcome, problems);
    let accepted = accepted(outcome);
    let found = match (&found[..], &accepted[..]) {
        ([], []) if world.projects.is_empty() => "nothing was checked".to_owned(),
        ([], []) => "no collision".to_owned(),
        ([], accepted) => format!("nothing new, {}", accepted.join(", ")),
        (found, accepted) => [found, accepted].concat().join(", "),
    };
    let unread = world.projects.iter();
    let mut unread = unread.map(|project| project.sources.files().is_empty());
    if unread.all(|unread| unread) {
        return match problems {
            0 => "Nothing was checked.".to_owned(),
            _ => format!("Nothing was checked: {found}."),
        };
    }
    let mut text = format!(
        "{}, {}: {found}.",
        count(world.projects.len(), "project"),
        count(ports.sum(), "published port"),
    );
    if problems > 0 {
        text += " What is named above could not be read, so this is not the whole picture.";
    }
    text
}

/// What counts.
fn counts(outcome: &Outcome, problems: usize) -> Vec<String> {
    let of = |severity| {
        let findings = outcome.findings.iter();
        findings.filter(|it| it.severity == severity).count()
    };
    let counts = [
        (problems, "problem"),
        (of(Severity::Error), "error"),
        (of(Severity::Warning), "warning"),
        (of(Severity::Notice), "notice"),
    ];
    let some = counts.iter().filter(|(number, _)| *number > 0);
    some.map(|(number, word)| count(*number, word)).collect()
}

/// What somebody has accepted.
fn accepted(outcome: &Outcome) -> Vec<String> {
    let mut counts: indexmap::IndexMap<String, usize> = indexmap::IndexMap::new();
    for silenced in &outcome.silenced {
        let words = match &silenced.by {
            Silencer::Comment { .. } => "ignored".to_owned(),
            known => known.reason(),
        };
        *counts.entry(words).or_default() += 1;
    }
    let counts = counts.iter();
    counts
        .map(|(words, number)| format!("{number} {words}"))
        .collect()
}

/// `1 error`, `2 errors`.
#[must_use]
pub fn count(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}
