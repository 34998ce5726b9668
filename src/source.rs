//! The texts that everything else points into.

use std::io;
use std::sync::OnceLock;

use camino::{Utf8Path, Utf8PathBuf};
use line_index::{LineIndex, TextSize};

use crate::span::{FileId, Span};

/// Files larger than this are refused: a compose or env file of 16 MiB is none.
pub const MAX_FILE_BYTES: u64 = 16 << 20;

/// How a file encodes its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark.
    Utf8,
    /// UTF-16 with a byte order mark, low byte first.
    Utf16Le,
    /// UTF-16 with a byte order mark, high byte first.
    Utf16Be,
}

/// One file: its name as the user knows it and its text.
#[derive(Clone, Debug)]
pub struct SourceFile {
    path: Utf8PathBuf,
    text: String,
    encoding: Encoding,
    /// The bytes, where the text does not tell them.
    raw: Option<Vec<u8>>,
    lines: OnceLock<LineIndex>,
    /// The text as a terminal may have it, where that is not the text.
    printable: OnceLock<Option<String>>,
}

/// A position as people count: both from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineColumn {
    /// The line, from 1.
    pub line: u32,
    /// The character in the line, from 1.
    pub column: u32,
}

/// What columns count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Characters, as people do.
    Characters,
    /// Code units of UTF-16, as SARIF and editors do.
    Utf16,
    /// Bytes of UTF-8.
    Utf8,
}

/// Why bytes are not text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not valid {encoding} in line {}, at byte {offset} of the file", .valid.matches('\n').count() + 1)]
pub struct NotText {
    /// The encoding that was tried.
    pub encoding: &'static str,
    /// The first byte that does not fit, from 0.
    pub offset: usize,
    /// The text up to there.
    pub valid: String,
}

impl SourceFile {
    /// Decodes the bytes of a file: UTF-8, or UTF-16 if a byte order mark says so.
    ///
    /// # Errors
    /// Names the first byte that is not valid in the encoding.
    pub fn decode(path: impl Into<Utf8PathBuf>, bytes: Vec<u8>) -> Result<Self, NotText> {
        let path = path.into();
        let (encoding, unit): (_, fn([u8; 2]) -> u16) = match bytes.get(..2) {
            Some([0xff, 0xfe]) => (Encoding::Utf16Le, u16::from_le_bytes),
            Some([0xfe, 0xff]) => (Encoding::Utf16Be, u16::from_be_bytes),
            _ => {
                let text = String::from_utf8(bytes).map_err(|error| {
                    let offset = error.utf8_error().valid_up_to();
                    NotText {
                        encoding: "UTF-8",
                        offset,
                        valid: String::from_utf8_lossy(&error.as_bytes()[..offset]).into_owned(),
                    }
                })?;
                let encoding = Encoding::Utf8;
                return Ok(Self::new(path, text, encoding));
            }
        };
        let (pairs, rest) = bytes.as_chunks::<2>();
        let mut text = String::with_capacity(bytes.len());
        let mut offset = 0;
        for unit in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
            let Ok(character) = unit else { break };
            text.push(character);
            offset += 2 * character.len_utf16();
        }
        if offset < bytes.len() || !rest.is_empty() {
            return Err(NotText {
                encoding: "UTF-16",
                offset,
                valid: text,
            });
        }
        Ok(Self::new(path, text, encoding))
    }

    /// [`decode`](Self::decode), for files that Compose reads as bytes: what is not UTF-8 becomes
    /// SUBSTITUTE characters, byte by byte, so that all else keeps its place.
    ///
    /// # Errors
    /// The file is UTF-16, and not valid.
    pub fn decode_bytes(path: impl Into<Utf8PathBuf>, bytes: Vec<u8>) -> Result<Self, NotText> {
        if matches!(bytes.get(..2), Some([0xff, 0xfe] | [0xfe, 0xff])) {
            return Self::decode(path, bytes);
        }
        let error = match String::from_utf8(bytes) {
            Ok(text) => return Ok(Self::new(path.into(), text, Encoding::Utf8)),
            Err(error) => error,
        };
        let chunks = error.as_bytes().utf8_chunks();
        let text = chunks
            .flat_map(|chunk| [chunk.valid().into(), "\u{1a}".repeat(chunk.invalid().len())])
            .collect();
        Ok(Self {
            raw: Some(error.into_bytes()),
            ..Self::new(path.into(), text, Encoding::Utf8)
        })
    }

    fn new(path: Utf8PathBuf, text: String, encoding: Encoding) -> Self {
        Self {
            path,
            text,
            encoding,
            raw: None,
            lines: OnceLock::new(),
            printable: OnceLock::new(),
        }
    }

    /// The text for a terminal: what would command it, or turn the order of its characters, is
    /// another character of as many bytes.
    #[must_use]
    pub fn printable(&self) -> &str {
        let printable = self.printable.get_or_init(|| {
            let text = &self.text;
            let is_bad = |at: usize, c| is_command(c) && !text[at..].starts_with("\r\n");
            let safe = |(at, c): (usize, char)| match c.len_utf8() {
                _ if !is_bad(at, c) => c,
                1 => '?',
                2 => '\u{b7}',
                _ => char::REPLACEMENT_CHARACTER,
            };
            let mut characters = text.char_indices();
            let any = characters.any(|(at, c)| is_bad(at, c));
            any.then(|| text.char_indices().map(safe).collect())
        });
        printable.as_deref().unwrap_or(&self.text)
    }

    /// The path as it is shown.
    #[must_use]
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// The whole text, with its byte order mark if it has one.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The number of bytes of the byte order mark in [`text`](Self::text): 0 or 3.
    #[must_use]
    pub fn bom_len(&self) -> usize {
        if self.text.starts_with('\u{feff}') {
            3
        } else {
            0
        }
    }

    /// How the file encodes its text.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The bytes that were read.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        match &self.raw {
            Some(raw) => raw.clone(),
            None => self.encode(&self.text),
        }
    }

    /// `text` in the encoding of this file.
    #[must_use]
    pub fn encode(&self, text: &str) -> Vec<u8> {
        match self.encoding {
            Encoding::Utf8 => text.as_bytes().to_vec(),
            Encoding::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Encoding::Utf16Be => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        }
    }

    /// Where the byte `at` of the text stands, as people count.
    #[must_use]
    pub fn position(&self, at: u32) -> LineColumn {
        self.position_in(at, Unit::Characters)
    }

    /// Where the byte `at` of the text stands, both from 1; a byte order mark is no column.
    #[must_use]
    pub fn position_in(&self, at: u32, unit: Unit) -> LineColumn {
        let lines = self.lines.get_or_init(|| LineIndex::new(&self.text));
        let place = lines.line_col(TextSize::new(at));
        let before = &self.text[(at - place.col) as usize..at as usize];
        let before = before.trim_start_matches('\u{feff}');
        let column = match unit {
            Unit::Characters => before.chars().count(),
            Unit::Utf16 => before.encode_utf16().count(),
            Unit::Utf8 => before.len(),
        };
        LineColumn {
            line: place.line + 1,
            column: column as u32 + 1,
        }
    }

    /// The bytes of `span` in the file as it is on disk.
    #[must_use]
    pub fn disk_range(&self, span: Span) -> [u64; 2] {
        let place = |at: u32| match self.encoding {
            Encoding::Utf8 => u64::from(at),
            Encoding::Utf16Le | Encoding::Utf16Be => {
                let before = self.text[..at as usize].chars();
                before.map(|c| 2 * c.len_utf16() as u64).sum()
            }
        };
        [place(span.start), place(span.end)]
    }
}

