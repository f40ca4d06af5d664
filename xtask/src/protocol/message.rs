//! The Rust module of one message: its structures, their defaults, and how they are read and written.

use std::fmt::Write as _;

use super::names;
use super::schema::{Field, Kind, Schema, Type, Versions};
use super::HEAD;
use crate::Result;

/// A structure of a message with the versions in which it can occur.
pub struct Def<'s> {
    pub name: &'s str,
    pub fields: &'s [Field],
    pub reach: Versions,
}

impl<'s> Def<'s> {
    /// The fields that some version has, with these versions.
    pub fn fields(&self) -> impl Iterator<Item = (&'s Field, Versions)> + use<'s> {
        let reach = self.reach;
        self.fields.iter().map(move |f| (f, f.versions.and(reach))).filter(|(_, eff)| !eff.is_empty())
    }
}

/// All structures of a message, itself first.
fn structures(m: &Schema) -> Result<Vec<Def<'_>>> {
    let mut defs = vec![Def { name: &m.name, fields: &m.fields, reach: m.valid }];
    visit(m, &m.fields, m.valid, &mut defs)?;
    Ok(defs)
}

fn visit<'s>(m: &'s Schema, fields: &'s [Field], reach: Versions, defs: &mut Vec<Def<'s>>) -> Result<()> {
    for field in fields {
        let eff = field.versions.and(reach);
        let Some(name) = field.ty.structure().filter(|_| !eff.is_empty()) else { continue };
        let common = m.common.iter().find(|c| c.name == name).map(|c| c.fields.as_slice());
        let inner = common.unwrap_or(&field.fields);
        if inner.is_empty() {
            return Err(format!("{}: {name} has no fields", m.name));
        }
        match defs.iter_mut().find(|d| d.name == name) {
            Some(known) => known.reach = known.reach.or(eff)?,
            None => defs.push(Def { name, fields: inner, reach: eff }),
        }
        visit(m, inner, eff, defs)?;
    }
    Ok(())
}

/// Whether the field can be null, and so is an `Option`.
pub fn is_option(f: &Field) -> bool {
    !f.nullable.and(f.versions).is_empty() || f.ty == Type::Records
}

/// A message and its structures.
pub struct Emitter<'s> {
    m: &'s Schema,
    pub defs: Vec<Def<'s>>,
}

/// The text of the module, not formatted yet.
pub fn emit(m: &Schema) -> Result<String> {
    let e = Emitter::new(m)?;
    let mut body = String::new();
    for def in &e.defs {
        e.structure(&mut body, def)?;
    }
    let flexible = match m.flexible.and(m.valid) {
        none if none.is_empty() => "i16::MAX".to_owned(),
        some => some.lo.to_string(),
    };
    let life = if e.borrows(&m.name) { "<'a>" } else { "" };
    let api = match m.kind {
        Kind::Data => String::new(),
        _ => format!(", {}", api_name(m)),
    };
    let (lo, hi) = (m.valid.lo, m.valid.hi);
    let _ = writeln!(body, "message!({0}{life}, \"{0}\", {lo}..={hi}, flexible {flexible}{api});", m.name);
    let mut uses = vec!["message", "DecodeError", "EncodeError", "Reader", "Wire", "Writer"];
    uses.extend(["Records", "Tags", "Uuid", "What"].iter().filter(|name| has_word(&body, name)));
    Ok(format!("{HEAD}\nuse crate::protocol::codec::{{{}}};\n\n{body}", uses.join(", ")))
}

/// The name of the API of a request or a response.
pub fn api_name(m: &Schema) -> &str {
    m.name.strip_suffix("Request").or_else(|| m.name.strip_suffix("Response")).unwrap_or(&m.name)
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|w| w == word)
}

/// The condition that a version of `reach` is in `range`, or `None` if every one is.
fn condition(range: Versions, reach: Versions) -> Option<String> {
    let range = range.and(reach);
    match (range.lo > reach.lo, range.hi < reach.hi) {
        (false, false) => None,
        (true, false) => Some(format!("v >= {}", range.lo)),
        _ if range.lo == range.hi => Some(format!("v == {}", range.lo)),
        (false, true) => Some(format!("v <= {}", range.hi)),
        (true, true) => Some(format!("({}..={}).contains(&v)", range.lo, range.hi)),
    }
}

