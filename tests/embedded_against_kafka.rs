//! The same requests to the embedded cluster and to a real broker: the answers must be the same, but for what can't
//! be (ids, ports, times). Needs MILENA_BROKER=host:port of a 4.4 broker of a cluster with one node:
//!
//! `tests/kafka/kafka_cluster.py run --version 4.4.0 -- cargo test --test embedded_against_kafka -- --ignored`

use bytes::Bytes;
use milena::embedded::{ClusterSettings, EmbeddedServer};
use milena::protocol::messages::create_partitions_request::CreatePartitionsTopic;
use milena::protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use milena::protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use milena::protocol::messages::delete_topics_request::DeleteTopicState;
use milena::protocol::messages::describe_configs_request::DescribeConfigsResource;
use milena::protocol::messages::describe_topic_partitions_request::TopicRequest;
use milena::protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use milena::protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use milena::protocol::messages::join_group_request::JoinGroupRequestProtocol;
use milena::protocol::messages::leave_group_request::MemberIdentity;
use milena::protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use milena::protocol::messages::metadata_request::MetadataRequestTopic;
use milena::protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use milena::protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use milena::protocol::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use milena::protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use milena::protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use milena::protocol::messages::*;
use milena::protocol::{
    decode_response_header, encode_request, ApiMessage, FrameReader, Message, Reader, Records, Uuid,
};
use milena::record::{Compression, Compressor, MemoryRecordsBuilder, ProducerState, RecordRef};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant, SystemTime};

/// One of the two brokers, and what differs there.
struct Side {
    address: String,
    stream: TcpStream,
    frames: FrameReader,
    topic_id: Uuid,
    producer_id: i64,
    member: String,
    silent: bool,
}

impl Side {
    fn new(address: &str) -> Side {
        Side {
            address: address.to_owned(),
            stream: connect(address),
            frames: FrameReader::new(1 << 30),
            topic_id: Uuid::ZERO,
            producer_id: 0,
            member: String::new(),
            silent: false,
        }
    }

    fn reconnect(&mut self) {
        self.stream = connect(&self.address);
        self.frames = FrameReader::new(1 << 30);
    }

    /// The answer; `None` when the broker closes the connection instead, or says nothing.
    fn call<'m, Q: ApiMessage<'m>, M: Message<'static>>(&mut self, request: &Q, version: i16) -> Option<M> {
        let frame = encode_request(request, version, 5, Some("differ")).unwrap().concat();
        self.stream.write_all(&frame).unwrap();
        loop {
            if let Some(frame) = self.frames.next_frame().unwrap() {
                let mut r = Reader::new(Box::leak(frame.to_vec().into_boxed_slice()));
                assert_eq!(decode_response_header(&mut r, Q::API, version), Ok(5));
                return Some(M::decode(&mut r, version).unwrap());
            }
            match self.stream.read(self.frames.spare()) {
                Ok(0) => {
                    self.reconnect();
                    return None;
                }
                Ok(n) => self.frames.filled(n),
                Err(_) => {
                    self.silent = true;
                    self.reconnect();
                    return None;
                }
            }
        }
    }
}

fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    stream
}

/// Both brokers, and where they differed.
struct Pair {
    sides: [Side; 2],
    /// What was asked, in which versions, and the two answers.
    differences: Vec<(String, Vec<i16>, String)>,
    compared: usize,
}

impl Pair {
    /// Asks both and compares what `show` makes of the answers.
    fn compare<'m, Q, M, R>(
        &mut self,
        what: &str,
        versions: impl IntoIterator<Item = i16>,
        request: R,
        show: impl Fn(&M) -> String,
    ) where
        Q: ApiMessage<'m>,
        M: Message<'static>,
        R: Fn(&Side) -> Q,
    {
        for version in versions {
            let shown = self.sides.each_mut().map(|side| {
                let request = request(side);
                match side.call::<Q, M>(&request, version) {
                    Some(answer) => show(&answer),
                    None if std::mem::take(&mut side.silent) => "says nothing".to_owned(),
                    None => "closed".to_owned(),
                }
            });
            self.compared += 1;
            let [embedded, kafka] = shown;
            if embedded == kafka {
                continue;
            }
            let pair = format!("\n  embedded {embedded}\n  kafka    {kafka}");
            match self.differences.last_mut() {
                Some(last) if last.0 == what && last.2 == pair => last.1.push(version),
                _ => self.differences.push((what.to_owned(), vec![version], pair)),
            }
        }
    }

    /// Does the same on both, without comparing.
    fn each(&mut self, act: impl Fn(&mut Side)) {
        self.sides.iter_mut().for_each(act);
    }
}

fn leak(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

// ---- records

fn batch_of(records: usize, state: ProducerState, timestamp: i64) -> Bytes {
    let mut builder = MemoryRecordsBuilder::new(bytes::BytesMut::new());
    for i in 0..records {
        let record = RecordRef {
            timestamp_ms: timestamp + i as i64,
            value: Some(b"some value"),
            ..RecordRef::default()
        };
        builder.append_with_offset(&record, usize::MAX).unwrap();
    }
    Bytes::from(builder.close(Compression::None, 0, &mut Compressor::new()).to_vec(state))
}

fn plain(records: usize) -> Bytes {
    batch_of(records, ProducerState::NONE, now_ms())
}

fn idempotent(producer_id: i64, epoch: i16, sequence: i32, records: usize) -> Bytes {
    let state =
        ProducerState { producer_id, producer_epoch: epoch, base_sequence: sequence, ..ProducerState::NONE };
    batch_of(records, state, now_ms())
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as i64
}

/// Changes bytes of a batch and makes its checksum right again.
fn forged(batch: &Bytes, at: usize, bytes: &[u8]) -> Bytes {
    let mut forged = batch.to_vec();
    forged[at..at + bytes.len()].copy_from_slice(bytes);
    let crc = crc32c::crc32c(&forged[21..]);
    forged[17..21].copy_from_slice(&crc.to_be_bytes());
    Bytes::from(forged)
}

fn produce(
    topic: &'static str,
    id: Uuid,
    index: i32,
    acks: i16,
    records: Option<Bytes>,
) -> ProduceRequest<'static> {
    let records = records.map(|bytes| Records::Slice(Box::leak(bytes.to_vec().into_boxed_slice())));
    let partition_data = vec![PartitionProduceData { index, records }];
    ProduceRequest {
        transactional_id: None,
        acks,
        timeout_ms: 5000,
        topic_data: vec![TopicProduceData { name: topic, topic_id: id, partition_data }],
    }
}

