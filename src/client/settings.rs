//! From a client's configuration to the settings of its parts.

use super::connection_states::Backoff;
use super::metadata::MetadataSettings;
use super::network_client::Settings;
use super::troubles::Troubles;
use super::wire::SocketOptions;
use crate::config::ClientConfig;
use crate::log::Logger;
use std::sync::Arc;

/// How pauses between attempts of the same request grow (`retry.backoff.ms`, KIP-580).
pub fn retry_backoff(config: &ClientConfig) -> Backoff {
    Backoff { base_ms: config.retry_backoff_ms, max_ms: config.retry_backoff_max_ms }
}

pub fn network(
    config: &ClientConfig,
    max_in_flight: usize,
    logger: Logger,
    troubles: Arc<Troubles>,
) -> Settings {
    let buffer = |size: Option<usize>| size.map_or(-1, |s| i32::try_from(s).unwrap_or(i32::MAX));
    Settings {
        client_id: config.client_id.as_str().into(),
        bootstrap: config.bootstrap.iter().map(|at| (Arc::from(at.host.as_str()), at.port)).collect(),
        socket: SocketOptions {
            send_buffer_bytes: buffer(config.send_buffer_bytes),
            receive_buffer_bytes: buffer(config.receive_buffer_bytes),
            max_frame_bytes: config.receive_message_max_bytes,
        },
        max_in_flight,
        reconnect: Backoff { base_ms: config.reconnect_backoff_ms, max_ms: config.reconnect_backoff_max_ms },
        setup_timeout: Backoff {
            base_ms: config.connection_setup_timeout_ms,
            max_ms: config.connection_setup_timeout_max_ms,
        },
        idle_ms: config.connections_max_idle_ms,
        logger,
        troubles,
    }
}

pub fn metadata(config: &ClientConfig, allow_auto_create: bool) -> MetadataSettings {
    MetadataSettings {
        max_age_ms: config.metadata_max_age_ms,
        retry: retry_backoff(config),
        request_timeout_ms: config.request_timeout_ms,
        allow_auto_create,
    }
}
