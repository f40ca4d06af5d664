"""Records in one block of memory, as milena_producer_send_packed takes them: one call then carries many."""

from __future__ import annotations

import contextlib
import struct
from itertools import chain, islice, repeat
from typing import Any, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Sized, Tuple, TypeVar, Union

from ._native import Data, encoded, to_bytes
from .errors import KafkaError

Headers = Union[Iterable[Tuple[str, Data]], Mapping[str, Data]]
"""A record's headers: pairs of a name and a value, in their order; names may come twice. A mapping will do."""

T = TypeVar("T")

_HEAD = struct.Struct("<QqiiiI")
_NAME = struct.Struct("<Ii")
_HEAD_SIZE = _HEAD.size
MAX_TOKEN = 2**63 - 1


class ProducerRecord(NamedTuple):
    """A record to send, for :meth:`milena.Producer.send_records`."""

    value: Data = None
    """None is Kafka's null (a tombstone in compacted topics), which is not the same as empty."""
    key: Data = None
    """Decides the partition, as in Java's client, where `partition` is -1; None: whatever fills batches."""
    headers: Optional[Headers] = None
    partition: int = -1
    """-1: the partitioner chooses."""
    timestamp: Optional[int] = None
    """Milliseconds since 1970-01-01 UTC; None: now."""
    token: int = 0
    """Comes back with the record's delivery; 1 to 2**63 - 1, or 0 for none."""


class Packed(NamedTuple):
    """A block of records."""

    block: bytes
    records: int
    lengths: Tuple[List[int], ...]
    """Lists of lengths, one number a record, that add up to the records' sizes but for the 32 bytes of each."""

    def size_of(self, records: int) -> int:
        """The bytes that the first records of the block have."""
        return _HEAD_SIZE * records + sum(sum(islice(lengths, records)) for lengths in self.lengths)


def pack_one(
    token: int,
    value: Data,
    key: Data = None,
    headers: Optional[Headers] = None,
    partition: int = -1,
    timestamp: Optional[int] = None,
) -> bytes:
    """One record."""
    if type(value) is not bytes:
        value = to_bytes(value)
    if type(key) is not bytes and key is not None:
        key = to_bytes(key)
    count, tail = (0, b"") if not headers else _pack_headers(headers)
    try:
        head = _HEAD.pack(
            token,
            -1 if timestamp is None else check_time(timestamp),
            partition,
            -1 if key is None else len(key),
            -1 if value is None else len(value),
            count,
        )
    except struct.error as error:
        raise _out_of_range(error, token, timestamp, partition) from None
    if key is None and not tail:
        return head + (value or b"")
    return b"".join((head, key or b"", value or b"", tail))


def check_columns(
    values: Iterable[Data], keys: Optional[Iterable[Data]] = None, tokens: Optional[Iterable[int]] = None
) -> None:
    """Refuses what can't be columns, before anything is sent: a text, or lists that are not of one length."""
    for name, column in (("values", values), ("keys", keys), ("tokens", tokens)):
        if isinstance(column, (str, bytes, bytearray, memoryview)):
            raise TypeError(f"{name} is an iterable of values, such as a list, not one {type(column).__name__}")
        if isinstance(column, Sized) and isinstance(values, Sized) and len(column) != len(values):
            what = "fewer" if len(column) < len(values) else "more"
            raise ValueError(f"there are {what} {name} than values: {len(column)} for {len(values)}")


def note_accepted(error: BaseException, accepted: int) -> None:
    """Leaves with an exception how many records were taken before it."""
    known: int = getattr(error, "accepted", 0)
    if known or not accepted:
        return
    with contextlib.suppress(AttributeError, TypeError):
        setattr(error, "accepted", accepted)
    add_note = getattr(error, "add_note", None)  # since Python 3.11
    if add_note is not None:
        add_note(f"{accepted} records before were taken, and will be delivered")


def pack_records(records: Sequence[ProducerRecord]) -> Packed:
    """Records with whatever they have."""
    blocks = [pack_one(check_token(r[5]), *r[:5]) for r in records]
    return Packed(b"".join(blocks), len(blocks), ([len(b) - _HEAD_SIZE for b in blocks],))


def pack_columns(
    values: Sequence[Data],
    keys: Optional[Sequence[Data]],
    tokens: Iterable[int],
    partition: int,
    timestamp: Optional[int],
) -> Packed:
    """Records without headers, column by column; what has to be done for each is done in C where it can be."""
    columns: List[Sequence[bytes]] = []
    sizes: List[List[int]] = []
    lengths: List[Iterable[int]] = []
    for column in (keys, values):
        if column is None:
            lengths.append(repeat(-1))
            continue
        if set(map(type, column)) == {bytes}:
            sizes.append(list(map(len, column)))  # type: ignore[arg-type]
            lengths.append(sizes[-1])
            columns.append(column)  # type: ignore[arg-type]
        else:
            raw = [to_bytes(item) for item in column]
            columns.append([item or b"" for item in raw])
            sizes.append([len(item) for item in columns[-1]])
            lengths.append([-1 if item is None else len(item) for item in raw])
    try:
        stamp = -1 if timestamp is None else check_time(timestamp)
        heads = list(map(_HEAD.pack, tokens, repeat(stamp), repeat(partition), *lengths, repeat(0, len(values))))
    except struct.error as error:
        raise _out_of_range(error, None, timestamp, partition) from None
    if len(heads) != len(values):
        raise ValueError(f"{len(values)} values have {len(heads)} tokens")
    return Packed(b"".join(chain.from_iterable(zip(heads, *columns))), len(heads), tuple(sizes))


def _pack_headers(headers: Headers) -> Tuple[int, bytes]:
    parts: List[bytes] = []
    count = 0
    for name, value in headers.items() if isinstance(headers, Mapping) else headers:
        raw_name, raw = encoded(name), to_bytes(value)
        parts += (_NAME.pack(len(raw_name), -1 if raw is None else len(raw)), raw_name, raw or b"")
        count += 1
    return count, b"".join(parts)


def check_token(token: int) -> int:
    """The token, if it is one that a caller may use."""
    if 0 <= token <= MAX_TOKEN:
        return token
    raise ValueError(f"the token {token} is not between 0 and 2**63 - 1")


def check_time(timestamp: int) -> int:
    """The timestamp, if it is none before 1970, which Kafka does not have."""
    if isinstance(timestamp, int) and timestamp < 0:
        raise ValueError(f"the timestamp {timestamp} is negative: it is 0 to 2**63 - 1, or None for now")
    return timestamp  # of another type: packing refuses it


def _out_of_range(error: struct.error, token: Optional[int], timestamp: Optional[int], partition: int) -> ValueError:
    given = {"token": token, "timestamp": timestamp, "partition": partition}
    listed = ", ".join(f"{name} {value!r}" for name, value in given.items() if value is not None)
    return ValueError(f"a number is out of its range, or none ({listed or 'a length'}): {error}")


class Slices:
    """Cuts an iterable into lists to cross the border with: some hundred KiB each, whatever the records' size."""

    _AIM = 1 << 18
    _MOST = 1 << 14

    def __init__(self) -> None:
        self._next = 64

    def of(self, column: Iterator[T]) -> List[T]:
        """The next slice of a column."""
        return list(islice(column, self._next))

    def adapt(self, packed: Packed) -> None:
        """Chooses the next slices' length by what the last one gave."""
        each = max(1, len(packed.block) // max(1, packed.records))
        self._next = max(1, min(self._MOST, self._AIM // each))
