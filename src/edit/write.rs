//! Writing patches: each file is whole at any moment, old or new, and all are written or none.
//!
//! The new text goes to a temporary file in the same folder, is flushed to the disk, and takes the
//! old one's place by a rename. A process that is killed leaves at most such a temporary file,
//! `.portplan-….tmp`; the next run that writes to the folder removes it.

use std::fs::{self, File, Metadata};
use std::io::{self, Write as _};

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::NamedTempFile;

use super::patch::Patch;
use crate::source;

const PREFIX: &str = ".portplan-";
const SUFFIX: &str = ".tmp";

/// How to write.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Keep the old text of each file as `FILE.bak`, or `FILE.bak.1` and so on where that is
    /// taken.
    pub backup: bool,
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// The files as shown, in the order of the patches.
    pub files: Vec<Utf8PathBuf>,
    /// The backups, from the root.
    pub backups: Vec<Utf8PathBuf>,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The file has other bytes than those that were read.
    #[error("`{0}` has changed since it was read: run portplan again")]
    Changed(Utf8PathBuf),
    /// A file is there that was not.
    #[error("`{0}` was created after the project was read: run portplan again")]
    Appeared(Utf8PathBuf),
    /// The file may not be written.
    #[error(
        "`{0}` may not be written: make it writable (`chmod u+w {0}`, as its owner), or use --into override"
    )]
    ReadOnly(Utf8PathBuf),
    /// The folder takes no new file, so that the old one cannot be replaced.
    #[error("`{file}` cannot be written, because no file can be made in `{folder}`: {}", source::reason(.error))]
    Folder {
        /// The file.
        file: Utf8PathBuf,
        /// Its folder.
        folder: Utf8PathBuf,
        /// What the operating system says.
        error: io::Error,
    },
    /// Anything else.
    #[error("`{file}` cannot be written: {}", source::reason_to_write(.error))]
    Io {
        /// The file.
        file: Utf8PathBuf,
        /// What the operating system says.
        error: io::Error,
    },
    /// After an error, files that were already written could not be put back.
    #[error("{error}; these have their new text, and could not be put back: {}", .files.iter().map(|file| file.as_str()).collect::<Vec<_>>().join(", "))]
    Halfway {
        /// The first error.
        error: Box<WriteError>,
        /// The files that have their new text.
        files: Vec<Utf8PathBuf>,
    },
}

/// Writes all patches, or none of them.
///
/// A link stays a link: the file that it leads to is replaced. The new file has the old one's mode,
/// and, if the process may do so, its owner; other hard links keep the old text.
///
/// # Errors
/// The first obstacle. Files written before it have been put back, except with
/// [`WriteError::Halfway`].
pub fn write(patches: &[Patch], options: Options) -> Result<Written, WriteError> {
    for patch in patches {
        check(patch)?;
    }
    let mut folders: Vec<&Utf8Path> = patches.iter().map(|patch| folder(&patch.path)).collect();
    folders.dedup();
    for folder in folders {
        sweep(folder);
    }
    let staged: Result<Vec<_>, _> = patches
        .iter()
        .map(|patch| stage(patch, patch.new_bytes()))
        .collect();
    let staged = staged?;
    let mut written = Written::default();
    if options.backup {
        for patch in patches.iter().filter(|patch| patch.before.is_some()) {
            written.backups.push(back_up(patch)?);
        }
    }
    for (index, (patch, file)) in patches.iter().zip(staged).enumerate() {
        // once more, as late as can be
        let result = check(patch).and_then(|()| replace(patch, file));
        if let Err(error) = result {
            return Err(put_back(&patches[..index], error));
        }
        written.files.push(patch.shown.clone());
    }
    Ok(written)
}

/// Whether the file is as it was when it was read, and may be written.
fn check(patch: &Patch) -> Result<(), WriteError> {
    let bytes = match fs::read(&patch.path) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(failed(patch, error)),
    };
    if bytes != patch.before {
        let shown = patch.shown.clone();
        return Err(match patch.before {
            Some(_) => WriteError::Changed(shown),
            None => WriteError::Appeared(shown),
        });
    }
    if bytes.is_none() {
        return Ok(());
    }
    let metadata = fs::metadata(&patch.path).map_err(|error| failed(patch, error))?;
    // who may do anything (root) is asked to respect it, too
    let read_only = metadata.permissions().readonly();
    match File::options().write(true).open(&patch.path) {
        Ok(_) if !read_only => Ok(()),
        Ok(_) => Err(WriteError::ReadOnly(patch.shown.clone())),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Err(WriteError::ReadOnly(patch.shown.clone()))
        }
        Err(error) => Err(failed(patch, error)),
    }
}

