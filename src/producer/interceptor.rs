//! `ProducerInterceptor`: a look at each record before it is serialized, and at each delivery (KIP-42).

use super::deliveries::DeliveryChunk;
use super::record::ProducerRecord;
use crate::error::Error;

/// Sees what goes in and what came of it. Called on the application's threads: `on_send` within `send`,
/// `on_acknowledgement` within `poll`.
pub trait ProducerInterceptor: Send + Sync {
    /// May change where the record goes, its timestamp, and refuse it; the bytes it refers to are the caller's.
    ///
    /// # Errors
    /// The record is refused with this error, and `send` ends there.
    fn on_send(&self, topic: &str, record: &mut ProducerRecord<'_>) -> Result<(), Error>;

    /// A batch was reported, before the application sees it.
    fn on_acknowledgement(&self, chunk: &DeliveryChunk);
}
