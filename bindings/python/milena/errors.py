"""Exceptions: what went wrong, where, why, and what to do about it."""

from __future__ import annotations

from ctypes import string_at
from typing import Any, Dict, Optional, Tuple, Type

from ._load import lib
from .codes import Code


class KafkaError(Exception):
    """An error of the client or of a broker.

    The text has everything there is to say on one line; the attributes have its parts. Catch a subclass, or look at
    ``code``, to tell errors apart.
    """

    code: int = 0
    """One of :class:`milena.Code`, or a number that a newer broker sent."""
    name: str = "NONE"
    """The code's name, such as "NOT_LEADER_OR_FOLLOWER"."""
    message: str = ""
    """What happened."""
    cause: Optional[str] = None
    """Why, where something else was the reason."""
    hint: Optional[str] = None
    """What to do about it."""
    phase: Optional[str] = None
    """The step of talking to the broker that failed: "dns", "tcp", "tls", "sasl", "api-versions" or "request"."""
    broker: Optional[int] = None
    """The id of the broker it is about."""
    address: Optional[str] = None
    """The broker's address, as "host:port"."""
    topic: Optional[str] = None
    """The topic of the partition it is about."""
    partition: Optional[int] = None
    """The partition it is about."""
    offset: Optional[int] = None
    """The offset it is about: where the partition can't be read."""
    next_offset: Optional[int] = None
    """Where to seek to, to read on behind what can't be read."""
    retriable: bool = False
    """Whether the same may succeed later without a change by the caller."""
    fatal: bool = False
    """Whether the client is of no more use: close it and make another one."""
    txn_requires_abort: bool = False
    """Whether the producer's transaction must be aborted."""
    accepted: int = 0
    """Of a send: how many records were taken before this one was refused. They are delivered all the same."""
    results: Tuple[Any, ...] = ()
    """Of an admin call: the :class:`milena.TopicDescription` of each topic that was asked for, failed or not."""

    def __init__(self, text: str, **parts: Any) -> None:
        super().__init__(text)
        self.__dict__.update(parts)

    def __str__(self) -> str:
        return str(self.args[0])

    def __reduce__(self) -> Tuple[Any, ...]:
        return _rebuild, (type(self), self.args[0], self.__dict__)


def _rebuild(kind: Type[KafkaError], text: str, parts: Dict[str, Any]) -> KafkaError:
    return kind(text, **parts)


class ConfigurationError(KafkaError, ValueError):
    """Properties that are unknown, out of their range or at odds with each other; the text names all of them."""


class InvalidArgumentError(KafkaError, ValueError):
    """An argument that makes no sense here."""


class InvalidStateError(KafkaError):
    """The call does not fit the state of the client, such as seek without an assignment."""


class ClosedError(KafkaError):
    """The client is closed."""


class BusyError(KafkaError):
    """Another thread is inside a consumer, which is for one thread at a time."""


class ForkedError(KafkaError):
    """The process forked after the client was made; make one in the child."""


class WakeupError(KafkaError):
    """:meth:`milena.Consumer.wakeup` ended the call."""


class KafkaTimeoutError(KafkaError, TimeoutError):
    """The time for a call or for the delivery of a record is over."""


class BufferExhaustedError(KafkaTimeoutError):
    """``buffer.memory`` is full, and ``max.block.ms`` is over."""


class TransportError(KafkaError, ConnectionError):
    """A broker could not be reached, or a connection was lost."""


class ProtocolError(KafkaError):
    """What came from the peer is not the Kafka protocol, or there is no common version."""


class UnsupportedError(KafkaError, NotImplementedError):
    """Something that this version, or the broker's, can't do."""


class AuthorizationError(KafkaError, PermissionError):
    """The broker refuses the credentials, or they have no right to do this."""


class UnknownTopicOrPartitionError(KafkaError, LookupError):
    """There is no such topic or partition, or this client may not see it."""


class TopicExistsError(KafkaError):
    """There is a topic of this name already."""


class MessageTooLargeError(KafkaError, ValueError):
    """The record is larger than the producer or the broker takes."""


class CorruptRecordError(KafkaError):
    """A batch can't be read: ``topic``, ``partition`` and ``offset`` say where, ``next_offset`` where to read on."""


class OffsetError(KafkaError, LookupError):
    """A partition has no position, or there is nothing at it, and ``auto.offset.reset`` is none."""


class RebalanceError(KafkaError):
    """The group has moved on, so the commit came too late; the next polls say which partitions are whose."""


