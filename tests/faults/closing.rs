//! Full memory, and ends: flush, close, delivery.timeout.ms with brokers that do not answer.

use crate::support::*;
use milena::embedded::EmbeddedServer;
use milena::error::Code;
use milena::producer::record::{ProducerRecord, SliceSource};
use milena::producer::KafkaProducer;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A cluster whose only broker no longer answers, or is gone, after the producer got to know it.
fn silenced(settings: &[(&str, &str)], down: bool) -> (EmbeddedServer, KafkaProducer) {
    let cluster = cluster(1);
    cluster.create_topic("t", 1, 1, &[]).expect("a topic");
    let producer = producer(&cluster.bootstrap_servers(), settings);
    send(&producer, "t", 1_000_000, &[b"first"]);
    deliveries(&producer, 1).remove(0).expect("delivered");
    match down {
        true => cluster.broker_down(1).expect("a broker"),
        false => cluster.with(|c, _| c.pause(1)).expect("a broker"),
    }
    (cluster, producer)
}

/// Sends until memory is full; gives the number of records accepted.
fn fill(producer: &KafkaProducer, max_block_ms: u64) -> usize {
    let value = [7; 1000];
    let mut accepted = 0;
    loop {
        let token = accepted as u64;
        let record = ProducerRecord { value: Some(&value), partition: 0, token, ..Default::default() };
        let sent = producer.send(b"t", &mut SliceSource::new(&[record]), Some(max_block_ms));
        accepted += sent.accepted;
        if let Some(error) = sent.refused {
            assert_tells(&error, Code::BUFFER_EXHAUSTED, &["buffer.memory (200000 bytes)"]);
            assert!(error.is_retriable());
            return accepted;
        }
        assert!(accepted < 10_000, "memory has no bound");
    }
}

const SMALL: &[(&str, &str)] = &[("buffer.memory", "200000"), ("batch.size", "4000"), ("linger.ms", "0")];

#[test]
fn full_memory_refuses_and_the_signal_tells_when_there_is_room() {
    let (cluster, producer) = silenced(SMALL, false);
    let accepted = fill(&producer, 0);
    assert!((100..250).contains(&accepted), "{accepted} records");
    assert!(producer.memory_in_use() <= 220_000, "{}", producer.memory_in_use());
    let begin = Instant::now();
    assert_eq!(fill(&producer, 200), 0);
    let took = begin.elapsed();
    assert!(took >= Duration::from_millis(190) && took < Duration::from_secs(2), "{took:?}");
    cluster.with(|c, now| c.resume(now, 1)).expect("a broker");
    for outcome in deliveries(&producer, accepted) {
        outcome.expect("delivered");
    }
    assert_eq!(producer.memory_in_use(), 0);
    assert!(fill(&producer, 0) > 0);
}

#[test]
fn a_sender_that_waits_gets_memory_when_there_is_some() {
    let (cluster, producer) = silenced(SMALL, false);
    let producer = Arc::new(producer);
    let accepted = fill(&producer, 0);
    let waiting = producer.clone();
    let sender = std::thread::spawn(move || {
        let record =
            ProducerRecord { value: Some(&[7; 1000]), partition: 0, token: 5000, ..Default::default() };
        waiting.send(b"t", &mut SliceSource::new(&[record]), Some(60_000)).accepted
    });
    std::thread::sleep(Duration::from_millis(100));
    assert!(!sender.is_finished());
    cluster.with(|c, now| c.resume(now, 1)).expect("a broker");
    let mut reported = 0;
    while reported < accepted + 1 {
        reported += producer.poll(SECOND, usize::MAX).iter().map(|c| c.tokens.len()).sum::<usize>();
    }
    assert_eq!(sender.join().expect("no panic"), 1);
}

