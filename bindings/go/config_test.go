package milena_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"milena"
)

func TestConfigurationErrors(t *testing.T) {
	_, err := milena.NewProducer(milena.Config{"bootstrap.servers": "localhost:9092", "ack": "all", "linger.ms": "soon",
		"batch.size": "-7"})
	isError(t, err, milena.ErrInvalidConfiguration)
	for _, part := range []string{"ack", "acks", "linger.ms", "soon", "batch.size"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q says nothing of %q", err, part)
		}
	}
	_, err = milena.NewConsumer()
	e := isError(t, err, milena.ErrInvalidConfiguration)
	if !strings.Contains(e.Error(), "bootstrap.servers") {
		t.Error(e)
	}
	_, err = milena.NewConsumer(milena.Config{"bootstrap.servers": "localhost:9092", "isolation.level": "read_committed"})
	isError(t, err, milena.ErrNotImplemented)
	_, err = milena.NewAdmin(milena.Config{"bootstrap.servers": "localhost"})
	isError(t, err, milena.ErrInvalidConfiguration)
	_, err = milena.NewProducer(milena.Config{"bootstrap.servers": "localhost:9092", "client.id": "nul\x00byte"})
	if err != nil {
		isError(t, err, milena.ErrInvalidConfiguration)
	}
}

func TestClusterErrors(t *testing.T) {
	for _, brokers := range []int{0, -1, 1001, 1 << 40} {
		_, err := milena.NewEmbeddedCluster(brokers)
		isError(t, err, milena.ErrInvalidArgument)
	}
	_, err := milena.NewEmbeddedCluster(1, milena.Config{"num.partition": "3"})
	isError(t, err, milena.ErrInvalidConfiguration)
	_, err = milena.NewEmbeddedCluster(1, milena.BasePort(70_000))
	isError(t, err, milena.ErrInvalidArgument)
	c := cluster(t, 1)
	must(t, c.CreateTopic("letters", 1, 1))
	isError(t, c.CreateTopic("letters", 1, 1), milena.ErrTopicAlreadyExists)
	isError(t, c.CreateTopic("", 1, 1), milena.ErrInvalidTopicException)
	isError(t, c.CreateTopic("other", 1, 2), milena.ErrInvalidReplicationFactor)
	isError(t, c.BrokerDown(2), milena.ErrInvalidArgument)
	isError(t, c.MoveLeader("other", 0, 1), milena.ErrUnknownTopicOrPartition)
	isError(t, c.PushFault(milena.Fault{Kind: 99}), milena.ErrInvalidArgument)
	isError(t, c.CorruptBatch("letters", 0, 0), milena.ErrInvalidArgument)
	isError(t, c.CorruptBatch("letters", 0, -1), milena.ErrInvalidArgument)
	isError(t, c.CorruptBatch("other", 0, 0), milena.ErrUnknownTopicOrPartition)
}

func TestPropertiesFile(t *testing.T) {
	c := cluster(t, 1)
	text := "# a Java file\nbootstrap.servers = " + c.BootstrapServers() +
		"\nclient.id: fr\\u00e4nz\nkey.serializer=org.apache.kafka.common.serialization.StringSerializer\nlinger.ms=\\\n  0\n"
	path := filepath.Join(t.TempDir(), "client.properties")
	must(t, os.WriteFile(path, []byte(text), 0o600))
	for _, option := range []milena.Option{milena.File(path), milena.Properties(text)} {
		p, err := milena.NewProducer(milena.Config{"bootstrap.servers": "127.0.0.1:1"}, nil, option)
		must(t, err)
		send(t, p, "letters", numbered(0, 1)...)
		must(t, p.Close(within(t, limit)))
	}
	_, err := milena.NewProducer(milena.File(path), milena.Config{"linger.ms": "what comes later wins"})
	isError(t, err, milena.ErrInvalidConfiguration)
	if _, err := milena.NewProducer(milena.File(path + ".not")); err == nil || !strings.Contains(err.Error(), path) {
		t.Fatalf("got %v", err)
	}
	_, err = milena.NewProducer(milena.Properties("bootstrap.servers=\\u00zz"))
	isError(t, err, milena.ErrInvalidConfiguration)
}

func TestConfigTable(t *testing.T) {
	var table []struct{ Name, Doc, Status string }
	must(t, json.Unmarshal([]byte(milena.ConfigTable()), &table))
	found := false
	for _, row := range table {
		if row.Name == "" || row.Doc == "" || row.Status == "" {
			t.Errorf("a row lacks something: %+v", row)
		}
		found = found || row.Name == "bootstrap.servers"
	}
	equal(t, "bootstrap.servers is there", found, true)
}

func TestVersion(t *testing.T) {
	if v := milena.Version(); !strings.HasPrefix(v, "milena/") || milena.VersionNumber() == 0 {
		t.Fatal(v, milena.VersionNumber())
	}
}

func TestCodes(t *testing.T) {
	equal(t, "name", milena.ErrNotLeaderOrFollower.Name(), "NOT_LEADER_OR_FOLLOWER")
	equal(t, "text", milena.ErrNotLeaderOrFollower.Error(), "NOT_LEADER_OR_FOLLOWER (6)")
	equal(t, "retriable", milena.ErrNotLeaderOrFollower.Retriable(), true)
	equal(t, "not retriable", milena.ErrTopicAuthorizationFailed.Retriable(), false)
	equal(t, "unknown", milena.Code(777).Name(), "UNKNOWN_CODE")
}
