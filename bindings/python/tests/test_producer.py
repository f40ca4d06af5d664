"""The producer."""

import gc
import select
import time

import pytest
from conftest import read

import milena
from milena import ProducerRecord


def test_what_a_record_can_have(producer, reader, topic):
    producer.send(topic, "text", key="k", headers={"a": "1"}, timestamp=1234567890123)
    producer.send(topic, bytearray(b"\0\xff"), key=memoryview(b"key"))
    producer.send(topic, b"", key=b"", headers=[("n", b"1"), ("n", None), ("n", b""), ("\u00fc", b"\0")])
    producer.send(topic, None)
    producer.flush(10)
    consumer = reader()
    consumer.assign([(topic, 0)])
    a, b, c, d = read(consumer, 4)
    assert (a.key, a.value, a.headers, a.timestamp) == (b"k", b"text", [("a", b"1")], 1234567890123)
    assert (b.key, b.value, b.headers) == (b"key", b"\0\xff", [])
    assert (c.key, c.value) == (b"", b"")
    assert c.headers == [("n", b"1"), ("n", None), ("n", b""), ("\u00fc", b"\0")]
    assert (d.key, d.value) == (None, None)
    assert abs(d.timestamp / 1000 - time.time()) < 60 and d.timestamp_type == "create"
    assert [r.offset for r in (a, b, c, d)] == [0, 1, 2, 3]
    assert a.topic == topic and a.partition == 0
    assert "4 bytes" in repr(a) and "null" in repr(d)


def test_callbacks_run_in_poll(producer, topic):
    told = []
    producer.send(topic, "x", on_delivery=lambda error, where: told.append((error, where)))
    deadline = time.monotonic() + 20
    while not told and time.monotonic() < deadline:
        producer.poll(1)
    assert told == [(None, milena.RecordMetadata(topic, 0, 0, None))]
    producer.send(topic, "y", on_delivery=lambda error, where: told.append(where.offset))
    producer.flush(10)
    assert told[1:] == [1]


def test_a_callback_that_raises_keeps_none_from_running(producer, topic):
    told = []

    def bad(error, where):
        raise RuntimeError("mine")

    producer.send(topic, "x", on_delivery=bad)
    producer.send(topic, "y", on_delivery=lambda error, where: told.append(where.offset))
    with pytest.raises(RuntimeError, match="mine"):
        producer.flush(10)
    assert told == [1]


def test_tokens_come_back_once(producer, topic):
    for token in (1, 2**63 - 1):
        producer.send(topic, "x", token=token)
    producer.send_many(topic, ["a", "b", "c"], tokens=[7, 8, 9])
    producer.send_many(topic, ["d", "e"], token=5)
    producer.flush(10)
    found = [pair for delivery in producer.poll() for pair in delivery]
    assert found == [(1, 0), (2**63 - 1, 1), (7, 2), (8, 3), (9, 4), (5, 5), (5, 6)]
    assert producer.poll() == []


def test_deliveries(producer, topic):
    producer.send(topic, "x", token=3)
    (delivery,) = producer.poll(10)
    assert (delivery.topic, delivery.partition, delivery.base_offset) == (topic, 0, 0)
    assert len(delivery) == 1 and delivery.tokens.tolist() == [3] and delivery.offsets == range(1)
    assert delivery.error is None and delivery.append_time is None
    assert topic in repr(delivery)


def test_max_records_bounds_a_poll(servers, shared, topic):
    with milena.Producer({**servers, "linger.ms": 0, "batch.size": 1}) as producer:
        for token in range(1, 11):
            producer.send(topic, "x", token=token)
        producer.flush(10)
        first = producer.poll(0, max_records=3)
        assert 3 <= sum(map(len, first)) < 10
        assert sum(map(len, producer.poll())) == 10 - sum(map(len, first))


@pytest.mark.parametrize("token", [-1, 2**63, 2**64])
def test_tokens_out_of_range(producer, topic, token):
    with pytest.raises(ValueError, match="token"):
        producer.send(topic, "x", token=token)
    with pytest.raises(ValueError, match="token"):
        producer.send_many(topic, ["x"], tokens=[token])


