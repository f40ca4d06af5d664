//! Rules about the sources that no compiler checks: which module may use which, how large files and functions get,
//! where `unsafe`, clocks and threads may stand, and what no tracked file may hold. A breach is reported as
//! `file:line: what is wrong; what to do`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

const FILE_LINES: usize = 600;
const FUNCTION_LINES: usize = 70;

/// Rust files that may be longer, and why.
const LONG_FILES: &[(&str, &str)] = &[];

/// What each module of src/ may use, itself apart. What is missing here may use nothing; `ffi` may use everything.
const IMPORTS: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("time", &[]),
    ("log", &["time"]),
    ("sys", &["error", "time"]),
    ("protocol", &["error"]),
    ("record", &["error"]),
    ("config", &["error", "log"]),
    ("serialization", &["config", "error"]),
    ("client", &["config", "error", "log", "protocol", "record", "time"]),
    ("net", &["client", "error", "log", "protocol", "sys", "time"]),
    ("producer", &["client", "config", "error", "log", "protocol", "record", "serialization", "time"]),
    ("consumer", &["client", "config", "error", "log", "protocol", "record", "serialization", "time"]),
    ("admin", &["client", "config", "error", "log", "protocol", "time"]),
    ("embedded", &["error", "protocol", "record", "time"]),
];

/// Files that may use more than their module: the façades start the driver; where an application's thread meets the
/// I/O thread one waits and the other signals; the embedded cluster has a thread that serves it on loopback.
const MORE_IMPORTS: &[(&str, &[&str])] = &[
    ("src/admin/mod.rs", &["net", "sys"]),
    ("src/admin/call.rs", &["sys"]),
    ("src/consumer/kafka_consumer.rs", &["net", "sys"]),
    ("src/consumer/calls.rs", &["sys"]),
    ("src/consumer/commands.rs", &["sys"]),
    ("src/consumer/shared.rs", &["sys"]),
    ("src/producer/mod.rs", &["net", "sys"]),
    ("src/producer/buffer_pool.rs", &["sys"]),
    ("src/producer/deliveries.rs", &["sys"]),
    ("src/embedded/server.rs", &["sys"]),
    ("src/embedded/serve.rs", &["sys"]),
];

/// What reads a clock, sleeps, starts a thread or draws chance that no seed decides.
const IMPURE: &[&str] = &[
    "Instant::now",
    "SystemTime::now",
    ".elapsed()",
    "thread::sleep",
    "thread::spawn",
    "thread::Builder",
    "thread::scope",
    "Rng::new(",
    "fastrand::u",
    "fastrand::i",
    "fastrand::bool",
    "hash_map::RandomState",
];

/// Hosts that a tracked file may name in an address; the last two are made up.
const HOSTS: &[&str] =
    &["github.com", "www.apache.org", "maven.apache.org", "kafka.apache.org", "docs.rs", "host", "b_c.d-e"];

#[test]
fn imports_point_one_way() {
    let modules: Vec<&str> = IMPORTS.iter().map(|(module, _)| *module).chain(["ffi"]).collect();
    let mut breaches = Breaches::default();
    for file in rust_files("src/").filter(|f| !f.test && f.path != "src/lib.rs") {
        let module = file.module();
        if !modules.contains(&module) {
            breaches.add(
                file,
                1,
                "a module that tests/tidy.rs does not know; put it into IMPORTS, and into ARCHITECTURE.md",
            );
            continue;
        }
        let allowed = |used: &&str| {
            let uses = [uses_of(IMPORTS, module), uses_of(MORE_IMPORTS, &file.path)].concat();
            *used == module || module == "ffi" || uses.contains(used)
        };
        // Only in a module's own root does `super` mean the crate.
        let roots: &[&str] =
            if file.is_root() { &["crate::", "super::"] } else { &["crate::", "super::super::"] };
        for (at, used) in roots.iter().flat_map(|root| file.paths(root)) {
            if file.production(at) && modules.contains(&used) && !allowed(&used) {
                let text = format!(
                    "{module} uses {used}, which is not below it; move what is shared down, or hand it in from above \
                     (ARCHITECTURE.md, imports)"
                );
                breaches.add(file, file.line(at), &text);
            }
        }
        for (at, _) in file.code.match_indices("crate::{") {
            breaches.add(
                file,
                file.line(at),
                "crate::{…} hides the modules it names; write one use for each",
            );
        }
    }
    for (path, _) in MORE_IMPORTS.iter().filter(|(path, _)| !root().join(path).exists()) {
        breaches.0.push(format!("tests/tidy.rs: MORE_IMPORTS names {path}, which does not exist; remove it"));
    }
    breaches.end();
}

