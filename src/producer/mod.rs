//! `KafkaProducer`: the application's side of sending.
//!
//! `send` → interceptors → serializers → partitioner → [`RecordAccumulator`](accumulator::RecordAccumulator), all on
//! the caller's thread; from there the [`Sender`](sender::Sender) on the I/O thread takes batches to the brokers, and
//! what became of them comes back through [`Deliveries`](deliveries::Deliveries).

pub mod accumulator;
pub mod batch;
pub mod buffer_pool;
pub mod deliveries;
mod grow_only;
pub mod incomplete;
pub mod interceptor;
mod partition_loads;
pub mod partitioner;
pub mod pending;
mod prepare;
pub mod record;
pub mod sender;
#[cfg(test)]
mod tests;
pub mod topic;
pub mod transaction_manager;

use self::accumulator::{AppendContext, RecordAccumulator, Sent};
use self::batch::CompressionSetting;
use self::buffer_pool::BufferPool;
use self::deliveries::{Deliveries, DeliveryChunk};
use self::interceptor::ProducerInterceptor;
use self::prepare::{Prepared, Steps};
use self::record::{PlainSend, RecordSource};
use self::sender::{Control, Sender};
use crate::client::request::RequestManager;
use crate::client::wire::{Machine, Wake};
use crate::client::{settings, ClientCore};
use crate::config::{CompressionType, ProducerConfig};
use crate::error::{Code, Error};
use crate::log::Logger;
use crate::net::{ClientHandle, Driver};
use crate::record::Compression;
use crate::sys::signal::Signal;
use crate::time::Now;
use parking_lot::Mutex;
use std::sync::atomic::Ordering;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A producer; any number of threads may use it at once.
pub struct KafkaProducer {
    accumulator: Arc<RecordAccumulator>,
    deliveries: Arc<Deliveries>,
    control: Arc<Control>,
    steps: Steps,
    max_block_ms: u64,
    waker: Arc<dyn Wake>,
    logger: Logger,
    /// The place on the I/O thread; none in a simulation, which drives the machine by itself.
    handle: Mutex<Option<ClientHandle>>,
}

/// What a close that ends in vain keeps for giving up what is left.
const PURGE: Duration = Duration::from_millis(50);

impl KafkaProducer {
    /// A producer on the I/O thread of this process.
    ///
    /// # Errors
    /// TRANSPORT when the thread cannot be started.
    pub fn new(config: &ProducerConfig) -> Result<KafkaProducer, Error> {
        KafkaProducer::with_interceptors(config, Vec::new())
    }

    /// As [`KafkaProducer::new`], with interceptors, called in this order.
    pub fn with_interceptors(
        config: &ProducerConfig,
        interceptors: Vec<Arc<dyn ProducerInterceptor>>,
    ) -> Result<KafkaProducer, Error> {
        let mut producer = None;
        let handle = Driver::register_with(|waker| {
            let (made, machine) = KafkaProducer::parts(config, interceptors, fastrand::u64(..), waker);
            producer = Some(made);
            machine
        })?;
        match producer {
            Some(producer) => {
                *producer.handle.lock() = Some(handle);
                Ok(producer)
            }
            None => Err(Error::new(Code::PANIC, "the producer was not made")),
        }
    }

    /// The application's side and the I/O thread's side of a producer, for who drives the latter by itself.
    /// `seed` decides everything that is left to chance.
    pub fn parts(
        config: &ProducerConfig,
        interceptors: Vec<Arc<dyn ProducerInterceptor>>,
        seed: u64,
        waker: Arc<dyn Wake>,
    ) -> (KafkaProducer, Box<dyn Machine>) {
        let signal = Arc::new(Signal::new());
        let pool = Arc::new(BufferPool::new(config.buffer_memory, config.batch_size, signal.clone()));
        let raise = signal.clone();
        let logger = Logger::with_waker(config.client.log, &config.client.client_id, move || raise.raise());
        let deliveries = Arc::new(Deliveries::new(pool.clone(), signal, logger.clone()));
        let accumulator =
            Arc::new(RecordAccumulator::new(accumulator_settings(config, seed), pool, waker.clone()));
        let control = Arc::new(Control::default());
        let sender = Sender::new(
            sender_settings(config),
            accumulator.clone(),
            deliveries.clone(),
            control.clone(),
            seed.wrapping_add(2),
        );
        let managers: Vec<Box<dyn RequestManager>> = vec![Box::new(sender)];
        let core = ClientCore::new(
            settings::network(&config.client, config.max_in_flight, logger.clone(), Arc::default()),
            settings::metadata(&config.client, true),
            managers,
            seed,
        );
        let steps = Steps::new(interceptors, config.key_serializer, config.value_serializer);
        let producer = KafkaProducer {
            accumulator,
            deliveries,
            control,
            steps,
            max_block_ms: config.max_block_ms,
            waker,
            logger,
            handle: Mutex::new(None),
        };
        (producer, Box::new(core))
    }

