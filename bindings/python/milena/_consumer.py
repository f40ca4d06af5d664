"""The part of a consumer that both faces, :mod:`milena.consumer` and :mod:`milena.aio`, have in common: the handle, and
its calls that do not wait.
"""

from __future__ import annotations

import contextlib
import threading
import warnings
import weakref
from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, TypeVar, Union

from . import _ffi, log
from ._load import lib
from ._native import Arena, Deadline, call, call_fd, call_out, interruptible, milliseconds
from ._turn import NotCopied, Turn, busy
from .codes import Code
from .config import NativeConfig, Path, Value
from .errors import InvalidStateError, KafkaError, WakeupError, from_status
from .records import Batch, Event, EventKind, Packer
from .types import (
    Offset,
    OffsetAndMetadata,
    OffsetAndTimestamp,
    OffsetRow,
    Partition,
    Rows,
    TopicPartition,
    as_dict,
    offset_rows,
    partition_rows,
    take_offsets,
    time_rows,
)

T = TypeVar("T")
OnPartitions = Callable[[List[TopicPartition]], Any]
"""Is told partitions that were assigned, revoked or lost."""
OnCommit = Callable[[Optional[KafkaError], Dict[TopicPartition, OffsetAndMetadata]], Any]
"""Is told how a commit ended that nobody waited for: its error or None, and its offsets."""
Offsets = Union[Batch, Mapping[Any, Offset], None]
"""What to commit: offsets by partition, where a batch ends, or (None) all that polls have handed out."""

_DEFAULT_MAX_POLL_MS = 300_000
_LONGEST_CLOSE = 60.0


