//! Compose projects, read as Docker Compose v2 reads them.

pub mod text;
