//! Assign, poll, seek, pause, offsets: a consumer without a group against the embedded cluster.

mod consumer_support;

use consumer_support::*;
use milena::consumer::{record_view, KafkaConsumer, OffsetAndMetadata, Polled};
use milena::record::{Compression, Header};

#[test]
fn what_was_produced_is_polled() {
    let mut world = World::new(3);
    world.topic("t", 3);
    for p in 0..3 {
        world.produce("t", p, &[&format!("a{p}"), &format!("b{p}")]);
    }
    let mut consumer = world.consumer(&config(None));
    consumer.assign(&[tp("t", 0), tp("t", 1), tp("t", 2)]).unwrap();
    let mut got = world.values(&mut consumer, 2_000);
    got.sort();
    assert_eq!(got, ["a0", "a1", "a2", "b0", "b1", "b2"]);
    world.produce("t", 1, &["late"]);
    assert_eq!(values(&world.records(&mut consumer)), ["late"]);
}

#[test]
fn everything_of_a_record_comes_through_with_every_codec() {
    let mut world = World::new(1);
    let headers = [
        Header { name: b"h", value: Some(b"1") },
        Header { name: b"h", value: None },
        Header { name: b"", value: Some(b"") },
    ];
    let filler = "x".repeat(500);
    for (i, codec) in
        [Compression::None, Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd]
            .into_iter()
            .enumerate()
    {
        let topic = format!("t{i}");
        world.topic(&topic, 1);
        let records = [
            full_record(Some(b"key"), Some(filler.as_bytes()), &headers),
            full_record(None, Some(b""), &[]),
            full_record(Some(b""), None, &headers[..1]),
        ];
        world.produce_batch(&topic, 0, &batch_of(&records, codec));
        let mut consumer = world.consumer(&config(None));
        consumer.assign(&[tp(&topic, 0)]).unwrap();
        let batch = world.records(&mut consumer);
        assert_eq!((batch.len(), batch.chunks.len()), (3, 1), "{codec:?}");
        let chunk = &batch.chunks[0];
        assert_eq!((&**chunk.topic(), chunk.partition, chunk.next_offset), (&*topic, 0, 3));
        let [a, b, c] = chunk.records() else { panic!() };
        assert_eq!(chunk.key(a), Some(&b"key"[..]));
        assert_eq!(chunk.value(a), Some(filler.as_bytes()));
        assert_eq!((a.offset, a.timestamp_ms, a.flags), (0, 5000, 0));
        let all: Vec<_> =
            chunk.headers(a).iter().map(|h| (chunk.bytes(h.name), chunk.bytes(h.value))).collect();
        assert_eq!(all, headers.map(|h| (Some(h.name), h.value)));
        assert_eq!((chunk.key(b), chunk.value(b)), (None, Some(&b""[..])));
        assert!(chunk.headers(b).is_empty());
        assert_eq!((chunk.key(c), chunk.value(c)), (Some(&b""[..]), None));
        assert_eq!(chunk.headers(c).len(), 1);
        assert_eq!(chunk.bytes(chunk.headers(c)[0].value), Some(&b"1"[..]));
    }
}

#[test]
fn a_poll_gives_no_more_than_it_is_asked_for() {
    let mut world = World::new(1);
    world.topic("t", 1);
    for codec in [Compression::None, Compression::Lz4] {
        let values: Vec<String> = (0..50).map(|i| format!("{i}{}", "-".repeat(50))).collect();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        world.produce_batch("t", 0, &batch(&values, codec));
    }
    let mut consumer = world.consumer(&config(None));
    consumer.assign(&[tp("t", 0)]).unwrap();
    let mut all = Vec::new();
    for _ in 0..15 {
        if let Polled::Records(batch) = world.poll(&mut consumer, 1000, 7).unwrap() {
            assert!(batch.len() <= 7);
            assert_eq!(
                consumer.try_position(&tp("t", 0)).unwrap(),
                Some(batch.chunks.last().unwrap().next_offset)
            );
            all.extend(offsets(&batch));
        }
    }
    assert_eq!(all, (0..100).collect::<Vec<_>>());
}

