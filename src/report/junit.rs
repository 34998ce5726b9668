//! JUnit's XML: a test a finding.

use super::check::Outcome;
use super::item::Item;
use super::{path_or_folder, xml};
use crate::compose::problem::Gravity;

/// The findings as tests. One that makes the check fail is a failure, others pass and say what
/// they are; what could not be read is an error, what was accepted is skipped. A project about
/// which there is nothing to say has one test, which passes.
#[must_use]
pub fn render(outcome: &Outcome) -> String {
    let mut cases: Vec<Case> = outcome
        .items()
        .map(|item| Case::of(&item, outcome))
        .collect();
    cases.extend(outcome.silenced.iter().map(|silenced| {
        let case = Case::of(&Item::finding(&silenced.finding, outcome), outcome);
        Case {
            result: "skipped",
            message: silenced.by.reason(),
            ..case
        }
    }));
    let silenced = outcome.silenced.iter().map(|silenced| &silenced.finding);
    let found: Vec<usize> = outcome
        .findings
        .iter()
        .chain(silenced)
        .flat_map(|finding| &finding.labels)
        .map(|label| label.project)
        .collect();
    for (index, project) in outcome.world.projects.iter().enumerate() {
        let errors = project.problems.iter();
        let unread = errors
            .map(|problem| problem.gravity)
            .any(|it| it == Gravity::Error);
        if !unread && !found.contains(&index) {
            cases.push(Case {
                name: format!("the ports of {}", project.name),
                class: project.directory.to_string(),
                result: "",
                message: String::new(),
                text: String::new(),
            });
        }
    }
    let count = |result| {
        let cases = cases.iter().filter(|case| case.result == result);
        cases.count().to_string()
    };
    let suite = xml::attributes(&[
        ("name", "portplan"),
        ("tests", &cases.len().to_string()),
        ("failures", &count("failure")),
        ("errors", &count("error")),
        ("skipped", &count("skipped")),
        ("time", "0"),
    ]);
    let cases: String = cases.iter().map(Case::xml).collect();
    format!(
        "{}<testsuites>\n  <testsuite{suite}>\n{cases}  </testsuite>\n</testsuites>\n",
        xml::HEAD
    )
}

struct Case {
    name: String,
    class: String,
    /// The element that says how it ended; empty if it passed.
    result: &'static str,
    message: String,
    text: String,
}

impl Case {
    fn of(item: &Item<'_>, outcome: &Outcome) -> Self {
        let place = item.spots.first().map_or_else(String::new, |spot| {
            let start = spot.start(crate::source::Unit::Characters);
            format!(" at {}:{}", start.line, start.column)
        });
        let mut text = item.text();
        for spot in &item.spots {
            text += &format!("\n{}: {}", spot.place(), spot.text);
        }
        Self {
            name: format!("{}{place}", item.code),
            class: path_or_folder(item.path()),
            result: match item.as_finding() {
                None => "error",
                Some(finding) if outcome.limits.fails(finding.severity) => "failure",
                Some(_) => "",
            },
            message: item.message.to_owned(),
            text,
        }
    }

    fn xml(&self) -> String {
        let (name, class) = (&*self.name, &*self.class);
        let case = xml::attributes(&[("name", name), ("classname", class), ("time", "0")]);
        let text = xml::escape(&self.text);
        let inside = match self.result {
            "" if text.is_empty() => return format!("    <testcase{case}/>\n"),
            "" => format!("<system-out>{text}</system-out>"),
            result => {
                let message = xml::attributes(&[("message", &self.message)]);
                format!("<{result}{message}>{text}</{result}>")
            }
        };
        format!("    <testcase{case}>\n      {inside}\n    </testcase>\n")
    }
}
