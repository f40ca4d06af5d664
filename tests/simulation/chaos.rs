//! What goes wrong in a simulation, and when it stops going wrong.

use crate::world::World;
use milena::embedded::{Fault, FaultKind};
use milena::protocol::ApiKey;
use milena::Nanos;

/// Plays tricks on a world, at random times, until `until`; then heals everything.
pub struct Chaos {
    next: Nanos,
    until: Nanos,
    healed: bool,
    down: Vec<i32>,
    paused: Vec<i32>,
    topics: Vec<(String, i32)>,
    groups: Vec<String>,
}

/// Error codes that a working cluster answers now and then, by API.
const ERRORS: &[(ApiKey, &[i16])] = &[
    (ApiKey::Produce, &[3, 5, 6, 7, 19, 20, 56]),
    (ApiKey::Fetch, &[3, 6, 56, 74, 75, 78]),
    (ApiKey::Metadata, &[5, 3]),
    (ApiKey::InitProducerId, &[14, 15, 51]),
    (ApiKey::ListOffsets, &[3, 5, 6, 78]),
    (ApiKey::FindCoordinator, &[15]),
    (ApiKey::JoinGroup, &[14, 16]),
    (ApiKey::SyncGroup, &[16, 27]),
    (ApiKey::Heartbeat, &[16, 27]),
    (ApiKey::OffsetCommit, &[14, 16, 7]),
    (ApiKey::OffsetFetch, &[14, 16]),
];

const APIS: &[ApiKey] = &[
    ApiKey::Produce,
    ApiKey::Fetch,
    ApiKey::Metadata,
    ApiKey::InitProducerId,
    ApiKey::JoinGroup,
    ApiKey::OffsetCommit,
];

impl Chaos {
    pub fn new(world: &World, seconds: u64, topics: &[(&str, i32)], groups: &[&str]) -> Chaos {
        let now = world.clock.mono;
        Chaos {
            next: now,
            until: now.plus_ms(seconds * 1000),
            healed: false,
            down: Vec::new(),
            paused: Vec::new(),
            topics: topics.iter().map(|(t, p)| ((*t).to_owned(), *p)).collect(),
            groups: groups.iter().map(|g| (*g).to_owned()).collect(),
        }
    }

    /// Does what is due.
    pub fn run(&mut self, world: &mut World) {
        if self.healed || world.clock.mono < self.next {
            return;
        }
        if world.clock.mono >= self.until {
            return self.heal(world);
        }
        self.next = world.clock.mono.plus_ms(world.rng.u64(5..400));
        self.play(world);
        world.run_cluster();
    }

    pub fn is_over(&self) -> bool {
        self.healed
    }

    fn heal(&mut self, world: &mut World) {
        let now = world.now();
        self.healed = true;
        world.cluster.clear_faults();
        for broker in self.down.drain(..) {
            world.cluster.broker_up(now, broker).expect("known broker");
        }
        for broker in self.paused.drain(..) {
            world.cluster.resume(now, broker).expect("known broker");
        }
        world.run_cluster();
    }

    fn any_broker(world: &mut World) -> i32 {
        let brokers = world.cluster.brokers();
        brokers[world.rng.usize(0..brokers.len())]
    }

    fn play(&mut self, world: &mut World) {
        let now = world.now();
        match world.rng.u32(0..100) {
            0..=24 => world.cut_one(),
            25..=44 => self.push_error(world),
            45..=59 => Chaos::push_fault(world),
            60..=69 => {
                let (topic, partitions) = self.topics[world.rng.usize(0..self.topics.len())].clone();
                let (partition, broker) = (world.rng.i32(0..partitions), Chaos::any_broker(world));
                // A topic may not exist yet, a broker may be down: then nothing happens.
                let _ = world.cluster.move_leader(now, &topic, partition, broker);
            }
            70..=77 => {
                let broker = Chaos::any_broker(world);
                if self.down.is_empty() && world.cluster.brokers().len() > 1 {
                    world.cluster.broker_down(now, broker).expect("known broker");
                    self.down.push(broker);
                }
            }
            78..=89 => {
                if let Some(broker) = self.down.pop() {
                    world.cluster.broker_up(now, broker).expect("known broker");
                }
            }
            90..=92 => {
                let broker = Chaos::any_broker(world);
                if self.paused.is_empty() {
                    world.cluster.pause(broker).expect("known broker");
                    self.paused.push(broker);
                }
            }
            93..=97 => {
                if let Some(broker) = self.paused.pop() {
                    world.cluster.resume(now, broker).expect("known broker");
                }
            }
            _ => {
                if let Some(group) = self.groups.first() {
                    let broker = Chaos::any_broker(world);
                    let _ = world.cluster.move_coordinator(group, broker);
                }
            }
        }
    }

    fn push_error(&mut self, world: &mut World) {
        let (api, codes) = ERRORS[world.rng.usize(0..ERRORS.len())];
        let code = codes[world.rng.usize(0..codes.len())];
        let times = world.rng.u32(1..4);
        world.cluster.push_fault(Fault::error(api, code).times(times));
    }

    fn push_fault(world: &mut World) {
        let api = APIS[world.rng.usize(0..APIS.len())];
        let kind = match world.rng.u32(0..10) {
            0..=2 => FaultKind::Delay(world.rng.u64(1..3000)),
            3 => FaultKind::DisconnectBefore,
            4..=5 => FaultKind::DisconnectAfter,
            6 => FaultKind::DropAnswer,
            7 => FaultKind::Garbage,
            8 => FaultKind::CutOff,
            _ => FaultKind::WrongCorrelation,
        };
        world.cluster.push_fault(Fault::new(kind).api(api));
    }
}
