//! The table of published ports in a document: how it is written, and how it is read again.

use crate::report::list::{ListedPort, ListedProject};
use crate::report::markdown::{code, one_line};
use crate::report::table::{container, host_at, service, span};

/// The heads of the columns; the first is left out where all is of the document's own folder.
const HEADS: [&str; 5] = [
    "project",
    "service",
    "host port",
    "container port",
    "variable",
];

/// The project in the folder of the document.
pub const HERE: &str = ".";

/// Follows the host port where the engine drops it.
const DROPPED: &str = " (dropped)";

/// A row: the published ports of one entry, as they are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The project, as [`names`](super::names) has it.
    pub project: String,
    /// The service, with how many containers it has and its profiles.
    pub service: String,
    /// The host port or ports, with the address if one is given.
    pub host: String,
    /// The container port or ports, with the protocol.
    pub container: String,
    /// The variable that gives the host port, if one does.
    pub variable: Option<String>,
}

/// What makes a row that of a published port, whatever else stands in it: not how many containers
/// there are, in which profiles, and which variable gives the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key<'r> {
    /// The name of the service.
    pub service: &'r str,
    /// The host's address; none is every address.
    pub ip: Option<&'r str>,
    /// The host port or ports.
    pub published: &'r str,
    /// The container port or ports, with the protocol.
    pub container: &'r str,
}

impl Row {
    /// The row of an entry, of a project that has this name in the document.
    #[must_use]
    pub fn of(project: &str, entry: &[ListedPort]) -> Self {
        let port = &entry[0];
        Self {
            project: one_line(project),
            service: one_line(&service(port)),
            host: one_line(&host_at(port, published(entry).as_deref())),
            container: one_line(&container(entry)),
            variable: port.origin.variable.as_deref().map(one_line),
        }
    }

    /// The rows of a project that has this name in the document.
    pub fn all<'l>(project: &'l ListedProject, name: &'l str) -> impl Iterator<Item = Self> + 'l {
        entries(&project.ports).map(move |entry| Self::of(name, entry))
    }

    /// What makes it that of a published port.
    #[must_use]
    pub fn key(&self) -> Key<'_> {
        let host = self.host.strip_suffix(DROPPED).unwrap_or(&self.host);
        let (ip, published) = match host.rsplit_once(':') {
            Some((ip, published)) => (Some(ip), published),
            None => (None, host),
        };
        Key {
            service: self.service.split(' ').next().unwrap_or_default(),
            ip,
            published,
            container: &self.container,
        }
    }

    /// Where it is published, without a word on whether that counts.
    #[must_use]
    pub fn place(&self) -> &str {
        self.host.strip_suffix(DROPPED).unwrap_or(&self.host)
    }
}

/// The ports of each entry: those of a range are one.
pub fn entries(ports: &[ListedPort]) -> impl Iterator<Item = &[ListedPort]> {
    ports.chunk_by(|a, b| {
        let expanded = a.published != b.published || a.published.is_none();
        expanded && (&a.service, &a.origin, &a.protocol) == (&b.service, &b.origin, &b.protocol)
    })
}

/// The host port or ports of an entry.
fn published(entry: &[ListedPort]) -> Option<String> {
    let texts: Option<Vec<&str>> = entry.iter().map(|port| port.published.as_deref()).collect();
    match texts?[..] {
        [one] => Some(one.to_owned()),
        ref several => span(several.iter().filter_map(|text| text.parse().ok())),
    }
}

/// The rows as a table in Markdown. What changes where no port does is not in it: lines of files,
/// and names of projects that come from those of folders.
#[must_use]
pub fn write(rows: &[Row]) -> String {
    if rows.is_empty() {
        return "No published ports.\n".to_owned();
    }
    let elsewhere = rows.iter().any(|row| row.project != HERE);
    let from = usize::from(!elsewhere);
    let line = |cells: &[String]| format!("| {} |\n", cells[from..].join(" | "));
    let heads = HEADS.map(str::to_owned);
    let rule = format!("|{}\n", "---|".repeat(HEADS.len() - from));
    rows.iter().fold(line(&heads) + &rule, |table, row| {
        let cells = [&row.project, &row.service, &row.host, &row.container].map(|it| code(it));
        let variable = row.variable.as_deref().map(code);
        let cells = cells.into_iter().chain([variable.unwrap_or_default()]);
        table + &line(&cells.collect::<Vec<_>>())
    })
}

