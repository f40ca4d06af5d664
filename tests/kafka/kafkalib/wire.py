"""The few bytes of the Kafka protocol that tell whether a broker is ready."""

import socket
import struct

METADATA = 3


def _exactly(conn, n):
    data = b""
    while len(data) < n:
        more = conn.recv(n - len(data))
        if not more:
            raise ConnectionError("the broker closed the connection")
        data += more
    return data


def metadata(host, port, timeout=3.0):
    """(ids of the live brokers, controller id) by Metadata v1; OSError while the broker does not answer."""
    client = b"launcher"
    body = struct.pack(">i", 0)  # no topics
    message = struct.pack(">hhih", METADATA, 1, 1, len(client)) + client + body
    with socket.create_connection((host, port), timeout) as conn:
        conn.sendall(struct.pack(">i", len(message)) + message)
        answer = _exactly(conn, struct.unpack(">i", _exactly(conn, 4))[0])
    at, ids = 8, set()  # behind correlation id and the number of brokers
    for _ in range(struct.unpack_from(">i", answer, 4)[0]):
        node, host_len = struct.unpack_from(">ih", answer, at)
        at += 6 + host_len + 4
        ids.add(node)
        at += 2 + max(0, struct.unpack_from(">h", answer, at)[0])  # rack
    return ids, struct.unpack_from(">i", answer, at)[0]
