//! What the system and the peer's bytes say, as errors that tell what to do.

use crate::client::wire::Closed;
use crate::error::{Code, Error, Phase};
use crate::protocol::frame::FrameError;
use std::io;
use std::net::SocketAddr;

/// The connection could not be made.
pub fn connecting(addr: SocketAddr, e: &io::Error) -> Closed {
    closed(Code::TRANSPORT, format!("cannot connect to {addr}"), e.to_string(), io_hint(e, true))
}

/// The connection broke while bytes were moved; `doing` is "reading" or "writing".
pub fn moving(addr: SocketAddr, doing: &str, e: &io::Error) -> Closed {
    let message = format!("connection to {addr} was lost while {doing}");
    closed(Code::TRANSPORT, message, e.to_string(), io_hint(e, false))
}

/// The peer closed the connection; `heard` if it had sent anything, `partial` bytes of it a frame without an end.
pub fn end_of_stream(addr: SocketAddr, heard: bool, partial: usize) -> Closed {
    let message = format!("{addr} closed the connection");
    let (cause, hint) = match (heard, partial) {
        (false, _) => (
            "no byte was received".to_owned(),
            "a port that expects TLS, or one that is no Kafka broker, ends like this: check the port and security.protocol",
        ),
        (true, 0) => (
            "end of stream between two responses".to_owned(),
            "the broker restarted, or closed the connection as idle (connections.max.idle.ms) or after an error: see its log",
        ),
        (true, n) => (
            format!("end of stream inside a response, after {n} bytes of it"),
            "the broker or something between ended in the middle of it: see the broker's log",
        ),
    };
    closed(Code::TRANSPORT, message, cause, Some(hint))
}

/// The bytes are no Kafka frame.
pub fn bad_frame(addr: SocketAddr, e: FrameError) -> Closed {
    let e = Error::from(e);
    let error = Error::new(e.code(), format!("{addr} sent what is no Kafka frame"))
        .phase(Phase::Tcp)
        .cause(e.message())
        .hint(e.hint_text().unwrap_or_default().to_owned());
    Closed { phase: Phase::Tcp, error }
}

fn closed(code: Code, message: String, cause: String, hint: Option<&'static str>) -> Closed {
    let error = Error::new(code, message).phase(Phase::Tcp).cause(cause);
    let error = match hint {
        Some(hint) => error.hint(hint),
        None => error,
    };
    Closed { phase: Phase::Tcp, error }
}

fn io_hint(e: &io::Error, connecting: bool) -> Option<&'static str> {
    #[cfg(unix)]
    match e.raw_os_error() {
        Some(libc::EMFILE | libc::ENFILE) => {
            return Some("no more descriptors: close unused clients or raise the limit (ulimit -n)")
        }
        Some(libc::EADDRNOTAVAIL) => {
            return Some(
                "no local port or address is left for this destination: look for connections made in a loop",
            )
        }
        _ => {}
    }
    match e.kind() {
        io::ErrorKind::ConnectionRefused => {
            Some("is the broker running, is the port right, and do its advertised.listeners name an address that is reachable from here?")
        }
        io::ErrorKind::TimedOut | io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            Some("nothing answers at this address: check the network, the firewall and the broker's advertised.listeners")
        }
        io::ErrorKind::PermissionDenied => Some("a local firewall or sandbox forbids this connection"),
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe
            if !connecting =>
        {
            Some("the broker ended it: see its log; a port that expects TLS does this as well (security.protocol)")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr() -> SocketAddr {
        "127.0.0.1:9092".parse().unwrap()
    }

    #[test]
    fn refused_names_address_cause_and_what_to_check() {
        let e = connecting(addr(), &io::Error::from_raw_os_error(libc::ECONNREFUSED)).error;
        assert_eq!(e.code(), Code::TRANSPORT);
        assert_eq!(e.failed_phase(), Some(Phase::Tcp));
        assert_eq!(e.message(), "cannot connect to 127.0.0.1:9092");
        assert_eq!(e.cause_text(), Some("Connection refused (os error 111)"));
        assert!(e.hint_text().unwrap().contains("advertised.listeners"));
        assert!(e.is_retriable());
    }
}
