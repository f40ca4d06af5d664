use super::*;

#[test]
fn defaults_are_complete() {
    ProducerConfig::default_for("localhost:9092").unwrap();
    ConsumerConfig::default_for("localhost:9092").unwrap();
    AdminConfig::default_for("localhost:9092").unwrap();
}
