"""milena-perf, milena-demo and milena-cluster."""

import json
import tempfile
import time
import unittest

from support import PATIENCE, ClusterTest, ProgramTest, free_ports, run

FIELDS = ["client", "op", "msgs", "bytes", "seconds", "msgs_per_s", "mb_per_s", "cpu_seconds", "cpu_ns_per_msg",
          "max_rss_mb"]


def assert_whole(test, stderr, *words):
    """The last line of the program itself, which is no line of the library's log, says all these words."""
    last = [line for line in stderr.splitlines() if line.startswith("milena-perf: ")][-1]
    for word in words:
        test.assertIn(word, last)


class Perf(ClusterTest):
    def perf(self, op, topic, *args, count=3000):
        out = self.succeed("milena-perf", op, "--bootstrap", self.bootstrap, "--topic", topic, "--count", count, *args)
        self.assertEqual(out.count("\n"), 1)
        result = json.loads(out)
        self.assertEqual((result["client"], result["op"], result["msgs"]), ("milena", op, count))
        self.assertGreater(result["seconds"], 0)
        self.assertGreater(result["max_rss_mb"], 1)
        self.assertAlmostEqual(result["msgs_per_s"] * result["seconds"], count, delta=count * 0.01)
        self.assertAlmostEqual(result["cpu_ns_per_msg"] * count, result["cpu_seconds"] * 1e9, delta=1e6 + 0.5 * count)
        return result

    def end_with(self, words, op, *args, bootstrap=None, **more):
        return self.refuse(1, words, "milena-perf", op, "--bootstrap", bootstrap or self.bootstrap, *args, **more)

    def test_produce_and_consume(self):
        for mode in ("batch", "poll"):
            result = self.perf("produce", f"there-{mode}", "--mode", mode, "--size", 50)
            self.assertEqual(list(result), FIELDS)
            self.assertEqual(result["bytes"], 3000 * 50)
            result = self.perf("consume", f"there-{mode}", "--mode", mode)
            self.assertEqual(result["bytes"], 3000 * 50)

    def test_warming_up_does_not_count(self):
        self.assertEqual(self.perf("produce", "warm", "--warmup", 500, "--size", 10)["bytes"], 30000)
        self.assertEqual(self.perf("consume", "warm", "--warmup", 700, count=3500)["bytes"], 35000)
        self.end_with(["no record"], "consume", "--topic", "warm", "--count", 3501, "--conf", "default.api.timeout.ms=1000")

    def test_memory_is_not_a_thousand_values(self):
        """Under AddressSanitizer there is twice as much as usual; a thousand values would be 954 MiB."""
        result = self.perf("produce", "wide", "--size", 1000000, count=10)
        self.assertEqual(result["bytes"], 10000000)
        self.assertLess(result["max_rss_mb"], 500)
        self.assertLess(self.perf("consume", "wide", "--size", 1 << 30, count=10)["max_rss_mb"], 500)
        # One value is left then: too large to be sent.
        self.end_with(["MESSAGE_TOO_LARGE"], "produce", "--topic", "wide", "--size", 20 << 20, "--count", 2)

    def test_group(self):
        self.perf("produce", "grouped")
        self.perf("consume", "grouped", "--group", "felice")

    def test_group_one_by_one(self):
        """It begins at the end, whatever there is already, and whatever the group has committed before."""
        for _ in range(2):
            self.perf("produce", "letters-e2e", count=100)
            self.perf("e2e", "letters-e2e", "--group", "milena", count=20)

    def test_group_is_shared_one_by_one(self):
        """Who else is in the group gets some of the partitions: that is what subscribing means."""
        with tempfile.NamedTemporaryFile("w", suffix=".properties") as quick:
            quick.write("heartbeat.interval.ms=200\n")  # so it soon hears of the second member
            quick.flush()
            other = self.start("milena-verifiable-consumer", "--bootstrap-server", self.bootstrap, "--topic", "shared",
                               "--group-id", "two", "--reset-policy", "latest", "--command-config", quick.name)
            other.until("partitions_assigned")
        self.end_with(["of the 3 partitions of shared", "has the group two other members"], "e2e", "--topic", "shared",
                      "--count", 1, "--group", "two", "--conf", f"default.api.timeout.ms={int(4000 * PATIENCE)}")

    def test_codecs_and_acks(self):
        for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
            for acks in ("0", "1", "all"):
                topic = f"{codec}-{acks}"
                self.perf("produce", topic, "--compression", codec, "--acks", acks, "--linger", 5, "--batch", 10000)
                if acks != "0":  # which nobody confirms
                    self.assertEqual(self.perf("consume", topic)["bytes"], 300000)

    def test_latencies(self):
        for op in ("lat", "e2e"):
            for size in (100, 3, 0):
                result = self.perf(op, f"one-by-one-{op}", "--linger", 0, "--warmup", 5, "--size", size, count=50)
                self.assertEqual(list(result), FIELDS + ["p50_us", "p99_us", "p999_us"])
                self.assertLessEqual(0 < result["p50_us"] <= result["p99_us"] and result["p99_us"], result["p999_us"])
                self.assertEqual(result["bytes"], 50 * size)

    def test_conf_wins(self):
        self.end_with(["linger.ms=soon"], "produce", "--topic", "t", "--linger", 5, "--conf", "linger.ms=soon")
        self.perf("produce", "won", "--batch", 10, "--conf", "batch.size=16384", "--conf", "linger.ms=0")

    def test_delivery_error(self):
        self.end_with(["MESSAGE_TOO_LARGE"], "produce", "--topic", "large", "--size", 2000000, "--count", 1)

    def test_no_such_topic(self):
        self.end_with(["UNKNOWN_TOPIC_OR_PARTITION", "nowhere"], "consume", "--topic", "nowhere", "--count", 1)

    def test_no_record(self):
        start = time.monotonic()
        self.end_with(["no record of letters came for 1000 ms"], "consume", "--topic", "letters", "--count", 1, "--conf",
                      "default.api.timeout.ms=1000")
        self.assertLess(time.monotonic() - start, 10 * PATIENCE)

    def test_no_broker(self):
        nobody = f"127.0.0.1:{free_ports(1)}"
        self.end_with([nobody, "tcp", "refused"], "produce", "--topic", "t", "--count", 1, "--conf", "max.block.ms=1000",
                      bootstrap=nobody)
        short = ["--topic", "t", "--count", 1, "--conf", "default.api.timeout.ms=1000"]
        self.end_with([nobody, "tcp", "refused"], "consume", *short, bootstrap=nobody)
        done = self.end_with(["no record of t came for 1000 ms"], "consume", *short, "--group", "g", bootstrap=nobody)
        assert_whole(self, done.stderr.decode(), "asking for the group's offsets: TIMED_OUT", nobody, "tcp", "refused")

    def test_no_record_in_a_group(self):
        self.end_with(["no record of letters came for 1000 ms", "the brokers answer"], "consume", "--topic",
                      "letters", "--count", 1, "--group", "quiet", "--conf", "default.api.timeout.ms=1000")