/// The negation of a condition.
fn unless(condition: &str) -> String {
    if let Some(n) = condition.strip_prefix("v >= ") {
        return format!("v < {n}");
    }
    if let Some(n) = condition.strip_prefix("v <= ") {
        return format!("v > {n}");
    }
    if let Some(n) = condition.strip_prefix("v == ") {
        return format!("v != {n}");
    }
    format!("!{condition}")
}

fn show(range: Versions, reach: Versions) -> String {
    match range.and(reach) {
        r if r.hi == reach.hi => format!("{}+", r.lo),
        r if r.lo == r.hi => r.lo.to_string(),
        r => format!("{}-{}", r.lo, r.hi),
    }
}

/// What the codec calls a type.
fn what(ty: &Type) -> &'static str {
    match ty {
        Type::Str => "Str",
        Type::Bytes => "Bytes",
        Type::Records => "Records",
        Type::Array(_) => "Array",
        _ => "Struct",
    }
}

/// The Rust primitive of a type, which is the suffix of the codec's functions, too.
fn primitive(ty: &Type) -> Option<&'static str> {
    Some(match ty {
        Type::Bool => "bool",
        Type::I8 => "i8",
        Type::I16 => "i16",
        Type::U16 => "u16",
        Type::I32 => "i32",
        Type::U32 => "u32",
        Type::I64 => "i64",
        Type::F64 => "f64",
        Type::Uuid => "uuid",
        _ => return None,
    })
}

/// A field's versions without a tag, and those as a tagged field.
fn plain_and_tagged(f: &Field, eff: Versions) -> (Versions, Versions) {
    let tagged = f.tagged.and(eff);
    if tagged.is_empty() {
        return (eff, tagged);
    }
    (eff.and(Versions { lo: 0, hi: tagged.lo - 1 }), tagged)
}

impl<'s> Emitter<'s> {
    pub fn new(m: &'s Schema) -> Result<Emitter<'s>> {
        Ok(Emitter { m, defs: structures(m)? })
    }

    fn def(&self, name: &str) -> Option<&Def<'_>> {
        self.defs.iter().find(|d| d.name == name)
    }

    /// Whether the structure holds borrowed bytes.
    pub fn borrows(&self, name: &str) -> bool {
        self.def(name).is_some_and(|def| def.fields().any(|(f, _)| self.type_borrows(&f.ty)))
    }

    fn type_borrows(&self, ty: &Type) -> bool {
        match ty {
            Type::Str | Type::Bytes | Type::Records => true,
            Type::Struct(name) => self.borrows(name),
            Type::Array(element) => self.type_borrows(element),
            _ => false,
        }
    }

    fn rust_type(&self, ty: &Type) -> String {
        match ty {
            Type::Uuid => "Uuid".into(),
            Type::Str => "&'a str".into(),
            Type::Bytes => "&'a [u8]".into(),
            Type::Records => "Records<'a>".into(),
            Type::Struct(name) if self.borrows(name) => format!("{name}<'a>"),
            Type::Struct(name) => name.clone(),
            Type::Array(element) => format!("Vec<{}>", self.rust_type(element)),
            other => primitive(other).unwrap_or_default().into(),
        }
    }

    /// The default of a field as an expression, and whether it is Rust's own default.
    fn default(&self, f: &Field) -> (String, bool) {
        let null = f.default.as_deref() == Some("null") || f.ty == Type::Records;
        if is_option(f) && null {
            return ("None".into(), true);
        }
        let text = f.default.as_deref().unwrap_or_default();
        let (inner, own) = match &f.ty {
            Type::Bool => (if text == "true" { "true" } else { "false" }.to_owned(), text != "true"),
            Type::Str => (format!("{text:?}"), text.is_empty()),
            Type::Bytes => ("&[]".into(), true),
            Type::Uuid => ("Uuid::ZERO".into(), true),
            Type::F64 => ("0.0".into(), true),
            Type::Array(_) => ("Vec::new()".into(), true),
            Type::Struct(name) => (format!("{name}::default()"), true),
            Type::I64 if text == i64::MAX.to_string() => ("i64::MAX".into(), false),
            Type::I32 if text == i32::MAX.to_string() => ("i32::MAX".into(), false),
            _ if text.is_empty() || text == "0" => ("0".into(), true),
            _ => (text.to_owned(), false),
        };
        if is_option(f) {
            return (format!("Some({inner})"), false);
        }
        (inner, own)
    }

