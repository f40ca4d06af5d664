"""Nothing that a consumer took is lost, nor counted as read, when it did not reach the program."""

import asyncio
import random
import signal
import time

import pytest
from conftest import read

import milena
from milena import TopicPartition, records


@pytest.fixture()
def hundred(producer, topic):
    producer.send_many(topic, [b"%d" % i for i in range(100)])
    producer.flush(20)
    return topic


@pytest.fixture()
def settings(servers, group):
    return {**servers, "group.id": group, "auto.offset.reset": "earliest", "auto.commit.interval.ms": 100}


def committed(reader, topic):
    return reader().committed([(topic, 0)], 20)[topic, 0]


def test_a_loop_that_is_left_has_read_what_it_came_to(settings, reader, hundred):
    with milena.Consumer(settings) as consumer:
        consumer.subscribe([hundred])
        for record in consumer:
            if record.offset == 2:
                break
    assert committed(reader, hundred).offset == 3


def test_an_exception_in_a_loop(settings, reader, hundred):
    with pytest.raises(ZeroDivisionError):
        with milena.Consumer(settings) as consumer:
            consumer.subscribe([hundred])
            for _record in consumer:
                1 / 0
    assert committed(reader, hundred).offset == 1


def test_what_follows_a_loop_goes_on_behind_it(reader, hundred):
    consumer, partition = reader(), TopicPartition(hundred, 0)
    consumer.assign([partition])
    first = iter(consumer)
    assert [next(first).offset for _ in range(3)] == [0, 1, 2]
    assert consumer.position() == {partition: 3}
    consumer.commit()
    assert consumer.committed()[partition].offset == 3
    assert next(iter(consumer)).offset == 3
    assert next(first).offset == 4
    assert consumer.poll(20, max_records=2)[0].offset == 5
    assert next(first).offset == 7
    consumer.seek({partition: 50})
    assert next(first).offset == 50
    consumer.pause([partition])
    assert not consumer.poll(0.1)
    consumer.resume([partition])
    assert [r.offset for r in read(consumer, 49)] == list(range(51, 100))
    consumer.seek({partition: 98})
    assert [next(first).offset, next(first).offset] == [98, 99]
    consumer.commit()
    assert consumer.committed()[partition].offset == 100
    consumer.seek({partition: 0})
    batch = next(consumer.batches(10))
    assert len(batch) == 10 and consumer.position() == {partition: 10}


def test_commits_in_a_loop(servers, group, reader, shared):
    """Of partitions that are read wholly, partly, and not at all."""
    name = f"three-{group}"
    shared.create_topic(name, 3)
    with milena.Producer(servers) as producer:
        for partition in (0, 1):
            producer.send_many(name, ["x"] * 10, partition=partition)
    consumer = reader()
    consumer.assign([(name, i) for i in range(3)])
    read_so_far = {}
    for count, record in enumerate(consumer, 1):
        read_so_far[record.partition] = record.offset + 1
        if count in (5, 15):
            consumer.commit()
            got = {p.partition: at.offset for p, at in consumer.committed().items() if at is not None and at.offset}
            assert got == read_so_far
        if count == 16:
            consumer.commit_async()
            break
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        got = {p.partition: at.offset for p, at in consumer.committed().items() if at is not None and at.offset}
        if got == read_so_far:
            return
    raise AssertionError(f"{got} is not {read_so_far}")


def test_an_automatic_commit_by_time_waits_for_the_next_batch(settings, reader, hundred):
    with milena.Consumer({**settings, "max.poll.records": 10}) as consumer:
        consumer.subscribe([hundred])
        records = iter(consumer)
        while next(records).offset < 14:
            pass
        other, deadline = reader(), time.monotonic() + 20
        while time.monotonic() < deadline:
            at = other.committed([(hundred, 0)], 20)[hundred, 0]
            if at is not None and at.offset:
                break
        time.sleep(0.3)
        assert other.committed([(hundred, 0)], 20)[hundred, 0].offset == 10
    assert committed(reader, hundred).offset == 15


class Interrupted(Exception):
    pass