#[test]
fn between_polls_of_one_record_everything_can_be_changed() {
    for codec in [Compression::None, Compression::Zstd] {
        let mut world = World::new(1);
        world.topic("t", 1);
        let values: Vec<String> = (0..50).map(|i| i.to_string()).collect();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        for _ in 0..8 {
            world.produce_batch("t", 0, &batch(&values, codec));
        }
        let mut consumer = world.consumer(&config(None));
        let t0 = [tp("t", 0)];
        consumer.assign(&t0).unwrap();
        let mut held = Vec::new();
        let mut read = |world: &mut World, consumer: &mut KafkaConsumer, range: std::ops::Range<i64>| {
            for offset in range {
                let Polled::Records(batch) = world.poll(consumer, 60_000, 1).unwrap() else { panic!() };
                assert_eq!((offsets(&batch), batch.chunks[0].next_offset), (vec![offset], offset + 1));
                assert_eq!(consumer.try_position(&tp("t", 0)).unwrap(), Some(offset + 1));
                if offset % 10 == 0 {
                    held.push((offset, batch));
                }
            }
        };
        read(&mut world, &mut consumer, 0..30);
        consumer.seek(&t0[0], &OffsetAndMetadata::new(5)).unwrap();
        read(&mut world, &mut consumer, 5..40);
        consumer.seek(&t0[0], &OffsetAndMetadata::new(210)).unwrap();
        read(&mut world, &mut consumer, 210..220);
        consumer.pause(&t0).unwrap();
        assert!(matches!(world.poll(&mut consumer, 2_000, 1).unwrap(), Polled::Nothing));
        assert_eq!(consumer.try_position(&t0[0]).unwrap(), Some(220));
        consumer.resume(&t0).unwrap();
        read(&mut world, &mut consumer, 220..230);
        // The rest of a batch, which is then cut where the poll ends.
        let Polled::Records(batch) = world.poll(&mut consumer, 60_000, 30).unwrap() else { panic!() };
        assert_eq!(offsets(&batch), (230..260).collect::<Vec<_>>());
        read(&mut world, &mut consumer, 260..270);
        consumer.assign(&[tp("t", 0), tp("other", 0)]).unwrap();
        read(&mut world, &mut consumer, 270..280);
        consumer.unsubscribe().unwrap();
        assert_eq!(world.error(&mut consumer).code(), milena::Code::INVALID_STATE);
        consumer.assign(&t0).unwrap();
        read(&mut world, &mut consumer, 0..400);
        drop(consumer);
        // What was handed out outlives all of it.
        for (offset, batch) in held {
            assert_eq!(consumer_support::values(&batch), [(offset % 50).to_string()]);
        }
    }
}

#[test]
fn small_uncompressed_batches_share_a_chunk() {
    let mut world = World::new(1);
    world.topic("t", 1);
    for i in 0..20 {
        world.produce("t", 0, &[&i.to_string()]);
    }
    let mut consumer = world.consumer(&config(None));
    consumer.assign(&[tp("t", 0)]).unwrap();
    let batch = world.records(&mut consumer);
    assert_eq!((batch.chunks.len(), batch.len()), (1, 20));
    assert_eq!(values(&batch), (0..20).map(|i| i.to_string()).collect::<Vec<_>>());
}

#[test]
fn seeking_drops_what_was_fetched() {
    let mut world = World::new(1);
    world.topic("t", 1);
    world.produce("t", 0, &["a", "b", "c", "d"]);
    let mut consumer = world.consumer(&config(None));
    let t0 = tp("t", 0);
    consumer.assign(std::slice::from_ref(&t0)).unwrap();
    world.run_ms(100);
    consumer.seek(&t0, &OffsetAndMetadata::new(2)).unwrap();
    assert_eq!(consumer.try_position(&t0).unwrap(), Some(2));
    assert_eq!(values(&world.records(&mut consumer)), ["c", "d"]);
    consumer.seek_to_beginning(&[]).unwrap();
    assert_eq!(values(&world.records(&mut consumer)), ["a", "b", "c", "d"]);
    consumer.seek_to_end(std::slice::from_ref(&t0)).unwrap();
    // The fetch that is under way is answered first.
    world.run_ms(1000);
    assert_eq!(consumer.try_position(&t0).unwrap(), Some(4));
    world.produce("t", 0, &["e"]);
    assert_eq!(values(&world.records(&mut consumer)), ["e"]);
    assert!(consumer.seek(&tp("t", 1), &OffsetAndMetadata::new(0)).is_err());
    assert!(consumer.seek(&t0, &OffsetAndMetadata::new(-1)).is_err());
}

#[test]
fn paused_partitions_wait_and_lose_nothing() {
    let mut world = World::new(1);
    world.topic("t", 2);
    world.produce("t", 0, &["a", "b", "c"]);
    world.produce("t", 1, &["x"]);
    let mut consumer = world.consumer(&config(None));
    consumer.assign(&[tp("t", 0), tp("t", 1)]).unwrap();
    let Polled::Records(first) = world.poll(&mut consumer, 1000, 1).unwrap() else { panic!() };
    let paused = tp("t", first.chunks[0].partition);
    consumer.pause(std::slice::from_ref(&paused)).unwrap();
    assert_eq!(consumer.paused(), std::slice::from_ref(&paused));
    let others = world.values(&mut consumer, 3_000);
    assert!(others.iter().all(|v| (v == "x") != (paused.partition == 1)), "{others:?}");
    consumer.resume(&[paused]).unwrap();
    let rest = world.values(&mut consumer, 3_000);
    let mut all: Vec<String> = values(&first).into_iter().chain(others).chain(rest).collect();
    all.sort();
    assert_eq!(all, ["a", "b", "c", "x"]);
}

