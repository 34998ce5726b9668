//! `portplan schema`

use clap::Args;

use super::{Status, print};
use crate::report::schema;

/// Print the JSON Schema of an output
#[derive(Args)]
pub struct SchemaArgs {
    /// Which output
    #[arg(value_parser = schema::NAMES)]
    name: String,
}

pub(super) fn run(args: &SchemaArgs) -> Status {
    print(schema::of(&args.name).unwrap_or_default());
    Status::Clean
}
