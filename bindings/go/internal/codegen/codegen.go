// Package codegen makes Go of what milena.h lists: the status codes.
package codegen

import (
	"fmt"
	"go/format"
	"regexp"
	"strings"
)

var (
	define  = regexp.MustCompile(`(?s)/\*\*\n((?: \*[^\n]*\n)+?) \*/\n#define MILENA_E_(\w+) \(?(-?\d+)\)?`)
	exports = regexp.MustCompile(`(?m)^(?:const )?\w+ \*?(milena_\w+)\(`)
)

// Codes returns the source of codes.go for a header.
func Codes(header string) ([]byte, error) {
	found := define.FindAllStringSubmatch(header, -1)
	if len(found) == 0 {
		return nil, fmt.Errorf("the header has no status codes")
	}
	var b strings.Builder
	b.WriteString("// Code generated from milena.h by go generate; DO NOT EDIT.\n\npackage milena\n\n")
	b.WriteString("// Kafka's codes, as brokers answer them, and from -1000 down those of the library.\nconst (\n")
	for _, code := range found {
		for _, line := range strings.Split(strings.TrimSpace(code[1]), "\n") {
			fmt.Fprintf(&b, "\t// %s\n", strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "*")))
		}
		fmt.Fprintf(&b, "\tErr%s Code = %s\n", name(code[2]), code[3])
	}
	b.WriteString(")\n")
	return format.Source([]byte(b.String()))
}

// Exports returns the names of all functions of a header.
func Exports(header string) []string {
	var names []string
	for _, match := range exports.FindAllStringSubmatch(header, -1) {
		names = append(names, match[1])
	}
	return names
}

// name turns NOT_LEADER_OR_FOLLOWER into NotLeaderOrFollower.
func name(words string) string {
	var b strings.Builder
	for _, word := range strings.Split(words, "_") {
		if word == "ID" || word == "SASL" {
			b.WriteString(word)
			continue
		}
		b.WriteString(word[:1] + strings.ToLower(word[1:]))
	}
	return b.String()
}
