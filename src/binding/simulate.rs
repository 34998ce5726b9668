//! What one engine does, start by start: its allocator, its sockets, its cursors.
//!
//! Slow and exact. [`overlap()`](super::overlap()) and [`allocate()`](super::allocate()) are tested
//! against it, and it against recorded engines.

use std::collections::BTreeMap;

use thiserror::Error;

use super::map_order::map_orders;
use super::{
    Binding, Engine, Generation, Hold, HostIp, Network, Overlap, Port, PortRange, Protocol,
    Published, Socket, SocketState, addresses,
};

/// Why a start fails; the texts are those of engines (engine.md 12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum StartError {
    /// Another container of this engine has the port.
    #[error("Bind for {0}:{1} failed: port is already allocated")]
    Allocated(HostIp, Port),
    /// Every port of the range is taken by containers of this engine.
    #[error("all ports are allocated")]
    Exhausted,
    /// The kernel refused.
    #[error("{0}:{1}: address already in use")]
    InUse(HostIp, Port),
    /// The kernel refused in RootlessKit's network namespace.
    #[error("{0}:{1}: address already in use in RootlessKit's namespace")]
    InUseByChild(HostIp, Port),
    /// The host has no such address.
    #[error("{0}: cannot assign requested address")]
    NotLocal(HostIp),
}

/// What a started container holds, in the order bound.
pub type Started = Result<Vec<Hold>, StartError>;

/// Names a container that was started; given by [`Host::start`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContainerId(u32);

/// An engine and the sockets of its host.
#[derive(Clone, Debug)]
pub struct Host<'e> {
    engine: &'e Engine,
    sockets: Vec<Owned<Socket>>,
    /// Rootless: the sockets in RootlessKit's network namespace.
    child_sockets: Vec<Owned<Socket>>,
    /// Ports given, under the address the allocator knows.
    allocated: Vec<Owned<Hold>>,
    /// The last port given of each range; survives containers (engine.md 3.4 R1).
    cursors: BTreeMap<(HostIp, Protocol, PortRange), Port>,
    starts: u32,
}

/// Something with the container it belongs to; none for other programs.
#[derive(Clone, Debug)]
struct Owned<T> {
    owner: Option<ContainerId>,
    item: T,
}

/// How much there was before an attempt.
#[derive(Clone, Copy)]
struct Mark {
    sockets: usize,
    child_sockets: usize,
    allocated: usize,
}

const ATTEMPTS: u32 = 10;

impl<'e> Host<'e> {
    /// A freshly started engine on a host without sockets.
    #[must_use]
    pub fn new(engine: &'e Engine) -> Self {
        Self {
            engine,
            sockets: Vec::new(),
            child_sockets: Vec::new(),
            allocated: Vec::new(),
            cursors: BTreeMap::new(),
            starts: 0,
        }
    }

    /// Adds a socket of another program. An option that is not known counts against a start.
    pub fn open(&mut self, socket: Socket) {
        let owner = None;
        self.sockets.push(Owned {
            owner,
            item: socket,
        });
    }

    /// Starts a container that publishes these. A failed start leaves nothing but moved cursors.
    ///
    /// # Errors
    /// What the engine would fail with.
    pub fn start(
        &mut self,
        publish: &[Binding],
        network: &Network,
    ) -> Result<(ContainerId, Vec<Hold>), StartError> {
        let bindings = match self.engine.generation() {
            Generation::G1 => map_orders(publish).into_iter().next().unwrap_or_default(),
            _ => publish.to_vec(),
        };
        self.start_in_order(&bindings, network)
    }

    /// Each way the start of a container can end, with the host after it.
    ///
    /// More than one only on G1, which handles the bindings of a container in the order of a Go
    /// map.
    #[must_use]
    pub fn outcomes(&self, publish: &[Binding], network: &Network) -> Vec<(Self, Started)> {
        if self.engine.generation() != Generation::G1 || publish.len() < 2 {
            let mut host = self.clone();
            let started = host.start(publish, network).map(|(_, holds)| holds);
            return vec![(host, started)];
        }
        let mut outcomes: Vec<(Self, Started)> = Vec::new();
        for bindings in map_orders(publish) {
            let mut host = self.clone();
            let started = host
                .start_in_order(&bindings, network)
                .map(|(_, mut holds)| {
                    holds.sort_unstable();
                    holds
                });
            if !outcomes.iter().any(|(_, other)| *other == started) {
                outcomes.push((host, started));
            }
        }
        outcomes
    }

    /// Stops a container, which gives back all it held.
    pub fn stop(&mut self, container: ContainerId) {
        let other = |owner: Option<ContainerId>| owner != Some(container);
        self.sockets.retain(|socket| other(socket.owner));
        self.child_sockets.retain(|socket| other(socket.owner));
        self.allocated.retain(|hold| other(hold.owner));
    }

