//! The one error type: what went wrong, where, why, and what to do about it.

pub mod codes;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// A status: 0 is success, Kafka's own error codes are kept as they are (so -1 is UNKNOWN_SERVER_ERROR), and
/// codes of this library are -1000 and below. Names and flags of all of them are in [`codes`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(pub i32);

/// In which step of talking to a broker something failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Finding the addresses of a host name.
    Dns,
    /// Connecting and moving bytes.
    Tcp,
    Tls,
    Sasl,
    /// Agreeing on the versions of the protocol.
    ApiVersions,
    /// A request and its response.
    Request,
}

impl Phase {
    pub fn name(self) -> &'static str {
        match self {
            Phase::Dns => "dns",
            Phase::Tcp => "tcp",
            Phase::Tls => "tls",
            Phase::Sasl => "sasl",
            Phase::ApiVersions => "api-versions",
            Phase::Request => "request",
        }
    }
}

/// An error; cheap to clone, because one failure can end thousands of records.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    code: Code,
    message: String,
    broker: Option<i32>,
    address: Option<String>,
    phase: Option<Phase>,
    cause: Option<String>,
    hint: Option<Cow<'static, str>>,
    place: Option<Place>,
    retriable: bool,
    fatal: bool,
    txn_requires_abort: bool,
}

/// A place in a log that can't be read, and where to read on behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub topic: Arc<str>,
    pub partition: i32,
    pub offset: i64,
    /// The offset to seek to; -1 when it is not known.
    pub next_offset: i64,
}

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error with this code and message; the flags and the hint are the code's own until changed.
    pub fn new(code: Code, message: impl Into<String>) -> Error {
        Error(Arc::new(Inner {
            code,
            message: message.into(),
            broker: None,
            address: None,
            phase: None,
            cause: None,
            hint: code.hint().map(Cow::Borrowed),
            place: None,
            retriable: code.is_retriable(),
            fatal: false,
            txn_requires_abort: false,
        }))
    }

    fn edit(mut self, f: impl FnOnce(&mut Inner)) -> Error {
        f(Arc::make_mut(&mut self.0));
        self
    }

    /// Names the broker. A negative id stands for a bootstrap address whose broker is not known: its address is all
    /// there is to say.
    pub fn broker(self, id: i32) -> Error {
        self.edit(|e| e.broker = Some(id).filter(|id| *id >= 0))
    }
    pub fn address(self, address: impl Into<String>) -> Error {
        self.edit(|e| e.address = Some(address.into()))
    }
    pub fn phase(self, phase: Phase) -> Error {
        self.edit(|e| e.phase = Some(phase))
    }
    pub fn cause(self, cause: impl Into<String>) -> Error {
        self.edit(|e| e.cause = Some(cause.into()))
    }
    /// Names the error that this one comes from. Broker, address, phase and hint are that error's, unless this names
    /// its own.
    pub fn caused_by(self, cause: &Error) -> Error {
        self.edit(|e| {
            let c = &*cause.0;
            let names_none = e.broker.is_none() && e.address.is_none();
            if names_none || e.broker.is_some() && e.broker == c.broker {
                e.broker = c.broker;
                e.address = e.address.take().or_else(|| c.address.clone());
            }
            if names_none || e.address == c.address {
                e.phase = e.phase.or(c.phase);
            }
            e.cause = Some(match e.hint {
                Some(_) => cause.to_string(),
                None => Summary(c).to_string(),
            });
            e.hint = e.hint.take().or_else(|| c.hint.clone());
        })
    }
    pub fn hint(self, hint: impl Into<Cow<'static, str>>) -> Error {
        self.edit(|e| e.hint = Some(hint.into()))
    }
    /// Names the place in a log for programs; the message names it for people.
    pub fn at(self, place: Place) -> Error {
        self.edit(|e| e.place = Some(place))
    }
    pub fn retriable(self, yes: bool) -> Error {
        self.edit(|e| e.retriable = yes)
    }
    pub fn fatal(self, yes: bool) -> Error {
        self.edit(|e| e.fatal = yes)
    }

    pub fn code(&self) -> Code {
        self.0.code
    }
    pub fn message(&self) -> &str {
        &self.0.message
    }
    pub fn broker_id(&self) -> Option<i32> {
        self.0.broker
    }
    pub fn broker_address(&self) -> Option<&str> {
        self.0.address.as_deref()
    }
    pub fn failed_phase(&self) -> Option<Phase> {
        self.0.phase
    }
    pub fn cause_text(&self) -> Option<&str> {
        self.0.cause.as_deref()
    }
    pub fn hint_text(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }
    pub fn place(&self) -> Option<&Place> {
        self.0.place.as_ref()
    }
    pub fn is_retriable(&self) -> bool {
        self.0.retriable
    }
    pub fn is_fatal(&self) -> bool {
        self.0.fatal
    }
    pub fn txn_requires_abort(&self) -> bool {
        self.0.txn_requires_abort
    }
}

/// One line with everything: `NAME (code): message [broker 1 at host:port, phase tcp]: cause; hint: …`.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Summary(&self.0).fmt(f)?;
        match &self.0.hint {
            Some(hint) => write!(f, "; hint: {hint}"),
            None => Ok(()),
        }
    }
}

/// All of an error but its hint.
struct Summary<'a>(&'a Inner);

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let e = self.0;
        write!(f, "{} ({}): {}", e.code.name(), e.code.0, e.message)?;
        match (e.broker, &e.address) {
            (Some(id), Some(at)) => write!(f, " [broker {id} at {at}")?,
            (Some(id), None) => write!(f, " [broker {id}")?,
            (None, Some(at)) => write!(f, " [{at}")?,
            (None, None) if e.phase.is_some() => write!(f, " [")?,
            (None, None) => {}
        }
        if let Some(phase) = e.phase {
            let comma = if e.broker.is_some() || e.address.is_some() { ", " } else { "" };
            write!(f, "{comma}phase {}", phase.name())?;
        }
        if e.broker.is_some() || e.address.is_some() || e.phase.is_some() {
            write!(f, "]")?;
        }
        match &e.cause {
            Some(cause) => write!(f, ": {cause}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}