class ConsumerBase(NotCopied):
    """What does not wait. One thread at a time, but for :meth:`wakeup` and :meth:`fileno`.

    What polls took and the caller was not given yet, because an exception came in between or because an iteration was
    left, is in ``_packer.kept``: it is given later, and what commits and is told as a position is in front of it.
    """

    def __init__(
        self,
        config: Optional[Mapping[str, Value]] = None,
        *,
        file: Optional[Path] = None,
        on_commit: Optional[OnCommit] = None,
    ) -> None:
        with NativeConfig(config, file) as native:
            self._handle = call_out(lib.milena_consumer_new, native.handle)
            self._logs = native.get("log.sink") == "poll"
            # Who waits on the descriptor has to say now and then that it is there.
            longest = int(native.get("max.poll.interval.ms") or _DEFAULT_MAX_POLL_MS)
        self._fd = call_fd(lib.milena_consumer_fd, self._handle)
        self._sign_of_life = longest / 3000
        self._packer = Packer()
        self._turn = Turn()
        self._reader: object = None  # the iteration that what is kept belongs to
        self._closing = False
        self._listeners: Dict[int, Optional[OnPartitions]] = {}
        self._on_commit = on_commit
        self._closed = False
        self._woken_in_vain = False
        self._finalizer = weakref.finalize(self, _free, self._handle, repr(self))

    # ---- what to read

    def subscribe(
        self,
        topics: Iterable[str],
        on_assign: Optional[OnPartitions] = None,
        on_revoke: Optional[OnPartitions] = None,
        on_lost: Optional[OnPartitions] = None,
    ) -> None:
        """Joins the group to read these topics, in place of any before. Takes effect with the next polls.

        The callbacks run inside poll, in its thread:

        :param on_assign: partitions that are this member's from now on; it may seek.
        :param on_revoke: partitions to be given up: commit what is done, by ``commit()``. They are given up with the
            poll after.
        :param on_lost: partitions that are gone already, so that nothing can be committed. None: as on_revoke.
        :raises InvalidStateError: without ``group.id``, or while partitions are assigned by :meth:`assign`.
        """
        if isinstance(topics, str):
            raise TypeError("a list of topics is expected, such as ['letters']")
        arena = Arena()
        names = [arena.text(topic) for topic in topics]
        array = (_ffi.milena_bytes * len(names))(*names)
        with self._turn:
            self._rewind()
            call(lib.milena_consumer_subscribe, self._handle, array, len(names))
            self._listeners = {
                EventKind.ASSIGNED: on_assign,
                EventKind.REVOKED: on_revoke,
                EventKind.LOST: on_lost or on_revoke,
            }

    def unsubscribe(self) -> None:
        """Gives up the subscription, leaving the group, or the partitions assigned by hand. No event follows."""
        with self._turn:
            self._rewind()
            call(lib.milena_consumer_unsubscribe, self._handle)

    def assign(self, partitions: Union[Iterable[Partition], Mapping[Any, Offset]]) -> None:
        """Reads these partitions, in place of any before, without sharing them out in the group.

        Begins at the group's committed offsets if there is a ``group.id``, else as ``auto.offset.reset`` says; or, where
        `partitions` is a mapping, at its offsets.

        :raises InvalidStateError: while subscribed.
        """
        rows, _arena = partition_rows(partitions)
        with self._turn:
            self._rewind()
            call(lib.milena_consumer_assign, self._handle, *rows.arguments)
            if isinstance(partitions, Mapping):
                self.seek(partitions)

    def assignment(self) -> List[TopicPartition]:
        """The partitions that are read now."""
        with self._turn:
            return [row.partition for row in take_offsets(call_out(lib.milena_consumer_assignment, self._handle))]

    def seek(self, offsets: Mapping[Any, Offset]) -> None:
        """Reads on at other offsets, such as ``{("letters", 0): 42}``. What was fetched there is dropped.

        :raises InvalidStateError: for a partition that is not assigned; then nothing was changed.
        """
        if offsets:
            rows, _arena = offset_rows(offsets)
            self._move(lib.milena_consumer_seek, rows)

    def seek_to_beginning(self, partitions: Iterable[Partition] = ()) -> None:
        """Reads on at the beginning of partitions; none: of all that are assigned."""
        rows, _arena = partition_rows(partitions)
        self._move(lib.milena_consumer_seek_to_beginning, rows)

    def seek_to_end(self, partitions: Iterable[Partition] = ()) -> None:
        """Reads on at the end of partitions, that is, only what comes from now on; none: of all that are assigned."""
        rows, _arena = partition_rows(partitions)
        self._move(lib.milena_consumer_seek_to_end, rows)

    def pause(self, partitions: Iterable[Partition]) -> None:
        """Stops giving records of partitions, which stay assigned, until :meth:`resume`.

        :raises InvalidStateError: for a partition that is not assigned; then nothing was changed.
        """
        rows, _arena = partition_rows(partitions)
        self._move(lib.milena_consumer_pause, rows)

    def resume(self, partitions: Iterable[Partition]) -> None:
        """Ends :meth:`pause`."""
        rows, _arena = partition_rows(partitions)
        with self._turn:
            call(lib.milena_consumer_resume, self._handle, *rows.arguments)

    def commit_async(self, offsets: Offsets = None) -> None:
        """Commits for the group without waiting: a later poll tells ``on_commit`` how it ended.

        :param offsets: see :meth:`milena.Consumer.commit`.
        :raises InvalidStateError: without ``group.id``.
        """
        with self._turn:
            offsets = self._given() if offsets is None else offsets
            rows, _arena = offset_rows(_to_commit(offsets))
            if offsets is None or len(rows.array):
                call(lib.milena_consumer_commit_async, self._handle, *rows.arguments)

    def wakeup(self) -> None:
        """Ends the call that waits inside the consumer, or the next one that would, with
        :class:`milena.WakeupError`. Any thread, at any time."""
        call(lib.milena_consumer_wakeup, self._handle)

    def fileno(self) -> int:
        """A descriptor that is readable when poll has something or wants to be called, for select and the like: don't
        read it. Any thread."""
        return self._fd

    # ---- for the faces

    def _poll_now(self, max_records: int) -> Batch:
        """One poll that does not wait, of what was not kept. If it gives an event, :meth:`_tell` is to be called."""
        try:
            return self._packer.poll(self._handle, max_records)
        except WakeupError:
            self._check_closing()
            if not self._woken_in_vain:
                raise
            self._woken_in_vain = False
            return Batch()
        finally:
            if self._logs:
                log.forward(lib.milena_consumer_log, self._handle)

    def _leftover(self, max_records: int) -> Optional[Batch]:
        """What an interrupted poll has taken, if nothing of it was given. What was given in part is rewound."""
        packer = self._packer
        packer.recover()
        kept = packer.kept
        if kept is not None and packer.read == 0 and (not max_records or len(kept) <= max_records):
            return kept
        self._rewind()
        return None

    def _unread(self) -> Optional[Batch]:
        """A batch whose records are kept and not all given; what is given already is dropped."""
        packer = self._packer
        packer.recover()
        kept = packer.kept
        if kept is None or kept.event is not None or packer.read < len(kept):
            return kept
        packer.give()
        return None

    def _rewind(self) -> None:
        """Reads what is kept and not given once more, with the next poll: where it was taken from, if that is still
        assigned. An event is kept."""
        packer = self._packer
        packer.recover()
        if packer.kept is None or packer.kept.event is not None:
            return
        for partition, at in packer.unread().items():
            rows, _arena = offset_rows({partition: at})
            with contextlib.suppress(InvalidStateError):  # it is not assigned any more
                call(lib.milena_consumer_seek, self._handle, *rows.arguments)
        self._reader = None
        packer.give()

    def _given(self) -> Optional[Dict[TopicPartition, OffsetAndMetadata]]:
        """What a commit without offsets commits while records are kept; None: all that polls have handed out."""
        self._packer.recover()
        unread = self._packer.unread()
        if not unread:
            return None
        found: Dict[TopicPartition, OffsetAndMetadata] = {}
        for partition in self.assignment():
            if partition in unread:
                found[partition] = unread[partition]
                continue
            rows, _arena = partition_rows([partition])
            with contextlib.suppress(KafkaError):  # it has none yet
                out = call_out(lib.milena_consumer_position, self._handle, *rows.arguments, 0)
                (row,) = take_offsets(out)
                found[partition] = OffsetAndMetadata(row.offset, "", row.leader_epoch)
        return found

    def _move(self, function: Any, rows: Rows) -> None:
        """A call after which polls give other records than before."""
        with self._turn:
            self._rewind()
            call(function, self._handle, *rows.arguments)

    def _tell(self, batch: Batch) -> Any:
        """Runs the callback for what happened; what it returns."""
        event = batch.event
        if event is None:
            return None
        if event.kind == EventKind.COMMITTED:
            return self._on_commit(event.error, event.offsets) if self._on_commit is not None else None
        listener = self._listeners.get(event.kind)
        return listener(event.partitions) if listener is not None else None

    def _keep(self, batch: Batch) -> None:
        """Takes a batch back that an exception kept from being given."""
        if self._packer.kept is None:
            self._packer.kept = batch

    def _check_closing(self) -> None:
        if self._closing:
            raise from_status(Code.CLOSED, "the consumer was closed, in another thread or task")

    def _cancel(self) -> None:
        """Ends a call of another thread on behalf of an interruption; no later one shall feel it."""
        self._woken_in_vain = True
        call(lib.milena_consumer_wakeup, self._handle)

    def _wait_for(self, work: Callable[[], T]) -> T:
        """A call that waits, which Ctrl-C can end."""

        stale = self._woken_in_vain

        def attempt() -> T:
            try:
                return work()
            except WakeupError:
                self._check_closing()
                self._woken_in_vain = False
                if not stale:
                    raise
                return work()

        return interruptible(attempt, self._cancel)

    def _commit(self, offsets: Offsets, timeout: Optional[float]) -> None:
        ms = milliseconds(timeout)
        with self._turn:
            offsets = self._given() if offsets is None else offsets
            rows, arena = offset_rows(_to_commit(offsets))
            if offsets is None or len(rows.array):

                def commit(_kept: Arena = arena) -> None:
                    call(lib.milena_consumer_commit, self._handle, *rows.arguments, ms)

                self._wait_for(commit)

    def _ask(self, function: Any, rows: Any, timeout: Optional[float]) -> List[OffsetRow]:
        """A question about partitions; `rows` is an array and what it needs."""
        array, arena = rows
        if not len(array.array):
            return []
        ms = milliseconds(timeout)

        def ask(_kept: Arena = arena) -> List[OffsetRow]:
            return take_offsets(call_out(function, self._handle, *array.arguments, ms))

        with self._turn:
            return self._wait_for(ask)

    def _position(self, partitions: Optional[Iterable[Partition]], timeout: Optional[float]) -> Dict[TopicPartition, int]:
        with self._turn:
            chosen = self.assignment() if partitions is None else partitions
            found = as_dict(self._ask(lib.milena_consumer_position, partition_rows(chosen), timeout))
            self._packer.recover()
            unread = self._packer.unread()
            return {partition: unread[partition].offset if partition in unread else at for partition, at in found.items()}

    def _committed(
        self, partitions: Optional[Iterable[Partition]], timeout: Optional[float]
    ) -> Dict[TopicPartition, Optional[OffsetAndMetadata]]:
        with self._turn:
            chosen = self.assignment() if partitions is None else partitions
            found = self._ask(lib.milena_consumer_committed, partition_rows(chosen), timeout)
        return {row.partition: row.committed() for row in found}

    def _ends(self, function: Any, partitions: Iterable[Partition], timeout: Optional[float]) -> Dict[TopicPartition, int]:
        return as_dict(self._ask(function, partition_rows(partitions), timeout))

    def _times(
        self, times: Mapping[Any, int], timeout: Optional[float]
    ) -> Dict[TopicPartition, Optional[OffsetAndTimestamp]]:
        found = self._ask(lib.milena_consumer_offsets_for_times, time_rows(times), timeout)
        return {r.partition: OffsetAndTimestamp(r.offset, r.timestamp) if r.offset >= 0 else None for r in found}

    def _close(self, timeout: Optional[float]) -> None:
        deadline, handle = Deadline(timeout), self._handle
        if self._closed:
            return
        self._take_turn_to_close(timeout)
        try:
            if self._closed:
                return
            self._rewind()
            ms = milliseconds(deadline.left())
            try:
                # Without a way to cut it short: it has a deadline of its own.
                interruptible(lambda: call(lib.milena_consumer_close, handle, ms))
            finally:
                self._closed = True
                # For a wait of this thread, if this is a signal's handler.
                lib.milena_consumer_wakeup(handle, None)
                self._finalizer.detach()
                weakref.finalize(self, lib.milena_consumer_free, handle)
        finally:
            self._turn.lock.release()

    def _take_turn_to_close(self, timeout: Optional[float]) -> None:
        """Has the turn, if need be by ending the call of another thread, which gets a ClosedError."""
        lock = self._turn.lock
        if lock.acquire(False):
            return
        longest = _LONGEST_CLOSE if timeout is None else min(timeout, threading.TIMEOUT_MAX)
        taken = False
        self._closing = True
        try:
            call(lib.milena_consumer_wakeup, self._handle)
            taken = lock.acquire(True, longest)
        finally:
            if not taken:
                self._closing, self._woken_in_vain = False, True
        if not taken:
            raise busy()

    def __repr__(self) -> str:
        return f"<milena.{type(self).__name__}{', closed' if self._closed else ''}>"


def _to_commit(offsets: Offsets) -> Mapping[Any, Offset]:
    if offsets is None:
        return {}
    return offsets.next_offsets if isinstance(offsets, Batch) else offsets


def _free(handle: Optional[int], name: str) -> None:
    """The end of a consumer that was not closed: nothing is committed, and the group finds out by itself."""
    lib.milena_consumer_free(handle)
    warnings.warn(f"{name} was not closed", ResourceWarning, stacklevel=2)