/// Open batches of many partitions fill the memory; nobody waits for their linger.ms then.
#[test]
fn full_memory_does_not_wait_for_linger() {
    let cluster = cluster(1);
    cluster.create_topic("t", 60, 1, &[]).expect("a topic");
    let settings = [("buffer.memory", "200000"), ("batch.size", "4000"), ("linger.ms", "100000")];
    let producer = producer(
        &cluster.bootstrap_servers(),
        &[&settings[..], &[("delivery.timeout.ms", "200000")]].concat(),
    );
    // Known first, or the records would wait elsewhere.
    send(&producer, "t", 0, &[b"first"]);
    producer.flush(LONG).expect("flushed");
    let begin = Instant::now();
    for partition in 0..60 {
        let record = ProducerRecord { value: Some(b"v"), partition, ..Default::default() };
        let sent = producer.send(b"t", &mut SliceSource::new(&[record]), Some(30_000));
        assert!(sent.refused.is_none(), "{:?}", sent.refused);
        producer.poll_step(usize::MAX);
    }
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
}

#[test]
fn close_lets_waiting_senders_go() {
    let (_cluster, producer) = silenced(SMALL, false);
    let producer = Arc::new(producer);
    fill(&producer, 0);
    let waiting = producer.clone();
    let sender = std::thread::spawn(move || {
        let record = ProducerRecord { value: Some(&[7; 1000]), ..Default::default() };
        waiting.send(b"t", &mut SliceSource::new(&[record]), Some(60_000))
    });
    std::thread::sleep(Duration::from_millis(100));
    let begin = Instant::now();
    producer.close(Duration::from_millis(100)).expect_err("records are left");
    let sent = sender.join().expect("no panic");
    assert_tells(&sent.refused.expect("refused"), Code::CLOSED, &["closed"]);
    assert!(begin.elapsed() < SECOND, "{:?}", begin.elapsed());
}

#[test]
fn close_returns_by_its_deadline_and_reports_what_is_left_as_purged() {
    for down in [false, true] {
        for timeout in [0, 300] {
            let (_cluster, producer) = silenced(&[("linger.ms", "1000"), ("batch.size", "4000")], down);
            let values: Vec<Vec<u8>> = (0..50).map(|i| vec![i; 500]).collect();
            let slices: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
            send(&producer, "t", 0, &slices);
            send(&producer, "unknown", 50, &slices);
            let begin = Instant::now();
            let error = producer.close(Duration::from_millis(timeout)).expect_err("records are left");
            let took = begin.elapsed().as_millis() as u64;
            // A moment before the end is for giving up what is left.
            assert!(
                (timeout - timeout / 4..timeout + 20_000).contains(&took),
                "close({timeout}) took {took} ms"
            );
            assert_tells(&error, Code::TIMED_OUT, &[&format!("within {timeout} ms"), "PURGED"]);
            // They are there already: nobody has to wait for them.
            let purged = producer.poll_step(usize::MAX);
            assert_eq!(purged.iter().map(|c| c.tokens.len()).sum::<usize>(), 100, "close({timeout})");
            for chunk in purged {
                assert_tells(&chunk.error.expect("given up"), Code::PURGED, &["closed"]);
            }
            assert!(producer.poll(Duration::from_millis(100), 1).is_empty());
            let refused = producer.send(b"t", &mut SliceSource::new(&[ProducerRecord::default()]), None);
            assert_tells(&refused.refused.expect("closed"), Code::CLOSED, &["the producer is closed"]);
            producer.close(SECOND).expect("closed already");
        }
    }
}

#[test]
fn close_waits_for_what_can_be_delivered() {
    let cluster = cluster(1);
    cluster.create_topic("t", 1, 1, &[]).expect("a topic");
    let producer =
        producer(&cluster.bootstrap_servers(), &[("linger.ms", "60000"), ("delivery.timeout.ms", "120000")]);
    send(&producer, "t", 0, &[b"one", b"two"]);
    let begin = Instant::now();
    producer.close(LONG).expect("all is delivered");
    assert!(
        begin.elapsed() < Duration::from_secs(20),
        "linger.ms does not hold it up: {:?}",
        begin.elapsed()
    );
    assert!(deliveries(&producer, 2).iter().all(Result::is_ok));
    assert_eq!(stored(&cluster, "t").len(), 2);
}

