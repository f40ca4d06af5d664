//! What it took: the JSON line of `milena-perf`.

use crate::options::Options;
use std::time::Instant;

const MIB: f64 = 1024.0 * 1024.0;

pub struct Stopwatch {
    began: Instant,
    cpu: f64,
}

/// Processor time of all threads so far, in seconds.
fn cpu_seconds() -> f64 {
    // SAFETY: getrusage fills the struct that it is given.
    let used = unsafe {
        let mut used: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut used);
        used
    };
    let seconds = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 / 1e6;
    seconds(used.ru_utime) + seconds(used.ru_stime)
}

fn max_rss_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap_or("VmHWM: 0");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

fn percentile(sorted: &[u64], share: f64) -> f64 {
    let rank = (share * sorted.len() as f64 + 0.999999) as usize;
    sorted[rank.saturating_sub(1).min(sorted.len() - 1)] as f64 / 1000.0
}

impl Stopwatch {
    pub fn start() -> Stopwatch {
        Stopwatch { began: Instant::now(), cpu: cpu_seconds() }
    }

    pub fn print(self, o: &Options, bytes: u64, latencies_ns: Option<Vec<u64>>) {
        let (seconds, cpu) = (self.began.elapsed().as_secs_f64(), cpu_seconds() - self.cpu);
        let n = o.count as f64;
        let mut line = format!(
            "{{\"client\":\"librdkafka\",\"op\":\"{}\",\"msgs\":{},\"bytes\":{bytes},\"seconds\":{seconds:.6},\
             \"msgs_per_s\":{:.1},\"mb_per_s\":{:.3},\"cpu_seconds\":{cpu:.6},\"cpu_ns_per_msg\":{:.1},\
             \"max_rss_mb\":{:.1}",
            o.op,
            o.count,
            n / seconds,
            bytes as f64 / seconds / MIB,
            cpu * 1e9 / n,
            max_rss_mb(),
        );
        if let Some(mut all) = latencies_ns {
            all.sort_unstable();
            let (p50, p99, p999) = (percentile(&all, 0.5), percentile(&all, 0.99), percentile(&all, 0.999));
            line += &format!(",\"p50_us\":{p50:.1},\"p99_us\":{p99:.1},\"p999_us\":{p999:.1}");
        }
        println!("{line}}}");
    }
}
