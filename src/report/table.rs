//! `portplan list` for people, as aligned columns.

use unicode_width::UnicodeWidthStr as _;

use super::list::{List, ListedPort};
use super::plain;

/// The published ports as a table.
#[must_use]
pub fn render(list: &List) -> String {
    let mut rows =
        vec![["PROJECT", "SERVICE", "HOST", "CONTAINER", "WRITTEN IN"].map(String::from)];
    for project in &list.projects {
        for port in &project.ports {
            rows.push([
                project.name.clone(),
                service(port),
                host(port),
                container(std::slice::from_ref(port)),
                port.origin.to_string(),
            ]);
        }
    }
    match (rows.len(), list.errors.is_empty()) {
        (1, true) => "no published ports\n".to_owned(),
        (1, false) => "no published ports in what could be read\n".to_owned(),
        _ => align(&rows),
    }
}

/// The container port or ports of an entry.
pub(crate) fn container(entry: &[ListedPort]) -> String {
    let targets = span(entry.iter().filter_map(|port| port.target));
    format!(
        "{}/{}",
        targets.as_deref().unwrap_or("-"),
        entry[0].protocol.as_deref().unwrap_or("-")
    )
}

/// `80`, or `80-90`.
pub(crate) fn span(numbers: impl Iterator<Item = u32> + Clone) -> Option<String> {
    let (first, last) = (numbers.clone().min()?, numbers.max()?);
    Some(match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    })
}

/// A service, with how many containers it has and its profiles.
pub(crate) fn service(port: &ListedPort) -> String {
    match (port.replicas, &port.profiles[..]) {
        (None | Some(1), []) => port.service.clone(),
        (None | Some(1), profiles) => format!("{} [{}]", port.service, profiles.join(" ")),
        (Some(replicas), []) => format!("{} x{replicas}", port.service),
        (Some(replicas), profiles) => {
            format!("{} x{replicas} [{}]", port.service, profiles.join(" "))
        }
    }
}

/// Where a port is published, as one text.
pub(super) fn host(port: &ListedPort) -> String {
    host_at(port, port.published.as_deref())
}

/// Where a port is published, as one text, with other host ports than its own.
pub(crate) fn host_at(port: &ListedPort, published: Option<&str>) -> String {
    let published = published.unwrap_or("any port");
    let dropped = port
        .network_mode
        .as_deref()
        .is_some_and(|mode| mode == "host" || mode == "none");
    let text = match &port.host_ip {
        Some(ip) if ip.contains(':') => format!("[{ip}]:{published}"),
        Some(ip) => format!("{ip}:{published}"),
        None => published.to_owned(),
    };
    if dropped {
        format!("{text} (dropped)")
    } else {
        text
    }
}

/// Columns as wide as their widest cell, two blanks apart.
pub(super) fn align<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    let rows = rows
        .iter()
        .map(|row| row.each_ref().map(|cell| plain(cell)));
    let rows: Vec<_> = rows.collect();
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.width().max(*width);
        }
    }
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            line += cell;
            line += &" ".repeat(width + 2 - cell.width());
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}
