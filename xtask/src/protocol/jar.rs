//! Schemas out of a jar, and jars out of Maven.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::schema::{Kind, Schema, Versions};
use crate::Result;

/// The path of kafka-clients `version`, downloaded into target/ if it is not there.
pub fn kafka_clients(root: &Path, version: &str) -> Result<PathBuf> {
    by_maven(root, "org.apache.kafka", "kafka-clients", version)
}

/// The path of what the classes of kafka-clients need to be loaded.
pub fn slf4j(root: &Path) -> Result<PathBuf> {
    by_maven(root, "org.slf4j", "slf4j-api", "1.7.36")
}

fn by_maven(root: &Path, group: &str, name: &str, version: &str) -> Result<PathBuf> {
    let folder = root.join("target/kafka-clients");
    let jar = folder.join(format!("{name}-{version}.jar"));
    if jar.exists() {
        return Ok(jar);
    }
    let status = Command::new("mvn")
        .args(["-q", "-B", "dependency:copy"])
        .arg(format!("-Dartifact={group}:{name}:{version}"))
        .arg(format!("-DoutputDirectory={}", folder.display()))
        .status()
        .map_err(|e| format!("cannot run mvn ({e}); install Maven or name the jars"))?;
    if status.success() && jar.exists() {
        return Ok(jar);
    }
    Err(format!("Maven did not copy {name} {version} to {}", jar.display()))
}

/// All schemas of a jar, by message name.
pub fn schemas(jar: &Path) -> Result<BTreeMap<String, Schema>> {
    let context = |e: &dyn std::fmt::Display| format!("{}: {e}", jar.display());
    let file = File::open(jar).map_err(|e| context(&e))?;
    let mut zip = zip::ZipArchive::new(file).map_err(|e| context(&e))?;
    let mut all = BTreeMap::new();
    for i in 0..zip.len() {
        let mut entry = zip.by_index(i).map_err(|e| context(&e))?;
        let name = entry.name().to_owned();
        if !name.starts_with("common/message/") || !name.ends_with(".json") {
            continue;
        }
        let mut text = String::new();
        entry.read_to_string(&mut text).map_err(|e| context(&e))?;
        let json =
            serde_json::from_str(&without_comments(&text)).map_err(|e| context(&format!("{name}: {e}")))?;
        let schema = Schema::parse(&json).map_err(|e| context(&format!("{name}: {e}")))?;
        all.insert(schema.name.clone(), schema);
    }
    if all.is_empty() {
        return Err(context(&"no schema in common/message"));
    }
    clip_responses(&mut all);
    Ok(all)
}

/// Only requests carry the mark of an unstable version: takes it from their responses, too.
fn clip_responses(all: &mut BTreeMap<String, Schema>) {
    let requests: BTreeMap<i16, Versions> = all
        .values()
        .filter(|s| s.kind == Kind::Request)
        .filter_map(|s| Some((s.api_key?, s.valid)))
        .collect();
    for response in all.values_mut().filter(|s| s.kind == Kind::Response) {
        if let Some(&valid) = response.api_key.and_then(|key| requests.get(&key)) {
            response.valid = response.valid.and(valid);
        }
    }
}

/// JSON without its `//` comments.
fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let (mut in_string, mut escaped, mut end) = (false, false, line.len());
        for (i, byte) in line.bytes().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_string => escaped = true,
                b'"' => in_string = !in_string,
                b'/' if !in_string && line[i..].starts_with("//") => {
                    end = i;
                    break;
                }
                _ => {}
            }
        }
        out.push_str(&line[..end]);
        out.push('\n');
    }
    out
}
