//! The admin client against the embedded cluster, without sockets and in virtual time: what it asks, whom, and when
//! again.

mod consumer_support;

use consumer_support::{settings, World, FIRST_PORT};
use milena::admin::{AdminClient, Answer, NewTopic, TopicResult};
use milena::config::AdminConfig;
use milena::embedded::{BrokerVersion, ClusterSettings, Fault, FaultKind};
use milena::error::{Code, Error};
use milena::protocol::ApiKey;
use std::time::Duration;

fn admin(world: &mut World) -> AdminClient {
    let config = AdminConfig::default_for(&format!("127.0.0.1:{FIRST_PORT}")).unwrap();
    world.client(|seed, wake| AdminClient::parts(&config, seed, wake))
}

fn topic(name: &str, partitions: i32, replication_factor: i16) -> NewTopic {
    NewTopic { replication_factor, ..NewTopic::new(name, partitions) }
}

fn start(world: &World, admin: &AdminClient, topics: &[NewTopic]) -> Answer<Vec<TopicResult>> {
    admin.start_create_topics(world.now, topics.to_vec(), false, None).unwrap()
}

fn create(world: &mut World, admin: &AdminClient, topics: &[NewTopic]) -> Result<Vec<TopicResult>, Error> {
    let answer = start(world, admin, topics);
    world.result(|| answer.try_take())
}

/// The code of each topic, NONE for success.
fn codes(results: &[TopicResult]) -> Vec<Code> {
    results.iter().map(|r| r.error.as_ref().map_or(Code::NONE, Error::code)).collect()
}

fn elapsed_ms(world: &mut World, act: impl FnOnce(&mut World)) -> u64 {
    let before = world.now.mono;
    act(world);
    world.now.mono.ms_since(before)
}

#[test]
fn topics_are_created_described_and_deleted() {
    let mut world = World::new(3);
    let admin = admin(&mut world);
    let mut compacted = topic("b", 2, 3);
    compacted.configs.push(("cleanup.policy".to_owned(), Some("compact".to_owned())));
    let made = create(&mut world, &admin, &[topic("a", 1, 1), compacted]).unwrap();
    assert_eq!(codes(&made), [Code::NONE; 2]);

    let answer = admin.start_describe_topics(world.now, Some(&["b", "nothing", "a"]), None).unwrap();
    let told = world.result(|| answer.try_take()).unwrap();
    assert_eq!(codes(&told), [Code::NONE, Code::UNKNOWN_TOPIC_OR_PARTITION, Code::NONE]);
    assert_eq!((&*told[0].name, told[0].id), ("b", made[1].id));
    assert_eq!(told[0].partitions.iter().map(|p| p.index).collect::<Vec<_>>(), [0, 1]);
    assert!(told[0].partitions.iter().all(|p| p.replicas.len() == 3 && p.in_sync.len() == 3));
    assert_eq!(world.cluster.topics().len(), 2, "describing creates nothing");

    let answer = admin.start_delete_topics(world.now, &["a", "nothing"], None).unwrap();
    let deleted = world.result(|| answer.try_take()).unwrap();
    assert_eq!(codes(&deleted), [Code::NONE, Code::UNKNOWN_TOPIC_OR_PARTITION]);

    let answer = admin.start_describe_topics(world.now, None, None).unwrap();
    let all = world.result(|| answer.try_take()).unwrap();
    assert_eq!(all.iter().map(|t| &*t.name).collect::<Vec<_>>(), ["b"]);
}

#[test]
fn the_cluster_is_described() {
    let mut world = World::new(2);
    let admin = admin(&mut world);
    let answer = admin.start_describe_cluster(world.now, None).unwrap();
    let cluster = world.result(|| answer.try_take()).unwrap();
    assert_eq!(cluster.controller, Some(1));
    assert_eq!(cluster.id.as_deref(), Some(ClusterSettings::default().cluster_id.as_str()));
    let brokers: Vec<(i32, u16)> = cluster.brokers.iter().map(|b| (b.id, b.port)).collect();
    assert_eq!(brokers, [(1, FIRST_PORT), (2, FIRST_PORT + 1)]);
}

#[test]
fn a_controller_that_moved_is_asked_again_after_a_pause() {
    let mut world = World::new(1);
    let admin = admin(&mut world);
    world.cluster.push_fault(Fault::error(ApiKey::CreateTopics, 41).times(3));
    let took = elapsed_ms(&mut world, |world| {
        assert_eq!(codes(&create(world, &admin, &[topic("a", 1, 1)]).unwrap()), [Code::NONE]);
    });
    assert_eq!(world.cluster.request_count(ApiKey::CreateTopics), 4);
    // retry.backoff.ms is 100, then doubled, with a fifth of jitter.
    assert!((560..=840).contains(&took), "{took} ms");
}

#[test]
fn only_what_failed_for_the_moment_is_asked_again() {
    let mut world = World::new(1);
    let admin = admin(&mut world);
    world.cluster.push_fault(Fault::error(ApiKey::CreateTopics, 89).topic("b"));
    let made = create(&mut world, &admin, &[topic("a", 1, 1), topic("b", 1, 1), topic("a b", 1, 1)]).unwrap();
    assert_eq!(codes(&made), [Code::NONE, Code::NONE, Code::INVALID_TOPIC_EXCEPTION]);
    assert!(made[2].error.as_ref().unwrap().cause_text().is_some(), "the broker's words are kept");
    assert_eq!(world.cluster.request_count(ApiKey::CreateTopics), 2);
}

