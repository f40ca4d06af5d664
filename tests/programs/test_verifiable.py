"""milena-verifiable-producer and -consumer: the lines of Kafka's tools; and milena-producer and -consumer."""

import json
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

from support import PATIENCE, ClusterTest, command

RANGE = "org.apache.kafka.clients.consumer.RangeAssignor"


def events(text):
    return [json.loads(x) for x in text.splitlines()]


def names(events):
    return [x["name"] for x in events]


class Verifiable(ClusterTest):
    def produce(self, topic, *args):
        return events(self.succeed("milena-verifiable-producer", "--bootstrap-server", self.bootstrap, "--topic", topic,
                                   *args))

    def consumer(self, topic, *args, group="g"):
        return self.start("milena-verifiable-consumer", "--bootstrap-server", self.bootstrap, "--topic", topic,
                          "--group-id", group, *args)

    def test_producer_lines(self):
        lines = self.produce("sent", "--max-messages", 100, "--value-prefix", 4, "--repeating-keys", 3, "--acks", -1)
        self.assertEqual(names(lines), ["startup_complete"] + ["producer_send_success"] * 100 +
                         ["shutdown_complete", "tool_data"])
        sent = lines[1:-2]
        self.assertEqual(list(sent[0]), ["timestamp", "name", "key", "value", "offset", "topic", "partition"])
        self.assertEqual(sorted((x["value"], x["key"], x["topic"]) for x in sent),
                         sorted((f"4.{i}", str(i % 3), "sent") for i in range(100)))
        self.assertEqual(list(lines[-1]), ["timestamp", "name", "sent", "acked", "target_throughput", "avg_throughput"])
        self.assertEqual((lines[-1]["sent"], lines[-1]["acked"], lines[-1]["target_throughput"]), (100, 100, -1))

    def test_acks_and_values(self):
        for acks, offset in (("0", -1), ("1", 0)):
            lines = self.produce(f"acks{acks}", "--max-messages", 1, "--acks", acks)
            self.assertEqual([lines[1][x] for x in ("key", "value", "offset", "partition")], [None, "0", offset, 0])

    def test_value_prefix_is_any_integer(self):
        for prefix in ("-1", "0", "-2147483648", "2147483647"):
            lines = self.produce("prefixed", "--max-messages", 2, "--value-prefix", prefix)
            self.assertEqual(sorted(x["value"] for x in lines[1:-2]), [f"{prefix}.0", f"{prefix}.1"])
        self.refuse(2, ["--value-prefix needs a number"], "milena-verifiable-producer", "--topic", "t", "--bootstrap-server",
                    "b:1", "--value-prefix", "2147483648")

    def test_producer_error(self):
        lines = self.produce("bad topic", "--max-messages", 1)
        self.assertEqual(names(lines), ["startup_complete", "producer_send_error", "shutdown_complete", "tool_data"])
        self.assertEqual(list(lines[1]), ["timestamp", "name", "topic", "key", "value", "exception", "message"])
        self.assertEqual((lines[1]["topic"], lines[1]["value"], lines[3]["acked"]), ("bad topic", "0", 0))

    def test_throughput_and_signal(self):
        producer = self.start("milena-verifiable-producer", "--bootstrap-server", self.bootstrap, "--topic", "slow",
                              "--throughput", 50)
        sent = producer.until("producer_send_success", 100)
        seconds = (sent[-1]["timestamp"] - sent[0]["timestamp"]) / 1000
        self.assertGreater(seconds, 1.5)
        code, took = producer.end()
        self.assertEqual(code, 0, producer.errors())
        self.assertLess(took, 3 * PATIENCE)
        self.assertEqual(names(producer.events[-2:]), ["shutdown_complete", "tool_data"])
        self.assertEqual(len(producer.named("producer_send_success")), producer.events[-1]["sent"])

    def test_producer_without_broker_ends_on_signal(self):
        producer = self.start("milena-verifiable-producer", "--bootstrap-server", "127.0.0.1:1", "--topic", "t",
                              "--throughput", 1000)
        producer.until("startup_complete")
        code, took = producer.end(20)
        self.assertEqual(code, 0, producer.errors())
        self.assertLess(took, 10 * PATIENCE)
        self.assertEqual(len(producer.named("producer_send_error")), producer.events[-1]["sent"])

    def test_consumer_lines(self):
        self.produce("read", "--max-messages", 250)
        consumer = self.consumer("read", "--verbose", "--reset-policy", "earliest", "--max-messages", "200")
        consumer.until("shutdown_complete")
        self.assertEqual(consumer.child.wait(10), 0, consumer.errors())
        lines = consumer.events
        self.assertEqual(names(lines[:2]), ["startup_complete", "partitions_assigned"])
        self.assertEqual(lines[1]["partitions"], [{"topic": "read", "partition": 0}])
        data = consumer.named("record_data")
        self.assertEqual([(x["offset"], x["value"], x["key"]) for x in data], [(i, str(i), None) for i in range(200)])
        self.assertEqual(list(data[0]), ["timestamp", "name", "key", "value", "topic", "partition", "offset"])
        summary = consumer.named("records_consumed")
        self.assertEqual(sum(x["count"] for x in summary), 200)
        self.assertEqual(list(summary[0]), ["timestamp", "name", "count", "partitions"])
        self.assertEqual(list(summary[0]["partitions"][0]), ["topic", "partition", "count", "minOffset", "maxOffset"])
        committed = consumer.named("offsets_committed")
        self.assertEqual(list(committed[-1]), ["timestamp", "name", "offsets", "success"])
        self.assertEqual(committed[-1]["offsets"], [{"topic": "read", "partition": 0, "offset": 200}])
        self.assertTrue(all(x["success"] for x in committed))
        self.assertEqual(names(lines[-2:]), ["partitions_revoked", "shutdown_complete"])
        self.then_goes_on_behind_what_was_committed()

    def then_goes_on_behind_what_was_committed(self):
        consumer = self.consumer("read", "--verbose", "--enable-autocommit")
        data = consumer.until("record_data", 50)
        self.assertEqual((data[0]["offset"], data[-1]["offset"]), (200, 249))
        self.assertEqual(consumer.end()[0], 0, consumer.errors())
        self.assertEqual(consumer.named("offsets_committed"), [])
        self.assertEqual(consumer.events[-1]["name"], "shutdown_complete")
        last = self.consumer("read", "--verbose")
        last.until("partitions_assigned")
        self.produce("read", "--max-messages", 1)
        self.assertEqual(last.until("record_data")[0]["offset"], 250)

    def test_one_summary_a_partition(self):
        """However many chunks a poll gives of it, which is one for each compressed batch; so it is for the commit."""
        self.succeed("milena-perf", "produce", "--bootstrap", self.bootstrap, "--topic", "pieces", "--count", 300,
                     "--compression", "gzip", "--batch", 1000)
        consumer = self.consumer("pieces", "--max-messages", 300, group="summaries")
        consumer.until("shutdown_complete")
        ends, seen = {}, 0
        for x in consumer.events:
            if x["name"] == "records_consumed":
                partitions = [(p["topic"], p["partition"]) for p in x["partitions"]]
                self.assertEqual(len(partitions), len(set(partitions)), x)
                self.assertEqual(sum(p["count"] for p in x["partitions"]), x["count"])
                for p in x["partitions"]:
                    self.assertEqual(p["minOffset"], ends.get(p["partition"], 0))
                    self.assertEqual(p["maxOffset"] - p["minOffset"] + 1, p["count"])
                    ends[p["partition"]] = p["maxOffset"] + 1
                seen, behind = seen + x["count"], {p["partition"]: p["maxOffset"] + 1 for p in x["partitions"]}
            elif x["name"] == "offsets_committed":
                self.assertEqual(len(x["offsets"]), len(behind), x)
                self.assertEqual({p["partition"]: p["offset"] for p in x["offsets"]}, behind)
        self.assertEqual(seen, 300)

    def test_two_members_share(self):
        first = self.consumer("letters", "--assignment-strategy", RANGE, "--session-timeout", 10000, group="two")
        self.assertEqual(len(first.until("partitions_assigned")[0]["partitions"]), 3)
        second = self.consumer("letters", "--assignment-strategy", "range", "--session-timeout", 10000, group="two")
        share = second.until("partitions_assigned")[0]["partitions"]
        self.assertEqual(len(first.until("partitions_revoked")[0]["partitions"]), 3)
        rest = first.until("partitions_assigned", 2)[1]["partitions"]
        self.assertEqual(sorted(x["partition"] for x in share + rest), [0, 1, 2])
        code, took = second.end()
        self.assertEqual((code, second.events[-1]["name"]), (0, "shutdown_complete"), second.errors())
        self.assertLess(took, 5 * PATIENCE)
        self.assertEqual(len(first.until("partitions_assigned", 3)[2]["partitions"]), 3)

    def test_strategies_and_policies(self):
        for strategy in ("roundrobin", "org.apache.kafka.clients.consumer.RoundRobinAssignor", "cooperative-sticky",
                         "org.apache.kafka.clients.consumer.CooperativeStickyAssignor"):
            consumer = self.consumer("letters", "--assignment-strategy", strategy, group=strategy)
            self.assertEqual(len(consumer.until("partitions_assigned")[0]["partitions"]), 3)
            self.assertEqual(consumer.end()[0], 0, consumer.errors())
        self.refuse(1, ["auto.offset.reset=newest"], "milena-verifiable-consumer", "--bootstrap-server", self.bootstrap,
                    "--topic", "letters", "--group-id", "g", "--reset-policy", "newest")
        consumer = self.consumer("letters", "--reset-policy", "none", group="none")
        with self.assertRaisesRegex(AssertionError, "NO_OFFSET"):
            consumer.until("records_consumed")
        self.assertEqual((consumer.child.wait(10), names(consumer.events[-1:])), (1, ["shutdown_complete"]))

    def test_the_other_protocols_option_is_ignored(self):
        consumer = self.consumer("letters", "--group-remote-assignor", "uniform", "--group-protocol", "Classic", group="c")
        self.assertEqual(len(consumer.until("partitions_assigned")[0]["partitions"]), 3)
        self.assertEqual(consumer.end()[0], 0, consumer.errors())
        # With the protocol that has it, it is passed on, which this version refuses as a whole.
        done = self.refuse(1, ["group.protocol=consumer"], "milena-verifiable-consumer", "--topic", "t", "--bootstrap-server",
                           "b:1", "--group-id", "g", "--group-protocol", "consumer", "--group-remote-assignor", "uniform",
                           "--assignment-strategy", "none-of-ours")
        self.assertNotIn("none-of-ours", done.stderr.decode())

    def test_consumer_without_broker_ends_on_signal(self):
        consumer = self.start("milena-verifiable-consumer", "--bootstrap-server", "127.0.0.1:1", "--topic", "t",
                              "--group-id", "g")
        consumer.until("startup_complete")
        code, took = consumer.end()
        self.assertEqual((code, names(consumer.events)), (0, ["startup_complete", "shutdown_complete"]), consumer.errors())
        self.assertLess(took, 7 * PATIENCE)


class DemosOfTheDocument(ClusterTest):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = Path(folder.name) / "client.properties"
        self.file.write_text(f"# the brokers\nbootstrap.servers={self.bootstrap}\n")

    def test_producer_and_consumer(self):
        out = self.succeed("milena-producer", self.file)
        self.assertEqual(out.count("Sent:Message Hello \n"), 100)
        self.assertEqual(out.count("Delivered:"), 100)
        self.succeed("milena-producer", self.file, "--count", 1, "--message", '{"host": "prague", "tags": [1, null]}')
        child = subprocess.Popen(command("milena-consumer", self.file), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(child.kill)
        lines = [child.stdout.readline().decode() for _ in range(101)]
        self.assertEqual(lines[0], "offset = 0, value = Message Hello  (not JSON)\n")
        self.assertEqual(lines[100], 'offset = 100, value = {"host": "prague", "tags": [1, null]}\n')
        child.send_signal(signal.SIGINT)
        _, errors = child.communicate(timeout=10 * PATIENCE)
        self.assertEqual(child.returncode, 0, errors)


if __name__ == "__main__":
    unittest.main()
