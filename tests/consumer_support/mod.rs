//! A world for consumers: an embedded cluster, their machines, and a clock that tests move. No sockets, no threads.
#![allow(dead_code)]

use bytes::Bytes;
use milena::client::wire::{Closed, ConnId, Machine, NetOp, Wake};
use milena::config::{ConsumerConfig, OffsetReset};
use milena::consumer::{Event, FetchedBatch, KafkaConsumer, Pending, Polled};
use milena::embedded::{ClusterSettings, EmbeddedCluster, Output, ServerConn};
use milena::error::{Code, Error, Phase};
use milena::protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use milena::protocol::messages::ProduceRequest;
use milena::protocol::{encode_request, FrameReader, Records};
use milena::record::{
    Compression, Compressor, Header, Headers, MemoryRecordsBuilder, ProducerState, RecordRef,
};
use milena::serialization::TopicPartition;
use milena::time::{earlier, Nanos, Now};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

pub const FIRST_PORT: u16 = 9092;

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

struct Client {
    machine: Box<dyn Machine>,
    woken: Arc<Flag>,
    deadline: Option<Nanos>,
    conns: HashMap<ConnId, ServerConn>,
    readers: HashMap<ConnId, FrameReader>,
    finished: bool,
}

pub struct World {
    pub cluster: EmbeddedCluster,
    pub now: Now,
    clients: Vec<Client>,
    of: HashMap<ServerConn, (usize, ConnId)>,
    producer: HashMap<i32, ServerConn>,
    seed: u64,
}

pub fn settings(brokers: u32) -> ClusterSettings {
    ClusterSettings {
        brokers,
        ports: (0..brokers as u16).map(|i| FIRST_PORT + i).collect(),
        group_initial_rebalance_delay_ms: 0,
        ..ClusterSettings::default()
    }
}

pub fn tp(topic: &str, partition: i32) -> TopicPartition {
    TopicPartition::new(topic, partition)
}

/// A configuration that reads from the beginning.
pub fn config(group: Option<&str>) -> ConsumerConfig {
    let mut config = ConsumerConfig::default_for(&format!("127.0.0.1:{FIRST_PORT}")).unwrap();
    config.group_id = group.map(str::to_owned);
    config.offset_reset = OffsetReset::Earliest;
    config.auto_commit = false;
    config
}

impl World {
    pub fn new(brokers: u32) -> World {
        World::with(settings(brokers))
    }

    pub fn with(settings: ClusterSettings) -> World {
        World {
            cluster: EmbeddedCluster::new(settings).unwrap(),
            now: Now { mono: Nanos(1_000_000_000), wall_ms: 1_700_000_000_000 },
            clients: Vec::new(),
            of: HashMap::new(),
            producer: HashMap::new(),
            seed: 1,
        }
    }

    pub fn topic(&mut self, name: &str, partitions: i32) {
        self.cluster.create_topic(name, partitions, -1, &[]).unwrap();
    }

    pub fn consumer(&mut self, config: &ConsumerConfig) -> KafkaConsumer {
        self.client(|seed, wake| KafkaConsumer::parts(config, seed, wake))
    }

    /// Any client of which there are two halves.
    pub fn client<C>(&mut self, make: impl FnOnce(u64, Arc<dyn Wake>) -> (C, Box<dyn Machine>)) -> C {
        let woken = Arc::new(Flag(AtomicBool::new(true)));
        self.seed += 1;
        let (client, machine) = make(self.seed, woken.clone());
        self.clients.push(Client {
            machine,
            woken,
            deadline: Some(self.now.mono),
            conns: HashMap::new(),
            readers: HashMap::new(),
            finished: false,
        });
        client
    }

    /// Whether all machines have come to their end.
    pub fn all_finished(&self) -> bool {
        self.clients.iter().all(|c| c.finished)
    }

    // ---- data

    pub fn produce(&mut self, topic: &str, partition: i32, values: &[&str]) {
        let batch = batch(values, Compression::None);
        self.produce_batch(topic, partition, &batch);
    }

    pub fn produce_batch(&mut self, topic: &str, partition: i32, batch: &[u8]) {
        let (leader, _) = self.cluster.leader(topic, partition).unwrap();
        if !self.producer.get(&leader).is_some_and(|c| self.cluster.takes_frames(*c)) {
            let conn = self.cluster.connect(leader).unwrap();
            self.producer.insert(leader, conn);
        }
        let before = self.cluster.offsets(topic, partition).unwrap().1;
        let data = PartitionProduceData { index: partition, records: Some(Records::Slice(batch)) };
        let request = ProduceRequest {
            acks: -1,
            timeout_ms: 1000,
            topic_data: vec![TopicProduceData {
                name: topic,
                partition_data: vec![data],
                ..Default::default()
            }],
            ..Default::default()
        };
        let frame = encode_request(&request, 7, 1, Some("test")).unwrap().concat();
        self.cluster.on_frame(self.now, self.producer[&leader], Bytes::from(frame).slice(4..));
        self.outputs();
        assert!(self.cluster.offsets(topic, partition).unwrap().1 > before, "the batch was refused");
    }

