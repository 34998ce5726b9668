//! One binary for all integration tests.

mod engine_table;
