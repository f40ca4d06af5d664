package milena

// #include "bridge.h"
import "C"

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// logSink hands the log lines of a client to a logger; it does nothing without one. It refers to the client by its
// handle only, so that it keeps none alive.
type logSink struct {
	logger *slog.Logger
	handle C.uintptr_t
	kind   C.char
	// took is called after lines were taken, which keep the client's descriptor readable until then.
	took func()

	mu      sync.Mutex
	dropped uint64
}

func newLogSink(logger *slog.Logger, handle C.uintptr_t, kind byte) *logSink {
	return &logSink{logger: logger, handle: handle, kind: C.char(kind)}
}

// drain hands over what there is, and says whether there was something. Any goroutine may call it; after the client is
// freed there is nothing.
func (s *logSink) drain() bool {
	if s.logger == nil || !s.write() {
		return false
	}
	if s.took != nil {
		s.took()
	}
	return true
}

func (s *logSink) write() bool {
	// One at a time, so that the lines stay in their order.
	s.mu.Lock()
	defer s.mu.Unlock()
	took := C.go_log_take(s.handle, s.kind)
	if took.log == nil {
		return false
	}
	defer C.milena_log_free(took.log)
	for i := 0; i < int(took.n); i++ {
		s.line(row(took.lines, i, took.stride))
	}
	if lost := uint64(took.dropped) - s.dropped; lost > 0 {
		s.dropped += lost
		s.logger.Warn("log lines were lost", "lines", lost)
	}
	return true
}

func (s *logSink) line(line *C.milena_log_line) {
	level := slog.LevelDebug
	switch line.level {
	case C.MILENA_LOG_ERROR:
		level = slog.LevelError
	case C.MILENA_LOG_WARNING:
		level = slog.LevelWarn
	case C.MILENA_LOG_INFO:
		level = slog.LevelInfo
	}
	ctx := context.Background()
	if !s.logger.Enabled(ctx, level) {
		return
	}
	r := slog.NewRecord(time.UnixMilli(int64(line.time_ms)), level, C.GoString(line.text), 0)
	r.AddAttrs(slog.String("client", C.GoString(line.client_id)), slog.String("context", C.GoString(line.context)))
	_ = s.logger.Handler().Handle(ctx, r)
}
