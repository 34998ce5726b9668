//! `portplan rules` and `portplan explain`

use camino::Utf8Path;
use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};

use super::{ProjectArgs, Status, input, policy, print};
use crate::compose::discover::COMPOSE_FILES;
use crate::report::rules::{Catalogue, page};
use crate::rules::{RULES, Rule};

/// List the rules, as grave as portplan.yaml has them for a compose file of the current folder
#[derive(Args)]
pub struct RulesArgs {
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// Aligned columns
    Human,
    /// For programs; see `portplan schema rules`
    Json,
    /// A table, for a document
    Markdown,
}

pub(super) fn run(args: &RulesArgs, projects: &ProjectArgs) -> Status {
    let cwd = match input::working_directory() {
        Ok(cwd) => cwd,
        Err(error) => return super::usage(&error),
    };
    let settings = projects.config.settings(None, &cwd);
    let rules = Catalogue::of(&settings, Utf8Path::new(COMPOSE_FILES[0]));
    match args.format {
        Format::Human => print(&rules.table()),
        Format::Json => super::print_json(&rules),
        Format::Markdown => print(&rules.markdown("docs/rules/")),
    }
    match policy::tell_errors(&settings.problems, &settings.sources) {
        true => Status::Partial,
        false => Status::Clean,
    }
}

/// Show what a rule finds, why, and what to do
#[derive(Args)]
#[command(after_help = "Example: portplan explain host-port-collision")]
pub struct ExplainArgs {
    /// The rule; `portplan rules` lists them
    #[arg(
        value_parser = PossibleValuesParser::new(RULES.iter().map(|rule| rule.name)),
        hide_possible_values = true
    )]
    rule: String,
}

pub(super) fn explain(args: &ExplainArgs) -> Status {
    if let Some(rule) = Rule::named(&args.rule) {
        print(&page(rule));
    }
    Status::Clean
}
