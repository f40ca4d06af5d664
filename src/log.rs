//! Logging without global state: each client has its own [`Logger`], made from `log.level`, `debug` and
//! `log.sink`.
//!
//! Lines go to stderr or into a bounded ring that the client's poll drains. The time of a line is an
//! argument, because nothing below the façades reads a clock. What is logged never holds a secret: callers
//! pass names and addresses, and configuration values only as [`Config`](crate::config::Config) displays them
//! (passwords masked).

use std::collections::VecDeque;
use std::fmt;
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::time::Now;

/// Lines the ring keeps; when it is full the oldest goes and is counted.
pub const RING_LINES: usize = 1000;
/// Bytes of one line's text; what is longer is cut.
pub const LINE_BYTES: usize = 4096;

/// How much a line matters; a logger passes its own level and those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Of a logger only: passes nothing.
    Off,
    Error,
    Warning,
    Info,
    Debug,
}

impl Level {
    pub fn name(self) -> &'static str {
        match self {
            Level::Off => "off",
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Info => "info",
            Level::Debug => "debug",
        }
    }

    /// From the name, or from a syslog number as librdkafka's `log_level` has it (0 to 7).
    pub fn parse(text: &str) -> Option<Level> {
        match text.to_ascii_lowercase().as_str() {
            "off" | "none" => Some(Level::Off),
            "error" | "0" | "1" | "2" | "3" => Some(Level::Error),
            "warning" | "warn" | "4" => Some(Level::Warning),
            "info" | "5" | "6" => Some(Level::Info),
            "debug" | "7" => Some(Level::Debug),
            _ => None,
        }
    }
}

/// What a line is about; `debug` chooses among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    /// The client as a whole.
    Generic,
    /// Connections.
    Broker,
    Topic,
    Metadata,
    /// Requests and responses.
    Protocol,
    /// The producer's records and batches.
    Msg,
    Consumer,
    /// The consumer group.
    Cgrp,
    Fetch,
    Admin,
    Security,
    /// Idempotence and transactions.
    Eos,
    Assignor,
    /// The configuration.
    Conf,
    /// The embedded cluster.
    Mock,
}

impl Context {
    /// All of them, in the order of the documentation.
    pub const ALL: [Context; 15] = [
        Context::Generic,
        Context::Broker,
        Context::Topic,
        Context::Metadata,
        Context::Protocol,
        Context::Msg,
        Context::Consumer,
        Context::Cgrp,
        Context::Fetch,
        Context::Admin,
        Context::Security,
        Context::Eos,
        Context::Assignor,
        Context::Conf,
        Context::Mock,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Context::Generic => "generic",
            Context::Broker => "broker",
            Context::Topic => "topic",
            Context::Metadata => "metadata",
            Context::Protocol => "protocol",
            Context::Msg => "msg",
            Context::Consumer => "consumer",
            Context::Cgrp => "cgrp",
            Context::Fetch => "fetch",
            Context::Admin => "admin",
            Context::Security => "security",
            Context::Eos => "eos",
            Context::Assignor => "assignor",
            Context::Conf => "conf",
            Context::Mock => "mock",
        }
    }
}

/// A set of contexts.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Contexts(u32);

impl Contexts {
    pub const NONE: Contexts = Contexts(0);
    pub const ALL: Contexts = Contexts(u32::MAX);

    pub fn with(self, context: Context) -> Contexts {
        Contexts(self.0 | 1 << context as u32)
    }
    pub fn union(self, other: Contexts) -> Contexts {
        Contexts(self.0 | other.0)
    }
    pub fn contains(self, context: Context) -> bool {
        self.0 & (1 << context as u32) != 0
    }
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The contexts of one word of `debug`: a context's name, `all`, `producer` (msg and topic) or `request`
    /// (protocol). Contexts that librdkafka has and this library has no lines for are known, and empty.
    pub fn parse(word: &str) -> Option<Contexts> {
        match word {
            "all" => Some(Contexts::ALL),
            "request" => Some(Contexts::NONE.with(Context::Protocol)),
            "producer" => Some(Contexts::NONE.with(Context::Msg).with(Context::Topic)),
            "feature" | "queue" | "interceptor" | "plugin" | "telemetry" => Some(Contexts::NONE),
            _ => Context::ALL.into_iter().find(|c| c.name() == word).map(|c| Contexts::NONE.with(c)),
        }
    }
}

