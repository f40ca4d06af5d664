"""What a poll of a consumer gives: records, copied out of the library at once and built when they are looked at."""

from __future__ import annotations

import struct
from array import array
from ctypes import addressof, byref, c_char, c_size_t, c_void_p
from enum import IntEnum
from itertools import repeat
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple, Union, overload

from . import _ffi
from ._load import lib
from ._native import INT64, call, number, taken
from ._turn import busy
from .errors import KafkaError, from_pointer, from_status
from .types import OffsetAndMetadata, TopicPartition, read_rows

_HEAD = struct.Struct("<8I")
_CHUNKS = struct.Struct("<4xI8xI12x")
_CHUNK = struct.Struct("<IIiiqII8x")
_ROW = struct.Struct("<qqIiIiIIII")
_OFFSETS = struct.Struct("<q40x")
_TIMES = struct.Struct("<8xq32x")
_KEYS = struct.Struct("<16xIi24x")
_VALUES = struct.Struct("<24xIi16x")
_HEADER = struct.Struct("<IiIi")
_LAYOUT = 1
_poll = lib.milena_consumer_poll_packed
_Row = Tuple[int, int, int, int, int, int, int, int, int, int]


class EventKind(IntEnum):
    """What happened; see :class:`Event`."""

    ASSIGNED = _ffi.MILENA_EVENT_ASSIGNED
    """These partitions are this member's from now on."""
    REVOKED = _ffi.MILENA_EVENT_REVOKED
    """These are to be given up: the next poll says that the program is done with them; commit before it."""
    LOST = _ffi.MILENA_EVENT_LOST
    """These are gone already; nothing can be committed for them."""
    COMMITTED = _ffi.MILENA_EVENT_COMMITTED
    """A commit that nobody waited for has ended."""


_KINDS = frozenset(map(int, EventKind))


class Event:
    """Something that happened to the group or to a commit."""

    __slots__ = ("kind", "partitions", "offsets", "error")

    def __init__(self, row: Any) -> None:
        found = read_rows(row.partitions, row.partitions_len, row.partitions_stride)
        self.kind: int = EventKind(row.kind) if row.kind in _KINDS else row.kind
        """An :class:`EventKind`, or a number of a newer library, to be ignored."""
        self.partitions: List[TopicPartition] = [each.partition for each in found]
        self.offsets: Dict[TopicPartition, OffsetAndMetadata] = {}
        """Of a commit: what was to be committed."""
        for each in found:
            committed = each.committed()
            if committed is not None:
                self.offsets[each.partition] = committed
        self.error: Optional[KafkaError] = None
        """Of a commit: why it failed; None: it did not."""
        if row.status != 0:
            self.error = from_pointer(row.error) if row.error else from_status(row.status)

    def __repr__(self) -> str:
        name = self.kind.name if isinstance(self.kind, EventKind) else self.kind
        return f"<Event {name} {self.partitions}{f' {self.error}' if self.error else ''}>"


