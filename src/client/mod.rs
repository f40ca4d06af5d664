//! Requests without sockets: which node, which version, which answer belongs to which request.

pub mod connection_states;
pub mod core;
pub mod frames;
pub mod handshake;
pub mod in_flight;
pub mod metadata;
pub mod network_client;
pub mod request;
pub mod settings;
pub mod timers;
pub mod troubles;
pub mod wire;

pub use self::core::ClientCore;
pub use metadata::Metadata;
pub use network_client::NetworkClient;
pub use troubles::Troubles;
