//! The socket of a connection, and the place where TLS goes between it and the channel.

use crate::client::wire::SocketOptions;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::io::{self, IoSlice, Read};
use std::net::SocketAddr;

/// Moves bytes without blocking. Reads and writes that can't be done now say `WouldBlock`.
///
/// A read or write that moves less than it was asked to says that no more can be moved now: what keeps bytes of
/// its own (TLS) has to go on until that is so.
pub trait TransportLayer: Send {
    /// Watches the socket, edge-triggered, for everything it can become ready for.
    fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()>;
    fn deregister(&mut self, registry: &Registry) -> io::Result<()>;
    /// Goes on with connecting: true when bytes can be moved, false to be called again when the socket is ready.
    fn finish_connect(&mut self) -> io::Result<bool>;
    /// Reads some bytes; 0 is the end of the stream.
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize>;
    /// Writes some of the bytes of these segments, in order.
    fn write_vectored(&mut self, segments: &[IoSlice<'_>]) -> io::Result<usize>;
}

/// TCP without encryption.
#[derive(Debug)]
pub struct PlaintextTransportLayer {
    stream: TcpStream,
}

impl PlaintextTransportLayer {
    /// Begins to connect.
    ///
    /// # Errors
    /// What the system says at once, such as that there are no more descriptors or no route.
    pub fn connect(addr: SocketAddr, options: SocketOptions) -> io::Result<PlaintextTransportLayer> {
        let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        // Requests are whole when they are written: waiting for more bytes only adds delay.
        socket.set_tcp_nodelay(true)?;
        socket.set_keepalive(true)?;
        // Before connecting, because the window scale of the connection follows from the buffer.
        if let Ok(bytes) = usize::try_from(options.send_buffer_bytes) {
            socket.set_send_buffer_size(bytes)?;
        }
        if let Ok(bytes) = usize::try_from(options.receive_buffer_bytes) {
            socket.set_recv_buffer_size(bytes)?;
        }
        match socket.connect(&addr.into()) {
            Err(e) if !is_in_progress(&e) => Err(e),
            _ => Ok(PlaintextTransportLayer { stream: TcpStream::from_std(socket.into()) }),
        }
    }
}

fn is_in_progress(e: &io::Error) -> bool {
    #[cfg(unix)]
    if e.raw_os_error() == Some(libc::EINPROGRESS) {
        return true;
    }
    e.kind() == io::ErrorKind::WouldBlock
}

impl TransportLayer for PlaintextTransportLayer {
    fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        registry.register(&mut self.stream, token, Interest::READABLE | Interest::WRITABLE)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        registry.deregister(&mut self.stream)
    }

    fn finish_connect(&mut self) -> io::Result<bool> {
        if let Some(e) = self.stream.take_error()? {
            return Err(e);
        }
        let peer = match self.stream.peer_addr() {
            Ok(peer) => peer,
            Err(e) if e.kind() == io::ErrorKind::NotConnected || is_in_progress(&e) => return Ok(false),
            Err(e) => return Err(e),
        };
        // With nobody listening on a local port, the system may pick that very port for our end, and the socket
        // is then connected to itself: our own requests would come back as responses.
        if self.stream.local_addr()? == peer {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        Ok(true)
    }

    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.stream.read(into)
    }

    fn write_vectored(&mut self, segments: &[IoSlice<'_>]) -> io::Result<usize> {
        // Not `Write::write_vectored`: a closed peer would raise SIGPIPE, which ends a C program.
        self.stream.try_io(|| SockRef::from(&self.stream).send_vectored_with_flags(segments, NO_SIGNAL))
    }
}

#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
const NO_SIGNAL: i32 = libc::MSG_NOSIGNAL;
/// There the I/O thread's blocked signals do it, or there is no such signal.
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
const NO_SIGNAL: i32 = 0;

#[cfg(test)]
mod tests {
    use super::*;

    /// What the system may do to a client whose broker on this machine is down.
    #[test]
    fn a_socket_connected_to_itself_counts_as_refused() {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&"127.0.0.1:0".parse::<SocketAddr>().unwrap().into()).unwrap();
        socket.connect(&socket.local_addr().unwrap()).unwrap();
        socket.set_nonblocking(true).unwrap();
        let mut transport = PlaintextTransportLayer { stream: TcpStream::from_std(socket.into()) };
        assert_eq!(transport.finish_connect().unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    }

    #[test]
    fn options_are_set_before_connecting() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let options =
            SocketOptions { send_buffer_bytes: 60_000, receive_buffer_bytes: 50_000, max_frame_bytes: 0 };
        let transport = PlaintextTransportLayer::connect(listener.local_addr().unwrap(), options).unwrap();
        let socket = SockRef::from(&transport.stream);
        assert!(socket.tcp_nodelay().unwrap() && socket.keepalive().unwrap());
        // Linux doubles what it is told, for its own needs.
        assert!((60_000..=120_000).contains(&socket.send_buffer_size().unwrap()));
        assert!((50_000..=100_000).contains(&socket.recv_buffer_size().unwrap()));
    }
}

/// A transport whose other end is the test.
#[cfg(test)]
pub mod scripted {
    use super::*;
    use parking_lot::Mutex;
    use std::collections::VecDeque;
    use std::sync::Arc;

    #[derive(Debug, Default)]
    pub struct Peer {
        pub connected: bool,
        /// What the next reads give; an empty chunk is the end of the stream.
        pub reads: VecDeque<Vec<u8>>,
        pub written: Vec<u8>,
        pub writes: usize,
        /// How many bytes are still accepted.
        pub accepts: usize,
        pub write_error: Option<io::ErrorKind>,
    }

    pub struct Scripted(Arc<Mutex<Peer>>);

    impl Scripted {
        pub fn new() -> (Scripted, Arc<Mutex<Peer>>) {
            let peer = Arc::new(Mutex::new(Peer::default()));
            (Scripted(peer.clone()), peer)
        }
    }

    impl TransportLayer for Scripted {
        fn register(&mut self, _: &Registry, _: Token) -> io::Result<()> {
            Ok(())
        }
        fn deregister(&mut self, _: &Registry) -> io::Result<()> {
            Ok(())
        }
        fn finish_connect(&mut self) -> io::Result<bool> {
            Ok(self.0.lock().connected)
        }
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let mut peer = self.0.lock();
            let Some(chunk) = peer.reads.front_mut() else { return Err(io::ErrorKind::WouldBlock.into()) };
            let n = chunk.len().min(into.len());
            into[..n].copy_from_slice(&chunk[..n]);
            chunk.drain(..n);
            if chunk.is_empty() {
                peer.reads.pop_front();
            }
            Ok(n)
        }
        fn write_vectored(&mut self, segments: &[IoSlice<'_>]) -> io::Result<usize> {
            let mut peer = self.0.lock();
            if let Some(kind) = peer.write_error {
                return Err(kind.into());
            }
            if peer.accepts == 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            peer.writes += 1;
            let mut n = 0;
            for segment in segments {
                let take = segment.len().min(peer.accepts);
                peer.written.extend_from_slice(&segment[..take]);
                peer.accepts -= take;
                n += take;
            }
            Ok(n)
        }
    }
}