    /// The test that a field is not its default.
    fn is_set(&self, f: &Field) -> String {
        let (default, _) = self.default(f);
        let field = format!("self.{}", names::field(&f.name));
        match (&f.ty, default.as_str()) {
            (_, "None") => format!("{field}.is_some()"),
            (Type::Array(_), _) if is_option(f) => format!("{field}.as_ref().is_none_or(|x| !x.is_empty())"),
            (Type::Array(_), _) | (Type::Str | Type::Bytes, "\"\"" | "&[]") => format!("!{field}.is_empty()"),
            (Type::Bool, "false") => field,
            (Type::Bool, "true") => format!("!{field}"),
            _ => format!("{field} != {default}"),
        }
    }

    /// No value of the structure takes fewer bytes, in any version.
    fn min_size(&self, def: &Def<'_>) -> usize {
        (def.reach.lo..=def.reach.hi).map(|v| self.min_size_at(def, v)).min().unwrap_or(0)
    }

    fn min_size_at(&self, def: &Def<'_>, v: i16) -> usize {
        let flexible = self.m.flexible.has(v);
        let plain = def.fields().filter(|(f, eff)| plain_and_tagged(f, *eff).0.has(v));
        let sizes = plain.map(|(f, _)| match &f.ty {
            Type::Bool | Type::I8 => 1,
            Type::I16 | Type::U16 => 2,
            Type::I32 | Type::U32 => 4,
            Type::I64 | Type::F64 => 8,
            Type::Uuid => 16,
            Type::Struct(_) if is_option(f) => 1,
            Type::Struct(name) => self.def(name).map_or(0, |inner| self.min_size_at(inner, v)),
            _ if flexible && !f.never_flexible => 1,
            Type::Str => 2,
            Type::Bytes | Type::Records | Type::Array(_) => 4,
        });
        sizes.sum::<usize>() + usize::from(flexible)
    }

    fn structure(&self, out: &mut String, def: &Def<'_>) -> Result<()> {
        let life = if self.borrows(def.name) { "<'a>" } else { "" };
        let own_default = def.fields().all(|(f, _)| self.default(f).1);
        let derive = if own_default { "Clone, Debug, Default, PartialEq" } else { "Clone, Debug, PartialEq" };
        let reach = def.reach;
        let _ = match def.name == self.m.name {
            true => writeln!(out, "/// {}.", self.title()),
            false => writeln!(out, "/// Part of [`{}`], versions {} to {}.", self.m.name, reach.lo, reach.hi),
        };
        let _ = writeln!(out, "#[derive({derive})]\npub struct {}{life} {{", def.name);
        for (f, eff) in def.fields() {
            let ty = self.rust_type(&f.ty);
            let ty = if is_option(f) { format!("Option<{ty}>") } else { ty };
            let _ = writeln!(out, "/// {}\npub {}: {ty},", self.doc(f, eff, reach), names::field(&f.name));
        }
        out.push_str("}\n\n");
        if !own_default {
            let _ = writeln!(out, "impl Default for {}{} {{", def.name, life.replace("'a", "'_"));
            let _ = writeln!(out, "fn default() -> Self {{ {} {{", def.name);
            for (f, _) in def.fields() {
                let _ = writeln!(out, "{}: {},", names::field(&f.name), self.default(f).0);
            }
            out.push_str("} } }\n\n");
        }
        self.wire(out, def, life)
    }

    fn title(&self) -> String {
        let m = self.m;
        let key = m.api_key.map_or(String::new(), |key| format!("API {key}, "));
        let flexible = match m.flexible.and(m.valid) {
            none if none.is_empty() => String::new(),
            some => format!(", flexible from {}", some.lo),
        };
        let title = format!("{key}versions {} to {}{flexible}", m.valid.lo, m.valid.hi);
        title[..1].to_uppercase() + &title[1..]
    }

    fn doc(&self, f: &Field, eff: Versions, reach: Versions) -> String {
        let mut doc = format!("Versions {}", show(eff, reach));
        if !f.nullable.and(eff).is_empty() {
            let _ = write!(doc, ", nullable {}", show(f.nullable.and(eff), reach));
        }
        if let (Some(tag), false) = (f.tag, f.tagged.and(eff).is_empty()) {
            let _ = write!(doc, ", tag {tag} in {}", show(f.tagged.and(eff), reach));
        }
        if let (default, false) = self.default(f) {
            let _ = write!(doc, ", default `{default}`");
        }
        if f.ignorable && !eff.covers(reach) {
            doc.push_str(", else ignored");
        }
        doc + "."
    }

