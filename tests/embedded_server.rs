//! The embedded cluster on loopback, spoken to over plain sockets.

use milena::embedded::{ClusterSettings, EmbeddedServer, Fault, FaultKind};
use milena::protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use milena::protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use milena::protocol::messages::{
    FetchRequest, FetchResponse, MetadataRequest, MetadataResponse, ProduceRequest, ProduceResponse,
};
use milena::protocol::{
    decode_response_header, encode_request, ApiKey, ApiMessage, FrameReader, Reader, Records,
};
use milena::record::{Compression, Compressor, MemoryRecordsBuilder, ProducerState, RecordRef};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

struct Client {
    stream: TcpStream,
    frames: FrameReader,
}

impl Client {
    fn connect(server: &EmbeddedServer, broker: usize) -> Client {
        let all = server.bootstrap_servers();
        let stream = TcpStream::connect(all.split(',').nth(broker - 1).unwrap()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Client { stream, frames: FrameReader::new(1 << 30) }
    }

    fn send<'m, M: ApiMessage<'m>>(&mut self, request: &M, version: i16, correlation: i32) {
        let frame = encode_request(request, version, correlation, Some("raw")).unwrap().concat();
        self.stream.write_all(&frame).unwrap();
    }

    fn receive<M: ApiMessage<'static>>(&mut self, version: i16, correlation: i32) -> M {
        let frame = loop {
            if let Some(frame) = self.frames.next_frame().unwrap() {
                break frame;
            }
            let n = self.stream.read(self.frames.spare()).unwrap();
            assert!(n > 0, "the broker hung up");
            self.frames.filled(n);
        };
        let mut r = Reader::new(Box::leak(frame.to_vec().into_boxed_slice()));
        assert_eq!(decode_response_header(&mut r, M::API, version), Ok(correlation));
        M::decode(&mut r, version).unwrap()
    }

    /// The broker closes the connection, orderly or not.
    fn is_hung_up_on(&mut self) -> bool {
        let mut byte = [0];
        match self.stream.read(&mut byte) {
            Ok(n) => n == 0,
            Err(e) => e.kind() == ErrorKind::ConnectionReset,
        }
    }
}

fn batch(records: usize, size: usize) -> Vec<u8> {
    let mut builder = MemoryRecordsBuilder::new(bytes::BytesMut::new());
    let value = vec![7u8; size];
    for _ in 0..records {
        let record = RecordRef { value: Some(&value), ..RecordRef::default() };
        builder.append_with_offset(&record, usize::MAX).unwrap();
    }
    builder.close(Compression::None, 0, &mut Compressor::new()).to_vec(ProducerState::NONE)
}

fn produce<'a>(topic: &'a str, acks: i16, batch: &'a [u8]) -> ProduceRequest<'a> {
    let data = PartitionProduceData { index: 0, records: Some(Records::Slice(batch)) };
    ProduceRequest {
        transactional_id: None,
        acks,
        timeout_ms: 1000,
        topic_data: vec![TopicProduceData { name: topic, partition_data: vec![data], ..Default::default() }],
    }
}

fn fetch(topic: &str, offset: i64, max_wait_ms: i32) -> FetchRequest<'_> {
    let partition =
        FetchPartition { fetch_offset: offset, partition_max_bytes: i32::MAX, ..Default::default() };
    FetchRequest {
        max_wait_ms,
        min_bytes: 1,
        max_bytes: i32::MAX,
        topics: vec![FetchTopic { topic, partitions: vec![partition], ..Default::default() }],
        ..FetchRequest::default()
    }
}

fn fetched_bytes(response: &FetchResponse<'_>) -> usize {
    match &response.responses[0].partitions[0].records {
        Some(Records::Slice(bytes)) => bytes.len(),
        _ => 0,
    }
}

fn server(brokers: u32) -> EmbeddedServer {
    EmbeddedServer::start(ClusterSettings { brokers, ..ClusterSettings::default() }, 0).unwrap()
}

#[test]
fn requests_sent_ahead_are_answered_in_order() {
    let server = server(1);
    server.create_topic("t", 1, 1, &[]).unwrap();
    let mut client = Client::connect(&server, 1);
    let bytes = batch(10, 100);
    for i in 0..200 {
        client.send(&produce("t", if i % 10 == 5 { 0 } else { -1 }, &bytes), 9, i);
    }
    for i in (0..200).filter(|i| i % 10 != 5) {
        let response: ProduceResponse<'_> = client.receive(9, i);
        assert_eq!(response.responses[0].partition_responses[0].base_offset, i64::from(i) * 10);
    }
    assert_eq!(server.with(|c, _| c.offsets("t", 0)).unwrap(), (0, 2000));
    assert_eq!(server.with(|c, _| c.request_count(ApiKey::Produce)), 200);
}

#[test]
fn a_large_log_is_fetched_whole() {
    let server = server(1);
    server.create_topic("t", 1, 1, &[]).unwrap();
    let mut client = Client::connect(&server, 1);
    let bytes = batch(100, 10_000);
    let mut stored = 0;
    for i in 0..60 {
        client.send(&produce("t", 1, &bytes), 9, i);
        let _: ProduceResponse<'_> = client.receive(9, i);
        stored += bytes.len();
    }
    let (mut offset, mut got) = (0, 0);
    while offset < 6000 {
        client.send(&fetch("t", offset, 0), 12, 1);
        let response: FetchResponse<'_> = client.receive(12, 1);
        let whole = fetched_bytes(&response) / bytes.len();
        got += whole * bytes.len();
        offset += whole as i64 * 100;
    }
    assert_eq!(got, stored);
}