class Record:
    """A record that was read. It is a view into its batch, whose memory it keeps."""

    __slots__ = ("_batch", "_row")

    def __init__(self, batch: Batch, row: _Row) -> None:
        self._batch = batch
        self._row = row

    @property
    def topic(self) -> str:
        return self._batch.chunks[self._row[9]].topic

    @property
    def partition(self) -> int:
        return self._batch.chunks[self._row[9]].partition

    @property
    def leader_epoch(self) -> int:
        """The epoch of the leader that stored the record; -1 when it is not known."""
        return self._batch.chunks[self._row[9]].leader_epoch

    @property
    def offset(self) -> int:
        return self._row[0]

    @property
    def timestamp(self) -> int:
        """Milliseconds since 1970-01-01 UTC; -1 when there is none."""
        return self._row[1]

    @property
    def timestamp_type(self) -> str:
        """Who set the timestamp: "create": the producer; "append": the broker; "none": there is none."""
        flags = self._row[8]
        if flags & _ffi.MILENA_RECORD_NO_TIMESTAMP:
            return "none"
        return "append" if flags & _ffi.MILENA_RECORD_APPEND_TIME else "create"

    @property
    def key(self) -> Optional[bytes]:
        """The key; None is Kafka's null, which is not the same as empty."""
        row = self._row
        length = row[3]
        return None if length < 0 else self._batch.block[row[2] : row[2] + length]

    @property
    def value(self) -> Optional[bytes]:
        """The value; None is Kafka's null (a tombstone in compacted topics), which is not the same as empty."""
        row = self._row
        length = row[5]
        return None if length < 0 else self._batch.block[row[4] : row[4] + length]

    @property
    def value_view(self) -> Optional[memoryview]:
        """The value without a copy."""
        row = self._row
        return None if row[5] < 0 else memoryview(self._batch.block)[row[4] : row[4] + row[5]]

    @property
    def headers(self) -> List[Tuple[str, Optional[bytes]]]:
        """The headers, in their order; names may come twice."""
        return self._batch._headers_at(self._row[6], self._row[7]) if self._row[7] else []

    @property
    def is_control(self) -> bool:
        """Whether it is a marker of a transaction's end; only :func:`milena.decode_batches` gives these."""
        return bool(self._row[8] & _ffi.MILENA_RECORD_CONTROL)

    def __repr__(self) -> str:
        value = self.value_view
        size = "null" if value is None else f"{len(value)} bytes"
        return f"<Record {self.topic}-{self.partition} at {self.offset}, {size}>"


class Chunk(Sequence[Record]):
    """The records of one partition in a batch, in the order of their offsets, which may have gaps."""

    __slots__ = ("topic", "partition", "leader_epoch", "next_offset", "_batch", "_first", "_count")

    def __init__(self, batch: Batch, row: Tuple[int, ...]) -> None:
        place, length, self.partition, self.leader_epoch, self.next_offset, self._first, self._count = row
        self.topic = batch.block[place : place + length].decode("utf-8", "replace")
        self._batch = batch

    @property
    def topic_partition(self) -> TopicPartition:
        return TopicPartition(self.topic, self.partition)

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> List[Record]: ...
    def __getitem__(self, index: Union[int, slice]) -> Union[Record, List[Record]]:
        places = range(self._first, self._first + self._count)[index]
        return self._batch._record(places) if isinstance(places, int) else [self._batch._record(i) for i in places]

    def __iter__(self) -> Iterator[Record]:
        return self._batch._records(self._first, self._count)

    def values(self) -> List[Optional[bytes]]:
        """The values of all records: the fast way to read them."""
        return self._batch._column(_VALUES, self._first, self._count)

    def keys(self) -> List[Optional[bytes]]:
        """The keys of all records."""
        return self._batch._column(_KEYS, self._first, self._count)

    def offsets(self) -> array[int]:
        """The offsets of all records, as an array of int64, which NumPy takes as it is."""
        return self._batch._numbers(_OFFSETS, self._first, self._count)

    def timestamps(self) -> array[int]:
        """The timestamps of all records, as :meth:`offsets`."""
        return self._batch._numbers(_TIMES, self._first, self._count)

    def __repr__(self) -> str:
        return f"<Chunk of {len(self)} records, {self.topic}-{self.partition}, next is {self.next_offset}>"