impl fmt::Debug for Contexts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(Context::ALL.iter().filter(|c| self.contains(**c)).map(|c| c.name())).finish()
    }
}

/// Where lines go (`log.sink`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sink {
    Stderr,
    /// Kept for [`Logger::drain`], that is, for the client's poll.
    Poll,
}

/// What a logger passes and where to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogConfig {
    pub level: Level,
    /// For lines of level debug only: the others are not chosen by context.
    pub debug: Contexts,
    pub sink: Sink,
}

impl Default for LogConfig {
    /// Warnings and errors, to stderr.
    fn default() -> LogConfig {
        LogConfig { level: Level::Warning, debug: Contexts::ALL, sink: Sink::Stderr }
    }
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Milliseconds since the Unix epoch.
    pub time_ms: i64,
    pub level: Level,
    pub context: Context,
    pub client_id: Arc<str>,
    /// One line: control characters are escaped, so that a broker's text can't fake another line.
    pub text: String,
}

/// As stderr shows it: `2026-11-22T20:00:00.000Z warning [client] broker: text`.
impl fmt::Display for LogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_utc(f, self.time_ms)?;
        write!(f, " {} [{}] {}: {}", self.level.name(), self.client_id, self.context.name(), self.text)
    }
}

type Waker = Box<dyn Fn() + Send + Sync>;

struct Inner {
    config: LogConfig,
    client_id: Arc<str>,
    ring: Mutex<VecDeque<LogLine>>,
    /// Whether the ring has lines: every poll asks.
    kept: AtomicBool,
    dropped: AtomicU64,
    waker: Option<Waker>,
}

/// The log of one client: cheap to clone, for all its threads.
#[derive(Clone)]
pub struct Logger(Arc<Inner>);

impl Logger {
    pub fn new(config: LogConfig, client_id: &str) -> Logger {
        Logger::build(config, client_id, None)
    }

    /// A logger that calls `waker` when the ring gets its first line, so that the client's descriptor becomes
    /// readable. The call is made with no lock held.
    pub fn with_waker(
        config: LogConfig,
        client_id: &str,
        waker: impl Fn() + Send + Sync + 'static,
    ) -> Logger {
        Logger::build(config, client_id, Some(Box::new(waker)))
    }

    /// A logger that passes nothing.
    pub fn off() -> Logger {
        Logger::new(LogConfig { level: Level::Off, debug: Contexts::NONE, sink: Sink::Poll }, "")
    }

    fn build(config: LogConfig, client_id: &str, waker: Option<Waker>) -> Logger {
        Logger(Arc::new(Inner {
            config,
            client_id: one_line(client_id).into(),
            ring: Mutex::new(VecDeque::new()),
            kept: AtomicBool::new(false),
            dropped: AtomicU64::new(0),
            waker,
        }))
    }

    /// Whether a line of this kind would pass: two comparisons of constants, nothing locked.
    pub fn enabled(&self, level: Level, context: Context) -> bool {
        let config = &self.0.config;
        level <= config.level
            && level != Level::Off
            && (level != Level::Debug || config.debug.contains(context))
    }

    /// Logs `format_args!(…)`, which is formatted only when the line passes.
    pub fn log(&self, now: Now, level: Level, context: Context, text: fmt::Arguments<'_>) {
        if !self.enabled(level, context) {
            return;
        }
        let text = match text.as_str() {
            Some(text) => one_line(text),
            None => one_line(&text.to_string()),
        };
        let client_id = self.0.client_id.clone();
        let line = LogLine { time_ms: now.wall_ms, level, context, client_id, text };
        match self.0.config.sink {
            Sink::Stderr => write_stderr(&line),
            Sink::Poll => self.keep(line),
        }
    }