class BrokerDies(ProgramTest):
    def test_one_by_one(self):
        cluster = self.start("milena-cluster", "--brokers", 1)
        there = ["--bootstrap", cluster.line()["bootstrap_servers"], "--topic", "t"]
        self.succeed("milena-perf", "produce", *there, "--count", 1)  # so that the topic is there
        perf = self.start("milena-perf", "e2e", *there, "--count", 1000000, "--conf", "default.api.timeout.ms=1000")
        self.succeed("milena-perf", "consume", *there, "--count", 100)  # it is at work
        cluster.stop()
        self.assertEqual(perf.child.wait(30 * PATIENCE), 1)
        self.assertIn("no record of t came for 1000 ms", perf.errors())
        assert_whole(self, perf.errors(), "TIMED_OUT", there[1], "tcp", "refused")


class Demo(ClusterTest):
    def test_embedded(self):
        self.assertIn("verified: all 20000 records", self.succeed("milena-demo", "--count", 20000))

    def test_bootstrap_servers(self):
        out = self.succeed("milena-demo", "--count", 10000, "--bootstrap-servers", self.bootstrap)
        self.assertIn("verified: all 10000 records", out)
        self.assertIn("member 2 read", out)


class Cluster(ProgramTest):
    def test_ports_topics_and_end(self):
        base = free_ports(3)
        cluster = self.start("milena-cluster", "--brokers", 3, "--base-port", base, "--topic", "one", "--topic", "two:4",
                             "--set", "num.partitions=2")
        where = cluster.line()["bootstrap_servers"]
        self.assertEqual(where, ",".join(f"127.0.0.1:{base + i}" for i in range(3)))
        there = ["--bootstrap", f"127.0.0.1:{base + 2}", "--count", 10]
        self.succeed("milena-perf", "produce", *there, "--topic", "one")
        self.succeed("milena-perf", "consume", *there, "--topic", "one")
        self.assertEqual(run("milena-cluster", "--base-port", base).returncode, 1)
        code, took = cluster.end()
        self.assertEqual(code, 0, cluster.errors())
        self.assertLess(took, 3 * PATIENCE)

    def test_mistakes(self):
        self.refuse(1, ["num.partition"], "milena-cluster", "--set", "num.partition=2")
        self.refuse(2, ["--brokers"], "milena-cluster", "--brokers", "0")


if __name__ == "__main__":
    unittest.main()
