//! Which of some must move so that enough do, with the fewest moved and then the least cost.
//!
//! Exact: what is not decided by counting goes to a solver for integer programs, as far as its
//! limit on nodes allows; past it the answer says how few might have done.

use std::collections::{BTreeMap, BTreeSet};

use microlp::{
    ComparisonOp, OptimizationDirection, Problem, SolutionStatus, SolveOptions, SolveOutcome,
    Variable,
};

/// What moving one costs. The first that differs decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cost {
    /// How many moves it is.
    pub moves: u32,
    /// How much it would disturb.
    pub harm: u32,
    /// What decides between equals.
    pub rank: u32,
}

/// Of some, only so many can stay.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Demand {
    /// Those, in order, each once.
    pub of: Vec<usize>,
    /// How many of them can stay, at most.
    pub stay: usize,
}

/// Who moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Those that move.
    pub moved: BTreeSet<usize>,
    /// No choice has fewer moves; equal to those of this one unless the search was cut short.
    pub at_least: u32,
}

/// One of the parts of a cost.
type Part = fn(&Cost) -> u32;

/// A part whose sum must not grow.
type Bound = (Part, u32);

/// How many nodes the search may look at in each of its stages: a few seconds of work.
const NODES: u64 = 2_000;

impl Demand {
    /// Of these, at most `stay` can stay.
    #[must_use]
    pub fn new(of: impl IntoIterator<Item = usize>, stay: usize) -> Self {
        let of: BTreeSet<usize> = of.into_iter().collect();
        Self {
            of: of.into_iter().collect(),
            stay,
        }
    }

    /// What is left of it when these have moved; `None` if nothing is.
    fn without(&self, moved: &BTreeSet<usize>) -> Option<Self> {
        let left = self.of.iter().copied().filter(|one| !moved.contains(one));
        let left = Self::new(left, self.stay);
        (left.of.len() > left.stay).then_some(left)
    }

    /// True if those that moved are enough.
    #[must_use]
    pub fn is_met(&self, moved: &BTreeSet<usize>) -> bool {
        self.without(moved).is_none()
    }
}

/// The fewest moves, and of these the cheapest, that meet all demands.
///
/// Everyone who is in a demand can move.
#[must_use]
pub fn solve(costs: &[Cost], demands: &[Demand]) -> Choice {
    within(costs, demands, NODES)
}

/// The same, looking at so many nodes in each stage and no more.
fn within(costs: &[Cost], demands: &[Demand], nodes: u64) -> Choice {
    let mut moved = BTreeSet::new();
    let mut open: Vec<Demand> = demands.to_vec();
    // those who must move may spare others
    loop {
        open = open
            .iter()
            .filter_map(|demand| demand.without(&moved))
            .collect();
        let forced = open.iter().filter(|demand| demand.stay == 0);
        let forced: Vec<usize> = forced.flat_map(|demand| demand.of.clone()).collect();
        if forced.is_empty() {
            break;
        }
        moved.extend(forced);
    }
    let count = |moved: &BTreeSet<usize>| moved.iter().map(|one| costs[*one].moves).sum::<u32>();
    let mut at_least = count(&moved);
    for part in components(open) {
        let found = component(costs, &part, nodes);
        at_least += found.at_least;
        moved.extend(found.moved);
    }
    Choice { moved, at_least }
}

/// Demands that have nobody in common with those of another part, in order.
fn components(mut demands: Vec<Demand>) -> Vec<Vec<Demand>> {
    demands.sort();
    demands.dedup();
    let mut sets = petgraph::unionfind::UnionFind::<usize>::new(
        demands
            .iter()
            .flat_map(|demand| &demand.of)
            .max()
            .map_or(0, |last| last + 1),
    );
    for demand in &demands {
        for pair in demand.of.windows(2) {
            sets.union(pair[0], pair[1]);
        }
    }
    let mut parts: BTreeMap<usize, Vec<Demand>> = BTreeMap::new();
    for demand in demands {
        // a demand of nobody is met
        let Some(first) = demand.of.first() else {
            continue;
        };
        parts.entry(sets.find(*first)).or_default().push(demand);
    }
    let mut parts: Vec<Vec<Demand>> = parts.into_values().collect();
    parts.sort();
    parts
}