    fn start_in_order(
        &mut self,
        bindings: &[Binding],
        network: &Network,
    ) -> Result<(ContainerId, Vec<Hold>), StartError> {
        self.starts = self.starts.saturating_add(1);
        let start = Start {
            container: ContainerId(self.starts),
            before: self.mark(),
        };
        let bound = match self.engine.generation() {
            Generation::G1 => self.bind_one_by_one(start, bindings, network),
            _ => self.bind_in_groups(start, bindings, network),
        };
        match bound {
            Ok(holds) => Ok((start.container, holds)),
            Err(error) => {
                self.roll_back(start.before);
                Err(error)
            }
        }
    }

    fn bind_one_by_one(
        &mut self,
        start: Start,
        bindings: &[Binding],
        network: &Network,
    ) -> Result<Vec<Hold>, StartError> {
        let mut bound = Vec::new();
        for binding in bindings {
            // A dynamic port is tried again, a range is not (engine.md 3.4 R3).
            let attempts = match binding.published {
                Published::Dynamic => ATTEMPTS,
                Published::Fixed(_) | Published::OneOf(_) => 1,
            };
            for ip in addresses(binding, network, self.engine).iter() {
                let listen = binding.protocol == Protocol::Tcp;
                let (holds, _) = self.bind_addresses(start, binding, &[ip], attempts, listen)?;
                bound.extend(holds);
            }
        }
        Ok(bound)
    }

    fn bind_in_groups(
        &mut self,
        start: Start,
        bindings: &[Binding],
        network: &Network,
    ) -> Result<Vec<Hold>, StartError> {
        let mut bindings = bindings.to_vec();
        bindings.sort_by_key(sort_key);
        let generation = self.engine.generation();
        let mut bound = Vec::new();
        let mut unheard = Vec::new();
        for group in bindings.chunk_by(|a, b| group_key(a) == group_key(b)) {
            let addresses: Vec<HostIp> = group
                .iter()
                .flat_map(|binding| addresses(binding, network, self.engine).iter())
                .collect();
            let (Some(binding), false) = (group.first(), addresses.is_empty()) else {
                continue;
            };
            let tcp = binding.protocol == Protocol::Tcp;
            let attempts = match binding.published {
                Published::Fixed(_) => 1,
                Published::OneOf(_) | Published::Dynamic => ATTEMPTS,
            };
            let listen = tcp && generation != Generation::G3;
            let (holds, sockets) =
                self.bind_addresses(start, binding, &addresses, attempts, listen)?;
            bound.extend(holds);
            if tcp && generation == Generation::G3 {
                unheard.extend(sockets);
            }
        }
        for socket in unheard {
            self.listen(socket)?;
        }
        Ok(bound)
    }

    /// Binds one port on all the addresses. Returns also where the sockets stand.
    fn bind_addresses(
        &mut self,
        start: Start,
        binding: &Binding,
        addresses: &[HostIp],
        attempts: u32,
        listen: bool,
    ) -> Result<(Vec<Hold>, std::ops::Range<usize>), StartError> {
        let mut attempt = 1;
        loop {
            let before = self.mark();
            match self.try_addresses(start, binding, addresses, listen) {
                Ok(holds) => return Ok((holds, before.sockets..self.sockets.len())),
                Err(failure) => {
                    self.roll_back(before);
                    if attempt >= attempts || !failure.may_retry {
                        return Err(failure.error);
                    }
                    attempt += 1;
                }
            }
        }
    }

    fn try_addresses(
        &mut self,
        start: Start,
        binding: &Binding,
        addresses: &[HostIp],
        listen: bool,
    ) -> Result<Vec<Hold>, Failure> {
        let port = self.allocate(start, binding, addresses)?;
        let protocol = binding.protocol;
        let all: Vec<Hold> = addresses
            .iter()
            .map(|&ip| Hold { ip, port, protocol })
            .collect();
        let first = self.sockets.len();
        // 28.3 to 28.5 bind the group before they listen.
        let listen_late = self.engine.generation() == Generation::G4;
        for hold in &all {
            self.bind(start, *hold)?;
            if listen && !listen_late {
                self.listen(self.sockets.len() - 1)?;
            }
        }
        if listen && listen_late {
            for socket in first..self.sockets.len() {
                self.listen(socket)?;
            }
        }
        Ok(all)
    }

