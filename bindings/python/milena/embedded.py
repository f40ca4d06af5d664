"""The embedded cluster: a Kafka for tests."""

from __future__ import annotations

import weakref
from ctypes import byref, c_uint64, sizeof
from enum import IntEnum
from types import TracebackType
from typing import Mapping, Optional, Type

from . import _ffi
from ._load import lib
from ._native import INT32, INT64, Arena, call, call_out, number, text_in
from ._turn import NotCopied
from .codes import Code
from .config import NativeConfig, Value
from .errors import ClosedError, from_status

ALWAYS = 2**32 - 1
"""For `times`: all requests, until the faults are cleared."""


class Api(IntEnum):
    """Requests by their numbers in the protocol; any other number will do as well."""

    PRODUCE = 0
    FETCH = 1
    LIST_OFFSETS = 2
    METADATA = 3
    OFFSET_COMMIT = 8
    OFFSET_FETCH = 9
    FIND_COORDINATOR = 10
    JOIN_GROUP = 11
    HEARTBEAT = 12
    LEAVE_GROUP = 13
    SYNC_GROUP = 14
    API_VERSIONS = 18
    CREATE_TOPICS = 19
    DELETE_TOPICS = 20
    INIT_PRODUCER_ID = 22


class Fault(IntEnum):
    """What can go wrong with a request."""

    ERROR = _ffi.MILENA_FAULT_ERROR
    """It is answered with `code` and not carried out. (Produce with REQUEST_TIMED_OUT or
    NOT_ENOUGH_REPLICAS_AFTER_APPEND appends all the same, as Kafka does.)"""
    DELAY = _ffi.MILENA_FAULT_DELAY
    """The answer comes `delay` seconds later; so do later ones on the same connection."""
    DISCONNECT_BEFORE = _ffi.MILENA_FAULT_DISCONNECT_BEFORE
    """The connection is closed and the request not carried out."""
    DISCONNECT_AFTER = _ffi.MILENA_FAULT_DISCONNECT_AFTER
    """The request is carried out, and the connection closed instead of an answer."""
    DROP_ANSWER = _ffi.MILENA_FAULT_DROP_ANSWER
    """The request is carried out and never answered, nor is any later one on the same connection."""
    GARBAGE = _ffi.MILENA_FAULT_GARBAGE
    """Random bytes come instead of the answer."""
    HUGE_LENGTH = _ffi.MILENA_FAULT_HUGE_LENGTH
    """Instead of the answer comes the start of a frame that says to be 2 GiB long."""
    CUT_OFF = _ffi.MILENA_FAULT_CUT_OFF
    """The first half of the answer comes, then the connection is closed."""
    TRUNCATED = _ffi.MILENA_FAULT_TRUNCATED
    """The answer comes in a sound frame, but ends in the middle."""
    WRONG_CORRELATION = _ffi.MILENA_FAULT_WRONG_CORRELATION
    """The answer has another request's correlation id."""


