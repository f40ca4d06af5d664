"""The consumer."""

from __future__ import annotations

import contextlib
from types import TracebackType
from typing import Any, Dict, Iterable, Iterator, Mapping, Optional, Type

from ._consumer import ConsumerBase, Offsets
from ._load import lib
from ._native import INT64, Deadline, milliseconds, number, wait_readable
from ._turn import busy
from .errors import KafkaError
from .records import Batch, Record
from .types import OffsetAndMetadata, OffsetAndTimestamp, Partition, TopicPartition


class Consumer(ConsumerBase):
    """Reads records from Kafka: as a member of a group (:meth:`subscribe`), or of chosen partitions (:meth:`assign`).

    A thread of the library fetches ahead, at most ``fetch.buffer.memory`` bytes, keeps up the membership and commits
    (with ``enable.auto.commit``: what former polls handed out, so at the earliest with the poll after).

    ::

        with milena.Consumer({"bootstrap.servers": "localhost:9092", "group.id": "readers"}) as consumer:
            consumer.subscribe(["letters"])
            for record in consumer:
                print(record.offset, record.value)

    A consumer is for one thread at a time (another one gets :class:`milena.BusyError` at once); only :meth:`wakeup`,
    :meth:`fileno` and :meth:`close` may be called from any. Poll at least every ``max.poll.interval.ms``, or the group gives the
    partitions to others. Ctrl-C ends every call that waits. Close it: otherwise nothing is committed, and the group
    waits for ``session.timeout.ms`` before it shares the partitions out again.

    :param config: properties by the names of Java's client or librdkafka's (CONFIGURATION.md lists them).
    :param file: a Java .properties file to take first; ``config`` wins over it.
    :param on_commit: told inside poll how a commit ended that nobody waited for: its error or None, and its offsets.
    :raises ConfigurationError: names or values that are wrong.

    Where a method takes a `timeout` in seconds, None is ``default.api.timeout.ms`` unless it says otherwise, and
    :class:`milena.KafkaTimeoutError` is raised when it is over.
    """

    def poll(self, timeout: Optional[float] = None, max_records: int = 0) -> Batch:
        """Waits for records or an event, and gives what there is: a :class:`milena.Batch`.

        :param timeout: seconds, after which the batch is empty; None: wait without end; 0: don't wait.
        :param max_records: 0: ``max.poll.records``.

        When the batch has an ``event``, it has no records; the callbacks of :meth:`subscribe` have been run then, and
        what they raise is raised here.

        :raises WakeupError: :meth:`wakeup` was called.
        :raises CorruptRecordError: ``topic``, ``partition`` and ``offset`` say where; seek to ``next_offset`` to go on.
        :raises OffsetError: a partition has no position, and ``auto.offset.reset`` is none.
        :raises InvalidStateError: without subscription or assignment.
        :raises AuthorizationError: the broker refuses.

        After each of them the consumer can be polled again, unless it is ``fatal``.
        """
        milliseconds(timeout)  # what is no time-out is refused before something is taken
        if max_records:
            max_records = number("max_records", max_records, 0, INT64)
        batch: Optional[Batch] = None
        lock = self._turn.lock
        try:
            if not lock.acquire(False):
                raise busy()
            try:
                batch = self._take(timeout, max_records)
                self._packer.kept = None
                if batch.event is not None:
                    self._tell(batch)
            finally:
                lock.release()
            return batch
        except BaseException as error:
            # A signal's handler raised; what a callback raises is an Exception, and its event has been told.
            if batch is not None and (batch.event is None or not isinstance(error, Exception)):
                self._keep(batch)
            raise

    def _take(self, timeout: Optional[float], max_records: int) -> Batch:
        """Waits for records or an event, which stay kept."""
        packer = self._packer
        if packer.kept is not None or packer.left:
            kept = self._leftover(max_records)
            if kept is not None:
                return kept
        batch = self._poll_now(max_records)
        if batch or batch.event is not None:
            return batch
        deadline = Deadline(timeout)
        while not deadline.over():
            left = deadline.left()
            wait_readable(self._fd, self._sign_of_life if left is None else min(left, self._sign_of_life))
            batch = self._poll_now(max_records)
            if batch or batch.event is not None:
                return batch
        return Batch()

    def __iter__(self) -> Iterator[Record]:
        """All records, one by one, waiting for more without end.

        What the loop has not come to counts as not read: when it is left in the middle of a batch, the rest is given
        again by the next loop or poll, and commits, positions and :meth:`close` are about what came before it. (An
        automatic commit by time covers only the batches before the present one.)
        """
        reader, packer = object(), self._packer
        while True:
            for record in self._read_on(reader):
                if self._reader is not reader:
                    break
                packer.read += 1
                yield record

    def _read_on(self, reader: object) -> Iterator[Record]:
        """What is left of the batch that is kept, else the next one; none when it was an event."""
        with self._turn:
            batch = self._unread()
            if batch is None:
                batch = self._take(None, 0)
            if batch.event is not None:
                self._tell_kept(batch)
                return iter(())
            self._reader = reader
            return batch.records_from(self._packer.read)

    def batches(self, max_records: int = 0) -> Iterator[Batch]:
        """All batches of records, one by one, waiting for more without end."""
        max_records = number("max_records", max_records, 0, INT64)
        reader = object()
        while True:
            with self._turn:
                batch = self._take(None, max_records)
                if batch.event is not None:
                    self._tell_kept(batch)
                    continue
                self._reader = reader
            if self._reader is reader:
                self._packer.kept = None
                yield batch

    def _tell_kept(self, batch: Batch) -> None:
        self._packer.kept = None
        try:
            self._tell(batch)
        except Exception:
            raise
        except BaseException:
            self._keep(batch)
            raise

    def commit(self, offsets: Offsets = None, timeout: Optional[float] = None) -> None:
        """Commits offsets for the group and waits for it.

        :param offsets: a mapping of partitions to the offsets of the next records to read, such as
            ``{("letters", 0): 42}``, or with :class:`milena.OffsetAndMetadata`; a :class:`milena.Batch`: it is done
            with; None: all that polls have handed out.
        :raises RebalanceError: the group has moved on; the next polls say what is assigned.
        :raises InvalidStateError: without ``group.id``.
        """
        self._commit(offsets, timeout)

    def position(
        self, partitions: Optional[Iterable[Partition]] = None, timeout: Optional[float] = None
    ) -> Dict[TopicPartition, int]:
        """The offsets of the next records that poll will give; waits for those that are not known yet.

        :param partitions: None: all that are assigned.
        :raises InvalidStateError: for a partition that is not assigned.
        """
        return self._position(partitions, timeout)

    def committed(
        self, partitions: Optional[Iterable[Partition]] = None, timeout: Optional[float] = None
    ) -> Dict[TopicPartition, Optional[OffsetAndMetadata]]:
        """The offsets that the group has committed; None where there is none. Asks the broker.

        :param partitions: None: all that are assigned.
        :raises InvalidStateError: without ``group.id``.
        """
        return self._committed(partitions, timeout)

    def beginning_offsets(
        self, partitions: Iterable[Partition], timeout: Optional[float] = None
    ) -> Dict[TopicPartition, int]:
        """The offsets of the first records of partitions, assigned or not. Asks the brokers."""
        return self._ends(lib.milena_consumer_beginning_offsets, partitions, timeout)

    def end_offsets(self, partitions: Iterable[Partition], timeout: Optional[float] = None) -> Dict[TopicPartition, int]:
        """The offsets behind the last records of partitions, assigned or not. Asks the brokers."""
        return self._ends(lib.milena_consumer_end_offsets, partitions, timeout)

    def offsets_for_times(
        self, times: Mapping[Any, int], timeout: Optional[float] = None
    ) -> Dict[TopicPartition, Optional[OffsetAndTimestamp]]:
        """For each partition the first record of a time (in milliseconds since 1970-01-01 UTC) or later; None where
        there is none. Asks the brokers."""
        return self._times(times, timeout)

    def close(self, timeout: Optional[float] = None) -> None:
        """Commits what polls have handed out (with ``enable.auto.commit``), leaves the group, closes the connections.
        Returns by its timeout; closing again does nothing. The call of another thread is ended, with ClosedError.

        :raises BusyError: the call of another thread did not end in time; the consumer is not closed.
        :raises KafkaError: the last commit failed, or there was no time for it; the consumer is closed all the same.
        """
        self._close(timeout)

    def __enter__(self) -> Consumer:
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