#[test]
fn unsafe_is_only_in_ffi_and_sys() {
    let mut breaches = Breaches::default();
    for file in rust_files("src/").chain(rust_files("xtask/")) {
        if file.path.starts_with("src/ffi/") || file.path.starts_with("src/sys/") {
            continue;
        }
        for (at, _) in file.code.match_indices("unsafe").filter(|(at, word)| file.is_word(*at, word.len())) {
            breaches.add(file, file.line(at), "unsafe; only src/ffi and src/sys may, wrap it there");
        }
    }
    breaches.end();
}

#[test]
fn state_machines_are_given_time_and_chance() {
    let mut breaches = Breaches::default();
    // Above the state machines, and where they meet what is above, there is a clock.
    let free = |f: &Source| {
        ["sys", "net", "ffi"].contains(&f.module()) || !uses_of(MORE_IMPORTS, &f.path).is_empty()
    };
    for file in rust_files("src/").filter(|f| !f.test && !free(f)) {
        for what in IMPURE {
            for (at, _) in file.code.match_indices(what).filter(|(at, _)| file.production(*at)) {
                let text = format!(
                    "{what}; take `now` or a seed as an argument, or do it in a façade, with src/sys"
                );
                breaches.add(file, file.line(at), &text);
            }
        }
    }
    breaches.end();
}

#[test]
fn files_and_functions_are_short() {
    let mut breaches = Breaches::default();
    for file in rust_files("").filter(|f| !f.generated()) {
        let lines = file.text.lines().count();
        match LONG_FILES.iter().any(|(path, _)| *path == file.path) {
            false if lines > FILE_LINES => {
                let text = format!("{lines} lines, more than {FILE_LINES}; split it along its jobs");
                breaches.add(file, lines, &text);
            }
            true if lines <= FILE_LINES => {
                breaches.add(file, lines, "short enough by now; take it off LONG_FILES in tests/tidy.rs");
            }
            _ => {}
        }
        for (line, name, length) in file.functions() {
            if length > FUNCTION_LINES {
                let text =
                    format!("fn {name} has {length} lines, more than {FUNCTION_LINES}; split off its steps");
                breaches.add(file, line, &text);
            }
        }
    }
    for (path, _) in LONG_FILES.iter().filter(|(path, _)| !root().join(path).exists()) {
        breaches.0.push(format!("tests/tidy.rs: LONG_FILES names {path}, which does not exist; remove it"));
    }
    breaches.end();
}

#[test]
fn each_rust_file_says_what_it_is_for() {
    let mut breaches = Breaches::default();
    for file in rust_files("") {
        let head = file.text.lines().find(|line| !line.is_empty() && !line.starts_with("#!["));
        if !head.is_some_and(|line| line.starts_with("//! ")) {
            breaches.add(file, 1, "no //! at its head; say what the file does and why");
        }
    }
    breaches.end();
}

#[test]
fn nothing_is_left_for_later() {
    let marks =
        [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("to", "do!"), concat!("unimple", "mented!")];
    let mut breaches = Breaches::default();
    for file in text_files() {
        for mark in marks {
            for (at, _) in file.text.match_indices(mark).filter(|(at, _)| file.is_word(*at, mark.len())) {
                breaches.add(file, file.line(at), &format!("{mark}; do it, or write an issue"));
            }
        }
    }
    breaches.end();
}

