"""Producer and consumer for asyncio.

Sending and polling wait on the library's descriptor in the event loop, without a thread. Only what asks a broker and
waits for the answer (flush, commit, offsets, close) is done by a short-lived one.

The event loop has to have ``add_reader``: all do, but for Windows' Proactor loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import itertools
import threading
from types import TracebackType
from typing import Any, AsyncIterator, Callable, Dict, Iterable, Iterator, List, Mapping, Optional, Type, TypeVar

from ._consumer import ConsumerBase, Offsets, OnCommit
from ._load import lib
from ._native import INT64, Data, Deadline, milliseconds, number
from ._producer import ProducerCore
from ._turn import NotCopied, busy
from .config import Path, Value
from .deliveries import Delivery, RecordMetadata
from .errors import BufferExhaustedError, KafkaError
from .packing import Headers, Packed, Slices, check_columns, note_accepted, pack_columns, pack_one
from .records import Batch, Record
from .types import OffsetAndMetadata, OffsetAndTimestamp, Partition, TopicPartition

T = TypeVar("T")


async def _in_thread(work: Callable[[], T], cancel: Optional[Callable[[], None]] = None) -> T:
    """Runs a call that blocks; when the task is cancelled, `cancel` has to make it end, which is waited for."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def finish(result: Optional[T], error: Optional[BaseException]) -> None:
        if not done.done():
            done.set_exception(error) if error is not None else done.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result: Optional[T] = None
        failure: Optional[BaseException] = None
        try:
            result = work()
        except BaseException as error:
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(finish, result, failure)

    threading.Thread(target=run, name="milena-call", daemon=True).start()
    try:
        return await asyncio.shield(done)
    except asyncio.CancelledError:
        if cancel is not None:
            cancel()
            await asyncio.wait([done])
            done.exception()
        raise


class _Pending:
    """Records of one call that are not reported yet, all with the same token."""

    __slots__ = ("future", "single", "left", "delivered", "error")

    def __init__(self, future: asyncio.Future[Any], single: bool) -> None:
        self.future = future
        self.single = single
        self.left = 1 if single else 0
        self.delivered = 0
        self.error: Optional[KafkaError] = None

    def told(self, delivery: Delivery, place: int, records: int) -> bool:
        """Takes an outcome in; whether it was the last one."""
        self.left -= records
        if delivery.error is None:
            self.delivered += records
        self.error = self.error or delivery.error
        if self.left > 0:
            return False
        if not self.future.done():
            if self.error is not None:
                self.error.accepted = self.delivered
                self.future.set_exception(self.error)
            else:
                self.future.set_result(delivery.metadata(place) if self.single else self.delivered)
        return True


