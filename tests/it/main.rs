//! The integration tests, one binary for all of them.

mod allocation;
mod baseline;
mod binding;
mod cli;
mod collisions;
mod common;
mod conformance;
mod documents;
mod edit_common;
mod edit_corpus;
mod edit_env;
mod edit_override;
mod edit_own;
mod edit_place;
mod edit_random;
mod edit_rewrite;
mod edit_write;
#[cfg(unix)]
mod engine;
mod engine_table;
mod exclude;
mod first_minute;
mod fix;
mod fuzz_regressions;
#[cfg(unix)]
mod gate;
#[cfg(target_os = "linux")]
mod host;
mod list_markdown;
#[cfg(target_os = "linux")]
mod live;
mod measured;
mod mention;
mod mishaps;
#[cfg(unix)]
mod newcomer;
#[cfg(unix)]
mod packages;
mod plan;
mod reports;
mod rules;
mod rules_forms;
mod rules_ports;
mod schemas;
mod settings;
mod settled;
mod shared_hosts;
mod since;
mod suppress;
mod tables;
mod undocumented;
mod worktree;
