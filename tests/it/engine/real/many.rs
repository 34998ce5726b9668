//! Many containers, and containers that come and go.

use std::thread;
use std::time::{Duration, Instant};

use super::engine;

#[test]
fn many_containers_are_quick() {
    let Some(real) = engine() else { return };
    for number in 0..50 {
        let port = 18600 + number;
        real.docker(&format!("create --name P-many{number} -p {port}:80 IMAGE"));
    }
    let start = Instant::now();
    let snapshot = real.snapshot();
    let took = start.elapsed();
    println!("50 stopped containers: {took:?}");
    assert_eq!(snapshot.containers.len(), 50);
    assert!(
        snapshot
            .containers
            .iter()
            .all(|c| c.start.as_ref().unwrap().ports.len() == 1)
    );
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[test]
fn vanishing_containers_are_left_out() {
    let Some(real) = engine() else { return };
    thread::scope(|scope| {
        let churn = scope.spawn(|| {
            for _ in 0..15 {
                real.docker("create --name P-churn -p 18700:80 IMAGE");
                real.docker("rm -f P-churn");
            }
        });
        while !churn.is_finished() {
            real.snapshot();
        }
    });
}
