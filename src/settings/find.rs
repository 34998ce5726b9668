//! Finding and reading `portplan.yaml`.

use camino::{Utf8Path, Utf8PathBuf};

use super::file::ConfigFile;
use super::{Settings, reader};
use crate::compose::problem::{Kind, Problem};
use crate::machine::Machine;
use crate::source::{self, Disk, FileKind, Files as _, SourceFile};
use crate::span::{FileId, Span};

/// The names that the file may have.
pub const NAMES: [&str; 2] = ["portplan.yaml", "portplan.yml"];

/// Looks for the file in a folder and those above it, up to the top of a git repository.
#[must_use]
pub fn above(folder: &Utf8Path) -> Option<Utf8PathBuf> {
    for folder in folder.ancestors() {
        let mut paths = NAMES.iter().map(|name| folder.join(name));
        if let Some(path) = paths.find(|path| Disk.kind(path) == Some(FileKind::File)) {
            return Some(path);
        }
        // what is around a repository is not the repository's
        if Disk.kind(&folder.join(".git")).is_some() {
            return None;
        }
    }
    None
}

/// Reads a file; the path is relative to the working directory.
///
/// One that is wrong settles nothing, and says why in [`Settings::problems`].
#[must_use]
pub fn read(path: &Utf8Path, cwd: &Utf8Path) -> Settings {
    let absolute = source::join(cwd, path);
    let broken = |problem| Settings {
        problems: vec![problem],
        ..Settings::default()
    };
    let bytes = match Disk.read(&absolute) {
        Ok(bytes) => bytes,
        Err(error) => {
            let problem = Problem::error(
                Kind::Config,
                format!("cannot read `{path}`: {}", source::reason(&error)),
            );
            let help =
                "check the name; --no-config goes without one, and `portplan init` writes one";
            return broken(problem.of(path).help(help));
        }
    };
    let file = match SourceFile::decode(path, bytes) {
        Ok(file) => file,
        Err(error) => {
            let problem = Problem::error(Kind::Config, format!("`{path}` is {error}"));
            return broken(problem.of(path).help("save the file as UTF-8"));
        }
    };
    let mut settings = Settings::default();
    let id = settings.sources.add(file);
    let root = absolute.parent().unwrap_or(&absolute);
    let settled = parse(settings.sources.file(id), id, root);
    let (read, problems) = settled.unwrap_or_else(|problems| (Settings::default(), problems));
    Settings {
        root: root.to_owned(),
        cwd: cwd.to_owned(),
        sources: settings.sources,
        problems,
        ..read
    }
}

fn parse(
    file: &SourceFile,
    id: FileId,
    root: &Utf8Path,
) -> Result<(Settings, Vec<Problem>), Vec<Problem>> {
    let config: ConfigFile = reader::read(file, id)?;
    let (mut settings, snapshots) = config.settle().map_err(|error| {
        let problem = Problem::error(Kind::Config, error.to_string());
        vec![problem.at(Span::new(id, 0, 0), "")]
    })?;
    let mut problems = Vec::new();
    for (host, snapshot) in settings.hosts.iter_mut().zip(snapshots) {
        let Some(path) = snapshot else { continue };
        match Machine::read(&source::join(root, &path)) {
            Ok(machine) => host.machine = Some(machine),
            Err(reason) => {
                let name = &host.name;
                let message = format!("cannot read the snapshot `{path}` of {name}: {reason}");
                let problem = Problem::error(Kind::Machine, message).of(&path);
                let help = format!("make it on {name} with `portplan snapshot > {path}`");
                problems.push(problem.help(help));
            }
        }
    }
    Ok((settings, problems))
}
