#!/usr/bin/env python3
"""Drives a cluster with other people's clients: librdkafka (confluent-kafka from PyPI) and Java's command line tools.

Usage: embedded_peers.py BOOTSTRAP_SERVERS [--librdkafka] [--java VERSION]... [--only NAME] [--quick]

Made for the embedded cluster; it passes against a real one, too. The tools of each version of Kafka come from Maven
(kafka/kafkalib). --quick leaves out what takes long and is checked otherwise, too. Prints one line a check and ends with 1 at the first difference.
"""
import argparse, json, os, re, subprocess, sys, threading, time, uuid, zipfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "kafka"))
from kafkalib import jars, jvm, versions  # noqa: E402

RUN = uuid.uuid4().hex[:8]
CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]


def check(condition, what):
    if not condition:
        raise AssertionError(what)


# ---------------------------------------------------------------- librdkafka

class Librdkafka:
    def __init__(self, bootstrap):
        import confluent_kafka
        from confluent_kafka import admin
        self.ck, self.admin_api, self.bootstrap = confluent_kafka, admin, bootstrap
        self.admin = admin.AdminClient({"bootstrap.servers": bootstrap})

    def create(self, name, partitions, config=None):
        new = self.admin_api.NewTopic(name, num_partitions=partitions, replication_factor=1, config=config or {})
        for future in self.admin.create_topics([new]).values():
            future.result(20)
        return name

    def produce(self, topic, records, **config):
        """Records are (partition, key, value, headers); returns (partition, offset) of each, in order."""
        failures, places = [], [None] * len(records)
        producer = self.ck.Producer({"bootstrap.servers": self.bootstrap, "enable.idempotence": True, **config})

        def delivered(i):
            def callback(error, message):
                if error:
                    failures.append(error)
                else:
                    places[i] = (message.partition(), message.offset())
            return callback
        for i, (partition, key, value, headers) in enumerate(records):
            producer.produce(topic, value=value, key=key, partition=partition, headers=headers, on_delivery=delivered(i))
            producer.poll(0)
        check(producer.flush(30) == 0, "records left after flush")
        check(not failures, failures[:3])
        return places

    def read(self, topic, count, partitions):
        consumer = self.ck.Consumer({"bootstrap.servers": self.bootstrap, "group.id": "unused", "check.crcs": True,
                                     "auto.offset.reset": "earliest", "enable.auto.commit": False})
        consumer.assign([self.ck.TopicPartition(topic, p, 0) for p in range(partitions)])
        got, end = [], time.time() + 30
        while len(got) < count and time.time() < end:
            for message in consumer.consume(500, 0.5):
                check(message.error() is None, message.error())
                got.append(message)
        consumer.close()
        check(len(got) == count, f"{len(got)} of {count} records read")
        return got

    def codecs(self):
        for codec in CODECS:
            topic = self.create(f"codec-{codec}-{RUN}", 2)
            records = [(i % 2, None if i % 5 == 0 else b"key-%d" % i, None if i % 7 == 0 else b"value-%d" % i * (i % 40),
                        [("h", b"1"), ("h", None), ("", b"")] if i % 3 == 0 else None) for i in range(3000)]
            places = self.produce(topic, records, **{"compression.type": codec, "linger.ms": 5})
            sent = {place: record[1:] for place, record in zip(places, records)}
            check(len(sent) == 3000 and max(o for _, o in sent) == 1499, "offsets are not 0 to 1499 twice")
            for message in self.read(topic, 3000, 2):
                seen = (message.key(), message.value(), message.headers())
                check(sent[message.partition(), message.offset()] == seen, f"{codec}: {seen}")

    def idempotence_and_limits(self):
        topic = self.create(f"limits-{RUN}", 1, {"max.message.bytes": "20000"})
        places = self.produce(topic, [(0, None, b"%d" % i, None) for i in range(20000)],
                              **{"batch.num.messages": 100, "max.in.flight": 5})
        check([o for _, o in places] == list(range(20000)), "offsets are not in the order of sending")
        producer = self.ck.Producer({"bootstrap.servers": self.bootstrap})
        errors = []
        producer.produce(topic, b"x" * 30000, on_delivery=lambda e, m: errors.append(e.code() if e else None))
        producer.flush(20)
        check(errors == [self.ck.KafkaError.MSG_SIZE_TOO_LARGE], errors)

    def times(self):
        topic = self.create(f"times-{RUN}", 1)
        producer = self.ck.Producer({"bootstrap.servers": self.bootstrap})
        for i in range(10):
            producer.produce(topic, b"x", timestamp=1_600_000_000_000 + i * 1000)
        producer.flush(20)
        consumer = self.ck.Consumer({"bootstrap.servers": self.bootstrap, "group.id": "unused"})
        at = [self.ck.TopicPartition(topic, 0, 1_600_000_000_000 + 4500)]
        check(consumer.offsets_for_times(at, 20)[0].offset == 5, "offset for a time")
        check(consumer.get_watermark_offsets(self.ck.TopicPartition(topic, 0), 20) == (0, 10), "watermarks")
        consumer.close()
        topic = self.create(f"append-time-{RUN}", 1, {"message.timestamp.type": "LogAppendTime"})
        self.produce(topic, [(0, None, b"x", None)])
        kind, timestamp = self.read(topic, 1, 1)[0].timestamp()
        check(kind == self.ck.TIMESTAMP_LOG_APPEND_TIME and abs(timestamp / 1000 - time.time()) < 60, (kind, timestamp))

    def groups(self):
        for strategy in ["range", "roundrobin", "cooperative-sticky"]:
            self.group(strategy)

    def group(self, strategy):
        topic = self.create(f"group-{strategy}-{RUN}", 4)
        group = f"group-{strategy}-{RUN}"
        self.produce(topic, [(i % 4, None, b"%d" % i, None) for i in range(4000)])
        seen, owned = {}, {}

        def member(name, extra=None):
            owned[name] = set()
            consumer = self.ck.Consumer({
                "bootstrap.servers": self.bootstrap, "group.id": group, "auto.offset.reset": "earliest",
                "partition.assignment.strategy": strategy, "session.timeout.ms": 6000, "heartbeat.interval.ms": 200,
                "client.id": name, "enable.auto.commit": False, **(extra or {})})
            consumer.subscribe([topic])
            return consumer

        def turn(*members):
            for name, consumer in members:
                messages = consumer.consume(200, 0.05)
                for message in messages:
                    check(message.error() is None, message.error())
                    seen.setdefault((message.partition(), message.offset()), []).append(name)
                if messages:
                    consumer.commit(asynchronous=True)
                owned[name] = {tp.partition for tp in consumer.assignment()}

        def until(what, condition, *members):
            end = time.time() + 30
            while not condition():
                check(time.time() < end, f"{strategy}: {what}: {owned}, {len(seen)} records")
                turn(*members)
        a = ("a", member("a"))
        until("one member has all", lambda: len(owned["a"]) == 4 and len(seen) == 4000, a)
        b = ("b", member("b"))
        fair = lambda: len(owned["a"]) == len(owned["b"]) == 2 and not owned["a"] & owned["b"]
        until("two members share", fair, a, b)
        self.produce(topic, [(i % 4, None, b"%d" % i, None) for i in range(400)])
        until("both read", lambda: len(seen) == 4400, a, b)
        described = self.admin.describe_consumer_groups([group])[group].result(20)
        check(described.state.name == "STABLE" and len(described.members) == 2, described.state)
        check(sum(len(m.assignment.topic_partitions) for m in described.members) == 4, "assignments described")
        a[1].close()
        until("the one that is left has all", lambda: len(owned["b"]) == 4, b)
        tps = [self.ck.TopicPartition(topic, p) for p in range(4)]
        check([tp.offset for tp in b[1].committed(tps, 20)] == [1100] * 4, "committed offsets")
        b[1].close()
        again = ("again", member("again"))
        self.produce(topic, [(0, None, b"last", None)])
        until("goes on at the committed offset", lambda: len(seen) == 4401, again)
        again[1].close()
        repeated = [place for place, names in seen.items() if len(names) > 1]
        check(len(seen) == 4401, f"{len(seen)} records seen")
        print(f"      {strategy}: {len(repeated)} records were read again after a rebalance")

    def static_member(self):
        topic, group = self.create(f"static-{RUN}", 2), f"static-{RUN}"
        config = {"bootstrap.servers": self.bootstrap, "group.id": group, "group.instance.id": "one",
                  "session.timeout.ms": 30000, "auto.offset.reset": "earliest"}
        events = []
        for turn in range(2):
            consumer = self.ck.Consumer(config)
            consumer.subscribe([topic], on_assign=lambda c, ps: events.append((turn, len(ps))))
            end = time.time() + 20
            while (turn, 2) not in events and time.time() < end:
                consumer.poll(0.1)
            consumer.close()
        check(events == [(0, 2), (1, 2)], events)

    def administration(self):
        name = f"admin-{RUN}"
        self.create(name, 2, {"retention.ms": "1000000"})
        try:
            self.create(name, 2)
            check(False, "a topic was created twice")
        except self.ck.KafkaException as e:
            check(e.args[0].code() == self.ck.KafkaError.TOPIC_ALREADY_EXISTS, e)
        listed = self.admin.list_topics(timeout=20)
        check(len(listed.topics[name].partitions) == 2 and listed.brokers, "topic is listed")
        described = self.admin.describe_topics(self.ck.TopicCollection([name]))[name].result(20)
        check(len(described.partitions) == 2 and described.partitions[0].leader is not None, "topic is described")
        cluster = self.admin.describe_cluster().result(20)
        check(len(cluster.nodes) == len(listed.brokers) and cluster.cluster_id, "cluster is described")
        resource = self.admin_api.ConfigResource("topic", name)
        config = self.admin.describe_configs([resource])[resource].result(20)
        check(config["retention.ms"].value == "1000000" and config["cleanup.policy"].value == "delete", config)
        entry = self.admin_api.ConfigEntry("retention.ms", "5000",
                                           incremental_operation=self.admin_api.AlterConfigOpType.SET)
        change = self.admin_api.ConfigResource("topic", name, incremental_configs=[entry])
        self.admin.incremental_alter_configs([change])[change].result(20)
        check(self.admin.describe_configs([resource])[resource].result(20)["retention.ms"].value == "5000", "altered")
        for future in self.admin.create_partitions([self.admin_api.NewPartitions(name, 4)]).values():
            future.result(20)
        check(len(self.admin.list_topics(name, timeout=20).topics[name].partitions) == 4, "partitions were added")
        self.produce(name, [(0, None, b"x", None)] * 10)
        tp = self.ck.TopicPartition(name, 0, 4)
        deleted = list(self.admin.delete_records([tp]).values())[0].result(20)
        check(deleted.low_watermark == 4, "records were deleted")
        spec = {self.ck.TopicPartition(name, 0): self.admin_api.OffsetSpec.earliest()}
        check(list(self.admin.list_offsets(spec).values())[0].result(20).offset == 4, "offsets are listed")
        consumer = self.ck.Consumer({"bootstrap.servers": self.bootstrap, "group.id": name})
        consumer.commit(offsets=[self.ck.TopicPartition(name, 0, 7)], asynchronous=False)
        consumer.close()
        asked = self.ck.ConsumerGroupTopicPartitions(name)
        found = self.admin.list_consumer_group_offsets([asked])[name].result(20).topic_partitions
        check([(tp.topic, tp.partition, tp.offset) for tp in found] == [(name, 0, 7)], found)
        groups = [g.group_id for g in self.admin.list_consumer_groups().result(20).valid]
        check(name in groups, groups)
        for future in self.admin.delete_consumer_groups([name]).values():
            future.result(20)
        check(name not in [g.group_id for g in self.admin.list_consumer_groups().result(20).valid], "group is there")
        for future in self.admin.delete_topics([name]).values():
            future.result(20)
        end = time.time() + 20
        while name in self.admin.list_topics(timeout=20).topics:
            check(time.time() < end, "the topic is still there")
            time.sleep(0.1)

    CHECKS = [codecs, idempotence_and_limits, times, groups, static_member, administration]


