"""How to test a program of your own against Kafka without a Kafka: `python3 -m pytest embedded_test.py`."""

import json

import pytest

import milena


# The program under test.
def copy_large_orders(consumer, producer, idle=0.5):
    """Copies orders of 1000 and more from "orders" to "large-orders", until none come any more."""
    while batch := consumer.poll(idle):
        large = [v for v in batch.values() if v is not None and json.loads(v)["amount"] >= 1000]
        producer.send_many("large-orders", large)
        producer.flush(10)
        consumer.commit(batch)


@pytest.fixture()
def cluster():
    with milena.EmbeddedCluster(brokers=1) as cluster:
        cluster.create_topic("orders", partitions=1)
        cluster.create_topic("large-orders", partitions=1)
        yield cluster


def read_all(cluster, topic):
    with milena.Consumer({"bootstrap.servers": cluster.bootstrap_servers}) as consumer:
        partitions = [(topic, 0)]
        consumer.assign({(topic, 0): 0})
        end = consumer.end_offsets(partitions)[topic, 0]
        values = []
        while consumer.position(partitions)[topic, 0] < end:
            values += consumer.poll(10).values()
        return values


def run(cluster):
    properties = {"bootstrap.servers": cluster.bootstrap_servers}
    settings = {**properties, "group.id": "copier", "auto.offset.reset": "earliest", "enable.auto.commit": False}
    with milena.Producer(properties) as producer:
        for amount in (500, 1500, 2500):
            producer.send("orders", json.dumps({"amount": amount}))
    with milena.Consumer(settings) as consumer, milena.Producer(properties) as producer:
        consumer.subscribe(["orders"])
        while consumer.poll(10).event is None:
            pass
        copy_large_orders(consumer, producer)
        return consumer.committed([("orders", 0)])["orders", 0]


def test_copies_large_orders(cluster):
    assert run(cluster).offset == 3
    assert [json.loads(v)["amount"] for v in read_all(cluster, "large-orders")] == [1500, 2500]


def test_survives_a_lost_answer(cluster):
    # The broker writes the records, but the connection breaks before it says so: they must not come twice.
    cluster.fault(milena.Fault.DISCONNECT_AFTER, milena.Api.PRODUCE, skip=1)
    assert run(cluster).offset == 3
    assert len(read_all(cluster, "large-orders")) == 2
