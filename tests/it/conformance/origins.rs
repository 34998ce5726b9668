//! The bytes of every port, read back from the file.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// Ports whose origin does not lead to the number they have.
pub fn wrong(list: &Value, cwd: &Path) -> Vec<String> {
    let projects = list["projects"].as_array().into_iter().flatten();
    let ports = projects.flat_map(|project| project["ports"].as_array().into_iter().flatten());
    ports.filter_map(|port| wrong_port(port, cwd)).collect()
}

fn wrong_port(port: &Value, cwd: &Path) -> Option<String> {
    let (Some(published), origin) = (port["published"].as_str(), &port["origin"]) else {
        return None;
    };
    if matches!(origin["kind"].as_str().unwrap(), "shell" | "mixed") {
        return None;
    }
    let file = origin["file"].as_str().unwrap();
    let bytes = fs::read(cwd.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    let end = |at: usize| origin["bytes"][at].as_u64().unwrap() as usize;
    let (start, end) = (end(0), end(1));
    let text = text(&bytes, start..end);
    let line = text_before(&bytes, start).matches('\n').count() as u64 + 1;
    let place = format!("{file}:{start}..{end}");
    if origin["line"] != line {
        return Some(format!("{place} is on line {line}, not {}", origin["line"]));
    }
    (!holds(&text, published)).then(|| format!("{place} is {text:?}, not {published:?}"))
}

fn text(bytes: &[u8], range: std::ops::Range<usize>) -> String {
    let order = match bytes {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return String::from_utf8(bytes[range].to_vec()).unwrap(),
    };
    let (units, rest) = bytes[range].as_chunks::<2>();
    assert!(rest.is_empty());
    let units: Vec<u16> = units.iter().map(|unit| order(*unit)).collect();
    String::from_utf16(&units).unwrap()
}

fn text_before(bytes: &[u8], end: usize) -> String {
    text(bytes, 0..end)
}

/// Whether `text` writes the port or range `published`, in whatever notation.
fn holds(text: &str, published: &str) -> bool {
    let numbers = |text: &str| -> Option<(u64, u64)> {
        let mut ends = text.split('-').map(|end| end.parse().ok());
        let first = ends.next()??;
        Some((first, ends.next().unwrap_or(Some(first))?))
    };
    let within = |(first, last): (u64, u64)| {
        numbers(published).is_some_and(|(from, to)| first <= from && to <= last)
    };
    text == published
        || numbers(text).is_some_and(within)
        || integer(text).is_some_and(|number| number.to_string() == published)
        || text.contains('\\')
}

/// A whole number in one of YAML's other notations.
fn integer(text: &str) -> Option<i64> {
    let text = text.replace(['_', '+'], "");
    let radix = |digits: &str, radix| i64::from_str_radix(digits, radix).ok();
    match text.as_bytes() {
        [b'0', b'x', ..] => radix(&text[2..], 16),
        [b'0', b'o', ..] => radix(&text[2..], 8),
        [b'0', b'b' | b'B', ..] => radix(&text[2..], 2),
        [b'0', _, ..] => radix(&text, 8),
        _ => text.parse().ok(),
    }
}
