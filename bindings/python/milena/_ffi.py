"""The C library as ctypes sees it: constants, structs and signatures.

GENERATED from include/milena.h by generate_ffi.py: change it there. Pointers are numbers, 0 and None are NULL; what
each function does, and who owns what, stands in the header.
"""

from __future__ import annotations

from ctypes import (
    CDLL,
    POINTER,
    Structure,
    c_bool,
    c_char_p,
    c_int32,
    c_int64,
    c_size_t,
    c_ssize_t,
    c_uint8,
    c_uint32,
    c_uint64,
    c_void_p,
)

MILENA_VERSION_NUMBER = 256
MILENA_OK = 0
MILENA_LOG_ERROR = 1
MILENA_LOG_WARNING = 2
MILENA_LOG_INFO = 3
MILENA_LOG_DEBUG = 4
MILENA_RECORD_APPEND_TIME = 1
MILENA_RECORD_NO_TIMESTAMP = 2
MILENA_RECORD_CONTROL = 4
MILENA_EVENT_ASSIGNED = 1
MILENA_EVENT_REVOKED = 2
MILENA_EVENT_LOST = 3
MILENA_EVENT_COMMITTED = 4
MILENA_FAULT_ERROR = 1
MILENA_FAULT_DELAY = 2
MILENA_FAULT_DISCONNECT_BEFORE = 3
MILENA_FAULT_DISCONNECT_AFTER = 4
MILENA_FAULT_DROP_ANSWER = 5
MILENA_FAULT_GARBAGE = 6
MILENA_FAULT_HUGE_LENGTH = 7
MILENA_FAULT_CUT_OFF = 8
MILENA_FAULT_TRUNCATED = 9
MILENA_FAULT_WRONG_CORRELATION = 10


class milena_bytes(Structure):
    _fields_ = [
        ("data", c_void_p),
        ("len", c_size_t),
    ]


class milena_bytes_in(Structure):
    """As milena_bytes, for arguments: takes bytes, which it keeps alive."""

    _fields_ = [("data", c_char_p), ("len", c_size_t)]


class milena_header(Structure):
    _fields_ = [
        ("name", milena_bytes),
        ("value", milena_bytes),
    ]


class milena_topic_partition(Structure):
    _fields_ = [
        ("topic", milena_bytes),
        ("partition", c_int32),
    ]


class milena_log_line(Structure):
    _fields_ = [
        ("time_ms", c_int64),
        ("level", c_int32),
        ("context", c_char_p),
        ("client_id", c_char_p),
        ("text", c_char_p),
    ]


class milena_delivery(Structure):
    _fields_ = [
        ("topic", milena_bytes),
        ("partition", c_int32),
        ("status", c_int32),
        ("base_offset", c_int64),
        ("append_time_ms", c_int64),
        ("tokens", c_void_p),
        ("tokens_len", c_size_t),
        ("error", c_void_p),
    ]


class milena_record(Structure):
    _fields_ = [
        ("partition", c_int32),
        ("headers_len", c_uint32),
        ("timestamp_ms", c_int64),
        ("key", milena_bytes),
        ("value", milena_bytes),
        ("headers", c_void_p),
        ("token", c_uint64),
    ]


class milena_offset(Structure):
    _fields_ = [
        ("topic", milena_bytes),
        ("partition", c_int32),
        ("leader_epoch", c_int32),
        ("offset", c_int64),
        ("timestamp_ms", c_int64),
        ("metadata", milena_bytes),
    ]


class milena_record_view(Structure):
    _fields_ = [
        ("offset", c_int64),
        ("timestamp_ms", c_int64),
        ("key", milena_bytes),
        ("value", milena_bytes),
        ("headers", c_void_p),
        ("headers_len", c_uint32),
        ("flags", c_uint32),
    ]


