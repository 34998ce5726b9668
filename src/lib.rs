//! A port-conflict linter and planner for Docker and Compose.

pub mod cli;
pub mod compose;
pub mod report;
pub mod source;
pub mod span;
pub mod yaml;
