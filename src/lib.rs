//! A port-conflict linter and planner for Docker and Compose.
//!
//! One direction: [`source`] -> [`yaml`] -> [`compose`] -> [`claim`] -> [`graph`] -> [`rules`] ->
//! [`finding`] -> [`report`]. What two bindings hold, and whether both can be had, is [`binding`].

pub mod baseline;
pub mod binding;
pub mod claim;
pub mod cli;
pub mod compose;
pub mod document;
pub mod edit;
pub mod engine;
pub mod finding;
pub mod fingerprint;
pub mod glob;
pub mod graph;
pub mod host;
pub mod machine;
pub mod mention;
pub mod plan;
pub mod remedy;
pub mod report;
pub mod revision;
pub mod rules;
pub mod settings;
pub mod source;
pub mod span;
pub mod stack;
pub mod suppress;
pub mod worktree;
pub mod world;
pub mod yaml;
