//! Networks from which nothing is published.

use portplan::engine::container::{NetworkMode, Tenure};

use super::{PREFIX, engine, holds};

#[test]
fn networks_that_publish_nothing() {
    let Some(real) = engine() else { return };
    real.docker("network create --internal P-inside");
    real.docker("network create -o com.docker.network.bridge.host_binding_ipv4=127.0.0.1 P-local");
    real.docker("run -d --name P-host --network host -p 18300:80 IMAGE");
    real.docker("run -d --name P-none --network none -p 18301:80 IMAGE");
    real.docker("run -d --name P-inside --network P-inside -p 18302:80 IMAGE");
    real.docker("run -d --name P-local --network P-local -p 18303:80 IMAGE");
    real.docker("run -d --name P-sidecar --network container:P-local IMAGE");
    real.docker("run -d --restart always --name P-boot --network P-inside -p 18304:80 IMAGE");
    real.docker("stop -t 0 P-boot");

    let snapshot = real.snapshot();
    let find = |name: &str| {
        let name = format!("{PREFIX}{name}");
        snapshot.containers.iter().find(|c| c.name == name).unwrap()
    };
    for (name, mode) in [
        ("host", NetworkMode::Host),
        ("none", NetworkMode::None),
        (
            "inside",
            NetworkMode::Named("portplan-test-inside".to_owned()),
        ),
    ] {
        let container = find(name);
        assert_eq!((&container.network_mode, container.holds.len()), (&mode, 0));
        assert!(!snapshot.can_publish(container), "{name}");
    }
    assert_eq!(holds(find("local")), ["127.0.0.1:18303->80/tcp"]);
    assert!(snapshot.can_publish(find("local")));
    let NetworkMode::Container(id) = &find("sidecar").network_mode else {
        panic!()
    };
    assert!(id.starts_with(&find("local").id));
    assert!(find("sidecar").holds.is_empty());

    assert!(snapshot.network("portplan-test-inside").unwrap().internal);
    let local = snapshot.network("portplan-test-local").unwrap();
    assert_eq!(local.host_binding, Some("127.0.0.1".parse().unwrap()));
    // It would start at boot, and open nothing.
    assert_eq!(find("boot").tenure(), Tenure::AtBoot);
    assert_eq!(snapshot.future_claims().count(), 0);
}

#[test]
fn routed_gateways_hold_nothing() {
    let Some(real) = engine() else { return };
    let create = "network create -o com.docker.network.bridge.gateway_mode_ipv4=routed P-routed";
    real.docker(create);
    real.docker("run -d --name P-routed --network P-routed -p 127.0.0.1:18310:80 IMAGE");
    let snapshot = real.snapshot();
    let major: u32 = snapshot
        .engine
        .version
        .split('.')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let network = snapshot.network("portplan-test-routed").unwrap();
    assert_eq!(network.gateway_mode_ipv4.as_deref(), Some("routed"));
    // Engines before 27 do not know the option.
    let expected = usize::from(major < 27);
    assert_eq!(snapshot.containers[0].holds.len(), expected);
}