# ---------------------------------------------------------------- Java

class Java:
    def __init__(self, bootstrap, version, quick):
        self.bootstrap, self.version, self.quick = bootstrap, version, quick
        self.number = versions.parts(version)
        self.classes = {}
        for jar in sorted(jars.fetch(version).glob("kafka*.jar")):
            if re.match(r"kafka-tools|kafka_", jar.name):
                for entry in zipfile.ZipFile(jar).namelist():
                    if entry.endswith(".class") and "$" not in entry:
                        name = entry[:-6].replace("/", ".")
                        self.classes.setdefault(name.rsplit(".", 1)[1], []).append(name)
        self.tag = f"j{self.version.replace('.', '-')}-{RUN}"

    def command(self, tool, *args):
        """The newest home of a tool comes first: they moved from kafka.* to org.apache.kafka.tools one by one."""
        return jvm.command(self.version, sorted(self.classes[tool], reverse=True)[0], *args)

    def run(self, tool, *args, stdin=None, timeout=90):
        done = subprocess.run(self.command(tool, *args), input=stdin, capture_output=True, text=True, timeout=timeout)
        check(done.returncode == 0, f"{tool} {' '.join(args)}: {done.returncode}\n{done.stdout[-1500:]}\n{done.stderr[-2500:]}")
        return done.stdout

    def server(self, tool):
        """How the broker is named; old tools of the producing kind say it otherwise."""
        old = {"ConsoleProducer": (2, 5), "VerifiableProducer": (2, 5), "VerifiableConsumer": (2, 5)}
        return ["--broker-list" if self.number < old.get(tool, (0,)) else "--bootstrap-server", self.bootstrap]

    def topics(self):
        if self.number < (2, 2):
            return print("      left out: this version needs ZooKeeper")
        server, name = ["--bootstrap-server", self.bootstrap], f"topics-{self.tag}"
        self.run("TopicCommand", *server, "--create", "--topic", name, "--partitions", "3", "--replication-factor", "1",
                 "--config", "retention.ms=100000")
        check(name in self.run("TopicCommand", *server, "--list").split(), "the topic is listed")
        shown = self.run("TopicCommand", *server, "--describe", "--topic", name)
        check("PartitionCount: 3" in shown.replace("\t", " ") and "retention.ms=100000" in shown, shown)
        if self.quick:
            return
        self.run("TopicCommand", *server, "--alter", "--topic", name, "--partitions", "5")
        configs = self.run("ConfigCommand", *server, "--entity-type", "topics", "--entity-name", name, "--describe")
        check("retention.ms=100000" in configs, configs)
        if self.number >= (2, 6):
            self.run("ConfigCommand", *server, "--entity-type", "topics", "--entity-name", name, "--alter",
                     "--add-config", "max.message.bytes=5000")
        self.run("TopicCommand", *server, "--delete", "--topic", name)

    def console(self):
        topic, group = f"console-{self.tag}", f"console-{self.tag}"
        codecs = [c for c in CODECS if c != "zstd" or self.number >= (2, 1)]
        if self.quick:
            codecs = codecs[-2:]
        expected = []
        for codec in codecs:
            lines = [f"{codec}-{i}" for i in range(200)]
            expected += lines
            self.run("ConsoleProducer", *self.server("ConsoleProducer"), "--topic", topic, "--compression-codec", codec,
                     stdin="\n".join(lines) + "\n")
        out = self.run("ConsoleConsumer", "--bootstrap-server", self.bootstrap, "--topic", topic, "--from-beginning",
                       "--group", group, "--max-messages", str(len(expected)), "--timeout-ms", "30000")
        check(sorted(out.split()) == sorted(expected), f"{len(out.split())} of {len(expected)} lines")
        server = ["--bootstrap-server", self.bootstrap, "--group", group]
        check(group in self.run("ConsumerGroupCommand", "--bootstrap-server", self.bootstrap, "--list"), "group is listed")
        shown = self.run("ConsumerGroupCommand", *server, "--describe")
        lags = [line.split()[5 if self.number >= (2, 4) else 4] for line in shown.splitlines() if topic in line]
        check(lags and all(lag == "0" for lag in lags), shown)
        if self.quick:
            return
        self.run("ConsumerGroupCommand", *server, "--topic", topic, "--reset-offsets", "--to-earliest", "--execute")
        if self.number >= (2, 0):
            self.run("ConsumerGroupCommand", *server, "--delete")

    def verifiable(self):
        """Two members of a group read what a producer writes; one is stopped in the middle."""
        if self.quick:
            return print("      left out")
        topic, count = f"verifiable-{self.tag}", 20000
        self.run("VerifiableProducer", *self.server("VerifiableProducer"), "--topic", topic, "--max-messages", "1", "--acks", "-1")
        consumer = self.command("VerifiableConsumer", *self.server("VerifiableConsumer"), "--topic", topic,
                                "--group-id", f"verifiable-{self.tag}", "--reset-policy", "earliest", "--verbose")
        first, second = (Lines(subprocess.Popen(consumer, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
                         for _ in range(2))
        try:
            for member in (first, second):
                member.wait(lambda e: e["name"] == "partitions_assigned", 60)
            out = self.run("VerifiableProducer", *self.server("VerifiableProducer"), "--topic", topic, "--max-messages",
                           str(count), "--throughput", "10000", "--acks", "-1")
            events = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
            check(not [e for e in events if e["name"] == "producer_send_error"], "send errors")
            sent = {(e["partition"], e["offset"]) for e in events if e["name"] == "producer_send_success"}
            check(len(sent) == count, f"{len(sent)} of {count} sent")
            first.stop()
            end = time.time() + 60
            while not sent <= first.records() | second.records():
                check(time.time() < end, f"{len(sent - first.records() - second.records())} records were not read")
                time.sleep(0.2)
            second.stop()
        finally:
            first.stop(), second.stop()

    CHECKS = [topics, console, verifiable]


class Lines:
    """The JSON lines of a running program."""

    def __init__(self, process):
        self.process, self.events = process, []
        threading.Thread(target=self.read, daemon=True).start()
        threading.Thread(target=process.stderr.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            if line.startswith("{"):
                self.events.append(json.loads(line))

    def wait(self, wanted, seconds):
        end = time.time() + seconds
        while not any(wanted(e) for e in list(self.events)):
            check(time.time() < end and self.process.poll() is None, f"gave up waiting; events: {self.events[-5:]}")
            time.sleep(0.1)

    def records(self):
        return {(e["partition"], e["offset"]) for e in list(self.events) if e["name"] == "record_data"}

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)
            time.sleep(0.3)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bootstrap")
    parser.add_argument("--librdkafka", action="store_true")
    parser.add_argument("--java", action="append", default=[], metavar="VERSION")
    parser.add_argument("--only", help="checks whose name contains this")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    peers = []
    if options.librdkafka or not options.java:
        peers.append(("librdkafka", lambda: Librdkafka(options.bootstrap)))
    for version in options.java:
        peers.append((version, lambda version=version: Java(options.bootstrap, version, options.quick)))
    for name, make in peers:
        peer = make()
        label = f"java {peer.version}" if isinstance(peer, Java) else name
        for test in peer.CHECKS:
            what = f"{label}: {test.__name__}"
            if options.only and options.only not in what:
                continue
            print(f"  {what}", flush=True)
            begin = time.time()
            try:
                test(peer)
            except Exception as e:
                print(f"FAILED {what}: {type(e).__name__}: {e}")
                return 1
            print(f"      ok, {time.time() - begin:.1f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