def test_arguments_that_make_no_sense(producer, topic):
    with pytest.raises(TypeError, match="serialize"):
        producer.send(topic, {"a": 1})
    with pytest.raises(TypeError, match="serialize"):
        producer.send_many(topic, [1, 2])
    with pytest.raises(ValueError, match="partition"):
        producer.send(topic, "x", partition=2**40)
    with pytest.raises(ValueError):
        producer.send(topic, "x", timestamp="now")
    with pytest.raises(ValueError, match="not both"):
        producer.send(topic, "x", token=1, on_delivery=print)
    with pytest.raises(ValueError, match="fewer keys"):
        producer.send_many(topic, ["x", "y"], keys=["k"])
    with pytest.raises(ValueError):
        producer.send_many(topic, ["x", "y"], tokens=[1])
    with pytest.raises(ValueError, match="time-out"):
        producer.flush(-1)
    with pytest.raises(milena.InvalidArgumentError):
        producer.send("no topic has spaces", "x")
    with pytest.raises(milena.InvalidArgumentError):
        producer.send(topic, "x", partition=-7)


def test_a_refused_record_says_how_many_went_before(producer, reader, topic):
    values = [b"small"] * 3 + [b"x" * 2_000_000] + [b"small"]
    with pytest.raises(milena.MessageTooLargeError) as caught:
        producer.send_many(topic, values)
    assert caught.value.accepted == 3
    producer.flush(10)
    consumer = reader()
    consumer.assign([(topic, 0)])
    assert len(read(consumer, 3)) == 3


def test_send_many_columns(producer, reader, topic):
    assert producer.send_many(topic, []) == 0
    values = ["text", b"bytes", None, b"", bytearray(b"array"), memoryview(b"view")]
    assert producer.send_many(topic, values, keys=[None, b"", "k", b"k", None, "l"], timestamp=77) == 6
    assert producer.send_many(topic, (str(i) for i in range(3)), keys=(str(i).encode() for i in range(3))) == 3
    producer.flush(10)
    consumer = reader()
    consumer.assign([(topic, 0)])
    records = read(consumer, 9)
    assert [r.value for r in records[:6]] == [b"text", b"bytes", None, b"", b"array", b"view"]
    assert [r.key for r in records[:6]] == [None, b"", b"k", b"k", None, b"l"]
    assert {r.timestamp for r in records[:6]} == {77}
    assert [(r.key, r.value) for r in records[6:]] == [(b"0", b"0"), (b"1", b"1"), (b"2", b"2")]


def test_send_records(producer, reader, topic):
    records = [
        ProducerRecord("a", "k", [("h", "1")], 0, 5, 11),
        ProducerRecord(None, token=12),
        ProducerRecord(b"", b"", timestamp=6),
    ]
    assert producer.send_records(topic, records) == 3
    producer.flush(10)
    tokens = [token for delivery in producer.poll() for token, _ in delivery]
    assert tokens == [11, 12, 0]
    consumer = reader()
    consumer.assign([(topic, 0)])
    a, b, c = read(consumer, 3)
    assert (a.value, a.key, a.headers, a.timestamp) == (b"a", b"k", [("h", b"1")], 5)
    assert (b.value, b.key) == (None, None)
    assert (c.value, c.key, c.timestamp) == (b"", b"", 6)


def test_keys_choose_partitions_as_java_does(producer, shared, topic):
    name = topic + "-keys"
    shared.create_topic(name, 3)
    told = []
    for i in range(20):
        producer.send(name, "x", key=f"key-{i}", on_delivery=lambda error, where: told.append(where.partition))
    producer.flush(10)
    assert set(told) == {0, 1, 2}


def test_what_nobody_watches_is_raised_by_flush_and_close(cluster):
    cluster.create_topic("full", 1)
    cluster.error(milena.Api.PRODUCE, milena.Code.INVALID_RECORD, times=milena.ALWAYS)
    producer = milena.Producer({"bootstrap.servers": cluster.bootstrap_servers})
    producer.send_many("full", ["a", "b"])
    with pytest.raises(milena.KafkaError, match="2 records were not delivered") as caught:
        producer.flush(20)
    assert caught.value.code == milena.Code.INVALID_RECORD
    producer.flush(20)  # once
    producer.send("full", "c", token=1)
    producer.send("full", "d", on_delivery=lambda error, where: None)
    producer.flush(20)
    assert [d.error.name for d in producer.poll()] == ["INVALID_RECORD"]
    producer.send("full", "e")
    with pytest.raises(milena.KafkaError, match="1 records"):
        producer.close(20)


