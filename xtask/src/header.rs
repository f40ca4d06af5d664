//! `cargo xtask header`: writes `include/milena.h`.
//!
//! cbindgen writes all types of a run before all functions, so it runs once for each module of `src/ffi`, and the
//! parts are joined: the front page, then for each module its head comment, what cbindgen made of it, and what only
//! C can say (`src/ffi/header/<module>.h`).

use crate::Result;
use std::fs;
use std::path::Path;

/// The modules in the order of the header; types come before who uses them.
const SECTIONS: [&str; 15] = [
    "version",
    "types",
    "codes",
    "error",
    "config",
    "log",
    "deliveries",
    "producer",
    "offsets",
    "batch",
    "consumer",
    "topics",
    "admin",
    "embedded",
    "decode",
];
const HEADER: &str = "include/milena.h";

pub fn run(args: &[String]) -> Result<()> {
    let check = match args {
        [] => false,
        [only] if only == "--check" => true,
        _ => return Err("usage: cargo xtask header [--check]".into()),
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("xtask has no parent folder")?;
    let header = generate(root)?;
    let path = root.join(HEADER);
    if !check {
        return fs::write(&path, header).map_err(|e| format!("{}: {e}", path.display()));
    }
    match read(&path)? == header {
        true => Ok(()),
        false => Err(format!("{HEADER} is not what src/ffi says: run `make header`")),
    }
}

fn generate(root: &Path) -> Result<String> {
    let ffi = root.join("src/ffi");
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml"))?;
    let mut contents = String::new();
    let mut body = String::new();
    for (number, module) in SECTIONS.iter().enumerate() {
        let source = ffi.join(format!("{module}.rs"));
        let (title, prose) =
            head_comment(&read(&source)?).ok_or(format!("{module}.rs has no head comment"))?;
        contents.push_str(&format!(" *     {:>2}  {title}\n", number + 1));
        body.push_str(&chapter(number + 1, &title, &prose));
        body.push_str(&part(&source, config.clone())?);
        let extra = ffi.join(format!("header/{module}.h"));
        if extra.exists() {
            body.push('\n');
            body.push_str(&read(&extra)?);
        }
    }
    let front = read(&ffi.join("header/front.h"))?.replace("@CONTENTS@\n", &contents);
    Ok(format!("{front}{body}\n{}", read(&ffi.join("header/back.h"))?))
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))
}

/// The first line of a module's head comment, and the rest of it.
fn head_comment(source: &str) -> Option<(String, Vec<String>)> {
    let mut lines = source
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(|line| line.strip_prefix(' ').unwrap_or(line).to_owned());
    let title = lines.next()?;
    Some((title, lines.skip_while(String::is_empty).collect()))
}

fn chapter(number: usize, title: &str, prose: &[String]) -> String {
    let rule = "=".repeat(100);
    let mut text = format!("\n/* {rule}\n * {number}  {}\n * {rule}\n", title.to_uppercase());
    for line in prose {
        text.push_str(format!(" * {line}").trim_end());
        text.push('\n');
    }
    text.push_str(" */\n\n");
    text
}

/// What cbindgen makes of one module.
fn part(source: &Path, config: cbindgen::Config) -> Result<String> {
    let bindings = cbindgen::Builder::new()
        .with_config(config)
        .with_src(source)
        .generate()
        .map_err(|e| format!("cbindgen, {}: {e}", source.display()))?;
    let mut text = Vec::new();
    bindings.write(&mut text);
    let text = String::from_utf8(text).map_err(|e| e.to_string())?;
    let lines: Vec<String> = text.trim().lines().map(parenthesized).collect();
    Ok(format!("{}\n", lines.join("\n")))
}

/// A negative constant gets parentheses, so that it can stand anywhere in an expression.
fn parenthesized(line: &str) -> String {
    match line.strip_prefix("#define ").and_then(|rest| rest.split_once(" -")) {
        Some((name, number)) => format!("#define {name} (-{number})"),
        None => line.to_owned(),
    }
}