fn component(costs: &[Cost], demands: &[Demand], nodes: u64) -> Choice {
    if let [demand] = demands {
        let mut by_cost = demand.of.clone();
        by_cost.sort_by_key(|one| costs[*one]);
        by_cost.truncate(demand.of.len() - demand.stay);
        let moved: BTreeSet<usize> = by_cost.into_iter().collect();
        return Choice {
            at_least: moved.iter().map(|one| costs[*one].moves).sum(),
            moved,
        };
    }
    let mut best = greedy(costs, demands);
    let mut bounds: Vec<Bound> = Vec::new();
    for (stage, of) in [
        (|cost: &Cost| cost.moves) as Part,
        |cost| cost.harm,
        |cost| cost.rank,
    ]
    .into_iter()
    .enumerate()
    {
        let sum = |moved: &BTreeSet<usize>| moved.iter().map(|one| of(&costs[*one])).sum::<u32>();
        let found = least(costs, demands, of, &bounds, &best.moved, nodes);
        if let Some(moved) = found.moved.filter(|moved| sum(moved) <= sum(&best.moved)) {
            best.moved = moved;
        }
        if stage == 0 {
            best.at_least = best.at_least.max(found.at_least).min(sum(&best.moved));
        }
        bounds.push((of, sum(&best.moved)));
    }
    best
}

/// What one stage of the search knows.
struct Found {
    moved: Option<BTreeSet<usize>>,
    at_least: u32,
}

/// Those who meet all demands with the least sum of `of`, where other sums must not grow.
fn least(
    costs: &[Cost],
    demands: &[Demand],
    of: Part,
    bounds: &[Bound],
    start: &BTreeSet<usize>,
    nodes: u64,
) -> Found {
    let mut problem = Problem::new(OptimizationDirection::Minimize);
    let everyone: BTreeSet<usize> = demands
        .iter()
        .flat_map(|demand| demand.of.clone())
        .collect();
    let moves: BTreeMap<usize, Variable> = everyone
        .iter()
        .map(|one| (*one, problem.add_binary_var(f64::from(of(&costs[*one])))))
        .collect();
    for demand in demands {
        let sum: Vec<_> = demand.of.iter().map(|one| (moves[one], 1.0)).collect();
        let needed = (demand.of.len() - demand.stay) as f64;
        problem.add_constraint(sum, ComparisonOp::Ge, needed);
    }
    for (of, most) in bounds {
        let sum: Vec<_> = moves
            .iter()
            .map(|(one, moves)| (*moves, f64::from(of(&costs[*one]))))
            .filter(|(_, cost)| *cost > 0.0)
            .collect();
        problem.add_constraint(sum, ComparisonOp::Le, f64::from(*most));
    }
    let mut options = SolveOptions::default();
    options.node_limit = Some(nodes);
    let known =
        |(one, moves): (&usize, &Variable)| (*moves, f64::from(u8::from(start.contains(one))));
    options.warm_start = Some(moves.iter().map(known).collect());
    let outcome = problem.solve_with(options);
    // a failure of the solver's arithmetic proves nothing and costs only the optimum
    let Ok(outcome) = outcome else {
        return Found {
            moved: None,
            at_least: 0,
        };
    };
    let bound = outcome.stats().best_bound.unwrap_or(0.0);
    let SolveOutcome::Solution(solution) = outcome else {
        return Found {
            moved: None,
            at_least: (bound - 1e-6).ceil().max(0.0) as u32,
        };
    };
    let bound = match solution.status() {
        SolutionStatus::Optimal => solution.objective(),
        SolutionStatus::Feasible => bound,
    };
    let chosen = moves
        .iter()
        .filter(|(_, moves)| solution.var_value(**moves) > 0.5);
    let moved: BTreeSet<usize> = chosen.map(|(one, _)| *one).collect();
    Found {
        // rounded values need not meet the demands
        moved: demands
            .iter()
            .all(|demand| demand.is_met(&moved))
            .then_some(moved),
        at_least: (bound - 1e-6).ceil().max(0.0) as u32,
    }
}

