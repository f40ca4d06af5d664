//! Connections of the driver against real sockets: good peers, slow ones, and those that are no broker.

mod net_support;

use bytes::Bytes;
use milena::client::wire::{ConnId, JobId, NetOp, SocketOptions, Wake};
use milena::error::{Code, Phase};
use net_support::*;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{mpsc, Arc};

#[test]
fn frames_go_out_and_come_back() {
    let addr = echo_server();
    let client = Client::new();
    client.connect(1, addr);
    client.send(1, "sent while connecting");
    client.connected(1);
    assert_eq!(client.frame(1), "sent while connecting");
    let body: Bytes = (0..3_000_000u32).map(|i| i as u8).collect();
    client.send(1, body.clone());
    assert_eq!(client.frame(1), body);
}

#[test]
fn refused_says_where_why_and_what_to_check() {
    // Bound and not listening: nobody else gets the port meanwhile.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&"127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
    let addr = socket.local_addr().unwrap().as_socket().unwrap();
    let client = Client::new();
    client.connect(1, addr);
    let closed = client.closed(1);
    assert_eq!(closed.phase, Phase::Tcp);
    assert_eq!(closed.error.code(), Code::TRANSPORT);
    assert!(closed.error.message().contains(&addr.to_string()), "{}", closed.error);
    assert_eq!(closed.error.cause_text(), Some("Connection refused (os error 111)"));
    assert!(closed.error.hint_text().unwrap().contains("advertised.listeners"));
}

/// A failure that the system tells in the very call is told like any other.
#[test]
fn failing_at_once_is_told_as_well() {
    let client = Client::new();
    client.connect(1, "255.255.255.255:9".parse().unwrap());
    assert_eq!(client.closed(1).error.code(), Code::TRANSPORT);
    client.send(1, "to nobody");
    client.close(1);
    client.turn();
    assert!(client.shared.lock().seen.is_empty());
}

#[test]
fn large_segments_pass_small_socket_buffers() {
    // Not smaller: below the loopback's packets it is the delayed acknowledgements that set the pace.
    const BUFFER: i32 = 64 << 10;
    const SIZE: usize = 32 << 20;
    let (tx, rx) = mpsc::channel();
    let tx = std::sync::Mutex::new(tx);
    let addr = serve(move |mut stream| {
        let mut sum = crc32fast::Hasher::new();
        let mut buffer = vec![0; 100_000];
        let mut left = 4 + 2 * SIZE;
        while left > 0 {
            let n = stream.read(&mut buffer).unwrap();
            assert!(n > 0, "ended {left} bytes early");
            sum.update(&buffer[..n]);
            left -= n;
        }
        tx.lock().unwrap().send(sum.finalize()).unwrap();
    });
    let body: Bytes = (0..SIZE).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let mut segments = vec![Bytes::copy_from_slice(&(2 * SIZE as u32).to_be_bytes())];
    segments.extend([body.clone(), body.clone()]);
    let mut expected = crc32fast::Hasher::new();
    segments.iter().for_each(|s| expected.update(s));
    let client = Client::new();
    let options = SocketOptions { send_buffer_bytes: BUFFER, receive_buffer_bytes: BUFFER, ..OPTIONS };
    client.op(NetOp::Connect { conn: ConnId(1), addr, options });
    client.op(NetOp::Send { conn: ConnId(1), segments });
    assert_eq!(rx.recv_timeout(LONG).unwrap(), expected.finalize());
    eventually("the segments to be let go", || body.is_unique());
}

/// The bytes of a peer that is no broker, and what the error has to say.
fn told_for(bytes: &'static [u8]) -> milena::Error {
    let addr = serve(move |mut stream| {
        stream.write_all(bytes).unwrap();
        // Open until the client gives up, so that it is the bytes that end it.
        let _ = stream.read(&mut [0; 10]);
    });
    let client = Client::new();
    client.connect(1, addr);
    let closed = client.closed(1);
    assert_eq!(closed.phase, Phase::Tcp);
    closed.error
}

