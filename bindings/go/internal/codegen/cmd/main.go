// Command cmd writes codes.go: HEADER CODES_GO.
package main

import (
	"fmt"
	"os"

	"milena/internal/codegen"
)

func main() {
	if len(os.Args) != 3 {
		fail(fmt.Errorf("usage: cmd HEADER CODES_GO"))
	}
	header, err := os.ReadFile(os.Args[1])
	if err != nil {
		fail(err)
	}
	source, err := codegen.Codes(string(header))
	if err != nil {
		fail(err)
	}
	if err := os.WriteFile(os.Args[2], source, 0o644); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