#[test]
fn a_fetch_waits_until_somebody_produces() {
    let server = server(1);
    server.create_topic("t", 1, 1, &[]).unwrap();
    let (mut consumer, mut producer) = (Client::connect(&server, 1), Client::connect(&server, 1));
    consumer.send(&fetch("t", 0, 200), 12, 1);
    let before = Instant::now();
    assert_eq!(fetched_bytes(&consumer.receive(12, 1)), 0);
    assert!(before.elapsed() >= Duration::from_millis(190), "{:?}", before.elapsed());
    consumer.send(&fetch("t", 0, 60_000), 12, 2);
    let bytes = batch(1, 1);
    producer.send(&produce("t", -1, &bytes), 9, 1);
    let _: ProduceResponse<'_> = producer.receive(9, 1);
    assert_eq!(fetched_bytes(&consumer.receive(12, 2)), bytes.len());
}

#[test]
fn a_broker_that_is_down_refuses_and_comes_back_on_its_port() {
    let server = server(2);
    let mut client = Client::connect(&server, 2);
    let address = client.stream.peer_addr().unwrap();
    server.broker_down(2).unwrap();
    assert_eq!(TcpStream::connect(address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    assert!(client.is_hung_up_on());
    let mut other = Client::connect(&server, 1);
    other.send(&MetadataRequest { topics: None, ..Default::default() }, 9, 1);
    let response: MetadataResponse<'_> = other.receive(9, 1);
    assert_eq!(response.brokers.len(), 1);
    server.broker_up(2).unwrap();
    let mut client = Client::connect(&server, 2);
    assert_eq!(client.stream.peer_addr().unwrap(), address);
    client.send(&MetadataRequest { topics: None, ..Default::default() }, 9, 1);
    let response: MetadataResponse<'_> = client.receive(9, 1);
    assert_eq!(response.brokers.len(), 2);
}

#[test]
fn bad_bytes_and_faults_close_connections() {
    let server = server(1);
    for bad in
        [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0xff; 64], &[0, 0, 0, 4, 1, 2, 3, 4], &[0x7f, 0xff, 0xff, 0xff]]
    {
        let mut client = Client::connect(&server, 1);
        client.stream.write_all(bad).unwrap();
        assert!(client.is_hung_up_on(), "{bad:?}");
    }
    server.push_fault(Fault::new(FaultKind::CutOff));
    let mut client = Client::connect(&server, 1);
    client.send(&MetadataRequest { topics: None, ..Default::default() }, 9, 1);
    let mut half = Vec::new();
    client.stream.read_to_end(&mut half).unwrap();
    assert!(half.len() > 4 && half.len() < 4 + half[3] as usize);
}

#[test]
fn connections_that_hang_up_are_forgotten_even_when_they_wait() {
    let server = server(1);
    server.create_topic("t", 1, 1, &[]).unwrap();
    let mut waiting = Client::connect(&server, 1);
    waiting.send(&fetch("t", 0, 600_000), 12, 1);
    let mut idle = Client::connect(&server, 1);
    idle.send(&MetadataRequest { topics: None, ..Default::default() }, 9, 1);
    let _: MetadataResponse<'_> = idle.receive(9, 1);
    assert_eq!(server.with(|c, _| c.connection_count(None)), 2);
    drop((waiting, idle));
    let begin = Instant::now();
    while server.with(|c, _| c.connection_count(None)) > 0 {
        assert!(begin.elapsed() < Duration::from_secs(10), "the connections are still there");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_client_that_does_not_read_is_not_fed_without_end() {
    let server = server(1);
    server.create_topic("t", 1, 1, &[]).unwrap();
    let mut client = Client::connect(&server, 1);
    let bytes = batch(100, 10_000);
    client.send(&produce("t", 1, &bytes), 9, 0);
    let _: ProduceResponse<'_> = client.receive(9, 0);
    for i in 0..100 {
        client.send(&fetch("t", 0, 0), 12, i);
    }
    std::thread::sleep(Duration::from_millis(300));
    let answered = server.with(|c, _| c.request_count(ApiKey::Fetch));
    assert!(answered < 50, "{answered} answers of 1 MB each for a client that reads none");
    for i in 0..100 {
        assert_eq!(fetched_bytes(&client.receive(12, i)), bytes.len());
    }
}

#[test]
fn taken_ports_and_stopping() {
    let mut first = server(1);
    let address = first.bootstrap_servers();
    let port: u16 = address.rsplit(':').next().unwrap().parse().unwrap();
    let Err(error) = EmbeddedServer::start(ClusterSettings::default(), port) else {
        panic!("the port is taken")
    };
    assert!(error.to_string().contains(&address), "{error}");
    let mut client = Client::connect(&first, 1);
    first.stop();
    assert!(client.is_hung_up_on());
    assert!(TcpStream::connect(&address).is_err());
    first.stop();
    let again = EmbeddedServer::start(ClusterSettings::default(), port).unwrap();
    assert_eq!(again.bootstrap_servers(), address);
}
