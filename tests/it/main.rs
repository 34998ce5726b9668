//! The integration tests, one binary for all of them.

#[cfg(unix)]
mod engine;
mod tables;
