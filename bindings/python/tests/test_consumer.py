"""The consumer with partitions assigned by hand, and batches of records."""

import select
import threading
import time
from array import array

import pytest
from conftest import read

import milena
from milena import OffsetAndMetadata, OffsetAndTimestamp, TopicPartition


@pytest.fixture()
def ten(producer, topic):
    """A topic with records 0 … 9, whose timestamps are 1000, 1010, …"""
    for i in range(10):
        producer.send(topic, str(i), key=f"k{i}", timestamp=1000 + 10 * i)
    producer.flush(10)
    return topic


def test_a_poll_without_records(reader, topic):
    consumer = reader()
    consumer.assign([(topic, 0)])
    began = time.monotonic()
    batch = consumer.poll(0.2)
    assert 0.19 <= time.monotonic() - began < 5
    assert not batch and len(batch) == 0 and batch.event is None and list(batch) == [] and batch.values() == []
    assert consumer.poll(0) is not None


def test_a_batch_is_a_sequence(reader, ten):
    consumer = reader()
    consumer.assign([(ten, 0)])
    batch = consumer.poll(20)
    assert len(batch) == 10 and batch
    assert batch[0].value == b"0" and batch[-1].value == b"9"
    assert [r.value for r in batch[2:4]] == [b"2", b"3"]
    with pytest.raises(IndexError):
        batch[10]
    (chunk,) = batch.chunks
    assert (chunk.topic, chunk.partition, chunk.next_offset, len(chunk)) == (ten, 0, 10, 10)
    assert chunk.topic_partition == (ten, 0)
    assert [r.offset for r in chunk] == list(range(10)) and chunk[3].offset == 3 and len(chunk[1:3]) == 2
    assert batch.values() == chunk.values() == [str(i).encode() for i in range(10)]
    assert batch.keys() == chunk.keys() == [f"k{i}".encode() for i in range(10)]
    assert chunk.offsets() == array("q", range(10)) and chunk.timestamps() == array("q", range(1000, 1100, 10))
    assert batch.next_offsets == {TopicPartition(ten, 0): OffsetAndMetadata(10, "", chunk.leader_epoch)}
    assert bytes(batch[1].value_view) == b"1" and batch[1].headers == [] and not batch[1].is_control
    assert "10 records" in repr(batch) and ten in repr(chunk)
    consumer.close(10)
    assert batch[5].key == b"k5", "it outlives the consumer"


def test_max_records(reader, ten):
    consumer = reader(max_poll_records=3)
    consumer.assign([(ten, 0)])
    sizes = [len(consumer.poll(20)), len(consumer.poll(20, max_records=4)), len(consumer.poll(20, max_records=1))]
    assert sizes == [3, 4, 1]


def test_one_record_a_poll(reader, producer, ten):
    consumer = reader()
    partition = TopicPartition(ten, 0)
    consumer.assign([partition])
    for offset in [*range(6), *range(3, 10)]:
        if offset == 3 and consumer.position([partition]) == {partition: 6}:
            consumer.seek({partition: 3})
        batch = consumer.poll(20, max_records=1)
        assert batch.values() == [b"%d" % offset] and batch[0].offset == offset
        assert consumer.position([partition]) == batch_end(batch) == {partition: offset + 1}
    assert not consumer.poll(0.1, max_records=1)


def batch_end(batch):
    return {partition: at.offset for partition, at in batch.next_offsets.items()}


def test_batches_of_any_size(reader, producer, topic):
    """Those that fit into the block that polls are copied to, and those that do not."""
    sizes = [10, 70_000, 0, 300_000, 70_000, 5, 900_000, 1]
    for i, size in enumerate(sizes):
        producer.send(topic, bytes([i]) * size, headers=[("n", str(i).encode())])
    producer.flush(20)
    consumer = reader()
    consumer.assign([(topic, 0)])
    batches = [consumer.poll(20, max_records=1) for _ in sizes]
    for i, size in enumerate(sizes):
        (record,) = batches[i]
        assert record.value == bytes([i]) * size and record.headers == [("n", str(i).encode())]
    consumer.seek_to_beginning()
    values = []
    while len(values) < len(sizes):
        values += consumer.poll(20).values()
    assert values == [bytes([i]) * size for i, size in enumerate(sizes)]


def test_seek_and_position(reader, ten):
    consumer = reader()
    partition = TopicPartition(ten, 0)
    with pytest.raises(milena.InvalidStateError):
        consumer.seek({partition: 5})
    consumer.assign({partition: 7})
    assert consumer.assignment() == [partition]
    assert consumer.position() == {partition: 7}
    assert [r.offset for r in read(consumer, 3)] == [7, 8, 9]
    assert consumer.position([partition]) == {partition: 10}
    consumer.seek({partition: OffsetAndMetadata(2)})
    assert consumer.poll(20)[0].offset == 2
    consumer.seek_to_beginning()
    assert consumer.poll(20)[0].offset == 0
    consumer.seek_to_end([partition])
    assert consumer.position() == {partition: 10}
    with pytest.raises(milena.InvalidArgumentError):
        consumer.seek({partition: -5})
    consumer.assign([])
    assert consumer.assignment() == []


