"""The part of a producer that both faces, :mod:`milena.producer` and :mod:`milena.aio`, have in common: the handle,
its calls, and its end, so that no record is lost when the program forgets to close it.
"""

from __future__ import annotations

import atexit
import logging
import weakref
from ctypes import byref, c_char_p, c_size_t, c_void_p, cast
from typing import Dict, List, Mapping, Optional, Set, Tuple

from . import _ffi, deliveries, log
from ._load import lib
from ._native import call, call_fd, call_out, interruptible, milliseconds, taken, text_in
from .codes import Code
from .config import NativeConfig, Path, Value
from .deliveries import Delivery
from .errors import KafkaError, KafkaTimeoutError, from_status
from .packing import Packed

_send_packed = lib.milena_producer_send_packed
_bytes_in = _ffi.milena_bytes_in
_TOPICS_KEPT = 10_000
_SLICE_MS = 50
_DEFAULT_MAX_BLOCK_MS = 60_000


class ProducerCore:
    """A producer's handle. All methods may be called from any threads at once."""

    def __init__(self, properties: Optional[Mapping[str, Value]], file: Optional[Path]) -> None:
        with NativeConfig(properties, file) as config:
            self.handle = call_out(lib.milena_producer_new, config.handle)
            self.max_block = float(config.get("max.block.ms") or _DEFAULT_MAX_BLOCK_MS) / 1000
            self._logs = config.get("log.sink") == "poll"
        self.fd = call_fd(lib.milena_producer_fd, self.handle)
        """Readable as long as there are deliveries, and when a refused send may be tried again."""
        self.closed = False
        self._topics: Dict[str, _ffi.milena_bytes_in] = {}
        _reap()
        _live.add(self)

    def owned_by(self, owner: object) -> None:
        """What becomes of this when its owner is no longer in use."""
        weakref.finalize(owner, self._abandon).atexit = False  # type: ignore[misc]

    def topic(self, name: str) -> _ffi.milena_bytes_in:
        """A topic's name as an argument."""
        known = self._topics.get(name)
        if known is None:
            if len(self._topics) >= _TOPICS_KEPT:
                self._topics.clear()
            known = self._topics[name] = text_in(name)
        return known

    def send_one(self, topic: str, block: bytes) -> Optional[KafkaError]:
        """Hands one packed record over, without waiting. What it was refused with, if there was no room for it;
        raises what else it is refused with."""
        name = self._topics.get(topic)
        if name is None:
            name = self.topic(topic)
        packed = _bytes_in(block, len(block))
        if _send_packed(self.handle, name, packed, 1, 0, None, None) == 0:
            return None
        # It was not taken: asking once more tells why, if it still is not. A place for the error costs a fifth of a send.
        self._check_open()
        error = c_void_p()
        status = _send_packed(self.handle, name, packed, 1, 0, None, byref(error))
        if status == 0:
            return None
        refused = taken(status, error)
        if status == Code.BUFFER_EXHAUSTED:
            return refused
        raise refused

    def _check_open(self) -> None:
        if self.handle is None:
            raise from_status(Code.CLOSED, "the producer was closed, as the program ends")

    def send_from(self, topic: str, packed: Packed, start: int) -> Tuple[int, Optional[KafkaError]]:
        """Hands over the packed records from a number on, without waiting: how many are taken now, and why not all."""
        self._check_open()
        error, accepted = c_void_p(), c_size_t()
        block, at = packed.block, 0
        if start == 0:
            rest = _ffi.milena_bytes_in(block, len(block))
        else:
            at = packed.size_of(start)
            rest = _ffi.milena_bytes_in((cast(c_char_p(block), c_void_p).value or 0) + at, len(block) - at)
        status = lib.milena_producer_send_packed(
            self.handle, self.topic(topic), rest, packed.records - start, 0, byref(accepted), byref(error)
        )
        return start + accepted.value, taken(status, error) if status else None

    def take(self, max_records: int = 0) -> List[Delivery]:
        """The deliveries that are there."""
        if self.handle is None:
            return []
        out = call_out(lib.milena_producer_poll, self.handle, 0, max_records)
        if self._logs:
            log.forward(lib.milena_producer_log, self.handle)
        return deliveries.take(out) if out else []

    def flush(self, seconds: Optional[float]) -> None:
        """Waits until all that was accepted is reported; raises KafkaTimeoutError when it is not in time."""
        # Most often it is a matter of milliseconds, which are not worth a thread.
        timeout = milliseconds(seconds)
        if self.closed or self.handle is None:
            raise from_status(Code.CLOSED, "the producer is closed")
        if timeout == -1 or timeout > _SLICE_MS:
            if lib.milena_producer_flush(self.handle, _SLICE_MS, None) != Code.TIMED_OUT:
                timeout = 0
            elif timeout != -1:
                timeout -= _SLICE_MS
        try:
            if 0 <= timeout <= _SLICE_MS:
                call(lib.milena_producer_flush, self.handle, timeout)
            else:
                interruptible(lambda: call(lib.milena_producer_flush, self.handle, timeout))
        except KafkaTimeoutError as error:
            # The library knows of the last slice only.
            error.args = (str(error).replace(f"flushing for {timeout} ms", f"flushing for {milliseconds(seconds)} ms"),)
            error.message = error.message.replace(f" {timeout} ms", f" {milliseconds(seconds)} ms")
            raise

    def close(self, seconds: Optional[float]) -> None:
        """Delivers what was accepted, and gives the rest up when the time is over, with a KafkaTimeoutError."""
        timeout = milliseconds(seconds)
        self.closed = True
        if self.handle is None:
            return
        interruptible(lambda: call(lib.milena_producer_close, self.handle, timeout))

    def is_idle(self) -> bool:
        """Whether everything is reported."""
        return bool(lib.milena_producer_flush(self.handle, 0, None) != Code.TIMED_OUT)

    def free(self) -> None:
        """Gives the handle back."""
        _live.discard(self)
        _orphans.discard(self)
        handle, self.handle = self.handle, None
        lib.milena_producer_free(handle)

    def _abandon(self) -> None:
        """Nobody can reach the producer any more: as soon as it has nothing left to send, free it."""
        if self.closed or self.is_idle():
            self.free()
        else:
            _orphans.add(self)


_live: Set[ProducerCore] = set()
_orphans: Set[ProducerCore] = set()


def _reap() -> None:
    """Frees abandoned producers that have come to their end."""
    for core in list(_orphans):
        if core.is_idle():
            core.free()


@atexit.register
def _at_exit() -> None:
    """Delivers what producers that were not closed still have; how long that takes, delivery.timeout.ms bounds."""
    try:
        for core in list(_live):
            _finish(core)
    except KeyboardInterrupt:
        logging.getLogger("milena").error("interrupted: records that were not delivered yet are given up")
    finally:
        for core in list(_live):
            core.free()


def _finish(core: ProducerCore) -> None:
    while not core.closed:
        status = lib.milena_producer_flush(core.handle, _SLICE_MS, None)
        if status == Code.FORKED:
            return
        if status != Code.TIMED_OUT:
            break
    failed = [d for d in core.take() if d.error is not None]
    if failed:
        count = sum(map(len, failed))
        logging.getLogger("milena").error("%d records were not delivered: %s", count, failed[0].error)
