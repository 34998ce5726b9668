//! `portplan` alone.

use camino::Utf8PathBuf;

use super::{Command, ProjectArgs, Status, check, input, usage};
use crate::compose::search::is_compose_file;
use crate::source::{Disk, Files as _};

/// Checks the project that is here, or else those below, and says what to type next.
pub(super) fn run(projects: &ProjectArgs) -> Status {
    let is_here = match projects.read(&[]) {
        Ok(input) => input.found,
        Err(error) => return usage(&error),
    };
    let below = match is_here {
        true => Vec::new(),
        false => below(),
    };
    if !is_here && below.is_empty() {
        anstream::eprintln!("there is no compose file here, above or below");
        next(&[
            ("portplan check FOLDER", "checks all projects of a folder"),
            ("portplan --help", "shows all commands"),
        ]);
        return Status::Nothing;
    }
    let words = ["portplan", "check"].map(Utf8PathBuf::from);
    let words = words.into_iter().chain(below).map(Into::into);
    // nothing can be wrong with these
    let check = super::parse(words).map(|cli| cli.command);
    let Ok(Some(Command::Check(args))) = check else {
        return Status::Partial;
    };
    let status = check::run(&args, projects);
    if !is_here {
        anstream::eprintln!("note: there is no compose file here: the projects below were checked");
    }
    let at = if is_here { "" } else { " ." };
    match status {
        Status::Findings => next(&[
            (
                &format!("portplan plan{at}"),
                "shows the least that has to move",
            ),
            (&format!("portplan fix{at}"), "writes it"),
            ("portplan explain RULE", "says why something is a problem"),
        ]),
        Status::Partial => next(&[(
            "portplan",
            "once more, when what is named above is mended: the rest was checked",
        )]),
        Status::Clean if !is_here => next(&[
            (
                "portplan check . --together",
                "if all of them run on one host",
            ),
            (
                "portplan check . --live",
                "also looks at what this machine holds",
            ),
        ]),
        Status::Clean | Status::Nothing => next(&[
            (
                "portplan check --live",
                "also looks at what this machine holds",
            ),
            ("portplan list", "shows all published ports"),
        ]),
    }
    status
}

/// The compose files below the working directory, of a huge tree only the first.
fn below() -> Vec<Utf8PathBuf> {
    let Ok(cwd) = input::working_directory() else {
        return Vec::new();
    };
    let files = Disk.walk(&cwd).into_iter();
    let compose = files.filter(|file| file.file_name().is_some_and(is_compose_file));
    let shown = compose.map(|file| file.strip_prefix(&cwd).map_or(file.clone(), Into::into));
    shown.collect()
}

/// Says what to type next.
fn next(lines: &[(&str, &str)]) {
    let width = lines.iter().map(|(line, _)| line.len()).max().unwrap_or(0);
    anstream::eprintln!("\nnext:");
    for (line, words) in lines {
        anstream::eprintln!("  {line:width$}  {words}");
    }
}
