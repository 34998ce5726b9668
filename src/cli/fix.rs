//! `portplan fix`

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;

use super::policy::{self, PolicyArgs, counted};
use super::view::{View, ViewArgs};
use super::{ProjectArgs, Status, print};
use crate::binding::{Port, PortRange};
use crate::edit::{self, Options, Patch, WriteError};
use crate::plan::{Policy, PublishId, Remap};
use crate::remedy::Remedy;
use crate::report::mention::lines as mention_lines;
use crate::report::plan::{Proposal, VERSION};
use crate::source;
use crate::worktree;

/// Write the least that must change so that everything can run
///
/// Changes the bytes of port numbers and nothing else, proves it by reading the files again before
/// they are written, and writes all of them or none.
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
    #[arg(long, value_name = "FILE", conflicts_with_all = ["pins", "services", "rules", "strategy",
        "into", "follow", "live", "against", "together", "paths", "interactive"])]
    plan: Option<Utf8PathBuf>,
    /// Ask before each move
    #[arg(short, long)]
    interactive: bool,
    /// Also move ports that other files name
    #[arg(long)]
    unsafe_fixes: bool,
    /// Only make `${WEB_PORT:-8080}:80` of `8080:80`, so that an env file can give another port;
    /// nothing moves
    #[arg(long, conflicts_with_all = ["plan", "interactive", "into", "follow"])]
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
    let (view, partial) = match policy::look(&args.policy, &args.view, projects) {
        Ok(looked) => looked,
        Err(status) => return status,
    };
    if args.parameterize {
        return parameterize(args, &view, partial);
    }
    // a yes to each move is enough
    let manner = args.policy.manner(args.unsafe_fixes || args.interactive);
    let propose = |policy| policy::remedy(&view, policy, manner);
    let found = if args.interactive {
        ask(&view, args.policy.policy(&view), &propose)
    } else {
        propose(args.policy.policy(&view))
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
        print(policy::nothing(partial));
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
fn parameterize(args: &FixArgs, view: &View, partial: bool) -> Status {
    let projects = &view.world.projects;
    let policy = args.policy.policy(view);
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
    let files = proposal.files.iter().map(|file| file.file.as_str());
    match proposal.files.len() {
        0 => "no file was changed\n".to_owned(),
        _ => format!(
            "\nmoved {ports} in {}\n",
            files.collect::<Vec<_>>().join(", ")
        ),
    }
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

/// An answer to a proposed move.
enum Answer {
    Yes,
    No,
    To(Port),
    Quit,
}

/// Asks before each move, and plans anew around what is not accepted.
fn ask(
    view: &View,
    mut policy: Policy,
    propose: &dyn Fn(Policy) -> Result<(Remedy, Proposal), Status>,
) -> Result<(Remedy, Proposal), Status> {
    let mut accepted: Vec<(Vec<PublishId>, PortRange)> = Vec::new();
    let mut quit = false;
    loop {
        let (remedy, proposal) = propose(policy.clone())?;
        let refused = policy.wishes.iter().find(|(id, port)| {
            let target = remedy.plan.target([**id]);
            target.is_none_or(|to| to.first() != **port)
        });
        if let Some((id, port)) = refused.map(|(id, port)| (*id, *port)) {
            anstream::eprintln!("{port} is not free");
            policy.wishes.remove(&id);
            continue;
        }
        let open = remedy.plan.remaps.iter().find(|remap| {
            let ids = ids(remap);
            let wished = ids.iter().any(|id| policy.wishes.contains_key(id));
            !wished && !accepted.contains(&(ids, remap.to))
        });
        let Some(remap) = open else {
            return Ok((remedy, proposal));
        };
        let answer = if quit {
            Answer::No
        } else {
            question(view, remap, &remedy)
        };
        match answer {
            Answer::Yes => accepted.push((ids(remap), remap.to)),
            Answer::To(port) => {
                policy
                    .wishes
                    .extend(ids(remap).into_iter().map(|id| (id, port)));
            }
            Answer::No | Answer::Quit => {
                quit |= matches!(answer, Answer::Quit);
                let kept = ids(remap)
                    .into_iter()
                    .map(|id| (id, "stays as you said".to_owned()));
                policy.unwritable.extend(kept);
            }
        }
    }
}

fn ids(remap: &Remap) -> Vec<PublishId> {
    remap.moves.iter().map(|it| it.publish).collect()
}

fn question(view: &View, remap: &Remap, remedy: &Remedy) -> Answer {
    let names = remap
        .moves
        .iter()
        .map(|it| &it.publish.of(&view.world.projects).1.name);
    let mut names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    names.dedup();
    let input = std::io::stdin();
    let mentions: Vec<_> = remedy.mentions_of(&remap.moves).collect();
    anstream::eprint!("{}", mention_lines(&mentions, remedy.followed));
    loop {
        let (who, from, to) = (names.join(", "), remap.from, remap.to);
        anstream::eprint!("move {who} from {from} to {to}? [y]es, [n]o, another port, [q]uit: ");
        let _ = std::io::stderr().flush();
        let mut line = String::new();
        // the end of the input is a no to all that is left
        if input.lock().read_line(&mut line).unwrap_or(0) == 0 {
            anstream::eprintln!();
            return Answer::Quit;
        }
        if !input.is_terminal() {
            anstream::eprintln!();
        }
        match line.trim() {
            "y" | "yes" => return Answer::Yes,
            "n" | "no" => return Answer::No,
            "q" | "quit" => return Answer::Quit,
            other => match other.parse() {
                Ok(port) => return Answer::To(port),
                Err(_) => {
                    anstream::eprintln!("`{other}` is not an answer: type y, n, q or a port number")
                }
            },
        }
    }
}
