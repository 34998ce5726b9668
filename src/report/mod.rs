//! What people and programs get to see.

pub mod check;
pub mod concise;
pub mod holdings;
pub mod human;
pub mod list;
pub mod place;
pub mod schema;
pub mod table;