#[test]
fn no_file_depends_on_one_machine() {
    // Split, so that this file does not hold them.
    let folders =
        [concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/Us", "ers/"), concat!("/wo", "rk/")];
    let registries = [concat!("index", "-url"), concat!("arti", "factory"), concat!("re", "place-with")];
    let mut breaches = Breaches::default();
    for file in text_files() {
        for folder in folders {
            for (at, _) in file.text.match_indices(folder).filter(|(at, _)| file.starts_path(*at)) {
                breaches.add(
                    file,
                    file.line(at),
                    &format!("{folder} is a folder of one machine; make it relative or a variable"),
                );
            }
        }
        for word in registries {
            for (at, _) in file.text.match_indices(word) {
                breaches.add(
                    file,
                    file.line(at),
                    &format!("{word}: which registry is asked is the machine's settings"),
                );
            }
        }
        for (at, host) in file.text.match_indices("://").map(|(at, _)| (at, name_at(&file.text, at + 3))) {
            let local =
                host.is_empty() || host == "localhost" || host.starts_with(|c: char| c.is_ascii_digit());
            if !local && !HOSTS.contains(&host) {
                let text =
                    format!("the address names {host}; leave it out, or put it into HOSTS of tests/tidy.rs");
                breaches.add(file, file.line(at), &text);
            }
        }
    }
    breaches.end();
}

// ---------------------------------------------------------------- what is read

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What a table says of one name.
fn uses_of(table: &[(&str, &[&'static str])], name: &str) -> Vec<&'static str> {
    table.iter().filter(|(key, _)| *key == name).flat_map(|(_, uses)| uses.iter().copied()).collect()
}

#[derive(Default)]
struct Breaches(Vec<String>);

impl Breaches {
    fn add(&mut self, file: &Source, line: usize, text: &str) {
        self.0.push(format!("{}:{line}: {text}", file.path));
    }

    #[track_caller]
    fn end(self) {
        assert!(self.0.is_empty(), "{} breaches:\n{}", self.0.len(), self.0.join("\n"));
    }
}

/// A file, as text and as Rust code without comments and literals: blanks stand in their place.
struct Source {
    path: String,
    text: String,
    code: String,
    /// Only tests use it.
    test: bool,
    /// Where `#[cfg(test)]` holds.
    test_parts: Vec<(usize, usize)>,
}

impl Source {
    fn new(path: String, text: String) -> Source {
        let rust = path.ends_with(".rs");
        let code = if rust { mask(&text) } else { String::new() };
        let name = path.rsplit('/').next().unwrap_or_default();
        let test = name.ends_with("tests.rs") || name == "testing.rs" || path.contains("/tests/");
        let parts =
            code.match_indices("#[cfg(test)]").map(|(at, what)| (at, end_of_item(&code, at + what.len())));
        Source { test, test_parts: parts.collect(), path, text, code }
    }

    /// The module of src/ that it belongs to.
    fn module(&self) -> &str {
        let inside = self.path.trim_start_matches("src/");
        inside.split_once('/').map_or_else(|| inside.trim_end_matches(".rs"), |(module, _)| module)
    }

    fn is_root(&self) -> bool {
        let depth = self.path.matches('/').count();
        depth == 1 || (depth == 2 && self.path.ends_with("/mod.rs"))
    }

    fn generated(&self) -> bool {
        self.text.lines().next().is_some_and(|line| line.contains("generated by cargo xtask"))
    }

    fn production(&self, at: usize) -> bool {
        !self.test_parts.iter().any(|(from, to)| (*from..*to).contains(&at))
    }

    fn line(&self, at: usize) -> usize {
        1 + self.text[..at].matches('\n').count()
    }

    fn is_word(&self, at: usize, length: usize) -> bool {
        let part = |c: char| c.is_alphanumeric() || c == '_';
        !self.text[..at].ends_with(part) && !self.text[at + length..].starts_with(part)
    }

    /// Whether a path begins here, rather than goes on.
    fn starts_path(&self, at: usize) -> bool {
        !self.text[..at].ends_with(|c: char| c.is_alphanumeric() || "_.-}])/".contains(c))
    }

    /// What follows each `prefix` that begins a path.
    fn paths<'s>(&'s self, prefix: &'s str) -> impl Iterator<Item = (usize, &'s str)> + 's {
        let begins =
            |at: &usize| !self.code[..*at].ends_with(|c: char| c.is_alphanumeric() || "_:$".contains(c));
        let starts = self.code.match_indices(prefix).map(|(at, _)| at).filter(begins);
        starts.map(move |at| (at, name_at(&self.code, at + prefix.len())))
    }

    /// Line, name and number of lines of each function with a body.
    fn functions(&self) -> Vec<(usize, &str, usize)> {
        let words = self.code.match_indices("fn ").map(|(at, _)| at).filter(|at| self.is_word(*at, 2));
        let found = words.filter_map(|at| {
            let name = name_at(&self.code, at + 3);
            let length = self.code[at..end_of_item(&self.code, at)].matches('\n').count() + 1;
            (!name.is_empty()).then(|| (self.line(at), name, length))
        });
        found.collect()
    }
}

/// Letters, digits, `_`, `.` and `-` from there on, as names of hosts have them; of Rust code a name.
fn name_at(text: &str, at: usize) -> &str {
    let rest = &text[at..];
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "_.-".contains(c))).unwrap_or(rest.len());
    &rest[..end]
}

/// Where the item ends that begins at `from`: behind its body, or behind its semicolon when it has none.
fn end_of_item(code: &str, from: usize) -> usize {
    let (mut braces, mut others) = (0, 0);
    for (i, c) in code[from..].bytes().enumerate() {
        match c {
            b'(' | b'[' => others += 1,
            b')' | b']' => others -= 1,
            b'{' => braces += 1,
            b'}' => braces -= 1,
            _ => {}
        }
        if (c == b'}' || c == b';') && braces == 0 && others == 0 {
            return from + i + 1;
        }
    }
    code.len()
}

/// Rust code with blanks, as many bytes and lines, in place of comments, strings and characters.
fn mask(text: &str) -> String {
    let mut code = text.as_bytes().to_vec();
    let mut at = 0;
    while at < code.len() {
        let length = literal(&text.as_bytes()[at..]);
        for byte in &mut code[at..at + length] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at += length.max(1);
    }
    String::from_utf8(code).expect("whole characters are blanked")
}

/// The length of the comment, string or character that begins here; 0 when none does.
fn literal(rest: &[u8]) -> usize {
    let until = |end: &[u8], from: usize| {
        let found = rest[from..].windows(end.len()).position(|w| w == end);
        found.map_or(rest.len(), |i| from + i + end.len())
    };
    match rest {
        [b'/', b'/', ..] => until(b"\n", 0),
        [b'/', b'*', ..] => until(b"*/", 2),
        [b'"', ..] => quoted(rest, b'"'),
        [b'r', b'"', ..] => until(b"\"", 2),
        [b'r', b'#', b'"', ..] => until(b"\"#", 3),
        [b'r', b'#', b'#', b'"', ..] => until(b"\"##", 4),
        [b'\'', b'\\', ..] => quoted(rest, b'\''),
        // A character of any length in UTF-8; a lifetime has no second quote there.
        [b'\'', first, ..] => match 1 + first.leading_ones().max(1) as usize {
            end if rest.get(end) == Some(&b'\'') => end + 1,
            _ => 0,
        },
        _ => 0,
    }
}

/// The length of a literal between two `quote`s with escapes.
fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

fn rust_files(folder: &str) -> impl Iterator<Item = &'static Source> + '_ {
    text_files().iter().filter(move |f| f.path.ends_with(".rs") && f.path.starts_with(folder))
}

/// Every text file of the repository but for what .gitignore names, and lock files.
fn text_files() -> &'static [Source] {
    static FILES: OnceLock<Vec<Source>> = OnceLock::new();
    FILES.get_or_init(read_text_files)
}

