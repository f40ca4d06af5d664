//! Clients that are brought into a state and kept in it, for the benchmark to look at the process from outside: the
//! same states as those of `bench/probes/states.c`.

use crate::consumer::Consumer;
use crate::options::Options;
use crate::producer::Producer;
use std::io::{stdin, Write};
use std::thread::park;

/// Tells that the state is reached.
fn ready() {
    println!("ready");
    std::io::stdout().flush().ok();
}

fn forever() -> ! {
    loop {
        park();
    }
}

/// A producer that has delivered one record.
pub fn idle_producer(o: &Options, values: &[Vec<u8>]) {
    let mut producer = Producer::new(o);
    producer.send_and_wait(&values[0]);
    ready();
    forever();
}

/// A consumer that has read all there is and waits for more, assigned or, with a group, subscribed.
pub fn idle_consumer(o: &Options) {
    let mut consumer = Consumer::new(o);
    match o.group {
        Some(_) => consumer.subscribe(),
        None => consumer.assign_all(false),
    }
    consumer.read(o.count);
    ready();
    consumer.wait_for_nothing();
}

/// A producer that sends until its memory is full, and goes on trying, once a line came on stdin.
pub fn full_producer(o: &Options, values: &[Vec<u8>]) {
    let mut producer = Producer::new(o);
    producer.send_and_wait(&values[0]);
    ready();
    stdin().read_line(&mut String::new()).ok();
    loop {
        values.iter().for_each(|value| producer.send(value));
        producer.poll(0);
    }
}

/// A consumer that has polled one record and never polls again.
pub fn unpolled_consumer(o: &Options) {
    let mut consumer = Consumer::new(o);
    consumer.assign_all(false);
    consumer.read(1);
    ready();
    forever();
}

/// Five producers and five consumers, each of which has delivered or read a record.
pub fn many_clients(o: &Options, values: &[Vec<u8>]) {
    let mut producers: Vec<Producer> = (0..5).map(|_| Producer::new(o)).collect();
    producers.iter_mut().for_each(|producer| values.iter().for_each(|value| producer.send_and_wait(value)));
    let mut consumers: Vec<Consumer> = (0..5).map(|_| Consumer::new(o)).collect();
    consumers.iter_mut().for_each(|consumer| consumer.assign_all(false));
    consumers.iter_mut().for_each(|consumer| _ = consumer.read(values.len()));
    ready();
    forever();
}
