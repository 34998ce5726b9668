//! Where reports go: standard output, files, or several at once.

use std::fs;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;

use camino::{Utf8Path, Utf8PathBuf};
use clap::{Args, ValueEnum as _};

use crate::report::check::Outcome;
use crate::report::format::Format;
use crate::report::human::Style;
use crate::source;

/// The flags that say how to print, and where.
#[derive(Args, Clone, Debug)]
pub struct OutputArgs {
    /// How to print [default: human]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Write a report to a file; `-` is standard output. Repeat it for several
    #[arg(long = "output", value_name = "FORMAT=FILE", value_parser = target)]
    targets: Vec<Target>,
}

#[derive(Clone, Debug)]
struct Target {
    format: Format,
    file: Utf8PathBuf,
}

fn target(text: &str) -> Result<Target, String> {
    let (format, file) = text
        .split_once('=')
        .filter(|(_, file)| !file.is_empty())
        .ok_or("write FORMAT=FILE, for example sarif=portplan.sarif")?;
    Ok(Target {
        format: Format::from_str(format, false).map_err(|_| unknown(format))?,
        file: file.into(),
    })
}

fn unknown(name: &str) -> String {
    let formats = Format::value_variants().iter();
    let names =
        formats.filter_map(|format| Some(format.to_possible_value()?.get_name().to_owned()));
    let names: Vec<String> = names.collect();
    format!(
        "there is no format `{name}`; the formats are {}",
        names.join(", ")
    )
}

/// A report that is not where it should be.
#[derive(Debug, thiserror::Error)]
#[error("`{file}` cannot be written: {}", source::reason_to_write(.error))]
pub struct NotWritten {
    file: Utf8PathBuf,
    error: io::Error,
}

impl NotWritten {
    fn of(file: &Utf8Path, error: io::Error) -> Self {
        Self {
            file: file.to_owned(),
            error,
        }
    }
}

impl OutputArgs {
    /// Prints an outcome and writes what else is asked for; all of it that can be.
    pub fn write(&self, outcome: &Outcome, verbose: bool) -> Vec<NotWritten> {
        let taken = self.targets.iter().any(|target| target.file == "-");
        let printed = self.format.or((!taken).then_some(Format::Human));
        if let Some(format) = printed {
            super::print(&format.render(outcome, style(verbose)));
        }
        let mut errors = Vec::new();
        for Target { format, file } in &self.targets {
            if file == "-" {
                super::print(&format.render(outcome, style(verbose)));
                continue;
            }
            let plain = Style {
                colour: false,
                width: 100,
                verbose,
            };
            let result = if is_read(outcome, file) {
                let error = "it is one of the files that were checked: give another name";
                Err(NotWritten::of(file, io::Error::other(error)))
            } else {
                write(file, format.render(outcome, plain))
            };
            errors.extend(result.err());
        }
        errors
    }
}

/// Writes a file whole: it has its old text or its new one at any moment.
///
/// What is no file, such as a pipe, is written to as it is. So is the summary of a step in GitHub
/// Actions, at its end: others write to it, too.
pub fn write(file: &Utf8Path, text: impl AsRef<[u8]>) -> Result<(), NotWritten> {
    let text = text.as_ref();
    let result = match fs::metadata(file) {
        Ok(it) if it.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(it) if it.is_file() && !is_step_summary(file) => {
            // a link stays a link
            fs::canonicalize(file).and_then(|path| replace(&path, text))
        }
        Ok(_) => append(file, text),
        // a link that leads nowhere
        Err(_) if file.is_symlink() => fs::write(file, text),
        Err(_) => replace(file.as_std_path(), text),
    };
    result.map_err(|error| NotWritten::of(file, error))
}

/// True if a file may be written over: it is not there, is empty or no file (such as a pipe), or
/// has a text that is `ours`. A slip such as `-o compose.yaml` must not cost a file.
pub fn may_replace(file: &Utf8Path, ours: impl Fn(&str) -> bool) -> bool {
    if !file.is_file() {
        return true;
    }
    fs::read(file).is_ok_and(|old| {
        let text = std::str::from_utf8(&old);
        old.is_empty() || text.is_ok_and(ours)
    })
}

/// True of a file that the outcome is about: nobody means to write there.
fn is_read(outcome: &Outcome, file: &Utf8Path) -> bool {
    let Ok(path) = file.canonicalize_utf8() else {
        return false;
    };
    let projects = outcome.world.projects.iter();
    let sources = projects.flat_map(|project| project.sources.files());
    let sources = sources.chain(outcome.world.settings.sources.files());
    let mut alike = sources.filter(|source| source.path().file_name() == path.file_name());
    alike.any(|source| source.path().canonicalize_utf8().is_ok_and(|it| it == path))
}

fn is_step_summary(file: &Utf8Path) -> bool {
    let real = |path: &Path| fs::canonicalize(path).ok();
    let summary = std::env::var_os("GITHUB_STEP_SUMMARY");
    let summary = summary.and_then(|summary| real(summary.as_ref()));
    summary.is_some() && summary == real(file.as_std_path())
}

fn append(path: &Utf8Path, text: &[u8]) -> io::Result<()> {
    let mut file = fs::File::options().append(true).open(path)?;
    file.write_all(text)
}

fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|path| *path != Path::new(""));
    let folder = folder.unwrap_or(Path::new("."));
    fs::metadata(folder)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".portplan-").suffix(".tmp");
    let old = fs::metadata(path)
        .ok()
        .map(|metadata| metadata.permissions());
    if let Some(permissions) = old.clone().or_else(fresh) {
        builder.permissions(permissions);
    }
    let mut file = builder
        .tempfile_in(folder)
        // its own words name the temporary file
        .map_err(|error| io::Error::from(error.kind()))?;
    file.write_all(text)?;
    if let Some(permissions) = old {
        // the first time the process's mask was taken off
        file.as_file().set_permissions(permissions)?;
    }
    file.persist(path)?;
    Ok(())
}

/// What a new file may be: all that the process's mask leaves.
fn fresh() -> Option<fs::Permissions> {
    #[cfg(unix)]
    return Some(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    #[cfg(not(unix))]
    return None;
}

/// How to print for people: as standard output can show it.
fn style(verbose: bool) -> Style {
    let terminal = io::stdout().is_terminal();
    Style {
        colour: anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never,
        width: if terminal { terminal_width() } else { 100 },
        verbose,
    }
}

fn terminal_width() -> usize {
    let size = terminal_size::terminal_size();
    size.map_or(100, |(width, _)| usize::from(width.0).clamp(60, 120))
}
