"""The failures that callers tell apart."""


class MissingTool(Exception):
    """A program that real Kafka needs (java, javac, mvn) is not installed; the tests skip on it, but not in CI."""


class KafkaFailed(Exception):
    """A Kafka process, or a tool run against it, did not do what it was asked to."""
