//! A port-conflict linter and planner for Docker and Compose.

pub mod compose;
pub mod engine;
pub mod source;
pub mod span;
pub mod yaml;