_KINDS: Dict[int, Type[KafkaError]] = {
    Code.INVALID_CONFIGURATION: ConfigurationError,
    Code.INVALID_ARGUMENT: InvalidArgumentError,
    Code.NULL_ARGUMENT: InvalidArgumentError,
    Code.INVALID_TOPIC_EXCEPTION: InvalidArgumentError,
    Code.INVALID_STATE: InvalidStateError,
    Code.CLOSED: ClosedError,
    Code.STALE_HANDLE: ClosedError,
    Code.BUSY: BusyError,
    Code.FORKED: ForkedError,
    Code.WAKEUP: WakeupError,
    Code.TIMED_OUT: KafkaTimeoutError,
    Code.DELIVERY_TIMED_OUT: KafkaTimeoutError,
    Code.REQUEST_TIMED_OUT: KafkaTimeoutError,
    Code.BUFFER_EXHAUSTED: BufferExhaustedError,
    Code.TRANSPORT: TransportError,
    Code.NAME_NOT_RESOLVED: TransportError,
    Code.NETWORK_EXCEPTION: TransportError,
    Code.PROTOCOL: ProtocolError,
    Code.NO_COMMON_VERSION: ProtocolError,
    Code.UNSUPPORTED_VERSION: UnsupportedError,
    Code.NOT_IMPLEMENTED: UnsupportedError,
    Code.TOPIC_AUTHORIZATION_FAILED: AuthorizationError,
    Code.GROUP_AUTHORIZATION_FAILED: AuthorizationError,
    Code.CLUSTER_AUTHORIZATION_FAILED: AuthorizationError,
    Code.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: AuthorizationError,
    Code.SASL_AUTHENTICATION_FAILED: AuthorizationError,
    Code.UNKNOWN_TOPIC_OR_PARTITION: UnknownTopicOrPartitionError,
    Code.TOPIC_ALREADY_EXISTS: TopicExistsError,
    Code.MESSAGE_TOO_LARGE: MessageTooLargeError,
    Code.RECORD_LIST_TOO_LARGE: MessageTooLargeError,
    Code.CORRUPT_MESSAGE: CorruptRecordError,
    Code.OFFSET_OUT_OF_RANGE: OffsetError,
    Code.NO_OFFSET: OffsetError,
    Code.ILLEGAL_GENERATION: RebalanceError,
    Code.UNKNOWN_MEMBER_ID: RebalanceError,
    Code.REBALANCE_IN_PROGRESS: RebalanceError,
}


def kind_of(code: int) -> Type[KafkaError]:
    """The exception class that errors with this code have."""
    return _KINDS.get(code, KafkaError)


def status_name(code: int) -> str:
    """The name of a code, as Kafka has it; "UNKNOWN_CODE" for one that is not known."""
    return _text(lib.milena_status_name(code)) or ""


def from_status(code: int, message: str = "", **parts: Any) -> KafkaError:
    """An error that did not come from the library as an object."""
    name = status_name(code)
    return kind_of(code)(
        f"{name} ({code})" + (f": {message}" if message else ""),
        code=code,
        name=name,
        message=message,
        retriable=bool(lib.milena_status_is_retriable(code)),
        **parts,
    )


def from_pointer(error: int) -> KafkaError:
    """Copies a milena_error, which stays whose it was."""
    code = lib.milena_error_code(error)
    topic = lib.milena_error_topic(error)
    return kind_of(code)(
        _text(lib.milena_error_string(error)) or "",
        code=code,
        name=_text(lib.milena_error_name(error)) or "",
        message=_text(lib.milena_error_message(error)) or "",
        cause=_text(lib.milena_error_cause(error)),
        hint=_text(lib.milena_error_hint(error)),
        phase=_text(lib.milena_error_phase(error)),
        broker=_known(lib.milena_error_broker(error)),
        address=_text(lib.milena_error_address(error)),
        topic=_bytes(topic.data, topic.len),
        partition=_known(lib.milena_error_partition(error)),
        offset=_known(lib.milena_error_offset(error)),
        next_offset=_known(lib.milena_error_next_offset(error)),
        retriable=bool(lib.milena_error_is_retriable(error)),
        fatal=bool(lib.milena_error_is_fatal(error)),
        txn_requires_abort=bool(lib.milena_error_txn_requires_abort(error)),
    )


def _text(raw: Optional[bytes]) -> Optional[str]:
    return None if raw is None else raw.decode("utf-8", "replace")


def _bytes(address: Optional[int], length: int) -> Optional[str]:
    return None if not address else string_at(address, length).decode("utf-8", "replace")


def _known(number: int) -> Optional[int]:
    return None if number == -1 else int(number)