class Batch(Sequence[Record]):
    """What one poll gave: records, or an event, or nothing.

    A sequence of :class:`Record`, which are built when they are looked at; ``chunks`` has them by partition. Its
    memory is Python's own: it counts in no budget of the consumer, and outlives it. Any threads may read it.
    """

    __slots__ = ("block", "event", "_chunks", "_count", "_rows", "_headers")

    def __init__(self, block: bytes = b"", event: Optional[Event] = None) -> None:
        self.block = block
        self.event = event
        """What happened, if this is no batch of records; else None."""
        self._chunks: Optional[List[Chunk]] = None
        self._count = self._rows = self._headers = 0
        if block:
            layout, _, self._count, _, _, self._rows, self._headers, _ = _HEAD.unpack_from(block)
            if layout != _LAYOUT:
                raise ImportError(f"the library packs records in layout {layout}; this package reads {_LAYOUT}")

    @property
    def chunks(self) -> List[Chunk]:
        """The records by partition; a partition may have several chunks."""
        chunks = self._chunks
        if chunks is None:
            count, first = _CHUNKS.unpack_from(self.block) if self.block else (0, 0)
            rows = memoryview(self.block)[first : first + count * _CHUNK.size]
            chunks = self._chunks = [Chunk(self, row) for row in _CHUNK.iter_unpack(rows)]
        return chunks

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> List[Record]: ...
    def __getitem__(self, index: Union[int, slice]) -> Union[Record, List[Record]]:
        places = range(self._count)[index]
        return self._record(places) if isinstance(places, int) else [self._record(i) for i in places]

    def __iter__(self) -> Iterator[Record]:
        return self._records(0, self._count)

    def values(self) -> List[Optional[bytes]]:
        """The values of all records: the fast way to read them."""
        return self._column(_VALUES, 0, self._count)

    def keys(self) -> List[Optional[bytes]]:
        """The keys of all records."""
        return self._column(_KEYS, 0, self._count)

    @property
    def next_offsets(self) -> Dict[TopicPartition, OffsetAndMetadata]:
        """Where to read on behind this batch: what to commit when its records are done with."""
        return {c.topic_partition: OffsetAndMetadata(c.next_offset, "", c.leader_epoch) for c in self.chunks}

    def __repr__(self) -> str:
        return f"<Batch {self.event}>" if self.event else f"<Batch of {self._count} records, {self.chunks}>"

    def records_from(self, place: int) -> Iterator[Record]:
        """The records from a place on."""
        return self._records(place, self._count - place)

    # ---- for records and chunks

    def _record(self, place: int) -> Record:
        return Record(self, _ROW.unpack_from(self.block, self._rows + place * _ROW.size))

    def _records(self, first: int, count: int) -> Iterator[Record]:
        return map(Record, repeat(self), _ROW.iter_unpack(self._slice(first, count)))

    def _column(self, part: struct.Struct, first: int, count: int) -> List[Optional[bytes]]:
        block = self.block
        rows = part.iter_unpack(self._slice(first, count))
        return [block[at : at + length] if length >= 0 else None for at, length in rows]

    def _numbers(self, part: struct.Struct, first: int, count: int) -> array[int]:
        return array("q", [number for (number,) in part.iter_unpack(self._slice(first, count))])

    def _headers_at(self, first: int, count: int) -> List[Tuple[str, Optional[bytes]]]:
        block = self.block
        begin = self._headers + first * _HEADER.size
        return [
            (
                block[name : name + length].decode("utf-8", "replace"),
                block[value : value + size] if size >= 0 else None,
            )
            for name, length, value, size in _HEADER.iter_unpack(block[begin : begin + count * _HEADER.size])
        ]

    def _slice(self, first: int, count: int) -> memoryview:
        begin = self._rows + first * _ROW.size
        return memoryview(self.block)[begin : begin + count * _ROW.size]


class _Block:
    """Memory that polls pack records into, and the places for what else they give."""

    SIZE = 1 << 16
    KEPT = 1 << 22

    __slots__ = ("scratch", "view", "packed", "batch", "error", "arguments")

    def __init__(self) -> None:
        self.packed, self.batch, self.error = c_size_t(), c_void_p(), c_void_p()
        self.resize(self.SIZE)

    def resize(self, size: int) -> None:
        self.scratch = (c_char * size)()
        self.view = memoryview(self.scratch).cast("B")
        places = byref(self.packed), byref(self.batch), byref(self.error)
        self.arguments = (addressof(self.scratch), size, *places)
        """Of milena_consumer_poll_packed, made once."""


