//! What shells and `man` know of the command line: `portplan completions`, `portplan man`.

use camino::Utf8PathBuf;
use clap::Args;
use clap_complete::Shell;

use super::{Status, print};
use crate::source;

/// Print a completion script for a shell
#[derive(Args)]
#[command(
    before_help = "Examples:\n  source <(portplan completions bash)\n  portplan completions fish > ~/.config/fish/completions/portplan.fish"
)]
pub struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Write the man pages into a folder
#[derive(Args)]
#[command(before_help = "Examples:\n  portplan man ~/.local/share/man/man1")]
pub struct ManArgs {
    /// The folder; it is made if it is not there
    #[arg(value_name = "FOLDER")]
    folder: Utf8PathBuf,
}

pub(super) fn completions(args: &CompletionsArgs) -> Status {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "portplan", &mut script);
    print(&String::from_utf8_lossy(&script));
    Status::Clean
}

pub(super) fn man(args: &ManArgs) -> Status {
    let folder = &args.folder;
    let written = std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(manual(super::command()), folder));
    match written {
        Ok(()) => Status::Clean,
        Err(error) => {
            anstream::eprintln!(
                "error: cannot write the man pages to `{folder}`: {}",
                source::reason_to_write(&error)
            );
            Status::Partial
        }
    }
}

/// A manual has its examples at the end.
fn manual(command: clap::Command) -> clap::Command {
    let parts = [command.get_before_help(), command.get_after_help()];
    let parts: Vec<String> = parts
        .into_iter()
        .flatten()
        .map(ToString::to_string)
        .collect();
    let command = match parts[..] {
        [] => command,
        _ => command.after_help(parts.join("\n\n")),
    };
    command.mut_subcommands(manual)
}
