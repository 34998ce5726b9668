//! The integration tests, one binary for all of them.

mod engine;
mod tables;