fn show_produced(r: &ProduceResponse<'static>) -> String {
    let p = &r.responses[0].partition_responses[0];
    format!(
        "error {} base {} append time {} start {}",
        p.error_code,
        p.base_offset,
        p.log_append_time_ms.signum(),
        p.log_start_offset
    )
}

fn create(topics: Vec<CreatableTopic<'static>>) -> CreateTopicsRequest<'static> {
    CreateTopicsRequest { topics, timeout_ms: 10_000, validate_only: false }
}

fn topic(name: &'static str, num_partitions: i32, replication_factor: i16) -> CreatableTopic<'static> {
    CreatableTopic { name, num_partitions, replication_factor, ..CreatableTopic::default() }
}

fn show_created(r: &CreateTopicsResponse<'static>) -> String {
    let mut rows: Vec<String> = r
        .topics
        .iter()
        .map(|t| format!("{} {} p{} r{}", t.name, t.error_code, t.num_partitions, t.replication_factor))
        .collect();
    rows.sort();
    rows.join(", ")
}

#[test]
#[ignore = "needs a real broker: set MILENA_BROKER"]
fn answers_are_the_same_as_kafkas() {
    let kafka = std::env::var("MILENA_BROKER").expect("MILENA_BROKER=host:port of a Kafka 4.4 broker");
    // What kafka_cluster.py sets on its brokers, too.
    let settings = ClusterSettings { group_min_session_timeout_ms: 1000, ..ClusterSettings::default() };
    let server = EmbeddedServer::start(settings, 0).unwrap();
    let addresses = [server.bootstrap_servers(), kafka.split(',').next().unwrap().to_owned()];
    let sides = addresses.map(|address| Side::new(&address));
    let mut pair = Pair { sides, differences: Vec::new(), compared: 0 };
    let run = leak(format!("differ-{}", now_ms()));
    versions(&mut pair);
    topics(&mut pair, run);
    producing(&mut pair, run);
    fetching(&mut pair, run);
    listing_offsets(&mut pair, run);
    administration(&mut pair, run);
    groups(&mut pair, run);
    one_member(&mut pair, run);
    deleting(&mut pair, run);
    println!("{} answers compared", pair.compared);
    let told: Vec<String> =
        pair.differences.iter().map(|(what, v, two)| format!("{what}, versions {v:?}:{two}")).collect();
    assert!(told.is_empty(), "{} of {} answers differ\n{}", told.len(), pair.compared, told.join("\n"));
}

fn versions(pair: &mut Pair) {
    let request = |name, cluster_id, node_id| ApiVersionsRequest {
        client_software_name: name,
        client_software_version: "1",
        cluster_id,
        node_id,
    };
    let ours: Vec<i16> = pair.sides[0]
        .call::<_, ApiVersionsResponse<'_>>(&request("a", None, -1), 3)
        .unwrap()
        .api_keys
        .iter()
        .map(|row| row.api_key)
        .collect();
    // Only APIs that exist here; InitProducerId 6 is part of two-phase commit, which no client speaks yet.
    let show = |r: &ApiVersionsResponse<'static>| {
        let rows = r.api_keys.iter().filter(|row| ours.contains(&row.api_key) && row.api_key != 22);
        let rows: Vec<_> = rows.map(|row| (row.api_key, row.min_version, row.max_version)).collect();
        format!("error {} {rows:?}", r.error_code)
    };
    pair.compare("ApiVersions", 0..=5, |_| request("a", None, -1), show);
    pair.compare("ApiVersions without a name", 3..=5, |_| request("", None, -1), show);
    pair.compare("ApiVersions with an illegal name", 3..=5, |_| request("-a", None, -1), show);
    pair.compare("ApiVersions for another cluster", [5], |_| request("a", Some("x"), -1), show);
    pair.compare("ApiVersions for another node", [5], |_| request("a", None, 77), show);
    pair.compare("ApiVersions for another cluster and node", [5], |_| request("a", Some("x"), 1), show);
}

fn show_metadata(r: &MetadataResponse<'static>) -> String {
    let topic = |t: &metadata_response::MetadataResponseTopic<'_>| {
        let partitions: Vec<_> = t
            .partitions
            .iter()
            .map(|p| (p.error_code, p.partition_index, p.leader_epoch, p.replica_nodes.len()))
            .collect();
        format!(
            "{:?} {} internal {} {partitions:?} {}",
            t.name, t.error_code, t.is_internal, t.topic_authorized_operations
        )
    };
    let topics: Vec<String> = r.topics.iter().map(topic).collect();
    format!("{} brokers, {topics:?}, operations {}", r.brokers.len(), r.cluster_authorized_operations)
}

