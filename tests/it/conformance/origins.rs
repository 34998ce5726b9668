//! The bytes of every port, read back from the file.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::fuzz_regressions::targets::writes;

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
    (!writes(&text, published)).then(|| format!("{place} is {text:?}, not {published:?}"))
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
