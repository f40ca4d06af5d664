//! Records for consumers to read: a producer that sends numbered records to all partitions of a topic.

use crate::world::{ClientId, World};
use milena::client::request::NoWake;
use milena::config::{parse, Config};
use milena::producer::record::{ProducerRecord, SliceSource};
use milena::producer::KafkaProducer;

pub const TOPIC: &str = "t";

pub struct Feed {
    producer: KafkaProducer,
    client: ClientId,
    partitions: i32,
    left: usize,
    sent: usize,
    flush: Option<u64>,
}

impl Feed {
    pub fn new(world: &mut World, partitions: i32, records: usize, seed: u64) -> Feed {
        let mut config = Config::new();
        config.set("bootstrap.servers", world.bootstrap());
        config.set("batch.size", [100, 600, 16384][world.rng.usize(0..3)].to_string());
        config.set("compression.type", ["none", "gzip", "snappy", "lz4", "zstd"][world.rng.usize(0..5)]);
        config.set("compression.lz4.level", (seed % 17 + 1).to_string());
        config.set("request.timeout.ms", "5000");
        config.set("delivery.timeout.ms", "600000");
        config.set("log.level", "off");
        let config = parse::producer(&config).expect("valid configuration").value;
        let (producer, machine) = KafkaProducer::parts(&config, Vec::new(), seed, NoWake::shared());
        let client = world.add(machine);
        world.poll(client);
        Feed { producer, client, partitions, left: records, sent: 0, flush: None }
    }

    /// Sends a few more.
    pub fn send(&mut self, world: &mut World) {
        let count = world.rng.usize(1..50).min(self.left);
        let values: Vec<Vec<u8>> =
            (0..count).map(|i| vec![(self.sent + i) as u8; world.rng.usize(1..120)]).collect();
        let records: Vec<ProducerRecord<'_>> = (0..count)
            .map(|i| ProducerRecord {
                partition: world.rng.i32(0..self.partitions),
                value: Some(&values[i]),
                ..Default::default()
            })
            .collect();
        let accepted = self.producer.send_step(world.now(), TOPIC, &mut SliceSource::new(&records)).accepted;
        self.left -= accepted;
        self.sent += accepted;
        self.producer.poll_step(usize::MAX);
        world.poll(self.client);
    }

    pub fn is_sent(&self) -> bool {
        self.left == 0
    }

    /// Whether all of it is in the cluster; begins a flush when it is asked first.
    pub fn is_there(&mut self, world: &mut World) -> bool {
        let flush = *self.flush.get_or_insert_with(|| self.producer.begin_flush());
        world.poll(self.client);
        for chunk in self.producer.poll_step(usize::MAX) {
            assert!(chunk.error.is_none(), "{:?}", chunk.error);
        }
        self.producer.is_flushed(flush)
    }
}
