"""Kafka's command line tools, and any other main class, run with a version's jars."""

import re
import zipfile

from . import jars, jvm, versions
from .errors import KafkaFailed

NAMES = {"kafka-topics": "TopicCommand", "kafka-configs": "ConfigCommand",
         "kafka-console-producer": "ConsoleProducer", "kafka-console-consumer": "ConsoleConsumer",
         "kafka-consumer-groups": "ConsumerGroupCommand", "kafka-dump-log": "DumpLogSegments",
         "kafka-verifiable-producer": "VerifiableProducer", "kafka-verifiable-consumer": "VerifiableConsumer",
         "kafka-get-offsets": "GetOffsetShell", "kafka-producer-perf-test": "ProducerPerformance",
         "kafka-consumer-perf-test": "ConsumerPerformance"}
OWN = {"JavaProducer", "JavaConsumer"}


def _main_class(name, version):
    """The class behind a tool; they moved from package to package over the years, so it is looked up in the jars."""
    if name not in NAMES:
        return name
    found = []
    for jar in jars.fetch(version).glob("kafka*.jar"):
        with zipfile.ZipFile(jar) as z:
            found += [x[:-6].replace("/", ".") for x in z.namelist() if x.endswith(f"/{NAMES[name]}.class")]
    if not found:
        raise KafkaFailed(f"Kafka {version} has no {name}")
    return sorted(found)[-1]  # org.apache.kafka.tools goes before kafka.admin and kafka.tools


def _connection(name, version, bootstrap, zookeeper):
    """The option that tells a tool where the cluster is."""
    number = versions.parts(version)
    if zookeeper and (name == "kafka-topics" and number < (2, 2) or name == "kafka-configs" and number < (2, 6)):
        return ["--zookeeper", zookeeper]
    old = name == "kafka-console-producer" and number < (2, 5) or name.startswith("kafka-verifiable") and \
        number < (2, 6) or name == "kafka-get-offsets" and number < (3, 0)
    return ["--broker-list" if old else "--bootstrap-server", bootstrap]


def command(version, name, args, bootstrap=None, zookeeper=None):
    """The command line of a tool (kafka-topics, …), of JavaProducer or JavaConsumer, or of a main class.

    A tool that is not told where the cluster is gets it from `bootstrap`.
    """
    tools_version = versions.TOOLS_FROM.get(version, version) if name in NAMES else version
    args = [str(x) for x in args]
    told = any(re.match(r"--(bootstrap-server|broker-list|zookeeper|files)\b", x) for x in args)
    if name in NAMES and bootstrap and not told:
        args += _connection(name, tools_version, bootstrap, zookeeper)
    return jvm.command(tools_version, _main_class(name, tools_version), *args,
                       extra_classes=jars.compiled(version) if name in OWN else None)
