//! The limits of Linux, from `/proc/sys`.

use super::{Error, Excluded, Limits, ipv6, port_list, two_ports};
use crate::host::read_file;

pub(super) fn read() -> Result<Limits, Error> {
    Ok(Limits {
        // Absent before Linux 4.11, where it was fixed.
        unprivileged_start: setting("ip_unprivileged_port_start", |text| text.parse().ok())
            .or_else(|error| absent(error, 1024))?,
        ephemeral: setting("ip_local_port_range", two_ports)?,
        reserved: setting("ip_local_reserved_ports", port_list)?,
        excluded: Excluded::default(),
        airplay: false,
        nonlocal_bind: setting("ip_nonlocal_bind", |text| Some(text != "0"))?,
        ipv6: ipv6(),
    })
}

/// One of `/proc/sys/net/ipv4`, which shows the network namespace of the thread that reads.
fn setting<T>(name: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, Error> {
    let path = format!("/proc/sys/net/ipv4/{name}");
    let text = read_file(&path)?;
    parse(text.trim()).ok_or_else(|| Error::form(&path, &text))
}

fn absent<T>(error: Error, default: T) -> Result<T, Error> {
    match error {
        Error::File { source, .. } if source.kind() == std::io::ErrorKind::NotFound => Ok(default),
        error => Err(error),
    }
}
