//! The world of a simulation: clients and an embedded cluster, joined by a network that delays and cuts.
//!
//! Everything that is left to chance comes from one seed, so a seed is a whole bug report.

use crate::clock::{Agenda, Clock};
use bytes::Bytes;
use milena::client::wire::{Closed, ConnId, Machine, NetOp};
use milena::embedded::{ClusterSettings, EmbeddedCluster, Output, ServerConn};
use milena::error::{Code, Error, Phase};
use milena::protocol::frame::FrameReader;
use milena::protocol::ApiKey;
use milena::{Nanos, Now};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

pub const FIRST_PORT: u16 = 9092;

/// Names a client of the world.
pub type ClientId = usize;

type LinkId = (ClientId, ConnId);

/// One connection, seen from both ends.
struct Link {
    server: Option<ServerConn>,
    /// Cuts the answers into frames, as the socket layer does.
    reader: FrameReader,
    /// Messages of a direction stay in order: none arrives before these times.
    to_server: Nanos,
    to_client: Nanos,
}

enum Event {
    Connect(LinkId, u16),
    Resolved(ClientId, milena::client::wire::JobId),
    ToServer(LinkId, Bytes),
    Written(LinkId),
    ToClient(LinkId, Vec<Bytes>),
    ClosedByServer(LinkId),
    ClosedByClient(ServerConn),
}

pub struct World {
    pub clock: Clock,
    pub cluster: EmbeddedCluster,
    pub rng: fastrand::Rng,
    seed: u64,
    /// The longest that a message takes, in microseconds.
    pub latency_us: u64,
    /// The requests for metadata that were sent, for tests to look into and to clear.
    pub metadata_requests: Vec<Bytes>,
    clients: Vec<Option<Box<dyn Machine>>>,
    deadlines: Vec<Option<Nanos>>,
    links: BTreeMap<LinkId, Link>,
    servers: BTreeMap<ServerConn, LinkId>,
    agenda: Agenda<Event>,
    cluster_deadline: Option<Nanos>,
}

impl World {
    pub fn new(seed: u64, brokers: u32, latency_us: u64) -> World {
        let settings = ClusterSettings {
            brokers,
            seed,
            ports: (0..brokers).map(|i| FIRST_PORT + i as u16).collect(),
            ..Default::default()
        };
        World {
            clock: Clock { mono: Nanos(1_000_000) },
            cluster: EmbeddedCluster::new(settings).expect("valid settings"),
            rng: fastrand::Rng::with_seed(seed),
            seed,
            latency_us,
            metadata_requests: Vec::new(),
            clients: Vec::new(),
            deadlines: Vec::new(),
            links: BTreeMap::new(),
            servers: BTreeMap::new(),
            agenda: Agenda::new(),
            cluster_deadline: None,
        }
    }

    pub fn now(&self) -> Now {
        self.clock.now()
    }

    /// The seed of this world, for choices that hold throughout it.
    pub fn rng_seed(&self) -> u64 {
        self.seed
    }

    pub fn bootstrap(&self) -> String {
        self.cluster.bootstrap_servers()
    }

    pub fn add(&mut self, machine: Box<dyn Machine>) -> ClientId {
        self.clients.push(Some(machine));
        self.deadlines.push(None);
        self.clients.len() - 1
    }

    /// Lets a client do what is due: after its application did something, as its waker would.
    pub fn poll(&mut self, id: ClientId) {
        let now = self.now();
        if let Some(machine) = &mut self.clients[id] {
            self.deadlines[id] = machine.poll(now);
        }
        self.carry_out(id);
    }

    /// Moves time to the next event, at most to `until`, and lets it happen.
    pub fn step(&mut self, until: Nanos) {
        let times = [self.agenda.next_time(), self.cluster_deadline];
        let next = times.into_iter().chain(self.deadlines.iter().copied()).flatten().min();
        let at = next.unwrap_or(until).min(until);
        self.clock.mono = self.clock.mono.max(at);
        while let Some(event) = self.agenda.pop_due(self.clock.mono) {
            self.happen(event);
        }
        self.run_cluster();
        for id in 0..self.clients.len() {
            if self.deadlines[id].is_some_and(|d| d <= self.clock.mono) {
                self.poll(id);
            }
        }
    }

    /// Cuts a connection, chosen by chance; what is on its way is lost.
    pub fn cut_one(&mut self) {
        let links: Vec<LinkId> = self.links.keys().copied().collect();
        if links.is_empty() {
            return;
        }
        let link = links[self.rng.usize(0..links.len())];
        let text = "Connection reset by peer (os error 104)";
        self.close_both(link, Error::new(Code::TRANSPORT, "the connection was lost").cause(text));
    }

    /// After something was done to the cluster from outside: lets it react, and takes its outputs.
    pub fn run_cluster(&mut self) {
        let now = self.now();
        self.cluster_deadline = self.cluster.poll(now);
        while let Some(output) = self.cluster.next_output() {
            match output {
                Output::Send { conn, segments } => {
                    let Some(&link) = self.servers.get(&conn) else { continue };
                    let at = self.arrival(|l| &mut l.to_client, link);
                    self.agenda.enter(at, Event::ToClient(link, segments));
                }
                Output::Close { conn } => {
                    let Some(&link) = self.servers.get(&conn) else { continue };
                    let at = self.arrival(|l| &mut l.to_client, link);
                    self.agenda.enter(at, Event::ClosedByServer(link));
                }
            }
        }
    }

    fn delay(&mut self) -> u64 {
        1_000 * self.rng.u64(10..=self.latency_us.max(10))
    }

