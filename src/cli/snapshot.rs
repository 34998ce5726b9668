//! `portplan snapshot`

use clap::Args;

use super::machine::MachineArgs;
use super::{Status, print_json, tell};

/// Print this machine's state as JSON, for `check --against`
///
/// Containers, sockets, addresses and limits; no environment, no command lines.
#[derive(Args)]
#[command(
    before_help = "Examples:\n  portplan snapshot > host.json       here\n  portplan check --against host.json  where this machine cannot be reached"
)]
pub struct SnapshotArgs {
    #[command(flatten)]
    machine: MachineArgs,
}

pub(super) fn run(args: &SnapshotArgs) -> Status {
    let seen = args.machine.read(true);
    tell(&seen.problems, &seen.remarks);
    // a partial view must not be stored as a whole one
    if let ([], [machine]) = (&seen.problems[..], &seen.machines[..]) {
        print_json(machine);
        return Status::Clean;
    }
    if seen.problems.is_empty() {
        anstream::eprintln!(
            "error: a snapshot is of one machine: name only one with --context or --host"
        );
    }
    Status::Partial
}