    fn allocate(
        &mut self,
        start: Start,
        binding: &Binding,
        addresses: &[HostIp],
    ) -> Result<Port, StartError> {
        let protocol = binding.protocol;
        let mut keys: Vec<HostIp> = Vec::new();
        for &ip in addresses {
            let key = self.engine.allocator_address(ip);
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        let range = self.engine.candidates(binding);
        let port = if let Published::Fixed(port) = binding.published {
            if let Some(key) = self.taken(&keys, protocol, port) {
                return Err(StartError::Allocated(key, port));
            }
            port
        } else {
            let last = keys
                .first()
                .and_then(|key| self.cursors.get(&(*key, protocol, range)));
            let mut port = last.copied().unwrap_or(range.last());
            (0..range.len())
                .find_map(|_| {
                    port = range.successor(port);
                    self.taken(&keys, protocol, port).is_none().then_some(port)
                })
                .ok_or(StartError::Exhausted)?
        };
        for ip in keys {
            if binding.published != Published::Fixed(port) {
                self.cursors.insert((ip, protocol, range), port);
            }
            self.allocated.push(Owned {
                owner: Some(start.container),
                item: Hold { ip, port, protocol },
            });
        }
        Ok(port)
    }

    /// The address, of those the allocator looks at for `keys`, where the port is taken.
    fn taken(&self, keys: &[HostIp], protocol: Protocol, port: Port) -> Option<HostIp> {
        let knows_any = self.engine.generation() >= Generation::G4;
        self.allocated
            .iter()
            .map(|owned| owned.item)
            .filter(|hold| (hold.protocol, hold.port) == (protocol, port))
            .find(|hold| {
                keys.iter()
                    .any(|key| hold.ip == *key || (knows_any && hold.ip.overlaps(*key)))
            })
            .map(|hold| hold.ip)
    }

    fn bind(&mut self, start: Start, hold: Hold) -> Result<(), Failure> {
        let owner = Some(start.container);
        let generation = self.engine.generation();
        if self.engine.rootless {
            self.bind_child(owner, hold)?;
        }
        if !self.engine.can_bind(hold.ip, hold.protocol) {
            return Err(StartError::NotLocal(hold.ip).into());
        }
        let socket = Socket::of_engine(hold, self.engine);
        if clashes(&socket, &self.sockets) {
            return Err(Failure {
                error: StartError::InUse(hold.ip, hold.port),
                // Rootless, these ask RootlessKit only after the last attempt.
                may_retry: !(self.engine.rootless
                    && matches!(generation, Generation::G3 | Generation::G5)),
            });
        }
        self.sockets.push(Owned {
            owner,
            item: socket,
        });
        if self.engine.rootless && hold.protocol == Protocol::Tcp {
            self.listen(self.sockets.len() - 1)?; // RootlessKit listens at once
        }
        Ok(())
    }

    fn bind_child(&mut self, owner: Option<ContainerId>, hold: Hold) -> Result<(), StartError> {
        let generation = self.engine.generation();
        let tcp = hold.protocol == Protocol::Tcp;
        let reuse = tcp || matches!(generation, Generation::G3 | Generation::G4);
        let ip = self.engine.child_address(hold.ip);
        let mut socket = Socket::published(Hold { ip, ..hold }, reuse);
        if clashes(&socket, &self.child_sockets) {
            return Err(StartError::InUseByChild(ip, hold.port));
        }
        if tcp {
            socket.state = SocketState::Listening;
        }
        self.child_sockets.push(Owned {
            owner,
            item: socket,
        });
        Ok(())
    }

    fn listen(&mut self, index: usize) -> Result<(), StartError> {
        let (before, rest) = self.sockets.split_at_mut(index);
        let Some((this, after)) = rest.split_first_mut() else {
            return Ok(());
        };
        if clashes(&this.item, before) || clashes(&this.item, after) {
            return Err(StartError::InUse(this.item.ip, this.item.port));
        }
        this.item.state = SocketState::Listening;
        Ok(())
    }

    fn mark(&self) -> Mark {
        Mark {
            sockets: self.sockets.len(),
            child_sockets: self.child_sockets.len(),
            allocated: self.allocated.len(),
        }
    }

    fn roll_back(&mut self, mark: Mark) {
        self.sockets.truncate(mark.sockets);
        self.child_sockets.truncate(mark.child_sockets);
        self.allocated.truncate(mark.allocated);
    }
}

/// A start under way.
#[derive(Clone, Copy)]
struct Start {
    container: ContainerId,
    before: Mark,
}

/// A failed attempt.
struct Failure {
    error: StartError,
    may_retry: bool,
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        Self {
            error,
            may_retry: true,
        }
    }
}

fn clashes(new: &Socket, old: &[Owned<Socket>]) -> bool {
    old.iter()
        .any(|owned| new.clash(&owned.item) != Overlap::Never)
}

/// What bindings of one container that get one port have in common, in the order in which engines
/// from 27 bind them: fixed ports before ranges (engine.md 3.3).
fn group_key(binding: &Binding) -> (bool, Port, Protocol, Option<PortRange>) {
    let (is_range, ports) = match binding.published {
        Published::Fixed(port) => (false, Some(port.into())),
        Published::OneOf(range) => (true, Some(range)),
        Published::Dynamic => (true, None),
    };
    (is_range, binding.target, binding.protocol, ports)
}

fn sort_key(binding: &Binding) -> impl Ord + use<> {
    (group_key(binding), binding.host_ip)
}