#[test]
fn what_is_no_frame_ends_the_connection_with_a_reason() {
    for (bytes, word) in [
        (&b"\x7f\xff\xff\xff\0\0\0\x01"[..], "2147483647 bytes"),
        (b"\xff\xff\xff\xff", "negative"),
        (b"\x80\0\0\0 garbage", "negative"),
        (b"\x15\x03\x03\x00\x02\x02\x28", "TLS"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP"),
    ] {
        let error = told_for(bytes);
        assert_eq!(error.code(), Code::PROTOCOL, "{error}");
        assert!(error.cause_text().unwrap().contains(word), "{error}");
        assert!(error.hint_text().is_some_and(|h| !h.is_empty()), "{error}");
    }
}

#[test]
fn frames_before_the_garbage_are_told_first() {
    let addr = serve(|mut stream| {
        stream.write_all(b"\0\0\0\x04good\xff\xff\xff\xff").unwrap();
        let _ = stream.read(&mut [0; 10]);
    });
    let client = Client::new();
    client.connect(1, addr);
    assert_eq!(client.frame(1), "good");
    assert_eq!(client.closed(1).error.code(), Code::PROTOCOL);
}

#[test]
fn a_stream_that_ends_says_where() {
    for (bytes, word) in [
        (&b""[..], "no byte"),
        (b"\0\0\0\x04abcd", "between two responses"),
        (b"\0\0\0\x10abc", "after 7 bytes"),
        (b"\0\0", "after 2 bytes"),
    ] {
        let addr = serve(move |mut stream| {
            stream.write_all(bytes).unwrap();
            stream.shutdown(Shutdown::Both).unwrap();
        });
        let client = Client::new();
        client.connect(1, addr);
        let error = client.closed(1).error;
        assert_eq!(error.code(), Code::TRANSPORT);
        assert!(error.cause_text().unwrap().contains(word), "{error}");
        let frames = client.shared.lock().seen.iter().filter(|s| matches!(s, Seen::Frame(..))).count();
        assert_eq!(frames, usize::from(bytes.ends_with(b"\x04abcd")));
    }
}

#[test]
fn a_reset_is_told() {
    let addr = serve(|stream| {
        let stream = socket2::Socket::from(stream);
        stream.set_linger(Some(std::time::Duration::ZERO)).unwrap();
    });
    let client = Client::new();
    client.connect(1, addr);
    let error = client.closed(1).error;
    assert_eq!(error.code(), Code::TRANSPORT);
    assert!(error.cause_text().unwrap().contains("reset"), "{error}");
}

#[test]
fn frames_that_drip_in_are_put_together() {
    let addr = serve(|mut stream| {
        stream.set_nodelay(true).unwrap();
        let mut bytes = Vec::new();
        for i in 4..40u8 {
            bytes.extend_from_slice(&u32::from(i).to_be_bytes());
            bytes.extend((0..i).map(|j| i ^ j));
        }
        for byte in bytes {
            stream.write_all(&[byte]).unwrap();
        }
        let _ = stream.read(&mut [0; 1]);
    });
    let client = Client::new();
    client.connect(1, addr);
    for i in 4..40u8 {
        assert_eq!(client.frame(1), (0..i).map(|j| i ^ j).collect::<Vec<u8>>());
    }
}

/// One connection floods; 99 others have their round trips all the same.
#[test]
fn a_flood_does_not_starve_the_others() {
    const OTHERS: u64 = 99;
    const ROUNDS: u64 = 20;
    let stop = Arc::new(AtomicBool::new(false));
    let flooded = Arc::new(AtomicU64::new(0));
    let flood = serve({
        let stop = stop.clone();
        move |mut stream| {
            let body = vec![1; 1 << 20];
            while !stop.load(Ordering::Relaxed) && write_frame(&mut stream, &body).is_ok() {}
        }
    });
    let addr = echo_server();
    let client = Client::new();
    let (tx, rx) = mpsc::channel();
    client.shared.lock().on_frame = Some(Box::new({
        let flooded = flooded.clone();
        let mut rounds = vec![0; OTHERS as usize];
        move |conn, frame| {
            if conn.0 == OTHERS {
                flooded.fetch_add(1, Ordering::Relaxed);
                return vec![];
            }
            rounds[conn.0 as usize] += 1;
            if rounds[conn.0 as usize] == ROUNDS {
                tx.send(conn).unwrap();
                return vec![];
            }
            vec![NetOp::Send { conn, segments: framed(frame) }]
        }
    }));
    client.connect(OTHERS, flood);
    eventually("the flood", || flooded.load(Ordering::Relaxed) > 2);
    for conn in 0..OTHERS {
        client.connect(conn, addr);
        client.send(conn, vec![7; 1000]);
    }
    for _ in 0..OTHERS {
        rx.recv_timeout(LONG).expect("a connection starves");
    }
    let then = flooded.load(Ordering::Relaxed);
    eventually("more of the flood", || flooded.load(Ordering::Relaxed) > then);
    stop.store(true, Ordering::Relaxed);
}

#[test]
fn closing_with_writes_pending_lets_go_of_them_and_says_nothing() {
    let (tx, rx) = mpsc::channel();
    let tx = std::sync::Mutex::new(tx);
    let go = Arc::new(AtomicBool::new(false));
    let addr = serve({
        let go = go.clone();
        move |mut stream| {
            eventually("the close", || go.load(Ordering::Acquire));
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).unwrap();
            tx.lock().unwrap().send(rest.len()).unwrap();
        }
    });
    let client = Client::new();
    client.connect(1, addr);
    client.connected(1);
    let body = Bytes::from(vec![5; 64 << 20]);
    client.send(1, body.clone());
    client.turn();
    assert!(!body.is_unique());
    client.close(1);
    client.turn();
    eventually("the segments to be let go", || body.is_unique());
    go.store(true, Ordering::Release);
    let arrived = rx.recv_timeout(LONG).unwrap();
    assert!(arrived > 0 && arrived < body.len(), "{arrived}");
    client.turn();
    assert!(client.shared.lock().seen.is_empty());
}

