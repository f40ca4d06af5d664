//! The one table of properties. It depends on nothing else in the crate: CONFIGURATION.md is generated from
//! it.
//!
//! A property whose default differs between client types has one row for each of them.

mod common;
mod consumer;
mod librdkafka;
mod producer;
mod sasl;
mod tls;

pub use librdkafka::{Foreign, FOREIGN};

/// A type of client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    Producer,
    Consumer,
    Admin,
}

impl Client {
    pub const ALL: [Client; 3] = [Client::Producer, Client::Consumer, Client::Admin];

    pub fn name(self) -> &'static str {
        match self {
            Client::Producer => "producer",
            Client::Consumer => "consumer",
            Client::Admin => "admin",
        }
    }
}

/// Which types of client a property is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clients {
    producer: bool,
    consumer: bool,
    admin: bool,
}

pub const EVERY: Clients = Clients { producer: true, consumer: true, admin: true };
pub const PRODUCER: Clients = Clients { producer: true, consumer: false, admin: false };
pub const CONSUMER: Clients = Clients { producer: false, consumer: true, admin: false };
pub const ADMIN: Clients = Clients { producer: false, consumer: false, admin: true };
pub const PRODUCER_CONSUMER: Clients = Clients { producer: true, consumer: true, admin: false };
pub const PRODUCER_ADMIN: Clients = Clients { producer: true, consumer: false, admin: true };
pub const CONSUMER_ADMIN: Clients = Clients { producer: false, consumer: true, admin: true };

impl Clients {
    pub fn has(self, client: Client) -> bool {
        match client {
            Client::Producer => self.producer,
            Client::Consumer => self.consumer,
            Client::Admin => self.admin,
        }
    }

    /// "producer and admin"
    pub fn names(self) -> String {
        let names: Vec<&str> = Client::ALL.into_iter().filter(|c| self.has(*c)).map(Client::name).collect();
        names.join(" and ")
    }
}

/// What a value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Bool,
    /// 16, 32 and 64 bits.
    Short,
    Int,
    Long,
    Double,
    String,
    /// Of several strings, separated by commas.
    List,
    /// One of the words in the range; case doesn't count.
    Enum,
    /// The name of a Java class.
    Class,
    /// A string that is shown nowhere.
    Password,
}

impl Type {
    pub fn name(self) -> &'static str {
        match self {
            Type::Bool => "bool",
            Type::Short => "short",
            Type::Int => "int",
            Type::Long => "long",
            Type::Double => "double",
            Type::String => "string",
            Type::List => "list",
            Type::Enum => "enum",
            Type::Class => "class",
            Type::Password => "password",
        }
    }
}

/// Which values of the type are allowed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Range {
    /// All that the type has.
    Any,
    Whole(i64, i64),
    Real(f64, f64),
    /// These words; for a list, each element is one.
    Words(&'static [&'static str]),
    /// As the text says; the check is in `parse`.
    Text(&'static str),
}

/// How likely it is that a user should think about the property.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Importance {
    High,
    Medium,
    Low,
}

/// What setting the property does in this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It works.
    Implemented,
    /// Known, but only the default is accepted; what to do instead.
    NotYet(&'static str),
    /// Means something to Java's virtual machine only: accepted with a warning; why it has no effect.
    NoEffect(&'static str),
}

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Property {
    pub name: &'static str,
    pub clients: Clients,
    pub kind: Type,
    /// As in a properties file; `None` is Java's null: no value.
    pub default: Option<&'static str>,
    pub range: Range,
    pub importance: Importance,
    pub status: Status,
    /// librdkafka's names for it.
    pub aliases: &'static [&'static str],
    pub doc: &'static str,
}

