//! A port-conflict linter and planner for Docker and Compose.

pub mod binding;
pub mod compose;
pub mod source;
pub mod span;
