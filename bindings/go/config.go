package milena

// #include "bridge.h"
import "C"

import (
	"fmt"
	"log/slog"
	"sort"
	"strconv"
	"unsafe"
)

// Option is a part of a client's configuration: a [Config], a [File], [Properties] or [WithLogger]. What is given later
// wins.
//
// Names and values are those of Java's clients (librdkafka's names are known too); the page CONFIGURATION.md and
// [ConfigTable] list them. They are checked when a client is made, all at once: an unknown name is refused, with the
// nearest known one as a hint.
type Option interface {
	apply(s *settings) error
}

// Config is a list of properties by name:
//
//	milena.Config{"bootstrap.servers": "localhost:9092", "acks": "all"}
type Config map[string]string

// File is the path of a Java .properties file, which is taken as it is.
type File string

// Properties is the text of a Java .properties file.
type Properties string

// WithLogger sends the log lines of a client to logger instead of stderr; log.level and debug choose which. Lines are
// handed over while the client is polled, and when calls other than Send return, so poll. (The property log.sink=poll does the same, with
// slog.Default.)
func WithLogger(logger *slog.Logger) Option { return loggerOption{logger} }

type loggerOption struct{ logger *slog.Logger }

// ConfigTable describes all properties that the library knows, as a JSON array of objects with name, clients, type,
// default, range, importance, aliases, status ("implemented", "not yet" or "no effect") and doc.
func ConfigTable() string { return C.GoString(C.milena_config_table()) }

// settings is a configuration while a client is made of it.
type settings struct {
	basePort int // of an embedded cluster
	config   *C.milena_config
	logger   *slog.Logger
}

// gather puts options together; the caller frees the result.
func gather(options []Option) (*settings, error) {
	if err := checkVersion(); err != nil {
		return nil, err
	}
	s := &settings{config: C.milena_config_new()}
	for _, option := range options {
		if option == nil {
			continue
		}
		if err := option.apply(s); err != nil {
			s.free()
			return nil, err
		}
	}
	if s.logger == nil && s.get("log.sink") == "poll" {
		s.logger = slog.Default()
	}
	return s, nil
}

func (s *settings) free() { C.milena_config_free(s.config) }

func (s *settings) set(name, value string) error {
	var a arena
	defer a.free()
	cName, cValue := cString(&a, name), cString(&a, value)
	var err *C.milena_error
	return check(C.milena_config_set(s.config, cName, cValue, &err), err)
}

// get returns a value that was set under exactly this name; "" for none.
func (s *settings) get(name string) string {
	var a arena
	defer a.free()
	return C.GoString(C.milena_config_get(s.config, cString(&a, name)))
}

// millis returns a property in milliseconds; instead where it is not set.
func (s *settings) millis(name string, instead int64) int64 {
	if value, err := strconv.ParseInt(s.get(name), 10, 64); err == nil {
		return value
	}
	return instead
}

func (c Config) apply(s *settings) error {
	names := make([]string, 0, len(c))
	for name := range c {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		if err := s.set(name, c[name]); err != nil {
			return err
		}
	}
	return nil
}

func (f File) apply(s *settings) error {
	var a arena
	defer a.free()
	var err *C.milena_error
	return check(C.milena_config_load_file(s.config, cString(&a, string(f)), &err), err)
}

func (p Properties) apply(s *settings) error {
	var a arena
	defer a.free()
	text := a.text(string(p))
	var err *C.milena_error
	return check(C.milena_config_load_properties(s.config, (*C.char)(unsafe.Pointer(text.data)), text.len, &err), err)
}

func (o loggerOption) apply(s *settings) error {
	s.logger = o.logger
	return s.set("log.sink", "poll")
}

func cString(a *arena, s string) *C.char {
	return (*C.char)(unsafe.Pointer(a.text(s + "\x00").data))
}

// Version is the version of the library that is loaded, for people: "milena/0.1.0 codecs=gzip,snappy,lz4,zstd".
func Version() string { return C.GoString(C.milena_version()) }

// VersionNumber is the version of the library that is loaded: 0x00MMmmpp, that is major, minor and patch in a byte
// each.
func VersionNumber() uint32 { return uint32(C.milena_version_number()) }

// checkVersion refuses a library that is not the one that this package was built for: another major version, or, as
// long as that is 0, another minor one.
func checkVersion() error {
	built, loaded := uint32(C.MILENA_VERSION_NUMBER), VersionNumber()
	shift := 16
	if built>>16 == 0 {
		shift = 8
	}
	if built>>shift == loaded>>shift {
		return nil
	}
	return failed(ErrInvalidState,
		fmt.Sprintf("built for version %s of libmilena, but %s is loaded", dotted(built), dotted(loaded)),
		"install the same version of header and library, and build again")
}

func dotted(version uint32) string {
	return fmt.Sprintf("%d.%d.%d", version>>16, version>>8&0xff, version&0xff)
}