fn topics(pair: &mut Pair, run: &'static str) {
    let assigned = |name, brokers: Vec<Vec<i32>>| CreatableTopic {
        assignments: (0..)
            .zip(brokers)
            .map(|(partition_index, broker_ids)| CreatableReplicaAssignment { partition_index, broker_ids })
            .collect(),
        ..topic(name, -1, -1)
    };
    let configured = |name, key, value| CreatableTopic {
        configs: vec![CreatableTopicConfig { name: key, value }],
        ..topic(name, 1, 1)
    };
    for version in 2..=7 {
        let name = leak(format!("{run}-created-{version}"));
        pair.compare("CreateTopics", [version], |_| create(vec![topic(name, 2, 1)]), show_created);
        pair.compare("CreateTopics again", [version], |_| create(vec![topic(name, 2, 1)]), show_created);
    }
    let bad = [
        topic("", 1, 1),
        topic("a b", 1, 1),
        topic(".", 1, 1),
        topic("zero", 0, 1),
        topic("minus", -2, 1),
        topic("much", 1, 2),
        topic("none", 1, 0),
        assigned("known", vec![vec![9]]),
        assigned("twice", vec![vec![1, 1]]),
        assigned("nobody", vec![vec![]]),
        CreatableTopic { num_partitions: 1, ..assigned("both", vec![vec![1]]) },
        configured("name", "no.such.config", Some("1")),
        configured("number", "retention.ms", Some("many")),
        configured("low", "max.message.bytes", Some("-5")),
        configured("enum", "message.timestamp.type", Some("Never")),
        configured("null", "retention.ms", None),
        configured("policy", "cleanup.policy", Some("burn")),
    ];
    for t in bad {
        let what = format!("CreateTopics {t:?}");
        pair.compare(&what, [2, 7], |_| create(vec![t.clone()]), show_created);
    }
    let twice = |_: &Side| create(vec![topic("twice", 1, 1), topic("twice", 1, 1)]);
    pair.compare("CreateTopics twice in a request", [7], twice, show_created);
    let checked =
        |_: &Side| CreateTopicsRequest { validate_only: true, ..create(vec![topic("only-checked", 3, 1)]) };
    pair.compare("CreateTopics only checked", [2, 7], checked, show_created);

    let log =
        create(vec![topic(leak(format!("{run}-log")), 2, 1), topic(leak(format!("{run}-other")), 1, 1)]);
    pair.compare("CreateTopics", [7], |_| log.clone(), show_created);
    let names: Vec<&'static str> = log.topics.iter().map(|t| t.name).collect();
    let by_name = |names: &[&'static str]| MetadataRequest {
        topics: Some(
            names.iter().map(|n| MetadataRequestTopic { name: Some(n), ..Default::default() }).collect(),
        ),
        ..MetadataRequest::default()
    };
    pair.each(|side| {
        let begin = Instant::now();
        loop {
            let r: MetadataResponse<'_> = side.call(&by_name(&names), 12).unwrap();
            if r.topics.iter().all(|t| t.error_code == 0 && t.partitions.iter().all(|p| p.error_code == 0)) {
                side.topic_id = r.topics[0].topic_id;
                return;
            }
            assert!(begin.elapsed() < Duration::from_secs(20), "the topics do not come up");
        }
    });
    pair.compare("Metadata", 4..=13, |_| by_name(&names), show_metadata);
    pair.compare("Metadata of an unknown topic", 4..=13, |_| by_name(&["unknown-topic"]), show_metadata);
    pair.compare("Metadata of an illegal topic", 4..=13, |_| by_name(&["a b"]), show_metadata);
    pair.compare(
        "Metadata of no topics",
        1..=3,
        |_| MetadataRequest { allow_auto_topic_creation: true, ..by_name(&[]) },
        show_metadata,
    );
    let operations =
        |_: &Side| MetadataRequest { include_topic_authorized_operations: true, ..by_name(&names) };
    pair.compare("Metadata with operations", 8..=13, operations, show_metadata);
    let operations =
        |_: &Side| MetadataRequest { include_cluster_authorized_operations: true, ..by_name(&names) };
    pair.compare("Metadata with operations of the cluster", 8..=10, operations, show_metadata);
    let by_id = |id| MetadataRequest {
        topics: Some(vec![MetadataRequestTopic { name: None, topic_id: id }]),
        ..MetadataRequest::default()
    };
    pair.compare("Metadata by id", [12, 13], |side| by_id(side.topic_id), show_metadata);
    pair.compare("Metadata by an unknown id", [12, 13], |_| by_id(Uuid([9; 16])), show_metadata);
}

fn producing(pair: &mut Pair, run: &'static str) {
    let log = leak(format!("{run}-log"));
    for version in 3..=13 {
        pair.compare(
            "Produce",
            [version],
            |s| produce(log, s.topic_id, 0, -1, Some(plain(3))),
            show_produced,
        );
        pair.compare(
            "Produce acks 1",
            [version],
            |s| produce(log, s.topic_id, 0, 1, Some(plain(2))),
            show_produced,
        );
    }
    let good = plain(3);
    let control = batch_of(1, ProducerState { control: true, ..ProducerState::NONE }, now_ms());
    let mut corrupt = good.to_vec();
    *corrupt.last_mut().unwrap() ^= 1;
    let bad = [
        ("no records", Some(Bytes::new())),
        ("a wrong checksum", Some(Bytes::from(corrupt))),
        ("half a batch", Some(good.slice(..good.len() / 2))),
        ("a cut header", Some(good.slice(..40))),
        ("two batches", Some(Bytes::from([&good[..], &good[..]].concat()))),
        ("a batch and a half", Some(Bytes::from([&good[..], &good[..70]].concat()))),
        ("magic 3", Some(forged(&good, 16, &[3]))),
        ("a control batch", Some(control)),
        ("too high a count", Some(forged(&good, 57, &4i32.to_be_bytes()))),
        ("too low a count", Some(forged(&good, 57, &2i32.to_be_bytes()))),
        ("a negative count", Some(forged(&good, 57, &(-1i32).to_be_bytes()))),
        ("a wrong last offset", Some(forged(&good, 23, &5i32.to_be_bytes()))),
        ("an unknown codec", Some(forged(&good, 21, &[0, 7]))),
        ("no real gzip", Some(forged(&good, 21, &[0, 1]))),
        ("a base offset", Some(forged(&good, 0, &7i64.to_be_bytes()))),
        ("too large a batch", Some(plain(60_000))),
    ];
    for (what, records) in bad {
        let request = |s: &Side| produce(log, s.topic_id, 0, -1, records.clone());
        pair.compare(&format!("Produce {what}"), [3, 9, 13], request, show_produced);
    }
    pair.compare(
        "Produce to an unknown partition",
        [3, 9, 13],
        |s| produce(log, s.topic_id, 7, -1, Some(plain(1))),
        show_produced,
    );
    pair.compare(
        "Produce to an unknown topic",
        [9, 13],
        |_| produce("unknown", Uuid([9; 16]), 0, -1, Some(plain(1))),
        show_produced,
    );
    for acks in [2, -2] {
        pair.compare(
            "Produce with bad acks",
            [9],
            |s| produce(log, s.topic_id, 0, acks, Some(plain(1))),
            show_produced,
        );
    }
    sequences(pair, log);
}

fn sequences(pair: &mut Pair, log: &'static str) {
    let init = |id: i64, epoch| InitProducerIdRequest {
        transactional_id: None,
        transaction_timeout_ms: 1000,
        producer_id: id,
        producer_epoch: epoch,
    };
    pair.each(|side| {
        // A new broker may still be fetching its block of ids.
        let begin = Instant::now();
        loop {
            let r: InitProducerIdResponse = side.call(&init(-1, -1), 4).unwrap();
            if r.error_code == 0 {
                side.producer_id = r.producer_id;
                return;
            }
            assert!(begin.elapsed() < Duration::from_secs(20), "no producer id: {}", r.error_code);
        }
    });
    let show = |r: &InitProducerIdResponse| {
        format!("error {} epoch {} id {}", r.error_code, r.producer_epoch, r.producer_id >= 0)
    };
    pair.compare("InitProducerId", 0..=2, |_| init(-1, -1), show);
    pair.compare("InitProducerId", 3..=5, |_| init(-1, -1), show);
    pair.compare("InitProducerId with an id", 3..=5, |s| init(s.producer_id, 0), show);
    pair.compare("InitProducerId with half an id", 3..=5, |s| init(s.producer_id, -1), show);
    // Epoch, first sequence, records: in order, repeated, gaps, old and new epochs, six batches back.
    let steps = [
        (0, 0, 2),
        (0, 2, 1),
        (0, 3, 1),
        (0, 3, 1),
        (0, 0, 2),
        (0, 0, 1),
        (0, 5, 1),
        (0, 4, 1),
        (0, 5, 1),
        (0, 6, 1),
        (0, 7, 1),
        (0, 0, 2),
        (0, 4, 1),
        (0, 7, 2),
        (1, 5, 1),
        (1, 0, 3),
        (0, 8, 1),
        (1, 3, 1),
        (1, 0, 3),
        (3, 0, 1),
        (2, 0, 1),
        (3, -1, 1),
        (-1, 1, 1),
        (3, i32::MAX, 1),
        (4, 0, 1),
    ];
    for (number, (epoch, sequence, records)) in steps.into_iter().enumerate() {
        let request = |s: &Side| {
            produce(log, s.topic_id, 1, -1, Some(idempotent(s.producer_id, epoch, sequence, records)))
        };
        let what = format!("Produce step {number}: epoch {epoch} sequence {sequence} records {records}");
        pair.compare(&what, [9], request, show_produced);
    }
    let unknown = |s: &Side| produce(log, s.topic_id, 1, -1, Some(idempotent(s.producer_id + 1, 4, 50, 1)));
    pair.compare("Produce from a producer that is not known, in the middle", [9], unknown, show_produced);
}