#[test]
fn a_call_ends_when_its_time_is_over_and_says_what_was_in_the_way() {
    let mut world = World::new(1);
    let admin = admin(&mut world);
    world.cluster.push_fault(Fault::error(ApiKey::CreateTopics, 41).times(Fault::FOREVER));
    let took = elapsed_ms(&mut world, |world| {
        let limit = Some(Duration::from_millis(700));
        let answer = admin.start_create_topics(world.now, vec![topic("a", 1, 1)], false, limit).unwrap();
        let error = world.result(|| answer.try_take()).unwrap_err();
        assert_eq!(error.code(), Code::TIMED_OUT);
        assert!(error.cause_text().unwrap().contains("NOT_CONTROLLER"), "{error}");
    });
    assert_eq!(took, 700);

    // A broker that does not answer at all.
    world.cluster.clear_faults();
    world.cluster.pause(1).unwrap();
    let took = elapsed_ms(&mut world, |world| {
        let answer = admin.start_describe_cluster(world.now, Some(Duration::from_millis(50))).unwrap();
        assert_eq!(world.result(|| answer.try_take()).unwrap_err().code(), Code::TIMED_OUT);
    });
    assert_eq!(took, 50);
}

#[test]
fn a_lost_answer_is_told_where_it_matters() {
    let mut world = World::new(1);
    let admin = admin(&mut world);
    world.cluster.push_fault(Fault::new(FaultKind::DisconnectAfter).api(ApiKey::CreateTopics));
    let made = create(&mut world, &admin, &[topic("a", 1, 1)]).unwrap();
    assert_eq!(codes(&made), [Code::TOPIC_ALREADY_EXISTS]);
    let error = made[0].error.as_ref().unwrap();
    assert!(error.cause_text().unwrap().contains("may have created"), "{error}");
    assert_eq!(world.cluster.topics(), ["a"]);
}

#[test]
fn an_old_broker_needs_numbers() {
    let mut world = World::with(ClusterSettings { version: BrokerVersion::V1_1, ..settings(1) });
    let admin = admin(&mut world);
    let error = create(&mut world, &admin, &[topic("a", 1, -1)]).unwrap_err();
    assert_eq!(error.code(), Code::NO_COMMON_VERSION);
    assert!(error.hint_text().unwrap().contains("2.4"), "{error}");
    assert_eq!(codes(&create(&mut world, &admin, &[topic("a", 1, 1)]).unwrap()), [Code::NONE]);
    let answer = admin.start_describe_topics(world.now, Some(&["a", "b"]), None).unwrap();
    let told = world.result(|| answer.try_take()).unwrap();
    assert_eq!(codes(&told), [Code::NONE, Code::UNKNOWN_TOPIC_OR_PARTITION]);
    assert_eq!(world.cluster.topics(), ["a"], "describing creates nothing");
}

#[test]
fn what_makes_no_sense_is_not_sent() {
    let mut world = World::new(1);
    let admin = admin(&mut world);
    let code = |result: Result<Answer<Vec<TopicResult>>, Error>| result.err().map(|e| e.code());
    let twice = vec![topic("a", 1, 1), topic("a", 2, 1)];
    assert_eq!(code(admin.start_create_topics(world.now, twice, false, None)), Some(Code::INVALID_ARGUMENT));
    assert_eq!(code(admin.start_delete_topics(world.now, &["a", ""], None)), Some(Code::INVALID_ARGUMENT));
    assert_eq!(code(admin.start_describe_topics(world.now, Some(&[""]), None)), Some(Code::INVALID_ARGUMENT));
    assert!(create(&mut world, &admin, &[]).unwrap().is_empty());
}

#[test]
fn close_ends_what_waits() {
    let mut world = World::new(1);
    let admin = admin(&mut world);
    world.cluster.pause(1).unwrap();
    let waiting = start(&world, &admin, &[topic("a", 1, 1)]);
    world.run_ms(100);
    let late = start(&world, &admin, &[topic("b", 1, 1)]);
    admin.close();
    for answer in [waiting, late] {
        assert_eq!(world.result(|| answer.try_take()).unwrap_err().code(), Code::CLOSED);
    }
    assert!(world.all_finished());
    let again = admin.start_describe_cluster(world.now, None).err().unwrap();
    assert_eq!(again.code(), Code::CLOSED);
}

#[test]
fn an_answer_nobody_waits_for_is_not_asked_for_again() {
    let mut world = World::new(1);
    let admin = admin(&mut world);
    world.cluster.push_fault(Fault::error(ApiKey::CreateTopics, 41).times(Fault::FOREVER));
    let answer = start(&world, &admin, &[topic("a", 1, 1)]);
    world.run_ms(50);
    let before = world.cluster.request_count(ApiKey::CreateTopics);
    assert!(before >= 1);
    drop(answer);
    world.run_ms(60_000);
    assert_eq!(world.cluster.request_count(ApiKey::CreateTopics), before);
}