def test_offsets_of_partitions(reader, ten):
    consumer = reader()
    partition = TopicPartition(ten, 0)
    consumer.assign([partition])
    assert consumer.beginning_offsets([partition]) == {partition: 0}
    assert consumer.end_offsets([partition], timeout=20) == {partition: 10}
    found = consumer.offsets_for_times({partition: 1005})
    assert found == {partition: OffsetAndTimestamp(1, 1010)}
    assert consumer.offsets_for_times({partition: 5000}) == {partition: None}
    assert consumer.end_offsets([]) == {}


def test_pause_and_resume(reader, ten):
    consumer = reader()
    consumer.assign([(ten, 0)])
    consumer.pause([(ten, 0)])
    assert not consumer.poll(0.3)
    consumer.resume([(ten, 0)])
    assert len(read(consumer, 10)) == 10
    with pytest.raises(milena.InvalidStateError):
        consumer.pause([("other", 0)])


def test_commits(reader, ten):
    consumer, partition = reader(), TopicPartition(ten, 0)
    assert consumer.committed([partition]) == {partition: None}
    consumer.assign([partition])
    read(consumer, 10)
    consumer.commit({partition: 3})
    assert consumer.committed()[partition].offset == 3
    consumer.commit({partition: OffsetAndMetadata(4, "by hand")})
    assert consumer.committed()[partition][:2] == (4, "by hand")
    consumer.commit()
    assert consumer.committed()[partition].offset == 10
    consumer.commit({})
    consumer.close(10)
    again = reader()
    again.assign([partition])
    assert again.position() == {partition: 10}


def test_commit_of_a_batch(reader, ten):
    consumer, partition = reader(), TopicPartition(ten, 0)
    consumer.assign([partition])
    first = consumer.poll(20, max_records=4)
    consumer.poll(20, max_records=4)
    consumer.commit(first)
    assert consumer.committed()[partition].offset == 4


def test_commit_async(servers, group, ten):
    told, partition = [], TopicPartition(ten, 0)
    settings = {**servers, "group.id": group, "enable.auto.commit": False}
    with milena.Consumer(settings, on_commit=lambda error, offsets: told.append((error, offsets))) as consumer:
        consumer.assign({partition: 0})
        consumer.commit_async({partition: OffsetAndMetadata(5, "text")})
        deadline = time.monotonic() + 20
        batch = consumer.poll(20)
        while batch.event is None and time.monotonic() < deadline:
            batch = consumer.poll(20)
        assert batch.event.kind == milena.EventKind.COMMITTED and batch.event.error is None
        assert [(error, {p: o.offset for p, o in offsets.items()}) for error, offsets in told] == [(None, {partition: 5})]
        assert consumer.committed()[partition][:2] == (5, "text")


def test_auto_commit_at_close(servers, group, ten, reader):
    settings = {**servers, "group.id": group, "auto.offset.reset": "earliest"}
    with milena.Consumer(settings) as consumer:
        consumer.assign([(ten, 0)])
        read(consumer, 10)
    assert reader().committed([(ten, 0)])[ten, 0].offset == 10


def test_iteration(reader, ten):
    consumer = reader(max_poll_records=4)
    consumer.assign([(ten, 0)])
    offsets = []
    for record in consumer:
        offsets.append(record.offset)
        if len(offsets) == 10:
            break
    assert offsets == list(range(10))
    consumer.seek_to_beginning()
    assert [len(b) for _, b in zip(range(2), consumer.batches(6))] == [6, 4]


def test_no_group_and_no_assignment(servers, topic):
    with milena.Consumer(servers) as consumer:
        with pytest.raises(milena.InvalidStateError, match="group.id"):
            consumer.subscribe([topic])
        with pytest.raises(milena.InvalidStateError, match="group.id"):
            consumer.commit({(topic, 0): 1})
        with pytest.raises(TypeError):
            consumer.subscribe(topic)
        with pytest.raises(TypeError):
            consumer.assign(TopicPartition(topic, 0))
        consumer.assign([(topic, 0)])
        with pytest.raises(milena.InvalidArgumentError):
            consumer.assign([(topic, -1)])


