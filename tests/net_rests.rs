//! Connections that rest: what comes on them is told later, and nothing is lost by it.

mod net_support;

use bytes::Bytes;
use milena::client::wire::{ConnId, NetOp, SocketOptions, Wake};
use milena::sys::now;
use milena::time::Nanos;
use net_support::{echo_server, framed, read_frame, serve, write_frame, Client, LONG, OPTIONS};
use std::sync::mpsc;
use std::time::Duration;

/// Longer than any test: what has to wait for it makes the test fail.
fn far_off() -> Nanos {
    now().mono.plus_ms(3_600_000)
}

fn rest(conn: u64, until: Nanos) -> NetOp {
    NetOp::Rest { conn: ConnId(conn), until }
}

/// A client with connection 1 to an echo server.
fn connected() -> Client {
    let client = Client::new();
    client.connect(1, echo_server());
    client.connected(1);
    client
}

#[test]
fn what_comes_during_a_rest_is_told_at_its_end() {
    let client = connected();
    for body in ["first", "second"] {
        let until = now().mono.plus_ms(150);
        client.shared.lock().ops.extend([
            rest(1, until),
            NetOp::Send { conn: ConnId(1), segments: framed(body.into()) },
            NetOp::Send { conn: ConnId(1), segments: framed("more".into()) },
        ]);
        client.handle.wake();
        assert_eq!(client.frame(1), body);
        // Elsewhere there are no rests.
        assert!(!cfg!(target_os = "linux") || now().mono >= until, "told too early");
        assert_eq!(client.frame(1), "more");
        client.send(1, "no rest");
        assert_eq!(client.frame(1), "no rest");
    }
}

#[test]
fn a_rest_can_follow_a_rest_for_long() {
    const CONNS: u64 = 4;
    const ROUNDS: u32 = 300;
    let addr = echo_server();
    let client = Client::new();
    let (tx, rx) = mpsc::channel();
    let mut rounds = vec![0; CONNS as usize];
    client.shared.lock().on_frame = Some(Box::new(move |conn, frame| {
        let round = &mut rounds[conn.0 as usize];
        *round += 1;
        if *round == ROUNDS {
            tx.send(conn).unwrap();
            return vec![];
        }
        let mut ops = vec![NetOp::Send { conn, segments: framed(frame) }];
        // Every seventh time it is woken up again.
        if *round % 7 != 0 {
            ops.push(NetOp::Rest { conn, until: Nanos(now().mono.0 + u64::from(*round) * 1000) });
        }
        ops
    }));
    for conn in 0..CONNS {
        client.connect(conn, addr);
        client.send(conn, vec![7; 100]);
    }
    for _ in 0..CONNS {
        rx.recv_timeout(LONG).expect("a connection rests for ever");
    }
}

#[test]
fn the_end_of_a_connection_is_told_after_its_rest() {
    let addr = serve(|mut stream| {
        let body = read_frame(&mut stream).unwrap();
        write_frame(&mut stream, &body).unwrap();
    });
    let client = Client::new();
    client.connect(1, addr);
    client.connected(1);
    client.op(rest(1, now().mono.plus_ms(50)));
    client.send(1, "last");
    assert_eq!(client.frame(1), "last");
    client.closed(1);
}

#[test]
fn what_has_to_wait_for_the_socket_ends_a_rest() {
    let addr = serve(|mut stream| {
        while let Some(body) = read_frame(&mut stream) {
            // The client has to wait in between.
            std::thread::sleep(Duration::from_millis(20));
            write_frame(&mut stream, &body[..4]).unwrap();
        }
    });
    let client = Client::new();
    let options = SocketOptions { send_buffer_bytes: 20_000, ..OPTIONS };
    client.op(NetOp::Connect { conn: ConnId(1), addr, options });
    client.connected(1);
    let large = || NetOp::Send { conn: ConnId(1), segments: framed(Bytes::from(vec![b'x'; 4 << 20])) };
    for ops in [[rest(1, far_off()), large()], [large(), rest(1, far_off())]] {
        client.shared.lock().ops.extend(ops);
        client.handle.wake();
        assert_eq!(client.frame(1), "xxxx");
    }
    // A rest that began earlier, and of which the system knows.
    client.op(rest(1, far_off()));
    client.turn();
    client.op(large());
    assert_eq!(client.frame(1), "xxxx");
}

#[test]
fn a_rest_is_nobody_elses() {
    let client = connected();
    client.op(rest(1, far_off()));
    client.send(1, "unheard");
    client.connect(2, echo_server());
    client.send(2, "heard");
    assert_eq!(client.frame(2), "heard");
    let other = connected();
    other.send(1, "heard as well");
    assert_eq!(other.frame(1), "heard as well");
    client.close(1);
    client.turn();
    client.connect(1, echo_server());
    client.send(1, "again");
    assert_eq!(client.frame(1), "again", "the rest ended with its connection");
}