class milena_chunk(Structure):
    _fields_ = [
        ("topic", milena_bytes),
        ("partition", c_int32),
        ("leader_epoch", c_int32),
        ("next_offset", c_int64),
        ("records", c_void_p),
        ("records_len", c_size_t),
        ("records_stride", c_size_t),
    ]


class milena_event(Structure):
    _fields_ = [
        ("kind", c_int32),
        ("status", c_int32),
        ("error", c_void_p),
        ("partitions", c_void_p),
        ("partitions_len", c_size_t),
        ("partitions_stride", c_size_t),
    ]


class milena_partition(Structure):
    _fields_ = [
        ("partition", c_int32),
        ("leader", c_int32),
        ("leader_epoch", c_int32),
        ("status", c_int32),
        ("replicas", c_void_p),
        ("replicas_len", c_size_t),
        ("in_sync", c_void_p),
        ("in_sync_len", c_size_t),
    ]


class milena_topic(Structure):
    _fields_ = [
        ("name", milena_bytes),
        ("id", c_uint8 * 16),
        ("status", c_int32),
        ("is_internal", c_int32),
        ("error", c_void_p),
        ("partitions", c_void_p),
        ("partitions_len", c_size_t),
        ("partitions_stride", c_size_t),
    ]


class milena_broker(Structure):
    _fields_ = [
        ("id", c_int32),
        ("port", c_int32),
        ("host", c_char_p),
        ("rack", c_char_p),
    ]


class milena_property(Structure):
    _fields_ = [
        ("name", milena_bytes),
        ("value", milena_bytes),
    ]


class milena_new_topic(Structure):
    _fields_ = [
        ("name", milena_bytes),
        ("partitions", c_int32),
        ("replication_factor", c_int32),
        ("configs", c_void_p),
        ("configs_len", c_size_t),
    ]


class milena_fault(Structure):
    _fields_ = [
        ("kind", c_int32),
        ("code", c_int32),
        ("api_key", c_int32),
        ("broker", c_int32),
        ("topic", milena_bytes),
        ("partition", c_int32),
        ("skip", c_uint32),
        ("times", c_uint32),
        ("delay_ms", c_uint32),
    ]


