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

impl Placement {
    /// How much can be placed at most.
    pub fn most(&self) -> u64 {
        let mut state = State::new(self);
        (0..self.supply.len())
            .map(|supply| match state.place(supply) {
                Ok(()) => self.supply[supply],
                Err(starved) => starved.placed,
            })
            .sum()
    }

    /// For each supply that finds too little room beside those before it, the supplies that
    /// together want more than their slots have (Hall's theorem), with it. It is then left out.
    pub fn deficits(&self) -> Vec<Vec<usize>> {
        let mut state = State::new(self);
        (0..self.supply.len())
            .filter_map(|supply| {
                let starved = state.place(supply).err()?;
                state.take_back(supply);
                Some(starved.with)
            })
            .collect()
    }
}

/// A supply for which there is too little room.
struct Starved {
    /// How much of it was placed.
    placed: u64,
    /// The supplies that share all the room it could have, and itself; in order.
    with: Vec<usize>,
}

struct State<'a> {
    problem: &'a Placement,
    /// How much each supply gave to each of its slots.
    given: Vec<Vec<u64>>,
    /// For each slot the supplies that may use it, and where it stands among their slots.
    takers: Vec<Vec<(usize, usize)>>,
    free: Vec<u64>,
}

impl<'a> State<'a> {
    fn new(problem: &'a Placement) -> Self {
        let mut takers = vec![Vec::new(); problem.room.len()];
        for (supply, slots) in problem.slots.iter().enumerate() {
            for (at, slot) in slots.iter().enumerate() {
                takers[*slot].push((supply, at));
            }
        }
        let given = problem.slots.iter().map(|slots| vec![0; slots.len()]);
        Self {
            problem,
            given: given.collect(),
            takers,
            free: problem.room.clone(),
        }
    }

    /// Places all of a supply, or what there is room for.
    fn place(&mut self, supply: usize) -> Result<(), Starved> {
        let wanted = self.problem.supply[supply];
        let mut placed = 0;
        while placed < wanted {
            match self.augment(supply, wanted - placed) {
                Ok(amount) => placed += amount,
                Err(with) => return Err(Starved { placed, with }),
            }
        }
        Ok(())
    }

    fn take_back(&mut self, supply: usize) {
        for (slot, given) in self.problem.slots[supply]
            .iter()
            .zip(&mut self.given[supply])
        {
            self.free[*slot] += std::mem::take(given);
        }
    }

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
