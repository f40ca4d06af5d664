//! librdkafka's producer, by its C functions. Whatever fails ends the program.

use crate::native::*;
use crate::options::Options;
use crate::POOL;
use rdkafka_sys::*;
use std::ffi::c_void;
use std::ptr;

const COPY: i32 = 2; // RD_KAFKA_MSG_F_COPY

pub struct Producer {
    handle: *mut rd_kafka_t,
    topic: *mut rd_kafka_topic_t,
    /// Counted by the delivery callback, so it does not move.
    delivered: Box<i64>,
}

unsafe extern "C" fn on_delivery(
    _: *mut rd_kafka_t,
    message: *const rd_kafka_message_t,
    counter: *mut c_void,
) {
    check((*message).err, "delivering");
    *counter.cast::<i64>() += 1;
}

impl Producer {
    pub fn new(o: &Options) -> Producer {
        let mut pairs = vec![
            ("bootstrap.servers".to_string(), o.bootstrap.clone()),
            // As Milena and Java have it by default; acks=all comes with it.
            ("enable.idempotence".into(), "true".into()),
        ];
        pairs.extend(o.producer.iter().cloned());
        pairs.extend(o.conf.iter().cloned());
        let mut delivered = Box::new(0i64);
        let conf = configuration(&pairs);
        // SAFETY: the counter lives as long as the client.
        unsafe {
            rd_kafka_conf_set_opaque(conf, ptr::from_mut(&mut *delivered).cast());
            rd_kafka_conf_set_dr_msg_cb(conf, Some(on_delivery));
            let handle = client(rd_kafka_type_t::RD_KAFKA_PRODUCER, conf);
            let topic = rd_kafka_topic_new(handle, text(&o.topic).as_ptr(), ptr::null_mut());
            Producer { handle, topic, delivered }
        }
    }

    pub fn poll(&mut self, timeout_ms: i32) {
        // SAFETY: the handle is a client's.
        unsafe { rd_kafka_poll(self.handle, timeout_ms) };
    }

    /// Copies a value into the queue, waiting for room.
    pub fn send(&mut self, value: &[u8]) {
        loop {
            // SAFETY: the value is copied.
            let sent = unsafe {
                let payload = value.as_ptr() as *mut c_void;
                rd_kafka_produce(
                    self.topic,
                    UNASSIGNED,
                    COPY,
                    payload,
                    value.len(),
                    ptr::null(),
                    0,
                    ptr::null_mut(),
                )
            };
            if sent == 0 {
                return;
            }
            // SAFETY: asked on the thread that failed.
            let error = unsafe { rd_kafka_last_error() };
            if error != rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__QUEUE_FULL {
                check(error, "sending");
            }
            self.poll(100);
        }
    }

    pub fn send_and_wait(&mut self, value: &[u8]) {
        let wanted = *self.delivered + 1;
        self.send(value);
        while *self.delivered < wanted {
            self.poll(1000);
        }
    }

    /// Sends `n` records, one or many a call, and waits until all are delivered.
    pub fn send_all(&mut self, values: &[Vec<u8>], n: usize, one_a_call: bool) {
        let wanted = *self.delivered + n as i64;
        let mut sent = 0;
        // SAFETY: all zeros is a valid message.
        let mut messages: Vec<rd_kafka_message_t> =
            (0..POOL).map(|_| unsafe { std::mem::zeroed() }).collect();
        while sent < n {
            let part = POOL.min(n - sent);
            if one_a_call {
                values.iter().take(part).for_each(|value| self.send(value));
            } else {
                self.send_batch(values, &mut messages[..part]);
            }
            sent += part;
            self.poll(0);
        }
        // SAFETY: the handle is a client's.
        unsafe { rd_kafka_flush(self.handle, PATIENCE_MS) };
        if *self.delivered != wanted {
            fail(&format!("{} of {wanted} records were delivered", *self.delivered));
        }
    }

    fn send_batch(&mut self, values: &[Vec<u8>], messages: &mut [rd_kafka_message_t]) {
        for (message, value) in messages.iter_mut().zip(values) {
            message.payload = value.as_ptr() as *mut c_void;
            message.len = value.len();
        }
        let mut done = 0;
        while done < messages.len() {
            let rest = &mut messages[done..];
            // SAFETY: the values are copied.
            let taken = unsafe {
                rd_kafka_produce_batch(self.topic, UNASSIGNED, COPY, rest.as_mut_ptr(), rest.len() as i32)
            };
            done += taken as usize;
            if done < messages.len() {
                refused_to_the_end(&mut messages[done - taken as usize..]);
                self.poll(10);
            }
        }
    }
}

/// Some were refused as the queue is full: they go in again, so they have to be the last of the slice.
fn refused_to_the_end(messages: &mut [rd_kafka_message_t]) {
    let full = rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__QUEUE_FULL;
    let mut refused = Vec::new();
    for message in messages.iter_mut() {
        if message.err == full {
            message.err = OK;
            refused.push(*message);
        } else {
            check(message.err, "sending");
        }
    }
    let first = messages.len() - refused.len();
    messages[first..].copy_from_slice(&refused);
}

impl Drop for Producer {
    fn drop(&mut self) {
        // SAFETY: nothing uses the client afterwards.
        unsafe {
            rd_kafka_topic_destroy(self.topic);
            rd_kafka_destroy(self.handle);
        }
    }
}
