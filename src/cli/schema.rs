//! `portplan schema`

use clap::Args;

use super::{Status, print};
use crate::report::schema;

/// Print the JSON Schema of an output, or of portplan.yaml
#[derive(Args)]
#[command(
    before_help = "Examples:\n  portplan schema findings  of `portplan check --format json`\n  portplan schema config    of portplan.yaml"
)]
pub struct SchemaArgs {
    /// Which output
    #[arg(value_parser = schema::NAMES)]
    name: String,
}

pub(super) fn run(args: &SchemaArgs) -> Status {
    print(schema::of(&args.name).unwrap_or_default());
    Status::Clean
}
