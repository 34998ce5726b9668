//! A port-conflict linter and planner for Docker and Compose.
//!
//! One direction: [`source`] -> [`yaml`] -> [`compose`] -> claims -> allocation -> rules ->
//! findings -> [`report`]. What two bindings hold, and whether both can be had, is [`binding`].

pub mod binding;
pub mod cli;
pub mod compose;
pub mod report;
pub mod source;
pub mod span;
pub mod yaml;