    fn wire(&self, out: &mut String, def: &Def<'_>, life: &str) -> Result<()> {
        // A whole message may be empty, but it is no element of an array, and only there the number counts.
        let min = if def.name == self.m.name { self.min_size(def).max(1) } else { self.min_size(def) };
        if min == 0 {
            return Err(format!("{}: {} can take no byte at all", self.m.name, def.name));
        }
        let (read, write) = (self.read(def), self.write(def));
        let arg =
            |body: &str, name: &str| if has_word(body, name) { name.to_owned() } else { format!("_{name}") };
        let _ = writeln!(
            out,
            "impl<'a> Wire<'a> for {}{life} {{\nconst MIN_SIZE: usize = {min};\n\
             fn read({}: &mut Reader<'a>, {}: i16, {}: bool) -> Result<Self, DecodeError> {{\n{read}}}\n\
             fn write(&self, {}: &mut Writer, {}: i16, {}: bool) -> Result<(), EncodeError> {{\n{write}}}\n}}\n",
            def.name,
            arg(&read, "r"),
            arg(&read, "v"),
            arg(&read, "f"),
            arg(&write, "w"),
            arg(&write, "v"),
            arg(&write, "f"),
        );
        Ok(())
    }

    /// The expression that reads a field's value, given that it is there.
    fn read_value(&self, f: &Field, flexible: &str, present: Versions) -> String {
        let opt = if is_option(f) { "opt_" } else { "" };
        let value = match &f.ty {
            Type::Str => format!("r.{opt}str({flexible})?"),
            Type::Bytes => format!("r.{opt}bytes({flexible})?"),
            Type::Records => format!("r.records({flexible})?"),
            Type::Array(_) => format!("r.{opt}array(v, {flexible})?"),
            Type::Struct(_) if is_option(f) => format!("r.opt_struct(v, {flexible})?"),
            Type::Struct(name) => format!("{name}::read(r, v, {flexible})?"),
            other => format!("r.{}()?", primitive(other).unwrap_or_default()),
        };
        if !is_option(f) || f.nullable.covers(present) {
            return value;
        }
        let nullable = match f.nullable.and(present) {
            none if none.is_empty() => "false".into(),
            some => condition(some, present).unwrap_or_else(|| "true".into()),
        };
        format!("{{ let x = {value}; r.null_only_if({nullable}, &x, What::{})?; x }}", what(&f.ty))
    }

    fn read(&self, def: &Def<'_>) -> String {
        let mut out = String::new();
        for (f, eff) in def.fields() {
            let (plain, tagged) = plain_and_tagged(f, eff);
            let name = names::field(&f.name);
            let default = self.default(f).0;
            let flexible = if f.never_flexible { "false" } else { "f" };
            let mutable = if tagged.is_empty() { "" } else { "mut " };
            let _ = match condition(plain, def.reach) {
                _ if plain.is_empty() => writeln!(out, "let mut {name} = {default};"),
                None => writeln!(out, "let {name} = {};", self.read_value(f, flexible, plain)),
                Some(when) => {
                    let value = self.read_value(f, flexible, plain);
                    writeln!(out, "let {mutable}{name} = if {when} {{ {value} }} else {{ {default} }};")
                }
            };
        }
        self.read_tags(&mut out, def);
        let names: Vec<String> = def.fields().map(|(f, _)| names::field(&f.name)).collect();
        let _ = writeln!(out, "Ok({} {{ {} }})", def.name, names.join(", "));
        out
    }