    pub fn error(&self, now: Now, context: Context, text: fmt::Arguments<'_>) {
        self.log(now, Level::Error, context, text);
    }
    pub fn warning(&self, now: Now, context: Context, text: fmt::Arguments<'_>) {
        self.log(now, Level::Warning, context, text);
    }
    pub fn info(&self, now: Now, context: Context, text: fmt::Arguments<'_>) {
        self.log(now, Level::Info, context, text);
    }
    pub fn debug(&self, now: Now, context: Context, text: fmt::Arguments<'_>) {
        self.log(now, Level::Debug, context, text);
    }

    /// The debug line of a request that ended, in context protocol.
    pub fn request(&self, now: Now, request: &RequestLine<'_>) {
        self.log(now, Level::Debug, Context::Protocol, format_args!("{request}"));
    }

    fn keep(&self, line: LogLine) {
        let first = {
            let mut ring = self.0.ring.lock();
            if ring.len() >= RING_LINES {
                ring.pop_front();
                self.0.dropped.fetch_add(1, Ordering::Relaxed);
            }
            ring.push_back(line);
            self.0.kept.store(true, Ordering::SeqCst);
            ring.len() == 1
        };
        if first {
            if let Some(waker) = &self.0.waker {
                waker();
            }
        }
    }

    /// Takes the lines kept so far, oldest first.
    pub fn drain(&self) -> Vec<LogLine> {
        let mut ring = self.0.ring.lock();
        self.0.kept.store(false, Ordering::SeqCst);
        std::mem::take(&mut *ring).into()
    }

    /// Whether [`drain`](Logger::drain) would return any.
    pub fn has_lines(&self) -> bool {
        self.0.kept.load(Ordering::SeqCst)
    }

    /// Lines lost to a full ring since the logger was made.
    pub fn dropped(&self) -> u64 {
        self.0.dropped.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Logger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logger")
            .field("config", &self.0.config)
            .field("client_id", &self.0.client_id)
            .finish()
    }
}

/// A request that ended, for the debug log. Displays as `request api=Produce v9 broker=1 host:9092 corr=12
/// sent=1234B received=56B duration=1.2ms error=none`, in one line.
#[derive(Clone, Copy, Debug)]
pub struct RequestLine<'a> {
    pub api: &'a str,
    pub version: i16,
    /// -1 while the id is not known, as for a bootstrap server.
    pub broker: i32,
    /// `host:port`
    pub address: &'a str,
    pub correlation_id: i32,
    /// Bytes of the request's frame, its length included.
    pub sent: usize,
    /// Bytes of the response's frame, its length included; 0 without a response.
    pub received: usize,
    /// From the hand-over to the connection to the response.
    pub duration: Duration,
    /// The name of the error code or what else went wrong; empty when nothing did.
    pub error: &'a str,
}

impl fmt::Display for RequestLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.duration.as_micros();
        write!(
            f,
            "request api={} v{} broker={} {} corr={} sent={}B received={}B duration={}.{}ms error={}",
            self.api,
            self.version,
            self.broker,
            self.address,
            self.correlation_id,
            self.sent,
            self.received,
            micros / 1000,
            micros / 100 % 10,
            if self.error.is_empty() { "none" } else { self.error }
        )
    }
}

/// Escapes control characters and cuts the text to [`LINE_BYTES`].
fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(LINE_BYTES));
    for c in text.chars() {
        if out.len().saturating_add(c.len_utf8()) > LINE_BYTES {
            out.push('…');
            break;
        }
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// A log that can't be written is no reason for a client to fail, so the result is dropped.
fn write_stderr(line: &LogLine) {
    let text = format!("{line}\n");
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Writes milliseconds since the epoch as UTC, such as `2026-11-22T20:00:00.000Z`. The calendar is the
/// proleptic Gregorian one, counted in eras of 400 years that begin on the first of March, so that leap days
/// come last.
fn write_utc(f: &mut fmt::Formatter<'_>, time_ms: i64) -> fmt::Result {
    const DAY_MS: i64 = 86_400_000;
    let (days, ms) = (time_ms.div_euclid(DAY_MS), time_ms.rem_euclid(DAY_MS));
    let since_era = days + 719_468;
    let (era, day_of_era) = (since_era.div_euclid(146_097), since_era.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (seconds, ms) = (ms / 1000, ms % 1000);
    let (h, m, s) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    write!(f, "{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}.{ms:03}Z")
}

#[cfg(test)]
mod tests;