#[test]
fn beginnings_ends_and_times_are_found() {
    let mut world = World::new(2);
    world.topic("t", 2);
    world.produce("t", 0, &["a", "b", "c"]);
    let mut consumer = world.consumer(&config(None));
    let both = [tp("t", 0), tp("t", 1)];
    let ask = |at: i64| both.iter().map(|p| (p.clone(), at)).collect::<Vec<_>>();
    let minute = std::time::Duration::from_secs(60);
    let mut found = |world: &mut World, at: i64| {
        let pending = consumer.start_find_offsets(ask(at), minute).unwrap();
        let mut all = world.answer(&pending).unwrap();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all.into_iter().map(|(_, at)| at.map(|at| at.offset)).collect::<Vec<_>>()
    };
    assert_eq!(found(&mut world, -1), [Some(3), Some(0)]);
    assert_eq!(found(&mut world, 1001), [Some(1), None]);
    world.cluster.delete_records(world.now, "t", 0, 2).unwrap();
    assert_eq!(found(&mut world, -2), [Some(2), Some(0)]);
    let pending = consumer.start_find_offsets(vec![(tp("t", 7), -1)], minute).unwrap();
    let error = world.answer(&pending).unwrap_err();
    assert!(error.message().contains("t-7"), "{error}");
}

/// A program pairs answers with what it asked, by their places.
#[test]
fn answers_come_in_the_order_of_the_question() {
    let mut world = World::new(2);
    world.topic("b", 2);
    world.topic("a", 1);
    world.produce("b", 0, &["x", "y", "z"]);
    let mut consumer = world.consumer(&config(Some("g")));
    let asked = [("b", 1, -1), ("b", 0, 1002), ("a", 0, -2), ("b", 0, -1), ("b", 0, 1001), ("b", 1, -1)];
    let targets = asked.iter().map(|(topic, index, at)| (tp(topic, *index), *at)).collect();
    let before = world.now.mono;
    let pending = consumer.start_find_offsets(targets, std::time::Duration::from_secs(60)).unwrap();
    let answer = world.answer(&pending).unwrap();
    let partitions: Vec<_> = answer.iter().map(|(p, _)| p.clone()).collect();
    assert_eq!(partitions, asked.map(|(topic, index, _)| tp(topic, index)));
    let offsets: Vec<_> = answer.iter().map(|(_, at)| at.as_ref().map(|at| at.offset)).collect();
    assert_eq!(offsets, [Some(0), Some(2), Some(0), Some(3), Some(1), Some(0)]);
    assert!(world.now.mono.ms_since(before) < 50, "a second time of a partition needs no pause");
    let twice = [tp("b", 1), tp("a", 0), tp("b", 1)];
    let pending = consumer.start_committed(&twice, std::time::Duration::from_secs(60)).unwrap();
    let answer: Vec<_> = world.answer(&pending).unwrap().into_iter().map(|(p, _)| p).collect();
    assert_eq!(answer, twice);
}

/// Nothing but the question itself wakes a consumer that reads nothing.
#[test]
fn a_question_about_another_topic_is_asked_at_once() {
    let mut world = World::new(1);
    world.topic("t", 1);
    world.topic("u", 1);
    let mut consumer = world.consumer(&config(None));
    let minute = std::time::Duration::from_secs(60);
    for topic in ["t", "u", "t"] {
        world.run_ms(200_000);
        let asked_at = world.now.mono;
        let pending = consumer.start_find_offsets(vec![(tp(topic, 0), -1)], minute).unwrap();
        world.answer(&pending).unwrap();
        let took = world.now.mono.since(asked_at);
        assert!(took < std::time::Duration::from_millis(500), "{took:?}");
    }
}

