package perf

import (
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strings"
	"syscall"
	"time"
)

type stopwatch struct {
	began time.Time
	cpu   time.Duration
}

type result struct {
	seconds, cpu float64
	bytes        int64
	latencies    []time.Duration
}

func start() stopwatch { return stopwatch{time.Now(), cpu()} }

func (s stopwatch) stop(bytes int64, latencies []time.Duration) result {
	return result{time.Since(s.began).Seconds(), (cpu() - s.cpu).Seconds(), bytes, latencies}
}

// cpu is the processor time of all threads so far.
func cpu() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		fail(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func maxRSS() float64 {
	status, _ := os.ReadFile("/proc/self/status")
	var kib int
	if _, after, found := strings.Cut(string(status), "VmHWM:"); found {
		fmt.Sscan(after, &kib)
	}
	return float64(kib) / 1024
}

func (r result) print(client string, o Options) {
	n := float64(o.Count)
	line := map[string]any{
		"client": client, "op": o.Op, "msgs": o.Count, "bytes": r.bytes, "seconds": r.seconds,
		"msgs_per_s": n / r.seconds, "mb_per_s": float64(r.bytes) / r.seconds / (1 << 20),
		"cpu_seconds": r.cpu, "cpu_ns_per_msg": r.cpu * 1e9 / n, "max_rss_mb": maxRSS(),
	}
	if r.latencies != nil {
		sort.Slice(r.latencies, func(i, j int) bool { return r.latencies[i] < r.latencies[j] })
		for name, share := range map[string]float64{"p50_us": 0.5, "p99_us": 0.99, "p999_us": 0.999} {
			rank := max(int(share*n+0.999999), 1)
			line[name] = float64(r.latencies[rank-1].Nanoseconds()) / 1000
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(line); err != nil {
		fail(err)
	}
}
