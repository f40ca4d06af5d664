package milena_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"milena/internal/codegen"
)

const headerPath = "../../include/milena.h"

// notBound are the exports that this package has no use for.
var notBound = map[string]string{
	"milena_str":              "makes bytes of a C string; Go's strings know their lengths",
	"milena_error_name":       "Code.Name gives the same, of any code",
	"milena_config_copy":      "a configuration is made of its options each time",
	"milena_producer_send":    "rows with pointers to Go's memory must not be given to C: milena_producer_send_packed",
	"milena_deliveries_count": "a Delivery has its tokens",
	"milena_consumer_poll":    "milena_consumer_poll_packed does the same, and copies",
	"milena_batch_chunks":     "rows that point into the library's memory: milena_batch_pack",
	"milena_batch_count":      "the packed batch says so",
}

func source(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	must(t, err)
	return string(text)
}

// Every export is called by the Go sources, or by a function of bridge.h that they call.
func TestEveryExportIsBound(t *testing.T) {
	called := make(map[string]bool)
	paths, err := filepath.Glob("*.go")
	must(t, err)
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		for _, name := range regexp.MustCompile(`\bC\.(\w+)\(`).FindAllStringSubmatch(source(t, path), -1) {
			called[name[1]] = true
		}
	}
	bridge := regexp.MustCompile(`(?ms)^static inline [^;{]*?\b(go_\w+)\([^{]*\{\n(.*?)^\}`)
	for _, function := range bridge.FindAllStringSubmatch(source(t, "bridge.h"), -1) {
		if !called[function[1]] {
			t.Errorf("%s of bridge.h is called by nobody", function[1])
		}
		for _, name := range regexp.MustCompile(`\b(milena_\w+)\(`).FindAllStringSubmatch(function[2], -1) {
			called[name[1]] = true
		}
	}
	exports := codegen.Exports(source(t, headerPath))
	if len(exports) < 80 {
		t.Fatalf("only %d exports were found in %s", len(exports), headerPath)
	}
	exported := make(map[string]bool)
	for _, name := range exports {
		exported[name] = true
		reason := notBound[name]
		if called[name] == (reason != "") {
			t.Errorf("%s: is called: %v; reason why not: %q", name, called[name], reason)
		}
	}
	for name := range notBound {
		if exported[name] {
			continue
		}
		t.Errorf("%s is no export of %s", name, headerPath)
	}
}

func TestCodesAreThoseOfTheHeader(t *testing.T) {
	want, err := codegen.Codes(source(t, headerPath))
	must(t, err)
	if source(t, "codes.go") != string(want) {
		t.Fatal("codes.go is not what milena.h makes of it: go generate")
	}
}
