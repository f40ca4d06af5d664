use milena::config::ProducerConfig;
use milena::producer::record::{ProducerRecord, SliceSource};
use milena::producer::KafkaProducer;
use std::time::Duration;
fn main() {
    let at = std::env::args().nth(1).unwrap();
    let n: usize = std::env::args().nth(2).unwrap().parse().unwrap();
    let config = ProducerConfig::default_for(&at).unwrap();
    let p = KafkaProducer::new(&config).unwrap();
    let value = vec![7u8; 100];
    let t = std::time::Instant::now();
    let mut token = 0;
    while (token as usize) < n {
        let records: Vec<_> = (0..1000.min(n - token as usize))
            .map(|i| ProducerRecord { value: Some(&value), token: token + i as u64, ..Default::default() })
            .collect();
        let sent = p.send(b"smoke", &mut SliceSource::new(&records), None);
        if let Some(e) = sent.refused {
            println!("{e}");
            return;
        }
        token += sent.accepted as u64;
        for c in p.poll_step(usize::MAX) {
            if let Some(e) = c.error {
                println!("{e}");
            }
        }
    }
    println!("flush {:?}", p.flush(Duration::from_secs(20)));
    let mut got = 0;
    let mut last = None;
    for c in p.poll(Duration::from_secs(1), usize::MAX) {
        got += c.tokens.len();
        if let Some(e) = &c.error {
            println!("{e}");
        }
        last = Some((c.partition, c.base_offset));
    }
    println!("{n} in {:?}; last poll {got} {last:?} mem {}", t.elapsed(), p.memory_in_use());
    println!("close {:?}", p.close(Duration::from_secs(5)));
}
