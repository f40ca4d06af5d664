//! Java's `.properties` format, as `java.util.Properties.load` reads it.

use std::borrow::Cow;

use crate::error::{Code, Error};

/// All (name, value) of a file, in order, or one error with all bad lines. Values are not in the error.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<(String, String)>, Error> {
    let text = decode(bytes);
    let mut found = Vec::new();
    let mut bad = Vec::new();
    for (number, line) in logical_lines(&text) {
        let (name, value) = split(&line);
        match (unescape(name), unescape(value)) {
            (Ok(name), Ok(_)) if name.trim().is_empty() => {
                bad.push(format!("line {number}: no name before the value"))
            }
            (Ok(name), Ok(value)) => found.push((name, value)),
            (Err(why), _) | (_, Err(why)) => bad.push(format!("line {number}: {why}")),
        }
    }
    if bad.is_empty() {
        return Ok(found);
    }
    Err(Error::new(Code::INVALID_CONFIGURATION, format!("properties file: {}", bad.join("; ")))
        .hint("a backslash begins an escape: write \\\\ for the character itself"))
}

/// UTF-8 (without its mark), or else ISO 8859-1, whose bytes are the first 256 characters.
fn decode(bytes: &[u8]) -> Cow<'_, str> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().map(|b| char::from(*b)).collect()),
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\x0c')
}

/// Lines joined where a backslash ends them, with the number of the first; blank lines and comments are left
/// out.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut open: Option<(usize, String)> = None;
    let ends = text.replace("\r\n", "\n");
    for (index, natural) in ends.split(['\n', '\r']).enumerate() {
        let natural = natural.trim_start_matches(is_blank);
        let (number, mut line) = match open.take() {
            Some(begun) => begun,
            None if natural.is_empty() || natural.starts_with(['#', '!']) => continue,
            None => (index.saturating_add(1), String::new()),
        };
        let backslashes = natural.len().saturating_sub(natural.trim_end_matches('\\').len());
        match natural.strip_suffix('\\').filter(|_| backslashes % 2 == 1) {
            Some(part) => {
                line.push_str(part);
                open = Some((number, line));
            }
            None => {
                line.push_str(natural);
                lines.push((number, line));
            }
        }
    }
    lines.extend(open);
    lines
}

/// The name ends at the first `=`, `:` or blank that no backslash precedes; blanks around the separator go.
fn split(line: &str) -> (&str, &str) {
    let mut escaped = false;
    let end = line.find(|c: char| {
        let ends = !escaped && (is_blank(c) || matches!(c, '=' | ':'));
        escaped = c == '\\' && !escaped;
        ends
    });
    let (name, rest) = line.split_at_checked(end.unwrap_or(line.len())).unwrap_or((line, ""));
    let rest = rest.trim_start_matches(is_blank);
    let rest = rest.strip_prefix(['=', ':']).unwrap_or(rest);
    (name, rest.trim_start_matches(is_blank))
}

fn unescape(text: &str) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('t') => out.push('\t'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('f') => out.push('\x0c'),
            Some('u') => out.push(unicode(&mut chars)?),
            Some(other) => out.push(other),
            None => {}
        }
    }
    Ok(out)
}

/// What follows `\u`: one UTF-16 unit, or two where the first is half of a pair.
fn unicode(chars: &mut std::str::Chars<'_>) -> Result<char, String> {
    let mut unit = || -> Result<u16, String> {
        let hex: String = chars.by_ref().take(4).collect();
        match u16::from_str_radix(&hex, 16) {
            Ok(unit) if hex.len() == 4 && !hex.starts_with('+') => Ok(unit),
            _ => Err("\\u wants four hexadecimal digits".to_owned()),
        }
    };
    let first = unit()?;
    let mut units = vec![first];
    if (0xd800..0xdc00).contains(&first) && chars.as_str().starts_with("\\u") {
        let mut rest = chars.as_str().chars();
        rest.by_ref().take(2).for_each(drop);
        *chars = rest;
        let hex: String = chars.by_ref().take(4).collect();
        units
            .push(u16::from_str_radix(&hex, 16).map_err(|_| "\\u wants four hexadecimal digits".to_owned())?);
    }
    match char::decode_utf16(units).collect::<Result<Vec<char>, _>>().as_deref() {
        Ok([one]) => Ok(*one),
        _ => Err("\\u names half of a surrogate pair".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Vec<(String, String)> {
        parse(text.as_bytes()).unwrap()
    }
    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect()
    }

    #[test]
    fn separators_comments_and_blank_lines() {
        let text = "# a\n  ! b = c\n\n\t \na=1\nb : 2\nc 3\nd\t=\t4 \ne\nf==x\ng=a=b:c\r\nh=1\ri=2";
        let expected = [
            ("a", "1"),
            ("b", "2"),
            ("c", "3"),
            ("d", "4 "),
            ("e", ""),
            ("f", "=x"),
            ("g", "a=b:c"),
            ("h", "1"),
            ("i", "2"),
        ];
        assert_eq!(one(text), pairs(&expected));
    }

    #[test]
    fn lines_that_go_on() {
        let text = "a=1,\\\n   2,\\\r\n\t3\nb=x\\\\\nc=\\\\\\\n# not a comment\n# a comment \\\nd=4\ne=end\\";
        let expected = [("a", "1,2,3"), ("b", "x\\"), ("c", "\\# not a comment"), ("d", "4"), ("e", "end")];
        assert_eq!(one(text), pairs(&expected));
    }

    #[test]
    fn escapes() {
        let text = r"a\ b\:c\=d = \u0041\t\n\q\\ \u00fc
p=C:\\dir
s=\uD83D\uDE00!
h=\#x";
        let expected = [("a b:c=d", "A\t\nq\\ ü"), ("p", "C:\\dir"), ("s", "😀!"), ("h", "#x")];
        assert_eq!(one(text), pairs(&expected));
    }

    #[test]
    fn encodings() {
        assert_eq!(parse(b"a=\xfc").unwrap(), pairs(&[("a", "ü")]));
        assert_eq!(parse("\u{feff}a=ü".as_bytes()).unwrap(), pairs(&[("a", "ü")]));
    }

    #[test]
    fn all_bad_lines_are_named_and_no_value_is_shown() {
        let text = "ok=1\na=\\u12g4secret\n=hidden\nb=\\\n \\uD800\nc=\\uD83D\\u0041\nd=\\u12";
        let e = parse(text.as_bytes()).unwrap_err();
        assert_eq!(e.code(), Code::INVALID_CONFIGURATION);
        for part in ["line 2:", "line 3:", "line 4:", "line 6:", "line 7:"] {
            assert!(e.message().contains(part), "{part} in {e}");
        }
        assert!(!e.to_string().contains("secret") && !e.to_string().contains("hidden"));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }

        /// What Java's `Properties.store` would write comes back as it was.
        #[test]
        fn escaped_text_comes_back(name in "[a-z .:=#!\\\\é😀\t]{1,12}", value in "\\PC{0,20}") {
            proptest::prop_assume!(!name.trim().is_empty());
            let escape = |text: &str| -> String {
                let units = text.encode_utf16().map(|u| format!("\\u{u:04x}"));
                units.collect()
            };
            let found = one(&format!("{}={}", escape(&name), escape(&value)));
            proptest::prop_assert_eq!(found, pairs(&[(&name, &value)]));
        }
    }
}
