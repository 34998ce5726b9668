//! The integration tests, one binary for all of them.

mod allocation;
mod binding;
mod common;
mod conformance;
mod engine_table;
mod fuzz_regressions;
mod tables;
