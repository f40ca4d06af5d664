"""What concerns the whole process: Ctrl-C, its end, fork, threads, and many records."""

import os
import signal
import threading
import time

import pytest
from conftest import read, start

import milena

STUCK = """
import sys, threading, time, milena
cluster = milena.EmbeddedCluster()
cluster.create_topic("letters", 1)
settings = {"bootstrap.servers": cluster.bootstrap_servers, "group.id": "g"}
producer, consumer, admin = milena.Producer(settings), milena.Consumer(settings), milena.AdminClient(settings)
consumer.assign([("letters", 0)])
producer.send("letters", "x"); producer.flush()
consumer.commit({("letters", 0): 0})
consumer.seek_to_beginning()
assert len(consumer.poll(20)) == 1
cluster.broker_pause(1)
producer.send("letters", "x")
def fill():
    while True:
        producer.send_many("letters", [b"x" * 1000] * 1000)
print("ready", flush=True)
try:
    CALL
except KeyboardInterrupt:
    print("interrupted", flush=True)
    AFTER
else:
    print("went through")
cluster.broker_resume(1)
producer.close(20); consumer.close(20)
print("closed", flush=True)
"""


@pytest.mark.parametrize(
    "call",
    [
        "producer.flush()",
        "producer.close()",
        "[producer.poll(None) for _ in range(9)]",
        "fill()",
        "consumer.seek_to_beginning(); [consumer.poll(None) for _ in range(99)]",
        "consumer.seek_to_end(); next(iter(consumer))",
        "consumer.commit({('letters', 0): 1})",
        "consumer.committed([('letters', 0)])",
        "consumer.end_offsets([('letters', 0)])",
        "consumer.close(60)",
        "admin.list_topics()",
    ],
)
def test_ctrl_c(call):
    process = start(STUCK.replace("CALL", call).replace("AFTER", "pass"))
    try:
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        assert process.stdout.readline() == "interrupted\n"
        assert time.monotonic() - began < 1.0
        out, err = process.communicate(timeout=40)
        assert out == "closed\n", err
        assert process.returncode == 0
    finally:
        process.kill()
        process.communicate()


def test_the_consumer_is_as_before_after_ctrl_c():
    after = "cluster.broker_resume(1); consumer.seek_to_beginning(); print(len(consumer.poll(10)) > 0, flush=True)"
    call = "consumer.commit({('letters', 0): 1})"
    process = start(STUCK.replace("CALL", call).replace("AFTER", after))
    try:
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=40)
        assert out == "interrupted\nTrue\nclosed\n", err
    finally:
        process.kill()
        process.communicate()


def test_nothing_is_lost_at_exit(shared, topic, reader):
    program = """
import sys, milena
producer = milena.Producer({"bootstrap.servers": sys.argv[1], "linger.ms": 60000})
producer.send_many(sys.argv[2], [str(i) for i in range(1000)])
other = milena.Producer({"bootstrap.servers": sys.argv[1], "linger.ms": 60000})
other.send(sys.argv[2], "other")
del other
HOW
"""
    for how in ("sys.exit(3)", "1 / 0"):
        process = start(program.replace("HOW", how), shared.bootstrap_servers, topic)
        process.communicate(timeout=40)
        assert process.returncode in (1, 3)
    consumer = reader()
    consumer.assign([(topic, 0)])
    read(consumer, 2002)


def test_failures_at_exit_are_told():
    program = """
import milena
cluster = milena.EmbeddedCluster()
cluster.error(milena.Api.PRODUCE, milena.Code.INVALID_RECORD, times=milena.ALWAYS)
producer = milena.Producer({"bootstrap.servers": cluster.bootstrap_servers})
producer.send("letters", "x")
"""
    _, err = start(program).communicate(timeout=40)
    assert "1 records were not delivered: INVALID_RECORD" in err


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_fork():
    program = """
import os, sys, milena
cluster = milena.EmbeddedCluster()
settings = {"bootstrap.servers": cluster.bootstrap_servers}
producer, consumer, admin = milena.Producer(settings), milena.Consumer(settings), milena.AdminClient(settings)
producer.send("letters", "of the parent")
child = os.fork()
if child == 0:
    for call in (lambda: producer.send("letters", "x"), lambda: producer.flush(), lambda: producer.poll(0),
                 lambda: producer.close(), lambda: consumer.assign([("letters", 0)]), lambda: consumer.poll(0),
                 lambda: admin.list_topics(), lambda: cluster.create_topic("a")):
        try:
            call()
            print("no error", flush=True)
        except milena.ForkedError:
            pass
    with milena.Producer(settings) as own:
        own.send("letters", "of the child")
    print("child", flush=True)
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
producer.close(20)
consumer.assign({("letters", 0): 0})
found = []
while len(found) < 2:
    found += consumer.poll(20).values()
print(sorted(found))
consumer.close(10)
"""
    process = start(program)
    out, err = process.communicate(timeout=60)
    assert out == "child\n[b'of the child', b'of the parent']\n", err


def test_many_threads_one_producer(servers, topic, reader):
    threads, each = 8, 2000
    told = [0] * threads
    with milena.Producer({**servers, "buffer.memory": 1_000_000}) as producer:

        def work(number):
            def on_delivery(error, where):
                assert error is None
                told[number] += 1

            for i in range(each):
                producer.send(topic, f"{number}:{i}", on_delivery=on_delivery)
                if i % 100 == 0:
                    producer.poll()

        running = [threading.Thread(target=work, args=(n,)) for n in range(threads)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
    assert told == [each] * threads
    consumer = reader()
    consumer.assign([(topic, 0)])
    found = [r.value.decode().split(":") for r in read(consumer, threads * each)]
    for number in range(threads):
        assert [int(i) for n, i in found if int(n) == number] == list(range(each))


def test_a_close_ends_waits_of_other_threads(servers):
    producer = milena.Producer(servers)
    results = []
    thread = threading.Thread(target=lambda: results.append(producer.poll(None)))
    thread.start()
    time.sleep(0.1)
    producer.close(10)
    thread.join(20)
    assert results == [[]]


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_a_hundred_thousand_records(servers, shared, topic, reader, codec):
    name, count = f"{topic}-{codec}", 100_000
    shared.create_topic(name, 4)
    with milena.Producer({**servers, "compression.type": codec}) as producer:
        values = [b"%d:%090d" % (i, i) for i in range(count)]
        assert producer.send_many(name, values, keys=[b"%d" % (i % 97) for i in range(count)], tokens=range(1, count + 1)) == count
        producer.flush(60)
        tokens = sorted(t for d in producer.poll() for t in d.tokens)
        assert tokens == list(range(1, count + 1))
    consumer = reader(max_poll_records=10_000)
    consumer.subscribe([name])
    seen, last = 0, {}
    while seen < count:
        for chunk in consumer.poll(30).chunks:
            for key, value in zip(chunk.keys(), chunk.values()):
                number = int(value[: value.index(b":")])
                assert values[number] == value and key == b"%d" % (number % 97)
                assert last.get(key, -1) < number, "order by key"
                last[key] = number
            seen += len(chunk)
    assert seen == count and not consumer.poll(0.2)