/// True of what a terminal takes for a command, or for a change of the direction of writing; of
/// line feeds and tabs it is not.
#[must_use]
pub fn is_command(character: char) -> bool {
    match character {
        '\n' | '\t' => false,
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        other => other.is_control(),
    }
}

/// What the operating system says, in the words of all messages: `there is no such file`.
#[must_use]
pub fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::IsADirectory => "it is a folder, not a file".to_owned(),
        io::ErrorKind::NotADirectory => "its folder is a file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::InvalidData if error.get_ref().is_none() => "it is not UTF-8".to_owned(),
        io::ErrorKind::StorageFull => "the disk is full".to_owned(),
        io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only".to_owned(),
        _ => {
            let words = error.to_string();
            let number = words.rfind(" (os error");
            words[..number.unwrap_or(words.len())].to_owned()
        }
    }
}

/// The same for a file that was to be made: what is missing then is its folder.
#[must_use]
pub fn reason_to_write(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such folder".to_owned(),
        io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        _ => reason(error),
    }
}

/// All files that one project was read from.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
}

impl SourceMap {
    /// An empty map.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file and names it.
    pub fn add(&mut self, file: SourceFile) -> FileId {
        self.files.push(file);
        FileId(self.files.len() as u32 - 1)
    }

    /// The file of that name.
    #[must_use]
    pub fn file(&self, id: FileId) -> &SourceFile {
        &self.files[id.0 as usize]
    }

    /// All files, in the order they were read.
    #[must_use]
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// All files with their names.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        let files = self.files.iter().enumerate();
        files.map(|(index, file)| (FileId(index as u32), file))
    }

    /// The text of a span.
    #[must_use]
    pub fn slice(&self, span: Span) -> &str {
        &self.file(span.file).text[span.range()]
    }

    /// Where a span begins, as people count.
    #[must_use]
    pub fn position(&self, span: Span) -> LineColumn {
        self.file(span.file).position(span.start)
    }
}

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A file.
    File,
    /// A folder.
    Folder,
}

/// Where files come from: the disk, or memory in tests and fuzzing.
pub trait Files: Sync {
    /// Reads a file whole; the path is absolute.
    ///
    /// # Errors
    /// What the operating system says, or `FileTooLarge` past [`MAX_FILE_BYTES`].
    fn read(&self, path: &Utf8Path) -> io::Result<Vec<u8>>;