    /// Hands records over; they are copied. Waits for room in `buffer.memory` at most `max_block_ms` (`None`:
    /// `max.block.ms`; 0: not at all), and for nothing else. What was accepted is reported by
    /// [`KafkaProducer::poll`] exactly once, whatever happens to the rest.
    pub fn send(&self, topic: &[u8], source: &mut impl RecordSource, max_block_ms: Option<u64>) -> Sent {
        let max_block = Duration::from_millis(max_block_ms.unwrap_or(self.max_block_ms));
        let clock = || crate::sys::now().mono;
        self.append(topic, source, &AppendContext::new(crate::sys::clock::wall_ms(), &clock, max_block))
    }

    /// Sends one record if that takes no more than a copy. Returns false, nothing done, in every other case, which
    /// is for [`KafkaProducer::send`].
    #[inline(always)]
    pub fn send_plain(&self, topic: &[u8], send: &PlainSend<'_>) -> bool {
        self.steps.is_empty() && self.accumulator.append_one(topic, send, crate::sys::clock::wall_ms)
    }

    /// As [`KafkaProducer::send`] without waiting, at a given time.
    pub fn send_step(&self, now: Now, topic: &str, source: &mut impl RecordSource) -> Sent {
        let clock = || now.mono;
        self.append(topic.as_bytes(), source, &AppendContext::new(now.wall_ms, &clock, Duration::ZERO))
    }

    fn append(&self, topic: &[u8], source: &mut impl RecordSource, context: &AppendContext<'_>) -> Sent {
        if self.steps.is_empty() {
            return self.accumulator.append(topic, source, context);
        }
        let name = String::from_utf8_lossy(topic);
        let mut prepared = Prepared { source, steps: &self.steps, topic: &name };
        self.accumulator.append(topic, &mut prepared, context)
    }

    /// What became of records sent before, in chunks of at least `max_records` records together if there are so
    /// many; waits at most `timeout` for the first. Empty when the time is up.
    pub fn poll(&self, timeout: Duration, max_records: usize) -> Vec<DeliveryChunk> {
        let mut chunks = self.poll_step(max_records);
        if chunks.is_empty() && !timeout.is_zero() {
            let until = after(timeout);
            // Another thread may be faster.
            while chunks.is_empty() && self.deliveries.wait(until) {
                chunks = self.poll_step(max_records);
            }
        }
        chunks
    }

    /// As [`KafkaProducer::poll`] without waiting.
    pub fn poll_step(&self, max_records: usize) -> Vec<DeliveryChunk> {
        let chunks = self.deliveries.take(max_records.max(1));
        for interceptor in &self.steps.interceptors {
            for chunk in &chunks {
                interceptor.on_acknowledgement(chunk);
            }
        }
        chunks
    }

    /// Up as long as [`KafkaProducer::poll`] has something, and when a send that was refused for lack of memory
    /// may be tried again.
    pub fn signal(&self) -> &Signal {
        &self.deliveries.signal
    }

    /// Sends what lingers, and waits until everything accepted before this call is reported, at most `timeout`.
    /// Needs nobody to poll.
    ///
    /// # Errors
    /// TIMED_OUT: something is left; it goes on being sent. What ended the I/O thread's work for this producer.
    pub fn flush(&self, timeout: Duration) -> Result<(), Error> {
        let flush = self.begin_flush();
        let done = self.accumulator.incomplete.wait_flushed(flush, after(timeout));
        self.end_flush();
        if let Some(fatal) = self.fatal() {
            return Err(fatal);
        }
        if done {
            return Ok(());
        }
        let text = format!("records are left after flushing for {} ms", timeout.as_millis());
        let hint = "poll the deliveries to see what fails; flush again to wait longer";
        Err(self.because(Error::new(Code::TIMED_OUT, text).hint(hint)))
    }

    /// Begins a flush that the caller waits for by [`KafkaProducer::is_flushed`] and ends by
    /// [`KafkaProducer::end_flush`].
    pub fn begin_flush(&self) -> u64 {
        let flush = self.accumulator.incomplete.begin_flush();
        self.waker.wake();
        flush
    }

