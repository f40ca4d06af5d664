"""Producer and consumer for asyncio."""

import asyncio
import time

import pytest

import milena


def run(main):
    """Runs a coroutine, with a limit."""

    async def limited():
        return await asyncio.wait_for(main, 60)

    return asyncio.run(limited())


def test_round_trip(servers, topic, group):
    async def main():
        async with milena.AsyncProducer(servers) as producer:
            where = await producer.send_and_wait(topic, "x", key="k", headers=[("a", None)], timestamp=5)
            assert where == milena.RecordMetadata(topic, 0, 0, None)
            futures = [await producer.send(topic, str(i)) for i in range(500)]
            many = await producer.send_many(topic, (str(i) for i in range(5000)), keys=(b"k" for _ in range(5000)))
            assert await many == 5000
            assert [f.result().offset for f in futures] == list(range(1, 501))
        settings = {**servers, "group.id": group, "auto.offset.reset": "earliest", "enable.auto.commit": False}
        async with milena.AsyncConsumer(settings) as consumer:
            assigned = []

            async def on_assign(partitions):
                await asyncio.sleep(0)
                assigned.extend(partitions)

            consumer.subscribe([topic], on_assign=on_assign)
            count = 0
            async for record in consumer:
                count += 1
                if count == 1:
                    assert (record.key, record.value, record.headers) == (b"k", b"x", [("a", None)])
                if count == 5501:
                    break
            assert assigned == [(topic, 0)]
            await consumer.commit()
            assert (await consumer.committed())[topic, 0].offset == 5501
            assert await consumer.position() == {(topic, 0): 5501}
            assert await consumer.end_offsets([(topic, 0)]) == {(topic, 0): 5501}
            assert await consumer.beginning_offsets([(topic, 0)]) == {(topic, 0): 0}
            assert (await consumer.offsets_for_times({(topic, 0): 0}))[topic, 0].offset == 0

    run(main())


def test_the_loop_runs_while_a_poll_waits(servers, topic):
    async def main():
        async with milena.AsyncConsumer(servers) as consumer:
            consumer.assign([(topic, 0)])
            ticks = 0

            async def tick():
                nonlocal ticks
                while True:
                    await asyncio.sleep(0.01)
                    ticks += 1

            ticking = asyncio.create_task(tick())
            began = time.monotonic()
            assert not await consumer.poll(0.5)
            assert 0.45 < time.monotonic() - began < 5
            ticking.cancel()
            assert ticks > 10

    run(main())


def test_records_wake_a_poll(servers, topic):
    async def main():
        async with milena.AsyncConsumer(servers) as consumer, milena.AsyncProducer(servers) as producer:
            consumer.assign({(topic, 0): 0})
            polling = asyncio.create_task(consumer.poll(30))
            await asyncio.sleep(0.2)
            await producer.send_and_wait(topic, "x")
            assert (await polling).values() == [b"x"]

    run(main())


def test_wakeup_and_cancellation(servers, topic, group):
    async def main():
        async with milena.AsyncConsumer({**servers, "group.id": group}) as consumer:
            consumer.assign([(topic, 0)])
            asyncio.get_running_loop().call_later(0.1, consumer.wakeup)
            with pytest.raises(milena.WakeupError):
                await consumer.poll(30)
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(consumer.poll(30), 0.1)
            assert not await consumer.poll(0.1), "it can be polled after a cancellation"

    run(main())


def test_a_cancelled_commit_leaves_the_consumer_usable(cluster):
    async def main():
        cluster.create_topic("letters", 1)
        settings = {"bootstrap.servers": cluster.bootstrap_servers, "group.id": "g"}
        async with milena.AsyncConsumer(settings) as consumer:
            consumer.assign({("letters", 0): 0})
            await consumer.commit({("letters", 0): 1})
            cluster.fault(milena.Fault.DELAY, milena.Api.OFFSET_COMMIT, delay=3.0)
            began = time.monotonic()
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(consumer.commit({("letters", 0): 2}), 0.2)
            assert time.monotonic() - began < 2
            assert not await consumer.poll(0.1)

    run(main())