fn fetch(topic: &'static str, id: Uuid, offset: i64) -> FetchRequest<'static> {
    let partition =
        FetchPartition { fetch_offset: offset, partition_max_bytes: 1 << 20, ..Default::default() };
    FetchRequest {
        max_wait_ms: 0,
        min_bytes: 1,
        max_bytes: 50 << 20,
        topics: vec![FetchTopic { topic, topic_id: id, partitions: vec![partition] }],
        ..FetchRequest::default()
    }
}

fn show_fetched(r: &FetchResponse<'static>) -> String {
    let mut out = format!("error {} session {}", r.error_code, r.session_id != 0);
    for p in r.responses.iter().flat_map(|t| &t.partitions) {
        let bytes = match p.records {
            Some(Records::Slice(bytes)) => format!("{} bytes", bytes.len()),
            _ => "null".to_owned(),
        };
        out += &format!(
            "; {} error {} end {} stable {} start {} diverging {},{} leader {},{} aborted {:?} {bytes}",
            p.partition_index,
            p.error_code,
            p.high_watermark,
            p.last_stable_offset,
            p.log_start_offset,
            p.diverging_epoch.epoch,
            p.diverging_epoch.end_offset,
            p.current_leader.leader_id,
            p.current_leader.leader_epoch,
            p.aborted_transactions.as_ref().map(Vec::len),
        );
    }
    out
}

fn fetching(pair: &mut Pair, run: &'static str) {
    let log = leak(format!("{run}-log"));
    let changed = |s: &Side, offset, change: &dyn Fn(&mut FetchRequest<'static>)| {
        let mut request = fetch(log, s.topic_id, offset);
        change(&mut request);
        request
    };
    for offset in [0, 1, 54, 55, 56, -1, i64::MAX] {
        let what = format!("Fetch from {offset}");
        pair.compare(&what, 4..=18, |s| fetch(log, s.topic_id, offset), show_fetched);
    }
    for (max, partition_max) in [(1, 1), (150, 1 << 20), (1 << 20, 150), (0, 0), (200, 400)] {
        let what = format!("Fetch of at most {max} and {partition_max} bytes");
        let request = |s: &Side| {
            changed(s, 0, &|r| {
                r.max_bytes = max;
                r.topics[0].partitions[0].partition_max_bytes = partition_max;
                let second = FetchPartition { partition: 1, ..r.topics[0].partitions[0].clone() };
                r.topics[0].partitions.push(second);
            })
        };
        pair.compare(&what, [4, 12, 18], request, show_fetched);
    }
    let unknown = |s: &Side| changed(s, 0, &|r| r.topics[0].partitions[0].partition = 9);
    pair.compare("Fetch of an unknown partition", [4, 12, 18], unknown, show_fetched);
    pair.compare(
        "Fetch of an unknown topic",
        [4, 12, 13, 18],
        |_| fetch("unknown", Uuid([9; 16]), 0),
        show_fetched,
    );
    for epoch in [0, 1] {
        let request = |s: &Side| changed(s, 0, &|r| r.topics[0].partitions[0].current_leader_epoch = epoch);
        pair.compare(&format!("Fetch in epoch {epoch}"), [9, 12, 18], request, show_fetched);
    }
    for (epoch, offset) in [(0, 3), (0, 55), (0, 99), (1, 3)] {
        let request =
            |s: &Side| changed(s, offset, &|r| r.topics[0].partitions[0].last_fetched_epoch = epoch);
        pair.compare(&format!("Fetch from {offset} after epoch {epoch}"), [12, 18], request, show_fetched);
    }
    let session = |s: &Side| changed(s, 0, &|r| (r.session_id, r.session_epoch) = (77, 5));
    pair.compare("Fetch in an unknown session", [7, 12, 18], session, show_fetched);
    let empty = |s: &Side| changed(s, 0, &|r| r.topics.clear());
    pair.compare("Fetch of nothing", [4, 12, 18], empty, show_fetched);
}

fn listing_offsets(pair: &mut Pair, run: &'static str) {
    let log = leak(format!("{run}-log"));
    let list = |topic: &'static str, partition_index, timestamp, current_leader_epoch| {
        let partition = ListOffsetsPartition {
            partition_index,
            timestamp,
            current_leader_epoch,
            ..ListOffsetsPartition::default()
        };
        ListOffsetsRequest {
            replica_id: -1,
            timeout_ms: 5000,
            topics: vec![ListOffsetsTopic { name: topic, partitions: vec![partition] }],
            ..ListOffsetsRequest::default()
        }
    };
    let show = |r: &ListOffsetsResponse<'static>| {
        let p = &r.topics[0].partitions[0];
        // The times themselves are those of two runs of the clock.
        format!(
            "error {} offset {} time {} epoch {}",
            p.error_code,
            p.offset,
            p.timestamp.signum(),
            p.leader_epoch
        )
    };
    for timestamp in [-1, -2, -3, -4, -5, -6, -7, 0, i64::MAX] {
        let what = format!("ListOffsets at {timestamp}");
        pair.compare(&what, 1..=11, |_| list(log, 0, timestamp, -1), show);
    }
    pair.compare("ListOffsets of an unknown partition", [1, 11], |_| list(log, 9, -1, -1), show);
    pair.compare("ListOffsets of an unknown topic", [1, 11], |_| list("unknown", 0, -1, -1), show);
    for epoch in [0, 1] {
        pair.compare("ListOffsets in an epoch", [4, 11], |_| list(log, 0, -1, epoch), show);
    }
    let ask = |partition, current_leader_epoch, leader_epoch| OffsetForLeaderEpochRequest {
        replica_id: -1,
        topics: vec![OffsetForLeaderTopic {
            topic: log,
            partitions: vec![OffsetForLeaderPartition { partition, current_leader_epoch, leader_epoch }],
        }],
    };
    let show = |r: &OffsetForLeaderEpochResponse<'static>| {
        let p = &r.topics[0].partitions[0];
        format!("error {} epoch {} end {}", p.error_code, p.leader_epoch, p.end_offset)
    };
    for (partition, current, asked) in [(0, -1, 0), (0, 0, 0), (0, 0, 1), (0, 1, 0), (0, -1, -1), (9, -1, 0)]
    {
        let what = format!("OffsetForLeaderEpoch {partition} {current} {asked}");
        pair.compare(&what, 2..=4, |_| ask(partition, current, asked), show);
    }
}

