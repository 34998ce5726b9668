//! Reading engines: false ones on real sockets, and a real one where there is one.

pub mod fake;
pub mod real;

use std::time::Duration;

use portplan::engine::endpoint::{Choice, Endpoint, Surroundings, resolve};
use portplan::engine::{EngineError, Limits, Snapshot, observe};

/// The endpoint that `--host` names.
pub fn endpoint(host: &str) -> Endpoint {
    let around = Surroundings {
        variable: &|_| None,
        home: None,
        exists: &|path| path.exists(),
    };
    resolve(Choice::Host(host), &around).unwrap()
}

/// Reads an engine with these limits in seconds.
fn observe_within(host: &str, request: f32, total: f32) -> Result<Snapshot, EngineError> {
    let limits = Limits {
        request: Duration::from_secs_f32(request),
        total: Duration::from_secs_f32(total),
    };
    observe(&endpoint(host), limits)
}
