"""Partitions and offsets, and their way across the border."""

from __future__ import annotations

from ctypes import byref, c_size_t, sizeof
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Tuple, Union

from . import _ffi
from ._load import lib
from ._native import INT32, INT64, Arena, number, rows, text_out


class TopicPartition(NamedTuple):
    """A partition of a topic. Where one is asked for, a plain tuple (topic, partition) will do."""

    topic: str
    partition: int


class OffsetAndMetadata(NamedTuple):
    """An offset to commit or seek, or one that was committed."""

    offset: int
    """The offset of the next record to read."""
    metadata: str = ""
    """Any text, kept with a committed offset."""
    leader_epoch: int = -1
    """The leader epoch of the record before it, which lets the client notice lost records; -1: not known."""


class OffsetAndTimestamp(NamedTuple):
    """The first record of a time or later."""

    offset: int
    timestamp: int
    """Its time, in milliseconds since 1970-01-01 UTC."""


Partition = Union[TopicPartition, Tuple[str, int]]
Offset = Union[int, OffsetAndMetadata]


class Rows:
    """An array of structs for the library, and what it points to."""

    def __init__(self, kind: Any, items: List[Any]) -> None:
        self.array = (kind * len(items))(*items)
        self.arguments = (self.array, sizeof(kind), len(items))
        """The array, the stride and the number of rows."""


def partition_rows(partitions: Iterable[Partition]) -> Tuple[Rows, Arena]:
    """Partitions for the library."""
    if isinstance(partitions, (str, TopicPartition)):
        raise TypeError("a list of partitions is expected, such as [('letters', 0)]")
    arena = Arena()
    items = [_ffi.milena_topic_partition(arena.text(topic), _partition(of)) for topic, of in partitions]
    return Rows(_ffi.milena_topic_partition, items), arena


def offset_rows(offsets: Mapping[Any, Offset]) -> Tuple[Rows, Arena]:
    """Offsets of partitions for the library."""
    arena = Arena()
    items = []
    for (topic, of), at in offsets.items():
        offset, metadata, epoch = at if isinstance(at, tuple) else (at, "", -1)
        offset, epoch = number("an offset", offset, 0, INT64), number("a leader epoch", epoch, -1, INT32)
        row = (arena.text(topic), _partition(of), epoch, offset, -1, arena.text(metadata or None))
        items.append(_ffi.milena_offset(*row))
    return Rows(_ffi.milena_offset, items), arena


def time_rows(times: Mapping[Any, int]) -> Tuple[Rows, Arena]:
    """Times to look for in partitions, for the library."""
    arena = Arena()
    items = [
        _ffi.milena_offset(arena.text(topic), _partition(of), -1, -1, _time(time), _ffi.milena_bytes(None, 0))
        for (topic, of), time in times.items()
    ]
    return Rows(_ffi.milena_offset, items), arena


def _partition(given: int) -> int:
    return number("a partition", given, 0, INT32)


def _time(given: int) -> int:
    return number("a time", given, 0, INT64)


class OffsetRow(NamedTuple):
    """A milena_offset, copied."""

    partition: TopicPartition
    offset: int
    timestamp: int
    leader_epoch: int
    metadata: str

    def committed(self) -> Optional[OffsetAndMetadata]:
        """As a committed offset; None when there is none."""
        return None if self.offset < 0 else OffsetAndMetadata(self.offset, self.metadata, self.leader_epoch)


def read_rows(address: Optional[int], count: int, stride: int) -> List[OffsetRow]:
    """Copies an array of milena_offset."""
    return [
        OffsetRow(
            TopicPartition(text_out(row.topic), row.partition),
            row.offset,
            row.timestamp_ms,
            row.leader_epoch,
            text_out(row.metadata),
        )
        for row in rows(address, count, stride, _ffi.milena_offset)
    ]


def take_offsets(handle: Optional[int]) -> List[OffsetRow]:
    """Copies a milena_offsets and frees it."""
    try:
        count, stride = c_size_t(), c_size_t()
        first = lib.milena_offsets_rows(handle, byref(count), byref(stride))
        return read_rows(first, count.value, stride.value)
    finally:
        lib.milena_offsets_free(handle)


def as_dict(found: List[OffsetRow]) -> Dict[TopicPartition, int]:
    """Rows as offsets by partition."""
    return {row.partition: row.offset for row in found}