fn administration(pair: &mut Pair, run: &'static str) {
    let other = leak(format!("{run}-other"));
    let grow = |name: &'static str, count| CreatePartitionsRequest {
        topics: vec![CreatePartitionsTopic { name, count, assignments: None }],
        timeout_ms: 5000,
        validate_only: false,
    };
    let show = |r: &CreatePartitionsResponse<'static>| {
        format!("{:?}", r.results.iter().map(|t| t.error_code).collect::<Vec<_>>())
    };
    for (name, count) in [(other, 3), (other, 3), (other, 2), (other, 0), (other, -1), ("unknown", 3)] {
        pair.compare(&format!("CreatePartitions {name} {count}"), [0, 3], |_| grow(name, count), show);
    }
    let describe =
        |resource_type, name: &'static str, keys: Option<Vec<&'static str>>| DescribeConfigsRequest {
            resources: vec![DescribeConfigsResource {
                resource_type,
                resource_name: name,
                configuration_keys: keys,
            }],
            ..DescribeConfigsRequest::default()
        };
    let show = |r: &DescribeConfigsResponse<'static>| {
        let row = |c: &describe_configs_response::DescribeConfigsResourceResult<'_>| {
            format!("{}={:?} {} {} {}", c.name, c.value, c.read_only, c.config_source, c.config_type)
        };
        let mut rows: Vec<String> = r.results[0].configs.iter().map(row).collect();
        rows.sort();
        format!("error {} {rows:?}", r.results[0].error_code)
    };
    let keys = vec!["cleanup.policy", "max.message.bytes", "message.timestamp.type", "no.such"];
    pair.compare("DescribeConfigs", 1..=4, |_| describe(2, other, Some(keys.clone())), show);
    pair.compare("DescribeConfigs of an unknown topic", [1, 4], |_| describe(2, "unknown", None), show);
    pair.compare("DescribeConfigs of another broker", [1, 4], |_| describe(4, "9", None), show);
    pair.compare("DescribeConfigs of no kind", [1, 4], |_| describe(77, "9", None), show);
    let ours: DescribeConfigsResponse<'_> = pair.sides[0].call(&describe(2, other, None), 4).unwrap();
    let ours: Vec<&str> = ours.results[0].configs.iter().map(|c| c.name).collect();
    let known = |r: &DescribeConfigsResponse<'static>| {
        // The launcher's brokers keep records for ever.
        let rows = r.results[0].configs.iter().filter(|c| ours.contains(&c.name) && c.name != "retention.ms");
        let mut rows: Vec<String> =
            rows.map(|c| format!("{}={:?} {}", c.name, c.value, c.config_type)).collect();
        rows.sort_unstable();
        rows.join(", ")
    };
    pair.compare("DescribeConfigs of all", [4], |_| describe(2, other, None), known);
    let alter = |name: &'static str, change: AlterableConfig<'static>| IncrementalAlterConfigsRequest {
        resources: vec![AlterConfigsResource {
            resource_type: 2,
            resource_name: name,
            configs: vec![change],
        }],
        validate_only: false,
    };
    let change = |name, config_operation, value| AlterableConfig { name, config_operation, value };
    let show_altered =
        |r: &IncrementalAlterConfigsResponse<'static>| format!("{}", r.responses[0].error_code);
    let changes = [
        (other, change("retention.ms", 0, Some("1234567"))),
        (other, change("retention.ms", 0, Some("x"))),
        (other, change("no.such", 0, Some("x"))),
        (other, change("max.message.bytes", 1, None)),
        (other, change("retention.ms", 9, None)),
        (other, change("retention.ms", 0, None)),
        (other, change("retention.ms", 2, Some("1"))),
        (other, change("cleanup.policy", 2, Some("compact"))),
        (other, change("cleanup.policy", 3, Some("delete"))),
        (other, change("cleanup.policy", 3, Some("never"))),
        (other, change("cleanup.policy", 2, Some("burn"))),
        ("unknown", change("retention.ms", 0, Some("1"))),
    ];
    for (name, c) in changes {
        let what = format!("IncrementalAlterConfigs {name} {c:?}");
        pair.compare(&what, [0, 1], |_| alter(name, c.clone()), show_altered);
    }
    let show = |r: &DescribeClusterResponse<'static>| {
        format!(
            "error {} {} brokers {} {}",
            r.error_code,
            r.brokers.len(),
            r.endpoint_type,
            r.cluster_authorized_operations
        )
    };
    for (endpoint_type, operations) in [(1, false), (1, true), (9, false)] {
        let request = |_: &Side| DescribeClusterRequest {
            include_cluster_authorized_operations: operations,
            endpoint_type,
            include_fenced_brokers: false,
        };
        let versions = if endpoint_type == 1 { 0..=2 } else { 1..=2 };
        pair.compare(&format!("DescribeCluster {endpoint_type} {operations}"), versions, request, show);
    }
    let show = |r: &DescribeTopicPartitionsResponse<'static>| {
        let topic = |t: &describe_topic_partitions_response::DescribeTopicPartitionsResponseTopic<'_>| {
            let partitions: Vec<_> = t
                .partitions
                .iter()
                .map(|p| {
                    (
                        p.partition_index,
                        p.leader_epoch,
                        p.isr_nodes.len(),
                        p.eligible_leader_replicas.clone(),
                        p.last_known_elr.clone(),
                    )
                })
                .collect();
            format!("{:?} {} {partitions:?} {}", t.name, t.error_code, t.topic_authorized_operations)
        };
        format!("{:?} {:?}", r.topics.iter().map(topic).collect::<Vec<_>>(), r.next_cursor)
    };
    for (names, limit) in
        [(vec![other], 10), (vec![other, "unknown", "a b"], 10), (vec![other], 2), (vec![other], 0)]
    {
        let request = |_: &Side| DescribeTopicPartitionsRequest {
            topics: names.iter().map(|name| TopicRequest { name }).collect(),
            response_partition_limit: limit,
            cursor: None,
        };
        pair.compare(&format!("DescribeTopicPartitions {names:?} {limit}"), [0], request, show);
    }
}