    // ---- time

    /// Lets everything happen that can happen now.
    pub fn settle(&mut self) {
        for _ in 0..10_000 {
            let mut busy = false;
            for i in 0..self.clients.len() {
                busy |= self.run_client(i);
            }
            self.cluster.poll(self.now);
            busy |= self.outputs();
            if !busy {
                return;
            }
        }
        panic!("it does not come to rest");
    }

    fn run_client(&mut self, i: usize) -> bool {
        let now = self.now;
        let client = &mut self.clients[i];
        if client.finished {
            return false;
        }
        let due = client.deadline.is_some_and(|d| d <= now.mono);
        if !client.woken.0.swap(false, Ordering::SeqCst) && !due {
            return false;
        }
        client.deadline = client.machine.poll(now);
        self.operations(i);
        let client = &mut self.clients[i];
        client.finished = client.machine.is_finished();
        true
    }

    fn operations(&mut self, i: usize) {
        let now = self.now;
        while let Some(op) = self.clients[i].machine.next_op() {
            let client = &mut self.clients[i];
            match op {
                NetOp::Connect { conn, addr, .. } => {
                    match self.cluster.connect(i32::from(addr.port() - FIRST_PORT) + 1) {
                        Ok(server) => {
                            client.conns.insert(conn, server);
                            client.readers.insert(conn, FrameReader::new(1 << 30));
                            self.of.insert(server, (i, conn));
                            client.machine.on_connected(now, conn);
                        }
                        Err(_) => client.machine.on_closed(now, conn, closed()),
                    }
                    client.woken.wake();
                }
                NetOp::Send { conn, segments } => {
                    if let Some(server) = client.conns.get(&conn) {
                        let frame = Bytes::from(segments.concat()).slice(4..);
                        self.cluster.on_frame(now, *server, frame);
                    }
                }
                NetOp::Close { conn } => {
                    if let Some(server) = client.conns.remove(&conn) {
                        self.of.remove(&server);
                        self.cluster.on_disconnect(now, server);
                    }
                }
                NetOp::Resolve { .. } => panic!("addresses need no lookup"),
                NetOp::TellWritten { .. } | NetOp::Rest { .. } => panic!("that is for producers"),
            }
        }
    }

    fn outputs(&mut self) -> bool {
        let mut any = false;
        while let Some(output) = self.cluster.next_output() {
            any = true;
            let (server, segments) = match output {
                Output::Send { conn, segments } => (conn, Some(segments)),
                Output::Close { conn } => (conn, None),
            };
            let Some((i, conn)) = self.of.get(&server).copied() else { continue };
            let client = &mut self.clients[i];
            match segments {
                Some(segments) => {
                    let reader = client.readers.get_mut(&conn).unwrap();
                    segments.iter().for_each(|s| reader.feed(s));
                    let mut frames = Vec::new();
                    let broken = loop {
                        match reader.next_frame() {
                            Ok(Some(frame)) => frames.push(frame),
                            Ok(None) => break false,
                            Err(_) => break true,
                        }
                    };
                    frames.into_iter().for_each(|f| client.machine.on_frame(self.now, conn, f));
                    if broken {
                        client.machine.on_closed(self.now, conn, closed());
                    }
                }
                None => {
                    self.of.remove(&server);
                    client.conns.remove(&conn);
                    client.machine.on_closed(self.now, conn, closed());
                }
            }
            client.woken.wake();
        }
        any
    }

    /// Lets time pass, from one deadline to the next.
    pub fn run_ms(&mut self, ms: u64) {
        let end = self.now.mono.plus_ms(ms);
        while self.step_until(end) {}
    }

    /// Goes on to the next deadline, at most to `end`. False when that is reached.
    fn step_until(&mut self, end: Nanos) -> bool {
        self.settle();
        let clients = self.clients.iter().filter(|c| !c.finished).map(|c| c.deadline).fold(None, earlier);
        let next = earlier(clients, self.cluster.poll(self.now));
        if self.outputs() {
            return true;
        }
        let next = next.filter(|at| *at > self.now.mono).unwrap_or(end).min(end);
        let passed = next.since(self.now.mono);
        self.now = Now { mono: next, wall_ms: self.now.wall_ms + passed.as_millis() as i64 };
        if next == end {
            self.settle();
        }
        next < end
    }

    // ---- consumers

    /// Polls until there is something, at most for so long.
    pub fn poll(&mut self, consumer: &mut KafkaConsumer, ms: u64, max: usize) -> Result<Polled, Error> {
        let end = self.now.mono.plus_ms(ms);
        loop {
            self.settle();
            if let Some(polled) = consumer.poll_step(self.now, max)? {
                return Ok(polled);
            }
            if !self.step_until(end) {
                return Ok(consumer.poll_step(self.now, max)?.unwrap_or(Polled::Nothing));
            }
        }
    }

    /// The next event; records that come before it are an error of the test.
    pub fn event(&mut self, consumer: &mut KafkaConsumer) -> Event {
        match self.poll(consumer, 60_000, 100).unwrap() {
            Polled::Event(event) => event,
            other => panic!("an event was expected, not {other:?}"),
        }
    }