class AsyncProducer(NotCopied):
    """Sends records to Kafka; as :class:`milena.Producer`, for asyncio. For one event loop and its thread.

    ::

        async with milena.AsyncProducer({"bootstrap.servers": "localhost:9092"}) as producer:
            where = await producer.send_and_wait("letters", "Dear Milena")
    """

    def __init__(self, config: Optional[Mapping[str, Value]] = None, *, file: Optional[Path] = None) -> None:
        self._core = ProducerCore(config, file)
        self._core.owned_by(self)
        self._tokens = itertools.count(1)
        self._pending: Dict[int, _Pending] = {}
        self._room: List[asyncio.Future[None]] = []
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self._closing: Optional[asyncio.Future[None]] = None

    async def send(
        self,
        topic: str,
        value: Data,
        key: Data = None,
        headers: Optional[Headers] = None,
        partition: int = -1,
        timestamp: Optional[int] = None,
        timeout: Optional[float] = None,
    ) -> asyncio.Future[RecordMetadata]:
        """Hands a record over, as :meth:`milena.Producer.send`; waits only for room in ``buffer.memory``.

        :returns: a future of where the record ended up; it raises why it was not delivered.
        :raises BufferExhaustedError: there was no room in time (`timeout` seconds, or ``max.block.ms``).
        """
        if timeout is not None:
            milliseconds(timeout)
        self._attach()
        token = next(self._tokens)
        block = pack_one(token, value, key, headers, partition, timestamp)
        deadline: Optional[Deadline] = None
        while (refused := self._core.send_one(topic, block)) is not None:
            deadline = deadline or Deadline(self._core.max_block if timeout is None else timeout)
            await self._wait_for_room(deadline, refused)
        return self._expect(token, _Pending(asyncio.get_running_loop().create_future(), True))

    async def send_and_wait(
        self,
        topic: str,
        value: Data,
        key: Data = None,
        headers: Optional[Headers] = None,
        partition: int = -1,
        timestamp: Optional[int] = None,
        timeout: Optional[float] = None,
    ) -> RecordMetadata:
        """Hands a record over, as :meth:`send`, and waits until it is delivered; raises why it was not."""
        return await (await self.send(topic, value, key, headers, partition, timestamp, timeout))

    async def send_many(
        self,
        topic: str,
        values: Iterable[Data],
        keys: Optional[Iterable[Data]] = None,
        partition: int = -1,
        timestamp: Optional[int] = None,
        timeout: Optional[float] = None,
    ) -> asyncio.Future[int]:
        """Hands many records over, some thousand in one call of the library: the fast way.

        :returns: a future of their number, done when all are delivered; it raises why the first was not, and its
            ``accepted`` says how many were delivered.
        :raises KafkaError: a record was refused; ``accepted`` says how many were taken, which will be delivered.
        """
        check_columns(values, keys)
        self._attach()
        slices, deadline = Slices(), Deadline(self._core.max_block if timeout is None else timeout)
        each, sent, token = iter(values), 0, next(self._tokens)
        each_key = None if keys is None else iter(keys)
        pending = _Pending(asyncio.get_running_loop().create_future(), False)
        pending.left = 1  # for this call itself, so that the future is not done before
        self._expect(token, pending)
        try:
            while chunk := slices.of(each):
                chunk_keys = None if each_key is None else list(itertools.islice(each_key, len(chunk)))
                if chunk_keys is not None and len(chunk_keys) != len(chunk):
                    raise ValueError("there are fewer keys than values")
                packed = pack_columns(chunk, chunk_keys, itertools.repeat(token, len(chunk)), partition, timestamp)
                await self._send_packed(topic, packed, pending, deadline)
                sent += packed.records
                slices.adapt(packed)
        except BaseException as error:
            pending.future.cancel()
            if isinstance(error, KafkaError):
                error.accepted += sent
            note_accepted(error, sent)
            raise
        finally:
            pending.left -= 1
            if pending.left == 0:
                self._pending.pop(token, None)
                if not pending.future.done():
                    self._finish_early(pending)
        return pending.future

    async def flush(self, timeout: Optional[float] = None) -> None:
        """Sends what lingers, and waits until all that was sent before is delivered or failed; the futures tell.

        :param timeout: seconds; None: as long as it takes, which ``delivery.timeout.ms`` bounds.
        :raises KafkaTimeoutError: something is left; it goes on being sent.
        """
        self._attach()
        await _in_thread(lambda: self._core.flush(timeout))
        self._on_readable()

    async def close(self, timeout: Optional[float] = None) -> None:
        """Delivers what was sent and ends the producer; see :meth:`milena.Producer.close`. The futures tell what was
        not delivered. When this is cancelled, the producer goes on closing, and the futures go on telling.

        :raises KafkaTimeoutError: something was given up.
        """
        milliseconds(timeout)
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._end(timeout))
            self._closing.add_done_callback(_look_at)
        elif self._closing.done():
            return
        await asyncio.shield(self._closing)

    async def _end(self, timeout: Optional[float]) -> None:
        try:
            await _in_thread(lambda: self._core.close(timeout))
        finally:
            self._on_readable()
            if self._loop is not None:
                self._loop.remove_reader(self._core.fd)
                self._loop = None

    async def __aenter__(self) -> AsyncProducer:
        return self

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        with contextlib.ExitStack() as stack:
            if kind is not None:
                stack.enter_context(contextlib.suppress(KafkaError))
            await self.close()

    def __repr__(self) -> str:
        return f"<milena.AsyncProducer{', closed' if self._core.closed else ''}>"

    def _attach(self) -> None:
        loop = asyncio.get_running_loop()
        if self._loop is None and not self._core.closed:
            loop.add_reader(self._core.fd, self._on_readable)
            self._loop = loop
        elif self._loop is not loop and self._loop is not None:
            raise RuntimeError("this producer belongs to another event loop; make one for each")

    def _expect(self, token: int, pending: _Pending) -> asyncio.Future[Any]:
        self._pending[token] = pending
        return pending.future

    async def _send_packed(self, topic: str, packed: Packed, pending: _Pending, deadline: Deadline) -> None:
        accepted = 0
        while True:
            before = accepted
            accepted, refused = self._core.send_from(topic, packed, before)
            pending.left += accepted - before
            if refused is None:
                return
            refused.accepted = accepted
            if not isinstance(refused, BufferExhaustedError):
                raise refused
            await self._wait_for_room(deadline, refused)

    async def _wait_for_room(self, deadline: Deadline, refused: KafkaError) -> None:
        if deadline.over():
            raise refused
        loop = asyncio.get_running_loop()
        room: asyncio.Future[None] = loop.create_future()
        self._room.append(room)
        left = deadline.left()
        timer = None if left is None else loop.call_later(left, _wake, room)
        try:
            await room
        finally:
            if timer is not None:
                timer.cancel()

    def _on_readable(self) -> None:
        for delivery in self._core.take():
            tokens = delivery.raw_tokens().tolist()
            places = dict(zip(tokens, range(len(tokens))))
            for token, place in places.items():
                pending = self._pending.get(token)
                if pending is None:
                    continue
                records = 1 if pending.single else len(tokens) if len(places) == 1 else tokens.count(token)
                if pending.told(delivery, place, records):
                    del self._pending[token]
        waiting, self._room = self._room, []
        for room in waiting:
            _wake(room)

    @staticmethod
    def _finish_early(pending: _Pending) -> None:
        """All records were reported before the call that sent them came to its end."""
        if pending.error is not None:
            pending.error.accepted = pending.delivered
            pending.future.set_exception(pending.error)
        else:
            pending.future.set_result(pending.delivered)


