//! Lines in a column of a table, as consoles export them (`CloudWatch`, Datadog, Splunk), and lines in quotation marks.

use std::borrow::Cow;

use super::{Layer, Part, Wrapper};

/// `1795328572000,"203.0.113.9 - - […] ""GET / HTTP/1.1"" 502 157"`: the longest cell in quotes, its doubled quotes undone (RFC 4180). Of a line that
/// is in quotes as a whole, what is in them.
pub(super) fn peel(line: &[u8]) -> Option<Layer<'_>> {
    let text = if memchr::memmem::find(line, b"\"\"").is_some() { longest_cell(line) } else { None };
    let text = text.or_else(|| in_quotes(line))?;
    Some(Layer { wrapper: Wrapper::Quotes, stream: Cow::Borrowed(b""), text, part: Part::Whole })
}

/// `LiteSpeed` may have a quotation mark before and behind each line.
fn in_quotes(line: &[u8]) -> Option<Cow<'_, [u8]>> {
    let inside = line.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    (!inside.starts_with(b"\"") && inside.len() > 16).then_some(Cow::Borrowed(inside))
}

fn longest_cell(line: &[u8]) -> Option<Cow<'_, [u8]>> {
    let mut longest: Option<(usize, usize)> = None;
    let mut at = 0;
    loop {
        let end = if line.get(at) == Some(&b'"') {
            let mut close = at + 1;
            loop {
                close += memchr::memchr(b'"', line.get(close..)?)?;
                if line.get(close + 1) != Some(&b'"') {
                    break;
                }
                close += 2;
            }
            if longest.is_none_or(|(start, end)| close - at - 1 > end - start) {
                longest = Some((at + 1, close));
            }
            close + 1
        } else {
            let length = memchr::memchr(b',', &line[at..]).unwrap_or(line.len() - at);
            // No quote stands in a bare cell.
            memchr::memchr(b'"', &line[at..at + length]).is_none().then_some(at + length)?
        };
        match line.get(end) {
            None => break,
            Some(b',') => at = end + 1,
            Some(_) => return None,
        }
    }
    let (start, end) =
        longest.filter(|(start, end)| memchr::memmem::find(&line[*start..*end], b"\"\"").is_some())?;
    let mut text = line[start..end].to_vec();
    let mut was_quote = false;
    text.retain(|&byte| {
        was_quote = byte == b'"' && !was_quote;
        byte != b'"' || was_quote
    });
    while text.last().is_some_and(|byte| b"\r\n".contains(byte)) {
        text.pop();
    }
    Some(Cow::Owned(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_cell_in_quotes_is_the_line() {
        for (line, expected) in [
            (r#"1795328572000,"203.0.113.9 ""GET /"" 502""#, Some(r#"203.0.113.9 "GET /" 502"#)),
            (r#""203.0.113.9 ""GET /"" ""a,b""",2026,"web,1""#, Some(r#"203.0.113.9 "GET /" "a,b""#)),
            (r#""203.0.113.9 - - "GET /" 502 "-" "x"""#, Some(r#"203.0.113.9 - - "GET /" 502 "-" "x""#)),
            (r#""203.0.113.9 - - "GET /" 502 157""#, Some(r#"203.0.113.9 - - "GET /" 502 157"#)),
            (r#"203.0.113.9 - - "GET /" 502 """#, None),
            (r#"a,"b"#, None),
            ("", None),
        ] {
            let seen = peel(line.as_bytes()).map(|layer| String::from_utf8_lossy(&layer.text).into_owned());
            assert_eq!(seen.as_deref(), expected, "{line}");
        }
    }
}
