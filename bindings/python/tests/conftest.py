"""Fixtures: an embedded cluster, topics of their own for each test, and clients that are closed after it."""

import faulthandler
import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest
from _pytest.faulthandler import fault_handler_stderr_fd_key

import milena

BINDING = Path(__file__).resolve().parent.parent
_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def _limit(pytestconfig):
    """A test that hangs ends all with the stacks of all threads, on the stderr from before pytest's capture."""
    stderr = pytestconfig.stash.get(fault_handler_stderr_fd_key, 2)
    faulthandler.dump_traceback_later(90, exit=True, file=stderr)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.fixture(scope="session")
def shared():
    """A cluster for tests that do it no harm."""
    with milena.EmbeddedCluster() as cluster:
        yield cluster


@pytest.fixture()
def cluster():
    """A cluster for one test."""
    with milena.EmbeddedCluster(brokers=3) as cluster:
        yield cluster


@pytest.fixture()
def servers(shared):
    return {"bootstrap.servers": shared.bootstrap_servers}


@pytest.fixture()
def topic(shared):
    """A topic with one partition."""
    name = f"topic-{next(_numbers)}"
    shared.create_topic(name, 1)
    return name


@pytest.fixture()
def group():
    return f"group-{next(_numbers)}"


@pytest.fixture()
def producer(servers):
    with milena.Producer(servers) as producer:
        yield producer


@pytest.fixture()
def reader(servers, group):
    """Makes consumers that begin at the beginning and do not commit by themselves."""
    made = []

    def make(**more):
        names = {name.replace("_", "."): value for name, value in more.items()}
        settings = {"group.id": group, "auto.offset.reset": "earliest", "enable.auto.commit": False, **servers, **names}
        made.append(milena.Consumer(settings))
        return made[-1]

    yield make
    for consumer in made:
        consumer.close(10)


def read(consumer, count, timeout=20.0):
    """Polls until there are `count` records."""
    deadline = milena._native.Deadline(timeout)
    records = []
    while len(records) < count and not deadline.over():
        records += consumer.poll(deadline.left())
    assert len(records) == count
    return records


def wait_for_event(consumer, kind, timeout=20.0):
    deadline = milena._native.Deadline(timeout)
    while not deadline.over():
        batch = consumer.poll(deadline.left())
        if batch.event is not None and batch.event.kind == kind:
            return batch.event
    raise AssertionError(f"no event {kind!r}")


def start(program, *arguments, **more):
    """A Python program in a process of its own, with milena in reach."""
    environment = {**os.environ, "PYTHONPATH": str(BINDING), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **more,
    )