def test_failures(cluster):
    async def main():
        cluster.create_topic("letters", 1)
        cluster.error(milena.Api.PRODUCE, milena.Code.INVALID_RECORD, times=milena.ALWAYS)
        async with milena.AsyncProducer({"bootstrap.servers": cluster.bootstrap_servers}) as producer:
            with pytest.raises(milena.KafkaError) as caught:
                await producer.send_and_wait("letters", "x")
            assert caught.value.code == milena.Code.INVALID_RECORD
            with pytest.raises(milena.KafkaError) as caught:
                await (await producer.send_many("letters", ["a", "b"]))
            assert caught.value.accepted == 0
            with pytest.raises(milena.MessageTooLargeError) as caught:
                await producer.send_many("letters", [b"a", b"x" * 2_000_000])
            assert caught.value.accepted == 1
            with pytest.raises(milena.MessageTooLargeError):
                await producer.send("letters", b"x" * 2_000_000)
            with pytest.raises(TypeError):
                await producer.send("letters", 5)
            await producer.flush(20)
            assert producer._pending == {}

    run(main())


def test_room(cluster):
    async def main():
        cluster.create_topic("letters", 1)
        for broker in (1, 2, 3):
            cluster.broker_pause(broker)
        settings = {"bootstrap.servers": cluster.bootstrap_servers, "buffer.memory": 200_000}
        async with milena.AsyncProducer(settings) as producer:
            with pytest.raises(milena.BufferExhaustedError) as caught:
                await producer.send_many("letters", [b"x" * 1000] * 1000, timeout=0.2)
            assert 0 < caught.value.accepted < 1000
            for broker in (1, 2, 3):
                cluster.broker_resume(broker)
            assert await (await producer.send_many("letters", [b"x" * 1000] * 1000, timeout=30)) == 1000

    run(main())


def test_flush_does_not_linger(servers, topic):
    async def main():
        async with milena.AsyncProducer({**servers, "linger.ms": 30_000}) as producer:
            future = await producer.send(topic, "x")
            began = time.monotonic()
            await producer.flush()
            assert time.monotonic() - began < 20 and future.done()

    run(main())


def test_closed(servers, topic):
    async def main():
        producer, consumer = milena.AsyncProducer(servers), milena.AsyncConsumer(servers)
        await producer.send(topic, "x")
        await producer.close()
        await producer.close()
        with pytest.raises(milena.ClosedError):
            await producer.send(topic, "x")
        await consumer.close()
        await consumer.close()
        with pytest.raises(milena.ClosedError):
            await consumer.poll(1)

    run(main())


def test_a_cancelled_close_still_tells(cluster):
    async def main():
        cluster.create_topic("letters", 1)
        producer = milena.AsyncProducer({"bootstrap.servers": cluster.bootstrap_servers})
        await producer.send_and_wait("letters", "x")
        for broker in (1, 2, 3):
            cluster.broker_pause(broker)
        sent = await producer.send("letters", "y")
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(producer.close(), 0.2)
        assert not sent.done()
        for broker in (1, 2, 3):
            cluster.broker_resume(broker)
        assert (await asyncio.wait_for(sent, 30)).offset == 1
        await producer.close()
        await producer.close()
        assert repr(producer) == "<milena.AsyncProducer, closed>"
        with pytest.raises(milena.ClosedError):
            await producer.send("letters", "z")

    run(main())


def test_a_close_that_gives_up_tells(cluster):
    async def main():
        cluster.create_topic("letters", 1)
        producer = milena.AsyncProducer({"bootstrap.servers": cluster.bootstrap_servers})
        for broker in (1, 2, 3):
            cluster.broker_pause(broker)
        sent = await producer.send("letters", "y")
        with pytest.raises(milena.KafkaTimeoutError):
            await producer.close(0.1)
        with pytest.raises(milena.KafkaError):
            await sent
        await producer.close()

    run(main())