    /// When a message that is sent now arrives: not before those sent before it.
    fn arrival(&mut self, direction: impl Fn(&mut Link) -> &mut Nanos, link: LinkId) -> Nanos {
        let at = Nanos(self.clock.mono.0 + self.delay());
        match self.links.get_mut(&link) {
            Some(link) => {
                let last = direction(link);
                *last = Nanos(at.0.max(last.0 + 1));
                *last
            }
            None => at,
        }
    }

    fn carry_out(&mut self, id: ClientId) {
        while let Some(op) = self.clients[id].as_mut().and_then(|m| m.next_op()) {
            match op {
                NetOp::Resolve { job, .. } => {
                    let at = Nanos(self.clock.mono.0 + self.delay());
                    self.agenda.enter(at, Event::Resolved(id, job));
                }
                NetOp::Connect { conn, addr, options } => {
                    let link = Link {
                        server: None,
                        reader: FrameReader::new(options.max_frame_bytes),
                        to_server: Nanos(0),
                        to_client: Nanos(0),
                    };
                    self.links.insert((id, conn), link);
                    let at = self.arrival(|l| &mut l.to_client, (id, conn));
                    self.agenda.enter(at, Event::Connect((id, conn), addr.port()));
                }
                NetOp::Send { conn, segments } => {
                    let bytes: Vec<u8> = segments.iter().flat_map(|s| s.iter().copied()).collect();
                    let frame = Bytes::from(bytes).slice(4..);
                    if frame.starts_with(&(ApiKey::Metadata as i16).to_be_bytes()) {
                        self.metadata_requests.push(frame.clone());
                    }
                    let at = self.arrival(|l| &mut l.to_server, (id, conn));
                    self.agenda.enter(at, Event::ToServer((id, conn), frame));
                }
                NetOp::TellWritten { conn } => {
                    let at = self.arrival(|l| &mut l.to_server, (id, conn));
                    self.agenda.enter(at, Event::Written((id, conn)));
                }
                NetOp::Rest { conn, until } => {
                    // What the broker sends from now on. What is on its way already may be told earlier.
                    if let Some(link) = self.links.get_mut(&(id, conn)) {
                        link.to_client = link.to_client.max(until);
                    }
                }
                NetOp::Close { conn } => {
                    if let Some(server) = self.links.remove(&(id, conn)).and_then(|l| l.server) {
                        self.servers.remove(&server);
                        let at = Nanos(self.clock.mono.0 + self.delay());
                        self.agenda.enter(at, Event::ClosedByClient(server));
                    }
                }
            }
        }
    }

    fn happen(&mut self, event: Event) {
        let now = self.now();
        match event {
            Event::Resolved(id, job) => {
                if let Some(machine) = &mut self.clients[id] {
                    machine.on_resolved(now, job, Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]));
                }
                self.poll(id);
            }
            Event::Connect(link, port) => self.connect(link, port),
            Event::ToServer(link, frame) => {
                if let Some(server) = self.links.get(&link).and_then(|l| l.server) {
                    self.cluster.on_frame(now, server, frame);
                    self.run_cluster();
                }
            }
            Event::Written(link) => {
                if let (true, Some(machine)) = (self.links.contains_key(&link), &mut self.clients[link.0]) {
                    machine.on_written(now, link.1);
                }
                self.poll(link.0);
            }
            Event::ToClient(link, segments) => self.deliver_answer(link, &segments),
            Event::ClosedByServer(link) => {
                self.close_both(link, Error::new(Code::TRANSPORT, "the broker closed the connection"));
            }
            Event::ClosedByClient(server) => {
                self.cluster.on_disconnect(now, server);
                self.run_cluster();
            }
        }
    }

    fn connect(&mut self, link: LinkId, port: u16) {
        let now = self.now();
        let broker = i32::from(port - FIRST_PORT) + 1;
        if !self.links.contains_key(&link) {
            return;
        }
        match self.cluster.connect(broker) {
            Ok(server) => {
                self.servers.insert(server, link);
                if let Some(link) = self.links.get_mut(&link) {
                    link.server = Some(server);
                }
                if let Some(machine) = &mut self.clients[link.0] {
                    machine.on_connected(now, link.1);
                }
                self.poll(link.0);
            }
            Err(_) => {
                let cause = "Connection refused (os error 111)";
                self.close_both(link, Error::new(Code::TRANSPORT, "the connection was refused").cause(cause));
            }
        }
    }

    fn deliver_answer(&mut self, link: LinkId, segments: &[Bytes]) {
        let now = self.now();
        let Some(found) = self.links.get_mut(&link) else { return };
        for segment in segments {
            found.reader.feed(segment);
        }
        loop {
            let Some(found) = self.links.get_mut(&link) else { return };
            match found.reader.next_frame() {
                Ok(Some(frame)) => {
                    if let Some(machine) = &mut self.clients[link.0] {
                        machine.on_frame(now, link.1, frame);
                    }
                    self.poll(link.0);
                }
                Ok(None) => return,
                Err(error) => return self.close_both(link, Error::from(error)),
            }
        }
    }

    fn close_both(&mut self, link: LinkId, error: Error) {
        let now = self.now();
        let Some(removed) = self.links.remove(&link) else { return };
        if let Some(server) = removed.server {
            self.servers.remove(&server);
            self.cluster.on_disconnect(now, server);
            self.run_cluster();
        }
        if let Some(machine) = &mut self.clients[link.0] {
            machine.on_closed(now, link.1, Closed { phase: Phase::Tcp, error });
        }
        self.poll(link.0);
    }
}
