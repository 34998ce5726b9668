//! `portplan fix`

use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;

use super::policy::{self, PolicyArgs, counted};
use super::view::{View, ViewArgs};
use super::{ProjectArgs, Status, ask, print};
use crate::edit::{self, Options, Patch, WriteError};
use crate::plan::{Policy, PublishId};
use crate::report::plan::{Proposal, VERSION};
use crate::source;
use crate::worktree;

/// Write the least that must change so that everything can run
///
/// Moves what cannot run; with --only or --all, what rules of less gravity find, too. Changes the
/// bytes that must change and nothing else, proves it by reading the files again before they are
/// written, and writes all of them or none.
#[derive(Args)]
#[command(
    before_help = "Examples:\n  portplan fix --diff  only show the change\n  portplan fix         write it\n  portplan fix --live  away from what this machine holds",
    after_help = "Exit status: 0 nothing is left to do, 1 something is, 2 could not do all of \
    it, 3 no compose file"
)]
pub struct FixArgs {
    /// Show the diff and write nothing
    #[arg(long)]
    diff: bool,
    /// Carry out a plan saved by `portplan plan -o`, exactly; nothing is written if a file has
    /// changed since
    #[arg(long, value_name = "FILE", conflicts_with_all = ["pins", "services", "rules", "all", "strategy",
        "into", "follow", "live", "against", "together", "paths", "interactive", "baseline",
        "since"])]
    plan: Option<Utf8PathBuf>,
    /// Ask before each edit
    #[arg(short, long)]
    interactive: bool,
    /// Also move ports that other files name
    #[arg(long)]
    unsafe_fixes: bool,
    /// Only make `${WEB_PORT:-8080}:80` of `8080:80`, so that an env file can give another port;
    /// nothing moves
    #[arg(long, conflicts_with_all = ["plan", "interactive", "into", "follow", "baseline", "since"])]
    parameterize: bool,
    /// Keep the old text of each file beside it, as FILE.bak
    #[arg(long)]
    backup: bool,
    #[command(flatten)]
    policy: PolicyArgs,
    #[command(flatten)]
    view: ViewArgs,
}

pub(super) fn run(args: &FixArgs, projects: &ProjectArgs) -> Status {
    if let Some(path) = &args.plan {
        return carry_out(args, path);
    }
    let (view, policy, partial) = match policy::look(&args.policy, &args.view, projects) {
        Ok(looked) => looked,
        Err(status) => return status,
    };
    if args.parameterize {
        return parameterize(args, &view, &policy, partial);
    }
    // a yes to each move is enough
    let manner = args.policy.manner(args.unsafe_fixes || args.interactive);
    let propose = |policy| policy::remedy(&view, policy, manner);
    let found = if args.interactive {
        ask::ask(&view, policy, &propose)
    } else {
        propose(policy)
    };
    let (remedy, proposal) = match found {
        Ok(found) => found,
        Err(status) => return status,
    };
    if args.diff {
        print(&policy::diffs(&remedy.changes.patches));
        anstream::eprint!("{}{}", proposal.mentioned(), proposal.left());
        return match (partial, proposal.is_empty()) {
            (true, _) => Status::Partial,
            (false, true) => Status::Clean,
            (false, false) => Status::Findings,
        };
    }
    if proposal.is_empty() {
        print(args.policy.nothing(partial));
        return if partial {
            Status::Partial
        } else {
            Status::Clean
        };
    }
    if let Err(status) = write(&remedy.changes.patches, args.backup) {
        return status;
    }
    tell(&proposal);
    if view.worktrees {
        let paths = remedy.changes.patches.iter().map(|patch| &*patch.path);
        for path in worktree::tracked(paths) {
            anstream::eprintln!(
                "note: git tracks {path}: with a commit, other worktrees get the change too"
            );
        }
    }
    let left = proposal.left();
    anstream::eprint!("{left}");
    match (partial, left.is_empty()) {
        (true, _) => Status::Partial,
        (false, true) => Status::Clean,
        (false, false) => Status::Findings,
    }
}

