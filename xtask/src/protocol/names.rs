//! Names: from the schemas' camel case to Rust.

/// `PartitionMaxBytes` → `partition_max_bytes`, `ISRNodes` → `isr_nodes`.
pub fn snake(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (i, &c) in chars.iter().enumerate() {
        let word_starts = c.is_uppercase()
            && i > 0
            && (!chars[i - 1].is_uppercase() || chars.get(i + 1).is_some_and(|next| next.is_lowercase()));
        if word_starts {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

/// The name of a field: snake case, and an underscore behind a keyword.
pub fn field(name: &str) -> String {
    let name = snake(name);
    match name.as_str() {
        "type" | "match" | "ref" | "self" | "move" | "use" | "where" | "in" | "async" | "loop" => name + "_",
        _ => name,
    }
}