@pytest.mark.parametrize("way", ["poll", "records", "batches"])
def test_signals_lose_nothing(reader, producer, topic, way):
    """A signal whose handler raises comes again and again, at any step of a call."""
    total = 4_000
    producer.send_many(topic, [b"%d" % i for i in range(total)])
    producer.flush(20)
    consumer = reader()
    consumer.assign([(topic, 0)])
    inside, package = False, str(milena.__path__[0])

    def handler(number, frame):
        # Between two steps of the test itself a record could be lost by the test.
        if inside and frame is not None and frame.f_code.co_filename.startswith(package):
            raise Interrupted

    def take():
        if way == "poll":
            return consumer.poll(5, max_records=7)
        return [next(iter(consumer))] if way == "records" else next(consumer.batches(7))

    offsets, hits, deadline = [], 0, time.monotonic() + 60
    before = signal.signal(signal.SIGALRM, handler)
    try:
        while len(offsets) < total and time.monotonic() < deadline:
            signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-6, 2e-4))
            try:
                inside = True
                taken = take()
                inside = False
            except Interrupted:
                inside = False
                hits += 1
                continue
            offsets += [record.offset for record in taken]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert hits, "no signal came inside of a call"
    assert offsets == list(range(total))


def test_close_after_an_interrupted_poll_commits_nothing_of_it(settings, reader, hundred, monkeypatch):
    consumer = milena.Consumer(settings)
    consumer.assign([(hundred, 0)])
    assert len(consumer.poll(20, max_records=4)) == 4
    take = consumer._take

    def taken_and_interrupted(*arguments):
        take(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(consumer, "_take", taken_and_interrupted)
    with pytest.raises(KeyboardInterrupt):
        consumer.poll(20)
    consumer.close(20)
    assert committed(reader, hundred).offset == 4


def test_an_event_that_was_interrupted_comes_again(settings, hundred):
    told = []

    def on_assign(partitions):
        told.append(partitions)
        if len(told) == 1:
            raise KeyboardInterrupt

    with milena.Consumer(settings) as consumer:
        consumer.subscribe([hundred], on_assign=on_assign)
        with pytest.raises(KeyboardInterrupt):
            consumer.poll(20)
        assert consumer.poll(20).event.kind == milena.EventKind.ASSIGNED
        assert told == [[(hundred, 0)]] * 2
        assert len(consumer.poll(20)) == 100


def run(main):
    asyncio.run(asyncio.wait_for(main, 60))


def test_cancelled_polls_lose_nothing(servers, hundred):
    async def main():
        async with milena.AsyncConsumer(servers) as consumer:
            consumer.assign({(hundred, 0): 0})
            values, cancelled = [], 0
            while len(values) < 100:
                for turns in range(6):
                    polling = asyncio.create_task(consumer.poll(20, max_records=2))
                    for _ in range(turns):
                        await asyncio.sleep(0)
                    polling.cancel()
                    try:
                        values += (await polling).values()
                    except asyncio.CancelledError:
                        cancelled += 1
                values += (await consumer.poll(1, max_records=2)).values()
            assert cancelled and [int(v) for v in values] == list(range(100))

    run(main())


def test_a_cancelled_callback_is_told_again(settings, hundred):
    async def main():
        async with milena.AsyncConsumer(settings) as consumer:
            told, reached = [], asyncio.Event()

            async def on_assign(partitions):
                told.append(partitions)
                reached.set()
                if len(told) == 1:
                    await asyncio.sleep(60)

            consumer.subscribe([hundred], on_assign=on_assign)
            polling = asyncio.create_task(consumer.poll(30))
            await reached.wait()
            polling.cancel()
            with pytest.raises(asyncio.CancelledError):
                await polling
            assert (await consumer.poll(20)).event.kind == milena.EventKind.ASSIGNED
            assert len(told) == 2 and len(await consumer.poll(20)) == 100

    run(main())


def test_an_async_loop_that_is_left(settings, reader, hundred):
    async def main():
        async with milena.AsyncConsumer(settings) as consumer:
            consumer.subscribe([hundred])
            async for record in consumer:
                if record.offset == 6:
                    break
            assert await consumer.position() == {(hundred, 0): 7}
            async for record in consumer:
                assert record.offset == 7
                break

    run(main())
    assert committed(reader, hundred).offset == 8


def test_a_handler_that_comes_while_a_batch_is_copied_does_not_free_it(monkeypatch):
    packer = records.Packer()
    packer.left, packer._block.batch.value = True, 4711
    monkeypatch.setattr(records, "_unpack", lambda batch, block: packer.recover())
    with pytest.raises(milena.BusyError):
        packer.recover()
    assert packer.left and packer._block.batch.value == 4711, "it is still to be copied, and freed, once"
