"""Milena's Python wrapper, for perf.py."""

from itertools import repeat

import milena

PATIENCE = 60.0
MOST_POLLED = 8192


class Producer:
    def __init__(self, a):
        self.topic = a.topic
        self.producer = milena.Producer({"bootstrap.servers": a.bootstrap, **a.producer, **a.conf})

    def send_all(self, values, n, one_a_call):
        """Sends n records; flush raises when one was not delivered."""
        send, send_many, topic = self.producer.send, self.producer.send_many, self.topic
        for sent in range(0, n, len(values)):
            part = values[:n - sent]
            if one_a_call:
                for value in part:
                    send(topic, value)
            else:
                send_many(topic, part)
        self.producer.flush(PATIENCE)

    def send(self, value):
        self.producer.send(self.topic, value)

    def send_and_wait(self, value):
        self.producer.send(self.topic, value, token=1)
        for delivery in self.producer.poll(PATIENCE):
            if delivery.error:
                raise delivery.error
            return
        raise SystemExit("no delivery came")


class Consumer:
    def __init__(self, a):
        self.topic, self.group = a.topic, a.group
        config = {"bootstrap.servers": a.bootstrap, "auto.offset.reset": "earliest"}
        config.update({"group.id": a.group} if a.group else {"enable.auto.commit": "false"})
        config.update(a.conf)
        self.consumer = milena.Consumer(config)
        with milena.AdminClient({"bootstrap.servers": a.bootstrap}) as admin:
            found = admin.describe_topics([a.topic])[0].partitions
        self.partitions = list(zip(repeat(a.topic), range(len(found))))

    def begin(self, at_end):
        if self.group:
            self.consumer.subscribe([self.topic])
        else:
            self.consumer.assign(self.partitions)
            (self.consumer.seek_to_end if at_end else self.consumer.seek_to_beginning)()
            self.consumer.position()

    def next(self, most):
        while True:
            batch = self.consumer.poll(PATIENCE, most)
            if batch:
                return batch
            if batch.event is None:
                raise SystemExit("no record came")

    def read(self, n, one_a_call):
        size, most = 0, 1 if one_a_call else MOST_POLLED
        while n > 0:
            values = self.next(min(n, most)).values()
            n -= len(values)
            size += sum(map(len, values))
        return size

    def read_one(self):
        return self.next(1)[0].value

    def close(self):
        self.consumer.close()