def test_no_offset(servers, ten):
    with milena.Consumer({**servers, "auto.offset.reset": "none"}) as consumer:
        consumer.assign([(ten, 0)])
        with pytest.raises(milena.OffsetError):
            consumer.poll(20)
        consumer.seek({(ten, 0): 100})
        with pytest.raises(milena.OffsetError) as caught:
            consumer.poll(20)
        assert (caught.value.topic, caught.value.partition, caught.value.offset) == (ten, 0, 100)
        consumer.seek({(ten, 0): 9})
        assert read(consumer, 1)[0].offset == 9, "the consumer can be used again"


def test_no_committed_offset_names_the_partition(servers, ten):
    with milena.Consumer({**servers, "auto.offset.reset": "none"}) as consumer:
        consumer.assign([(ten, 0)])
        with pytest.raises(milena.OffsetError) as caught:
            consumer.poll(20)
        assert (caught.value.topic, caught.value.partition) == (ten, 0)


def test_poll_without_subscription_or_assignment(servers):
    with milena.Consumer(servers) as consumer:
        with pytest.raises(milena.InvalidStateError):
            consumer.poll(0)


def test_offsets_of_partitions_that_are_not_assigned(reader, ten):
    assert reader().end_offsets([(ten, 0)], timeout=3) == {TopicPartition(ten, 0): 10}


def test_corrupt_batches_can_be_passed(cluster):
    cluster.create_topic("letters", 1)
    settings = {"bootstrap.servers": cluster.bootstrap_servers}
    with milena.Producer(settings) as producer:
        for i in range(3):
            producer.send("letters", str(i))
            producer.flush(20)
    cluster.corrupt_batch("letters", 0, 1)
    with milena.Consumer(settings) as consumer:
        consumer.assign({("letters", 0): 0})
        found = []
        while len(found) < 2:
            try:
                found += consumer.poll(20).values()
            except milena.CorruptRecordError as error:
                assert (error.topic, error.partition, error.offset, error.next_offset) == ("letters", 0, 1, 2)
                consumer.seek({(error.topic, error.partition): error.next_offset})
        assert found == [b"0", b"2"]


def test_wakeup(reader, topic):
    consumer = reader()
    consumer.assign([(topic, 0)])
    timer = threading.Timer(0.2, consumer.wakeup)
    timer.start()
    began = time.monotonic()
    with pytest.raises(milena.WakeupError):
        consumer.poll(60)
    assert time.monotonic() - began < 20
    timer.join()
    consumer.wakeup()
    with pytest.raises(milena.WakeupError):
        consumer.poll(0)
    assert not consumer.poll(0.1)


def test_one_thread_at_a_time(cluster):
    cluster.create_topic("letters", 1)
    with milena.Consumer({"bootstrap.servers": cluster.bootstrap_servers, "group.id": "g"}) as consumer:
        cluster.fault(milena.Fault.DELAY, milena.Api.OFFSET_FETCH, delay=2.0)
        results = []
        thread = threading.Thread(target=lambda: results.append(consumer.committed([("letters", 0)], 20)))
        thread.start()
        deadline, busy = time.monotonic() + 10, False
        while not cluster.request_count(milena.Api.OFFSET_FETCH) and time.monotonic() < deadline:
            time.sleep(0.01)
        while not busy and time.monotonic() < deadline and thread.is_alive():
            try:
                consumer.assignment()
            except milena.BusyError:
                busy = True
        thread.join()
        assert busy and results == [{TopicPartition("letters", 0): None}]


def test_closed(reader, topic):
    consumer = reader()
    consumer.assign([(topic, 0)])
    consumer.close(10)
    consumer.close(10)
    assert "closed" in repr(consumer)
    for call in (
        lambda: consumer.poll(0),
        lambda: consumer.assign([(topic, 0)]),
        lambda: consumer.seek({(topic, 0): 1}),
        lambda: consumer.commit(),
        lambda: consumer.commit_async(),
        lambda: consumer.end_offsets([(topic, 0)]),
        lambda: consumer.pause([(topic, 0)]),
        lambda: consumer.unsubscribe(),
    ):
        with pytest.raises(milena.ClosedError):
            call()


def test_a_consumer_that_was_not_closed_warns(servers):
    consumer = milena.Consumer(servers)
    with pytest.warns(ResourceWarning, match="not closed"):
        del consumer


def test_the_descriptor(reader, producer, topic):
    consumer = reader()
    consumer.assign([(topic, 0)])
    while select.select([consumer], [], [], 0.3)[0]:
        consumer.poll(0)
    producer.send(topic, "x")
    assert select.select([consumer], [], [], 20)[0] == [consumer]
    read(consumer, 1)


def test_decode(reader, ten):
    with pytest.raises(milena.CorruptRecordError):
        milena.decode_batches(b"\0" * 100)
    assert len(milena.decode_batches(b"")) == 0
