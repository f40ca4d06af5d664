//! What the tests need to build a random value of every message: its fields, their versions and where null is
//! allowed, as calls of macros that the tests define.

use std::fmt::Write as _;

use super::message::{is_option, Emitter};
use super::names;
use super::schema::{Kind, Schema, Versions};
use super::HEAD;
use crate::Result;

/// The text of the table.
pub fn emit(all: &[Schema]) -> Result<String> {
    let mut out = format!("{HEAD}//! The fields of every structure, by version.\n\n");
    out.push_str("use milena::protocol::messages::*;\n\n");
    for m in all {
        let module = names::snake(&m.name);
        let e = Emitter::new(m)?;
        for def in &e.defs {
            let life = if e.borrows(def.name) { "<'static>" } else { "" };
            let _ = write!(out, "sample!({module}::{}{life} {{", def.name);
            for (f, eff) in def.fields() {
                let null = match f.nullable.and(eff) {
                    none if none.is_empty() => Versions::NONE,
                    some => some,
                };
                let name = names::field(&f.name);
                let _ = match is_option(f) {
                    true => write!(out, " {name}({} {}, null {} {}),", eff.lo, eff.hi, null.lo, null.hi),
                    false => write!(out, " {name}({} {}),", eff.lo, eff.hi),
                };
            }
            out.push_str(" });\n");
        }
    }
    let _ = writeln!(out, "\ncases! {{");
    for m in all {
        let kind = if m.kind == Kind::Data { "data" } else { "api" };
        let _ = writeln!(out, "{kind} {},", m.name);
    }
    out.push_str("}\n");
    Ok(out)
}
