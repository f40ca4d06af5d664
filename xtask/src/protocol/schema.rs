//! The schema of a message, as Kafka's JSON has it.

use serde_json::Value;

use crate::Result;

/// Versions from `lo` to `hi`, both included; none if `lo > hi`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    pub lo: i16,
    pub hi: i16,
}

impl Versions {
    pub const NONE: Versions = Versions { lo: 0, hi: -1 };

    fn parse(text: &str) -> Result<Versions> {
        let number = |s: &str| s.parse::<i16>().map_err(|_| format!("bad versions \"{text}\""));
        if text == "none" {
            return Ok(Versions::NONE);
        }
        if let Some(lo) = text.strip_suffix('+') {
            return Ok(Versions { lo: number(lo)?, hi: i16::MAX });
        }
        let (lo, hi) = text.split_once('-').unwrap_or((text, text));
        Ok(Versions { lo: number(lo)?, hi: number(hi)? })
    }

    pub fn is_empty(self) -> bool {
        self.lo > self.hi
    }

    pub fn and(self, other: Versions) -> Versions {
        Versions { lo: self.lo.max(other.lo), hi: self.hi.min(other.hi) }
    }

    /// The union; fails if there is a gap between the two.
    pub fn or(self, other: Versions) -> Result<Versions> {
        match (self.is_empty(), other.is_empty()) {
            (true, _) => Ok(other),
            (_, true) => Ok(self),
            _ if self.hi.saturating_add(1) < other.lo || other.hi.saturating_add(1) < self.lo => {
                Err(format!("gap between {self:?} and {other:?}"))
            }
            _ => Ok(Versions { lo: self.lo.min(other.lo), hi: self.hi.max(other.hi) }),
        }
    }

    pub fn has(self, version: i16) -> bool {
        self.lo <= version && version <= self.hi
    }

    /// Whether every version of `other` is in it.
    pub fn covers(self, other: Versions) -> bool {
        other.is_empty() || (self.has(other.lo) && self.has(other.hi))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Request,
    Response,
    /// Neither: headers, and what is stored in other messages' bytes.
    Data,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    Bool,
    I8,
    I16,
    U16,
    I32,
    U32,
    I64,
    F64,
    Uuid,
    Str,
    Bytes,
    Records,
    Struct(String),
    Array(Box<Type>),
}

impl Type {
    fn parse(text: &str) -> Type {
        match text {
            "bool" => Type::Bool,
            "int8" => Type::I8,
            "int16" => Type::I16,
            "uint16" => Type::U16,
            "int32" => Type::I32,
            "uint32" => Type::U32,
            "int64" => Type::I64,
            "float64" => Type::F64,
            "uuid" => Type::Uuid,
            "string" => Type::Str,
            "bytes" => Type::Bytes,
            "records" => Type::Records,
            other => match other.strip_prefix("[]") {
                Some(element) => Type::Array(Box::new(Type::parse(element))),
                None => Type::Struct(other.to_owned()),
            },
        }
    }

    /// The structure that it is, or is an array of.
    pub fn structure(&self) -> Option<&str> {
        match self {
            Type::Struct(name) => Some(name),
            Type::Array(element) => element.structure(),
            _ => None,
        }
    }
}

#[derive(Clone, Debug)]
pub struct Field {
    pub name: String,
    pub ty: Type,
    pub versions: Versions,
    pub nullable: Versions,
    pub tagged: Versions,
    pub tag: Option<u32>,
    /// The default as text; numbers in decimal.
    pub default: Option<String>,
    pub ignorable: bool,
    /// Never in compact form, whatever the message is.
    pub never_flexible: bool,
    /// Fields of the structure that it is, or is an array of; empty when it is a common one.
    pub fields: Vec<Field>,
}

#[derive(Clone, Debug)]
pub struct Schema {
    pub name: String,
    pub kind: Kind,
    pub api_key: Option<i16>,
    pub listeners: Vec<String>,
    /// The stable ones.
    pub valid: Versions,
    pub flexible: Versions,
    pub fields: Vec<Field>,
    pub common: Vec<Struct>,
}

/// A structure that more than one field of a message has as its type.
#[derive(Clone, Debug)]
pub struct Struct {
    pub name: String,
    pub fields: Vec<Field>,
}

fn text<'v>(json: &'v Value, key: &str) -> Result<&'v str> {
    json[key].as_str().ok_or_else(|| format!("no \"{key}\" in {}", json["name"]))
}

fn versions(json: &Value, key: &str) -> Result<Versions> {
    json[key].as_str().map_or(Ok(Versions::NONE), Versions::parse)
}

/// A scalar of any JSON type, as text.
fn scalar(json: &Value) -> Option<String> {
    match json {
        Value::Null => None,
        Value::String(s) => Some(s.clone()),
        other => Some(other.to_string()),
    }
}

fn fields(json: &Value) -> Result<Vec<Field>> {
    json.as_array().map_or(Ok(Vec::new()), |all| all.iter().map(Field::parse).collect())
}

impl Field {
    fn parse(json: &Value) -> Result<Field> {
        let default = scalar(&json["default"]).map(|default| match default.strip_prefix("0x") {
            Some(hex) => i64::from_str_radix(hex, 16).map_or(default.clone(), |n| n.to_string()),
            None => default,
        });
        Ok(Field {
            name: text(json, "name")?.to_owned(),
            ty: Type::parse(text(json, "type")?),
            versions: Versions::parse(text(json, "versions")?)?,
            nullable: versions(json, "nullableVersions")?,
            tagged: versions(json, "taggedVersions")?,
            tag: scalar(&json["tag"]).map(|t| t.parse().map_err(|_| format!("bad tag {t}"))).transpose()?,
            default,
            ignorable: json["ignorable"].as_bool() == Some(true),
            never_flexible: json["flexibleVersions"] == "none",
            fields: fields(&json["fields"])?,
        })
    }
}

impl Schema {
    pub fn parse(json: &Value) -> Result<Schema> {
        let mut valid = Versions::parse(text(json, "validVersions")?)?;
        if json["latestVersionUnstable"] == true {
            valid.hi -= 1;
        }
        let kind = match text(json, "type")? {
            "request" => Kind::Request,
            "response" => Kind::Response,
            _ => Kind::Data,
        };
        let listeners = json["listeners"].as_array().map_or(&[][..], Vec::as_slice);
        let common = json["commonStructs"].as_array().map_or(&[][..], Vec::as_slice);
        Ok(Schema {
            name: text(json, "name")?.to_owned(),
            kind,
            api_key: json["apiKey"].as_i64().and_then(|key| i16::try_from(key).ok()),
            listeners: listeners.iter().filter_map(|l| l.as_str().map(str::to_owned)).collect(),
            valid,
            flexible: versions(json, "flexibleVersions")?,
            fields: fields(&json["fields"])?,
            common: common
                .iter()
                .map(|c| Ok(Struct { name: text(c, "name")?.to_owned(), fields: fields(&c["fields"])? }))
                .collect::<Result<_>>()?,
        })
    }
}