fn commit(
    run: &'static str,
    s: &Side,
    group: &'static str,
    member: &'static str,
    generation: i32,
    index: i32,
) -> OffsetCommitRequest<'static> {
    let partition = OffsetCommitRequestPartition {
        partition_index: index,
        committed_offset: 5,
        committed_leader_epoch: 0,
        committed_metadata: Some("meta"),
        ..OffsetCommitRequestPartition::default()
    };
    let topic = OffsetCommitRequestTopic {
        name: leak(format!("{run}-log")),
        topic_id: s.topic_id,
        partitions: vec![partition],
    };
    OffsetCommitRequest {
        group_id: group,
        generation_id_or_member_epoch: generation,
        member_id: member,
        topics: vec![topic],
        ..OffsetCommitRequest::default()
    }
}

fn show_committed(r: &OffsetCommitResponse<'static>) -> String {
    format!(
        "{:?}",
        r.topics
            .iter()
            .flat_map(|t| &t.partitions)
            .map(|p| (p.partition_index, p.error_code))
            .collect::<Vec<_>>()
    )
}

fn groups(pair: &mut Pair, run: &'static str) {
    let group = leak(format!("{run}-group"));
    let find = |key, key_type| FindCoordinatorRequest { key: "", key_type, coordinator_keys: vec![key] };
    pair.each(|side| {
        let begin = Instant::now();
        while side.call::<_, FindCoordinatorResponse<'_>>(&find(group, 0), 4).unwrap().coordinators[0]
            .error_code
            != 0
        {
            assert!(begin.elapsed() < Duration::from_secs(30), "no coordinator");
            std::thread::sleep(Duration::from_millis(200));
        }
        while side
            .call::<_, HeartbeatResponse>(&HeartbeatRequest { group_id: group, ..Default::default() }, 4)
            .unwrap()
            .error_code
            == 14
        {
            std::thread::sleep(Duration::from_millis(200));
        }
    });
    let show = |r: &FindCoordinatorResponse<'static>| {
        let many: Vec<_> = r.coordinators.iter().map(|c| (c.key, c.error_code, c.host.is_empty())).collect();
        format!("error {} {many:?}", r.error_code)
    };
    let old = |_: &Side| FindCoordinatorRequest { key: group, ..FindCoordinatorRequest::default() };
    pair.compare("FindCoordinator", 0..=3, old, show);
    pair.compare("FindCoordinator", 4..=6, |_| find(group, 0), show);
    pair.compare("FindCoordinator of no group", 4..=6, |_| find("", 0), show);
    pair.compare("FindCoordinator of no kind", 4..=6, |_| find(group, 9), show);

    let beat = |member_id, generation_id| HeartbeatRequest {
        group_id: group,
        member_id,
        generation_id,
        ..Default::default()
    };
    let show = |r: &HeartbeatResponse| format!("{}", r.error_code);
    pair.compare("Heartbeat of a stranger", 0..=4, |_| beat("x", 1), show);
    let nameless = |_: &Side| HeartbeatRequest { group_id: "", ..beat("x", 1) };
    pair.compare("Heartbeat without a group", 0..=4, nameless, show);
    let nameless = |_: &Side| SyncGroupRequest { group_id: "", member_id: "x", ..Default::default() };
    pair.compare("SyncGroup without a group", 0..=4, nameless, |r: &SyncGroupResponse<'static>| {
        r.error_code.to_string()
    });
    let nameless = |_: &Side| LeaveGroupRequest { group_id: "", member_id: "x", ..Default::default() };
    pair.compare("LeaveGroup without a group", 0..=2, nameless, |r: &LeaveGroupResponse<'static>| {
        r.error_code.to_string()
    });
    pair.compare("OffsetCommit without a group", [2, 9], |s| commit(run, s, "", "", -1, 0), show_committed);
    pair.compare(
        "OffsetCommit of a member without a group",
        [2, 9],
        |s| commit(run, s, "", "x", 1, 0),
        show_committed,
    );
    let sync = SyncGroupRequest {
        group_id: group,
        member_id: "x",
        generation_id: 1,
        protocol_type: Some("consumer"),
        protocol_name: Some("range"),
        ..Default::default()
    };
    pair.compare(
        "SyncGroup of a stranger",
        0..=5,
        |_| sync.clone(),
        |r: &SyncGroupResponse<'static>| format!("{}", r.error_code),
    );
    let leave = |_: &Side| LeaveGroupRequest {
        group_id: group,
        member_id: "x",
        members: vec![MemberIdentity { member_id: "x", ..Default::default() }],
    };
    let show = |r: &LeaveGroupResponse<'static>| {
        format!("{} {:?}", r.error_code, r.members.iter().map(|m| m.error_code).collect::<Vec<_>>())
    };
    let old = |s: &Side| LeaveGroupRequest { members: Vec::new(), ..leave(s) };
    pair.compare("LeaveGroup of a stranger", 0..=2, old, show);
    let new = |s: &Side| LeaveGroupRequest { member_id: "", ..leave(s) };
    pair.compare("LeaveGroup of a stranger", 3..=5, new, show);

    pair.compare("OffsetCommit", 2..=10, |s| commit(run, s, group, "", -1, 0), show_committed);
    pair.compare(
        "OffsetCommit to an unknown partition",
        [2, 9, 10],
        |s| commit(run, s, group, "", -1, 9),
        show_committed,
    );
    pair.compare(
        "OffsetCommit of a stranger",
        [2, 9, 10],
        |s| commit(run, s, group, "x", 3, 0),
        show_committed,
    );
    let fresh = leak(format!("{run}-fresh"));
    pair.compare(
        "OffsetCommit of a stranger to a new group",
        [2, 9],
        |s| commit(run, s, fresh, "x", 3, 0),
        show_committed,
    );
    let unknown = |s: &Side| {
        let mut request = commit(run, s, group, "", -1, 0);
        (request.topics[0].name, request.topics[0].topic_id) = ("unknown", Uuid([9; 16]));
        request
    };
    pair.compare("OffsetCommit to an unknown topic", [2, 9, 10], unknown, show_committed);
    let large = |s: &Side| {
        let mut request = commit(run, s, group, "", -1, 0);
        request.topics[0].partitions[0].committed_metadata = Some(leak("m".repeat(5000)));
        request
    };
    pair.compare("OffsetCommit with much metadata", [2, 9, 10], large, show_committed);
    fetching_offsets(pair, run, group);
}

