//! CONFIGURATION.md from the table of properties. The table's source is compiled in here, not the library, so
//! that the page can be made while the library does not build.

use std::fmt::Write;
use std::path::Path;

#[allow(dead_code)]
#[path = "../../src/config/table/mod.rs"]
mod table;

use table::{Client, Property, Status, EVERY, FOREIGN};

const FILE: &str = "CONFIGURATION.md";

const HEAD: &str = "\
<!-- Generated from src/config/table by `cargo xtask config-doc`. -->

# Configuration

A configuration is a list of names and values, set one by one or read from a Java `.properties` file, which is taken as
it is. Names, values and defaults are those of Java's clients, version 4.4; librdkafka's names are taken too (column
Aliases). Times are milliseconds, sizes bytes, both plain numbers. Case does not count in `true`, `false` and the words
of an enum.

Nothing that is set is ignored in silence:

- An unknown name is an error that suggests the nearest known one.
- All errors of a configuration are reported at once, by name, value, reason and range; passwords are never shown.
- A property whose status is *not yet* is refused unless it is set to its default (NOT_IMPLEMENTED), with a hint.
- A property of another type of client, and one that means something to Java's virtual machine only (*no effect*), is
  accepted with a warning: one file can serve producers and consumers.
- Of two names for one property the one set last counts, with a warning.

Some values depend on each other:

- `enable.idempotence` turns itself off when `acks` is not `all`, `retries` is 0 or
  `max.in.flight.requests.per.connection` is more than 5; set to `true`, that is an error.
- `delivery.timeout.ms` is at least `linger.ms` + `request.timeout.ms`: raised when not set, an error when set lower.
- `reconnect.backoff.ms` set alone is the longest wait too; other first waits are cut to their longest.
- `heartbeat.interval.ms` is less than `session.timeout.ms`; `enable.auto.commit=true` needs a `group.id`.
- `receive.message.max.bytes` is at least `fetch.max.bytes` + 512, and `fetch.max.bytes` at most `fetch.buffer.memory`:
  what is not set gives way.
";

/// Writes the page, or with `--check` compares it.
pub fn run(args: &[String]) -> Result<(), String> {
    let check = match args {
        [] => false,
        [only] if only == "--check" => true,
        _ => return Err("usage: cargo xtask config-doc [--check]".to_owned()),
    };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(FILE);
    let page = page();
    if !check {
        return std::fs::write(&path, page).map_err(|e| format!("{FILE}: {e}"));
    }
    match std::fs::read_to_string(&path) {
        Ok(found) if found == page => Ok(()),
        Ok(_) => Err(format!("{FILE} differs from the table of properties: run `cargo xtask config-doc`")),
        Err(e) => Err(format!("{FILE}: {e}; run `cargo xtask config-doc`")),
    }
}

fn page() -> String {
    let mut out = HEAD.to_owned();
    let is_security = |row: &Property| ["ssl.", "sasl.", "security."].iter().any(|p| row.name.starts_with(p));
    section(&mut out, "Every client", &|row| row.clients == EVERY && !is_security(row));
    for client in Client::ALL {
        let title = match client {
            Client::Producer => "Producer",
            Client::Consumer => "Consumer",
            Client::Admin => "Admin client",
        };
        section(&mut out, title, &|row| row.clients.has(client) && row.clients != EVERY);
    }
    section(&mut out, "Security, every client", &|row| is_security(row));
    foreign(&mut out);
    out
}

/// A table of the chosen rows: those that work first, then the others, each in the order of the source.
fn section(out: &mut String, title: &str, wanted: &dyn Fn(&Property) -> bool) {
    let mut rows: Vec<&Property> = table::properties().filter(|row| wanted(row)).collect();
    rows.sort_by_key(|row| match row.status {
        Status::Implemented => 0,
        Status::NotYet(_) => 1,
        Status::NoEffect(_) => 2,
    });
    let _ = writeln!(out, "\n## {title}\n");
    out.push_str(
        "| Property | Type | Default | Range | Meaning | Aliases | Status |\n|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let status = match row.status {
            Status::Implemented => "works".to_owned(),
            Status::NotYet(instead) => format!("*not yet*: {instead}"),
            Status::NoEffect(why) => format!("*no effect*: {why}"),
        };
        let default = row.default.filter(|default| !default.is_empty()).map(code).unwrap_or_default();
        let aliases: Vec<String> = row.aliases.iter().map(|alias| code(alias)).collect();
        let _ = writeln!(
            out,
            "| {} | {} | {default} | {} | {} | {} | {status} |",
            code(row.name),
            row.kind.name(),
            row.range_text(),
            row.doc,
            aliases.join(", "),
        );
    }
}

const FOREIGN_HEAD: &str = "
## Names without an equal

These names of librdkafka, and of Java's clients before 4.0, are refused with the hint shown here, except for values that
ask for what happens anyway, which only warn.

| Name | For | What to do | Accepted values |
|---|---|---|---|
";

fn foreign(out: &mut String) {
    out.push_str(FOREIGN_HEAD);
    for row in FOREIGN {
        let harmless: Vec<String> = row.harmless.iter().map(|value| code(value)).collect();
        let clients = if row.clients == EVERY { "every client".to_owned() } else { row.clients.names() };
        let _ =
            writeln!(out, "| {} | {clients} | {} | {} |", code(row.name), row.instead, harmless.join(", "));
    }
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_on_the_page_and_every_row_is_whole() {
        let page = page();
        for row in table::properties() {
            assert!(page.contains(&format!("\n| `{}` | ", row.name)), "{}", row.name);
        }
        for row in FOREIGN {
            assert!(page.contains(&format!("\n| `{}` | ", row.name)), "{}", row.name);
        }
        for line in page.lines().filter(|line| line.starts_with('|')) {
            let bars = line.matches('|').count();
            assert!(bars == 8 || bars == 5, "{line}");
        }
    }

    #[test]
    fn the_page_in_the_repository_is_current() {
        run(&["--check".to_owned()]).unwrap();
    }
}
