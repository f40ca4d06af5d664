//! Peers that can't be reached or speak no sound Kafka: at the first contact, and in the middle of everything.

use crate::peer::{closed_port, BadPeer};
use crate::support::*;
use milena::consumer::{KafkaConsumer, OffsetAndMetadata};
use milena::embedded::{ClusterSettings, EmbeddedServer, Fault, FaultKind};
use milena::error::{Code, Error};
use milena::protocol::ApiKey;
use milena::serialization::TopicPartition;
use std::time::{Duration, Instant};

const TLS_ALERT: &[u8] = &[0x15, 3, 3, 0, 2, 2, 50];

/// A producer's settings with which a fault shows soon.
const SOON: &[(&str, &str)] = &[
    ("max.block.ms", "3000"),
    ("request.timeout.ms", "1000"),
    ("delivery.timeout.ms", "4000"),
    ("socket.connection.setup.timeout.ms", "500"),
    ("linger.ms", "0"),
];

/// Sends one record to whatever is at this address, and finds out what was wrong: by flush, by the record's
/// delivery, by close, and in the log.
#[track_caller]
fn producer_is_told(bootstrap: &str, words: &[&str]) {
    let producer = producer(bootstrap, SOON);
    send(&producer, "t", 0, &[b"value"]);
    // Time for a first failure.
    let begin = Instant::now();
    let flushed = loop {
        let error = producer.flush(Duration::from_millis(100)).expect_err("the record can't be delivered");
        if error.cause_text().is_some() {
            break error;
        }
        assert!(begin.elapsed() < LONG, "{error}");
    };
    assert_tells(&flushed, Code::TIMED_OUT, words);
    let delivered = failure(&producer);
    assert_tells(&delivered, Code::TIMED_OUT, words);
    assert!(delivered.message().contains("topic t"), "{delivered}");
    let lines: Vec<String> = producer.logger().drain().iter().map(|line| line.text.clone()).collect();
    let told = lines.iter().any(|line| words.iter().all(|word| line.contains(word)));
    assert!(told, "{words:?} are not in the log: {lines:#?}");
    assert!(lines.len() < 10, "the log tells of changes, not of each attempt: {lines:#?}");
    producer.close(SECOND).expect("nothing is left");
    assert_eq!(producer.memory_in_use(), 0);
}

/// A consumer finds out as well, by a call that needs an answer and in the log; poll goes on waiting.
#[track_caller]
fn consumer_is_told(bootstrap: &str, words: &[&str]) {
    let mut consumer = consumer(
        bootstrap,
        &[("request.timeout.ms", "1000"), ("socket.connection.setup.timeout.ms", "500"), ("group.id", "g")],
    );
    let partition = TopicPartition::new("t", 0);
    consumer.assign(std::slice::from_ref(&partition)).expect("an assignment");
    let polled = consumer.poll(Duration::from_millis(300), 0);
    assert!(matches!(polled, Ok(milena::consumer::Polled::Nothing)), "{polled:?}");
    // Time for a first failure; from there on every call that ends for lack of time says why.
    let begin = Instant::now();
    let ask = |consumer: &mut KafkaConsumer| {
        consumer.end_offsets(std::slice::from_ref(&partition), Duration::from_millis(300))
    };
    let mut told = String::new();
    while !words.iter().all(|word| told.contains(word)) {
        assert!(begin.elapsed() < LONG, "{words:?} are not in {told}");
        told = ask(&mut consumer).expect_err("no answer").to_string();
    }
    let short = Duration::from_millis(100);
    assert_tells(&ask(&mut consumer).expect_err("no answer"), Code::TIMED_OUT, words);
    let error = consumer.position(&partition, short).expect_err("no answer");
    assert_tells(&error, Code::TIMED_OUT, words);
    let error = consumer.committed(std::slice::from_ref(&partition), short).expect_err("no answer");
    assert_tells(&error, Code::TIMED_OUT, words);
    let offsets = vec![(partition.clone(), OffsetAndMetadata::new(1))];
    let error = consumer.commit_sync(Some(&offsets), short).expect_err("no answer");
    assert_tells(&error, Code::TIMED_OUT, words);
    let lines: Vec<String> = consumer.logger().drain().iter().map(|line| line.text.clone()).collect();
    let told = lines.iter().any(|line| words.iter().all(|word| line.contains(word)));
    assert!(told, "{words:?} are not in the log: {lines:#?}");
    let begin = Instant::now();
    let _ = consumer.close(Duration::from_millis(300));
    assert!(begin.elapsed() < Duration::from_secs(5), "close took {:?}", begin.elapsed());
}

