"""confluent-kafka, for perf.py."""

import confluent_kafka

PATIENCE = 60.0
MOST_POLLED = 8192


def on_delivery(error, _):
    if error:
        raise SystemExit(f"a record was not delivered: {error}")


class Producer:
    def __init__(self, a):
        # As Milena has them by default. Failures are told, successes are not: no call back for each record.
        config = {"bootstrap.servers": a.bootstrap, "enable.idempotence": True, "delivery.report.only.error": True}
        config.update(a.producer)
        config.update(a.conf)
        self.topic, self.one_by_one = a.topic, a.op in ("lat", "e2e")
        if self.one_by_one:
            config["delivery.report.only.error"] = False
        self.producer = confluent_kafka.Producer({**config, "on_delivery": on_delivery})

    def send_all(self, values, n, one_a_call):
        records = [{"value": value} for value in values]
        for sent in range(0, n, len(values)):
            if one_a_call:
                for value in values[:n - sent]:
                    self.send(value)
            else:
                self.send_many(records[:n - sent])
            self.producer.poll(0)
        if self.producer.flush(PATIENCE):
            raise SystemExit("not everything was delivered")

    def send(self, value):
        while True:
            try:
                self.producer.produce(self.topic, value)
                return
            except BufferError:
                self.producer.poll(0.1)

    def send_many(self, records):
        """Sends records; those that the full queue refuses, again."""
        while records:
            if self.producer.produce_batch(self.topic, records) == len(records):
                return
            records = [record for record in records if record.pop("_error", None)]
            self.producer.poll(0.01)

    def send_and_wait(self, value):
        done = []
        self.producer.produce(self.topic, value, on_delivery=lambda error, _: (on_delivery(error, _), done.append(1)))
        while not done:
            self.producer.poll(PATIENCE)


class Consumer:
    def __init__(self, a):
        config = {"bootstrap.servers": a.bootstrap, "group.id": a.group or "unused", "auto.offset.reset": "earliest",
                  "enable.auto.commit": bool(a.group), "check.crcs": True}
        config.update(a.conf)
        self.topic, self.group = a.topic, a.group
        self.consumer = confluent_kafka.Consumer(config)

    def begin(self, at_end):
        if self.group:
            self.consumer.subscribe([self.topic])
            return
        found = self.consumer.list_topics(self.topic, PATIENCE).topics[self.topic].partitions
        all_of_it = [confluent_kafka.TopicPartition(self.topic, p, 0) for p in found]
        for partition in all_of_it if at_end else ():
            partition.offset = self.consumer.get_watermark_offsets(partition, PATIENCE)[1]
        self.consumer.assign(all_of_it)

    def read(self, n, one_a_call):
        return self._read_one_a_call(n) if one_a_call else self._read_many_a_call(n)

    def _read_one_a_call(self, n):
        size = 0
        for _ in range(n):
            size += len(self.read_one())
        return size

    def _read_many_a_call(self, n):
        size = 0
        while n > 0:
            # It goes on until the list is full or the time is over.
            for message in self.consumer.consume(min(n, MOST_POLLED), 0.05):
                if message.error():
                    raise SystemExit(f"reading: {message.error()}")
                size += len(message.value())
                n -= 1
        return size

    def read_one(self):
        message = self.consumer.poll(PATIENCE)
        if message is None or message.error():
            raise SystemExit(f"reading: {message.error() if message else 'no record came'}")
        return message.value()

    def close(self):
        self.consumer.close()
