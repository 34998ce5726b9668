//! The files of a commit, read from git itself: nothing is checked out.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};

use crate::compose::exclude::Exclude;
use crate::compose::search::{Search, Tree, is_compose_file, sorted};
use crate::source::{Disk, FileKind, Files, MAX_FILE_BYTES, join};

/// Links that lead to links are followed this often.
const MAX_LINKS: usize = 40;

/// A commit of the repository that a folder is in.
///
/// What git ignores, and what is outside of the repository, is as it is on the disk: no commit
/// changes it.
#[derive(Debug)]
pub struct Revision {
    /// The repository's folder.
    root: Utf8PathBuf,
    /// By their paths in the repository.
    entries: BTreeMap<Utf8PathBuf, Entry>,
    folders: BTreeSet<Utf8PathBuf>,
    ignored: BTreeSet<Utf8PathBuf>,
    objects: Mutex<Objects>,
}

#[derive(Debug)]
struct Entry {
    kind: EntryKind,
    object: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EntryKind {
    File,
    Link,
    /// Another repository.
    Module,
}

/// Why a revision cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RevisionError {
    /// There is no git.
    #[error("the files of a revision are read with `git`, which {}", absent(.0))]
    NoGit(#[from] io::Error),
    /// Git says no.
    #[error("git cannot read the revision `{revision}`: {words}")]
    Git {
        /// What was asked for.
        revision: String,
        /// Git's own words.
        words: String,
    },
}

impl Revision {
    /// A commit, as git names it (`main`, `HEAD~1`, `v1.2`), of the repository that `cwd` is in.
    ///
    /// # Errors
    /// There is no git, no repository, or no such commit.
    pub fn open(revision: &str, cwd: &Utf8Path) -> Result<Self, RevisionError> {
        let git = |folder: &Utf8Path, args: &[&str]| git(revision, folder, args);
        let prefix = git(cwd, &["rev-parse", "--show-prefix"])?;
        let depth = Utf8Path::new(prefix.trim_end_matches(['\n', '\r']));
        let root = cwd.ancestors().nth(depth.components().count());
        let root = root.unwrap_or(cwd).to_owned();
        let commit = format!("{revision}^{{commit}}");
        let commit = git(cwd, &["rev-parse", "--verify", "--end-of-options", &commit])?;
        let commit = commit.trim();
        let listed = git(&root, &["ls-tree", "-r", "-z", "--full-tree", commit])?;
        let ignored = [
            "ls-files",
            "--others",
            "--ignored",
            "--exclude-standard",
            "--directory",
            "-z",
        ];
        let ignored = git(&root, &ignored)?;
        let entries: BTreeMap<_, _> = listed.split_terminator('\0').filter_map(entry).collect();
        let folders = entries.keys().flat_map(|path| path.ancestors().skip(1));
        Ok(Self {
            folders: folders.map(Utf8Path::to_owned).collect(),
            entries,
            ignored: ignored
                .split_terminator('\0')
                .map(|path| path.trim_end_matches('/').into())
                .collect(),
            objects: Mutex::new(Objects::of(&root)?),
            root,
        })
    }

    /// What is at a path, links followed.
    fn at(&self, path: &Utf8Path) -> Place<'_> {
        let mut path = join("/".into(), path);
        for _ in 0..MAX_LINKS {
            let Ok(inside) = path.strip_prefix(&self.root) else {
                return Place::Disk(path);
            };
            if self.folders.contains(inside) {
                return Place::Folder;
            }
            let mut above = inside.ancestors();
            let Some((at, entry)) = above.find_map(|at| self.entries.get_key_value(at)) else {
                let mut above = inside.ancestors();
                return if above.any(|at| self.ignored.contains(at)) {
                    Place::Disk(path)
                } else {
                    Place::Nothing
                };
            };
            match entry.kind {
                EntryKind::File if at == inside => return Place::File(&entry.object),
                EntryKind::File => return Place::Nothing,
                EntryKind::Module => return Place::Disk(path),
                EntryKind::Link => {
                    let Some(target) = self.link(entry) else {
                        return Place::Nothing;
                    };
                    let folder = self.root.join(at.parent().unwrap_or("".into()));
                    let rest = inside.strip_prefix(at).unwrap_or("".into());
                    path = join(&join(&folder, target), rest);
                }
            }
        }
        Place::Nothing
    }

    fn link(&self, entry: &Entry) -> Option<Utf8PathBuf> {
        let target = self.object(&entry.object).ok()?;
        String::from_utf8(target).ok().map(Into::into)
    }

    fn object(&self, name: &str) -> io::Result<Vec<u8>> {
        let mut objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        objects.read(name)
    }
}

/// What is at a path.
enum Place<'a> {
    File(&'a str),
    Folder,
    Disk(Utf8PathBuf),
    Nothing,
}

