//! `portplan rules` and `portplan explain`

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};

use super::{Status, print};
use crate::report::rules::{Catalogue, page};
use crate::rules::{RULES, Rule};

/// List the rules
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

pub(super) fn run(args: &RulesArgs) -> Status {
    let rules = Catalogue::new();
    match args.format {
        Format::Human => print(&rules.table()),
        Format::Json => super::print_json(&rules),
        Format::Markdown => print(&rules.markdown("docs/rules/")),
    }
    Status::Clean
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