fn fetching_offsets(pair: &mut Pair, run: &'static str, group: &'static str) {
    let log = leak(format!("{run}-log"));
    let show = |r: &OffsetFetchResponse<'static>| {
        let mut out = format!("error {}", r.error_code);
        for p in r.topics.iter().flat_map(|t| &t.partitions) {
            out += &format!(
                "; {} {} {} {:?} {}",
                p.partition_index, p.committed_offset, p.committed_leader_epoch, p.metadata, p.error_code
            );
        }
        for g in &r.groups {
            out += &format!("; group error {}", g.error_code);
            for p in g.topics.iter().flat_map(|t| &t.partitions) {
                out += &format!(
                    " {} {} {} {:?} {}",
                    p.partition_index, p.committed_offset, p.committed_leader_epoch, p.metadata, p.error_code
                );
            }
        }
        out
    };
    let old = |id: &'static str, name: &'static str| OffsetFetchRequest {
        group_id: id,
        topics: Some(vec![OffsetFetchRequestTopic { name, partition_indexes: vec![0, 1, 9] }]),
        ..OffsetFetchRequest::default()
    };
    let new = |s: &Side, id: &'static str, name: &'static str| {
        let topic_id = if name == log { s.topic_id } else { Uuid([9; 16]) };
        let topics =
            Some(vec![OffsetFetchRequestTopics { name, topic_id, partition_indexes: vec![0, 1, 9] }]);
        let group = OffsetFetchRequestGroup { group_id: id, topics, ..Default::default() };
        OffsetFetchRequest { groups: vec![group], ..OffsetFetchRequest::default() }
    };
    for (id, name) in [(group, log), (group, "unknown"), ("no-such-group", log), ("", log)] {
        let what = format!("OffsetFetch of {id} {name}");
        pair.compare(&what, 1..=7, |_| old(id, name), show);
        pair.compare(&what, 8..=10, |s| new(s, id, name), show);
    }
    let all =
        |id: &'static str| OffsetFetchRequest { group_id: id, topics: None, ..OffsetFetchRequest::default() };
    pair.compare("OffsetFetch of all", 2..=7, |_| all(group), show);
    let all = |_: &Side| {
        let group = OffsetFetchRequestGroup { group_id: group, topics: None, ..Default::default() };
        OffsetFetchRequest { groups: vec![group], ..OffsetFetchRequest::default() }
    };
    pair.compare("OffsetFetch of all", 8..=10, all, show);
}

fn join(group: &'static str, member_id: &'static str) -> JoinGroupRequest<'static> {
    JoinGroupRequest {
        group_id: group,
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 10_000,
        member_id,
        protocol_type: "consumer",
        // An empty subscription of version 0, which a broker tries to read.
        protocols: vec![JoinGroupRequestProtocol {
            name: "range",
            metadata: &[0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff],
        }],
        ..JoinGroupRequest::default()
    }
}

fn show_joined(r: &JoinGroupResponse<'static>) -> String {
    format!(
        "error {} generation {} type {:?} protocol {:?} leads {} members {} member id {}",
        r.error_code,
        r.generation_id,
        r.protocol_type,
        r.protocol_name,
        r.leader == r.member_id,
        r.members.len(),
        r.member_id.is_empty()
    )
}

