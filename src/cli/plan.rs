//! `portplan plan`

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};

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
    after_help = "Example: portplan plan stacks/ --together -o plan.json\n\n\
    Exit status: 0 nothing has to move, 1 something has, 2 could not do all it was asked, \
    3 no compose file"
)]
pub struct PlanArgs {
    /// Save the plan, for review and for `portplan fix --plan`
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
    /// For programs; see `schemas/plan.schema.json`
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
    if let Some(path) = &args.output {
        partial |= !save(&proposal, path);
    }
    match args.format {
        Format::Json => super::print_json(&proposal),
        Format::Human if proposal.is_empty() => print(args.policy.nothing()),
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
    // a slip such as `-o compose.yaml` must not cost a file
    let old = std::fs::read_to_string(path);
    let lost = old.is_ok_and(|old| serde_json::from_str::<Proposal>(&old).is_err());
    if lost || path.is_dir() {
        anstream::eprintln!("error: `{path}` is there and is no plan: choose another name");
        return false;
    }
    let saved = std::fs::write(path, text);
    if let Err(error) = &saved {
        anstream::eprintln!("error: cannot write `{path}`: {error}");
    }
    saved.is_ok()
}
