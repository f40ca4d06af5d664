"""The main paths once, with few records: short enough for valgrind."""

import unittest

from support import ClusterTest


class MainPaths(ClusterTest):
    def perf(self, op, count, *args):
        self.succeed("milena-perf", op, "--bootstrap", self.bootstrap, "--topic", "letters", "--count", count, *args)

    def test_demo(self):
        self.assertIn("verified: all 3000 records", self.succeed("milena-demo", "--count", 3000))

    def test_codecs(self):
        for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
            self.perf("produce", 1000, "--compression", codec, "--batch", 5000)
        self.perf("consume", 5000)
        self.perf("consume", 500, "--group", "g", "--mode", "poll")

    def test_one_by_one(self):
        self.perf("e2e", 20, "--linger", 0)
        self.perf("lat", 20, "--linger", 0, "--acks", 0)

    def test_group(self):
        there = ["--bootstrap-server", self.bootstrap, "--topic", "shared"]
        self.succeed("milena-verifiable-producer", *there, "--max-messages", 50)
        consumer = self.start("milena-verifiable-consumer", *there, "--group-id", "g", "--verbose")
        consumer.until("record_data", 50, seconds=60)
        self.assertEqual(consumer.end(60)[0], 0, consumer.errors())

    def test_no_broker(self):
        self.refuse(1, ["refused"], "milena-perf", "produce", "--bootstrap", "127.0.0.1:1", "--topic", "t", "--count", 1,
                    "--conf", "max.block.ms=500")


if __name__ == "__main__":
    unittest.main()