/// The life of a member, answer by answer.
fn one_member(pair: &mut Pair, run: &'static str) {
    for (what, change) in [
        (
            "no group",
            &(|r: &mut JoinGroupRequest<'static>| r.group_id = "") as &dyn Fn(&mut JoinGroupRequest<'static>),
        ),
        ("a short session", &|r| r.session_timeout_ms = 5),
        ("a long session", &|r| r.session_timeout_ms = i32::MAX),
        ("no protocols", &|r| r.protocols.clear()),
        ("no protocol type", &|r| r.protocol_type = ""),
        ("an unknown member", &|r| r.member_id = "nobody"),
    ] {
        let request = |_: &Side| {
            let mut request = join(leak(format!("{run}-empty")), "");
            change(&mut request);
            request
        };
        pair.compare(&format!("JoinGroup with {what}"), [0, 3, 4, 7, 9], request, show_joined);
    }
    let group = leak(format!("{run}-member"));
    pair.compare("JoinGroup without an id", [4, 9], |_| join(group, ""), show_joined);
    pair.each(|side| {
        let r: JoinGroupResponse<'_> = side.call(&join(group, ""), 9).unwrap();
        side.member = r.member_id.to_owned();
    });
    let known = |s: &Side| join(group, leak(s.member.clone()));
    // The two ids that were given before and never came back keep the group waiting, so this is another group.
    let group2 = leak(format!("{run}-member2"));
    pair.each(|side| {
        let r: JoinGroupResponse<'_> = side.call(&join(group2, ""), 9).unwrap();
        side.member = r.member_id.to_owned();
    });
    let _ = known;
    let known = |s: &Side| join(group2, leak(s.member.clone()));
    pair.compare("JoinGroup with an id", [9], known, show_joined);
    pair.compare("JoinGroup again before the sync", [9, 5], known, show_joined);
    let beat = |s: &Side, generation_id| HeartbeatRequest {
        group_id: group2,
        member_id: leak(s.member.clone()),
        generation_id,
        ..HeartbeatRequest::default()
    };
    let show_beat = |r: &HeartbeatResponse| format!("{}", r.error_code);
    pair.compare("Heartbeat before the sync", [4], |s| beat(s, 1), show_beat);
    pair.compare(
        "OffsetCommit before the sync",
        [9],
        |s| commit(run, s, group2, leak(s.member.clone()), 1, 0),
        show_committed,
    );
    let sync = |s: &Side, generation_id, protocol_name| {
        let member_id = leak(s.member.clone());
        SyncGroupRequest {
            group_id: group2,
            generation_id,
            member_id,
            protocol_type: Some("consumer"),
            protocol_name: Some(protocol_name),
            assignments: vec![SyncGroupRequestAssignment { member_id, assignment: b"mine" }],
            ..SyncGroupRequest::default()
        }
    };
    let show_sync = |r: &SyncGroupResponse<'static>| {
        format!("error {} {:?} {:?} {:?}", r.error_code, r.protocol_type, r.protocol_name, r.assignment)
    };
    pair.compare("SyncGroup of an old generation", 0..=5, |s| sync(s, 0, "range"), show_sync);
    pair.compare("SyncGroup of another protocol", [5], |s| sync(s, 1, "other"), show_sync);
    pair.compare("SyncGroup", [5], |s| sync(s, 1, "range"), show_sync);
    pair.compare("SyncGroup again", 0..=5, |s| sync(s, 1, "range"), show_sync);
    for generation in [0, 1, 2] {
        pair.compare(
            &format!("Heartbeat in generation {generation}"),
            0..=4,
            |s| beat(s, generation),
            show_beat,
        );
        let request = |s: &Side| commit(run, s, group2, leak(s.member.clone()), generation, 0);
        pair.compare(&format!("OffsetCommit in generation {generation}"), 2..=10, request, show_committed);
    }
    pair.compare("OffsetCommit from outside", [9], |s| commit(run, s, group2, "", -1, 0), show_committed);
    let describe =
        |groups: Vec<&'static str>| DescribeGroupsRequest { groups, include_authorized_operations: true };
    let show = |r: &DescribeGroupsResponse<'static>| {
        let row = |g: &describe_groups_response::DescribedGroup<'_>| {
            let members: Vec<_> = g
                .members
                .iter()
                .map(|m| (m.client_id, m.client_host, m.member_metadata.len(), m.member_assignment.len()))
                .collect();
            format!(
                "{} {} {:?} {:?} {} {members:?}",
                g.error_code, g.group_state, g.protocol_type, g.protocol_data, g.authorized_operations
            )
        };
        let mut rows: Vec<_> = r.groups.iter().map(|g| (g.group_id, row(g))).collect();
        rows.sort_unstable();
        format!("{rows:?}")
    };
    let names = vec![group2, leak(format!("{run}-group")), "no-such-group"];
    pair.compare("DescribeGroups", 3..=6, |_| describe(names.clone()), show);
    let old =
        |_: &Side| DescribeGroupsRequest { include_authorized_operations: false, ..describe(names.clone()) };
    pair.compare("DescribeGroups", 0..=2, old, show);
    let show = |r: &ListGroupsResponse<'static>| {
        let mut rows: Vec<_> = r
            .groups
            .iter()
            .filter(|g| g.group_id.starts_with(run))
            .map(|g| (g.group_id, g.protocol_type, g.group_state, g.group_type))
            .collect();
        rows.sort_unstable();
        format!("{} {rows:?}", r.error_code)
    };
    // The group that only ever gave out ids is there or not as it pleases: members of it time out.
    let filter = |states: Vec<&'static str>, types: Vec<&'static str>| ListGroupsRequest {
        states_filter: states,
        types_filter: types,
    };
    pair.compare("ListGroups that are stable", 4..=5, |_| filter(vec!["stable"], vec![]), show);
    pair.compare("ListGroups of a type", [5], |_| filter(vec!["Stable"], vec!["consumer"]), show);
    pair.compare("ListGroups of no state", [5], |_| filter(vec!["strange"], vec![]), show);
    let delete = |_: &Side| DeleteGroupsRequest { groups_names: vec![group2, "no-such-group", ""] };
    let show_deleted = |r: &DeleteGroupsResponse<'static>| {
        let mut rows: Vec<_> = r.results.iter().map(|g| (g.group_id, g.error_code)).collect();
        rows.sort_unstable();
        format!("{rows:?}")
    };
    pair.compare("DeleteGroups with a member", 0..=3, delete, show_deleted);
    pair.compare("JoinGroup again", [9], known, show_joined);
    let leave = |s: &Side| LeaveGroupRequest {
        group_id: group2,
        members: vec![MemberIdentity { member_id: leak(s.member.clone()), ..Default::default() }],
        ..LeaveGroupRequest::default()
    };
    let show_left = |r: &LeaveGroupResponse<'static>| {
        format!("{} {:?}", r.error_code, r.members.iter().map(|m| m.error_code).collect::<Vec<_>>())
    };
    pair.compare("LeaveGroup", [5, 5], leave, show_left);
    pair.compare(
        "DescribeGroups when empty",
        [6],
        |_| describe(vec![group2]),
        |r: &DescribeGroupsResponse<'static>| {
            format!(
                "{} {:?} {:?}",
                r.groups[0].group_state, r.groups[0].protocol_type, r.groups[0].protocol_data
            )
        },
    );
    pair.compare(
        "OffsetCommit after leaving",
        [9],
        |s| commit(run, s, group2, leak(s.member.clone()), 2, 0),
        show_committed,
    );
    pair.compare(
        "OffsetCommit from outside when empty",
        [9],
        |s| commit(run, s, group2, "", -1, 0),
        show_committed,
    );
    pair.compare("DeleteGroups", [2, 3], delete, show_deleted);
}

fn deleting(pair: &mut Pair, run: &'static str) {
    let (log, other) = (leak(format!("{run}-log")), leak(format!("{run}-other")));
    let delete = |name: &'static str, partition_index, offset| DeleteRecordsRequest {
        topics: vec![DeleteRecordsTopic {
            name,
            partitions: vec![DeleteRecordsPartition { partition_index, offset }],
        }],
        timeout_ms: 5000,
    };
    let show = |r: &DeleteRecordsResponse<'static>| {
        format!(
            "{:?}",
            r.topics
                .iter()
                .flat_map(|t| &t.partitions)
                .map(|p| (p.error_code, p.low_watermark))
                .collect::<Vec<_>>()
        )
    };
    for (name, partition, offset) in
        [(log, 0, 4), (log, 0, 2), (log, 0, 9999), (log, 0, -2), (log, 9, 0), ("unknown", 0, 0), (log, 0, -1)]
    {
        let what = format!("DeleteRecords {name} {partition} {offset}");
        pair.compare(&what, 0..=2, |_| delete(name, partition, offset), show);
    }
    pair.compare("Fetch of deleted records", [12], |s| fetch(log, s.topic_id, 3), show_fetched);
    let by_name = |names: Vec<&'static str>| DeleteTopicsRequest {
        topic_names: names,
        timeout_ms: 5000,
        ..Default::default()
    };
    let show = |r: &DeleteTopicsResponse<'static>| {
        let mut rows: Vec<_> = r.responses.iter().map(|t| (t.name, t.error_code)).collect();
        rows.sort_unstable();
        format!("{rows:?}")
    };
    pair.compare("DeleteTopics", [4], |_| by_name(vec![other, "unknown"]), show);
    pair.compare("DeleteTopics twice", [1, 5], |_| by_name(vec![other, "a b"]), show);
    let by_id = |s: &Side| DeleteTopicsRequest {
        topics: vec![
            DeleteTopicState { name: None, topic_id: s.topic_id },
            DeleteTopicState { name: None, topic_id: Uuid([9; 16]) },
        ],
        timeout_ms: 5000,
        ..DeleteTopicsRequest::default()
    };
    pair.compare("DeleteTopics by id", [6, 6], by_id, show);
}
