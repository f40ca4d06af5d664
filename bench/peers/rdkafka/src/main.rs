//! librdkafka under the options and the JSON line of `milena-perf`: the same work by the same loops, through
//! librdkafka's C functions themselves, with its own defaults for everything that no option sets.

mod consumer;
mod native;
mod options;
mod producer;
mod results;
mod states;

use consumer::Consumer;
use options::Options;
use producer::Producer;
use results::Stopwatch;
use std::time::Instant;

/// Records that are prepared, and sent over and over.
pub const POOL: usize = 1000;
/// Records that one poll asks for, in mode batch.
const MOST_POLLED: usize = 8192;

/// Values whose first half is random and whose second half is constant.
fn pool(size: usize) -> Vec<Vec<u8>> {
    let mut state = 88172645463325252u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 56) as u8
    };
    (0..POOL).map(|_| (0..size).map(|i| if i < size / 2 { random() } else { b'x' }).collect()).collect()
}

fn produce(o: &Options) {
    let values = pool(o.size);
    let mut producer = Producer::new(o);
    producer.send_all(&values, o.warmup, o.one_a_call);
    let started = Stopwatch::start();
    producer.send_all(&values, o.count, o.one_a_call);
    started.print(o, (o.count * o.size) as u64, None);
}

/// Warming up reads the first records, then goes back to the beginning.
fn consume(o: &Options) {
    let mut consumer = Consumer::new(o);
    let read = |consumer: &mut Consumer, n| match o.one_a_call {
        true => consumer.read(n),
        false => consumer.read_batches(n, MOST_POLLED),
    };
    match o.group {
        Some(_) => consumer.subscribe(),
        None => consumer.assign_all(false),
    }
    if o.warmup > 0 {
        read(&mut consumer, o.warmup);
        consumer.assign_all(false);
    }
    let started = Stopwatch::start();
    let bytes = read(&mut consumer, o.count);
    started.print(o, bytes, None);
    consumer.close();
}

fn lat(o: &Options) {
    let values = pool(o.size);
    let mut producer = Producer::new(o);
    for value in values.iter().cycle().take(o.warmup) {
        producer.send_and_wait(value);
    }
    let started = Stopwatch::start();
    let latencies = values
        .iter()
        .cycle()
        .take(o.count)
        .map(|value| {
            let sent = Instant::now();
            producer.send_and_wait(value);
            sent.elapsed().as_nanos() as u64
        })
        .collect();
    started.print(o, (o.count * o.size) as u64, Some(latencies));
}

fn e2e(o: &Options) {
    let values = pool(o.size);
    let mut producer = Producer::new(o);
    producer.send_and_wait(&values[0]);
    let mut consumer = Consumer::new(o);
    consumer.assign_all(true);
    let mut send_and_read = |i: usize| {
        let mut value = values[i % POOL].clone();
        let number = i.to_le_bytes();
        let len = number.len().min(value.len());
        value[..len].copy_from_slice(&number[..len]);
        let sent = Instant::now();
        producer.send(&value);
        consumer.read_one(&value);
        let latency = sent.elapsed().as_nanos() as u64;
        producer.poll(0);
        latency
    };
    for i in 0..o.warmup {
        send_and_read(i);
    }
    let started = Stopwatch::start();
    let latencies = (0..o.count).map(|i| send_and_read(o.warmup + i)).collect();
    started.print(o, (o.count * o.size) as u64, Some(latencies));
    consumer.close();
}

fn main() {
    let o = Options::parse();
    match o.op.as_str() {
        "produce" => produce(&o),
        "consume" => consume(&o),
        "lat" => lat(&o),
        "e2e" => e2e(&o),
        "idle-producer" => states::idle_producer(&o, &pool(o.size)),
        "idle-consumer" => states::idle_consumer(&o),
        "full-producer" => states::full_producer(&o, &pool(o.size)),
        "unpolled-consumer" => states::unpolled_consumer(&o),
        "many-clients" => states::many_clients(&o, &pool(o.size)),
        other => options::usage(&format!("there is no operation {other}")),
    }
}