/// A choice that is good enough to begin with, and a bound: demands that share nobody add up.
fn greedy(costs: &[Cost], demands: &[Demand]) -> Choice {
    let mut moved = BTreeSet::new();
    let mut counted = BTreeSet::new();
    let mut at_least = 0;
    for demand in demands {
        if demand.of.iter().all(|one| !counted.contains(one)) {
            counted.extend(demand.of.iter().copied());
            let mut moves: Vec<u32> = demand.of.iter().map(|one| costs[*one].moves).collect();
            moves.sort_unstable();
            at_least += moves[..demand.of.len() - demand.stay].iter().sum::<u32>();
        }
    }
    // who is in most of what is open moves first
    let mut open = demands.to_vec();
    while !open.is_empty() {
        let mut uses: BTreeMap<usize, u32> = BTreeMap::new();
        for one in open.iter().flat_map(|demand| &demand.of) {
            *uses.entry(*one).or_default() += 1;
        }
        let worth = |(one, uses): &(usize, u32)| {
            let cost = costs[*one];
            // uses / moves, compared without division
            (f64::from(*uses) / f64::from(cost.moves.max(1)), cost)
        };
        let next = uses.into_iter().max_by(|a, b| {
            let ((a, cost_a), (b, cost_b)) = (worth(a), worth(b));
            a.total_cmp(&b).then(cost_b.cmp(&cost_a))
        });
        let Some((next, _)) = next else { break };
        moved.insert(next);
        open = open
            .iter()
            .filter_map(|demand| demand.without(&moved))
            .collect();
    }
    // one who turned out not to be needed stays, the dearest first
    let mut by_cost: Vec<usize> = moved.iter().copied().collect();
    by_cost.sort_by_key(|one| std::cmp::Reverse(costs[*one]));
    for one in by_cost {
        moved.remove(&one);
        if !demands.iter().all(|demand| demand.is_met(&moved)) {
            moved.insert(one);
        }
    }
    Choice { moved, at_least }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The least that any choice costs.
    fn brute_force(costs: &[Cost], demands: &[Demand]) -> (u32, u32, u32) {
        let sums = |set: u32| {
            let moved: BTreeSet<usize> = (0..costs.len()).filter(|i| set >> i & 1 == 1).collect();
            let met = demands.iter().all(|demand| demand.is_met(&moved));
            met.then(|| {
                moved.iter().fold((0, 0, 0), |(a, b, c), one| {
                    let cost = costs[*one];
                    (a + cost.moves, b + cost.harm, c + cost.rank)
                })
            })
        };
        (0..1 << costs.len()).filter_map(sums).min().unwrap()
    }

    fn costs(count: usize) -> impl Strategy<Value = Vec<Cost>> {
        prop::collection::vec((1_u32..4, 0_u32..3), count).prop_map(|costs| {
            let ranked = costs.iter().enumerate().map(|(index, (moves, harm))| Cost {
                moves: *moves,
                harm: *harm,
                rank: (costs.len() - index) as u32,
            });
            ranked.collect()
        })
    }

    fn demands(count: usize) -> impl Strategy<Value = Vec<Demand>> {
        let demand = (prop::collection::btree_set(0..count, 1..5), 0_usize..5);
        let demand = demand.prop_map(|(of, stay)| {
            let most = of.len() - 1;
            Demand::new(of, stay.min(most))
        });
        prop::collection::vec(demand, 0..9)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn no_choice_is_better(
            (costs, demands) in (2_usize..10).prop_flat_map(|count| (costs(count), demands(count)))
        ) {
            let choice = solve(&costs, &demands);
            prop_assert!(demands.iter().all(|demand| demand.is_met(&choice.moved)));
            let sum = |of: fn(&Cost) -> u32| {
                choice.moved.iter().map(|one| of(&costs[*one])).sum::<u32>()
            };
            let found = (sum(|c| c.moves), sum(|c| c.harm), sum(|c| c.rank));
            prop_assert_eq!(found, brute_force(&costs, &demands));
            prop_assert_eq!(choice.at_least, found.0);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn what_is_said_of_a_search_cut_short_is_true(
            nodes in 1_u64..4,
            (costs, demands) in (9_usize..13).prop_flat_map(|count| {
                let pairs = prop::collection::btree_set((0..count, 0..count), 9..30);
                let demands = pairs.prop_map(|pairs| {
                    let pairs = pairs.into_iter().filter(|(one, other)| one != other);
                    pairs.map(|(one, other)| Demand::new([one, other], 1)).collect::<Vec<_>>()
                });
                (costs(count), demands)
            })
        ) {
            let choice = within(&costs, &demands, nodes);
            prop_assert!(demands.iter().all(|demand| demand.is_met(&choice.moved)));
            let moves: u32 = choice.moved.iter().map(|one| costs[*one].moves).sum();
            let fewest = brute_force(&costs, &demands).0;
            prop_assert!(choice.at_least <= fewest && fewest <= moves);
        }
    }
}
