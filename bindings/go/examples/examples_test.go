// Package examples has programs that use the package milena, and tests of them.
package examples

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"milena"
)

// limit is how long a program may take.
const limit = 2 * time.Minute

// build makes a folder with all the programs.
func build(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	command(t, ".", "go", "build", "-o", folder+string(filepath.Separator), "./...")
	return folder
}

// command runs a program to its end, and gives what it prints.
func command(t *testing.T, folder, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	timer := time.AfterFunc(limit, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out.String(), errs.String())
	}
	return out.String()
}

func TestDemos(t *testing.T) {
	folder := build(t)
	cluster, err := milena.NewEmbeddedCluster(1)
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	file := filepath.Join(folder, "client.properties")
	text := "bootstrap.servers=" + cluster.BootstrapServers() + "\nlinger.ms=0\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}

	out := command(t, folder, filepath.Join(folder, "producer_demo"), "-count", "50", file)
	if n := strings.Count(out, "Delivered: "); n != 50 {
		t.Fatalf("%d deliveries:\n%s", n, out)
	}
	program := filepath.Join(folder, "consumer_demo")
	servers := []string{"-bootstrap-servers", cluster.BootstrapServers()}
	out = command(t, folder, program, append(servers, "-count", "50")...)
	if n := strings.Count(out, `"text":"Message Hello `); n != 50 {
		t.Fatalf("%d values:\n%s", n, out)
	}
	stopped(t, program, servers...)

	out = command(t, folder, filepath.Join(folder, "embedded_cluster"))
	if out != "30 letters sent, 30 different ones read\n" {
		t.Fatalf("got %q", out)
	}
}

// stopped runs a program until it is a member of its group, and ends it by SIGTERM.
func stopped(t *testing.T, program string, args ...string) {
	t.Helper()
	cmd := exec.Command(program, args...)
	var out said
	out.wants, out.done = "partitions assigned", make(chan struct{})
	cmd.Stderr = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(limit, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	select {
	case <-out.done:
	case <-time.After(limit):
		t.Error("it says nothing")
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, out.text)
	}
}

// said tells when a text was written.
type said struct {
	text, wants string
	done        chan struct{}
}

func (s *said) Write(p []byte) (int, error) {
	before := strings.Contains(s.text, s.wants)
	s.text += string(p)
	if !before && strings.Contains(s.text, s.wants) {
		close(s.done)
	}
	return len(p), nil
}

// The program in the README works as it stands there, in a module of its own.
func TestModuleOfItsOwn(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	program := regexp.MustCompile("(?ms)^```go\n(package main\n.*?)^```$").FindSubmatch(readme)
	if program == nil {
		t.Fatal("the README has no program")
	}
	module, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "main.go"), program[1], 0o600); err != nil {
		t.Fatal(err)
	}
	command(t, folder, "go", "mod", "init", "example.com/letters")
	command(t, folder, "go", "mod", "edit", "-require", "milena@v0.0.0", "-replace", "milena="+module)
	if out := command(t, folder, "go", "run", "."); out != "Dear Milena\n" {
		t.Fatalf("got %q", out)
	}
}