def test_an_error_inside_with_is_not_hidden(cluster):
    cluster.error(milena.Api.PRODUCE, milena.Code.INVALID_RECORD, times=milena.ALWAYS)
    with pytest.raises(ZeroDivisionError):
        with milena.Producer({"bootstrap.servers": cluster.bootstrap_servers}) as producer:
            producer.send("any", "x")
            1 / 0


def test_closed(servers, topic):
    producer = milena.Producer(servers)
    producer.send(topic, "x", token=1)
    producer.close(10)
    assert "closed" in repr(producer)
    for call in (lambda: producer.send(topic, "x"), lambda: producer.send_many(topic, ["x"])):
        with pytest.raises(milena.ClosedError):
            call()
    producer.close(10)
    assert [list(d) for d in producer.poll(None)] == [[(1, 0)]], "deliveries can be taken afterwards"
    assert producer.poll(None) == [], "and a poll does not wait for what can't come"
    with pytest.raises(milena.ClosedError):
        producer.flush(1)


def test_close_gives_up_when_the_time_is_over(cluster):
    cluster.broker_pause(1)
    cluster.broker_pause(2)
    cluster.broker_pause(3)
    producer = milena.Producer({"bootstrap.servers": cluster.bootstrap_servers})
    told = []
    producer.send("letters", "x", on_delivery=lambda error, where: told.append(error.name))
    with pytest.raises(milena.KafkaTimeoutError):
        producer.flush(0.2)
    began = time.monotonic()
    with pytest.raises(milena.KafkaTimeoutError):
        producer.close(0.3)
    assert time.monotonic() - began < 5
    deadline = time.monotonic() + 10
    while not told and time.monotonic() < deadline:
        producer.poll(0.1)
    assert told == ["PURGED"]


def test_a_full_buffer_makes_send_wait(cluster):
    cluster.create_topic("slow", 1)
    for broker in (1, 2, 3):
        cluster.broker_pause(broker)
    settings = {"bootstrap.servers": cluster.bootstrap_servers, "buffer.memory": 200_000, "max.block.ms": 300}
    producer = milena.Producer(settings)
    began = time.monotonic()
    with pytest.raises(milena.BufferExhaustedError) as caught:
        producer.send_many("slow", [b"x" * 1000] * 1000)
    assert 0.25 < time.monotonic() - began < 10
    assert 0 < caught.value.accepted < 1000
    with pytest.raises(milena.BufferExhaustedError):
        producer.send("slow", b"x" * 1000, timeout=0)
    for broker in (1, 2, 3):
        cluster.broker_resume(broker)
    producer.send_many("slow", [b"x" * 1000] * 1000, timeout=30)
    producer.send("slow", b"x" * 1000)
    producer.close(30)


def test_nobody_has_to_poll(servers, topic):
    """Deliveries take room, too: send makes some by itself."""
    with milena.Producer({**servers, "buffer.memory": 300_000, "max.block.ms": 20_000}) as producer:
        for i in range(50):
            producer.send_many(topic, [b"x"] * 5_000)
        for i in range(3000):
            producer.send(topic, b"x" * 500, on_delivery=lambda error, where: None)
        assert producer._core.is_idle() in (True, False)


def test_a_producer_that_is_dropped_goes_on(servers, topic, reader):
    producer = milena.Producer({**servers, "linger.ms": 1000})
    producer.send(topic, "on its way")
    del producer
    gc.collect()
    consumer = reader()
    consumer.assign([(topic, 0)])
    assert read(consumer, 1)[0].value == b"on its way"


def test_the_descriptor(producer, topic):
    assert select.select([producer], [], [], 0)[0] == []
    producer.send(topic, "x", token=1)
    assert select.select([producer], [], [], 20)[0] == [producer]
    assert len(producer.poll()) == 1
    assert select.select([producer], [], [], 0)[0] == []


def test_log_lines_come_to_logging(shared, topic, caplog):
    caplog.set_level("DEBUG", "milena")
    settings = {"bootstrap.servers": shared.bootstrap_servers, "log.sink": "poll", "log.level": "debug"}
    with milena.Producer({**settings, "client.id": "the-client"}) as producer:
        producer.send(topic, "x")
        producer.flush(10)
        deadline = time.monotonic() + 10
        while not caplog.records and time.monotonic() < deadline:
            producer.poll(0.1)
    assert any(r.name.startswith("milena.") and "the-client" in r.getMessage() for r in caplog.records)
