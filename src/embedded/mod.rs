//! The embedded cluster: Kafka brokers in this process, in memory, for tests, demos and the simulation.
//!
//! [`EmbeddedCluster`] is a state machine without sockets, clock or threads: bytes in, bytes out, `now` as an
//! argument. A simulation drives it directly; [`EmbeddedServer`] serves it on loopback to any Kafka client.
//!
//! ```text
//! frame ─▶ cluster ─▶ api/NN_name ─▶ world: topics (log, producers), groups, faults
//!          (one request of a connection at a time)      │
//! bytes ◀─ cluster ◀────────── answer, now or later ◀───┘
//! ```
//! [`cluster`] holds the connections, `api/` has one file per API key, `world` what all brokers share;
//! `log`, `producers`, `topics` and `group` are its parts. [`faults`] is the script of what goes wrong, `control`
//! what the owner of a cluster can do and ask. Replication is bookkeeping: each partition has one log, which all
//! its replicas share, so what was acknowledged is never lost.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod api;
mod call;
pub mod cluster;
mod configs;
pub mod control;
mod errors;
pub mod faults;
mod group;
mod log;
mod producers;
mod serve;
pub mod server;
pub mod settings;
mod socket;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod topics;
mod validate;
pub mod versions;
mod world;

pub use cluster::{EmbeddedCluster, Output, Refused, ServerConn};
pub use control::GroupView;
pub use faults::{Fault, FaultKind};
pub use server::EmbeddedServer;
pub use settings::ClusterSettings;
pub use versions::BrokerVersion;
