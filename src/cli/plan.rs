//! `portplan plan`

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};

use super::output;
use super::policy::{self, PolicyArgs};
use super::view::ViewArgs;
use super::{ProjectArgs, Status, print};
use crate::mention::{Kind, Mention};
use crate::remedy::Remedy;
use crate::report::plan::Proposal;

/// Show the least that must change so that everything can run
///
/// Writes nothing. `portplan fix` carries it out; `portplan fix --plan FILE` carries out exactly
/// what `-o FILE` has saved.
#[derive(Args)]
#[command(
    before_help = "Examples:\n  portplan plan                     what `portplan fix` would write\n  portplan plan -o plan.json        the same, saved for review\n  portplan plan stacks/ --together  for all projects below, on one host",
    after_help = "Exit status: 0 nothing has to move, 1 something has, 2 could not do all of \
    it, 3 no compose file"
)]
pub struct PlanArgs {
    /// Save the plan, for review and for `portplan fix --plan`; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<Utf8PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    #[command(flatten)]
    policy: PolicyArgs,
    #[command(flatten)]
    view: ViewArgs,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// A table and a diff
    Human,
    /// For programs; see `portplan schema plan`
    Json,
}

pub(super) fn run(args: &PlanArgs, projects: &ProjectArgs) -> Status {
    let (view, policy, mut partial) = match policy::look(&args.policy, &args.view, projects) {
        Ok(looked) => looked,
        Err(status) => return status,
    };
    let found = policy::remedy(&view, policy, args.policy.manner(true));
    let (remedy, proposal) = match found {
        Ok(found) => found,
        Err(status) => return status,
    };
    let to_stdout = args.output.as_deref().is_some_and(|path| path == "-");
    if let Some(path) = args.output.as_ref().filter(|_| !to_stdout) {
        partial |= !save(&proposal, path);
    }
    match args.format {
        _ if to_stdout => super::print_json(&proposal),
        Format::Json => super::print_json(&proposal),
        Format::Human if proposal.is_empty() => print(args.policy.nothing(partial)),
        Format::Human => {
            let diffs = policy::diffs(&remedy.changes.patches);
            let parts = [
                proposal.table(),
                diffs,
                proposal.mentioned(),
                proposal.left(),
            ];
            let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            print(&parts.join("\n"));
            print(&format!(
                "\n{}. {}.\n",
                proposal.verdict(),
                next_step(args, &proposal, &remedy)
            ));
        }
    }
    match partial {
        true => Status::Partial,
        false if proposal.is_empty() => Status::Clean,
        false => Status::Findings,
    }
}

fn next_step(args: &PlanArgs, proposal: &Proposal, remedy: &Remedy) -> String {
    let follow = |it: &Mention| it.kind == Kind::Follow;
    match &args.output {
        _ if proposal.files.is_empty() => "There is nothing to write".to_owned(),
        Some(path) => format!("`portplan fix --plan {path}` writes it"),
        None if remedy.broken().next().is_none() => {
            "`portplan fix` with the same flags writes it".to_owned()
        }
        None if remedy.broken().all(follow) => {
            "`portplan fix --follow` with the same flags writes it and what names these ports"
                .to_owned()
        }
        None => "`portplan fix --unsafe-fixes` with the same flags writes it, though other files \
                 name these ports"
            .to_owned(),
    }
}

/// Saves the plan; false if it cannot be.
fn save(proposal: &Proposal, path: &Utf8PathBuf) -> bool {
    // our own types have string keys only, so this cannot fail
    let mut text = serde_json::to_string_pretty(proposal).unwrap_or_default();
    text.push('\n');
    let ours = |text: &str| serde_json::from_str::<Proposal>(text).is_ok();
    if !output::may_replace(path, ours) {
        anstream::eprintln!("error: `{path}` exists and is not a plan: choose another name");
        return false;
    }
    match output::write(path, text) {
        Ok(()) => true,
        Err(error) => {
            anstream::eprintln!("error: {error}");
            false
        }
    }
}
