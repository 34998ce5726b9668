//! Each place that a report names holds the port, counted as the report's readers count.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{encoded, json, nothing, odd, reports};

/// A file's bytes, and its lines without a byte order mark.
fn read(folder: &Path, path: &str) -> (Vec<u8>, Vec<String>) {
    let bytes = fs::read(folder.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let text = if bytes.starts_with(&[0xff, 0xfe]) {
        let units = bytes
            .chunks(2)
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
        String::from_utf16(&units.collect::<Vec<_>>()).unwrap()
    } else {
        String::from_utf8(bytes.clone()).unwrap()
    };
    let lines = text.trim_start_matches('\u{feff}').lines();
    (bytes, lines.map(str::to_owned).collect())
}

fn number(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

fn percent_decoded(uri: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = uri.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first == b'%' {
            let digits = std::str::from_utf8(&tail[..2]).unwrap();
            bytes.push(u8::from_str_radix(digits, 16).unwrap());
            rest = &tail[2..];
        } else {
            assert!(
                first.is_ascii_graphic() && !b"\"<>\\^`{|}#?:".contains(first),
                "{uri}"
            );
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn of_sarif() {
    for folder in [odd(), encoded()] {
        let log = json(&reports(folder.path(), 1)["sarif"]);
        let run = &log["runs"][0];
        assert_eq!(run["columnKind"], "utf16CodeUnits");
        let mut regions = 0;
        for result in run["results"].as_array().unwrap() {
            let related = result["relatedLocations"].as_array().unwrap();
            let fix = &result["fixes"][0]["artifactChanges"][0];
            let mut places: Vec<(&Value, &Value)> = result["locations"]
                .as_array()
                .unwrap()
                .iter()
                .chain(related)
                .map(|place| &place["physicalLocation"])
                .map(|place| (&place["artifactLocation"], &place["region"]))
                .collect();
            assert_eq!(places.len(), 2);
            places.push((
                &fix["artifactLocation"],
                &fix["replacements"][0]["deletedRegion"],
            ));
            for (artifact, region) in places {
                assert_eq!(artifact["uriBaseId"], "%SRCROOT%");
                let path = percent_decoded(artifact["uri"].as_str().unwrap());
                let (bytes, lines) = read(folder.path(), &path);
                let line: Vec<u16> = lines[number(&region["startLine"]) - 1]
                    .encode_utf16()
                    .collect();
                let columns = number(&region["startColumn"]) - 1..number(&region["endColumn"]) - 1;
                assert_eq!(String::from_utf16(&line[columns]).unwrap(), "8080");
                let at = number(&region["byteOffset"]);
                let bytes = &bytes[at..at + number(&region["byteLength"])];
                let digits: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0).collect();
                assert_eq!(digits, b"8080");
                regions += 1;
            }
        }
        assert!(regions >= 9);
    }
}

#[test]
fn of_rdjson() {
    for folder in [odd(), encoded()] {
        let report = json(&reports(folder.path(), 1)["rdjson"]);
        for diagnostic in report["diagnostics"].as_array().unwrap() {
            let path = diagnostic["location"]["path"].as_str().unwrap();
            let (_, lines) = read(folder.path(), path);
            let fix = &diagnostic["suggestions"][0];
            assert_eq!(fix["text"], "8081");
            for range in [&diagnostic["location"]["range"], &fix["range"]] {
                let (start, end) = (&range["start"], &range["end"]);
                let line = &lines[number(&start["line"]) - 1];
                let columns = number(&start["column"]) - 1..number(&end["column"]) - 1;
                assert_eq!(&line[columns], "8080");
            }
        }
    }
}

#[test]
fn of_gitlab() {
    for folder in [odd(), encoded()] {
        let report = json(&reports(folder.path(), 1)["gitlab"]);
        for issue in report.as_array().unwrap() {
            let location = &issue["location"];
            let (_, lines) = read(folder.path(), location["path"].as_str().unwrap());
            let line = &lines[number(&location["lines"]["begin"]) - 1];
            assert!(line.contains("8080"));
        }
    }
}

/// A workflow command, read as GitHub's runner does.
struct Command {
    name: String,
    properties: Vec<(String, String)>,
    message: String,
}

impl Command {
    fn read(line: &str) -> Self {
        let (head, message) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
        let (name, properties) = head.split_once(' ').unwrap();
        let unescape = |text: &str| {
            let text = text.replace("%0D", "\r").replace("%0A", "\n");
            text.replace("%3A", ":")
                .replace("%2C", ",")
                .replace("%25", "%")
        };
        let property = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap();
            (name.to_owned(), unescape(value))
        };
        Self {
            name: name.to_owned(),
            properties: properties.split(',').map(property).collect(),
            message: unescape(message),
        }
    }

    fn get(&self, name: &str) -> &str {
        let mut found = self.properties.iter().filter(|(key, _)| key == name);
        &found.next().unwrap().1
    }
}

#[test]
fn of_github() {
    for folder in [odd(), encoded()] {
        for line in reports(folder.path(), 1)["github"].lines() {
            let command = Command::read(line);
            assert_eq!(command.name, "error");
            assert_eq!(command.get("title"), "host-port-collision");
            assert!(command.message.contains("both publish 8080/tcp\nhelp: "));
            let (_, lines) = read(folder.path(), command.get("file"));
            let column = |name| command.get(name).parse::<usize>().unwrap() - 1;
            let line = &lines[column("line")];
            let text: String = line.chars().collect::<Vec<_>>()[column("col")..column("endColumn")]
                .iter()
                .collect();
            assert_eq!(text, "8080");
        }
    }
}

#[test]
fn of_nothing() {
    let folder = nothing();
    let reports = reports(folder.path(), 0);
    assert_eq!(reports["github"], "");
    assert_eq!(json(&reports["gitlab"]), json("[]"));
    assert_eq!(json(&reports["rdjson"])["diagnostics"], json("[]"));
    let run = &json(&reports["sarif"])["runs"][0];
    assert_eq!(run["results"], json("[]"));
    assert_eq!(run["invocations"][0]["executionSuccessful"], true);
}
