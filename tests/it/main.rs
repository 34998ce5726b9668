//! The integration tests, one binary for all of them.

mod allocation;
mod binding;
mod collisions;
mod common;
mod conformance;
mod engine_table;
mod schemas;
mod tables;