    /// What is at a path, links followed; `None` if there is nothing.
    fn kind(&self, path: &Utf8Path) -> Option<FileKind>;

    /// The path without links; itself where there is nothing.
    fn real(&self, path: &Utf8Path) -> Utf8PathBuf {
        path.to_owned()
    }

    /// The files in a folder and not far below it, sorted, without those that git ignores, those
    /// larger than [`MAX_TEXT_BYTES`], and folders that tools fill; of a huge tree only the first.
    fn walk(&self, folder: &Utf8Path) -> Vec<Utf8PathBuf> {
        let _ = folder;
        Vec::new()
    }
}

/// How many folders deep [`Files::below`] goes.
const MAX_DEPTH: usize = 6;
/// Files larger than this it leaves out: they are data.
pub const MAX_TEXT_BYTES: u64 = 256 << 10;
/// How many files and folders it looks at.
const MAX_ENTRIES: usize = 20_000;
/// Folders that it leaves out: what tools put there.
const BY_TOOLS: [&str; 9] = [
    ".git",
    "node_modules",
    "vendor",
    "target",
    "dist",
    "build",
    "venv",
    ".venv",
    "__pycache__",
];

/// The files of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl Files for Disk {
    fn read(&self, path: &Utf8Path) -> io::Result<Vec<u8>> {
        use io::Read as _;
        let file = std::fs::File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let mut bytes = Vec::with_capacity(metadata.len().min(MAX_FILE_BYTES) as usize);
        file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            let limit = format!("larger than {} MiB", MAX_FILE_BYTES >> 20);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, limit));
        }
        Ok(bytes)
    }

    fn kind(&self, path: &Utf8Path) -> Option<FileKind> {
        let metadata = std::fs::metadata(path).ok()?;
        Some(if metadata.is_dir() {
            FileKind::Folder
        } else {
            FileKind::File
        })
    }

    fn real(&self, path: &Utf8Path) -> Utf8PathBuf {
        path.canonicalize_utf8().unwrap_or_else(|_| path.to_owned())
    }

    fn walk(&self, folder: &Utf8Path) -> Vec<Utf8PathBuf> {
        let walk = ignore::WalkBuilder::new(folder)
            .hidden(false)
            .max_depth(Some(MAX_DEPTH))
            .max_filesize(Some(MAX_TEXT_BYTES))
            .sort_by_file_name(std::ffi::OsStr::cmp)
            .filter_entry(|entry| {
                let name = entry.file_name().to_str();
                entry.depth() == 0 || name.is_some_and(|name| !BY_TOOLS.contains(&name))
            })
            .build();
        let entries = walk.take(MAX_ENTRIES).filter_map(Result::ok);
        let files = entries.filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()));
        let paths = files.filter_map(|file| Utf8PathBuf::from_path_buf(file.into_path()).ok());
        paths.collect()
    }
}

/// Files in memory, by absolute path.
#[derive(Clone, Debug, Default)]
pub struct Memory(pub std::collections::BTreeMap<Utf8PathBuf, Vec<u8>>);

impl Files for Memory {
    fn read(&self, path: &Utf8Path) -> io::Result<Vec<u8>> {
        match self.kind(path) {
            Some(FileKind::Folder) => Err(io::ErrorKind::IsADirectory.into()),
            _ => self
                .0
                .get(path)
                .cloned()
                .ok_or_else(|| io::ErrorKind::NotFound.into()),
        }
    }

    fn kind(&self, path: &Utf8Path) -> Option<FileKind> {
        if self.0.contains_key(path) {
            return Some(FileKind::File);
        }
        let inside = |file: &Utf8PathBuf| file != path && file.starts_with(path);
        self.0.keys().any(inside).then_some(FileKind::Folder)
    }

    fn walk(&self, folder: &Utf8Path) -> Vec<Utf8PathBuf> {
        let small = |text: &Vec<u8>| text.len() as u64 <= MAX_TEXT_BYTES;
        let inside = self.0.iter();
        let inside = inside.filter(|(file, text)| file.starts_with(folder) && small(text));
        inside.map(|(file, _)| file.clone()).collect()
    }
}

/// `base/path` without `.` and `..`, by the text alone, as Go's `filepath.Join` does.
#[must_use]
pub fn join(base: &Utf8Path, path: impl AsRef<Utf8Path>) -> Utf8PathBuf {
    use camino::Utf8Component::{CurDir, Normal, ParentDir};
    let mut clean = Utf8PathBuf::new();
    for component in base.join(path).components() {
        match component {
            CurDir => {}
            ParentDir => match clean.components().next_back() {
                Some(Normal(_)) => {
                    clean.pop();
                }
                Some(ParentDir) | None => clean.push(".."),
                _ => {}
            },
            other => clean.push(other.as_str()),
        }
    }
    if clean.as_str().is_empty() {
        clean.push(".");
    }
    clean
}
