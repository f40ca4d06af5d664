"""The records of the interop matrix: a function of seed and index, so that every language makes the same ones.

All arithmetic is modulo 2^64. bytes(seed, i, stream, length, text) is made by a linear congruential generator:

    state = seed * 1000003 + i * 31 + stream
    for each byte:  state = state * 6364136223846793005 + 1442695040888963407
                    byte  = the top 8 bits of state; with text: 97 + (byte mod 2), a or b: every codec makes that smaller

Record i, of P partitions:

    partition  i mod P                          (so its offset is i div P in a topic that held nothing)
    timestamp  1500000000000 + (i * 7919) mod 100000                     (goes up and down)
    key        i mod 7 = 0: null;  i mod 7 = 1: empty;  else bytes(stream 1, length 1 + i mod 16, binary)
    value      i mod 11 = 3: null;  i mod 13 = 5: empty;  else bytes(stream 2, text when i is even), of length
               100000 when i mod 499 = 250, 40000 when i mod 97 = 13, else (i * 37) mod 400
    headers    i mod 4 of them; header j
                 name   i mod 4 = 2: "same";  else when i mod 8 = 3: "größe-" + j;  else "h" + j      (UTF-8)
                 value  (i + j) mod 5 = 0: null;  = 1: empty;  else bytes(stream 10 + j, length 1 + (i + j) mod 20)

Where more than one condition of a row holds, the first one counts. JavaRecords.java is the same in Java.
"""

_MASK = (1 << 64) - 1


def generate(seed, i, stream, length, text=False):
    """`length` bytes of the generator."""
    state, out = (seed * 1000003 + i * 31 + stream) & _MASK, bytearray(length)
    for at in range(length):
        state = (state * 6364136223846793005 + 1442695040888963407) & _MASK
        byte = state >> 56
        out[at] = 97 + byte % 2 if text else byte
    return bytes(out)


def _value(seed, i):
    if i % 11 == 3:
        return None
    if i % 13 == 5:
        return b""
    length = 100000 if i % 499 == 250 else 40000 if i % 97 == 13 else i * 37 % 400
    return generate(seed, i, 2, length, text=i % 2 == 0)


def _header(seed, i, j):
    name = "same" if i % 4 == 2 else f"größe-{j}" if i % 8 == 3 else f"h{j}"
    kind = (i + j) % 5
    return name, None if kind == 0 else b"" if kind == 1 else generate(seed, i, 10 + j, 1 + (i + j) % 20)


def record(seed, i, partitions):
    """Record i as a dict: partition, timestamp, key, value, headers."""
    key = None if i % 7 == 0 else b"" if i % 7 == 1 else generate(seed, i, 1, 1 + i % 16)
    return {"partition": i % partitions, "timestamp": 1500000000000 + i * 7919 % 100000, "key": key,
            "value": _value(seed, i), "headers": [_header(seed, i, j) for j in range(i % 4)]}


def as_line(topic, partition, offset, timestamp, timestamp_type, key, value, headers):
    """A record as a reader prints it: the form of milena-decode, with topic and partition added."""

    def text(data):
        return None if data is None else bytes(data).hex()

    return {"topic": topic, "partition": partition, "offset": offset, "timestamp": timestamp,
            "timestamp_type": timestamp_type, "key": text(key), "value": text(value),
            "headers": [[name, text(value)] for name, value in headers]}


def expected(topic, seed, count, partitions):
    """{partition: lines in order of offset} of a topic that got `count` records and nothing else."""
    found = {p: [] for p in range(partitions)}
    for i in range(count):
        r = record(seed, i, partitions)
        found[r["partition"]].append(as_line(topic, r["partition"], i // partitions, r["timestamp"], "create",
                                             r["key"], r["value"], r["headers"]))
    return found
