"""What differs between the Kafka versions: which jars make them up and how they keep their metadata."""

import re

NEWEST = "4.4.0"
TESTED = ("4.4.0", "3.9.2", "2.8.2", "1.1.0")

# Versions whose command line tools were never published as a jar, and the nearest version that has them.
TOOLS_FROM = {"4.4.0": "4.3.1"}


def parts(version):
    """'3.9.2' as (3, 9, 2), for comparing."""
    return tuple(int(x) for x in re.findall(r"\d+", version))


def is_kraft(version):
    """Whether clusters of the version run without ZooKeeper (production-ready since 3.3)."""
    return parts(version) >= (3, 3)


def artifacts(version):
    """Maven coordinates (group, artifact, version) of what a broker, its clients and its tools need."""
    scala = "2.13" if parts(version) >= (2, 4) else "2.12"
    found = [("org.apache.kafka", "kafka_" + scala, version)]
    if version not in TOOLS_FROM:
        found.append(("org.apache.kafka", "kafka-tools", version))
    if parts(version) >= (4, 0):
        found.append(("org.slf4j", "slf4j-simple", "1.7.36"))  # 4.x brings the logging API but nothing behind it
    return found
