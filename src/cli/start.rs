//! `portplan` alone.

use super::{Command, ProjectArgs, Status, check};

/// Checks what is here, then says what to type next.
pub(super) fn run(projects: &ProjectArgs) -> Status {
    // without arguments there is nothing to be wrong with
    let check = super::parse(["portplan".into(), "check".into()]);
    let Ok(Some(Command::Check(args))) = check.map(|cli| cli.command) else {
        return Status::Partial;
    };
    let status = check::run(&args, projects);
    let next = match status {
        Status::Clean => {
            "next: `portplan check --live` looks at what this machine holds, too; `portplan list` shows \
             all published ports"
        }
        Status::Findings => {
            "next: `portplan plan` shows the least that has to move, `portplan fix` writes it; \
             `portplan explain RULE` says why something is a problem"
        }
        Status::Partial => {
            "next: mend what is named above, and run portplan again; all else was checked"
        }
        Status::Nothing => {
            let help = super::command().render_help();
            anstream::eprint!("\n{help}");
            return status;
        }
    };
    anstream::eprintln!("\n{next}");
    status
}
