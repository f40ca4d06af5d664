package milena

// #include "bridge.h"
import "C"

import (
	"context"
	"fmt"
	"unsafe"
)

//go:generate go run ./internal/codegen/cmd ../../include/milena.h codes.go

// Code says what kind of failure an [Error] is: one of Kafka's codes, as the broker gave it, or (-1000 and below) one
// of this library. It is an error itself, so that it can be asked for:
//
//	if errors.Is(err, milena.ErrTopicAlreadyExists) { … }
type Code int32

// Name is the code's name as Kafka has it, such as "NOT_LEADER_OR_FOLLOWER"; "UNKNOWN_CODE" for one that this version
// does not know.
func (c Code) Name() string {
	return C.GoString(C.milena_status_name(C.milena_status(c)))
}

// Error is the name and the number.
func (c Code) Error() string {
	return fmt.Sprintf("%s (%d)", c.Name(), int32(c))
}

// Retriable says whether the same may succeed later without a change by the caller.
func (c Code) Retriable() bool {
	return bool(C.milena_status_is_retriable(C.milena_status(c)))
}

// Error is a failure, with all that is known about it. The errors of this package are of this type, or wrap one, so
// that errors.As finds it; only what ends because of its context may be the context's error alone. errors.Is compares
// the code:
//
//	var e *milena.Error
//	if errors.As(err, &e) && e.Retriable() { … }
//	if errors.Is(err, milena.ErrMessageTooLarge) { … }
type Error struct {
	// Code is what kind of failure it is.
	Code Code
	// Message says what happened.
	Message string
	// Cause says why, where something else was the reason; empty when there is no more to know.
	Cause string
	// Hint says what to do about it; empty when there is no advice.
	Hint string
	// Broker is the id of the broker that it is about; -1 when there is none, or its id is not known.
	Broker int32
	// Address is that broker's, as "host:port"; empty when there is none.
	Address string
	// Phase is the step of talking to the broker that failed: "dns", "tcp", "tls", "sasl", "api-versions" or
	// "request"; empty when it has nothing to do with one.
	Phase string
	// Topic and Partition are what it is about, as when records can't be read; empty and -1 when there is none.
	Topic     string
	Partition int32
	// Offset is where the partition can't be read, and NextOffset where to seek to, to read on behind that; -1 when
	// there is none.
	Offset     int64
	NextOffset int64

	text                    string
	retriable, fatal, abort bool
}

// Error is one line with everything there is to say: name, code, message, broker, phase, cause and hint.
func (e *Error) Error() string { return e.text }

// Is says whether target is this error's [Code]; for errors.Is.
func (e *Error) Is(target error) bool {
	code, ok := target.(Code)
	return ok && code == e.Code
}

// Retriable says whether the same may succeed later without a change by the caller.
func (e *Error) Retriable() bool { return e.retriable }

// Fatal says whether the client is of no more use: close it, and make another one.
func (e *Error) Fatal() bool { return e.fatal }

// RequiresAbort says whether the producer's transaction can't be committed any more and must be aborted.
func (e *Error) RequiresAbort() bool { return e.abort }

// failed is an error that the wrapper itself finds.
func failed(code Code, message, hint string) *Error {
	text := code.Error() + ": " + message
	if hint != "" {
		text += "; hint: " + hint
	}
	return &Error{Code: code, Message: message, Hint: hint, Broker: -1, Partition: -1, Offset: -1, NextOffset: -1,
		text: text, retriable: code.Retriable()}
}

// check turns how a call ended into an error, and frees the library's.
func check(status C.milena_status, err *C.milena_error) error {
	if status == C.MILENA_OK {
		return nil
	}
	return taken(status, err)
}

// taken makes an Error of the library's, and frees that.
func taken(status C.milena_status, err *C.milena_error) *Error {
	if err == nil {
		return failed(Code(status), "the library gave no reason", "")
	}
	e := borrowed(err)
	C.milena_error_free(err)
	return e
}

// borrowed makes an Error of one that belongs to a result.
func borrowed(err *C.milena_error) *Error {
	v := C.go_error_read(err)
	return &Error{
		Code:       Code(v.code),
		Message:    C.GoString(v.message),
		Cause:      C.GoString(v.cause),
		Hint:       C.GoString(v.hint),
		Broker:     int32(v.broker),
		Address:    C.GoString(v.address),
		Phase:      C.GoString(v.phase),
		Topic:      goText(v.topic),
		Partition:  int32(v.partition),
		Offset:     int64(v.offset),
		NextOffset: int64(v.next_offset),
		text:       C.GoString(v.text),
		retriable:  bool(v.retriable),
		fatal:      bool(v.fatal),
		abort:      bool(v.abort),
	}
}

// goText copies text out of the library's memory; null is "".
func goText(b C.milena_bytes) string {
	if b.data == nil {
		return ""
	}
	return string(unsafe.Slice((*byte)(b.data), int(b.len)))
}

// goTextAgain is goText of what is mostly the same as the last time, and then not copied.
func goTextAgain(last string, b C.milena_bytes) string {
	if b.data != nil && int(b.len) == len(last) && string(unsafe.Slice((*byte)(b.data), len(last))) == last {
		return last
	}
	return goText(b)
}

// contextError is the end of a call by its context, together with what the library has to say about it: errors.Is
// finds context.Canceled or context.DeadlineExceeded in it, errors.As the Error.
type contextError struct {
	ctx error
	err *Error
}

func (e *contextError) Error() string   { return e.ctx.Error() + ": " + e.err.Error() }
func (e *contextError) Unwrap() []error { return []error{e.ctx, e.err} }

// because says that a call that failed was ended by its context, if it was.
func because(ctx context.Context, err error) error {
	e, ok := err.(*Error)
	if !ok || e.Code != ErrTimedOut && e.Code != ErrWakeup && e.Code != ErrBufferExhausted {
		return err
	}
	if reason := ctx.Err(); reason != nil {
		return &contextError{reason, e}
	}
	if _, limited := ctx.Deadline(); limited && e.Code == ErrTimedOut {
		// The library's clock was a moment ahead of the context's.
		return &contextError{context.DeadlineExceeded, e}
	}
	return err
}
