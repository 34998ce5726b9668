//! The order in which engines up to 26 bind the ports of one container.

use super::{Binding, Port, Protocol, Published};

/// The orders in which G1 may bind: that of a Go map of container ports, put through
/// `nat.SortPortMap`, whose comparison is not an order (go-connections v0.4.0 nat/sort.go).
pub(super) fn map_orders(publish: &[Binding]) -> Vec<Vec<Binding>> {
    let mut targets: Vec<(Port, Protocol)> = Vec::new();
    for binding in publish {
        if !targets.contains(&target(binding)) {
            targets.push(target(binding));
        }
    }
    let mut orders: Vec<Vec<Binding>> = Vec::new();
    for permutation in permutations(&targets) {
        let mut sorted: Vec<Binding> = regroup(&permutation, publish);
        // Go sorts up to twelve by insertion.
        for end in 1..sorted.len() {
            let mut at = end;
            while at > 0 && goes_before(&sorted[at], &sorted[at - 1]) {
                sorted.swap(at, at - 1);
                at -= 1;
            }
        }
        let mut by_target: Vec<(Port, Protocol)> = Vec::new();
        for binding in &sorted {
            if !by_target.contains(&target(binding)) {
                by_target.push(target(binding));
            }
        }
        let order = regroup(&by_target, &sorted);
        if !orders.contains(&order) {
            orders.push(order);
        }
    }
    orders
}

fn target(binding: &Binding) -> (Port, Protocol) {
    (binding.target, binding.protocol)
}

/// The bindings in the order of their targets.
fn regroup(targets: &[(Port, Protocol)], bindings: &[Binding]) -> Vec<Binding> {
    let of = |wanted| bindings.iter().filter(move |one| target(one) == wanted);
    targets
        .iter()
        .flat_map(|wanted| of(*wanted))
        .copied()
        .collect()
}

fn goes_before(a: &Binding, b: &Binding) -> bool {
    let first = |binding: &Binding| match binding.published {
        Published::Fixed(port) => port.get(),
        Published::OneOf(range) => range.first().get(),
        Published::Dynamic => 0,
    };
    first(a) > first(b)
        || a.target > b.target
        || (target(a) == target(b) && a.protocol == Protocol::Tcp)
}

/// Every order of up to five items; of more only the given one, which is enough to run.
fn permutations<T: Copy>(items: &[T]) -> Vec<Vec<T>> {
    if items.len() > 5 {
        return vec![items.to_vec()];
    }
    items.iter().fold(vec![Vec::new()], |orders, item| {
        let insert = |order: &Vec<T>, at| {
            let mut order = order.clone();
            order.insert(at, *item);
            order
        };
        orders
            .iter()
            .flat_map(|order| (0..=order.len()).rev().map(move |at| insert(order, at)))
            .collect()
    })
}
