"""milena-decode on batches that were made by hand."""

import json
import unittest

import batches
from support import ProgramTest

TIME = 1700000000000


def line(offset, key, value, headers=(), timestamp=TIME, kind="create"):
    def text(data):
        return None if data is None else data.hex()
    return {"offset": offset, "timestamp": timestamp, "timestamp_type": kind, "key": text(key), "value": text(value),
            "headers": [[name, text(data)] for name, data in headers]}


class Decode(ProgramTest):
    def decoded(self, data):
        return [json.loads(x) for x in self.succeed("milena-decode", stdin=data).splitlines()]

    def test_nothing(self):
        self.assertEqual(self.decoded(b""), [])

    def test_every_member(self):
        headers = [(b"a", b"1"), (b"a", None), (b"", b""), ("ä\"\n".encode(), b"\xff")]
        data = batches.v2(7, TIME, [
            batches.record(0, 0, b"k", b"v", headers),
            batches.record(1, 5, None, b""),
            batches.record(2, -3, b"", None),
        ])
        named = [(n.decode(), v) for n, v in headers]
        self.assertEqual(self.decoded(data), [
            line(7, b"k", b"v", named), line(8, None, b"", timestamp=TIME + 5), line(9, b"", None, timestamp=TIME - 3)])

    def test_members_are_in_order(self):
        out = self.succeed("milena-decode", stdin=batches.v2(0, 1, [batches.record(0, 0, None, b"\x0a")]))
        self.assertEqual(out, '{"offset":0,"timestamp":1,"timestamp_type":"create","key":null,"value":"0a","headers":[]}\n')

    def test_names_that_are_no_text_stay_different(self):
        names = [b"\xff", b"\xfe", "\ufffd".encode(), b"a\xc3", b"\xed\xa0\x80", b"ff", b'{"hex":"ff"}', "\U0001f680".encode()]
        data = batches.v2(0, TIME, [batches.record(0, 0, None, b"v", [(name, b"") for name in names])])
        self.assertEqual([name for name, _ in self.decoded(data)[0]["headers"]], [
            {"hex": "ff"}, {"hex": "fe"}, "\ufffd", {"hex": "61c3"}, {"hex": "eda080"}, "ff", '{"hex":"ff"}', "\U0001f680"])

    def test_append_time_belongs_to_all(self):
        data = batches.v2(0, TIME, [batches.record(0, 0, None, b"a"), batches.record(1, 9, None, b"b")],
                          attributes=8, max_time=TIME + 100)
        self.assertEqual(self.decoded(data), [line(i, None, v, timestamp=TIME + 100, kind="append")
                                              for i, v in enumerate((b"a", b"b"))])

    def test_gaps_and_several_batches(self):
        data = batches.v2(10, TIME, [batches.record(1, 0, None, b"a"), batches.record(4, 0, None, b"b")], last_delta=6)
        data += batches.v2(20, TIME, [batches.record(0, 0, None, b"c")], attributes=1)
        self.assertEqual([x["offset"] for x in self.decoded(data)], [11, 14, 20])

    def test_old_formats(self):
        data = batches.old(3, 0, b"k", b"v0") + batches.old(4, 1, None, b"v1", TIME)
        data += batches.wrapped(7, 1, [batches.old(i, 1, None, bytes([i]), TIME) for i in range(3)])
        data += batches.wrapped(9, 0, [batches.old(8 + i, 0, None, bytes([i])) for i in range(2)])
        self.assertEqual(self.decoded(data), [
            line(3, b"k", b"v0", timestamp=-1, kind="none"), line(4, None, b"v1"),
            *(line(5 + i, None, bytes([i])) for i in range(3)),
            *(line(8 + i, None, bytes([i]), timestamp=-1, kind="none") for i in range(2))])

    def test_control_records_only_when_asked(self):
        marker = batches.v2(0, TIME, [batches.record(0, 0, b"\0\0\0\1", b"\0\0\0\0\0\0")], attributes=0x30)
        data = marker + batches.v2(1, TIME, [batches.record(0, 0, None, b"a")])
        self.assertEqual([x["offset"] for x in self.decoded(data)], [1])
        both = [json.loads(x) for x in self.succeed("milena-decode", "--control", stdin=data).splitlines()]
        self.assertEqual([(x["offset"], x.get("control", False)) for x in both], [(0, True), (1, False)])

    def test_partial_last_batch_is_no_error(self):
        whole = batches.v2(0, TIME, [batches.record(0, 0, None, b"a")])
        for cut in (1, 11, 12, 17, 40, len(whole) - 1):
            self.assertEqual(self.decoded(whole + whole[:cut]), [line(0, None, b"a")], f"{cut} bytes of the second")

    def test_corrupt_batch_is_an_error_behind_what_is_sound(self):
        sound = batches.v2(0, TIME, [batches.record(0, 0, None, b"a")])
        bad = bytearray(batches.v2(5, TIME, [batches.record(0, 0, None, b"b")]))
        bad[-2] ^= 1
        done = self.refuse(1, ["CORRUPT_MESSAGE", "5"], "milena-decode", stdin=sound + bytes(bad))
        self.assertEqual([json.loads(x)["offset"] for x in done.stdout.splitlines()], [0])

    def test_decompression_is_bounded(self):
        data = batches.v2(0, TIME, [batches.record(0, 0, None, b"a")])
        data += batches.v2(1, TIME, [batches.record(0, 0, None, bytes(100000))], attributes=1)
        self.assertEqual(len(self.decoded(data)), 2)
        done = self.refuse(1, ["--max-batch-bytes, 50000", "gzip"], "milena-decode", "--max-batch-bytes", 50000, stdin=data)
        self.assertEqual([json.loads(x)["offset"] for x in done.stdout.splitlines()], [0])
        self.succeed("milena-decode", "--max-batch-bytes", 200000, stdin=data)
        self.refuse(2, ["--max-batch-bytes needs a number"], "milena-decode", "--max-batch-bytes", 0)

    def test_garbage(self):
        self.refuse(1, ["CORRUPT_MESSAGE"], "milena-decode", stdin=bytes(range(100, 200)))


if __name__ == "__main__":
    unittest.main()