def _look_at(future: asyncio.Future[None]) -> None:
    """Takes note of an error, so that asyncio does not complain when nobody else does."""
    if not future.cancelled():
        future.exception()


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


class _Alone:
    """The right of one task to wait inside a consumer."""

    def __init__(self) -> None:
        self.taken = False
        self._waiting: List[asyncio.Future[None]] = []

    def __enter__(self) -> None:
        if self.taken:
            raise busy()
        self.taken = True

    def __exit__(self, *_: object) -> None:
        self.taken = False
        for future in self._waiting:
            _wake(future)
        self._waiting.clear()

    async def until_free(self, timeout: Optional[float]) -> None:
        """Waits until the task that is inside has left."""
        while self.taken:
            free: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(free)
            try:
                await asyncio.wait_for(free, timeout)
            except asyncio.TimeoutError:
                raise busy() from None


class AsyncConsumer(ConsumerBase):
    """Reads records from Kafka; as :class:`milena.Consumer`, for asyncio. For one event loop, and one task at a time.

    ::

        async with milena.AsyncConsumer({"bootstrap.servers": "localhost:9092", "group.id": "readers"}) as consumer:
            consumer.subscribe(["letters"])
            async for record in consumer:
                print(record.offset, record.value)

    The callbacks of ``subscribe``, and ``on_commit``, may be coroutine functions; they are awaited.
    """

    def __init__(
        self,
        config: Optional[Mapping[str, Value]] = None,
        *,
        file: Optional[Path] = None,
        on_commit: Optional[OnCommit] = None,
    ) -> None:
        super().__init__(config, file=file, on_commit=on_commit)
        self._alone = _Alone()

    async def poll(self, timeout: Optional[float] = None, max_records: int = 0) -> Batch:
        """Waits for records or an event; see :meth:`milena.Consumer.poll`. A poll that is cancelled loses nothing: the
        next one gives it.

        :raises BusyError: another task is inside this consumer.
        """
        milliseconds(timeout)
        max_records = number("max_records", max_records, 0, INT64)
        batch = await self._take(timeout, max_records)
        self._packer.kept = None
        if batch.event is not None:
            await self._tell_all(batch)
        return batch

    async def _take(self, timeout: Optional[float], max_records: int) -> Batch:
        """Waits for records or an event, which stay kept."""
        with self._alone:
            # Others shall have their turn even if there are always records; later a cancellation would lose some.
            await asyncio.sleep(0)
            deadline = Deadline(timeout)
            while True:
                with self._turn:
                    kept = self._leftover(max_records)
                    batch = self._poll_now(max_records) if kept is None else kept
                if batch or batch.event is not None or deadline.over():
                    return batch
                left = deadline.left()
                await self._readable(self._sign_of_life if left is None else min(left, self._sign_of_life))

    async def _tell_all(self, batch: Batch) -> None:
        """Runs the callback for an event; if that is cancelled, the next poll gives the event once more."""
        self._packer.kept = None
        try:
            told = self._tell(batch)
            if inspect.isawaitable(told):
                await told
        except Exception:
            raise
        except BaseException:
            self._keep(batch)
            raise

    async def __aiter__(self) -> AsyncIterator[Record]:
        """All records, one by one, waiting for more without end; see :meth:`milena.Consumer.__iter__`."""
        reader, packer = object(), self._packer
        while True:
            for record in await self._read_on(reader):
                if self._reader is not reader:
                    break
                packer.read += 1
                yield record

    async def _read_on(self, reader: object) -> Iterator[Record]:
        with self._turn:
            batch = self._unread()
        if batch is None:
            batch = await self._take(None, 0)
        if batch.event is not None:
            await self._tell_all(batch)
            return iter(())
        self._reader = reader
        return batch.records_from(self._packer.read)

    async def batches(self, max_records: int = 0) -> AsyncIterator[Batch]:
        """All batches of records, one by one, waiting for more without end."""
        while True:
            batch = await self.poll(None, max_records)
            if batch.event is None:
                yield batch

    async def commit(self, offsets: Offsets = None, timeout: Optional[float] = None) -> None:
        """Commits offsets for the group and waits for it; see :meth:`milena.Consumer.commit`."""
        await self._ask_in_thread(lambda: self._commit(offsets, timeout))

    async def position(
        self, partitions: Optional[Iterable[Partition]] = None, timeout: Optional[float] = None
    ) -> Dict[TopicPartition, int]:
        """The offsets of the next records that poll will give; see :meth:`milena.Consumer.position`."""
        return await self._ask_in_thread(lambda: self._position(partitions, timeout))

    async def committed(
        self, partitions: Optional[Iterable[Partition]] = None, timeout: Optional[float] = None
    ) -> Dict[TopicPartition, Optional[OffsetAndMetadata]]:
        """The offsets that the group has committed; see :meth:`milena.Consumer.committed`."""
        return await self._ask_in_thread(lambda: self._committed(partitions, timeout))

    async def beginning_offsets(
        self, partitions: Iterable[Partition], timeout: Optional[float] = None
    ) -> Dict[TopicPartition, int]:
        """The offsets of the first records of partitions; see :meth:`milena.Consumer.beginning_offsets`."""
        function = lib.milena_consumer_beginning_offsets
        return await self._ask_in_thread(lambda: self._ends(function, partitions, timeout))

    async def end_offsets(
        self, partitions: Iterable[Partition], timeout: Optional[float] = None
    ) -> Dict[TopicPartition, int]:
        """The offsets behind the last records of partitions; see :meth:`milena.Consumer.end_offsets`."""
        function = lib.milena_consumer_end_offsets
        return await self._ask_in_thread(lambda: self._ends(function, partitions, timeout))

    async def offsets_for_times(
        self, times: Mapping[Any, int], timeout: Optional[float] = None
    ) -> Dict[TopicPartition, Optional[OffsetAndTimestamp]]:
        """For each partition the first record of a time or later; see :meth:`milena.Consumer.offsets_for_times`."""
        return await self._ask_in_thread(lambda: self._times(times, timeout))

    async def close(self, timeout: Optional[float] = None) -> None:
        """Commits what polls have handed out, leaves the group, and ends the consumer; see
        :meth:`milena.Consumer.close`. The call of another task ends with ClosedError."""
        deadline = Deadline(timeout)
        if self._alone.taken and not self._closed:
            self._closing = True
            try:
                self.wakeup()
                await self._alone.until_free(deadline.left())
            except BaseException:
                self._closing, self._woken_in_vain = False, True
                raise
        await _in_thread(lambda: self._close(deadline.left()))

    async def _ask_in_thread(self, work: Callable[[], T]) -> T:
        with self._alone:
            return await _in_thread(work, self._cancel)

    async def __aenter__(self) -> AsyncConsumer:
        return self

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        with contextlib.ExitStack() as stack:
            if kind is not None:
                stack.enter_context(contextlib.suppress(KafkaError))
            await self.close()

    async def _readable(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[None] = loop.create_future()
        loop.add_reader(self._fd, _wake, ready)
        timer = loop.call_later(seconds, _wake, ready)
        try:
            await ready
        finally:
            timer.cancel()
            loop.remove_reader(self._fd)
