//! An embedded cluster as a program, until it is stopped by closing its standard input.
//!
//! Usage: embedded_cluster [--brokers N] [--base-port P] [--topic NAME:PARTITIONS]...

use milena::embedded::{ClusterSettings, EmbeddedServer};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut settings = ClusterSettings { default_partitions: 3, ..ClusterSettings::default() };
    let (mut base_port, mut topics) = (0u16, Vec::new());
    let mut args = std::env::args().skip(1);
    while let Some(option) = args.next() {
        let value = args.next().ok_or_else(|| format!("{option} needs a value"))?;
        match option.as_str() {
            "--brokers" => settings.brokers = value.parse()?,
            "--base-port" => base_port = value.parse()?,
            "--topic" => topics.push(value),
            _ => return Err(format!("unknown option {option}").into()),
        }
    }
    let server = EmbeddedServer::start(settings, base_port)?;
    for topic in topics {
        let (name, partitions) = topic.split_once(':').ok_or("a topic is NAME:PARTITIONS")?;
        server.create_topic(name, partitions.parse()?, -1, &[])?;
    }
    println!("{{\"bootstrap.servers\":\"{}\"}}", server.bootstrap_servers());
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
    Ok(())
}
