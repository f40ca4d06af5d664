package milena

// #include "bridge.h"
import "C"

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
)

// watcher waits for a client's descriptor in Go's netpoller, so that a goroutine that waits costs no thread.
//
// The library's descriptor is readable as long as there is something to poll, but the netpoller only tells when that
// begins. Who waits therefore first asks for the next signal, then polls, and only if nothing came waits for the
// signal: a poll that gives nothing has lowered the descriptor, and what comes after that raises it again.
//
// One goroutine waits for the descriptor and signals all that ask, because RawConn.Read is for one at a time. It is
// started by the first who asks and refers to nothing that would keep the client alive.
type watcher struct {
	open func(*C.milena_fd, **C.milena_error) C.milena_status
	sink *logSink

	mu     sync.Mutex
	signal chan struct{} // closed at the next edge; nil when nobody asked since the last one
	file   *os.File      // nil before the goroutine is started
	closed bool
	err    error // why there is no waiting
}

// past is a signal that was given.
var past = func() chan struct{} {
	signal := make(chan struct{})
	close(signal)
	return signal
}()

func newWatcher(sink *logSink, open func(*C.milena_fd, **C.milena_error) C.milena_status) *watcher {
	w := &watcher{open: open, sink: sink}
	sink.took = w.wake
	return w
}

// forLog begins to wait for log lines, if there is a logger.
func (w *watcher) forLog() error {
	if w.sink.logger == nil {
		return nil
	}
	_, err := w.next()
	return err
}

// next returns what is closed when there may be something to poll again.
func (w *watcher) next() (<-chan struct{}, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file == nil && !w.closed && w.err == nil {
		err := w.start()
		if errors.Is(err, ErrStaleHandle) {
			// The client was freed just now, and close is about to come.
			return past, nil
		}
		w.err = err
	}
	if w.err != nil {
		return nil, w.err
	}
	if w.signal == nil {
		w.signal = make(chan struct{})
		if w.closed {
			close(w.signal)
		}
	}
	return w.signal, nil
}

// start runs the goroutine, on a copy of the descriptor: os.File closes what it is given.
func (w *watcher) start() error {
	var fd C.milena_fd
	var err *C.milena_error
	if status := w.open(&fd, &err); status != C.MILENA_OK {
		return taken(status, err)
	}
	copied, dupErr := dup(int(fd))
	if dupErr != nil {
		return failed(ErrTransport, "no descriptor to wait on: "+dupErr.Error(), "")
	}
	file := os.NewFile(uintptr(copied), "milena")
	conn, connErr := file.SyscallConn()
	if connErr != nil {
		file.Close()
		return failed(ErrTransport, "can't wait on a descriptor: "+connErr.Error(), "")
	}
	w.file = file
	go w.run(conn)
	return nil
}

func (w *watcher) run(conn syscall.RawConn) {
	// The function is called once now and again at each edge, until the file is closed.
	err := conn.Read(func(uintptr) bool {
		w.sink.drain()
		w.wake()
		return false
	})
	w.mu.Lock()
	if !w.closed {
		w.err = failed(ErrTransport, fmt.Sprintf("can't wait on a descriptor: %v", err), "")
	}
	w.mu.Unlock()
	w.wake()
}

// wake signals all who asked.
func (w *watcher) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.signal != nil && !w.closed {
		close(w.signal)
		w.signal = nil
	}
}

// close ends the goroutine and signals all who asked, now and later. The client's handle stays as it is.
func (w *watcher) close() {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return
	}
	w.closed = true
	if w.signal != nil {
		close(w.signal)
	}
	file := w.file
	w.mu.Unlock()
	// Closing waits for run's function, which takes the lock.
	if file != nil {
		file.Close()
	}
}

// dup copies a descriptor; the copy is closed on exec, and non-blocking as the library's is.
func dup(fd int) (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	copied, err := syscall.Dup(fd)
	if err != nil {
		return -1, err
	}
	syscall.CloseOnExec(copied)
	return copied, nil
}