class Packer:
    """Copies what polls give into a :class:`Batch`. For one thread at a time.

    What was taken stays in `kept` until it is given to the caller: a signal's handler may raise an exception between
    any two steps, and what it interrupts must not be lost.
    """

    __slots__ = ("kept", "read", "left", "_block", "_collecting")

    def __init__(self) -> None:
        self.kept: Optional[Batch] = None
        """What was taken and is not given yet, or not wholly."""
        self.read = 0
        """How many of its records are given."""
        self._block = _Block()
        self._collecting = False
        self.left = False
        """Whether a poll was interrupted, and may have taken something that is not kept yet."""

    def poll(self, handle: Optional[int], max_records: int) -> Batch:
        """One poll of a consumer that does not wait, in one call if what comes fits into the block. Nothing may be
        kept before."""
        block = self._block
        view = block.view
        self.left = True
        status = _poll(handle, 0, max_records, *block.arguments)
        if status != 0:
            self.left = False
            raise taken(status, block.error)
        size = block.packed.value
        if size:
            batch = Batch(view[:size].tobytes())
            self.kept = batch
            block.packed.value = 0
            self.left = False
            return batch
        self._collect()
        return Batch() if self.kept is None else self.kept

    def recover(self) -> None:
        """Sees to it that what an interrupted poll has taken is kept."""
        if self.left:
            self._collect()

    def give(self) -> None:
        """What was kept is the caller's now."""
        self.read = 0
        self.kept = None

    def unread(self) -> Dict[TopicPartition, OffsetAndMetadata]:
        """Of each partition with records that are kept and not given yet: where they begin."""
        found: Dict[TopicPartition, OffsetAndMetadata] = {}
        batch = self.kept
        if batch is None or self.read >= len(batch):
            return found
        for chunk in batch.chunks:
            skipped = max(0, self.read - chunk._first)
            if skipped < len(chunk):
                epoch = chunk.leader_epoch if skipped else -1
                found.setdefault(chunk.topic_partition, OffsetAndMetadata(chunk[skipped].offset, "", epoch))
        return found

    def _collect(self) -> None:
        if self._collecting:
            # A signal's handler calls the consumer in the middle of this.
            raise busy()
        self._collecting = True
        try:
            block = self._block
            size, batch = block.packed.value, block.batch.value
            if size:
                self.kept = Batch(block.view[:size].tobytes())
                block.packed.value = 0
            elif batch:
                self.kept = _unpack(batch, block)
                block.batch.value = None
                lib.milena_batch_free(batch)
            self.left = False
        finally:
            self._collecting = False


def _unpack(batch: int, block: _Block) -> Batch:
    """Copies a milena_batch."""
    event = lib.milena_batch_event(batch)
    if event:
        return Batch(event=Event(_ffi.milena_event.from_address(event)))
    size = lib.milena_batch_packed_size(batch)
    if len(block.scratch) < size:
        block.resize(max(size, 2 * len(block.scratch)))
    call(lib.milena_batch_pack, batch, block.scratch, len(block.scratch))
    packed = block.view[:size].tobytes()
    if len(block.scratch) > _Block.KEPT:
        block.resize(_Block.SIZE)
    return Batch(packed)


def decode_batches(data: bytes, max_batch_bytes: int = 0) -> Batch:
    """Decodes record batches of any format and codec, such as a segment file of a broker; see
    :class:`CorruptRecordError`. The chunks have no topic and the partition -1; a batch that is cut off at the end is
    no error. Control records are given, too.

    :param max_batch_bytes: what a batch may decompress to; 0: 1 GiB.
    :raises CorruptRecordError: with the offset; ``results`` has the Batch of what is in front of it.
    """
    number("max_batch_bytes", max_batch_bytes, 0, INT64)
    out, error = c_void_p(), c_void_p()
    status = lib.milena_decode_batches(data, len(data), max_batch_bytes, byref(out), byref(error))
    batch = Batch()
    if out.value:
        try:
            batch = _unpack(out.value, _Block())
        finally:
            lib.milena_batch_free(out.value)
    if status != 0:
        failure = taken(status, error)
        failure.results = (batch,)
        raise failure
    return batch
