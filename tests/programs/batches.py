"""Makes record batches byte by byte, independently of the library that is to read them."""

import gzip
import struct
import zlib


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def varint(n):
    n = n << 1 ^ n >> 63
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


def _nullable(data):
    return varint(-1) if data is None else varint(len(data)) + data


def record(offset_delta, time_delta, key, value, headers=()):
    body = b"\0" + varint(time_delta) + varint(offset_delta) + _nullable(key) + _nullable(value) + varint(len(headers))
    for name, data in headers:
        body += varint(len(name)) + name + _nullable(data)
    return varint(len(body)) + body


def v2(base_offset, base_time, records, *, attributes=0, last_delta=None, max_time=None):
    """A batch of format v2 around records; codec 1 in the attributes compresses them."""
    data = b"".join(records)
    if attributes & 7 == 1:
        data = gzip.compress(data)
    last_delta = len(records) - 1 if last_delta is None else last_delta
    checked = struct.pack(">hiqqqhii", attributes, last_delta, base_time, base_time if max_time is None else max_time,
                          -1, -1, -1, len(records)) + data
    rest = struct.pack(">ibI", 7, 2, crc32c(checked)) + checked
    return struct.pack(">qi", base_offset, len(rest)) + rest


def _sized(data):
    return struct.pack(">i", -1) if data is None else struct.pack(">i", len(data)) + data


def old(offset, magic, key, value, time=0, attributes=0):
    """A message of format v0 or v1."""
    checked = struct.pack(">bb", magic, attributes) + (struct.pack(">q", time) if magic else b"")
    checked += _sized(key) + _sized(value)
    message = struct.pack(">I", zlib.crc32(checked)) + checked
    return struct.pack(">qi", offset, len(message)) + message


def wrapped(offset, magic, messages, time=0):
    """Messages of format v0 or v1, gzipped into one."""
    return old(offset, magic, None, gzip.compress(b"".join(messages)), time, attributes=1)
