//! The command line of `milena-perf`.

use std::process::exit;

pub struct Options {
    pub op: String,
    pub bootstrap: String,
    pub topic: String,
    pub count: usize,
    pub size: usize,
    pub warmup: usize,
    pub one_a_call: bool,
    pub group: Option<String>,
    /// Properties of the producer only.
    pub producer: Vec<(String, String)>,
    /// Properties that win over all others.
    pub conf: Vec<(String, String)>,
}

pub fn usage(text: &str) -> ! {
    eprintln!("rdkafka-perf: {text}");
    exit(2)
}

fn number(name: &str, value: &str) -> usize {
    value.parse().unwrap_or_else(|_| usage(&format!("{name} needs a number, not {value}")))
}

impl Options {
    pub fn parse() -> Options {
        let mut o = Options {
            op: String::new(),
            bootstrap: String::new(),
            topic: String::new(),
            count: 1_000_000,
            size: 100,
            warmup: 0,
            one_a_call: false,
            group: None,
            producer: Vec::new(),
            conf: Vec::new(),
        };
        let mut args = std::env::args().skip(1);
        while let Some(name) = args.next() {
            if !name.starts_with("--") {
                o.op = name;
                continue;
            }
            let value = args.next().unwrap_or_else(|| usage(&format!("{name} needs a value")));
            match name.as_str() {
                "--bootstrap" => o.bootstrap = value,
                "--topic" => o.topic = value,
                "--count" => o.count = number(&name, &value),
                "--size" => o.size = number(&name, &value),
                "--warmup" => o.warmup = number(&name, &value),
                "--mode" => o.one_a_call = value == "poll",
                "--group" => o.group = Some(value),
                "--acks" => o.producer.push(("acks".into(), value)),
                "--linger" => o.producer.push(("linger.ms".into(), value)),
                "--compression" => o.producer.push(("compression.codec".into(), value)),
                "--batch" => o.producer.push(("batch.size".into(), value)),
                "--conf" => match value.split_once('=') {
                    Some((key, value)) => o.conf.push((key.into(), value.into())),
                    None => usage("--conf needs name=value"),
                },
                _ => usage(&format!("there is no option {name}")),
            }
        }
        o
    }
}