/// So does an admin client.
#[track_caller]
fn admin_is_told(bootstrap: &str, words: &[&str]) {
    let admin =
        admin(bootstrap, &[("request.timeout.ms", "1000"), ("socket.connection.setup.timeout.ms", "500")]);
    let begin = Instant::now();
    let ask = || admin.describe_cluster(Some(Duration::from_millis(300))).expect_err("no answer");
    while !words.iter().all(|word| ask().to_string().contains(word)) {
        assert!(begin.elapsed() < LONG, "{words:?} are not in {}", ask());
    }
    let error = ask();
    assert_tells(&error, error.code(), words);
    let error = admin.delete_topics(&["t"], Some(Duration::from_millis(300))).expect_err("no controller");
    assert_tells(&error, Code::TIMED_OUT, words);
}

/// With a sound broker beside the bad one, everything works.
#[track_caller]
fn others_are_used(bad: &str) {
    let cluster = cluster(1);
    cluster.create_topic("t", 1, 1, &[]).expect("a topic");
    let both = format!("{bad},{}", cluster.bootstrap_servers());
    for _ in 0..3 {
        let producer = producer(&both, &[("socket.connection.setup.timeout.ms", "800")]);
        send(&producer, "t", 0, &[b"value"]);
        deliveries(&producer, 1).remove(0).expect("delivered");
        let mut consumer = consumer(
            &both,
            &[("auto.offset.reset", "earliest"), ("socket.connection.setup.timeout.ms", "800")],
        );
        let values = read_all(&mut consumer, 1).expect("records");
        assert!(values.iter().all(|v| v == b"value"), "{values:?}");
    }
}

pub fn read_all(consumer: &mut KafkaConsumer, most: usize) -> Result<Vec<Vec<u8>>, Error> {
    use milena::consumer::Polled;
    consumer.assign(&[TopicPartition::new("t", 0)])?;
    let end = Instant::now() + LONG;
    let mut values = Vec::new();
    while values.len() < most {
        assert!(Instant::now() < end, "{} records came", values.len());
        if let Polled::Records(batch) = consumer.poll(SECOND, 0)? {
            for chunk in &batch.chunks {
                values.extend(chunk.records().iter().map(|r| chunk.value(r).unwrap_or_default().to_vec()));
            }
        }
    }
    Ok(values)
}

/// Attempts to connect are spread out: doubled from 50 ms on, with a fifth of jitter, up to a second.
#[track_caller]
fn backs_off(peer: &BadPeer, since: Instant, clients: usize) {
    let elapsed = since.elapsed().as_millis() as usize;
    let most = clients * (6 + elapsed / 800);
    let made = peer.connections();
    assert!(made >= clients, "{made} connections");
    assert!(made <= most, "{made} connections of {clients} clients within {elapsed} ms, {most} are the most");
}

fn bad_peer(peer: &BadPeer, words: &[&str]) {
    let address = peer.address();
    let words: Vec<&str> = [words, &[&address, "hint: "]].concat();
    let begin = Instant::now();
    everybody_is_told(&address, &words);
    backs_off(peer, begin, 3);
    others_are_used(&address);
}

fn everybody_is_told(bootstrap: &str, words: &[&str]) {
    std::thread::scope(|scope| {
        scope.spawn(|| producer_is_told(bootstrap, words));
        scope.spawn(|| consumer_is_told(bootstrap, words));
        scope.spawn(|| admin_is_told(bootstrap, words));
    });
}

#[test]
fn nobody_listens() {
    let address = closed_port();
    let words = ["phase tcp", "Connection refused", &address, "hint: is the broker running"];
    everybody_is_told(&address, &words);
    others_are_used(&address);
}

#[test]
fn a_name_that_is_not_resolved() {
    let address = "no-such-host.invalid:9092";
    let words = ["phase dns", "NAME_NOT_RESOLVED", address, "'no-such-host.invalid'", "hint: "];
    everybody_is_told(address, &words);
    others_are_used(address);
}

