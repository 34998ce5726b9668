//! Which published ports can be had together on one Docker engine.
//!
//! The rules are those of `engine.md` (cited by section): what a [`Binding`] holds on the host,
//! whether two can both be had ([`overlap()`]), whether a whole set can ([`allocate()`]), and, step
//! by step, what an engine does when containers start ([`simulate`]). Pure: nothing is looked up.

pub mod address;
pub mod allocate;
pub mod engine;
mod flow;
mod map_order;
pub mod network;
pub mod overlap;
pub mod port;
mod port_set;
mod range_claims;
pub mod simulate;
pub mod socket;
pub mod verdict;

pub use address::{Binding, HostIp, InvalidHostIp, Published};
pub use allocate::{Cause, Claim, Collision, Container, Existing, Member, allocate};
pub use engine::{Engine, Generation, InvalidVersion, LocalAddresses, Version, Wildcard};
pub use network::{Addresses, Bridge, Network, Refusal, addresses, refusal};
pub use overlap::{overlap, overlap_host, overlap_in_container};
pub use port::{InvalidPort, InvalidPortRange, InvalidProtocol, Port, PortRange, Protocol};
pub use port_set::PortSet;
pub use socket::{Hold, Socket, SocketState, holds};
pub use verdict::{Meeting, Overlap, Reason, Why};
