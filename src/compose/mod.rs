//! Compose projects, read as Docker Compose v2 reads them.

pub mod dotenv;
pub mod environment;
pub mod interpolate;
pub mod text;
