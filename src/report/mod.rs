//! What people and programs get to see.

pub mod list;
pub mod place;
