//! Where a published port could go instead.

pub mod candidates;
