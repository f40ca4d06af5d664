//! Producing: good batches, bad ones, and the sequences of an idempotent producer.

use super::pair::{leak, now_ms, Pair, Side};
use bytes::Bytes;
use milena::protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use milena::protocol::messages::{
    InitProducerIdRequest, InitProducerIdResponse, ProduceRequest, ProduceResponse,
};
use milena::protocol::{Records, Uuid};
use milena::record::{Compression, Compressor, MemoryRecordsBuilder, ProducerState, RecordRef};
use std::time::{Duration, Instant};

pub fn producing(pair: &mut Pair, run: &'static str) {
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
