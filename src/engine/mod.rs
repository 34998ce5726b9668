//! The container engine: which one, how to reach it, and what it holds.
//!
//! [`endpoint::resolve`] finds the engine as the docker command line would, [`observe`] reads it
//! into a [`Snapshot`]. The functions block; what is asynchronous stays inside.

mod client;
pub mod container;
pub mod endpoint;
mod error;
mod read;
pub mod snapshot;

pub use client::{Limits, observe};
pub use endpoint::Endpoint;
pub use error::{EngineError, Failure};
pub use snapshot::{Hints, Snapshot};
