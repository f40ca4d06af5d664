"""What a producer refuses, and what it says of it."""

import itertools

import pytest

import milena
from milena import _producer


def test_types(producer, topic):
    for call, what in (
        (lambda: producer.send(b"t", "x"), "a str, not bytes"),
        (lambda: producer.send(None, "x"), "a str, not NoneType"),
        (lambda: producer.send(topic, "x", headers=[(1, "b")]), "a str, not int"),
        (lambda: producer.send(topic, "x", on_delivery=5), "on_delivery is a function, not int"),
        (lambda: producer.send_many(topic, "abc"), "is an iterable of values"),
        (lambda: producer.send_many(topic, b"abc"), "is an iterable of values"),
        (lambda: producer.send_many(topic, ["a", "b", "c"], keys="abc"), "is an iterable of values"),
        (lambda: milena.Producer({1: 2}), "a str, not int"),
        (lambda: milena.Producer("bootstrap.servers"), "a mapping of properties"),
        (lambda: milena.AdminClient({"bootstrap.servers": "x:1"}).create_topics([5]), "a NewTopic or a name"),
    ):
        with pytest.raises(TypeError, match=what):
            call()
    with pytest.raises(ValueError, match="time-out"):
        producer.send(topic, "x", timeout=-1)


def test_columns_of_other_lengths(producer, topic):
    for more in ({"keys": ["k"]}, {"keys": ["k"] * 3}, {"tokens": [1]}, {"tokens": range(3)}):
        with pytest.raises(ValueError, match="(fewer|more) (keys|tokens) than values"):
            producer.send_many(topic, ["a", "b"], **more)
    assert producer.send_many(topic, ["a", "b"], keys=itertools.repeat("k"), tokens=itertools.count(1)) == 2
    producer.flush(20)
    assert sorted(sum(map(list, producer.poll()), [])) == [(1, 0), (2, 1)], "nothing was sent before"


def test_iterables_that_raise(producer, topic):
    def values():
        for i in range(5000):
            yield str(i)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        producer.send_many(topic, values(), token=7)
    producer.flush(20)
    assert 0 < caught.value.accepted == sum(map(len, producer.poll())) < 5000


def test_failed_deliveries_say_of_which_partition(cluster):
    cluster.create_topic("letters", 1)
    cluster.error(milena.Api.PRODUCE, milena.Code.INVALID_RECORD, times=milena.ALWAYS)
    with milena.Producer({"bootstrap.servers": cluster.bootstrap_servers}) as producer:
        errors = []
        producer.send("letters", "x", on_delivery=lambda error, where: errors.append(error))
        (delivery,) = producer.poll(20)
        assert errors == [delivery.error]
        assert (delivery.error.topic, delivery.error.partition) == ("letters", 0)


def test_callbacks_have_no_token(producer, topic):
    producer.send(topic, "x", on_delivery=lambda error, where: None)
    (delivery,) = producer.poll(20)
    assert list(delivery) == [(0, 0)] and list(delivery.tokens) == [0]


def test_flush_says_how_long(cluster):
    cluster.create_topic("letters", 1)
    with milena.Producer({"bootstrap.servers": cluster.bootstrap_servers}) as producer:
        for broker in (1, 2, 3):
            cluster.broker_pause(broker)
        producer.send("letters", "x")
        with pytest.raises(milena.KafkaTimeoutError, match="flushing for 200 ms"):
            producer.flush(0.2)
        for broker in (1, 2, 3):
            cluster.broker_resume(broker)


def test_flush_of_a_closed_producer(servers):
    producer = milena.Producer(servers)
    producer.close()
    with pytest.raises(milena.ClosedError):
        producer.flush()


def test_after_the_end_of_the_program(servers, topic, monkeypatch):
    producer = milena.Producer(servers)
    monkeypatch.setattr(_producer, "_live", {producer._core})
    _producer._at_exit()
    for call in (
        lambda: producer.send(topic, "x"),
        lambda: producer.send_many(topic, ["x"]),
        lambda: producer.flush(),
    ):
        with pytest.raises(milena.ClosedError):
            call()
    assert producer.poll() == []
    producer.close()