    /// The tagged fields in the order of their tags.
    fn tagged<'d>(&self, def: &'d Def<'_>) -> Vec<(u32, &'d Field, Versions)> {
        let mut all: Vec<_> = def
            .fields()
            .filter_map(|(f, eff)| Some((f.tag?, f, plain_and_tagged(f, eff).1)))
            .filter(|(_, _, tagged)| !tagged.is_empty())
            .collect();
        all.sort_by_key(|(tag, _, _)| *tag);
        all
    }

    fn read_tags(&self, out: &mut String, def: &Def<'_>) {
        let flexible = self.m.flexible.and(def.reach);
        if flexible.is_empty() {
            return;
        }
        let tagged = self.tagged(def);
        if tagged.is_empty() {
            out.push_str("if f { r.skip_tags()?; }\n");
            return;
        }
        out.push_str("if f {\nr.tags(|tag, r| {\nmatch tag {\n");
        for (tag, f, versions) in tagged {
            let when = condition(versions, flexible).map_or(String::new(), |when| format!(" if {when}"));
            let value = self.read_value(f, "f", versions);
            let _ = writeln!(out, "{tag}{when} => {} = {value},", names::field(&f.name));
        }
        out.push_str("_ => return Ok(false),\n}\nOk(true)\n})?;\n}\n");
    }

    /// The expression that writes a field's value; a `Result` unless it is a bare number.
    fn write_value(&self, f: &Field, flexible: &str) -> String {
        let field = format!("self.{}", names::field(&f.name));
        let option = is_option(f);
        match &f.ty {
            Type::Str if option => format!("w.put_opt_str({flexible}, {field})"),
            Type::Str => format!("w.put_str({flexible}, {field})"),
            Type::Bytes if option => format!("w.put_opt_bytes({flexible}, {field})"),
            Type::Bytes => format!("w.put_bytes({flexible}, {field})"),
            Type::Records => format!("w.put_records({flexible}, {field}.as_ref())"),
            Type::Array(_) if option => format!("w.put_opt_array(v, {flexible}, {field}.as_ref())"),
            Type::Array(_) => format!("w.put_array(v, {flexible}, &{field})"),
            Type::Struct(_) if option => format!("w.put_opt_struct(v, {flexible}, {field}.as_ref())"),
            Type::Struct(_) => format!("{field}.write(w, v, {flexible})"),
            other => format!("w.put_{}({field})", primitive(other).unwrap_or_default()),
        }
    }

    fn write(&self, def: &Def<'_>) -> String {
        let mut out = String::new();
        for (f, eff) in def.fields() {
            if let (Some(there), false) = (condition(eff, def.reach), f.ignorable) {
                let lost = format!("{} && {}", unless(&there), self.is_set(f));
                let _ = writeln!(out, "EncodeError::if_lost({lost}, {:?}, v)?;", names::field(&f.name));
            }
        }
        // Neighbours with the same condition share one block.
        let mut open: Option<String> = None;
        for (f, eff) in def.fields() {
            let (plain, _) = plain_and_tagged(f, eff);
            if plain.is_empty() {
                continue;
            }
            let when = condition(plain, def.reach);
            if when != open {
                out.push_str(if open.is_some() { "}\n" } else { "" });
                let _ = when.as_ref().map_or(Ok(()), |when| writeln!(out, "if {when} {{"));
                open = when;
            }
            self.write_plain(&mut out, f, plain);
        }
        out.push_str(if open.is_some() { "}\n" } else { "" });
        self.write_tags(&mut out, def);
        out.push_str("Ok(())\n");
        out
    }

    fn write_plain(&self, out: &mut String, f: &Field, plain: Versions) {
        let name = names::field(&f.name);
        let flexible = if f.never_flexible { "false" } else { "f" };
        if is_option(f) && !f.nullable.covers(plain) {
            let not_null = match f.nullable.and(plain) {
                none if none.is_empty() => String::new(),
                some => condition(some, plain).map_or(String::new(), |c| unless(&c) + " && "),
            };
            let _ = writeln!(out, "EncodeError::if_null({not_null}self.{name}.is_none(), {name:?}, v)?;");
        }
        let end = if primitive(&f.ty).is_some() { ";" } else { "?;" };
        let _ = writeln!(out, "{}{end}", self.write_value(f, flexible));
    }

    fn write_tags(&self, out: &mut String, def: &Def<'_>) {
        let flexible = self.m.flexible.and(def.reach);
        if flexible.is_empty() {
            return;
        }
        let tagged = self.tagged(def);
        if tagged.is_empty() {
            out.push_str("if f {\nw.put_no_tags();\n}\n");
            return;
        }
        out.push_str("if f {\nlet mut tags = Tags::new();\n");
        for (tag, f, versions) in tagged {
            let when = condition(versions, flexible).map_or(String::new(), |when| when + " && ");
            let value = match primitive(&f.ty) {
                Some(_) => format!("self.{}.write(w, v, f)", names::field(&f.name)),
                None => self.write_value(f, "f"),
            };
            let _ = writeln!(out, "if {when}{} {{\ntags.put({tag}, |w| {value})?;\n}}", self.is_set(f));
        }
        out.push_str("w.put_tags(tags);\n}\n");
    }
}
