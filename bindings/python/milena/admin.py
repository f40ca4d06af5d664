"""The admin client."""

from __future__ import annotations

import uuid
import weakref
from ctypes import byref, c_int32, c_size_t, c_void_p, cast, sizeof, string_at
from struct import unpack
from types import TracebackType
from typing import Any, Callable, Iterable, List, Mapping, NamedTuple, Optional, Tuple, Type, TypeVar, Union

from . import _ffi, log
from ._load import lib
from ._native import INT32, Arena, call, call_out, interruptible, milliseconds, number, rows, taken, text_out
from ._turn import NotCopied
from .config import NativeConfig, Path, Value, as_text
from .errors import KafkaError, from_pointer, from_status


T = TypeVar("T")


class NewTopic(NamedTuple):
    """A topic to create."""

    name: str
    partitions: int = -1
    """-1: the broker's default, which brokers before 2.4 do not have."""
    replication_factor: int = -1
    """-1: the broker's default, which brokers before 2.4 do not have."""
    configs: Optional[Mapping[str, Value]] = None
    """Properties of the topic, such as ``{"cleanup.policy": "compact"}``."""


class PartitionDescription(NamedTuple):
    """What is known of a partition."""

    partition: int
    leader: Optional[int]
    """The id of the broker that leads it; None when there is none at the moment."""
    leader_epoch: int
    """-1 when it is not known."""
    replicas: Tuple[int, ...]
    """The ids of the brokers that have it."""
    in_sync: Tuple[int, ...]
    """The ids of those that have all of it."""
    error: Optional[KafkaError]
    """What is wrong with it, such as LEADER_NOT_AVAILABLE."""


class TopicDescription(NamedTuple):
    """What is known of a topic, or what came of creating or deleting it."""

    name: str
    id: Optional[uuid.UUID]
    """None from brokers before 2.8."""
    is_internal: bool
    partitions: List[PartitionDescription]
    """By number; none after creating and deleting."""
    error: Optional[KafkaError]


class Broker(NamedTuple):
    """A broker of a cluster."""

    id: int
    host: str
    port: int
    rack: Optional[str]


class ClusterDescription(NamedTuple):
    """What is known of a cluster."""

    id: Optional[str]
    controller: Optional[int]
    """The id of the broker that changes are sent to."""
    brokers: List[Broker]


