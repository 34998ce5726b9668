//! The integration tests, one binary for all of them.

#[cfg(target_os = "linux")]
mod host;
mod tables;
