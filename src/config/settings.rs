//! A configuration on its way to a typed one: which rows are set, and all problems and warnings so far.

use std::collections::HashMap;

use crate::error::{Code, Error};

use super::suggest::nearest;
use super::table::{self, Client, Property, Status};
use super::values::{self, Refusal};
use super::{Config, Parsed};

/// A property that was set, under the name that the user chose.
struct Set<'c> {
    row: &'static Property,
    name: &'c str,
    value: &'c str,
    valid: bool,
}

struct Problem {
    /// `name=value`, as far as it may be shown.
    what: String,
    refusal: Refusal,
}

pub(super) struct Settings<'c> {
    client: Client,
    /// By the row's name.
    set: HashMap<&'static str, Set<'c>>,
    problems: Vec<Problem>,
    warnings: Vec<String>,
}

impl<'c> Settings<'c> {
    /// Sorts all names of the configuration, and checks the values against their rows.
    pub(super) fn new(config: &'c Config, client: Client) -> Settings<'c> {
        let mut settings =
            Settings { client, set: HashMap::new(), problems: Vec::new(), warnings: Vec::new() };
        for (name, value) in config.in_order() {
            let value = value.trim();
            match table::find(name, client) {
                Some(row) => settings.known(row, name, value),
                None => settings.without_row(name, value),
            }
        }
        let mut names: Vec<&'static str> = settings.set.keys().copied().collect();
        names.sort_unstable();
        for name in names {
            settings.check(name);
        }
        settings
    }

    fn known(&mut self, row: &'static Property, name: &'c str, value: &'c str) {
        if !row.clients.has(self.client) {
            self.other_client(name, row.clients);
        } else if let Status::NoEffect(why) = row.status {
            self.warn(format!("{name} has no effect: {why}"));
        } else {
            let set = Set { row, name, value, valid: true };
            if let Some(former) =
                self.set.insert(row.name, set).filter(|f| !values::same(row, f.value, value))
            {
                self.warn(format!(
                    "{} and {name} are one property: {name} counts, as it was set last",
                    former.name
                ));
            }
        }
    }

    fn without_row(&mut self, name: &str, value: &str) {
        let Some(foreign) = table::find_foreign(name) else { return self.unknown(name) };
        if !foreign.clients.has(self.client) {
            self.other_client(name, foreign.clients);
        } else if foreign.harmless.iter().any(|harmless| harmless.eq_ignore_ascii_case(value)) {
            self.warn(format!("{name}={value} is not needed: it is so anyway"));
        } else {
            let refusal = match foreign.not_yet {
                true => Refusal::not_yet(foreign.instead),
                false => Refusal::new("not a property of this library").hint(foreign.instead),
            };
            self.problem_of(name, value, refusal);
        }
    }

    fn other_client(&mut self, name: &str, clients: table::Clients) {
        self.warn(format!("{name} has no effect on {}: it is for {}", self.client.name(), clients.names()));
    }

    /// The value is not shown: it could be that of a mistyped password property.
    fn unknown(&mut self, name: &str) {
        let rows = table::properties().filter(|row| row.clients.has(self.client));
        let names = rows.flat_map(|row| [row.name].into_iter().chain(row.aliases.iter().copied()));
        let hint = match nearest(name, names.chain(table::FOREIGN.iter().map(|f| f.name))) {
            Some(near) => format!("did you mean {near}?"),
            None => "see CONFIGURATION.md for all names".to_owned(),
        };
        let short: String = name.chars().take(100).flat_map(char::escape_debug).collect();
        let what = if short.is_empty() { "a property without a name".to_owned() } else { short };
        self.problems.push(Problem { what, refusal: Refusal::new("no such property").hint(hint) });
    }

    fn check(&mut self, name: &'static str) {
        let Some(set) = self.set.get(name) else { return };
        let (row, value) = (set.row, set.value);
        let refusal = match row.status {
            _ if value.is_empty() && row.default.is_none_or(str::is_empty) => None,
            Status::NotYet(_) if name == "partitioner.class" && values::is_default_partitioner(value) => None,
            Status::NotYet(instead) => match values::check(row, value) {
                Ok(()) if row.default.is_some_and(|default| values::same(row, value, default)) => None,
                Ok(()) => Some(Refusal::not_yet(instead)),
                Err(refusal) => Some(refusal),
            },
            _ => values::check(row, value).err(),
        };
        if let Some(refusal) = refusal {
            self.problem(name, refusal);
        }
    }

    /// A problem with the value of a property that is set, or with its absence. The value then counts as not
    /// set.
    pub(super) fn problem(&mut self, row: &'static str, refusal: Refusal) {
        match self.set.get_mut(row) {
            Some(set) => {
                set.valid = false;
                let name = if set.name == row { row.to_owned() } else { format!("{} ({row})", set.name) };
                let what = format!("{name}={}", values::shown(row, set.value));
                self.problems.push(Problem { what, refusal });
            }
            None => self.problems.push(Problem { what: row.to_owned(), refusal }),
        }
    }

    fn problem_of(&mut self, name: &str, value: &str, refusal: Refusal) {
        self.problems.push(Problem { what: format!("{name}={}", values::shown(name, value)), refusal });
    }

    pub(super) fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }

