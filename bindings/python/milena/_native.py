"""Calling the C library: texts and times across the border, errors as exceptions, waits that Ctrl-C can end."""

from __future__ import annotations

import math
import select
import signal
import threading
import time
from ctypes import byref, c_char_p, c_ssize_t, c_void_p, cast, string_at
from operator import index
from typing import Any, Callable, List, Optional, Tuple, TypeVar, Union

from . import _ffi
from ._load import lib
from .codes import Code
from .errors import KafkaError, from_pointer, from_status

T = TypeVar("T")

INT32 = 2**31 - 1
INT64 = 2**63 - 1

Data = Union[bytes, bytearray, memoryview, str, None]
"""What keys and values can be: bytes, text (sent as UTF-8), or None, which is Kafka's null."""


def to_bytes(data: Data) -> Optional[bytes]:
    """A key or value as the bytes that are sent."""
    if data is None or type(data) is bytes:
        return data
    if isinstance(data, str):
        return data.encode()
    if isinstance(data, (bytes, bytearray, memoryview)):
        return bytes(data)
    raise TypeError(f"bytes, str or None expected, not {type(data).__name__}: serialize it first, by json.dumps say")


def encoded(text: str) -> bytes:
    """A name as it is sent."""
    if isinstance(text, str):
        return text.encode()
    raise TypeError(f"a name is a str, not {type(text).__name__}")


def text_in(text: str) -> _ffi.milena_bytes_in:
    """A text as an argument of a call."""
    raw = encoded(text)
    return _ffi.milena_bytes_in(raw, len(raw))


class Arena:
    """Keeps the texts alive that structs point to, as long as it lives itself."""

    def __init__(self) -> None:
        self._kept: List[c_char_p] = []

    def text(self, text: Optional[str]) -> _ffi.milena_bytes:
        """A text as a member of a struct; null for None."""
        if text is None:
            return _ffi.milena_bytes(None, 0)
        raw = encoded(text)
        self._kept.append(c_char_p(raw))
        return _ffi.milena_bytes(cast(self._kept[-1], c_void_p).value, len(raw))


def text_out(view: Any) -> str:
    """A milena_bytes as text."""
    return string_at(view.data, view.len).decode("utf-8", "replace") if view.data else ""


def rows(address: Optional[int], count: int, stride: int, kind: Any) -> List[Any]:
    """The structs of an array that the library made; they borrow from its owner."""
    return [kind.from_address(address + i * stride) for i in range(count)] if address else []


def milliseconds(seconds: Optional[float]) -> int:
    """A time-out as the library takes it: -1 for None. What is less than a millisecond waits for one."""
    if seconds is None:
        return -1
    if not seconds >= 0:
        raise ValueError(f"a time-out can't be {seconds}: it is 0 or more seconds, or None")
    return min(math.ceil(seconds * 1000), 2**62)


def number(name: str, value: Any, least: int, most: int) -> int:
    """An integer that C can take; ctypes would cut it to its width without a word."""
    try:
        given = index(value)
    except TypeError:
        raise TypeError(f"{name} is an integer, not {type(value).__name__}") from None
    if not least <= given <= most:
        raise from_status(Code.INVALID_ARGUMENT, f"{name} can't be {given}: it is {least} to {_power(most)}")
    return given


def _power(most: int) -> str:
    return f"2**{most.bit_length()} - 1" if most > 0xFFFF and most & (most + 1) == 0 else str(most)


def check(status: int, error: Any) -> None:
    """Raises what a call failed with; `error` is the c_void_p that it was given."""
    if status != 0:
        raise taken(status, error)


def taken(status: int, error: Any) -> KafkaError:
    """The error that a call failed with; the library's one is freed."""
    if not error.value:
        return from_status(status)
    try:
        return from_pointer(error.value)
    finally:
        lib.milena_error_free(error)
        error.value = None


def call(function: Any, *arguments: Any) -> None:
    """Calls a function whose last argument, left out here, takes an error."""
    error = c_void_p()
    status = function(*arguments, byref(error))
    if status != 0:
        raise taken(status, error)


def call_out(function: Any, *arguments: Any) -> Optional[int]:
    """As :func:`call`, for functions whose last argument but one is a pointer to be written."""
    out = c_void_p()
    call(function, *arguments, byref(out))
    return out.value


def call_fd(function: Any, handle: Optional[int]) -> int:
    """The descriptor of a client."""
    out = c_ssize_t(-1)
    call(function, handle, byref(out))
    return out.value


class Deadline:
    """A point in time to wait until; None is never."""

    def __init__(self, seconds: Optional[float]) -> None:
        milliseconds(seconds)
        self._end = None if seconds is None else time.monotonic() + seconds

    def left(self) -> Optional[float]:
        """Seconds that are left, 0 when it is over."""
        return None if self._end is None else max(0.0, self._end - time.monotonic())

    def over(self) -> bool:
        return self._end is not None and time.monotonic() >= self._end


def wait_readable(fd: int, seconds: Optional[float]) -> None:
    """Waits until a descriptor is readable, or the time is over. A signal's handler runs at once, and may raise."""
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        poll.poll(None if seconds is None else math.ceil(min(seconds, 86400.0) * 1000))
    else:
        select.select([fd], [], [], seconds)


def interruptible(work: Callable[[], T], cancel: Optional[Callable[[], None]] = None) -> T:
    """Runs a call that blocks in the library so that Ctrl-C still works.

    Python runs signal handlers in the main thread only, and not while that is inside C. So there the call is made by
    a thread of its own. When the wait is interrupted, `cancel` has to make the call end, which is waited for; without
    it the call is left alone, and `work` has to clean up itself.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    outcome: List[Tuple[Optional[T], Optional[BaseException]]] = []
    done = threading.Lock()
    done.acquire()

    def run() -> None:
        try:
            if hasattr(signal, "pthread_sigmask"):
                signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
            outcome.append((work(), None))
        except BaseException as error:
            outcome.append((None, error))
        finally:
            done.release()

    try:
        threading.Thread(target=run, name="milena-call", daemon=True).start()
    except RuntimeError:  # the interpreter is on its way out
        return work()
    try:
        done.acquire()
    except BaseException:
        if cancel is not None:
            cancel()
            done.acquire()
        raise
    result, error = outcome[0]
    if error is not None:
        raise error
    return result  # type: ignore[return-value]
