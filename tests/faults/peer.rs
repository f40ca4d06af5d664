//! A server that is no sound Kafka broker: what it does with a connection is up to the test.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

pub struct BadPeer {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl BadPeer {
    /// Reads the first bytes of each connection, answers with `answer`, and then closes it, or keeps it open.
    pub fn answering(answer: &'static [u8], keep_open: bool) -> BadPeer {
        BadPeer::start(move |stream| {
            let mut first = [0; 1024];
            let heard = stream.read(&mut first).is_ok_and(|n| n > 0);
            if heard && stream.write_all(answer).is_ok() && keep_open {
                let _ = stream.read(&mut first);
            }
        })
    }

    /// Answers the first request of each connection with a sound frame that has this body; keeps the connection.
    pub fn answering_to(body: &'static [u8]) -> BadPeer {
        BadPeer::start(move |stream| {
            let mut first = [0; 1024];
            // Length, API, version, correlation id.
            if stream.read_exact(first.get_mut(..12).expect("12 bytes")).is_err() {
                return;
            }
            let length = u32::try_from(4 + body.len()).expect("a short body").to_be_bytes();
            let frame = [&length[..], &first[8..12], body].concat();
            if stream.write_all(&frame).is_ok() {
                while stream.read(&mut first).is_ok_and(|n| n > 0) {}
            }
        })
    }

    fn start(serve: impl Fn(&mut TcpStream) + Send + Sync + 'static) -> BadPeer {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (connections, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (count, stopped, serve) = (connections.clone(), stop.clone(), Arc::new(serve));
        let thread = std::thread::spawn(move || {
            let mut served = Vec::new();
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                let Ok(mut stream) = stream else { break };
                count.fetch_add(1, Ordering::SeqCst);
                stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a time-out");
                served.push(stream.try_clone().expect("a descriptor"));
                let serve = serve.clone();
                std::thread::spawn(move || {
                    serve(&mut stream);
                    let _ = stream.shutdown(Shutdown::Both);
                });
            }
            // What still reads comes to its end.
            served.iter().for_each(|stream| drop(stream.shutdown(Shutdown::Both)));
        });
        BadPeer { address, connections, stop, thread: Some(thread) }
    }

    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Connections that were made so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for BadPeer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes it up.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A port where nobody listens.
pub fn closed_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").to_string()
}
