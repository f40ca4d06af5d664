"""The embedded cluster, its faults, the admin client."""

import socket
import time

import pytest
from conftest import read

import milena
from milena import Api, Code, Fault, NewTopic, Producer, Consumer


@pytest.fixture()
def settings(cluster):
    return {"bootstrap.servers": cluster.bootstrap_servers}


@pytest.fixture()
def letters(cluster):
    cluster.create_topic("letters", 1, 3)
    return "letters"


def values_of(settings, topic, count):
    with Consumer({**settings, "auto.offset.reset": "earliest"}) as consumer:
        consumer.assign([(topic, 0)])
        values = [r.value for r in read(consumer, count)]
        assert consumer.end_offsets([(topic, 0)])[topic, 0] == count
        return values


def test_life(cluster):
    servers = cluster.bootstrap_servers.split(",")
    assert len(servers) == 3 and len(set(servers)) == 3
    cluster.close()
    cluster.close()
    with pytest.raises(milena.ClosedError):
        cluster.bootstrap_servers
    with pytest.raises(milena.ClosedError):
        cluster.create_topic("x")
    with pytest.raises(ConnectionError):
        host, port = servers[0].split(":")
        socket.create_connection((host, int(port)), 5)


def test_arguments():
    with pytest.raises(milena.InvalidArgumentError):
        milena.EmbeddedCluster(brokers=0)
    with pytest.raises(milena.ConfigurationError, match="num.partitions"):
        milena.EmbeddedCluster(settings={"num.partition": 3})
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(milena.TransportError):
            milena.EmbeddedCluster(base_port=taken.getsockname()[1])


def test_topics(cluster, letters):
    with pytest.raises(milena.TopicExistsError):
        cluster.create_topic(letters)
    with pytest.raises(milena.InvalidArgumentError):
        cluster.create_topic("a topic")
    with pytest.raises(milena.InvalidArgumentError):
        cluster.broker_down(9)


def test_settings_have_their_effect():
    with milena.EmbeddedCluster(settings={"num.partitions": 5, "cluster.id": "mine"}) as cluster:
        with milena.AdminClient({"bootstrap.servers": cluster.bootstrap_servers}) as admin:
            cluster.create_topic("letters")
            (topic,) = admin.describe_topics(["letters"])
            assert len(topic.partitions) == 5
            assert admin.describe_cluster().id == "mine"


@pytest.mark.parametrize("code", [Code.NOT_LEADER_OR_FOLLOWER, Code.REQUEST_TIMED_OUT, Code.NOT_ENOUGH_REPLICAS])
def test_errors_that_pass(cluster, settings, letters, code):
    cluster.error(Api.PRODUCE, code, times=2)
    with Producer(settings) as producer:
        producer.send(letters, "x")
    assert cluster.request_count(Api.PRODUCE) >= 3
    assert values_of(settings, letters, 1) == [b"x"]


@pytest.mark.parametrize("kind", [k for k in Fault if k not in (Fault.ERROR, Fault.DELAY)])
def test_broken_answers_lose_and_double_nothing(cluster, settings, letters, kind):
    cluster.fault(kind, Api.PRODUCE, skip=1)
    with Producer({**settings, "request.timeout.ms": 1000, "linger.ms": 0}) as producer:
        for i in range(5):
            producer.send(letters, str(i))
            producer.flush(30)
    assert values_of(settings, letters, 5) == [b"0", b"1", b"2", b"3", b"4"]


def test_errors_that_do_not_pass(cluster, settings, letters):
    cluster.fault(Fault.ERROR, Api.PRODUCE, code=Code.TOPIC_AUTHORIZATION_FAILED, topic=letters, times=milena.ALWAYS)
    cluster.create_topic("others", 1)
    with Producer(settings) as producer:
        producer.send(letters, "x", token=1)
        producer.send("others", "y", token=2)
        producer.flush(20)
        errors = {d.topic: d.error for d in producer.poll()}
        assert errors["others"] is None
        assert isinstance(errors[letters], milena.AuthorizationError) and errors[letters].broker in (1, 2, 3)
        cluster.clear_faults()
        producer.send(letters, "z")
    assert values_of(settings, letters, 1) == [b"z"]