fn read_text_files() -> Vec<Source> {
    let ignored = fs::read_to_string(root().join(".gitignore")).expect(".gitignore");
    let ignored: Vec<&str> = ignored.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let (mut folders, mut files) = (vec![PathBuf::new()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).expect("a folder of the repository") {
            let entry = entry.expect("an entry");
            let path = folder.join(entry.file_name());
            let name = path.to_str().expect("UTF-8").to_owned();
            // Tools keep what is theirs in folders with a dot.
            let last = name.rsplit('/').next().unwrap_or_default();
            let hidden = last.starts_with('.') && ![".ci", ".cargo", ".gitignore"].contains(&last);
            if hidden || name.ends_with(".lock") || is_ignored(&name, &ignored) {
                continue;
            }
            if entry.file_type().expect("a type").is_dir() {
                folders.push(path);
            } else if let Ok(text) = fs::read_to_string(entry.path()) {
                files.push(Source::new(name, text));
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(files.len() > 300, "only {} files were found", files.len());
    files
}

/// Whether one of the lines of .gitignore names it: `/path` from the root, `name/` or `*.suffix` everywhere.
fn is_ignored(path: &str, lines: &[&str]) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    lines.iter().any(|line| match line.strip_prefix('/') {
        Some(whole) => path == whole.trim_end_matches('/'),
        None => match line.strip_prefix('*') {
            Some(suffix) => name.ends_with(suffix.trim_end_matches('/')),
            None => name == line.trim_end_matches('/'),
        },
    })
}
