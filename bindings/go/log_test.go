package milena_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"milena"
)

// lines keeps what is logged.
type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) Enabled(context.Context, slog.Level) bool { return true }
func (l *lines) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *lines) WithGroup(string) slog.Handler            { return l }

func (l *lines) Handle(_ context.Context, r slog.Record) error {
	text := r.Level.String() + " " + r.Message
	r.Attrs(func(a slog.Attr) bool {
		text += " " + a.String()
		return true
	})
	l.mu.Lock()
	l.all = append(l.all, text)
	l.mu.Unlock()
	return nil
}

func (l *lines) has(parts ...string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.all {
		found := true
		for _, part := range parts {
			found = found && strings.Contains(line, part)
		}
		if found {
			return true
		}
	}
	return false
}

// Lines come while a client is polled, and when calls return.
func TestLogger(t *testing.T) {
	c := cluster(t, 1)
	must(t, c.CreateTopic("letters", 1, 1))
	var kept lines
	options := []milena.Option{milena.WithLogger(slog.New(&kept)), milena.Config{"log.level": "debug", "client.id": "franz"}}
	p := producer(t, c, options...)
	send(t, p, "letters", numbered(0, 1)...)
	eventually(t, "the producer logs", func() bool {
		_, _ = p.Poll(within(t, time.Millisecond))
		return kept.has("DEBUG", "api=Produce", "client=franz", "context=")
	})
	k := consumer(t, c, options...)
	must(t, k.Assign(partitions("letters", 1)...))
	eventually(t, "the consumer logs", func() bool {
		_, _ = k.Poll(within(t, time.Millisecond))
		return kept.has("DEBUG", "api=Fetch")
	})
	a := admin(t, c, options...)
	_, err := a.CreateTopics(within(t, limit), milena.NewTopic{Name: "more"})
	must(t, err)
	eventually(t, "the admin client logs", func() bool { return kept.has("DEBUG", "api=CreateTopics") })
}

// What is below log.level is not made at all.
func TestLogLevel(t *testing.T) {
	c := cluster(t, 1)
	var kept lines
	p := producer(t, c, milena.WithLogger(slog.New(&kept)), milena.Config{"log.level": "warning"})
	must(t, c.BrokerDown(1))
	_, err := p.Send(context.Background(), "letters", numbered(0, 1)...)
	must(t, err)
	eventually(t, "it warns", func() bool {
		_, _ = p.Poll(within(t, time.Millisecond))
		return kept.has("WARN")
	})
	equal(t, "nothing below the level", kept.has("DEBUG"), false)
}