class AdminClient(NotCopied):
    """Creates, deletes and describes topics, and describes the cluster.

    All methods may be called from any threads at once. Each asks the brokers and waits for their answer, `timeout`
    seconds at most (None: ``default.api.timeout.ms``; then KafkaTimeoutError); what passes by itself is tried again
    until then. When a topic fails, its error is raised (:class:`milena.TopicExistsError` for example), whose
    ``results`` tell of all topics that were asked for.

    :param config: properties by the names of Java's client or librdkafka's (CONFIGURATION.md lists them).
    :param file: a Java .properties file to take first; ``config`` wins over it.
    :raises ConfigurationError: names or values that are wrong.
    """

    def __init__(self, config: Optional[Mapping[str, Value]] = None, *, file: Optional[Path] = None) -> None:
        with NativeConfig(config, file) as native:
            self._handle = call_out(lib.milena_admin_new, native.handle)
            self._logs = native.get("log.sink") == "poll"
        weakref.finalize(self, lib.milena_admin_free, self._handle)

    def create_topics(
        self,
        topics: Iterable[Union[NewTopic, str]],
        validate_only: bool = False,
        timeout: Optional[float] = None,
    ) -> List[TopicDescription]:
        """Creates topics; names alone take the broker's defaults. A topic that was just created may not be known to
        all brokers for a moment.

        :param validate_only: only checks whether they could be created.
        :raises TopicExistsError: there is one of this name.
        """
        arena, kept = Arena(), []
        items = []
        for topic in topics:
            new = NewTopic(topic) if isinstance(topic, str) else topic
            if not isinstance(new, NewTopic):
                raise TypeError(f"a NewTopic or a name is expected, not {type(new).__name__}")
            pairs = [
                _ffi.milena_property(arena.text(name), arena.text(as_text(name, value)))
                for name, value in (new.configs or {}).items()
            ]
            kept.append((_ffi.milena_property * len(pairs))(*pairs))
            address = cast(kept[-1], c_void_p).value if pairs else None
            count = number("the number of partitions", new.partitions, -1, INT32)
            factor = number("the replication factor", new.replication_factor, -1, 2**15 - 1)
            items.append(_ffi.milena_new_topic(arena.text(new.name), count, factor, address, len(pairs)))
        array = (_ffi.milena_new_topic * len(items))(*items)
        size = sizeof(_ffi.milena_new_topic)
        arguments = (array, size, len(items), int(validate_only), milliseconds(timeout))
        return self._about_topics(lib.milena_admin_create_topics, arguments, (arena, kept))

    def create_topic(
        self,
        name: str,
        partitions: int = -1,
        replication_factor: int = -1,
        configs: Optional[Mapping[str, Value]] = None,
        timeout: Optional[float] = None,
    ) -> None:
        """Creates one topic; see :meth:`create_topics`."""
        self.create_topics([NewTopic(name, partitions, replication_factor, configs)], timeout=timeout)

    def delete_topics(self, topics: Iterable[str], timeout: Optional[float] = None) -> List[TopicDescription]:
        """Deletes topics, with all their records.

        :raises UnknownTopicOrPartitionError: there is no such topic.
        """
        return self._named(lib.milena_admin_delete_topics, topics, timeout)

    def describe_topics(self, topics: Iterable[str], timeout: Optional[float] = None) -> List[TopicDescription]:
        """Describes topics: ids, partitions, leaders, replicas. Does not create them.

        :raises UnknownTopicOrPartitionError: there is no such topic.
        """
        return self._named(lib.milena_admin_describe_topics, topics, timeout)

    def list_topics(self, internal: bool = False, timeout: Optional[float] = None) -> List[TopicDescription]:
        """Describes all topics, in the order of their names.

        :param internal: Kafka's own, such as __consumer_offsets, too.
        """
        return self._about_topics(lib.milena_admin_list_topics, (int(internal), milliseconds(timeout)))

    def describe_cluster(self, timeout: Optional[float] = None) -> ClusterDescription:
        """Describes the cluster: its id, its controller, its brokers."""
        ms = milliseconds(timeout)
        return self._wait_for(lambda: _cluster(call_out(lib.milena_admin_describe_cluster, self._handle, ms)))

    def close(self) -> None:
        """Ends the client: calls of other threads that wait end with ClosedError, as do later ones. Does not block."""
        call(lib.milena_admin_close, self._handle)

    def __enter__(self) -> AdminClient:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()

    def _named(self, function: Any, topics: Iterable[str], timeout: Optional[float]) -> List[TopicDescription]:
        if isinstance(topics, str):
            raise TypeError("a list of topics is expected, such as ['letters']")
        arena = Arena()
        names = [arena.text(topic) for topic in topics]
        array = (_ffi.milena_bytes * len(names))(*names)
        return self._about_topics(function, (array, len(names), milliseconds(timeout)), arena)

    def _about_topics(self, function: Any, arguments: Tuple[Any, ...], kept: object = None) -> List[TopicDescription]:
        def work(_kept: object = kept) -> List[TopicDescription]:
            out, error = c_void_p(), c_void_p()
            status = function(self._handle, *arguments, byref(out), byref(error))
            results = _topics(out.value)
            if status != 0:
                failure = taken(status, error)
                failure.results = tuple(results)
                raise failure
            return results

        return self._wait_for(work)

    def _wait_for(self, work: Callable[[], T]) -> T:
        try:
            return interruptible(work)
        finally:
            if self._logs:
                log.forward(lib.milena_admin_log, self._handle)


def _failure(status: int, error: Optional[int] = None) -> Optional[KafkaError]:
    if status == 0:
        return None
    return from_pointer(error) if error else from_status(status)


def _numbers(address: Optional[int], count: int) -> Tuple[int, ...]:
    return unpack(f"{count}i", string_at(address, count * sizeof(c_int32))) if address else ()


def _topics(handle: Optional[int]) -> List[TopicDescription]:
    """Copies a milena_topics and frees it."""
    try:
        count, stride = c_size_t(), c_size_t()
        first = lib.milena_topics_rows(handle, byref(count), byref(stride))
        return [_topic(row) for row in rows(first, count.value, stride.value, _ffi.milena_topic)]
    finally:
        lib.milena_topics_free(handle)


def _topic(row: Any) -> TopicDescription:
    raw = bytes(row.id)
    partitions = [
        PartitionDescription(
            p.partition,
            None if p.leader < 0 else p.leader,
            p.leader_epoch,
            _numbers(p.replicas, p.replicas_len),
            _numbers(p.in_sync, p.in_sync_len),
            _failure(p.status),
        )
        for p in rows(row.partitions, row.partitions_len, row.partitions_stride, _ffi.milena_partition)
    ]
    topic_id = uuid.UUID(bytes=raw) if any(raw) else None
    return TopicDescription(
        text_out(row.name), topic_id, bool(row.is_internal), partitions, _failure(row.status, row.error)
    )


def _cluster(handle: Optional[int]) -> ClusterDescription:
    """Copies a milena_cluster and frees it."""
    try:
        count, stride = c_size_t(), c_size_t()
        first = lib.milena_cluster_brokers(handle, byref(count), byref(stride))
        brokers = [
            Broker(row.id, row.host.decode(), row.port, None if row.rack is None else row.rack.decode())
            for row in rows(first, count.value, stride.value, _ffi.milena_broker)
        ]
        cluster_id: Optional[bytes] = lib.milena_cluster_id(handle)
        controller = lib.milena_cluster_controller(handle)
        name = None if cluster_id is None else cluster_id.decode()
        return ClusterDescription(name, None if controller < 0 else controller, brokers)
    finally:
        lib.milena_cluster_free(handle)
