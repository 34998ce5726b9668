use super::*;

fn hold(host_ip: &str, port: u16, target: u16) -> Hold {
    Hold {
        port,
        protocol: Protocol::Tcp,
        host_ip: host_ip.parse().unwrap(),
        target,
    }
}

#[test]
fn only_the_two_of_one_publish_are_folded() {
    let holds = [
        hold("0.0.0.0", 1, 80),
        hold("::", 1, 80),
        // Engines before 27 give the families different ports.
        hold("0.0.0.0", 2, 80),
        hold("::", 3, 80),
        hold("127.0.0.1", 4, 80),
        hold("::1", 4, 80),
        hold("0.0.0.0", 5, 80),
        hold("::", 5, 81),
    ];
    let shown: Vec<_> = fold(&holds)
        .iter()
        .map(|publish| {
            let host_ip = publish.host_ip.map_or("*".to_owned(), |ip| ip.to_string());
            format!("{host_ip} {} {}", publish.port, publish.target)
        })
        .collect();
    assert_eq!(
        shown,
        [
            "* 1 80",
            "0.0.0.0 2 80",
            ":: 3 80",
            "127.0.0.1 4 80",
            "::1 4 80",
            "0.0.0.0 5 80",
            ":: 5 81"
        ]
    );
}

/// A container that ran once, and ended in this way.
fn ended(state: State, restart: RestartPolicy, exit_code: i64, failed: bool) -> Container {
    Container {
        name: "web".to_owned(),
        id: "0".to_owned(),
        state,
        network_mode: NetworkMode::Bridge,
        networks: Vec::new(),
        holds: Vec::new(),
        start: Some(Start {
            restart,
            ever_started: true,
            failed,
            exit_code,
            retries_left: true,
            ports: Vec::new(),
        }),
        compose: None,
        task: None,
    }
}

#[test]
fn tenure_by_state_and_policy() {
    use RestartPolicy::{Always, No, OnFailure, UnlessStopped};
    use State::{Dead, Exited, Removing, Restarting};
    use Tenure::{AtBoot, Attempts, Nothing, PerhapsAtBoot};
    let table = [
        (Exited, No, 1, true, Nothing),
        (Exited, Always, 0, false, AtBoot),
        (Dead, Always, 0, false, AtBoot),
        (Removing, Always, 0, false, Nothing),
        (Exited, UnlessStopped, 137, false, Nothing),
        (Exited, UnlessStopped, 137, true, PerhapsAtBoot),
        (Exited, OnFailure, 0, false, Nothing),
        (Exited, OnFailure, 137, false, AtBoot),
        (Restarting, OnFailure, 1, false, Attempts),
        (Restarting, Always, 0, false, Attempts),
    ];
    for (state, restart, exit_code, failed, tenure) in table {
        let container = ended(state, restart, exit_code, failed);
        assert_eq!(
            container.tenure(),
            tenure,
            "{state:?} {restart:?} {exit_code}"
        );
    }
    for state in [State::Running, State::Paused, State::Stopping] {
        let mut container = ended(state, Always, 0, false);
        container.start = None;
        assert_eq!(container.tenure(), Tenure::Holds);
    }
    let mut spent = ended(Exited, OnFailure, 1, false);
    spent.start.as_mut().unwrap().retries_left = false;
    assert_eq!(spent.tenure(), Nothing);
    let mut never_started = ended(State::Created, Always, 0, false);
    never_started.start.as_mut().unwrap().ever_started = false;
    assert_eq!(never_started.tenure(), Nothing);
}