/// A fetch that waits for records, and a topic that nobody asked for yet, hold nothing up.
#[test]
fn a_lookup_takes_no_longer_than_its_round_trips() {
    let minute = std::time::Duration::from_secs(60);
    for read in [None, Some(tp("t", 0))] {
        let mut world = World::new(1);
        world.topic("t", 1);
        world.topic("other", 1);
        world.produce("other", 0, &["a"]);
        let mut config = config(Some("g"));
        config.fetch_max_wait_ms = 20_000;
        let mut consumer = world.consumer(&config);
        if let Some(partition) = &read {
            consumer.assign(std::slice::from_ref(partition)).unwrap();
            assert!(matches!(world.poll(&mut consumer, 5_000, 1), Ok(Polled::Nothing)));
        }
        for at in [-1, 0] {
            let before = world.now.mono;
            let pending = consumer.start_find_offsets(vec![(tp("other", 0), at)], minute).unwrap();
            let found = world.answer(&pending).unwrap();
            assert_eq!(found[0].1.as_ref().map(|o| o.offset), Some(if at == 0 { 0 } else { 1 }));
            let took = world.now.mono.ms_since(before);
            assert!(took <= 100, "{took} ms while reading {read:?}");
        }
        let before = world.now.mono;
        let pending = consumer.start_committed(&[tp("other", 0)], minute).unwrap();
        assert_eq!(world.answer(&pending).unwrap(), [(tp("other", 0), None)]);
        let took = world.now.mono.ms_since(before);
        assert!(took <= 100, "{took} ms while reading {read:?}");
    }
}

#[test]
fn the_modes_exclude_each_other() {
    let mut world = World::new(1);
    let mut consumer = world.consumer(&config(Some("g")));
    consumer.assign(&[tp("t", 0)]).unwrap();
    assert!(consumer.subscribe(&["t"]).is_err());
    consumer.unsubscribe().unwrap();
    consumer.subscribe(&["t"]).unwrap();
    assert!(consumer.assign(&[tp("t", 0)]).is_err());
    assert!(consumer.subscribe(&["a b"]).is_err());
    assert!(world.consumer(&config(None)).subscribe(&["t"]).is_err());
}

#[test]
fn wakeup_ends_the_next_poll() {
    let mut world = World::new(1);
    let mut consumer = world.consumer(&config(None));
    consumer.waker().wakeup();
    assert_eq!(world.error(&mut consumer).code(), milena::Code::WAKEUP);
    world.topic("t", 1);
    consumer.assign(&[tp("t", 0)]).unwrap();
    assert!(matches!(world.poll(&mut consumer, 10, 1), Ok(Polled::Nothing)));
}

#[test]
fn a_poll_that_can_give_nothing_is_refused_at_once() {
    let mut world = World::new(1);
    world.topic("t", 1);
    world.produce("t", 0, &["a"]);
    let mut consumer = world.consumer(&config(Some("g")));
    let refused = |consumer: &mut milena::consumer::KafkaConsumer, now| {
        let error = consumer.poll_step(now, 1).unwrap_err();
        assert_eq!(error.code(), milena::Code::INVALID_STATE, "{error}");
        assert!(error.hint_text().unwrap().contains("subscribe or assign"), "{error}");
    };
    refused(&mut consumer, world.now);
    consumer.assign(&[tp("t", 0)]).unwrap();
    assert_eq!(values(&world.records(&mut consumer)), ["a"]);
    consumer.assign(&[]).unwrap();
    refused(&mut consumer, world.now);
    consumer.unsubscribe().unwrap();
    consumer.subscribe(&["t"]).unwrap();
    assert!(consumer.poll_step(world.now, 1).unwrap().is_none(), "the group has to share out first");
    consumer.unsubscribe().unwrap();
    refused(&mut consumer, world.now);
    // What a commit came to is told all the same.
    let at = milena::consumer::OffsetAndMetadata { offset: 1, leader_epoch: -1, metadata: None };
    consumer.commit_async(Some(&vec![(tp("t", 0), at)])).unwrap();
    let end = loop {
        world.settle();
        match consumer.poll_step(world.now, 1) {
            Ok(polled) => break polled,
            Err(error) if error.code() == milena::Code::INVALID_STATE => world.run_ms(10),
            Err(error) => panic!("{error}"),
        }
    };
    assert!(matches!(end, Some(Polled::Event(milena::consumer::Event::Committed { .. }))), "{end:?}");
    refused(&mut consumer, world.now);
}

#[test]
fn append_times_are_marked() {
    let mut world = World::new(1);
    let now = world.now;
    world.cluster.create_topic("t", 1, -1, &[("message.timestamp.type", "LogAppendTime")]).unwrap();
    world.produce("t", 0, &["a"]);
    let mut consumer = world.consumer(&config(None));
    consumer.assign(&[tp("t", 0)]).unwrap();
    let batch = world.records(&mut consumer);
    let record = batch.chunks[0].records()[0];
    assert_eq!((record.flags, record.timestamp_ms), (record_view::FLAG_APPEND_TIME, now.wall_ms));
}