/// Also one without time has what lingers sent: it is for who looks for the deliveries elsewhere.
#[test]
fn a_flush_without_time_sends_what_lingers() {
    let cluster = cluster(1);
    cluster.create_topic("t", 1, 1, &[]).expect("a topic");
    let producer =
        producer(&cluster.bootstrap_servers(), &[("linger.ms", "100000"), ("delivery.timeout.ms", "200000")]);
    // The leader is known and connected to.
    send(&producer, "t", 0, &[b"first"]);
    producer.flush(LONG).expect("flushed");
    deliveries(&producer, 1).remove(0).expect("delivered");
    for round in 1..50 {
        send(&producer, "t", round, &[b"value"]);
        let _ = producer.flush(Duration::ZERO);
        deliveries(&producer, 1).remove(0).expect("delivered");
    }
}

#[test]
fn a_flush_in_vain_names_the_cause() {
    let (cluster, producer) = silenced(&[], true);
    send(&producer, "t", 0, &[b"value"]);
    let begin = Instant::now();
    let error = producer.flush(Duration::from_millis(400)).expect_err("the broker is down");
    let took = begin.elapsed();
    assert!(took >= Duration::from_millis(400) && took < Duration::from_secs(2), "{took:?}");
    let address = cluster.bootstrap_servers();
    assert_tells(&error, Code::TIMED_OUT, &["400 ms", "Connection refused", "phase tcp", &address, "hint: "]);
    cluster.broker_up(1).expect("a broker");
    producer.flush(LONG).expect("it goes on");
    assert_eq!(stored(&cluster, "t").len(), 2);
}

#[test]
fn delivery_timeout_names_the_cause() {
    const TIMES: &[(&str, &str)] = &[
        ("delivery.timeout.ms", "3000"),
        ("request.timeout.ms", "1000"),
        ("linger.ms", "0"),
        ("socket.connection.setup.timeout.ms", "1000"),
    ];
    for (down, words) in [
        // The connection is refused, or, should the broker go down a moment later, closed.
        (true, &["TRANSPORT", "phase "][..]),
        (false, &["not confirmed; it may have been written", "Produce got no answer", "phase request"]),
    ] {
        let (cluster, producer) = silenced(TIMES, down);
        let begin = Instant::now();
        send(&producer, "t", 0, &[b"value"]);
        let error = failure(&producer);
        let took = begin.elapsed();
        assert!(took >= Duration::from_millis(2900) && took < Duration::from_secs(20), "{took:?}");
        assert_tells(&error, Code::DELIVERY_TIMED_OUT, words);
        let address = cluster.bootstrap_servers();
        assert_tells(
            &error,
            Code::DELIVERY_TIMED_OUT,
            &["t-0", "delivery.timeout.ms (3000 ms", &address, "hint: "],
        );
        assert_eq!(producer.memory_in_use(), 0);
    }
}

/// A thread that takes deliveries ends with its producer, not with its patience.
#[test]
fn nobody_waits_for_deliveries_of_a_closed_producer() {
    let cluster = cluster(1);
    cluster.create_topic("t", 1, 1, &[]).expect("a topic");
    let producer = producer(&cluster.bootstrap_servers(), &[]);
    send(&producer, "t", 0, &[b"value"]);
    std::thread::scope(|scope| {
        let taker = scope.spawn(|| {
            let mut taken = 0;
            loop {
                let chunks = producer.poll(Duration::from_secs(86_400), usize::MAX);
                if chunks.is_empty() {
                    return taken;
                }
                taken += chunks.iter().map(|chunk| chunk.tokens.len()).sum::<usize>();
            }
        });
        producer.close(LONG).expect("it is delivered");
        assert_eq!(taker.join().expect("no panic"), 1);
    });
    assert!(producer.poll(Duration::from_secs(86_400), usize::MAX).is_empty());
}

/// What a close gives up is told with the reason, which may be of use to who delivers it in another way now.
#[test]
fn what_is_given_up_is_told_with_the_reason() {
    let address = crate::peer::closed_port();
    let producer = producer(&address, &[]);
    send(&producer, "t", 0, &[b"value"]);
    let begin = Instant::now();
    while producer.flush(Duration::from_millis(20)).expect_err("nobody listens").cause_text().is_none() {
        assert!(begin.elapsed() < LONG);
    }
    producer.close(Duration::ZERO).expect_err("a record is left");
    let words = [address.as_str(), "Connection refused", "phase tcp", "the producer was closed"];
    assert_tells(&failure(&producer), Code::PURGED, &words);
}