/// Writes bytes to a temporary file beside the one that it will replace.
fn stage(patch: &Patch, bytes: Vec<u8>) -> Result<NamedTempFile, WriteError> {
    let folder = folder(&patch.path);
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    #[cfg(unix)]
    if patch.before.is_none() {
        use std::os::unix::fs::PermissionsExt as _;
        // as any new file: what the umask leaves
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = builder
        .tempfile_in(folder)
        .map_err(|error| WriteError::Folder {
            file: patch.shown.clone(),
            folder: folder.to_owned(),
            error,
        })?;
    let fill = |file: &mut NamedTempFile| -> io::Result<()> {
        // while this process lives nobody takes the file for a leftover
        let _ = file.as_file().try_lock();
        file.write_all(&bytes)?;
        if patch.before.is_some() {
            take_after(file.as_file(), &fs::metadata(&patch.path)?)?;
        }
        file.as_file().sync_all()
    };
    fill(&mut file).map_err(|error| failed(patch, error))?;
    Ok(file)
}

/// Gives a file the owner and the mode of another.
fn take_after(file: &File, model: &Metadata) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let own = file.metadata()?;
        if (own.uid(), own.gid()) != (model.uid(), model.gid()) {
            // only root can give a file away; a file of one's own is as good
            let _ = std::os::unix::fs::fchown(file, Some(model.uid()), Some(model.gid()));
        }
    }
    file.set_permissions(model.permissions())
}

/// Puts a staged file in the place of the old one.
fn replace(patch: &Patch, file: NamedTempFile) -> Result<(), WriteError> {
    let result = match patch.before {
        Some(_) => file.persist(&patch.path),
        None => file.persist_noclobber(&patch.path),
    };
    result.map_err(|error| failed(patch, error.error))?;
    flush_folder(folder(&patch.path));
    Ok(())
}

/// Copies the old text beside the file, under a name that is free.
fn back_up(patch: &Patch) -> Result<Utf8PathBuf, WriteError> {
    let mut file = stage(patch, patch.old().to_vec())?;
    let mut name = format!("{}.bak", patch.path);
    let mut taken = 0;
    loop {
        match file.persist_noclobber(&name) {
            Ok(_) => return Ok(name.into()),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                taken += 1;
                name = format!("{}.bak.{taken}", patch.path);
                file = error.file;
            }
            Err(error) => return Err(failed(patch, error.error)),
        }
    }
}

/// Gives files that have been written their old text again.
fn put_back(patches: &[Patch], error: WriteError) -> WriteError {
    let left = patches.iter().rev().filter(|patch| {
        let restored = match &patch.before {
            None => fs::remove_file(&patch.path).map_err(|error| failed(patch, error)),
            Some(old) => stage(patch, old.clone()).and_then(|file| replace(patch, file)),
        };
        restored.is_err()
    });
    let files: Vec<_> = left.map(|patch| patch.shown.clone()).collect();
    if files.is_empty() {
        return error;
    }
    WriteError::Halfway {
        error: Box::new(error),
        files,
    }
}

/// Removes what killed processes left in a folder.
fn sweep(folder: &Utf8Path) {
    for entry in folder.read_dir_utf8().into_iter().flatten().flatten() {
        let name = entry.file_name();
        if !(name.starts_with(PREFIX) && name.ends_with(SUFFIX)) {
            continue;
        }
        // a living process holds its lock
        let file = File::open(entry.path());
        if file.is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Makes a rename last.
fn flush_folder(folder: &Utf8Path) {
    // elsewhere a folder cannot be opened
    if cfg!(unix)
        && let Ok(folder) = File::open(folder)
    {
        let _ = folder.sync_all();
    }
}

fn folder(path: &Utf8Path) -> &Utf8Path {
    path.parent().unwrap_or(Utf8Path::new("/"))
}

fn failed(patch: &Patch, error: io::Error) -> WriteError {
    WriteError::Io {
        file: patch.shown.clone(),
        error,
    }
}
