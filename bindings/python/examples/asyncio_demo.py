#!/usr/bin/env python3
"""A producer and a consumer in one event loop: asyncio_demo.py [--bootstrap-servers H:P] [--count N]

Without --bootstrap-servers it uses an embedded cluster.
"""

import argparse
import asyncio
import contextlib

import milena


async def produce(properties, topic, count):
    async with milena.AsyncProducer(properties) as producer:
        first = await producer.send_and_wait(topic, "number 0", key="0")
        print(f"the first is at {first.topic}-{first.partition}, offset {first.offset}")
        # Don't wait for each: hand all over, then wait for all.
        sent = [await producer.send(topic, f"number {i}", key=str(i)) for i in range(1, count)]
        await asyncio.gather(*sent)
        print(f"all {count} are delivered")


async def consume(properties, topic, count):
    settings = {**properties, "group.id": "asyncio-demo", "auto.offset.reset": "earliest"}
    async with milena.AsyncConsumer(settings) as consumer:
        consumer.subscribe([topic])
        read = 0
        async for batch in consumer.batches():
            read += len(batch)
            print(f"read {read}: the last is {batch[-1].value!r}")
            if read >= count:
                await consumer.commit()
                return


async def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--bootstrap-servers")
    ap.add_argument("--topic", default="asyncio-demo")
    ap.add_argument("--count", type=int, default=1000)
    a = ap.parse_args()
    with contextlib.ExitStack() as stack:
        servers = a.bootstrap_servers or stack.enter_context(milena.EmbeddedCluster()).bootstrap_servers
        properties = {"bootstrap.servers": servers}
        await asyncio.gather(produce(properties, a.topic, a.count), consume(properties, a.topic, a.count))


if __name__ == "__main__":
    asyncio.run(main())