    /// Whether the user set it, to a value that is allowed.
    pub(super) fn explicit(&self, row: &str) -> bool {
        self.set.get(row).is_some_and(|set| set.valid)
    }

    /// The valid value that is set, or else the default.
    pub(super) fn raw(&mut self, row: &'static str) -> Option<&'c str> {
        if let Some(set) = self.set.get(row).filter(|set| set.valid) {
            return Some(set.value);
        }
        match table::find(row, self.client) {
            Some(found) => found.default,
            None => {
                self.problem(row, Refusal::new("asked for, but not in the table of properties"));
                None
            }
        }
    }

    pub(super) fn text(&mut self, row: &'static str) -> &'c str {
        self.raw(row).unwrap_or("")
    }

    pub(super) fn flag(&mut self, row: &'static str) -> bool {
        values::boolean(self.text(row)).unwrap_or(false)
    }

    /// The word of the row's range.
    pub(super) fn word(&mut self, row: &'static str) -> &'static str {
        let value = self.text(row);
        table::find(row, self.client).and_then(|found| values::word(found, value).ok()).unwrap_or("")
    }

    pub(super) fn whole(&mut self, row: &'static str) -> i64 {
        let value = self.text(row);
        table::find(row, self.client).and_then(|found| values::whole(found, value).ok()).unwrap_or(0)
    }

    /// A whole number that the row's range keeps from being negative.
    pub(super) fn natural(&mut self, row: &'static str) -> u64 {
        u64::try_from(self.whole(row)).unwrap_or(0)
    }

    pub(super) fn size(&mut self, row: &'static str) -> usize {
        usize::try_from(self.natural(row)).unwrap_or(usize::MAX)
    }

    pub(super) fn int(&mut self, row: &'static str) -> i32 {
        i32::try_from(self.whole(row)).unwrap_or(i32::MAX)
    }

    /// What `parse` makes of the value; `fallback` when it is refused, which the error says.
    pub(super) fn custom<T>(
        &mut self,
        row: &'static str,
        fallback: T,
        parse: impl FnOnce(&str) -> Result<T, Refusal>,
    ) -> T {
        match parse(self.text(row)) {
            Ok(value) => value,
            Err(refusal) => {
                self.problem(row, refusal);
                fallback
            }
        }
    }

    /// The end: the value with the warnings, or all problems in one error.
    pub(super) fn finish<T>(self, value: T) -> Result<Parsed<T>, Error> {
        match self.problems.as_slice() {
            [] => Ok(Parsed { value, warnings: self.warnings }),
            problems => Err(error(self.client, problems)),
        }
    }
}

fn error(client: Client, problems: &[Problem]) -> Error {
    let all_not_yet = problems.iter().all(|p| p.refusal.not_yet);
    let code = if all_not_yet { Code::NOT_IMPLEMENTED } else { Code::INVALID_CONFIGURATION };
    let who = client.name();
    if let [only] = problems {
        let e = Error::new(code, format!("{who} configuration: {}: {}", only.what, only.refusal.why));
        return match &only.refusal.hint {
            Some(hint) => e.hint(hint.clone()),
            None => e,
        };
    }
    let each: Vec<String> = problems
        .iter()
        .map(|p| match &p.refusal.hint {
            Some(hint) => format!("{}: {} ({hint})", p.what, p.refusal.why),
            None => format!("{}: {}", p.what, p.refusal.why),
        })
        .collect();
    let e =
        Error::new(code, format!("{who} configuration has {} errors: {}", problems.len(), each.join("; ")));
    e.hint("see CONFIGURATION.md for names, ranges and defaults")
}
