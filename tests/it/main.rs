//! The integration tests, one binary for all of them.

mod allocation;
mod binding;
mod cli;
mod collisions;
mod common;
mod conformance;
mod documents;
#[cfg(unix)]
mod engine;
mod engine_table;
mod fuzz_regressions;
#[cfg(target_os = "linux")]
mod host;
#[cfg(target_os = "linux")]
mod live;
mod rules;
mod schemas;
mod tables;
