"""Consumers that share the partitions of topics in a group."""

import time

import pytest
from conftest import read, wait_for_event

import milena
from milena import EventKind, TopicPartition


@pytest.fixture()
def four(shared, topic):
    """A topic with four partitions, ten records in each."""
    name = topic + "-four"
    shared.create_topic(name, 4)
    with milena.Producer({"bootstrap.servers": shared.bootstrap_servers}) as producer:
        for partition in range(4):
            producer.send_many(name, [f"{partition}-{i}" for i in range(10)], partition=partition)
    return name


def all_of(topic):
    return [TopicPartition(topic, i) for i in range(4)]


def test_one_member_gets_all(reader, four):
    consumer, told = reader(), []
    consumer.subscribe([four], on_assign=told.append)
    assert wait_for_event(consumer, EventKind.ASSIGNED).partitions == all_of(four)
    assert told == [all_of(four)]
    values = [r.value.decode() for r in read(consumer, 40)]
    for partition in range(4):
        own = [v for v in values if v.startswith(f"{partition}-")]
        assert own == [f"{partition}-{i}" for i in range(10)]
    consumer.commit()
    assert {o.offset for o in consumer.committed().values()} == {10}


@pytest.mark.parametrize("assignor", ["range", "roundrobin", "cooperative-sticky"])
def test_two_members_share_and_one_takes_over(reader, four, assignor):
    a = reader(partition_assignment_strategy=assignor)
    b = reader(partition_assignment_strategy=assignor)
    revoked = []
    a.subscribe([four], on_revoke=revoked.append)
    b.subscribe([four])
    deadline = time.monotonic() + 30
    while (len(a.assignment()), len(b.assignment())) != (2, 2) and time.monotonic() < deadline:
        a.poll(0.05)
        b.poll(0.05)
    assert sorted(a.assignment() + b.assignment()) == all_of(four)
    b.close(10)
    while len(a.assignment()) != 4 and time.monotonic() < deadline:
        a.poll(0.05)
    assert sorted(a.assignment()) == all_of(four)


def test_offsets_can_be_committed_before_partitions_go(reader, four):
    a, b, moved = reader(partition_assignment_strategy="range"), reader(partition_assignment_strategy="range"), []

    def on_revoke(partitions):
        a.commit(timeout=10)
        moved.append(partitions)

    a.subscribe([four], on_revoke=on_revoke)
    read(a, 40)
    b.subscribe([four])
    deadline = time.monotonic() + 30
    while not b.assignment() and time.monotonic() < deadline:
        a.poll(0.05)
        b.poll(0.05)
    assert moved and moved[0] == all_of(four)
    assert {o.offset for o in b.committed(all_of(four)).values()} == {10}
    assert not b.poll(0.3), "nothing is read twice"


def test_an_exception_of_a_callback_comes_out_of_poll(reader, four):
    consumer = reader()

    def on_assign(partitions):
        raise RuntimeError("mine")

    consumer.subscribe([four], on_assign=on_assign)
    deadline = time.monotonic() + 20
    with pytest.raises(RuntimeError, match="mine"):
        while time.monotonic() < deadline:
            consumer.poll(1)
    assert len(read(consumer, 40)) == 40


def test_on_assign_may_seek(reader, four):
    consumer = reader()
    consumer.subscribe([four], on_assign=lambda partitions: consumer.seek({p: 9 for p in partitions}))
    assert sorted(r.value for r in read(consumer, 4)) == [f"{i}-9".encode() for i in range(4)]


def test_unsubscribe(reader, four):
    consumer = reader()
    consumer.subscribe([four])
    wait_for_event(consumer, EventKind.ASSIGNED)
    with pytest.raises(milena.InvalidStateError):
        consumer.assign([(four, 0)])
    consumer.unsubscribe()
    assert consumer.assignment() == []
    consumer.assign([(four, 0)])
    assert len(read(consumer, 10)) == 10


def test_a_member_that_waits_in_poll_stays(reader, four):
    """Waiting in poll is done on the descriptor; it counts as polling all the same."""
    consumer, lost = reader(max_poll_interval_ms=1000, session_timeout_ms=6000), []
    consumer.subscribe([four], on_revoke=lost.append)
    read(consumer, 40)
    assert not consumer.poll(3)
    assert lost == [] and len(consumer.assignment()) == 4
    consumer.commit()


def test_a_member_that_does_not_poll_loses_its_partitions_and_comes_back(reader, four):
    consumer = reader(max_poll_interval_ms=500, session_timeout_ms=6000)
    consumer.subscribe([four])
    wait_for_event(consumer, EventKind.ASSIGNED)
    time.sleep(1.5)
    assert sorted(wait_for_event(consumer, EventKind.LOST).partitions) == all_of(four)
    assert sorted(wait_for_event(consumer, EventKind.ASSIGNED).partitions) == all_of(four)


def test_a_static_member_restarts_without_a_rebalance(reader, four):
    def member(instance):
        consumer = reader(group_instance_id=instance, session_timeout_ms=30000, heartbeat_interval_ms=100)
        consumer.subscribe([four])
        return consumer

    stays, restarts = member("stays"), member("restarts")
    deadline = time.monotonic() + 30
    while (len(stays.assignment()), len(restarts.assignment())) != (2, 2) and time.monotonic() < deadline:
        stays.poll(0.05)
        restarts.poll(0.05)
    # What is assigned is known before it is told.
    while stays.poll(0.5).event or restarts.poll(0.5).event:
        assert time.monotonic() < deadline
    before = restarts.assignment()
    restarts.close(10)
    again = member("restarts")
    assert wait_for_event(again, EventKind.ASSIGNED).partitions == before
    told = []
    until = time.monotonic() + 1
    while time.monotonic() < until:
        told.append(stays.poll(0.05).event)
    assert not any(told), "the other did not notice"
    assert len(stays.assignment()) == 2


def test_a_second_of_an_instance_fences_the_first(reader, four):
    def member():
        consumer = reader(group_instance_id="i", heartbeat_interval_ms=100)
        consumer.subscribe([four])
        assert wait_for_event(consumer, EventKind.ASSIGNED).partitions == all_of(four)
        return consumer

    first, second = member(), member()
    deadline = time.monotonic() + 20
    with pytest.raises(milena.KafkaError) as told:
        while time.monotonic() < deadline:
            first.poll(0.1)
    assert told.value.code == milena.Code.FENCED_INSTANCE_ID and told.value.fatal
    assert told.value.broker is not None
    assert second.assignment() == all_of(four)