    pub fn is_flushed(&self, flush: u64) -> bool {
        self.accumulator.incomplete.is_flushed(flush)
    }

    pub fn end_flush(&self) {
        self.accumulator.incomplete.end_flush();
    }

    /// Ends the producer: no more is accepted, senders that wait are let go, and what was accepted is delivered
    /// until `timeout` is (nearly) over; what is left then is reported as PURGED. Deliveries can be polled afterwards.
    ///
    /// # Errors
    /// TIMED_OUT: something was left, and how much.
    pub fn close(&self, timeout: Duration) -> Result<(), Error> {
        self.accumulator.close();
        let (before_end, deadline) = (after(timeout - PURGE.min(timeout / 4)), after(timeout));
        // A flush, so that nothing lingers, and so that the end of the last batch is announced.
        self.begin_flush();
        let incomplete = &self.accumulator.incomplete;
        let flushed = incomplete.wait_flushed(u64::MAX, before_end);
        let left = incomplete.left();
        if !flushed {
            self.abort();
            // So that what is given up is reported when this returns.
            incomplete.wait_flushed(u64::MAX, deadline.max(Instant::now() + PURGE));
        }
        self.end_flush();
        if let Some(fatal) = self.fatal() {
            return Err(fatal);
        }
        if flushed {
            return Ok(());
        }
        let text =
            format!("{left} batches were not delivered within {} ms and are given up", timeout.as_millis());
        let hint = "their records are reported as PURGED; give close more time, or flush before";
        Err(self.because(Error::new(Code::TIMED_OUT, text).hint(hint)))
    }

    /// Why nothing is delivered any more: the I/O thread gave this producer up.
    pub fn fatal(&self) -> Option<Error> {
        self.control.fatal.get().cloned()
    }

    /// Adds what last went wrong on the network.
    fn because(&self, error: Error) -> Error {
        match &*self.control.trouble.lock() {
            Some(trouble) => error.caused_by(trouble),
            None => error,
        }
    }

    /// Gives up what is left.
    pub fn abort(&self) {
        self.accumulator.close();
        self.control.abort.store(true, Ordering::SeqCst);
        self.waker.wake();
    }

    pub fn is_closed(&self) -> bool {
        self.accumulator.is_closed()
    }

    /// Its log; with `log.sink=poll` the lines are taken from here.
    pub fn logger(&self) -> &Logger {
        &self.logger
    }

    /// Bytes of `buffer.memory` in use.
    pub fn memory_in_use(&self) -> usize {
        self.accumulator.pool.charged()
    }
}

impl Drop for KafkaProducer {
    fn drop(&mut self) {
        self.accumulator.close();
    }
}

fn after(timeout: Duration) -> Instant {
    let now = Instant::now();
    // A wait of a century is as good as one without end, and does not overflow.
    now.checked_add(timeout).unwrap_or_else(|| now + Duration::from_secs(100 * 365 * 86_400))
}

fn accumulator_settings(config: &ProducerConfig, seed: u64) -> accumulator::Settings {
    let codec = match config.compression.kind {
        CompressionType::None => Compression::None,
        CompressionType::Gzip => Compression::Gzip,
        CompressionType::Snappy => Compression::Snappy,
        CompressionType::Lz4 => Compression::Lz4,
        CompressionType::Zstd => Compression::Zstd,
    };
    accumulator::Settings {
        batch_size: config.batch_size.max(1),
        linger_ms: config.linger_ms,
        buffer_memory: config.buffer_memory,
        max_request_size: config.max_request_size,
        max_block_ms: config.max_block_ms,
        compression: CompressionSetting { codec, level: config.compression.level },
        ignore_keys: config.partitioner_ignore_keys,
        seed,
    }
}

fn sender_settings(config: &ProducerConfig) -> sender::Settings {
    sender::Settings {
        acks: config.acks.wire(),
        idempotence: config.idempotence,
        retries: config.retries,
        retry: settings::retry_backoff(&config.client),
        request_timeout_ms: config.client.request_timeout_ms,
        delivery_timeout_ms: config.delivery_timeout_ms,
        linger_ms: config.linger_ms,
        max_request_size: config.max_request_size,
        max_in_flight: config.max_in_flight,
        zstd: config.compression.kind == CompressionType::Zstd,
        adaptive: config.partitioner_adaptive,
        availability_timeout_ms: match config.partitioner_adaptive {
            true => config.partitioner_availability_timeout_ms,
            false => 0,
        },
        metadata_max_idle_ms: config.metadata_max_idle_ms,
    }
}