FUNCTIONS = {
    "milena_version_number": (c_uint32, ()),
    "milena_version": (c_char_p, ()),
    "milena_str": (milena_bytes, (c_char_p,)),
    "milena_status_name": (c_char_p, (c_int32,)),
    "milena_status_is_retriable": (c_bool, (c_int32,)),
    "milena_error_code": (c_int32, (c_void_p,)),
    "milena_error_name": (c_char_p, (c_void_p,)),
    "milena_error_string": (c_char_p, (c_void_p,)),
    "milena_error_message": (c_char_p, (c_void_p,)),
    "milena_error_cause": (c_char_p, (c_void_p,)),
    "milena_error_hint": (c_char_p, (c_void_p,)),
    "milena_error_broker": (c_int32, (c_void_p,)),
    "milena_error_address": (c_char_p, (c_void_p,)),
    "milena_error_phase": (c_char_p, (c_void_p,)),
    "milena_error_topic": (milena_bytes, (c_void_p,)),
    "milena_error_partition": (c_int32, (c_void_p,)),
    "milena_error_offset": (c_int64, (c_void_p,)),
    "milena_error_next_offset": (c_int64, (c_void_p,)),
    "milena_error_is_retriable": (c_bool, (c_void_p,)),
    "milena_error_is_fatal": (c_bool, (c_void_p,)),
    "milena_error_txn_requires_abort": (c_bool, (c_void_p,)),
    "milena_error_free": (None, (c_void_p,)),
    "milena_config_new": (c_void_p, ()),
    "milena_config_copy": (c_void_p, (c_void_p,)),
    "milena_config_set": (c_int32, (c_void_p, c_char_p, c_char_p, POINTER(c_void_p))),
    "milena_config_load_file": (c_int32, (c_void_p, c_char_p, POINTER(c_void_p))),
    "milena_config_load_properties": (c_int32, (c_void_p, c_char_p, c_size_t, POINTER(c_void_p))),
    "milena_config_get": (c_char_p, (c_void_p, c_char_p)),
    "milena_config_table": (c_char_p, ()),
    "milena_config_free": (None, (c_void_p,)),
    "milena_log_lines": (c_void_p, (c_void_p, POINTER(c_size_t), POINTER(c_size_t))),
    "milena_log_dropped": (c_uint64, (c_void_p,)),
    "milena_log_free": (None, (c_void_p,)),
    "milena_deliveries_chunks": (c_void_p, (c_void_p, POINTER(c_size_t), POINTER(c_size_t))),
    "milena_deliveries_count": (c_size_t, (c_void_p,)),
    "milena_deliveries_free": (None, (c_void_p,)),
    "milena_producer_new": (c_int32, (c_void_p, POINTER(c_void_p), POINTER(c_void_p))),
    "milena_producer_send": (
        c_int32,
        (
            c_void_p,
            milena_bytes_in,
            POINTER(milena_record),
            c_size_t,
            c_size_t,
            c_int64,
            POINTER(c_size_t),
            POINTER(c_void_p),
        ),
    ),
    "milena_producer_send_packed": (
        c_int32,
        (
            c_void_p,
            milena_bytes_in,
            milena_bytes_in,
            c_size_t,
            c_int64,
            POINTER(c_size_t),
            POINTER(c_void_p),
        ),
    ),
    "milena_producer_poll": (c_int32, (c_void_p, c_int64, c_size_t, POINTER(c_void_p), POINTER(c_void_p))),
    "milena_producer_flush": (c_int32, (c_void_p, c_int64, POINTER(c_void_p))),
    "milena_producer_close": (c_int32, (c_void_p, c_int64, POINTER(c_void_p))),
    "milena_producer_fd": (c_int32, (c_void_p, POINTER(c_ssize_t), POINTER(c_void_p))),
    "milena_producer_log": (c_int32, (c_void_p, POINTER(c_void_p), POINTER(c_void_p))),
    "milena_producer_free": (None, (c_void_p,)),
    "milena_offsets_rows": (c_void_p, (c_void_p, POINTER(c_size_t), POINTER(c_size_t))),
    "milena_offsets_free": (None, (c_void_p,)),
    "milena_batch_chunks": (c_void_p, (c_void_p, POINTER(c_size_t), POINTER(c_size_t))),
    "milena_batch_count": (c_size_t, (c_void_p,)),
    "milena_batch_event": (c_void_p, (c_void_p,)),
    "milena_batch_packed_size": (c_size_t, (c_void_p,)),
    "milena_batch_pack": (c_int32, (c_void_p, c_void_p, c_size_t, POINTER(c_void_p))),
    "milena_batch_free": (None, (c_void_p,)),
    "milena_consumer_new": (c_int32, (c_void_p, POINTER(c_void_p), POINTER(c_void_p))),
    "milena_consumer_subscribe": (c_int32, (c_void_p, POINTER(milena_bytes), c_size_t, POINTER(c_void_p))),
    "milena_consumer_unsubscribe": (c_int32, (c_void_p, POINTER(c_void_p))),
    "milena_consumer_assign": (
        c_int32,
        (
            c_void_p,
            POINTER(milena_topic_partition),
            c_size_t,
            c_size_t,
            POINTER(c_void_p),
        ),
    ),
    "milena_consumer_assignment": (c_int32, (c_void_p, POINTER(c_void_p), POINTER(c_void_p))),
    "milena_consumer_poll": (c_int32, (c_void_p, c_int64, c_size_t, POINTER(c_void_p), POINTER(c_void_p))),
    "milena_consumer_poll_packed": (
        c_int32,
        (
            c_void_p,
            c_int64,
            c_size_t,
            c_void_p,
            c_size_t,
            POINTER(c_size_t),
            POINTER(c_void_p),
            POINTER(c_void_p),
        ),
    ),
    "milena_consumer_seek": (c_int32, (c_void_p, POINTER(milena_offset), c_size_t, c_size_t, POINTER(c_void_p))),
    "milena_consumer_seek_to_beginning": (
        c_int32,
        (
            c_void_p,
            POINTER(milena_topic_partition),
            c_size_t,
            c_size_t,
            POINTER(c_void_p),
        ),
    ),
    "milena_consumer_seek_to_end": (
        c_int32,
        (
            c_void_p,
            POINTER(milena_topic_partition),
            c_size_t,
            c_size_t,
            POINTER(c_void_p),
        ),
    ),
    "milena_consumer_position": (
        c_int32,
        (
            c_void_p,
            POINTER(milena_topic_partition),
            c_size_t,
            c_size_t,
            c_int64,
            POINTER(c_void_p),
            POINTER(c_void_p),
        ),
    ),
    "milena_consumer_committed": (
        c_int32,
        (
            c_void_p,
            POINTER(milena_topic_partition),
            c_size_t,
            c_size_t,
            c_int64,
            POINTER(c_void_p),
            POINTER(c_void_p),
        ),
    ),
    "milena_consumer_beginning_offsets": (
        c_int32,
        (
            c_void_p,
            POINTER(milena_topic_partition),
            c_size_t,
            c_size_t,
            c_int64,
            POINTER(c_void_p),
            POINTER(c_void_p),
        ),
    ),
    "milena_consumer_end_offsets": (
        c_int32,
        (
            c_void_p,
            POINTER(milena_topic_partition),
            c_size_t,
            c_size_t,
            c_int64,
            POINTER(c_void_p),
            POINTER(c_void_p),
        ),
    ),
    "milena_consumer_offsets_for_times": (
        c_int32,
        (
            c_void_p,
            POINTER(milena_offset),
            c_size_t,
            c_size_t,
            c_int64,
            POINTER(c_void_p),
            POINTER(c_void_p),
        ),
    ),
    "milena_consumer_pause": (
        c_int32,
        (
            c_void_p,
            POINTER(milena_topic_partition),
            c_size_t,
            c_size_t,
            POINTER(c_void_p),
        ),
    ),
    "milena_consumer_resume": (
        c_int32,
        (
            c_void_p,
            POINTER(milena_topic_partition),
            c_size_t,
            c_size_t,
            POINTER(c_void_p),
        ),
    ),
    "milena_consumer_commit": (
        c_int32,
        (
            c_void_p,
            POINTER(milena_offset),
            c_size_t,
            c_size_t,
            c_int64,
            POINTER(c_void_p),
        ),
    ),
    "milena_consumer_commit_async": (
        c_int32,
        (
            c_void_p,
            POINTER(milena_offset),
            c_size_t,
            c_size_t,
            POINTER(c_void_p),
        ),
    ),
    "milena_consumer_wakeup": (c_int32, (c_void_p, POINTER(c_void_p))),
    "milena_consumer_fd": (c_int32, (c_void_p, POINTER(c_ssize_t), POINTER(c_void_p))),
    "milena_consumer_log": (c_int32, (c_void_p, POINTER(c_void_p), POINTER(c_void_p))),
    "milena_consumer_close": (c_int32, (c_void_p, c_int64, POINTER(c_void_p))),
    "milena_consumer_free": (None, (c_void_p,)),
    "milena_topics_rows": (c_void_p, (c_void_p, POINTER(c_size_t), POINTER(c_size_t))),
    "milena_topics_free": (None, (c_void_p,)),
    "milena_cluster_id": (c_char_p, (c_void_p,)),
    "milena_cluster_controller": (c_int32, (c_void_p,)),
    "milena_cluster_brokers": (c_void_p, (c_void_p, POINTER(c_size_t), POINTER(c_size_t))),
    "milena_cluster_free": (None, (c_void_p,)),
    "milena_admin_new": (c_int32, (c_void_p, POINTER(c_void_p), POINTER(c_void_p))),
    "milena_admin_create_topics": (
        c_int32,
        (
            c_void_p,
            POINTER(milena_new_topic),
            c_size_t,
            c_size_t,
            c_int32,
            c_int64,
            POINTER(c_void_p),
            POINTER(c_void_p),
        ),
    ),
    "milena_admin_delete_topics": (
        c_int32,
        (
            c_void_p,
            POINTER(milena_bytes),
            c_size_t,
            c_int64,
            POINTER(c_void_p),
            POINTER(c_void_p),
        ),
    ),
    "milena_admin_describe_topics": (
        c_int32,
        (
            c_void_p,
            POINTER(milena_bytes),
            c_size_t,
            c_int64,
            POINTER(c_void_p),
            POINTER(c_void_p),
        ),
    ),
    "milena_admin_list_topics": (c_int32, (c_void_p, c_int32, c_int64, POINTER(c_void_p), POINTER(c_void_p))),
    "milena_admin_describe_cluster": (c_int32, (c_void_p, c_int64, POINTER(c_void_p), POINTER(c_void_p))),
    "milena_admin_log": (c_int32, (c_void_p, POINTER(c_void_p), POINTER(c_void_p))),
    "milena_admin_fd": (c_int32, (c_void_p, POINTER(c_ssize_t), POINTER(c_void_p))),
    "milena_admin_close": (c_int32, (c_void_p, POINTER(c_void_p))),
    "milena_admin_free": (None, (c_void_p,)),
    "milena_embedded_new": (c_int32, (c_int32, c_int32, c_void_p, POINTER(c_void_p), POINTER(c_void_p))),
    "milena_embedded_bootstrap_servers": (c_char_p, (c_void_p,)),
    "milena_embedded_create_topic": (c_int32, (c_void_p, milena_bytes_in, c_int32, c_int32, POINTER(c_void_p))),
    "milena_embedded_push_fault": (c_int32, (c_void_p, POINTER(milena_fault), c_size_t, POINTER(c_void_p))),
    "milena_embedded_push_error": (c_int32, (c_void_p, c_int32, c_int32, c_uint32, POINTER(c_void_p))),
    "milena_embedded_clear_faults": (c_int32, (c_void_p, POINTER(c_void_p))),
    "milena_embedded_broker_down": (c_int32, (c_void_p, c_int32, POINTER(c_void_p))),
    "milena_embedded_broker_up": (c_int32, (c_void_p, c_int32, POINTER(c_void_p))),
    "milena_embedded_broker_pause": (c_int32, (c_void_p, c_int32, POINTER(c_void_p))),
    "milena_embedded_broker_resume": (c_int32, (c_void_p, c_int32, POINTER(c_void_p))),
    "milena_embedded_move_leader": (c_int32, (c_void_p, milena_bytes_in, c_int32, c_int32, POINTER(c_void_p))),
    "milena_embedded_move_coordinator": (c_int32, (c_void_p, milena_bytes_in, c_int32, POINTER(c_void_p))),
    "milena_embedded_corrupt_batch": (c_int32, (c_void_p, milena_bytes_in, c_int32, c_size_t, POINTER(c_void_p))),
    "milena_embedded_request_count": (c_int32, (c_void_p, c_int32, POINTER(c_uint64), POINTER(c_void_p))),
    "milena_embedded_free": (None, (c_void_p,)),
    "milena_decode_batches": (c_int32, (c_void_p, c_size_t, c_size_t, POINTER(c_void_p), POINTER(c_void_p))),
}


def bind(lib: CDLL) -> None:
    """Gives each function of the library its types; AttributeError if one is missing."""
    for name, (result, arguments) in FUNCTIONS.items():
        function = getattr(lib, name)
        function.restype = result
        function.argtypes = arguments
