//! Helpers of the tests: batches, and a client that encodes requests by hand.

use super::{ClusterSettings, EmbeddedCluster, Output, ServerConn};
use crate::protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use crate::protocol::messages::{ProduceRequest, ProduceResponse};
use crate::protocol::{
    decode_response_header, encode_request, ApiMessage, FrameReader, Message, Reader, Records,
};
use crate::record::{
    Batch, BatchReader, Compression, Compressor, MemoryRecordsBuilder, ProducerState, RecordRef,
};
use crate::time::{Nanos, Now};
use bytes::Bytes;
use std::collections::HashMap;

/// A batch of `records` records with the given producer; its values are 100 bytes each.
pub fn batch(records: u32, producer_id: i64, epoch: i16, sequence: i32) -> (Batch, Bytes) {
    let state =
        ProducerState { producer_id, producer_epoch: epoch, base_sequence: sequence, ..ProducerState::NONE };
    let bytes = batch_with(records, Compression::None, state, 1_000);
    (BatchReader::new(bytes.clone(), true).next().unwrap().unwrap(), bytes)
}

/// Not idempotent, not compressed.
pub fn plain_batch(records: u32) -> Bytes {
    batch_with(records, Compression::None, ProducerState::NONE, 1_000)
}

/// The timestamps count up from `timestamp`.
pub fn batch_with(records: u32, codec: Compression, state: ProducerState, timestamp: i64) -> Bytes {
    let mut builder = MemoryRecordsBuilder::new(bytes::BytesMut::new());
    for i in 0..records {
        let value = [i as u8; 100];
        let record = RecordRef {
            timestamp_ms: timestamp + i64::from(i),
            key: None,
            value: Some(&value),
            ..RecordRef::default()
        };
        builder.append_with_offset(&record, usize::MAX).unwrap();
    }
    let closed = builder.close(codec, codec.default_level(), &mut Compressor::new());
    Bytes::from(closed.to_vec(state))
}

/// A cluster with a clock of its own, and what its connections were sent.
pub struct World {
    pub cluster: EmbeddedCluster,
    pub now: Now,
    received: HashMap<ServerConn, FrameReader>,
    pub closed: Vec<ServerConn>,
}

pub fn settings(brokers: u32) -> ClusterSettings {
    ClusterSettings { brokers, ports: (1..=brokers as u16).collect(), seed: 7, ..ClusterSettings::default() }
}

impl World {
    pub fn new(brokers: u32) -> World {
        World::with(settings(brokers))
    }

    pub fn with(settings: ClusterSettings) -> World {
        World {
            cluster: EmbeddedCluster::new(settings).unwrap(),
            now: Now { mono: Nanos(1_000_000_000), wall_ms: 1_700_000_000_000 },
            received: HashMap::new(),
            closed: Vec::new(),
        }
    }

    pub fn connect(&mut self, broker: i32) -> ServerConn {
        let conn = self.cluster.connect(broker).unwrap();
        self.received.insert(conn, FrameReader::new(1 << 30));
        conn
    }

    /// Lets time pass, step by step from deadline to deadline.
    pub fn pass_ms(&mut self, ms: u64) {
        let end = self.now.mono.plus_ms(ms);
        loop {
            let next = self.cluster.poll(self.now);
            self.collect();
            let at = next.filter(|at| *at > self.now.mono).unwrap_or(end).min(end);
            self.now.wall_ms += at.ms_since(self.now.mono) as i64;
            self.now.mono = at;
            if at == end {
                self.cluster.poll(self.now);
                self.collect();
                return;
            }
        }
    }

    fn collect(&mut self) {
        while let Some(output) = self.cluster.next_output() {
            match output {
                Output::Send { conn, segments } => {
                    for s in segments {
                        self.received.get_mut(&conn).unwrap().feed(&s);
                    }
                }
                Output::Close { conn } => self.closed.push(conn),
            }
        }
    }

    pub fn send<'m, M: ApiMessage<'m>>(&mut self, conn: ServerConn, request: &M, version: i16) {
        let frame = encode_request(request, version, 77, Some("tester")).unwrap().concat();
        self.cluster.on_frame(self.now, conn, Bytes::from(frame).slice(4..));
        self.collect();
    }

    pub fn raw(&mut self, conn: ServerConn, frame: &[u8]) {
        self.cluster.on_frame(self.now, conn, Bytes::copy_from_slice(frame));
        self.collect();
    }

    /// The next frame that the connection got; its correlation id is checked by [`World::answer`].
    pub fn frame(&mut self, conn: ServerConn) -> Option<Bytes> {
        self.collect();
        self.received.get_mut(&conn).unwrap().next_frame().unwrap()
    }

    pub fn received(&mut self, conn: ServerConn) -> &mut FrameReader {
        self.collect();
        self.received.get_mut(&conn).unwrap()
    }

    /// The next response, if there is one. Tests keep frames for ever, so that responses can borrow from them.
    pub fn answer<M: ApiMessage<'static>>(&mut self, conn: ServerConn, version: i16) -> Option<M> {
        let frame: &'static [u8] = Box::leak(self.frame(conn)?.to_vec().into_boxed_slice());
        let mut r = Reader::new(frame);
        assert_eq!(decode_response_header(&mut r, M::API, version), Ok(77));
        let message = M::decode(&mut r, version).unwrap();
        r.finish().unwrap();
        Some(message)
    }

    /// Sends a request and takes the answer, which must be there at once.
    pub fn call<'m, Q: ApiMessage<'m>, M: ApiMessage<'static> + Message<'static>>(
        &mut self,
        conn: ServerConn,
        request: &Q,
        version: i16,
    ) -> M {
        self.send(conn, request, version);
        self.answer(conn, version).expect("an answer at once")
    }

    /// Produces to a partition and gives (error code, base offset).
    pub fn produce(&mut self, conn: ServerConn, topic: &str, partition: i32, batch: &Bytes) -> (i16, i64) {
        self.send(conn, &produce_request(topic, partition, batch), 9);
        let response: ProduceResponse<'_> = self.answer(conn, 9).expect("an answer at once");
        let p = &response.responses[0].partition_responses[0];
        (p.error_code, p.base_offset)
    }
}

pub fn produce_request<'a>(topic: &'a str, partition: i32, batch: &'a [u8]) -> ProduceRequest<'a> {
    let data = PartitionProduceData { index: partition, records: Some(Records::Slice(batch)) };
    ProduceRequest {
        acks: -1,
        timeout_ms: 1000,
        topic_data: vec![TopicProduceData { name: topic, partition_data: vec![data], ..Default::default() }],
        ..ProduceRequest::default()
    }
}