/// The rows of such a table, each with its line; `first` is the line of `text` itself. The columns
/// are known by their heads, so that a formatter may have been at it.
#[must_use]
pub fn read(text: &str, first: u32) -> Vec<(u32, Row)> {
    let lines = (first..).zip(text.lines());
    let mut lines = lines.filter(|(_, line)| line.trim_start().starts_with('|'));
    let heads = lines.next().map_or_else(Vec::new, |(_, line)| cells(line));
    let columns = HEADS.map(|head| heads.iter().position(|cell| cell == head));
    let row = |line: &str| {
        let cells = cells(line);
        let cell = |index: usize| Some(cells.get(columns[index]?)?.clone());
        Some(Row {
            project: match columns[0] {
                Some(_) => cell(0)?,
                None => HERE.to_owned(),
            },
            service: cell(1)?,
            host: cell(2)?,
            container: cell(3)?,
            variable: cell(4).filter(|name| !name.is_empty()),
        })
    };
    let is_rule = |line: &str| line.chars().all(|c| matches!(c, '|' | '-' | ':' | ' '));
    let lines = lines.filter(|(_, line)| !is_rule(line));
    let rows = lines.filter_map(|(number, line)| Some((number, row(line)?)));
    rows.collect()
}

/// The cells of a line of a table, as their texts.
fn cells(line: &str) -> Vec<String> {
    let line = line.trim();
    let line = line.strip_prefix('|').unwrap_or(line);
    let line = line.strip_suffix('|').unwrap_or(line);
    let mut cells = vec![String::new()];
    let mut escaped = false;
    for c in line.chars() {
        if c == '|' && !escaped {
            cells.push(String::new());
        } else if let Some(cell) = cells.last_mut() {
            cell.push(c);
        }
        escaped = c == '\\';
    }
    cells.iter().map(|cell| text(cell)).collect()
}

/// The text that [`code`] has put between backticks.
fn text(cell: &str) -> String {
    let cell = cell.trim();
    let fence = cell.len() - cell.trim_start_matches('`').len();
    let inside = cell.get(fence..cell.len().saturating_sub(fence));
    let inside = inside.unwrap_or_default();
    // code has put a blank beside a backtick at either end
    let bare = inside.strip_prefix(' ').and_then(|it| it.strip_suffix(' '));
    let bare = bare.filter(|it| it.starts_with('`') || it.ends_with('`'));
    bare.unwrap_or(inside).replace("\\|", "|")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(cells: [&str; 5]) -> Row {
        let [project, service, host, container, variable] = cells.map(str::to_owned);
        Row {
            project,
            service,
            host,
            container,
            variable: Some(variable).filter(|name| !name.is_empty()),
        }
    }

    #[test]
    fn what_makes_a_row_that_of_a_port() {
        for (service, host, key) in [
            ("web", "8080", ("web", None, "8080")),
            ("web x3 [dev test]", "8080-8082", ("web", None, "8080-8082")),
            ("web", "127.0.0.1:80", ("web", Some("127.0.0.1"), "80")),
            ("web", "[::1]:any port", ("web", Some("[::1]"), "any port")),
            ("web", "80 (dropped)", ("web", None, "80")),
        ] {
            let row = row([HERE, service, host, "80/tcp", ""]);
            let found = row.key();
            assert_eq!((found.service, found.ip, found.published), key);
        }
    }

    #[test]
    fn a_formatter_may_have_been_at_it() {
        let text = "
| service | host port            |  container port |
| :------ | -------------------- | --------------: |
| `web`   | `127.0.0.1:8080`     |        `80/tcp` |
|web|8081|81/tcp|
| `short` |
";
        let rows = [
            (4, row([HERE, "web", "127.0.0.1:8080", "80/tcp", ""])),
            (5, row([HERE, "web", "8081", "81/tcp", ""])),
        ];
        assert_eq!(read(text, 1), rows);
        assert_eq!(read("No published ports.\n", 1), []);
        assert_eq!(read("| a | b |\n|---|---|\n| c | d |\n", 1), []);
        assert_eq!(read("|", 1), []);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            rows in prop::collection::vec(prop::array::uniform5("[a-z0-9`|\\\\:_ -]{0,6}"), 1..5),
            dos in any::<bool>(),
        ) {
            // a name has no blanks around it, and all but the variable are there
            let rows: Vec<Row> = rows.iter().map(|cells| {
                let mut cells = cells.each_ref().map(|cell| cell.trim().to_owned());
                cells[..4].iter_mut().for_each(|cell| cell.insert(0, 'a'));
                row(cells.each_ref().map(String::as_str))
            }).collect();
            let table = write(&rows);
            let table = if dos { table.replace('\n', "\r\n") } else { table };
            let found: Vec<Row> = read(&table, 1).into_iter().map(|(_, row)| row).collect();
            prop_assert_eq!(found, rows);
        }
    }
}
