//! Good host ports near another one.

use crate::binding::{Engine, Port, PortRange, PortSet};

/// Ports that browsers refuse to open.
///
/// Source: the "bad port" list of the Fetch standard, <https://fetch.spec.whatwg.org/#port-blocking>.
const BLOCKED_BY_BROWSERS: [u16; 82] = [
    1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102,
    103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465,
    512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993,
    995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668,
    6669, 6679, 6697, 10080,
];

/// Container ports behind which there is a web server, as far as a number tells.
const WEB: [u16; 14] = [
    80, 443, 3000, 4200, 5000, 5173, 8000, 8008, 8080, 8081, 8443, 8888, 9000, 9443,
];

/// Ports by which people and programs know a service: a database, a broker, a dashboard. Another
/// service there would be taken for it.
const WELL_KNOWN: [u16; 48] = [
    1433, 1521, 1883, 2181, 2375, 2376, 2377, 2379, 2380, 3306, 3389, 4222, 4317, 4318, 5044, 5432,
    5601, 5672, 5900, 5984, 6379, 6443, 7474, 7687, 7946, 8086, 8123, 8125, 8200, 8500, 8529, 8883,
    8983, 9042, 9090, 9092, 9093, 9100, 9200, 9300, 9418, 10250, 11211, 15672, 19530, 25565, 26257,
    27017,
];

/// True of a port by which people and programs know a service.
#[must_use]
pub fn is_well_known(port: Port) -> bool {
    WELL_KNOWN.contains(&port.get())
}

/// True of a container port behind which there most likely is a web server.
#[must_use]
pub fn is_web(port: Port) -> bool {
    WEB.contains(&port.get())
}

/// True of a port that browsers refuse to open.
#[must_use]
pub fn is_blocked_by_browsers(port: Port) -> bool {
    BLOCKED_BY_BROWSERS.contains(&port.get())
}

/// `count` neighbouring good ports near `port`, but not `port` itself; 80 goes to 8080 and 443 to
/// 8443.
#[must_use]
pub fn near(port: Port, count: u32, taken: &PortSet, engine: &Engine) -> Option<PortRange> {
    let start = match port.get() {
        80 => 8080,
        443 => 8443,
        low if low < 1024 => 8000 + u32::from(low),
        other => u32::from(other) + 1,
    };
    let mut taken = taken.clone();
    taken.insert(port);
    first_good(start, count, &taken, engine)
}

/// `count` neighbouring good host ports for container ports from `target` on: the same, if they are;
/// 80 goes to 8080 and 443 to 8443.
#[must_use]
pub fn like(target: Port, count: u32, taken: &PortSet, engine: &Engine) -> Option<PortRange> {
    let same = run(target, count, &bad(taken, engine, Some(target)));
    same.or_else(|| near(target, count, taken, engine))
}

/// The first `count` neighbouring good ports from `start` upwards, then downwards.
///
/// Not good are those that are [`bad`], unless `start` is only the port that a service is known by.
#[must_use]
pub fn first_good(start: u32, count: u32, taken: &PortSet, engine: &Engine) -> Option<PortRange> {
    let bad = bad(taken, engine, port(start));
    let gaps = |first, last| range(first, last).into_iter().flat_map(|it| bad.gaps(it));
    let above = gaps(start, u16::MAX.into());
    let below = gaps(1024, start.saturating_sub(1)).rev();
    let mut firsts = above.chain(below);
    firsts.find_map(|first| run(first, count, &bad))
}

/// The ports that nothing should move to: `taken`, privileged ports, the range that the kernel
/// lends to outgoing connections, ports that browsers refuse, and those that a service is known by,
/// unless it is the one `asked` for.
#[must_use]
pub fn bad(taken: &PortSet, engine: &Engine, asked: Option<Port>) -> PortSet {
    let known = WELL_KNOWN.into_iter().filter_map(Port::new);
    let mut bad = taken.clone();
    range(1, 1023).into_iter().for_each(|it| bad.add_range(it));
    bad.add_range(engine.ephemeral);
    bad.extend(BLOCKED_BY_BROWSERS.into_iter().filter_map(Port::new));
    bad.extend(known.filter(|known| asked != Some(*known)));
    bad
}

/// The `count` ports from `first` upwards, if none of them is taken, good or not.
#[must_use]
pub fn run(first: Port, count: u32, taken: &PortSet) -> Option<PortRange> {
    let first = u32::from(first.get());
    let run = range(first, first + count - 1)?;
    let mut ports = run.iter();
    ports.all(|port| !taken.contains(port)).then_some(run)
}

fn port(number: u32) -> Option<Port> {
    Port::new(u16::try_from(number).ok()?)
}

fn range(first: u32, last: u32) -> Option<PortRange> {
    PortRange::new(port(first)?, port(last)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_are_recognisable_and_free() {
        let port = |number| Port::new(number).unwrap();
        let taken = PortSet::from_iter([8080, 8081, 5433].map(port));
        let engine = Engine::default();
        for (from, count, to) in [
            (80, 1, 8082),
            (443, 1, 8443),
            (22, 1, 8022),
            (5432, 1, 5434),
            (5999, 1, 6001),
            (8079, 3, 8082),
            (40000, 1, 61000),
            (65535, 1, 65534),
        ] {
            let found = near(port(from), count, &taken, &engine).unwrap();
            assert_eq!((found.first(), found.len()), (port(to), count), "{from}");
        }
    }
}
