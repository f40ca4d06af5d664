//! librdkafka's consumer, by its C functions. Whatever fails ends the program.

use crate::native::*;
use crate::options::Options;
use rdkafka_sys::*;
use std::ffi::{CStr, CString};
use std::ptr;

pub struct Consumer {
    handle: *mut rd_kafka_t,
    queue: *mut rd_kafka_queue_t,
    topic: CString,
}

impl Consumer {
    /// Reads nothing yet: see `assign_all` and `subscribe`.
    pub fn new(o: &Options) -> Consumer {
        let mut pairs = vec![
            ("bootstrap.servers".to_string(), o.bootstrap.clone()),
            ("group.id".into(), o.group.clone().unwrap_or_else(|| "rdkafka-perf".into())),
            ("auto.offset.reset".into(), "earliest".into()),
            ("enable.auto.commit".into(), o.group.is_some().to_string()),
            // As Milena and Java have it by default.
            ("check.crcs".into(), "true".into()),
        ];
        pairs.extend(o.conf.iter().cloned());
        let handle = client(rd_kafka_type_t::RD_KAFKA_CONSUMER, configuration(&pairs));
        // SAFETY: the handle is a client's.
        unsafe {
            rd_kafka_poll_set_consumer(handle);
            Consumer { handle, queue: rd_kafka_queue_get_consumer(handle), topic: text(&o.topic) }
        }
    }

    pub fn subscribe(&mut self) {
        // SAFETY: the list is a list, and freed once.
        unsafe {
            let list = rd_kafka_topic_partition_list_new(1);
            rd_kafka_topic_partition_list_add(list, self.topic.as_ptr(), UNASSIGNED);
            check(rd_kafka_subscribe(self.handle, list), "subscribing");
            rd_kafka_topic_partition_list_destroy(list);
        }
    }

    /// Reads all partitions from the beginning, or only what comes from now on; called again, anew.
    pub fn assign_all(&mut self, at_end: bool) {
        // SAFETY: the list is a list, and freed once.
        unsafe {
            let list = rd_kafka_topic_partition_list_new(1);
            for partition in 0..partitions(self.handle, &self.topic) {
                let row = rd_kafka_topic_partition_list_add(list, self.topic.as_ptr(), partition);
                (*row).offset = if at_end { end(self.handle, &self.topic, partition) } else { 0 };
            }
            check(rd_kafka_assign(self.handle, list), "assigning");
            rd_kafka_topic_partition_list_destroy(list);
        }
    }

    /// Reads `n` records, one a call; how many bytes their values had.
    pub fn read(&mut self, n: usize) -> u64 {
        (0..n).map(|_| self.next(|value| value.len() as u64)).sum()
    }

    pub fn read_one(&mut self, expected: &[u8]) {
        self.next(|value| {
            if value != expected {
                fail("the record that was read is not the one that was sent");
            }
        });
    }

    fn next<T>(&mut self, use_value: impl Fn(&[u8]) -> T) -> T {
        // SAFETY: a message is valid until it is destroyed.
        unsafe {
            let message = rd_kafka_consumer_poll(self.handle, PATIENCE_MS);
            if message.is_null() {
                fail("no record came");
            }
            check((*message).err, "reading");
            let value: &[u8] = match (*message).len {
                0 => &[],
                len => std::slice::from_raw_parts((*message).payload.cast(), len),
            };
            let result = use_value(value);
            rd_kafka_message_destroy(message);
            result
        }
    }

    /// Reads `n` records, many a call; how many bytes their values had.
    pub fn read_batches(&mut self, n: usize, most: usize) -> u64 {
        let (mut left, mut bytes) = (n, 0);
        let mut messages = vec![ptr::null_mut::<rd_kafka_message_t>(); most];
        while left > 0 {
            // SAFETY: there is room for `most` messages, each of which is destroyed once.
            unsafe {
                // It goes on until the batch is full or the time is over.
                let got = rd_kafka_consume_batch_queue(self.queue, 50, messages.as_mut_ptr(), most.min(left));
                for &message in messages.iter().take(got.max(0) as usize) {
                    check((*message).err, "reading");
                    bytes += (*message).len as u64;
                    rd_kafka_message_destroy(message);
                }
                left -= got.max(0) as usize;
            }
        }
        bytes
    }

    /// Waits in the library for what will not come.
    pub fn wait_for_nothing(&mut self) {
        // SAFETY: the handle is a client's.
        let message = unsafe { rd_kafka_consumer_poll(self.handle, i32::MAX) };
        if !message.is_null() {
            fail("something came");
        }
    }

    pub fn close(&mut self) {
        // SAFETY: nothing uses the client afterwards.
        unsafe {
            rd_kafka_consumer_close(self.handle);
            rd_kafka_queue_destroy(self.queue);
            rd_kafka_destroy(self.handle);
        }
    }
}

unsafe fn partitions(handle: *mut rd_kafka_t, topic: &CStr) -> i32 {
    let reference = rd_kafka_topic_new(handle, topic.as_ptr(), ptr::null_mut());
    let mut metadata: *const rd_kafka_metadata = ptr::null();
    check(rd_kafka_metadata(handle, 0, reference, &mut metadata, PATIENCE_MS), "describing the topic");
    let count = (*(*metadata).topics).partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(reference);
    count
}

unsafe fn end(handle: *mut rd_kafka_t, topic: &CStr, partition: i32) -> i64 {
    let (mut low, mut high) = (0, 0);
    let found =
        rd_kafka_query_watermark_offsets(handle, topic.as_ptr(), partition, &mut low, &mut high, PATIENCE_MS);
    check(found, "looking up the end");
    high
}
