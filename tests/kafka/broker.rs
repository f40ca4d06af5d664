//! The running broker that tests against a real Kafka are told of in `MILENA_BROKER`.

use std::net::TcpStream;
use std::time::Duration;

/// `host:port` of the brokers, joined by commas, for `bootstrap.servers`.
///
/// # Panics
/// Without `MILENA_BROKER`: whoever runs such a test wants it to test something.
pub fn bootstrap_servers() -> String {
    std::env::var("MILENA_BROKER").expect(
        "MILENA_BROKER is not set; run this by: tests/kafka/kafka_cluster.py run -- cargo test --test kafka -- --ignored",
    )
}

/// A connection to the first of the brokers.
pub fn connect() -> TcpStream {
    let servers = bootstrap_servers();
    let first = servers.split(',').next().unwrap_or_default();
    let stream = TcpStream::connect(first).unwrap_or_else(|e| panic!("broker {first}: {e}"));
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("set a read timeout");
    stream
}
