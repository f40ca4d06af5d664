"""An Apache Kafka client: producer, consumer, admin client, and an embedded cluster for tests.

>>> import milena
>>> with milena.EmbeddedCluster() as cluster:
...     with milena.Producer({"bootstrap.servers": cluster.bootstrap_servers}) as producer:
...         producer.send("letters", "Dear Milena")
...     consumer = milena.Consumer({"bootstrap.servers": cluster.bootstrap_servers, "auto.offset.reset": "earliest"})
...     consumer.assign([("letters", 0)])
...     [record.value for record in consumer.poll(10)]
...     consumer.close()
[b'Dear Milena']

For asyncio: :class:`AsyncProducer` and :class:`AsyncConsumer`.
"""

from ._ffi import MILENA_VERSION_NUMBER as _NUMBER
from ._load import lib as _lib
from ._load import version_text as _version_text
from .admin import AdminClient, Broker, ClusterDescription, NewTopic, PartitionDescription, TopicDescription
from .aio import AsyncConsumer, AsyncProducer
from .codes import Code
from .config import config_table
from .consumer import Consumer
from .deliveries import Delivery, RecordMetadata
from .embedded import ALWAYS, Api, EmbeddedCluster, Fault
from .errors import (
    AuthorizationError,
    BufferExhaustedError,
    BusyError,
    ClosedError,
    ConfigurationError,
    CorruptRecordError,
    ForkedError,
    InvalidArgumentError,
    InvalidStateError,
    KafkaError,
    KafkaTimeoutError,
    MessageTooLargeError,
    OffsetError,
    ProtocolError,
    RebalanceError,
    TopicExistsError,
    TransportError,
    UnknownTopicOrPartitionError,
    UnsupportedError,
    WakeupError,
)
from .packing import ProducerRecord
from .producer import Producer
from .records import Batch, Chunk, Event, EventKind, Record, decode_batches
from .types import OffsetAndMetadata, OffsetAndTimestamp, TopicPartition

__version__ = _version_text(_NUMBER)


def library_version() -> str:
    """The version of the loaded library and what it can do: "milena/0.1.0 codecs=gzip,snappy,lz4,zstd"."""
    version: bytes = _lib.milena_version()
    return version.decode()


__all__ = [
    "__version__",
    "AdminClient",
    "ALWAYS",
    "Api",
    "AsyncConsumer",
    "AsyncProducer",
    "AuthorizationError",
    "Batch",
    "Broker",
    "BufferExhaustedError",
    "BusyError",
    "Chunk",
    "ClosedError",
    "ClusterDescription",
    "Code",
    "config_table",
    "ConfigurationError",
    "Consumer",
    "CorruptRecordError",
    "decode_batches",
    "Delivery",
    "EmbeddedCluster",
    "Event",
    "EventKind",
    "Fault",
    "ForkedError",
    "InvalidArgumentError",
    "InvalidStateError",
    "KafkaError",
    "KafkaTimeoutError",
    "library_version",
    "MessageTooLargeError",
    "NewTopic",
    "OffsetAndMetadata",
    "OffsetAndTimestamp",
    "OffsetError",
    "PartitionDescription",
    "Producer",
    "ProducerRecord",
    "ProtocolError",
    "RebalanceError",
    "Record",
    "RecordMetadata",
    "TopicDescription",
    "TopicExistsError",
    "TopicPartition",
    "TransportError",
    "UnknownTopicOrPartitionError",
    "UnsupportedError",
    "WakeupError",
]