#[test]
fn a_port_that_expects_tls_and_says_so() {
    let peer = BadPeer::answering(TLS_ALERT, false);
    bad_peer(&peer, &["phase api-versions", "PROTOCOL", "TLS record", "security.protocol"]);
}

#[test]
fn a_port_that_expects_tls_and_hangs_up() {
    let peer = BadPeer::answering(b"", false);
    bad_peer(&peer, &["phase api-versions", "TRANSPORT", "no byte was received", "TLS"]);
}

#[test]
fn a_web_server() {
    let peer = BadPeer::answering(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", false);
    bad_peer(&peer, &["phase api-versions", "PROTOCOL", "HTTP", "bootstrap.servers"]);
}

#[test]
fn garbage_instead_of_a_frame() {
    let peer = BadPeer::answering(&[0xde, 0xad, 0xbe, 0xef, 1, 2, 3, 4, 5, 6, 7, 8], true);
    bad_peer(&peer, &["phase api-versions", "PROTOCOL", "de ad be ef", "bootstrap.servers"]);
}

#[test]
fn a_frame_of_two_gibibytes() {
    let peer = BadPeer::answering(&[0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0], true);
    bad_peer(&peer, &["phase api-versions", "PROTOCOL", "2147483647 bytes", "receive.message.max.bytes"]);
    assert!(peak_memory() < 600 << 20, "{} bytes", peak_memory());
}

/// Just below receive.message.max.bytes, so nothing is wrong with it but that it never comes.
#[test]
fn a_large_frame_that_never_comes() {
    let peer = BadPeer::answering(&[0x05, 0xf0, 0, 0, 0, 0, 0, 0], true);
    bad_peer(&peer, &["phase api-versions", "TIMED_OUT", "ApiVersions"]);
    assert!(peak_memory() < 600 << 20, "{} bytes", peak_memory());
}

#[test]
fn a_peer_that_says_nothing() {
    let peer = BadPeer::answering(b"", true);
    bad_peer(&peer, &["phase api-versions", "TIMED_OUT", "ApiVersions"]);
}

/// Whoever has less time than connecting may take is told what was waited for.
#[test]
fn a_peer_that_says_nothing_and_a_deadline_that_is_near() {
    let peer = BadPeer::answering(b"", true);
    let address = peer.address();
    let words = [address.as_str(), "phase api-versions", "did not answer ApiVersions", "hint: check that"];
    let short = Duration::from_millis(300);
    let mut consumer = consumer(&address, &[("group.id", "g")]);
    let partition = [TopicPartition::new("t", 0)];
    let error = consumer.end_offsets(&partition, short).expect_err("no answer");
    assert_tells(&error, Code::TIMED_OUT, &words);
    let error = consumer.committed(&partition, short).expect_err("no answer");
    assert_tells(&error, Code::TIMED_OUT, &words);
    let admin = admin(&address, &[]);
    let error = admin.describe_cluster(Some(short)).expect_err("no answer");
    assert_tells(&error, Code::TIMED_OUT, &words);
    let producer = producer(&address, &[("max.block.ms", "300")]);
    send(&producer, "t", 0, &[b"value"]);
    assert_tells(&failure(&producer), Code::TIMED_OUT, &words);
    assert_eq!(error.failed_phase(), Some(milena::error::Phase::ApiVersions));
}

#[test]
fn a_sound_frame_with_nonsense_in_it() {
    let peer = BadPeer::answering_to(&[0, 0, 0x7f, 0xff, 0xff, 0xff, 1, 1]);
    bad_peer(
        &peer,
        &["phase api-versions", "PROTOCOL", "cannot be read", "is this the port of a Kafka broker?"],
    );
}

/// A cluster of one broker that spoils each answer of one API.
fn spoiled(kind: FaultKind, api: ApiKey) -> EmbeddedServer {
    let cluster = cluster(1);
    cluster.create_topic("t", 1, 1, &[]).expect("a topic");
    cluster.push_fault(Fault::new(kind).api(api).times(Fault::FOREVER));
    cluster
}

fn spoiled_answers(kind: FaultKind, words: &[&str]) {
    std::thread::scope(|scope| {
        for (api, phase) in [(ApiKey::ApiVersions, "phase api-versions"), (ApiKey::Metadata, "phase request")]
        {
            scope.spawn(move || {
                let cluster = spoiled(kind, api);
                let address = cluster.bootstrap_servers();
                let words: Vec<&str> = [words, &[&address, phase, "hint: "]].concat();
                everybody_is_told(&address, &words);
                others_are_used(&address);
            });
        }
    });
}

#[test]
fn answers_that_are_garbage() {
    spoiled_answers(FaultKind::Garbage, &["PROTOCOL", "no Kafka frame"]);
}

#[test]
fn answers_of_two_gibibytes() {
    spoiled_answers(FaultKind::HugeLength, &["PROTOCOL", "above the limit"]);
    assert!(peak_memory() < 600 << 20, "{} bytes", peak_memory());
}

#[test]
fn answers_that_are_cut_off() {
    spoiled_answers(FaultKind::CutOff, &["TRANSPORT", "inside a response"]);
}

#[test]
fn answers_that_end_too_early() {
    spoiled_answers(FaultKind::Truncated, &["PROTOCOL", "cannot be read"]);
}

#[test]
fn answers_to_other_requests() {
    spoiled_answers(FaultKind::WrongCorrelation, &["PROTOCOL", "correlation id"]);
}

#[test]
fn connections_that_are_closed_instead_of_an_answer() {
    spoiled_answers(FaultKind::DisconnectBefore, &["TRANSPORT", "closed the connection"]);
}

/// A spoiled answer to Produce: the record is sent again until its time is over, and the reason is told.
#[test]
fn spoiled_answers_to_produce() {
    for (kind, words) in [
        (FaultKind::Garbage, ["PROTOCOL", "no Kafka frame"]),
        (FaultKind::HugeLength, ["PROTOCOL", "above the limit"]),
        (FaultKind::CutOff, ["TRANSPORT", "inside a response"]),
        (FaultKind::Truncated, ["PROTOCOL", "Produce cannot be read"]),
        (FaultKind::WrongCorrelation, ["PROTOCOL", "correlation id"]),
        (FaultKind::DropAnswer, ["TIMED_OUT", "Produce got no answer within"]),
    ] {
        let cluster = spoiled(kind, ApiKey::Produce);
        let address = cluster.bootstrap_servers();
        let producer = producer(&address, SOON);
        send(&producer, "t", 0, &[b"value"]);
        let error = failure(&producer);
        assert_tells(&error, Code::DELIVERY_TIMED_OUT, &words);
        assert_tells(&error, Code::DELIVERY_TIMED_OUT, &[&address, "phase request", "broker 1", "t-0"]);
        assert!(stored(&cluster, "t").len() <= 1, "it is written at most once");
        // A request that is under way keeps its memory until it ends.
        let begin = Instant::now();
        while producer.memory_in_use() > 0 {
            assert!(begin.elapsed() < LONG, "{} bytes", producer.memory_in_use());
            std::thread::sleep(Duration::from_millis(10));
        }
        let requests = cluster.with(|c, _| c.request_count(ApiKey::Produce));
        assert!((2..60).contains(&requests), "{kind:?}: {requests} attempts");
    }
}

#[test]
fn no_common_version() {
    for (api, name) in [(ApiKey::Metadata, "Metadata"), (ApiKey::InitProducerId, "InitProducerId")] {
        let settings = ClusterSettings { max_versions: vec![(api, -1)], ..ClusterSettings::default() };
        let cluster = EmbeddedServer::start(settings, 0).expect("a cluster");
        cluster.create_topic("t", 1, 1, &[]).expect("a topic");
        let address = cluster.bootstrap_servers();
        let producer = producer(&address, SOON);
        send(&producer, "t", 0, &[b"value"]);
        let error = failure(&producer);
        let words = ["NO_COMMON_VERSION", name, &address, "phase api-versions", "does not offer", "hint: "];
        assert_tells(&error, error.code(), &words);
        let requests = cluster.with(|c, _| c.request_count(ApiKey::ApiVersions));
        assert!(requests < 10, "{requests} handshakes");
    }
}

#[test]
fn a_broker_that_refuses_its_handshake() {
    let cluster = cluster(1);
    cluster.push_fault(Fault::error(ApiKey::ApiVersions, 35).times(Fault::FOREVER));
    let words = ["UNSUPPORTED_VERSION", "phase api-versions", "refused ApiVersions"];
    producer_is_told(&cluster.bootstrap_servers(), &words);
}