impl Files for Revision {
    fn read(&self, path: &Utf8Path) -> io::Result<Vec<u8>> {
        match self.at(path) {
            Place::File(object) => self.object(object),
            Place::Folder => Err(io::ErrorKind::IsADirectory.into()),
            Place::Disk(path) => Disk.read(&path),
            Place::Nothing => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn kind(&self, path: &Utf8Path) -> Option<FileKind> {
        match self.at(path) {
            Place::File(_) => Some(FileKind::File),
            Place::Folder => Some(FileKind::Folder),
            Place::Disk(path) => Disk.kind(&path),
            Place::Nothing => None,
        }
    }

    fn walk(&self, folder: &Utf8Path) -> Vec<Utf8PathBuf> {
        let Ok(inside) = folder.strip_prefix(&self.root) else {
            return Disk.walk(folder);
        };
        let files = self.entries.iter();
        let files = files.filter(|(path, entry)| {
            path.starts_with(inside) && matches!(entry.kind, EntryKind::File)
        });
        files.map(|(path, _)| self.root.join(path)).collect()
    }
}

impl Tree for Revision {
    fn search(&self, folder: &Utf8Path, cwd: &Utf8Path, exclude: &Exclude) -> Search {
        let from = join(cwd, folder);
        let Ok(inside) = from.strip_prefix(&self.root) else {
            return Disk.search(folder, cwd, exclude);
        };
        let files = self.entries.iter().filter_map(|(path, entry)| {
            let rest = path.strip_prefix(inside).ok()?;
            let named = rest.file_name().is_some_and(is_compose_file);
            (named && entry.kind != EntryKind::Module).then(|| folder.join(rest))
        });
        Search {
            files: sorted(files.collect()),
            errors: Vec::new(),
        }
    }
}

/// Why a program did not run, as the end of a sentence.
pub(crate) fn absent(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "is not installed here".to_owned(),
        _ => format!("cannot be run: {error}"),
    }
}

/// Git's answer, if it has one.
fn git(revision: &str, folder: &Utf8Path, args: &[&str]) -> Result<String, RevisionError> {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(args)
        .stdin(Stdio::null())
        .output()?;
    if output.status.success() {
        // names that are no UTF-8 are those of no file that Compose can be given
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    let words = words.lines().next().unwrap_or("no reason given");
    Err(RevisionError::Git {
        revision: revision.to_owned(),
        words: plain(words),
    })
}

/// What git says, with what to type next.
pub(crate) fn plain(words: &str) -> String {
    let words = words.trim_start_matches("fatal: ");
    if words.starts_with("Needed a single revision") {
        return "there is no such commit here; fetch it first, in CI with the whole history \
                (`fetch-depth: 0`, `GIT_DEPTH: 0`)"
            .to_owned();
    }
    if words.starts_with("not a git repository") {
        return "this folder is not in a git repository".to_owned();
    }
    if let Some((_, folder)) = words.split_once("dubious ownership in repository at ") {
        return format!(
            "the repository belongs to another user: `git config --global --add safe.directory \
             {folder}` allows it"
        );
    }
    words.to_owned()
}

/// One line of `git ls-tree`: `MODE TYPE OBJECT\tPATH`.
fn entry(line: &str) -> Option<(Utf8PathBuf, Entry)> {
    let (about, path) = line.split_once('\t')?;
    let mut about = about.split(' ');
    let kind = match about.next()? {
        "120000" => EntryKind::Link,
        "160000" => EntryKind::Module,
        _ => EntryKind::File,
    };
    let object = about.nth(1)?.to_owned();
    Some((path.into(), Entry { kind, object }))
}

/// A `git cat-file` that waits for names.
#[derive(Debug)]
struct Objects {
    git: Child,
    /// Closed to end it.
    names: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Objects {
    fn of(folder: &Utf8Path) -> io::Result<Self> {
        let mut git = Command::new("git")
            .arg("-C")
            .arg(folder)
            .args(["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let answers = git.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(Self {
            names: git.stdin.take(),
            answers: BufReader::new(answers),
            git,
        })
    }

    fn read(&mut self, name: &str) -> io::Result<Vec<u8>> {
        let names = self.names.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        writeln!(names, "{name}")?;
        names.flush()?;
        let mut head = String::new();
        self.answers.read_line(&mut head)?;
        // `OBJECT blob SIZE`, or `OBJECT missing`
        let size: Option<u64> = head
            .split_whitespace()
            .nth(2)
            .and_then(|it| it.parse().ok());
        let size = size.ok_or(io::ErrorKind::NotFound)?;
        let mut bytes = Vec::new();
        let mut content = (&mut self.answers).take(size);
        (&mut content)
            .take(MAX_FILE_BYTES)
            .read_to_end(&mut bytes)?;
        // what is too much, and the line break after it
        io::copy(&mut content, &mut io::sink())?;
        self.answers.read_exact(&mut [0])?;
        if size > MAX_FILE_BYTES {
            let limit = format!("larger than {} MiB", MAX_FILE_BYTES >> 20);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, limit));
        }
        Ok(bytes)
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        self.names = None;
        let _ = self.git.wait();
    }
}
