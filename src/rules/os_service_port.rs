//! # os-service-port
//!
//! ## What it finds
//! A host port that the operating system keeps for a service of its own: 5000 and 7000 for the
//! AirPlay Receiver of macOS, and the port ranges that Windows excludes. Needs `--live` or
//! `--against` with such a machine; the files alone say nothing of it, as most are for Linux.
//!
//! ## Why
//! macOS listens on 5000 and 7000 as delivered. In an excluded range of Windows nothing listens,
//! and yet every bind fails: `An attempt was made to access a socket in a way forbidden by its
//! access permissions`. The ranges change when Windows starts. A range of host ports that lies
//! only partly there is a warning: the engine does not know, and may choose such a port.
//!
//! ## Example
//! ```yaml
//! services: # fires, on a Mac
//!   web: { image: web, ports: ["5000:80"] }
//! ```
//! ```yaml
//! services: # silent
//!   web: { image: web, ports: ["5001:80"] }
//! ```
//!
//! ## Remedy
//! Publish another port. Or turn the AirPlay Receiver off; on Windows, as administrator, stop
//! `winnat`, exclude the port yourself, which leaves it to programs that ask for it, and start
//! `winnat` again.
//!
//! ## Sources
//! [AirPlay Receiver](https://github.com/docker/docs/issues/14226);
//! [excluded ranges](https://github.com/docker/for-win/issues/3171)

use super::describe::{Entry, held_by};
use super::{Context, Needs, Rule};
use crate::binding::{Port, Protocol};
use crate::finding::{Finding, Severity};
use crate::host::{AIRPLAY_PORTS, Snapshot};
use crate::machine::Use;
use crate::machine::words::{AIRPLAY, AIRPLAY_OFF};

pub(super) const RULE: Rule = Rule::new(
    "os-service-port",
    Severity::Error,
    include_str!("os_service_port.rs"),
    check,
)
.fixed()
.needs(Needs::Machine);

fn check(rule: &Rule, cx: &Context<'_>, out: &mut Vec<Finding>) {
    held_by(rule, cx, |who| matches!(who, Use::AirPlay(_)), out);
    for host in cx.hosts {
        let Some(system) = host.machine.and_then(|machine| machine.host.as_ref()) else {
            continue;
        };
        for claims in host.entries() {
            let entry = Entry::of(cx.world, host, claims[0]);
            out.extend(excluded(rule, cx, system, &entry));
            out.extend(unseen(rule, cx, system, &entry));
        }
    }
}

/// Where Windows lets nobody bind.
fn excluded(
    rule: &Rule,
    cx: &Context<'_>,
    system: &Snapshot,
    entry: &Entry<'_, '_>,
) -> Option<Finding> {
    let ranges = system.limits.excluded(entry.protocol());
    let severity = entry.barred(|port| ranges.iter().any(|range| range.contains(port.get())))?;
    let (who, ports, protocol) = (entry.who(), entry.published()?, entry.protocol());
    let mut finding = entry.finding(
        rule,
        cx,
        match severity {
            Severity::Error => {
                format!("{who} wants {ports}/{protocol}, which Windows excludes from use")
            }
            _ => format!("{who} may get one of {ports}/{protocol} that Windows excludes from use"),
        },
    );
    finding.severity = severity;
    let list = format!("netsh interface ipv4 show excludedportrange protocol={protocol}");
    finding.notes.push(format!(
        "`{list}` lists what is excluded until the next boot"
    ));
    Some(finding)
}

/// Where the AirPlay Receiver is on and not seen: without root, macOS hides the sockets of other
/// users.
fn unseen(
    rule: &Rule,
    cx: &Context<'_>,
    system: &Snapshot,
    entry: &Entry<'_, '_>,
) -> Option<Finding> {
    let seen = |port: Port| {
        system
            .sockets
            .iter()
            .any(|socket| Port::from(socket.port) == port)
    };
    if !system.limits.airplay || entry.protocol() != Protocol::Tcp {
        return None;
    }
    entry.barred(|port| AIRPLAY_PORTS.contains(&port.get()) && !seen(port))?;
    let mut finding = entry.finding(
        rule,
        cx,
        format!(
            "{} may not get {}/tcp, because {AIRPLAY} is on",
            entry.who(),
            entry.published()?
        ),
    );
    finding.severity = Severity::Warning;
    finding.help = finding
        .help
        .map(|moved| format!("{AIRPLAY_OFF}; or {moved}"));
    Some(finding)
}
