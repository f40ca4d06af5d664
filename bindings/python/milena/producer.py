"""The producer."""

from __future__ import annotations

import contextlib
import itertools
from collections import deque
from types import TracebackType
from typing import Callable, Deque, Dict, Iterable, List, Mapping, Optional, Type

from ._native import INT64, Data, Deadline, milliseconds, number, wait_readable
from ._producer import ProducerCore
from ._turn import NotCopied
from .codes import Code
from .config import Path, Value
from .deliveries import Delivery, RecordMetadata
from .errors import BufferExhaustedError, KafkaError, from_status
from .packing import (
    MAX_TOKEN,
    Headers,
    Packed,
    ProducerRecord,
    Slices,
    check_columns,
    check_token,
    note_accepted,
    pack_columns,
    pack_one,
    pack_records,
)

OnDelivery = Callable[[Optional[KafkaError], RecordMetadata], None]
"""Is told why a record was not delivered, or None, and where it is."""

_KEPT_RECORDS = 1_000_000
_ROOM_SLICE = 0.05
_CLOSED_SLICE = 1.0


class Producer(NotCopied):
    """Sends records to Kafka.

    ``send`` copies a record into a batch and returns; a thread of the library sends the batches in the background,
    whether anything else is called or not. What became of a record is told

    - by its ``on_delivery`` callback, which :meth:`poll`, :meth:`flush` and :meth:`close` run, in their thread;
    - by :meth:`poll`, which returns the outcome of batches with the tokens of their records;
    - for records with neither: :meth:`flush` and :meth:`close` raise if one was not delivered.

    A producer that is not closed delivers what it has when the program ends. All methods may be called from any
    threads at once. After a fork, a child has to make its own (:class:`milena.ForkedError`).

    :param config: properties by the names of Java's client or librdkafka's (CONFIGURATION.md lists them), such as
        ``{"bootstrap.servers": "localhost:9092"}``. All mistakes are reported at once.
    :param file: a Java .properties file to take first; ``config`` wins over it.
    :raises ConfigurationError: names or values that are wrong.

    The brokers are not waited for: that none can be reached shows in the deliveries, and in the log.
    """

    def __init__(self, config: Optional[Mapping[str, Value]] = None, *, file: Optional[Path] = None) -> None:
        self._core = ProducerCore(config, file)
        self._core.owned_by(self)
        self._callbacks: Dict[int, OnDelivery] = {}
        self._callback_tokens = itertools.count(MAX_TOKEN + 1)
        self._untold: Deque[Delivery] = deque()  # taken to make room; nobody was told yet
        self._told: Deque[Delivery] = deque()  # callbacks have run; for poll
        self._failed = 0
        self._failure: Optional[KafkaError] = None

    def send(
        self,
        topic: str,
        value: Data,
        key: Data = None,
        headers: Optional[Headers] = None,
        partition: int = -1,
        timestamp: Optional[int] = None,
        on_delivery: Optional[OnDelivery] = None,
        token: int = 0,
        timeout: Optional[float] = None,
    ) -> None:
        """Hands a record over; it is copied.

        :param value: bytes, text (sent as UTF-8), or None, which is Kafka's null: a tombstone.
        :param key: decides the partition, as in Java's client; None: whatever fills batches.
        :param headers: pairs of a name and a value; names may come twice, values may be None.
        :param partition: -1: the partitioner chooses.
        :param timestamp: milliseconds since 1970-01-01 UTC; None: now.
        :param on_delivery: called with an error or None, and a :class:`milena.RecordMetadata`.
        :param token: a number from 1 to 2**63 - 1 that :meth:`poll` gives back; not together with on_delivery.
        :param timeout: seconds to wait for room in ``buffer.memory``; None: ``max.block.ms``; 0 never blocks.

        :raises BufferExhaustedError: there was no room in time.
        :raises MessageTooLargeError: the record is larger than ``max.request.size``.
        :raises ClosedError: the producer is closed.
        """
        if timeout is not None:
            milliseconds(timeout)
        if on_delivery is None:
            if token:
                check_token(token)
            block = pack_one(token, value, key, headers, partition, timestamp)
            refused = self._core.send_one(topic, block)
            if refused is not None:
                self._send_late(topic, block, timeout, refused)
            return
        if not callable(on_delivery):
            raise TypeError(f"on_delivery is a function, not {type(on_delivery).__name__}")
        if token:
            raise ValueError("a record has a token or on_delivery, not both")
        token = next(self._callback_tokens)
        block = pack_one(token, value, key, headers, partition, timestamp)
        self._callbacks[token] = on_delivery
        try:
            refused = self._core.send_one(topic, block)
            if refused is not None:
                self._send_late(topic, block, timeout, refused)
        except BaseException:
            self._callbacks.pop(token, None)
            raise

    def send_many(
        self,
        topic: str,
        values: Iterable[Data],
        keys: Optional[Iterable[Data]] = None,
        partition: int = -1,
        timestamp: Optional[int] = None,
        tokens: Optional[Iterable[int]] = None,
        token: int = 0,
        timeout: Optional[float] = None,
    ) -> int:
        """Hands many records over, some thousand in one call of the library: the fast way.

        :param keys: a key for each value, or None.
        :param tokens: a token for each value, 0 to 2**63 - 1; otherwise all have `token`.
        :param timeout: seconds to wait for room, in all; see :meth:`send`.
        :returns: the number of records.
        :raises KafkaError: as :meth:`send`; its ``accepted`` says how many records were taken. They will be delivered.
        :raises ValueError: there are fewer keys or tokens than values, or, where all are lists, more: then nothing was
            sent. An exception that the iterables raise has ``accepted`` as well, where records were taken before it.
        """
        slices, deadline = Slices(), Deadline(self._core.max_block if timeout is None else timeout)
        check_columns(values, keys, tokens)
        each, sent = iter(values), 0
        each_key = None if keys is None else iter(keys)
        each_token = itertools.repeat(check_token(token)) if tokens is None else map(check_token, tokens)
        try:
            while chunk := slices.of(each):
                chunk_keys = None if each_key is None else list(itertools.islice(each_key, len(chunk)))
                if chunk_keys is not None and len(chunk_keys) != len(chunk):
                    raise ValueError("there are fewer keys than values")
                chunk_tokens = itertools.islice(each_token, len(chunk))
                packed = pack_columns(chunk, chunk_keys, chunk_tokens, partition, timestamp)
                sent = self._send_packed(topic, packed, sent, deadline)
                slices.adapt(packed)
        except BaseException as error:
            note_accepted(error, sent)
            raise
        return sent

    def send_records(self, topic: str, records: Iterable[ProducerRecord], timeout: Optional[float] = None) -> int:
        """As :meth:`send_many`, for records with keys, headers, partitions, timestamps and tokens of their own."""
        slices, deadline = Slices(), Deadline(self._core.max_block if timeout is None else timeout)
        each, sent = iter(records), 0
        try:
            while chunk := slices.of(each):
                packed = pack_records(chunk)
                sent = self._send_packed(topic, packed, sent, deadline)
                slices.adapt(packed)
        except BaseException as error:
            note_accepted(error, sent)
            raise
        return sent

    def poll(self, timeout: Optional[float] = 0.0, max_records: int = 0) -> List[Delivery]:
        """Takes what became of records, a :class:`milena.Delivery` for each batch, and runs the callbacks of theirs.

        :param timeout: seconds to wait for the first; None: until there is one, or the producer is closed.
        :param max_records: take no further batches when there are so many records; 0: take all.

        An exception of a callback is raised when all have run; the next poll returns the deliveries then. Deliveries
        that nobody takes fill ``buffer.memory``, so call this regularly if there are callbacks or tokens.
        """
        deadline, max_records = Deadline(timeout), number("max_records", max_records, 0, INT64)
        while True:
            closed = self._core.closed
            self._tell(max_records)
            if self._told:
                return self._take_told(max_records)
            if closed or deadline.over():
                return []
            left = deadline.left()
            wait_readable(self._core.fd, _CLOSED_SLICE if left is None else min(left, _CLOSED_SLICE))

    def flush(self, timeout: Optional[float] = None) -> None:
        """Sends what lingers, waits until all that was sent before is delivered or failed, and runs callbacks.

        :param timeout: seconds; None: as long as it takes, which ``delivery.timeout.ms`` bounds.
        :raises KafkaTimeoutError: something is left; it goes on being sent.
        :raises ClosedError: the producer is closed.
        :raises KafkaError: records without callback and token were not delivered; this is why the first was not.
        """
        try:
            self._core.flush(timeout)
        finally:
            self._settle()
        self._raise_failure()

    def close(self, timeout: Optional[float] = None) -> None:
        """Delivers what was sent, as :meth:`flush`, and ends the producer. Closing again does nothing.

        :param timeout: seconds, after which the rest is given up: it fails as PURGED. None: as long as it takes,
            which ``delivery.timeout.ms`` bounds; 0: give everything up.
        :raises KafkaTimeoutError: something was given up.
        :raises KafkaError: as :meth:`flush`.
        """
        try:
            self._core.close(timeout)
        finally:
            self._settle()
        self._raise_failure()

    def fileno(self) -> int:
        """A descriptor that is readable when :meth:`poll` has something, for select and the like: don't read it."""
        return self._core.fd

    def __enter__(self) -> Producer:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        with contextlib.ExitStack() as stack:
            if kind is not None:
                stack.enter_context(contextlib.suppress(KafkaError))
            self.close()

    def __repr__(self) -> str:
        return f"<milena.Producer{', closed' if self._core.closed else ''}>"

    # ---- sending

    def _send_late(self, topic: str, block: bytes, timeout: Optional[float], refused: KafkaError) -> None:
        """Waits for room for a record that was refused."""
        deadline = Deadline(self._core.max_block if timeout is None else timeout)
        still: Optional[KafkaError] = refused
        while still is not None:
            self._wait_for_room(deadline, still)
            still = self._core.send_one(topic, block)

    def _send_packed(self, topic: str, packed: Packed, before: int, deadline: Deadline) -> int:
        """Hands a block over; `before` and the result count the records of the whole call."""
        accepted = 0
        try:
            while True:
                accepted, refused = self._core.send_from(topic, packed, accepted)
                if refused is None:
                    return before + accepted
                if not isinstance(refused, BufferExhaustedError):
                    raise refused
                self._wait_for_room(deadline, refused)
        except KafkaError as error:
            error.accepted = before + accepted
            raise
        except BaseException as error:
            note_accepted(error, before + accepted)
            raise

    def _wait_for_room(self, deadline: Deadline, refused: KafkaError) -> None:
        """Waits until a refused send may be tried again. Deliveries, which take room too, are put aside."""
        taken = self._core.take()
        self._put_aside(taken)
        if taken:
            return
        if deadline.over():
            raise refused
        left = deadline.left()
        # Another thread may see the descriptor first, and lower it: don't rely on it alone.
        wait_readable(self._core.fd, _ROOM_SLICE if left is None else min(left, _ROOM_SLICE))

    def _put_aside(self, taken: List[Delivery]) -> None:
        for delivery in taken:
            if delivery.has_tokens():
                self._untold.append(delivery)
            elif delivery.error is not None:
                self._note_failure(delivery, len(delivery))
        if taken and sum(map(len, self._untold)) > _KEPT_RECORDS:
            hint = "call poll() now and then, in this thread or another"
            text = f"what became of more than {_KEPT_RECORDS} records was not asked for; hint: {hint}"
            raise from_status(Code.BUFFER_EXHAUSTED, text, hint=hint)

    # ---- telling

    def _tell(self, max_records: int = 0) -> None:
        """Runs the callbacks of what there is, and keeps it for poll."""
        taken: List[Delivery] = []
        with contextlib.suppress(IndexError):
            while True:
                taken.append(self._untold.popleft())
        taken += self._core.take(max_records)
        self._told.extend(taken)
        trouble: Optional[BaseException] = None
        for delivery in taken:
            if not self._callbacks or not delivery.has_tokens():
                continue
            for index, token in enumerate(delivery.raw_tokens()):
                callback = self._callbacks.pop(token, None) if token > MAX_TOKEN else None
                if callback is None:
                    continue
                try:
                    callback(delivery.error, delivery.metadata(index))
                except Exception as error:
                    trouble = trouble or error
        if trouble is not None:
            raise trouble

    def _take_told(self, max_records: int) -> List[Delivery]:
        given: List[Delivery] = []
        records = 0
        while not max_records or records < max_records:
            try:
                given.append(self._told.popleft())
            except IndexError:
                break
            records += len(given[-1])
        return given

    def _settle(self) -> None:
        """Tells all there is; keeps what has tokens for poll, and failures that nobody watches for the caller."""
        try:
            self._tell()
        finally:
            kept: List[Delivery] = []
            for delivery in self._take_told(0):
                watched = delivery.has_tokens()
                if delivery.error is not None and not delivery.noted:
                    unwatched = delivery.raw_tokens().tolist().count(0) if watched else len(delivery)
                    self._note_failure(delivery, unwatched)
                if watched and any(0 < token <= MAX_TOKEN for token in delivery.raw_tokens()):
                    kept.append(delivery)
            self._told.extend(kept)

    def _note_failure(self, delivery: Delivery, records: int) -> None:
        delivery.noted = True
        if records:
            self._failed += records
            self._failure = self._failure or delivery.error

    def _raise_failure(self) -> None:
        failed, failure = self._failed, self._failure
        self._failed, self._failure = 0, None
        if failure is not None:
            raise type(failure)(f"{failed} records were not delivered; the first: {failure}", **failure.__dict__)
