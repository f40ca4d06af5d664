"""What keeps a client to itself: one thread at a time, and no copies."""

from __future__ import annotations

import threading
from typing import NoReturn

from .codes import Code
from .errors import KafkaError, from_status


class Turn:
    """The right to be inside a consumer: one thread has it at a time, which may take it again (in callbacks)."""

    __slots__ = ("lock",)

    def __init__(self) -> None:
        self.lock = threading.RLock()

    def __enter__(self) -> None:
        if not self.lock.acquire(False):
            raise busy()

    def __exit__(self, *_: object) -> None:
        self.lock.release()


def busy() -> KafkaError:
    """What is raised when another thread or task is inside."""
    text = "another thread or task is inside this consumer; a consumer is for one at a time"
    return from_status(Code.BUSY, text)


class NotCopied:
    """A handle of the library, which can be neither copied nor pickled."""

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} can be neither copied nor pickled: make another one")
