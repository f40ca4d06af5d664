//! The network client against a scripted broker, step by step.

use super::*;
use crate::protocol::messages::api_versions_response::ApiVersion;
use crate::protocol::messages::{ApiVersionsResponse, HeartbeatRequest, HeartbeatResponse};
use crate::protocol::{encode_response, ApiKey, Message};

const ME: Owner = Owner(3);

struct Fixture {
    client: NetworkClient,
    now: Now,
    closed: Vec<ConnId>,
}

fn at(ms: u64) -> Now {
    Now { mono: Nanos(0).plus_ms(ms), wall_ms: 0 }
}

fn socket() -> SocketOptions {
    SocketOptions { send_buffer_bytes: -1, receive_buffer_bytes: -1, max_frame_bytes: 1 << 20 }
}

impl Fixture {
    /// A client whose brokers 1 and 2 are known, and that closes connections when they are idle for so long.
    fn new(idle_ms: Option<u64>) -> Fixture {
        let settings = Settings {
            client_id: "test".into(),
            bootstrap: vec![("10.0.0.9".into(), 9092)],
            socket: socket(),
            max_in_flight: 5,
            reconnect: Backoff { base_ms: 50, max_ms: 1000 },
            setup_timeout: Backoff { base_ms: 10_000, max_ms: 30_000 },
            idle_ms,
            logger: Logger::off(),
            troubles: Arc::default(),
        };
        let mut client = NetworkClient::new(settings, 1);
        let (one, two) = ("10.0.0.1".into(), "10.0.0.2".into());
        client.update_brokers([(1, &one, 9092), (2, &two, 9092)].into_iter());
        Fixture { client, now: at(1), closed: Vec::new() }
    }

    fn pass(&mut self, ms: u64) {
        self.now.mono = self.now.mono.plus_ms(ms);
    }

    /// A heartbeat for broker 1; `answered` or not.
    fn send(&mut self, timeout_ms: u64, answered: bool) -> RequestId {
        let encode = |w: &mut Writer, version| HeartbeatRequest::default().encode(w, version);
        let target = Target::Node(NodeKey::data(1));
        let mut spec = RequestSpec::new(target, ApiKey::Heartbeat, (0, 2), timeout_ms, encode);
        spec.answered = answered;
        self.client.send(self.now, ME, spec)
    }

    /// The next operation, those that close connections kept aside.
    fn op(&mut self) -> Option<NetOp> {
        loop {
            match self.client.next_op()? {
                NetOp::Close { conn } => self.closed.push(conn),
                op => return Some(op),
            }
        }
    }

    fn expect_connect(&mut self) -> ConnId {
        match self.op() {
            Some(NetOp::Connect { conn, .. }) => conn,
            other => panic!("{other:?}"),
        }
    }

    /// The correlation id of the request that is sent next.
    fn expect_send(&mut self) -> (ConnId, i32) {
        match self.op() {
            Some(NetOp::Send { conn, segments }) => {
                let frame = segments.concat();
                (conn, i32::from_be_bytes(frame[8..12].try_into().unwrap()))
            }
            other => panic!("{other:?}"),
        }
    }

    fn answer<'m, M: crate::protocol::ApiMessage<'m>>(&mut self, conn: ConnId, id: i32, version: i16, m: &M) {
        let frame = encode_response(m, version, id).unwrap().concat();
        self.client.on_frame(self.now, conn, Bytes::from(frame).slice(4..));
    }

    /// Answers the handshake that is sent next.
    fn shake_hands(&mut self, conn: ConnId) {
        self.client.on_connected(self.now, conn);
        let (_, id) = self.expect_send();
        let api_keys = vec![ApiVersion { api_key: 12, min_version: 0, max_version: 4 }];
        self.answer(conn, id, 3, &ApiVersionsResponse { api_keys, ..Default::default() });
    }

    fn connect(&mut self) -> ConnId {
        let conn = self.expect_connect();
        self.shake_hands(conn);
        conn
    }

    fn result(&mut self) -> Option<(RequestId, RequestResult)> {
        self.client.next_completed().map(|(owner, id, result)| {
            assert_eq!(owner, ME);
            (id, result)
        })
    }

