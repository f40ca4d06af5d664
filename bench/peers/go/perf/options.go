package perf

import (
	"flag"
	"fmt"
	"os"
	"strings"
)

// Options are those of milena-perf.
type Options struct {
	Op, Bootstrap, Topic, Group      string
	Acks, Linger, Compression, Batch string
	Count, Size, Warmup              int
	OneACall                         bool
	Conf                             Pairs
}

// Pairs are properties by name, from a repeatable option NAME=VALUE.
type Pairs map[string]string

func (p Pairs) String() string { return fmt.Sprint(map[string]string(p)) }

// Set adds a pair.
func (p Pairs) Set(text string) error {
	name, value, found := strings.Cut(text, "=")
	if !found {
		return fmt.Errorf("%q is not NAME=VALUE", text)
	}
	p[name] = value
	return nil
}

func parse() Options {
	if len(os.Args) < 2 {
		fail(fmt.Errorf("an operation is missing: produce, consume, lat or e2e"))
	}
	o := Options{Op: os.Args[1], Conf: Pairs{}}
	mode := ""
	flag.StringVar(&o.Bootstrap, "bootstrap", "", "brokers")
	flag.StringVar(&o.Topic, "topic", "", "where to")
	flag.StringVar(&o.Group, "group", "", "consume by subscribe, in this group")
	flag.StringVar(&o.Acks, "acks", "all", "0, 1 or all")
	flag.StringVar(&o.Linger, "linger", "", "milliseconds")
	flag.StringVar(&o.Compression, "compression", "none", "a codec")
	flag.StringVar(&o.Batch, "batch", "", "bytes")
	flag.StringVar(&mode, "mode", "batch", "batch or poll")
	flag.IntVar(&o.Count, "count", 1000000, "records")
	flag.IntVar(&o.Size, "size", 100, "bytes of a value")
	flag.IntVar(&o.Warmup, "warmup", 0, "records before the clock starts")
	flag.Var(o.Conf, "conf", "a property, repeatable")
	if err := flag.CommandLine.Parse(os.Args[2:]); err != nil {
		fail(err)
	}
	o.OneACall = mode == "poll"
	return o
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
