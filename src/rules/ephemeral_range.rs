//! # ephemeral-range
//!
//! ## What it finds
//! A host port from the range that the kernel lends to outgoing connections: 32768 to 60999 on Linux
//! as delivered, or what `--live` or `--against` says. One that the host keeps out of it
//! (`net.ipv4.ip_local_reserved_ports`) is left alone, and so is one in a pool of the settings.
//!
//! ## Why
//! Every outgoing connection borrows a port of this range. If one has just this port when the
//! container starts, the bind fails: `address already in use`, with no program to be found that
//! listens there. It passes by itself, and comes back with the load, at boot above all.
//!
//! ## Example
//! ```yaml
//! services: # fires
//!   web: { image: web, ports: ["50000:80"] }
//! ```
//! ```yaml
//! services: # silent
//!   web: { image: web, ports: ["8080:80"] }
//! ```
//!
//! ## Remedy
//! Publish a port outside of the range, which the message names. Or have the kernel lend it to nobody:
//! `sysctl net.ipv4.ip_local_reserved_ports=50000`.
//!
//! ## Sources
//! [Linux: `ip_local_port_range`, `ip_local_reserved_ports`](https://docs.kernel.org/networking/ip-sysctl.html);
//! engines were seen to fail on a port that a connection held.

use super::describe::Entry;
use super::{Context, Rule, propose};
use crate::finding::{Finding, Severity};
use crate::plan::bars;

pub(super) const RULE: Rule = Rule::new(
    "ephemeral-range",
    Severity::Notice,
    include_str!("ephemeral_range.rs"),
    check,
)
.fixed_when_asked();

fn check(rule: &Rule, cx: &Context<'_>, out: &mut Vec<Finding>) {
    out.extend(propose::proposed(cx, |entry| lent(rule, cx, entry)));
}

fn lent(rule: &Rule, cx: &Context<'_>, entry: &Entry<'_, '_>) -> Option<Finding> {
    let mut claims = entry.claims();
    let range = claims.find_map(|claim| bars::lent(cx.world, entry.host, claim))?;
    let (who, ports, protocol) = (entry.who(), entry.published()?, entry.protocol());
    let message = format!(
        "{who} publishes {ports}/{protocol}, and outgoing connections borrow ports from {range}"
    );
    Some(entry.remark_there(rule, message))
}
