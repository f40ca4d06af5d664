"""Errors as exceptions; configurations."""

import pickle

import pytest

import milena
from milena.errors import from_status, kind_of


def test_an_error_says_everything():
    with pytest.raises(milena.ConfigurationError) as caught:
        milena.Producer({"bootstrap.server": "localhost:1", "acks": "7"})
    error = caught.value
    assert error.code == milena.Code.INVALID_CONFIGURATION == -1002
    assert error.name == "INVALID_CONFIGURATION"
    assert "bootstrap.servers" in str(error), "the nearest name is suggested"
    assert "acks" in str(error), "all mistakes at once"
    assert isinstance(error, ValueError) and not error.retriable and not error.fatal
    assert error.broker is None and error.topic is None and error.offset is None


@pytest.mark.parametrize(
    "code, kind, builtin",
    [
        (milena.Code.TIMED_OUT, milena.KafkaTimeoutError, TimeoutError),
        (milena.Code.BUFFER_EXHAUSTED, milena.BufferExhaustedError, TimeoutError),
        (milena.Code.TRANSPORT, milena.TransportError, ConnectionError),
        (milena.Code.TOPIC_AUTHORIZATION_FAILED, milena.AuthorizationError, PermissionError),
        (milena.Code.NOT_IMPLEMENTED, milena.UnsupportedError, NotImplementedError),
        (milena.Code.UNKNOWN_TOPIC_OR_PARTITION, milena.UnknownTopicOrPartitionError, LookupError),
        (milena.Code.STALE_HANDLE, milena.ClosedError, Exception),
        (milena.Code.THROTTLING_QUOTA_EXCEEDED, milena.KafkaError, Exception),
        (12345, milena.KafkaError, Exception),
    ],
)
def test_kinds(code, kind, builtin):
    assert kind_of(code) is kind
    error = from_status(code, "why")
    assert type(error) is kind and isinstance(error, builtin) and isinstance(error, milena.KafkaError)
    assert str(error) == f"{error.name} ({int(code)}): why"


def test_errors_can_be_pickled():
    error = from_status(milena.Code.NOT_LEADER_OR_FOLLOWER, "moved", broker=3, hint="wait")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error) and str(again) == str(error) and again.__dict__ == error.__dict__
    assert again.retriable


def test_known_properties_that_are_not_implemented_are_refused():
    with pytest.raises(milena.KafkaError) as caught:
        milena.Producer({"bootstrap.servers": "localhost:1", "security.protocol": "SSL"})
    assert "security.protocol" in str(caught.value)


@pytest.mark.parametrize("value, text", [(True, "true"), (False, "false"), (5, "5"), ("a,b", "a,b"), (["a", "b"], "a,b")])
def test_values(value, text):
    with milena.config.NativeConfig({"client.id": value}, None) as config:
        assert config.get("client.id") == text
        assert config.get("acks") is None


def test_values_that_are_none(servers):
    with pytest.raises(TypeError, match="client.id"):
        milena.Producer({**servers, "client.id": None})
    with pytest.raises(ValueError, match="zero character"):
        milena.Producer({**servers, "client.id": "a\0b"})


def test_a_properties_file(tmp_path, servers, topic):
    file = tmp_path / "client.properties"
    file.write_text(f"# as Java has it\nbootstrap.servers = {servers['bootstrap.servers']}\nacks: all\nlinger.ms=77777777\n")
    with milena.Producer({"linger.ms": 0}, file=file) as producer:
        producer.send(topic, "x")
    with pytest.raises(milena.ConfigurationError, match="nowhere"):
        milena.Producer(file=tmp_path / "nowhere.properties")


def test_the_table_of_properties():
    table = {row["name"]: row for row in milena.config_table()}
    assert table["linger.ms"]["default"] and "producer" in str(table["linger.ms"]["clients"])


def test_an_unreachable_broker_names_address_and_phase():
    settings = {"bootstrap.servers": "127.0.0.1:1", "max.block.ms": 300}
    producer = milena.Producer(settings)
    producer.send("letters", "lost", token=1)
    producer.flush(30)
    (delivery,) = producer.poll()
    assert delivery.error is not None and delivery.error.retriable is not None
    assert "127.0.0.1:1" in str(delivery.error) and "tcp" in str(delivery.error)
    producer.close(0)
