//! One binary for all integration tests.

mod allocation;
mod engine_table;
