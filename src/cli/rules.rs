//! `portplan rules` and `portplan explain`

use camino::Utf8Path;
use std::ffi::OsStr;

use clap::builder::{PossibleValue, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Args, ValueEnum};

use super::{ProjectArgs, Status, input, policy, print};
use crate::compose::discover::COMPOSE_FILES;
use crate::report::rules::{Catalogue, page};
use crate::rules::{RULES, Rule};
use crate::settings::RuleName;

/// List the rules, with the severity that each has in the current folder
///
/// That is its own, or the one that portplan.yaml gives it.
#[derive(Args)]
#[command(before_help = "Examples:\n  portplan rules\n  portplan rules --format markdown")]
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
#[command(before_help = "Examples:\n  portplan explain host-port-collision")]
pub struct ExplainArgs {
    /// The rule; `portplan rules` lists them
    #[arg(value_parser = RuleParser, hide_possible_values = true)]
    rule: RuleName,
}

pub(super) fn explain(args: &ExplainArgs) -> Status {
    if let Some(rule) = Rule::named(args.rule.0) {
        print(&page(rule));
    }
    Status::Clean
}

/// The name of a rule: shells know them all, and a slip of the pen names the nearest only.
#[derive(Clone, Copy, Debug)]
pub struct RuleParser;

impl TypedValueParser for RuleParser {
    type Value = RuleName;

    fn parse_ref(
        &self,
        command: &clap::Command,
        _: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<RuleName, clap::Error> {
        value.to_string_lossy().parse().map_err(|error: String| {
            clap::Error::raw(ErrorKind::ValueValidation, format!("{error}\n")).with_cmd(command)
        })
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(
            RULES.iter().map(|rule| PossibleValue::new(rule.name)),
        ))
    }
}