/// Gives the numbers of all services, or of those named, a variable with them as its default.
fn parameterize(args: &FixArgs, view: &View, policy: &Policy, partial: bool) -> Status {
    let projects = &view.world.projects;
    let mut publishes = Vec::new();
    for (project, of) in projects.iter().enumerate() {
        for (service, of) in of.services.iter().enumerate() {
            let ports = (0..of.ports.len()).map(|port| PublishId {
                project,
                service,
                port,
            });
            publishes.extend(ports.filter(|id| !policy.pins(*id, projects)));
        }
    }
    let workspace = policy::workspace(view);
    let changes = workspace.parameterize(&publishes);
    if let Err(disproof) = workspace.prove(&[], &changes) {
        anstream::eprintln!(
            "error: the edits did not pass the check that precedes writing: {disproof}"
        );
        anstream::eprintln!(
            "  help: nothing was written; this is a bug in portplan: please report it with the files"
        );
        return Status::Partial;
    }
    if args.diff {
        print(&policy::diffs(&changes.patches));
    } else {
        if let Err(status) = write(&changes.patches, args.backup) {
            return status;
        }
        let files = changes
            .patches
            .iter()
            .map(|patch| format!("{}\n", patch.shown));
        print(&files.collect::<String>());
    }
    match (partial, args.diff && !changes.patches.is_empty()) {
        (true, _) => Status::Partial,
        (false, true) => Status::Findings,
        (false, false) => Status::Clean,
    }
}

/// Says what was done.
fn tell(proposal: &Proposal) {
    print(&proposal.table());
    let mentioned = proposal.mentioned();
    if !mentioned.is_empty() {
        print(&format!("\n{mentioned}"));
    }
    print(&summary(proposal));
}

/// What was done, in one line.
fn summary(proposal: &Proposal) -> String {
    let ports = counted(proposal.moved as usize, "published port", "published ports");
    let findings = counted(proposal.rewrites.len(), "finding", "findings");
    let files: Vec<&str> = proposal
        .files
        .iter()
        .map(|file| file.file.as_str())
        .collect();
    let done = match (proposal.moved, proposal.rewrites.len()) {
        _ if files.is_empty() => return "no file was changed\n".to_owned(),
        (_, 0) => format!("moved {ports}"),
        (0, _) => format!("resolved {findings} in place"),
        _ => format!("moved {ports} and resolved {findings} in place"),
    };
    format!("\n{done} in {}\n", files.join(", "))
}

/// Writes the patches.
///
/// # Errors
/// The status to end with; the reason has been told.
fn write(patches: &[Patch], backup: bool) -> Result<(), Status> {
    match edit::write(patches, Options { backup }) {
        Ok(written) => {
            let changed = patches.iter().filter(|patch| patch.before.is_some());
            for (backup, patch) in written.backups.iter().zip(changed) {
                let name = backup.file_name().unwrap_or_default();
                let backup = patch.shown.with_file_name(name);
                anstream::eprintln!("note: the old text was kept in {backup}");
            }
            Ok(())
        }
        Err(error) => {
            anstream::eprintln!("error: {error}");
            if !matches!(error, WriteError::Halfway { .. }) {
                anstream::eprintln!("  help: no file was changed");
            }
            Err(Status::Partial)
        }
    }
}

/// Carries out a saved plan.
fn carry_out(args: &FixArgs, path: &Utf8Path) -> Status {
    let proposal = std::fs::read_to_string(path).map_err(|error| source::reason(&error));
    let proposal = proposal.and_then(|text| {
        serde_json::from_str::<Proposal>(&text)
            .map_err(|error| format!("it is not a plan ({error})"))
    });
    let proposal = match proposal {
        Ok(proposal) if proposal.version == VERSION => proposal,
        Ok(proposal) => {
            let version = proposal.version;
            anstream::eprintln!(
                "error: `{path}` is a plan of version {version}, and this portplan reads version {VERSION}: make a new one with `portplan plan -o {path}`"
            );
            return Status::Partial;
        }
        Err(reason) => {
            anstream::eprintln!("error: cannot read the plan `{path}`: {reason}");
            anstream::eprintln!("  help: make one with `portplan plan -o plan.json`");
            return Status::Partial;
        }
    };
    let patches: Result<Vec<Patch>, String> = proposal
        .files
        .iter()
        .map(|file| file.patch(Utf8Path::new(".")))
        .collect();
    let patches = match patches {
        Ok(patches) => patches,
        Err(reason) => {
            anstream::eprintln!("error: {reason}");
            anstream::eprintln!(
                "  help: nothing was written; make a new plan: `portplan plan -o plan.json`"
            );
            return Status::Partial;
        }
    };
    if args.diff {
        print(&policy::diffs(&patches));
    } else {
        if let Err(status) = write(&patches, args.backup) {
            return status;
        }
        tell(&proposal);
    }
    let left = proposal.left();
    anstream::eprint!("{left}");
    match args.diff && !patches.is_empty() || !left.is_empty() {
        true => Status::Findings,
        false => Status::Clean,
    }
}
