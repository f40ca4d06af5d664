//! The same requests to the embedded cluster and to a real broker: the answers must be the same, but for what can't
//! be (ids, ports, times). Needs MILENA_BROKER=host:port of a 4.4 broker of a cluster with one node:
//!
//! `tests/kafka/kafka_cluster.py run --version 4.4.0 -- cargo test --test embedded_against_kafka -- --ignored`

mod administration;
mod fetching;
mod groups;
mod member;
mod pair;
mod producing;
mod topics;

use milena::embedded::{ClusterSettings, EmbeddedServer};
use milena::protocol::messages::{ApiVersionsRequest, ApiVersionsResponse};
use pair::{leak, now_ms, Pair, Side};

#[test]
#[ignore = "needs a real broker: set MILENA_BROKER"]
fn answers_are_the_same_as_kafkas() {
    let kafka = std::env::var("MILENA_BROKER").expect("MILENA_BROKER=host:port of a Kafka 4.4 broker");
    // What kafka_cluster.py sets on its brokers, too.
    let settings = ClusterSettings { group_min_session_timeout_ms: 1000, ..ClusterSettings::default() };
    let server = EmbeddedServer::start(settings, 0).unwrap();
    let addresses = [server.bootstrap_servers(), kafka.split(',').next().unwrap().to_owned()];
    let sides = addresses.map(|address| Side::new(&address));
    let mut pair = Pair { sides, differences: Vec::new(), compared: 0 };
    let run = leak(format!("differ-{}", now_ms()));
    versions(&mut pair);
    topics::topics(&mut pair, run);
    producing::producing(&mut pair, run);
    fetching::fetching(&mut pair, run);
    fetching::listing_offsets(&mut pair, run);
    administration::administration(&mut pair, run);
    groups::groups(&mut pair, run);
    member::one_member(&mut pair, run);
    administration::deleting(&mut pair, run);
    println!("{} answers compared", pair.compared);
    let told: Vec<String> =
        pair.differences.iter().map(|(what, v, two)| format!("{what}, versions {v:?}:{two}")).collect();
    assert!(told.is_empty(), "{} of {} answers differ\n{}", told.len(), pair.compared, told.join("\n"));
}

fn versions(pair: &mut Pair) {
    let request = |name, cluster_id, node_id| ApiVersionsRequest {
        client_software_name: name,
        client_software_version: "1",
        cluster_id,
        node_id,
    };
    let ours: Vec<i16> = pair.sides[0]
        .call::<_, ApiVersionsResponse<'_>>(&request("a", None, -1), 3)
        .unwrap()
        .api_keys
        .iter()
        .map(|row| row.api_key)
        .collect();
    // Only APIs that exist here; InitProducerId 6 is part of two-phase commit, which no client speaks yet.
    let show = |r: &ApiVersionsResponse<'static>| {
        let rows = r.api_keys.iter().filter(|row| ours.contains(&row.api_key) && row.api_key != 22);
        let rows: Vec<_> = rows.map(|row| (row.api_key, row.min_version, row.max_version)).collect();
        format!("error {} {rows:?}", r.error_code)
    };
    pair.compare("ApiVersions", 0..=5, |_| request("a", None, -1), show);
    pair.compare("ApiVersions without a name", 3..=5, |_| request("", None, -1), show);
    pair.compare("ApiVersions with an illegal name", 3..=5, |_| request("-a", None, -1), show);
    pair.compare("ApiVersions for another cluster", [5], |_| request("a", Some("x"), -1), show);
    pair.compare("ApiVersions for another node", [5], |_| request("a", None, 77), show);
    pair.compare("ApiVersions for another cluster and node", [5], |_| request("a", Some("x"), 1), show);
}
