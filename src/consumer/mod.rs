//! The consumer: [`KafkaConsumer`] on the application's thread over request managers on the I/O thread.
//!
//! [`subscription_state`] says what is read and from where. On the I/O thread the [`fetcher`] asks the brokers and
//! puts what comes into the [`fetch_buffer`]; [`offsets`] finds beginnings, ends and times; [`coordinator`] is the
//! member of the group and commits. On the application's thread [`fetch_collector`] makes chunks of record views of
//! what is buffered. The two sides meet in [`shared`].

pub mod assignor;
mod budget;
mod calls;
mod commands;
mod completed_fetch;
mod coordinator;
mod fetch_buffer;
mod fetch_collector;
mod fetch_request;
mod fetcher;
mod kafka_consumer;
mod notices;
mod offsets;
mod partition_state;
pub mod record_view;
mod shared;
mod subscription_state;
mod topic_interest;
mod types;

pub use commands::Pending;
pub use kafka_consumer::{ConsumerWaker, KafkaConsumer};
pub use record_view::{BytesView, Chunk, FetchedBatch, HeaderView, RecordView};
pub use types::{Event, OffsetAndMetadata, OffsetAndTimestamp, Offsets, Polled};
