//! Compose projects, read as Docker Compose v2 reads them.
//!
//! The stages follow compose-go's loader (compose.md 1): [`discover`] finds the files,
//! [`document`] replaces the variables of each, `extends` and `include` pull other files in,
//! [`merge`] lays one on the other, [`port`] reads the ports, and [`project`] is the result.

mod checks;
pub mod discover;
pub mod document;
pub mod dotenv;
pub mod environment;
pub mod exclude;
mod extends;
mod include;
pub mod interpolate;
mod load;
pub mod merge;
pub mod path;
pub mod port;
pub mod problem;
pub mod profiles;
pub mod project;
pub mod reading;
mod relations;
pub mod search;
mod service;
pub mod text;