    fn failure(&mut self, of: RequestId) -> RequestError {
        match self.result() {
            Some((id, Err(error))) if id == of => error,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_request_that_is_late_closes_its_connection_and_a_later_answer_means_nothing() {
    let mut f = Fixture::new(None);
    let late = f.send(1000, true);
    let old = f.connect();
    let (_, late_id) = f.expect_send();
    f.pass(1001);
    f.client.poll(f.now);
    let error = f.failure(late);
    assert_eq!((error.kind, error.error.code()), (FailureKind::TimedOut, Code::TIMED_OUT));
    assert!(f.op().is_none());
    assert_eq!(f.closed, [old], "nothing is left open");
    assert!(f.client.troubles().of(1).is_some());
    f.pass(2000);
    let next = f.send(1000, true);
    let new = f.connect();
    let (_, id) = f.expect_send();
    f.answer(old, late_id, 2, &HeartbeatResponse::default());
    assert!(f.result().is_none());
    f.answer(new, id, 2, &HeartbeatResponse::default());
    assert!(matches!(f.result(), Some((id, Ok(_))) if id == next));
    f.client.poll(f.now);
    assert!(f.client.troubles().of(1).is_none());
}

#[test]
fn an_attempt_to_connect_that_is_late_is_closed_and_its_success_means_nothing() {
    let mut f = Fixture::new(None);
    let waiting = f.send(60_000, true);
    let old = f.expect_connect();
    f.pass(13_000);
    f.client.poll(f.now);
    let error = f.failure(waiting);
    assert_eq!((error.kind, error.error.failed_phase()), (FailureKind::NotSent, Some(Phase::Tcp)));
    assert!(f.op().is_none());
    assert_eq!(f.closed, [old]);
    f.client.on_connected(f.now, old);
    assert!(f.op().is_none(), "no handshake on a connection that was given up");
}

/// A request may take longer than a connection may be idle.
#[test]
fn a_connection_is_not_idle_while_a_request_is_under_way() {
    let mut f = Fixture::new(Some(100));
    let id = f.send(60_000, true);
    let conn = f.connect();
    let (_, correlation) = f.expect_send();
    f.pass(5000);
    let next = f.client.poll(f.now).expect("a deadline");
    assert!(next > f.now.mono, "a deadline that has passed has the client polled for ever");
    assert!(f.op().is_none() && f.closed.is_empty());
    f.answer(conn, correlation, 2, &HeartbeatResponse::default());
    assert!(matches!(f.result(), Some((found, Ok(_))) if found == id));
    f.pass(60_000);
    f.client.poll(f.now);
    assert!(f.op().is_none());
    assert_eq!(f.closed, [conn], "now it was idle");
    assert!(f.client.troubles().last().is_none(), "which is no error");
}

#[test]
fn a_request_without_an_answer_is_done_when_it_is_written() {
    let mut f = Fixture::new(None);
    let (silent, loud) = (f.send(1000, false), f.send(1000, true));
    let conn = f.connect();
    f.expect_send();
    assert!(matches!(f.op(), Some(NetOp::TellWritten { conn: c }) if c == conn));
    let (_, correlation) = f.expect_send();
    f.answer(conn, correlation, 2, &HeartbeatResponse::default());
    assert!(matches!(f.result(), Some((id, Ok(_))) if id == loud), "answers are not for it");
    assert!(f.result().is_none());
    f.client.on_written(f.now, conn);
    assert!(matches!(f.result(), Some((id, Ok(_))) if id == silent));
    let lost = f.send(1000, false);
    let closed = Closed { phase: Phase::Tcp, error: Error::new(Code::TRANSPORT, "lost") };
    f.client.on_closed(f.now, conn, closed);
    assert_eq!(f.failure(lost).kind, FailureKind::Disconnected);
    f.client.on_written(f.now, conn);
    assert!(f.result().is_none());
}

#[test]
fn timers_do_not_pile_up() {
    let mut f = Fixture::new(Some(540_000));
    for _ in 0..500 {
        f.send(30_000, true);
        let conn = f.connect();
        for _ in 0..5 {
            let (_, correlation) = f.expect_send();
            f.answer(conn, correlation, 2, &HeartbeatResponse::default());
            f.send(30_000, true);
            f.client.poll(f.now);
        }
        let closed = Closed { phase: Phase::Tcp, error: Error::new(Code::TRANSPORT, "lost") };
        f.client.on_closed(f.now, conn, closed);
        f.pass(100);
        f.client.poll(f.now);
        while f.op().is_some() {}
    }
    assert!(f.client.timers.len() <= 1, "{} timers of one broker", f.client.timers.len());
    assert!(f.client.conns.is_empty() && f.client.jobs.is_empty());
}

#[test]
fn attempts_back_off_and_a_broker_that_closes_an_idle_connection_is_no_error() {
    let mut f = Fixture::new(None);
    f.send(1000, true);
    let conn = f.connect();
    let (_, correlation) = f.expect_send();
    f.answer(conn, correlation, 2, &HeartbeatResponse::default());
    let closed = || Closed { phase: Phase::Tcp, error: Error::new(Code::TRANSPORT, "closed") };
    f.client.on_closed(f.now, conn, closed());
    assert!(f.client.troubles().last().is_none());
    let mut pauses = Vec::new();
    for _ in 0..8 {
        let begin = f.now.mono;
        while f.client.connect(f.now, NodeKey::data(1)).is_some() {
            f.pass(1);
        }
        pauses.push(f.now.mono.ms_since(begin));
        let conn = f.expect_connect();
        f.client.on_closed(f.now, conn, closed());
    }
    assert!(f.client.troubles().last().is_some());
    let grows = pauses.windows(2).all(|p| p[0] <= p[1] + p[1] / 2);
    assert!(grows && pauses[0] >= 40 && (800..=1201).contains(&pauses[7]), "{pauses:?}");
}
