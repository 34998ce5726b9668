//! The limits of macOS and Windows, from the programs that tell them.

use std::io;
use std::process::{Command, Stdio};

#[cfg(not(windows))]
use super::PortRange;
use super::{Error, Excluded, Limits, ipv6};
#[cfg(windows)]
use super::{dynamic_ports, excluded_ranges};

#[cfg(windows)]
pub(super) fn read() -> Result<Limits, Error> {
    let netsh =
        |what: &str, protocol: &str| run("netsh", &["interface", "ipv4", "show", what, protocol]);
    let dynamic = netsh("dynamicport", "tcp")?;
    let excluded = |protocol| {
        let protocol = format!("protocol={protocol}");
        netsh("excludedportrange", &protocol).map(|text| excluded_ranges(&text))
    };
    let (tcp, mut reserved) = excluded("tcp")?;
    let (udp, reserved_udp) = excluded("udp")?;
    reserved.extend(reserved_udp);
    Ok(Limits {
        unprivileged_start: 0,
        ephemeral: dynamic_ports(&dynamic)
            .ok_or_else(|| Error::form("netsh interface ipv4 show dynamicport", &dynamic))?,
        reserved,
        excluded: Excluded { tcp, udp },
        airplay: false,
        nonlocal_bind: false,
        ipv6: ipv6(),
    })
}

#[cfg(not(windows))]
pub(super) fn read() -> Result<Limits, Error> {
    let port = |name: &str| {
        let text = run("sysctl", &["-n", name])?;
        let port: Result<u16, _> = text.trim().parse();
        port.map_err(|_| Error::form(name, &text))
    };
    let (first, last) = (
        port("net.inet.ip.portrange.first")?,
        port("net.inet.ip.portrange.last")?,
    );
    Ok(Limits {
        unprivileged_start: 1024,
        // The kernels accept the two in either order.
        ephemeral: PortRange {
            first: first.min(last),
            last: first.max(last),
        },
        reserved: Vec::new(),
        excluded: Excluded::default(),
        airplay: airplay(),
        nonlocal_bind: false,
        ipv6: ipv6(),
    })
}

#[cfg(target_os = "macos")]
fn airplay() -> bool {
    let monterey = run("sysctl", &["-n", "kern.osproductversion"]).is_ok_and(|text| {
        let major = text
            .split('.')
            .next()
            .and_then(|major| major.trim().parse().ok());
        major.is_some_and(|major: u32| major >= 12)
    });
    let entry = [
        "-currentHost",
        "read",
        "com.apple.controlcenter",
        "AirplayRecieverEnabled",
    ];
    // `defaults` fails where there is no entry.
    monterey && run("defaults", &entry).map_or(true, |text| super::airplay_is_on(&text))
}

#[cfg(not(any(windows, target_os = "macos")))]
fn airplay() -> bool {
    false
}

/// What a program of the system's prints.
fn run(program: &str, arguments: &[&str]) -> Result<String, Error> {
    let failed = |source| Error::Command {
        command: format!("{program} {}", arguments.join(" ")),
        source,
    };
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(failed)?;
    if !output.status.success() {
        return Err(failed(io::Error::other(output.status.to_string())));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
