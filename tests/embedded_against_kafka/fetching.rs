//! Fetching, and offsets by time and by epoch.

use super::pair::{leak, Pair, Side};
use milena::protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use milena::protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use milena::protocol::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use milena::protocol::messages::{
    FetchRequest, FetchResponse, ListOffsetsRequest, ListOffsetsResponse, OffsetForLeaderEpochRequest,
    OffsetForLeaderEpochResponse,
};
use milena::protocol::{Records, Uuid};

pub fn fetch(topic: &'static str, id: Uuid, offset: i64) -> FetchRequest<'static> {
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

pub fn show_fetched(r: &FetchResponse<'static>) -> String {
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

pub fn fetching(pair: &mut Pair, run: &'static str) {
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

pub fn listing_offsets(pair: &mut Pair, run: &'static str) {
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
