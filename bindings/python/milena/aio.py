"""Producer and consumer for asyncio.

They wait on the library's descriptor in the event loop; no thread stands behind sending, polling and flushing. Only
what asks a broker and waits for the answer (commits, offsets, close) is done in a short-lived thread.

The event loop has to have ``add_reader``: all do, but for Windows' Proactor loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
from types import TracebackType
from typing import (
    Any,
    AsyncIterator,
    Awaitable,
    Callable,
    Dict,
    Iterable,
    List,
    Mapping,
    Optional,
    Set,
    Type,
    TypeVar,
)

from ._consumer import ConsumerBase, Offsets
from ._load import lib
from ._native import Data, Deadline, call, milliseconds
from ._producer import ProducerCore
from .config import Path, Value
from .deliveries import Delivery, RecordMetadata
from .errors import BufferExhaustedError, KafkaError, KafkaTimeoutError, from_status
from .codes import Code
from .packing import Headers, Packed, Slices, pack_columns, pack_one
from .records import Batch, Record
from .types import OffsetAndMetadata, OffsetAndTimestamp, Partition, TopicPartition

T = TypeVar("T")
