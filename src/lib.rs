//! A port-conflict linter and planner for Docker and Compose.
//!
//! One direction: [`source`] -> [`yaml`] -> [`compose`] -> [`claim`] -> [`graph`] -> [`rules`] ->
//! [`finding`] -> [`report`]. What two bindings hold, and whether both can be had, is [`binding`].

pub mod binding;
pub mod claim;
pub mod cli;
pub mod compose;
pub mod engine;
pub mod finding;
pub mod graph;
pub mod host;
pub mod machine;
pub mod plan;
pub mod report;
pub mod rules;
pub mod source;
pub mod span;
pub mod stack;
pub mod world;
pub mod yaml;