    /// The next records.
    pub fn records(&mut self, consumer: &mut KafkaConsumer) -> FetchedBatch {
        match self.poll(consumer, 60_000, 1000).unwrap() {
            Polled::Records(batch) => batch,
            other => panic!("records were expected, not {other:?}"),
        }
    }

    /// The next error.
    pub fn error(&mut self, consumer: &mut KafkaConsumer) -> Error {
        match self.poll(consumer, 60_000, 1000) {
            Err(error) => error,
            other => panic!("an error was expected, not {other:?}"),
        }
    }

    /// Polls for so long, and gives the values of all records.
    pub fn values(&mut self, consumer: &mut KafkaConsumer, ms: u64) -> Vec<String> {
        let (mut all, end) = (Vec::new(), self.now.mono.plus_ms(ms));
        while self.now.mono < end {
            let left = end.ms_since(self.now.mono).max(1);
            if let Polled::Records(batch) = self.poll(consumer, left, 1000).unwrap() {
                all.extend(values(&batch));
            }
        }
        all
    }

    /// Polls all of them in turn for so long; gives what each got.
    pub fn poll_all(&mut self, consumers: &mut [&mut KafkaConsumer], ms: u64) -> Vec<Vec<Polled>> {
        let mut got: Vec<Vec<Polled>> = consumers.iter().map(|_| Vec::new()).collect();
        let end = self.now.mono.plus_ms(ms);
        loop {
            self.settle();
            let mut any = false;
            for (consumer, got) in consumers.iter_mut().zip(&mut got) {
                if let Some(polled) = consumer.poll_step(self.now, 1000).unwrap() {
                    got.push(polled);
                    any = true;
                }
            }
            if !any && !self.step_until(end) {
                return got;
            }
        }
    }

    pub fn answer<T>(&mut self, pending: &Pending<T>) -> Result<T, Error> {
        self.result(|| pending.try_take())
    }

    /// What `take` gives as soon as it gives something.
    pub fn result<T>(&mut self, take: impl Fn() -> Option<Result<T, Error>>) -> Result<T, Error> {
        let end = self.now.mono.plus_ms(120_000);
        loop {
            self.settle();
            if let Some(result) = take() {
                return result;
            }
            assert!(self.step_until(end), "no answer");
        }
    }
}

fn closed() -> Closed {
    Closed { phase: Phase::Tcp, error: Error::new(Code::TRANSPORT, "the connection ended") }
}

/// A batch of these values; the timestamps count up from 1000.
pub fn batch(values: &[&str], codec: Compression) -> Vec<u8> {
    let records: Vec<RecordRef<'_>> = values
        .iter()
        .zip(1000..)
        .map(|(v, timestamp_ms)| RecordRef {
            timestamp_ms,
            value: Some(v.as_bytes()),
            ..RecordRef::default()
        })
        .collect();
    batch_of(&records, codec)
}

pub fn batch_of(records: &[RecordRef<'_>], codec: Compression) -> Vec<u8> {
    let mut builder = MemoryRecordsBuilder::new(bytes::BytesMut::new());
    for record in records {
        builder.append_with_offset(record, usize::MAX).unwrap();
    }
    builder.close(codec, codec.default_level(), &mut Compressor::new()).to_vec(ProducerState::NONE)
}

/// A record with everything.
pub fn full_record<'a>(
    key: Option<&'a [u8]>,
    value: Option<&'a [u8]>,
    headers: &'a [Header<'a>],
) -> RecordRef<'a> {
    RecordRef { timestamp_ms: 5000, key, value, headers: Headers::Slice(headers) }
}

pub fn values(batch: &FetchedBatch) -> Vec<String> {
    let records = batch.chunks.iter().flat_map(|c| c.records().iter().map(move |r| (c, r)));
    records.map(|(c, r)| String::from_utf8_lossy(c.value(r).unwrap_or(b"<null>")).into_owned()).collect()
}

pub fn offsets(batch: &FetchedBatch) -> Vec<i64> {
    batch.chunks.iter().flat_map(|c| c.records().iter().map(|r| r.offset)).collect()
}

pub fn names(partitions: &[TopicPartition]) -> String {
    partitions.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// Whether a descriptor can be read at this moment.
#[allow(unsafe_code)]
pub fn is_readable(fd: i32) -> bool {
    let mut poll = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    // SAFETY: one entry, which lives through the call.
    unsafe { libc::poll(&mut poll, 1, 0) == 1 }
}

/// What an event says, in short.
pub fn shown(event: &Event) -> String {
    match event {
        Event::Assigned(p) => format!("assigned {}", names(p)),
        Event::Revoked(p) => format!("revoked {}", names(p)),
        Event::Lost { partitions, reason } => format!("lost {} {}", names(partitions), reason.code().name()),
        Event::Committed { offsets, error } => {
            let all: Vec<String> = offsets.iter().map(|(p, o)| format!("{p}@{}", o.offset)).collect();
            let error = error.as_ref().map_or("", |e| e.code().name());
            format!("committed {} {error}", all.join(" "))
        }
    }
    .trim()
    .to_owned()
}
