//! Which lines pass, where they go, and what they look like.

use super::*;
use crate::time::Nanos;
use std::sync::atomic::AtomicUsize;

fn at(wall_ms: i64) -> Now {
    Now { mono: Nanos(0), wall_ms }
}

fn poll_logger(level: Level, debug: Contexts) -> Logger {
    Logger::new(LogConfig { level, debug, sink: Sink::Poll }, "c1")
}

#[test]
fn level_and_context_decide() {
    let log = poll_logger(Level::Debug, Contexts::NONE.with(Context::Fetch));
    assert!(log.enabled(Level::Debug, Context::Fetch));
    assert!(!log.enabled(Level::Debug, Context::Broker));
    assert!(log.enabled(Level::Info, Context::Broker), "contexts choose among debug lines only");
    let log = poll_logger(Level::Warning, Contexts::ALL);
    assert!(log.enabled(Level::Error, Context::Admin) && log.enabled(Level::Warning, Context::Admin));
    assert!(!log.enabled(Level::Info, Context::Admin) && !log.enabled(Level::Debug, Context::Admin));
    for level in [Level::Off, Level::Error, Level::Debug] {
        assert!(!Logger::off().enabled(level, Context::Generic));
    }
}

#[test]
fn a_line_that_does_not_pass_is_not_formatted() {
    struct Trap;
    impl fmt::Display for Trap {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("formatted")
        }
    }
    poll_logger(Level::Warning, Contexts::ALL).info(at(0), Context::Generic, format_args!("{Trap}"));
}

#[test]
fn ring_keeps_the_newest_and_counts_the_lost() {
    let log = poll_logger(Level::Info, Contexts::ALL);
    assert!(!log.has_lines());
    for i in 0..RING_LINES + 7 {
        log.info(at(i as i64), Context::Generic, format_args!("line {i}"));
    }
    assert!(log.has_lines());
    let lines = log.clone().drain();
    assert_eq!(lines.len(), RING_LINES);
    assert_eq!((lines[0].text.as_str(), lines[0].time_ms), ("line 7", 7));
    assert_eq!(log.dropped(), 7);
    assert!(log.drain().is_empty() && !log.has_lines());
}

#[test]
fn waker_is_called_for_the_first_line_only() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let config = LogConfig { level: Level::Info, debug: Contexts::ALL, sink: Sink::Poll };
    let log = Logger::with_waker(config, "c1", move || {
        counted.fetch_add(1, Ordering::SeqCst);
    });
    for _ in 0..3 {
        log.error(at(0), Context::Broker, format_args!("x"));
    }
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    assert_eq!(log.drain().len(), 3);
    log.error(at(0), Context::Broker, format_args!("y"));
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

#[test]
fn text_stays_one_line_and_bounded() {
    let log = poll_logger(Level::Info, Contexts::ALL);
    log.error(at(0), Context::Broker, format_args!("a\nb\r\u{1b}[1m"));
    log.error(at(0), Context::Broker, format_args!("{}", "é".repeat(LINE_BYTES)));
    let lines = log.drain();
    assert_eq!(lines[0].text, "a\\nb\\r\\u{1b}[1m");
    assert!(lines[1].text.len() <= LINE_BYTES + '…'.len_utf8() && lines[1].text.ends_with('…'));
}

#[test]
fn display_has_time_level_client_and_context() {
    let log = poll_logger(Level::Info, Contexts::ALL);
    log.warning(at(1_795_377_605_042), Context::Metadata, format_args!("no leader"));
    assert_eq!(log.drain()[0].to_string(), "2026-11-22T20:00:05.042Z warning [c1] metadata: no leader");
}

#[test]
fn utc_around_leap_days_and_before_the_epoch() {
    let utc = |ms| {
        struct Utc(i64);
        impl fmt::Display for Utc {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_utc(f, self.0)
            }
        }
        Utc(ms).to_string()
    };
    assert_eq!(utc(0), "1970-01-01T00:00:00.000Z");
    assert_eq!(utc(-1), "1969-12-31T23:59:59.999Z");
    assert_eq!(utc(951_782_400_000), "2000-02-29T00:00:00.000Z");
    assert_eq!(utc(951_868_799_999), "2000-02-29T23:59:59.999Z");
    assert_eq!(utc(4_107_542_400_000), "2100-03-01T00:00:00.000Z");
    for extreme in [i64::MIN, i64::MAX] {
        assert!(utc(extreme).ends_with('Z'));
    }
}

#[test]
fn request_line_is_as_documented() {
    let line = RequestLine {
        api: "Produce",
        version: 9,
        broker: 1,
        address: "host:9092",
        correlation_id: 12,
        sent: 1234,
        received: 56,
        duration: Duration::from_micros(1250),
        error: "",
    };
    assert_eq!(
        line.to_string(),
        "request api=Produce v9 broker=1 host:9092 corr=12 sent=1234B received=56B duration=1.2ms error=none"
    );
    let log = poll_logger(Level::Debug, Contexts::NONE.with(Context::Protocol));
    log.request(at(0), &RequestLine { error: "REQUEST_TIMED_OUT", ..line });
    let lines = log.drain();
    assert!(lines[0].text.ends_with("error=REQUEST_TIMED_OUT"));
    assert_eq!(lines[0].context, Context::Protocol);
}

#[test]
fn words_of_level_and_debug() {
    assert_eq!(Level::parse("WARN"), Some(Level::Warning));
    assert_eq!(Level::parse("7"), Some(Level::Debug));
    assert_eq!(Level::parse("8"), None);
    for context in Context::ALL {
        assert_eq!(Contexts::parse(context.name()), Some(Contexts::NONE.with(context)));
        assert!(Contexts::ALL.contains(context));
    }
    assert!(Contexts::parse("producer").is_some_and(|c| c.contains(Context::Msg)));
    assert!(Contexts::parse("telemetry").is_some_and(Contexts::is_empty));
    assert_eq!(Contexts::parse("brokers"), None);
}
