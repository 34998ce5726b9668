//! `portplan init`

use std::fs;
use std::io::Write as _;

use camino::{Utf8Path, Utf8PathBuf};
use clap::{Args, ValueEnum};

use super::{Status, print};
use crate::settings::{find, init};
use crate::source;

/// Write a commented portplan.yaml, and show how to run portplan in a hook and in CI
///
/// Files that exist already stay as they are.
#[derive(Args)]
#[command(before_help = "Examples:\n  portplan init\n  portplan init --hook --ci github")]
pub struct InitArgs {
    /// The folder; none: the current one
    #[arg(value_name = "DIR")]
    folder: Option<Utf8PathBuf>,
    /// Also write .pre-commit-config.yaml
    #[arg(long)]
    hook: bool,
    /// Also write the job of this CI
    #[arg(long, value_enum, value_name = "CI")]
    ci: Option<Ci>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Ci {
    /// .github/workflows/portplan.yml
    Github,
    /// .gitlab-ci.yml
    Gitlab,
}

impl Ci {
    fn file(self) -> (&'static str, String) {
        match self {
            Self::Github => (".github/workflows/portplan.yml", init::github()),
            Self::Gitlab => (".gitlab-ci.yml", init::gitlab()),
        }
    }
}

pub(super) fn run(args: &InitArgs) -> Status {
    let folder = args.folder.clone().unwrap_or_default();
    if !folder.as_str().is_empty() && !folder.is_dir() {
        anstream::eprintln!("error: `{folder}` is not a folder: make it first, or name another");
        return Status::Partial;
    }
    let known = find::NAMES.iter().map(|name| folder.join(name));
    let config = known.clone().find(|path| path.exists());
    let config = config.unwrap_or_else(|| folder.join(find::NAMES[0]));
    let hook = (".pre-commit-config.yaml", init::hook());
    // the CI that is there already, if none is named
    let is_gitlab = folder.join(".gitlab-ci.yml").exists();
    let guess = if is_gitlab { Ci::Gitlab } else { Ci::Github };
    let ci = args.ci.unwrap_or(guess).file();
    let mut written = write(&config, &init::config());
    for ((name, text), wanted) in [(hook, args.hook), (ci, args.ci.is_some())] {
        let path = folder.join(name);
        if wanted && !path.exists() {
            written &= write(&path, &text);
        } else {
            if wanted {
                anstream::eprintln!(
                    "note: {path} exists already and stays as it is; this would be the new one:"
                );
            }
            print(&format!("\n{path}:\n\n{}", indented(&text)));
        }
    }
    match written {
        true => Status::Clean,
        false => Status::Partial,
    }
}

/// Writes a file that is not there yet; false if it cannot be.
fn write(path: &Utf8Path, text: &str) -> bool {
    let folder = path.parent().filter(|folder| !folder.as_str().is_empty());
    let made = folder.map_or(Ok(()), fs::create_dir_all);
    // what somebody else has written meanwhile stays, too
    let file = made.and_then(|()| fs::File::options().write(true).create_new(true).open(path));
    let written = file.and_then(|mut file| {
        file.write_all(text.as_bytes()).inspect_err(|_| {
            // half a file would be in the way of the next attempt
            let _ = fs::remove_file(path);
        })
    });
    match written {
        Ok(()) => print(&format!("wrote {path}\n")),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            print(&format!("{path} exists already and stays as it is\n"));
        }
        Err(error) => {
            anstream::eprintln!(
                "error: cannot write `{path}`: {}",
                source::reason_to_write(&error)
            );
            return false;
        }
    }
    true
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}