class EmbeddedCluster(NotCopied):
    """Brokers inside this process, in memory, on loopback, that any Kafka client can connect to.

    ::

        with milena.EmbeddedCluster() as cluster:
            cluster.create_topic("letters", partitions=3)
            producer = milena.Producer({"bootstrap.servers": cluster.bootstrap_servers})

    Starts and ends in milliseconds. Broker ids are 1, 2, 3 … All methods may be called from any threads at once.

    :param brokers: 1 to 1000.
    :param base_port: broker i listens on 127.0.0.1 at this port + i - 1; 0: at ports that are free.
    :param settings: auto.create.topics.enable (true), num.partitions (1), default.replication.factor (1),
        message.max.bytes, log.retention.bytes, group.initial.rebalance.delay.ms (0), cluster.id, broker.version (which
        version of Kafka to pretend to be, such as "1.1"), seed (what ids are drawn from).
    :raises TransportError: a port is taken.
    """

    def __init__(self, brokers: int = 1, base_port: int = 0, settings: Optional[Mapping[str, Value]] = None) -> None:
        brokers, base_port = number("brokers", brokers, 1, 1000), number("base_port", base_port, 0, 65535)
        with NativeConfig(settings, None) as config:
            self._handle = call_out(lib.milena_embedded_new, brokers, base_port, config.handle)
        self._finalizer = weakref.finalize(self, lib.milena_embedded_free, self._handle)
        # Producers that were not closed may still have to deliver to it when the program ends.
        self._finalizer.atexit = False  # type: ignore[misc]

    @property
    def bootstrap_servers(self) -> str:
        """What clients need as ``bootstrap.servers``."""
        servers: Optional[bytes] = lib.milena_embedded_bootstrap_servers(self._handle)
        if servers is None:
            raise ClosedError(str(from_status(Code.CLOSED, "the embedded cluster is closed")), code=Code.CLOSED)
        return servers.decode()

    def create_topic(self, name: str, partitions: int = -1, replication_factor: int = -1) -> None:
        """Creates a topic; -1: the cluster's default.

        :raises TopicExistsError: there is one of this name.
        """
        partitions = number("partitions", partitions, -1, INT32)
        replication_factor = number("replication_factor", replication_factor, -1, INT32)
        call(lib.milena_embedded_create_topic, self._handle, text_in(name), partitions, replication_factor)

    def fault(
        self,
        kind: Fault,
        api: int = -1,
        *,
        code: int = 0,
        broker: int = -1,
        topic: Optional[str] = None,
        partition: int = -1,
        skip: int = 0,
        times: int = 1,
        delay: float = 0.0,
    ) -> None:
        """Adds something that is to go wrong. Each request takes the first error that fits it, and the first other
        fault that fits.

        :param api: only requests of this :class:`Api`; -1: all.
        :param code: of an ERROR: one of Kafka's codes, such as ``Code.NOT_LEADER_OR_FOLLOWER``.
        :param broker: only requests to this broker; -1: all.
        :param topic: of an ERROR: only this topic or group fails.
        :param partition: of an ERROR: only this partition fails; -1: all.
        :param skip: how many requests that fit pass unharmed first.
        :param times: how many requests it happens to; ``ALWAYS``: all.
        :param delay: of a DELAY: seconds.
        """
        arena = Arena()
        row = _ffi.milena_fault(
            kind,
            _id("code", code),
            _id("api", api),
            _id("broker", broker),
            arena.text(topic),
            _id("partition", partition),
            number("skip", skip, 0, ALWAYS),
            number("times", times, 0, ALWAYS),
            number("delay in ms", round(delay * 1000), 0, INT64),
        )
        call(lib.milena_embedded_push_fault, self._handle, byref(row), sizeof(row))

    def error(self, api: int, code: int, times: int = 1) -> None:
        """The next requests of this API are answered with this code of Kafka's: the short form of :meth:`fault`."""
        times = number("times", times, 0, ALWAYS)
        call(lib.milena_embedded_push_error, self._handle, _id("api", api), _id("code", code), times)

    def clear_faults(self) -> None:
        """Takes all faults back. Brokers that are down or paused stay so."""
        call(lib.milena_embedded_clear_faults, self._handle)

    def broker_down(self, broker: int) -> None:
        """Ends a broker as kill -9 would; its partitions get other leaders, its records are kept."""
        call(lib.milena_embedded_broker_down, self._handle, _id("broker", broker))

    def broker_up(self, broker: int) -> None:
        """Starts a broker again, on the same port."""
        call(lib.milena_embedded_broker_up, self._handle, _id("broker", broker))

    def broker_pause(self, broker: int) -> None:
        """Stops a broker from answering and reading, as SIGSTOP would: connections stay open."""
        call(lib.milena_embedded_broker_pause, self._handle, _id("broker", broker))

    def broker_resume(self, broker: int) -> None:
        """Ends :meth:`broker_pause`."""
        call(lib.milena_embedded_broker_resume, self._handle, _id("broker", broker))

    def move_leader(self, topic: str, partition: int, broker: int) -> None:
        """Makes a broker the leader of a partition. Clients are not told."""
        place = (text_in(topic), _id("partition", partition))
        call(lib.milena_embedded_move_leader, self._handle, *place, _id("broker", broker))

    def move_coordinator(self, group: str, broker: int) -> None:
        """Makes a broker the coordinator of a group. Clients are not told."""
        call(lib.milena_embedded_move_coordinator, self._handle, text_in(group), _id("broker", broker))

    def corrupt_batch(self, topic: str, partition: int, index: int) -> None:
        """Damages a stored batch of a partition, the first of which is 0, so that its checksum is wrong."""
        place = (text_in(topic), _id("partition", partition))
        call(lib.milena_embedded_corrupt_batch, self._handle, *place, number("index", index, 0, INT64))

    def request_count(self, api: int = -1) -> int:
        """How many requests of an API all brokers have received so far; -1: of all APIs."""
        out = c_uint64()
        call(lib.milena_embedded_request_count, self._handle, _id("api", api), byref(out))
        return out.value

    def close(self) -> None:
        """Ends the brokers; their records are gone. Closing again does nothing."""
        self._finalizer()

    def __enter__(self) -> EmbeddedCluster:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()


def _id(name: str, given: int) -> int:
    return number(name, given, -1, INT32)
