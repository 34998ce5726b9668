//! What shells and `man` know of the command line: `portplan completions`, `portplan man`.

use camino::Utf8PathBuf;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::{Cli, Status, print};
use crate::source;

/// Print a completion script for a shell
#[derive(Args)]
#[command(after_help = "Example: portplan completions bash > /etc/bash_completion.d/portplan")]
pub struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Write the man pages into a folder
#[derive(Args)]
#[command(after_help = "Example: portplan man /usr/local/share/man/man1")]
pub struct ManArgs {
    /// The folder; it is made if it is not there
    #[arg(value_name = "FOLDER")]
    folder: Utf8PathBuf,
}

pub(super) fn completions(args: &CompletionsArgs) -> Status {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "portplan", &mut script);
    print(&String::from_utf8_lossy(&script));
    Status::Clean
}

pub(super) fn man(args: &ManArgs) -> Status {
    let folder = &args.folder;
    let written = std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), folder));
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
