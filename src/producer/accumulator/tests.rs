//! What the application's threads and the I/O thread tell each other, step by step.

use super::*;
use crate::record::{Compression, RecordRef};
use crate::sys::signal::Signal;

/// Counts the times that it was woken.
#[derive(Default)]
struct Counter(AtomicUsize);

impl Wake for Counter {
    fn wake(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

const LINGER_MS: u64 = 60_000;

fn accumulator() -> (RecordAccumulator, Arc<Counter>) {
    let settings = Settings {
        batch_size: 16_384,
        linger_ms: LINGER_MS,
        buffer_memory: 1_000_000,
        max_request_size: 1_000_000,
        max_block_ms: 1_000,
        compression: CompressionSetting { codec: Compression::None, level: 0 },
        ignore_keys: false,
        seed: 1,
    };
    let pool = Arc::new(BufferPool::new(1_000_000, 16_384, Arc::new(Signal::new())));
    let counter = Arc::new(Counter::default());
    (RecordAccumulator::new(settings, pool, counter.clone()), counter)
}

/// The first half of a send: the record is in the open batch, and its partition not listed yet.
fn half_a_send(accumulator: &RecordAccumulator) -> (Arc<Partition>, Notice) {
    let topic = accumulator.topic(b"t").unwrap();
    accumulator.make_partitions(topic, 1);
    topic.partitions.publish(1);
    let partition = topic.partitions.get(0).unwrap().clone();
    let (buffer, epoch) = (BytesMut::zeroed(100), accumulator.incomplete.begin());
    let mut open = OpenBatch::new(buffer, Nanos(0), epoch, 1);
    open.try_append(&RecordRef::default(), 1, 100).unwrap();
    let mut queue = partition.queue.lock();
    queue.open = Some(open);
    let notice = accumulator.notice(&mut queue);
    drop(queue);
    (partition, notice)
}

/// The I/O thread goes once through everything, and sleeps for less than what lingers may.
fn io_thread_polls(accumulator: &RecordAccumulator) {
    accumulator.awake();
    let flush = accumulator.incomplete.last_flush();
    assert!(accumulator.take_listed().is_empty());
    accumulator.incomplete.flush_was_seen(flush);
    assert!(accumulator.go_to_sleep(Some(Nanos(0).plus_ms(1_000))));
}

#[test]
fn a_partition_listed_after_a_flush_began_is_due_at_once() {
    for ended in [false, true] {
        let (accumulator, woken) = accumulator();
        let (partition, notice) = half_a_send(&accumulator);
        accumulator.incomplete.begin_flush();
        if ended {
            accumulator.incomplete.end_flush();
        }
        io_thread_polls(&accumulator);
        let before = woken.0.load(Ordering::SeqCst);
        accumulator.announce(&partition, notice);
        assert_eq!(woken.0.load(Ordering::SeqCst), before + 1, "{ended}");
    }
}

#[test]
fn a_partition_listed_after_a_close_began_is_due_at_once() {
    let (accumulator, woken) = accumulator();
    let (partition, notice) = half_a_send(&accumulator);
    accumulator.close();
    io_thread_polls(&accumulator);
    let before = woken.0.load(Ordering::SeqCst);
    accumulator.announce(&partition, notice);
    assert_eq!(woken.0.load(Ordering::SeqCst), before + 1);
}

#[test]
fn what_lingers_longer_than_the_io_thread_sleeps_wakes_nobody() {
    let (accumulator, woken) = accumulator();
    accumulator.incomplete.begin_flush();
    accumulator.incomplete.end_flush();
    let (partition, notice) = half_a_send(&accumulator);
    io_thread_polls(&accumulator);
    accumulator.announce(&partition, notice);
    assert_eq!(woken.0.load(Ordering::SeqCst), 0);
    assert!(!accumulator.go_to_sleep(None), "it is listed");
}
