//! One binary for all integration tests.

mod allocation;
mod binding;
mod engine_table;
