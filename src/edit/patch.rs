//! Byte edits to one file, and how they look to people.

use std::borrow::Cow;
use std::ops::Range;

use camino::Utf8PathBuf;
use similar::TextDiff;

use crate::source::SourceFile;

/// What a file holds, which decides who reads it again for the proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A compose file.
    Yaml,
    /// An env file.
    Env,
}

/// How much an edit writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// A number, or what gives it: a variable with a default, a variable's value.
    Number,
    /// Entries of `ports`, with the numbers that stay.
    Entries,
}

/// New bytes in the place of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The bytes that go, counted in the file on disk.
    pub range: Range<usize>,
    /// The bytes that come, in the file's encoding.
    pub bytes: Vec<u8>,
    /// How much it writes.
    pub scope: Scope,
}

/// The edits of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// The file, from the root; links are followed.
    pub path: Utf8PathBuf,
    /// The file as the user knows it.
    pub shown: Utf8PathBuf,
    /// What it holds.
    pub format: Format,
    /// The bytes that were read; `None` of a file that is not there yet.
    pub before: Option<Vec<u8>>,
    /// Sorted, none overlapping another.
    edits: Vec<Edit>,
}

impl Patch {
    /// A patch of these edits. Of two that overlap only the first is made: the proof finds what is
    /// missing then.
    #[must_use]
    pub fn of(
        path: Utf8PathBuf,
        shown: Utf8PathBuf,
        format: Format,
        before: Option<Vec<u8>>,
        mut edits: Vec<Edit>,
    ) -> Self {
        edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
        let len = before.as_ref().map_or(0, Vec::len);
        let mut end = 0;
        edits.retain(|edit| {
            let apart = edit.range.start >= end && edit.range.end <= len;
            end = end.max(edit.range.end);
            apart
        });
        Self {
            path,
            shown,
            format,
            before,
            edits,
        }
    }

    /// The edits, sorted; none overlaps another.
    #[must_use]
    pub fn edits(&self) -> &[Edit] {
        &self.edits
    }

    /// The bytes that were read, none of a new file.
    #[must_use]
    pub fn old(&self) -> &[u8] {
        self.before.as_deref().unwrap_or_default()
    }

    /// The whole file as it will be.
    #[must_use]
    pub fn new_bytes(&self) -> Vec<u8> {
        let old = self.old();
        let mut new = Vec::with_capacity(old.len() + 64);
        let mut at = 0;
        for edit in &self.edits {
            new.extend_from_slice(&old[at..edit.range.start]);
            new.extend_from_slice(&edit.bytes);
            at = edit.range.end;
        }
        new.extend_from_slice(&old[at..]);
        new
    }

    /// A unified diff, as `git apply` and `patch -p1` take it.
    #[must_use]
    pub fn diff(&self) -> String {
        let new = self.new_bytes();
        let (old, new) = (text(self.old()), text(&new));
        let name = |side: char| format!("{side}/{}", self.shown);
        let old_name = match self.before {
            Some(_) => name('a'),
            None => "/dev/null".to_owned(),
        };
        TextDiff::from_lines(&*old, &*new)
            .unified_diff()
            .header(&old_name, &name('b'))
            .to_string()
    }
}

/// Adds the edits of a patch to those of its file; one that is there already is the same one.
pub(super) fn lay(patches: &mut Vec<Patch>, patch: &Patch) -> Result<(), String> {
    let Some(known) = patches.iter_mut().find(|it| it.path == patch.path) else {
        patches.push(patch.clone());
        return Ok(());
    };
    let new = patch
        .edits()
        .iter()
        .filter(|edit| !known.edits().contains(edit));
    let edits: Vec<Edit> = known.edits().iter().chain(new).cloned().collect();
    let (count, before) = (edits.len(), known.before.clone());
    let (path, shown) = (known.path.clone(), known.shown.clone());
    *known = Patch::of(path, shown, known.format, before, edits);
    match known.edits().len() == count && known.before == patch.before {
        true => Ok(()),
        false => Err(format!("{}: two edits overlap", patch.shown)),
    }
}

/// The text of a file, as well as it can be shown.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    match SourceFile::decode("", bytes.to_vec()) {
        Ok(file) => Cow::Owned(file.text().to_owned()),
        Err(_) => String::from_utf8_lossy(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patch(before: Option<&str>, edits: &[(Range<usize>, &str)]) -> Patch {
        let edits = edits.iter().map(|(range, text)| Edit {
            range: range.clone(),
            bytes: text.as_bytes().to_vec(),
            scope: Scope::Number,
        });
        Patch::of(
            "/w/compose.yaml".into(),
            "compose.yaml".into(),
            Format::Yaml,
            before.map(|text| text.as_bytes().to_vec()),
            edits.collect(),
        )
    }

    #[test]
    fn a_diff_shows_the_lines_and_a_missing_newline() {
        let patch = patch(Some("a: 1\r\nb: 22"), &[(3..4, "100"), (9..11, "3")]);
        assert_eq!(patch.new_bytes(), b"a: 100\r\nb: 3");
        assert_eq!(
            patch.diff(),
            "--- a/compose.yaml\n+++ b/compose.yaml\n@@ -1,2 +1,2 @@\n-a: 1\r\n-b: 22\n\
             \\ No newline at end of file\n+a: 100\r\n+b: 3\n\\ No newline at end of file\n"
        );
    }

    #[test]
    fn a_new_file_comes_from_nothing() {
        let patch = patch(None, &[(0..0, "A=1\n")]);
        assert_eq!(
            patch.diff(),
            "--- /dev/null\n+++ b/compose.yaml\n@@ -0,0 +1 @@\n+A=1\n"
        );
    }
}