def test_delays(cluster, settings, letters):
    with Producer({**settings, "linger.ms": 0}) as producer:
        producer.send(letters, "x")
        producer.flush(20)
        cluster.fault(Fault.DELAY, Api.PRODUCE, delay=0.4)
        began = time.monotonic()
        producer.send(letters, "x")
        producer.flush(20)
        assert 0.4 <= time.monotonic() - began < 10


def test_brokers_go_and_come_back(cluster, settings, letters):
    with Producer({**settings, "linger.ms": 0}) as producer:
        for broker in (1, 2, 3):
            cluster.broker_down(broker)
            producer.send(letters, str(broker))
            producer.flush(30)
            cluster.broker_up(broker)
    assert values_of(settings, letters, 3) == [b"1", b"2", b"3"]


def test_leaders_and_coordinators_move(cluster, settings, letters):
    group = {**settings, "group.id": "g", "auto.offset.reset": "earliest", "enable.auto.commit": False}
    with Producer(settings) as producer, Consumer(group) as consumer:
        consumer.subscribe([letters])
        for i in range(1, 7):
            cluster.move_leader(letters, 0, 1 + i % 3)
            cluster.move_coordinator("g", 1 + (i + 1) % 3)
            producer.send(letters, str(i))
            assert read(consumer, 1)[0].value == str(i).encode()
            consumer.commit(timeout=20)
        assert consumer.committed()[letters, 0].offset == 6


def test_a_fault_without_sense(cluster):
    with pytest.raises(milena.InvalidArgumentError):
        cluster.fault(99)
    with pytest.raises(milena.InvalidArgumentError):
        cluster.error(9999, Code.REQUEST_TIMED_OUT)


def test_admin(cluster, settings):
    with milena.AdminClient(settings) as admin:
        found = admin.create_topics([NewTopic("a", 3, 2, {"cleanup.policy": "compact"}), "b"])
        assert [t.name for t in found] == ["a", "b"] and [t.error for t in found] == [None, None]
        with pytest.raises(milena.TopicExistsError) as caught:
            admin.create_topics([NewTopic("c", 1), NewTopic("a", 1)])
        assert [(t.name, t.error and t.error.name) for t in caught.value.results] == [
            ("c", None),
            ("a", "TOPIC_ALREADY_EXISTS"),
        ]
        with pytest.raises(milena.KafkaError):
            admin.create_topic("d", replication_factor=9)
        admin.create_topics([NewTopic("e", 1)], validate_only=True)
        assert [t.name for t in admin.list_topics()] == ["a", "b", "c"]
        (a,) = admin.describe_topics(["a"])
        assert a.id is not None and not a.is_internal and a.error is None
        assert [p.partition for p in a.partitions] == [0, 1, 2]
        for p in a.partitions:
            assert p.leader in p.replicas and len(p.replicas) == 2 and set(p.in_sync) <= {1, 2, 3} and p.error is None
        with pytest.raises(milena.UnknownTopicOrPartitionError):
            admin.describe_topics(["nowhere"])
        admin.delete_topics(["a", "c"])
        with pytest.raises(milena.UnknownTopicOrPartitionError) as caught:
            admin.delete_topics(["a", "b"])
        assert [bool(t.error) for t in caught.value.results] == [True, False]
        described = admin.describe_cluster(timeout=20)
        assert [b.id for b in described.brokers] == [1, 2, 3] and described.controller in (1, 2, 3)
        servers = sorted(f"{b.host}:{b.port}" for b in described.brokers)
        assert servers == sorted(settings["bootstrap.servers"].split(","))
        with pytest.raises(TypeError):
            admin.delete_topics("b")
    with pytest.raises(milena.ClosedError):
        admin.list_topics()


def test_admin_time_outs(cluster, settings):
    for broker in (1, 2, 3):
        cluster.broker_pause(broker)
    with milena.AdminClient(settings) as admin:
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            admin.list_topics(timeout=0.3)
        assert 0.25 < time.monotonic() - began < 10


def test_old_brokers(settings):
    with milena.EmbeddedCluster(settings={"broker.version": "1.1"}) as old:
        conf = {"bootstrap.servers": old.bootstrap_servers}
        with Producer(conf) as producer:
            producer.send("letters", "x", headers={"a": "b"})
        assert values_of(conf, "letters", 1) == [b"x"]