#[test]
fn the_last_request_before_a_close_is_sent() {
    let (tx, rx) = mpsc::channel();
    let tx = std::sync::Mutex::new(tx);
    let addr = serve(move |mut stream| {
        tx.lock().unwrap().send(read_frame(&mut stream)).unwrap();
    });
    let client = Client::new();
    client.connect(1, addr);
    client.connected(1);
    client.shared.lock().ops.extend([
        NetOp::Send { conn: ConnId(1), segments: framed("leaving".into()) },
        NetOp::Close { conn: ConnId(1) },
    ]);
    client.handle.wake();
    assert_eq!(rx.recv_timeout(LONG).unwrap().as_deref(), Some(&b"leaving"[..]));
}

/// A machine that closes in answer to the first of two frames hears nothing of the second.
#[test]
fn no_event_follows_a_close() {
    let addr = serve(|mut stream| {
        stream.write_all(b"\0\0\0\x05first\0\0\0\x06second").unwrap();
        let _ = stream.read(&mut [0; 1]);
    });
    let client = Client::new();
    let (tx, rx) = mpsc::channel();
    client.shared.lock().on_frame = Some(Box::new(move |conn, frame| {
        tx.send(frame).unwrap();
        vec![NetOp::Close { conn }]
    }));
    client.connect(1, addr);
    assert_eq!(rx.recv_timeout(LONG).unwrap(), "first");
    client.turn();
    assert!(rx.try_recv().is_err(), "a frame of a closed connection");
    client.connected(1);
    assert!(client.shared.lock().seen.is_empty());
}

#[test]
fn dropping_a_client_closes_its_connections_only() {
    let addr = echo_server();
    let (stays, goes) = (Client::new(), Client::new());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    goes.connect(1, listener.local_addr().unwrap());
    stays.connect(1, addr);
    let (mut accepted, _) = listener.accept().unwrap();
    drop(goes.handle);
    assert_eq!(accepted.read(&mut [0; 1]).unwrap(), 0);
    goes.shared.wait("the machine's end", |s| matches!(s.seen.last(), Some(Seen::Dropped)).then_some(()));
    stays.send(1, "still here");
    assert_eq!(stays.frame(1), "still here");
}

#[test]
fn a_finished_machine_is_let_go() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = Client::new();
    client.connect(1, listener.local_addr().unwrap());
    let (mut accepted, _) = listener.accept().unwrap();
    client.connected(1);
    client.send(1, "bye");
    client.shared.lock().finished = true;
    client.handle.wake();
    client.wait("the machine's end", |s| matches!(s.seen.last(), Some(Seen::Dropped)).then_some(()));
    assert_eq!(read_frame(&mut accepted).as_deref(), Some(&b"bye"[..]));
    assert_eq!(accepted.read(&mut [0; 1]).unwrap(), 0);
}

#[test]
fn names_and_addresses_are_resolved() {
    let client = Client::new();
    for (job, host) in [(1, "127.0.0.1"), (2, "[::1]"), (3, "::1"), (4, "localhost")] {
        client.op(NetOp::Resolve { job: JobId(job), host: host.into() });
        let found = client.wait("an answer", |s| s.seen.pop());
        let Seen::Resolved(id, Ok(found)) = found else { panic!("{host}: {found:?}") };
        assert_eq!(id.0, job);
        assert!(!found.is_empty() && found.iter().all(|ip| ip.is_loopback()), "{host}: {found:?}");
    }
}

#[test]
fn a_name_that_does_not_exist_is_an_error_of_phase_dns() {
    let client = Client::new();
    // Too long for a name, so no server is asked.
    let host = "x".repeat(300);
    client.op(NetOp::Resolve { job: JobId(7), host: host.as_str().into() });
    let told = client.wait("an answer", |s| s.seen.pop());
    let Seen::Resolved(JobId(7), Err(error)) = told else { panic!("{told:?}") };
    assert_eq!(error.code(), Code::NAME_NOT_RESOLVED);
    assert_eq!(error.failed_phase(), Some(Phase::Dns));
    assert!(error.message().contains(&host) && error.cause_text().is_some() && error.is_retriable());
}