impl Property {
    const fn new(
        name: &'static str,
        clients: Clients,
        kind: Type,
        default: Option<&'static str>,
    ) -> Property {
        Property {
            name,
            clients,
            kind,
            default,
            range: Range::Any,
            importance: Importance::Low,
            status: Status::Implemented,
            aliases: &[],
            doc: "",
        }
    }
    const fn range(mut self, range: Range) -> Property {
        self.range = range;
        self
    }
    const fn high(mut self) -> Property {
        self.importance = Importance::High;
        self
    }
    const fn medium(mut self) -> Property {
        self.importance = Importance::Medium;
        self
    }
    const fn not_yet(mut self, instead: &'static str) -> Property {
        self.status = Status::NotYet(instead);
        self
    }
    const fn no_effect(mut self, why: &'static str) -> Property {
        self.status = Status::NoEffect(why);
        self
    }
    const fn alias(mut self, aliases: &'static [&'static str]) -> Property {
        self.aliases = aliases;
        self
    }
    const fn doc(mut self, doc: &'static str) -> Property {
        self.doc = doc;
        self
    }

    /// The range in words, for messages and documentation; empty when the type says it all.
    pub fn range_text(&self) -> String {
        match self.range {
            Range::Any => String::new(),
            Range::Whole(min, i64::MAX) => format!("{min} or more"),
            Range::Whole(min, max) => format!("{min} to {max}"),
            Range::Real(min, max) => format!("{min} to {max}"),
            Range::Words(words) => words.join(", "),
            Range::Text(text) => text.to_owned(),
        }
    }

    /// Whether this is the row's name or one of its aliases.
    pub fn answers_to(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }
}

const INT_MAX: i64 = i32::MAX as i64;
/// Of a whole number that may be anything from 0.
const NATURAL_INT: Range = Range::Whole(0, INT_MAX);
const NATURAL_LONG: Range = Range::Whole(0, i64::MAX);
const POSITIVE_INT: Range = Range::Whole(1, INT_MAX);

const fn flag(name: &'static str, clients: Clients, default: &'static str) -> Property {
    Property::new(name, clients, Type::Bool, Some(default))
}
const fn int(name: &'static str, clients: Clients, default: &'static str, range: Range) -> Property {
    Property::new(name, clients, Type::Int, Some(default)).range(range)
}
const fn long(name: &'static str, clients: Clients, default: &'static str, range: Range) -> Property {
    Property::new(name, clients, Type::Long, Some(default)).range(range)
}
const fn double(name: &'static str, clients: Clients, default: &'static str) -> Property {
    Property::new(name, clients, Type::Double, Some(default))
}
const fn string(name: &'static str, clients: Clients, default: Option<&'static str>) -> Property {
    Property::new(name, clients, Type::String, default)
}
const fn list(name: &'static str, clients: Clients, default: &'static str) -> Property {
    Property::new(name, clients, Type::List, Some(default))
}
const fn one_of(
    name: &'static str,
    clients: Clients,
    default: &'static str,
    words: &'static [&'static str],
) -> Property {
    Property::new(name, clients, Type::Enum, Some(default)).range(Range::Words(words))
}
const fn class(name: &'static str, clients: Clients, default: Option<&'static str>) -> Property {
    Property::new(name, clients, Type::Class, default)
}
const fn password(name: &'static str, clients: Clients) -> Property {
    Property::new(name, clients, Type::Password, None)
}

/// All rows.
pub fn properties() -> impl Iterator<Item = &'static Property> + Clone {
    [common::ROWS, producer::ROWS, consumer::ROWS, tls::ROWS, sasl::ROWS].into_iter().flatten()
}

/// The row for a name or alias: that of this client type, or else that of another one.
pub fn find(name: &str, client: Client) -> Option<&'static Property> {
    let mut rows = properties().filter(|row| row.answers_to(name));
    rows.clone().find(|row| row.clients.has(client)).or_else(|| rows.next())
}

/// A librdkafka (or old Java) name that has no row.
pub fn find_foreign(name: &str) -> Option<&'static Foreign> {
    FOREIGN.iter().find(|foreign| foreign.name == name)
}

/// Whether the value of this name may be shown: it is known, and no secret.
pub fn may_be_shown(name: &str) -> bool {
    match properties().find(|row| row.answers_to(name)) {
        Some(row) => row.kind != Type::Password,
        None => find_foreign(name).is_some_and(|foreign| !foreign.secret),
    }
}

#[cfg(test)]
mod tests;
