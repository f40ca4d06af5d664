"""One thread at a time in a consumer, and its end from another one."""

import asyncio
import threading
import time

import pytest

import milena


def test_threads_that_poll_together_get_each_record_once_or_are_busy(reader, producer, topic):
    producer.send_many(topic, [b"%d" % i for i in range(20_000)])
    producer.flush(20)
    consumer = reader()
    consumer.assign([(topic, 0)])
    values, busy, trouble = [], [], []
    deadline = time.monotonic() + 40

    def work():
        while len(values) < 20_000 and not trouble and time.monotonic() < deadline:
            try:
                values.extend(consumer.poll(0.05, max_records=3).values())
            except milena.BusyError:
                busy.append(1)
            except BaseException as error:
                trouble.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert not trouble and busy
    assert sorted(map(int, values)) == list(range(20_000))


def in_poll(consumer):
    """Polls without end in another thread; waits until it is inside the consumer."""
    outcome = []

    def work():
        try:
            outcome.append(consumer.poll(None))
        except milena.KafkaError as error:
            outcome.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if not consumer._turn.lock.acquire(False):
            return thread, outcome
        consumer._turn.lock.release()
        time.sleep(0.001)
    raise AssertionError("it does not poll")


def test_all_calls_are_refused_while_a_poll_waits(reader, topic):
    consumer = reader()
    consumer.assign([(topic, 0)])
    thread, outcome = in_poll(consumer)
    partition = (topic, 0)
    for call in (
        lambda: consumer.poll(0),
        lambda: next(iter(consumer)),
        lambda: next(consumer.batches()),
        lambda: consumer.subscribe([topic]),
        lambda: consumer.unsubscribe(),
        lambda: consumer.assign([partition]),
        lambda: consumer.assignment(),
        lambda: consumer.seek({partition: 1}),
        lambda: consumer.seek_to_beginning(),
        lambda: consumer.seek_to_end(),
        lambda: consumer.pause([partition]),
        lambda: consumer.resume([partition]),
        lambda: consumer.commit(),
        lambda: consumer.commit({partition: 1}),
        lambda: consumer.commit_async(),
        lambda: consumer.position(),
        lambda: consumer.committed(),
        lambda: consumer.beginning_offsets([partition]),
        lambda: consumer.end_offsets([partition]),
        lambda: consumer.offsets_for_times({partition: 1}),
    ):
        with pytest.raises(milena.BusyError):
            call()
    consumer.wakeup()
    thread.join(20)
    assert isinstance(outcome[0], milena.WakeupError)
    assert consumer.assignment() == [partition]


def test_close_ends_the_poll_of_another_thread(reader, topic):
    consumer = reader()
    consumer.assign([(topic, 0)])
    thread, outcome = in_poll(consumer)
    consumer.close(20)
    thread.join(20)
    assert isinstance(outcome[0], milena.ClosedError)
    with pytest.raises(milena.ClosedError):
        consumer.poll(0)


def test_close_gives_up_when_the_other_thread_does_not_leave(servers, topic, group):
    inside, leave = threading.Event(), threading.Event()

    def on_assign(partitions):
        inside.set()
        leave.wait(60)

    consumer = milena.Consumer({**servers, "group.id": group})
    consumer.subscribe([topic], on_assign=on_assign)
    thread = threading.Thread(target=consumer.poll, args=(30,))
    thread.start()
    assert inside.wait(30)
    with pytest.raises(milena.BusyError):
        consumer.close(0.1)
    leave.set()
    thread.join(30)
    consumer.close(20)


def test_callbacks_may_call_the_consumer(servers, topic, group, producer):
    producer.send(topic, "x")
    producer.flush(20)
    seen = []
    with milena.Consumer({**servers, "group.id": group, "auto.offset.reset": "earliest"}) as consumer:

        def on_assign(partitions):
            seen.append(consumer.assignment())
            seen.append(consumer.committed(partitions))

        consumer.subscribe([topic], on_assign=on_assign)
        assert next(iter(consumer)).value == b"x"
    assert seen == [[(topic, 0)], {(topic, 0): None}]


def test_two_tasks(servers, topic):
    async def main():
        consumer = milena.AsyncConsumer(servers)
        consumer.assign([(topic, 0)])
        first = asyncio.create_task(consumer.poll(None))
        await asyncio.sleep(0.05)
        for call in (consumer.poll(0), consumer.position(), consumer.end_offsets([(topic, 0)])):
            with pytest.raises(milena.BusyError):
                await call
        async with milena.AsyncProducer(servers) as producer:
            await producer.send_and_wait(topic, "x")
        await consumer.close(20)
        with pytest.raises(milena.ClosedError):
            await consumer.poll(0)
        outcome = (await asyncio.gather(first, return_exceptions=True))[0]
        assert isinstance(outcome, (milena.ClosedError, milena.Batch))

    asyncio.run(asyncio.wait_for(main(), 60))


def test_close_ends_the_poll_of_another_task(servers, topic):
    async def main():
        consumer = milena.AsyncConsumer(servers)
        consumer.assign([(topic, 0)])
        polling = asyncio.create_task(consumer.poll(None))
        await asyncio.sleep(0.05)
        await consumer.close(20)
        with pytest.raises(milena.ClosedError):
            await polling

    asyncio.run(asyncio.wait_for(main(), 60))
