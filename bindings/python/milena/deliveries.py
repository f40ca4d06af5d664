"""What became of records that were sent."""

from __future__ import annotations

from array import array
from ctypes import byref, c_size_t, string_at
from typing import Any, Iterator, List, NamedTuple, Optional, Tuple

from . import _ffi
from ._load import lib
from ._native import rows, text_out
from .errors import KafkaError, from_pointer
from .packing import MAX_TOKEN


class RecordMetadata(NamedTuple):
    """Where a record ended up."""

    topic: str
    partition: int
    offset: int
    """-1 when it is not known: the record was not delivered, or with acks=0."""
    timestamp: Optional[int]
    """The time that the broker gave it (LogAppendTime), in milliseconds; None: it keeps its own."""


class Delivery:
    """The outcome of the records of one batch: all of one partition, delivered or failed together.

    Its length is their number; iterating gives (token, offset) of each, in the order of their offsets.
    """

    __slots__ = ("topic", "partition", "base_offset", "append_time", "error", "noted", "_tokens")

    def __init__(self, row: Any) -> None:
        self.topic: str = text_out(row.topic)
        self.partition: int = row.partition
        self.base_offset: int = row.base_offset
        """The offset of the first record; -1 when it is not known: on failure, and with acks=0."""
        self.append_time: Optional[int] = None if row.append_time_ms == -1 else row.append_time_ms
        """The time that the broker gave the records (LogAppendTime), in milliseconds; None: they keep their own."""
        self.error: Optional[KafkaError] = from_pointer(row.error) if row.error else None
        """Why they were not delivered; None: they were."""
        self.noted = False  # whether the producer has counted its failures
        if self.error is not None:
            self.error.topic, self.error.partition = self.topic, self.partition
        self._tokens = string_at(row.tokens, 8 * row.tokens_len) if row.tokens_len else b""

    @property
    def tokens(self) -> memoryview:
        """The records' tokens, 0 for those without: a sequence of int."""
        tokens = self.raw_tokens()
        if max(tokens, default=0) > MAX_TOKEN:
            return memoryview(array("Q", [token if token <= MAX_TOKEN else 0 for token in tokens]))
        return tokens

    def raw_tokens(self) -> memoryview:
        """With what stands for callbacks, which is larger than MAX_TOKEN; without a copy."""
        return memoryview(self._tokens).cast("Q")

    @property
    def offsets(self) -> Optional[range]:
        """The records' offsets; None when they are not known."""
        return None if self.base_offset < 0 else range(self.base_offset, self.base_offset + len(self))

    def has_tokens(self) -> bool:
        """Whether a record was sent with a token or a callback."""
        return self._tokens.count(0) != len(self._tokens)

    def metadata(self, index: int) -> RecordMetadata:
        """Where the record at this place in the batch is."""
        offset = -1 if self.base_offset < 0 else self.base_offset + index
        return RecordMetadata(self.topic, self.partition, offset, self.append_time)

    def __len__(self) -> int:
        return len(self._tokens) >> 3

    def __iter__(self) -> Iterator[Tuple[int, int]]:
        base = self.base_offset
        for index, token in enumerate(self.tokens):
            yield token, (-1 if base < 0 else base + index)

    def __repr__(self) -> str:
        outcome = f"at {self.base_offset}" if self.error is None else f"failed: {self.error}"
        return f"<Delivery of {len(self)} records, {self.topic}-{self.partition} {outcome}>"


def take(handle: int) -> List[Delivery]:
    """Copies a milena_deliveries and frees it."""
    try:
        count, stride = c_size_t(), c_size_t()
        first = lib.milena_deliveries_chunks(handle, byref(count), byref(stride))
        return [Delivery(row) for row in rows(first, count.value, stride.value, _ffi.milena_delivery)]
    finally:
        lib.milena_deliveries_free(handle)
