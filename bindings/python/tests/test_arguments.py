"""What is no argument is refused: nothing is cut to C's width, nothing sent that was not meant."""

import copy
import pickle

import pytest

import milena

WIDE = [2**32, 2**63, 2**64 + 5, -1]


@pytest.mark.parametrize("number", [2**31, *WIDE])
def test_partitions(reader, topic, number):
    consumer = reader()
    consumer.assign({(topic, 0): 0})
    for call in (
        lambda: consumer.assign([(topic, number)]),
        lambda: consumer.seek({(topic, number): 0}),
        lambda: consumer.commit({(topic, number): 0}),
        lambda: consumer.pause([(topic, number)]),
        lambda: consumer.offsets_for_times({(topic, number): 0}),
    ):
        with pytest.raises(milena.InvalidArgumentError, match="partition can't be .* 0 to 2\\*\\*31 - 1"):
            call()
    assert consumer.assignment() == [(topic, 0)]


@pytest.mark.parametrize("number", WIDE[1:])
def test_offsets_and_times(reader, topic, number):
    consumer, partition = reader(), (topic, 0)
    consumer.assign({partition: 0})
    for call in (
        lambda: consumer.seek({partition: number}),
        lambda: consumer.commit({partition: number}),
        lambda: consumer.commit_async({partition: number}),
        lambda: consumer.commit({partition: milena.OffsetAndMetadata(number)}),
        lambda: consumer.commit({partition: milena.OffsetAndMetadata(1, "", 2**31)}),
        lambda: consumer.offsets_for_times({partition: number}),
    ):
        with pytest.raises(ValueError, match="can't be"):
            call()
    assert consumer.committed() == {partition: None}


@pytest.mark.parametrize("number", WIDE[1:])
def test_max_records(reader, producer, topic, number):
    consumer = reader()
    consumer.assign({(topic, 0): 0})
    for call in (
        lambda: consumer.poll(0, max_records=number),
        lambda: next(consumer.batches(number)),
        lambda: producer.poll(0, max_records=number),
        lambda: milena.decode_batches(b"", number),
    ):
        with pytest.raises(ValueError, match="can't be .* 0 to"):
            call()


def test_new_topics(shared, servers):
    with milena.AdminClient(servers) as admin:
        for more in ({"partitions": 2**32 + 1}, {"replication_factor": 2**16 + 1}, {"partitions": -2}):
            with pytest.raises(ValueError, match="can't be"):
                admin.create_topic("wide", **more)
            with pytest.raises(ValueError, match="can't be"):
                shared.create_topic("wide", **{k: v + (2**32 if v > 0 else 0) for k, v in more.items()})
        with pytest.raises(TypeError, match="partitions is an integer, not str"):
            admin.create_topic("wide", partitions="1")
        assert "wide" not in [topic.name for topic in admin.list_topics()]


def test_the_cluster(shared):
    for call in (
        lambda: milena.EmbeddedCluster(brokers=2**32 + 1),
        lambda: milena.EmbeddedCluster(base_port=2**32 + 1),
        lambda: shared.fault(milena.Fault.DELAY, api=2**40),
        lambda: shared.fault(milena.Fault.DELAY, times=2**32),
        lambda: shared.fault(milena.Fault.DELAY, delay=-1.0),
        lambda: shared.broker_down(2**32 + 1),
        lambda: shared.corrupt_batch("t", 2**32, 0),
        lambda: shared.request_count(2**32),
    ):
        with pytest.raises(ValueError, match="can't be"):
            call()


@pytest.mark.parametrize("timestamp", [-1, -5, -(2**63), 2**63])
def test_timestamps(producer, topic, timestamp):
    for call in (
        lambda: producer.send(topic, "x", timestamp=timestamp),
        lambda: producer.send_many(topic, ["x"], timestamp=timestamp),
        lambda: producer.send_records(topic, [milena.ProducerRecord("x", timestamp=timestamp)]),
    ):
        with pytest.raises(ValueError, match="timestamp"):
            call()


def test_clients_are_not_copied(shared, servers):
    with milena.Producer(servers) as producer, milena.Consumer(servers) as consumer, milena.AdminClient(servers) as admin:
        for client in (producer, consumer, admin, shared):
            for how in (pickle.dumps, copy.copy, copy.deepcopy):
                with pytest.raises(TypeError, match="copied nor pickled"):
                    how(client)


def test_async_clients_are_not_copied(servers):
    import asyncio

    async def main():
        async with milena.AsyncProducer(servers) as producer, milena.AsyncConsumer(servers) as consumer:
            for client in (producer, consumer):
                for how in (pickle.dumps, copy.copy, copy.deepcopy):
                    with pytest.raises(TypeError, match="copied nor pickled"):
                        how(client)

    asyncio.run(main())
