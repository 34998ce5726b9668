//! Who can be given what: supplies that are to be placed into slots of limited room.

/// Supplies, the slots each may be placed in, and the room of each slot.
#[derive(Clone, Debug, Default)]
pub(super) struct Placement {
    /// How much of each supply is to be placed.
    pub supply: Vec<u64>,
    /// For each supply, the slots that can take it.
    pub slots: Vec<Vec<usize>>,
    /// The room of each slot.
    pub room: Vec<u64>,
}

/// As much placed as can be.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    /// How much in all.
    pub total: u64,
    /// The supplies that, together, have too little room (Hall's theorem); empty if all is placed.
    pub starved: Vec<usize>,
}

impl Placement {
    /// Places as much as possible, by augmenting paths.
    pub fn solve(&self) -> Placed {
        let mut state = State {
            problem: self,
            given: self
                .slots
                .iter()
                .map(|slots| vec![0; slots.len()])
                .collect(),
            takers: vec![Vec::new(); self.room.len()],
            free: self.room.clone(),
        };
        for (supply, slots) in self.slots.iter().enumerate() {
            for (at, slot) in slots.iter().enumerate() {
                state.takers[*slot].push((supply, at));
            }
        }
        let mut placed = Placed {
            total: 0,
            starved: Vec::new(),
        };
        for (supply, &amount) in self.supply.iter().enumerate() {
            let mut left = amount;
            while left > 0 {
                match state.augment(supply, left) {
                    Ok(amount) => {
                        left -= amount;
                        placed.total += amount;
                    }
                    Err(reached) => {
                        if placed.starved.is_empty() {
                            placed.starved = reached;
                        }
                        break;
                    }
                }
            }
        }
        placed
    }
}

struct State<'a> {
    problem: &'a Placement,
    /// How much each supply gave to each of its slots.
    given: Vec<Vec<u64>>,
    /// For each slot the supplies that may use it, and where it stands among their slots.
    takers: Vec<Vec<(usize, usize)>>,
    free: Vec<u64>,
}

impl State<'_> {
    /// Places up to `amount` more of a supply, moving others where needed. Fails with the
    /// supplies that share all the room there is.
    fn augment(&mut self, supply: usize, amount: u64) -> Result<u64, Vec<usize>> {
        // For each slot reached, the supply that would go there; for each supply reached, the
        // slot it would leave.
        let mut enters: Vec<Option<(usize, usize)>> = vec![None; self.free.len()];
        let mut leaves: Vec<Option<(usize, usize)>> = vec![None; self.given.len()];
        let mut reached = vec![supply];
        let mut next = 0;
        while let Some(&one) = reached.get(next) {
            next += 1;
            for (at, &slot) in self.problem.slots[one].iter().enumerate() {
                if enters[slot].is_some() {
                    continue;
                }
                enters[slot] = Some((one, at));
                if self.free[slot] > 0 {
                    return Ok(self.shift(supply, slot, amount, &enters, &leaves));
                }
                for &(other, place) in &self.takers[slot] {
                    let known = other == supply || leaves[other].is_some();
                    if !known && self.given[other][place] > 0 {
                        leaves[other] = Some((slot, place));
                        reached.push(other);
                    }
                }
            }
        }
        reached.sort_unstable();
        Err(reached)
    }

    fn shift(
        &mut self,
        from: usize,
        to: usize,
        amount: u64,
        enters: &[Option<(usize, usize)>],
        leaves: &[Option<(usize, usize)>],
    ) -> u64 {
        let mut path = Vec::new();
        let mut amount = amount.min(self.free[to]);
        let mut slot = to;
        while let Some((supply, at)) = enters[slot] {
            let left = if supply == from { None } else { leaves[supply] };
            path.push((supply, at, left));
            let Some((previous, place)) = left else { break };
            amount = amount.min(self.given[supply][place]);
            slot = previous;
        }
        for (supply, at, left) in path {
            self.given[supply][at] += amount;
            if let Some((_, place)) = left {
                self.given[supply][place] -= amount;
            }
        }
        self.free[to] -= amount;
        amount
    }
}
