//! What loggers put before their messages: a time, a level, a name.
//!
//! ```text
//!   INFO:werkzeug:…                                    Python
//!   2026-11-22 06:22:52,123 - uvicorn.access - INFO - …
//!   [2026-11-22 06:22:52 +0000] [12] [INFO] …          gunicorn, hypercorn
//!   [2026-11-22T06:22:52Z INFO  actix_web::…] …        env_logger
//!   I, [2026-11-22T06:22:52.123 #12]  INFO -- : …      Ruby
//!   2026-11-22T06:22:52.123Z  INFO 1 --- [http-1] r.n.AccessLog  : …    Spring Boot
//!   info: Microsoft.AspNetCore.Hosting.Diagnostics[2] …                 .NET
//! ```
//!
//! There is no end to their forms. A level among the first words is what they share; what stands before it may be a time, numbers and names, and what stands
//! behind it a name.

use super::{Layer, Wrapper, stamp};

/// How far the level may stand from the beginning.
const HEAD_BYTES_MAX: usize = 160;

const LEVELS: [&[u8]; 20] = [
    b"TRACE",
    b"DEBUG",
    b"INFO",
    b"INF",
    b"NOTICE",
    b"WARN",
    b"WRN",
    b"WARNING",
    b"ERROR",
    b"ERR",
    b"CRITICAL",
    b"FATAL",
    b"DBG",
    b"FTL",
    b"debug",
    b"info",
    b"notice",
    b"warn",
    b"error",
    b"warning",
];

pub(super) fn peel(line: &[u8]) -> Option<Layer<'_>> {
    let head = &line[..line.len().min(HEAD_BYTES_MAX)];
    let (mut at, mut level) = (0, None);
    while level.is_none() {
        at += gap(&head[at..]);
        let word = word(&head[at..]);
        if LEVELS.contains(&word) {
            level = Some(word.len());
        } else if word.is_empty() || !is_harmless(word) {
            return None;
        }
        at += word.len();
    }
    at += gap(&head[at..]);
    // A tag in brackets.
    if head[..at].ends_with(b"[")
        && let Some(close) = memchr::memchr(b']', &head[at..])
    {
        at += close + gap(&head[at + close..]);
    }
    if let Some(behind) = behind_spring(&head[at..]) {
        return Some(Layer::prefix(Wrapper::Logger, &line[at + behind..]));
    }
    // The name of a logger is a word that ends in punctuation, or one that stands before an address.
    let name = word(&head[at..]);
    let is_name = name.first().is_some_and(u8::is_ascii_alphabetic)
        && !name.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b':');
    let behind = at + name.len();
    let next = behind + gap(&head[behind..]);
    let is_before_address = head.get(next).is_some_and(|byte| byte.is_ascii_digit() || b"[:".contains(byte));
    let is_marked = matches!(head.get(behind..behind + 1), Some(b":" | b"]"))
        || [b" - ", b" > "].iter().any(|mark| head[behind..].starts_with(*mark));
    if is_name && let Some(length) = event_id(&head[behind..]) {
        at = behind + length;
    } else if is_name && (is_marked || is_before_address) {
        at = next;
    }
    let text = line.get(at..).filter(|text| !text.is_empty())?;
    Some(Layer::prefix(Wrapper::Logger, text))
}

/// Zap's console encoding and Fluentd's file output: a time, words, and a JSON object to the end of the line.
pub(super) fn before_json(line: &[u8]) -> Option<Layer<'_>> {
    let start = memchr::memchr(b'{', &line[..line.len().min(HEAD_BYTES_MAX)])?;
    let (before, json) = line.split_at(start);
    let is_time = stamp::iso(before).is_some() || stamp::plain(before).is_some();
    let is_plain = before.iter().all(|byte| byte.is_ascii_alphanumeric() || b" \t:.,-_+/[]".contains(byte));
    let is_apart = before.ends_with(b" ") || before.ends_with(b"\t");
    (is_time && is_plain && is_apart && json.ends_with(b"}")).then(|| Layer::prefix(Wrapper::Logger, json))
}

/// `2026-11-22 06:22:52 …`, without a zone; `web/nginx/8f0 …`, the name of a stream of `CloudWatch` behind a time that was taken off.
pub(super) fn time_or_stream(line: &[u8]) -> Option<Layer<'_>> {
    let length = stamp::plain(line).or_else(|| {
        let word = &line[..line.iter().take(HEAD_BYTES_MAX).position(|&byte| byte == b' ')?];
        let is_name = word.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._/-$[]".contains(byte));
        (is_name && word.contains(&b'/') && word.first()?.is_ascii_alphanumeric()).then_some(word.len())
    })?;
    let text = line[length..].strip_prefix(b" ").or_else(|| line[length..].strip_prefix(b"\t"))?;
    Some(Layer::prefix(Wrapper::Logger, text))
}

/// `{app="nginx", pod="web-5"} …`: the labels that logcli writes before a line.
pub(super) fn labels(line: &[u8]) -> Option<Layer<'_>> {
    let mut at = 1;
    if line.get(1) != Some(&b'}') {
        loop {
            let name =
                line[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
            let value = line[at + name..].strip_prefix(b"=\"").filter(|_| name > 0)?;
            let mut length = 0;
            while *value.get(length)? != b'"' {
                length += if value[length] == b'\\' { 2 } else { 1 };
            }
            at += name + 2 + length + 1;
            match line.get(at..)? {
                [b'}', ..] => break,
                [b',', b' ', ..] => at += 2,
                [b',', ..] => at += 1,
                _ => return None,
            }
        }
    }
    let text = line.get(at..)?.strip_prefix(b"}").or_else(|| line.strip_prefix(b"{}"))?.strip_prefix(b" ")?;
    Some(Layer::prefix(Wrapper::Logger, text.trim_ascii_start()))
}

/// How much stands before the message in what Spring Boot writes behind the level: `1 --- [http-1] r.n.AccessLog  : `.
fn behind_spring(text: &[u8]) -> Option<usize> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let rest = text[digits..].strip_prefix(b" --- ").filter(|_| digits > 0)?;
    let colon = memchr::memmem::find(rest, b" : ")?;
    Some(text.len() - rest.len() + colon + b" : ".len())
}

/// `[2] `, the number of an event that .NET writes behind the name of a logger.
fn event_id(text: &[u8]) -> Option<usize> {
    let digits = text.strip_prefix(b"[")?.iter().take_while(|byte| byte.is_ascii_digit()).count();
    text[1 + digits..].starts_with(b"] ").then_some(digits + 3).filter(|_| digits > 0)
}

/// Bytes between two words.
fn gap(text: &[u8]) -> usize {
    text.iter().take_while(|byte| b" \t:-|[](),#>".contains(byte)).count()
}

fn word(text: &[u8]) -> &[u8] {
    &text[..text.iter().take_while(|byte| !b" \t|[](),#".contains(byte)).count() - colon(text)]
}

/// Whether a word of `text` ends in a colon, which belongs to what follows; of `INFO:name:` it is the first.
fn colon(text: &[u8]) -> usize {
    let length = text.iter().take_while(|byte| !b" \t|[](),#".contains(byte)).count();
    for level in LEVELS {
        if text[..length].starts_with(level) && text.get(level.len()) == Some(&b':') {
            return length - level.len();
        }
    }
    let name = text[..length].iter().position(|&byte| byte == b':').unwrap_or(length);
    let rest = &text[name..length];
    // `werkzeug:127…`, but not `06:22:52` and not `actix_web::logger`.
    let is_end =
        text.first().is_some_and(u8::is_ascii_alphabetic) && !rest.starts_with(b"::") && !rest.is_empty();
    if is_end { length - name } else { 0 }
}

/// What may stand before a level: a part of a time, a number, a name.
fn is_harmless(word: &[u8]) -> bool {
    let is_number = word.first().is_some_and(u8::is_ascii_digit);
    word.len() <= 64
        && word.iter().all(|&byte| {
            byte.is_ascii_alphanumeric() || b".:-_+".contains(&byte) || (byte == b'/' && is_number)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_tells_where_a_message_begins() {
        for (line, expected) in [
            ("INFO:werkzeug:127.0.0.1 - - [x]", Some("127.0.0.1 - - [x]")),
            ("INFO:     203.0.113.9:38380 - \"GET", Some("203.0.113.9:38380 - \"GET")),
            (
                "2026-11-22 06:22:52,123 - uvicorn.access - INFO - 203.0.113.9:5 - \"GET",
                Some("203.0.113.9:5 - \"GET"),
            ),
            ("2026-11-22 06:22:52,123 INFO werkzeug 127.0.0.1 - -", Some("127.0.0.1 - -")),
            ("[2026-11-22 06:22:52 +0000] [12] [INFO] 203.0.113.9:5 - - [x]", Some("203.0.113.9:5 - - [x]")),
            (
                "[2026-11-22T06:22:52Z INFO  actix_web::middleware::logger] 203.0.113.9 \"GET",
                Some("203.0.113.9 \"GET"),
            ),
            ("I, [2026-11-22T06:22:52.123 #12]  INFO -- : method=GET path=/b", Some("method=GET path=/b")),
            (
                "[06:22:52 ERR] HTTP GET /a?b=c responded 500 in 12 ms",
                Some("HTTP GET /a?b=c responded 500 in 12 ms"),
            ),
            ("2026-11-22 06:22:52.123 +00:00 [ERR] HTTP GET /b", Some("HTTP GET /b")),
            ("2026-11-22 06:22:52,123 [info] access - 203.0.113.9 - \"GET", Some("203.0.113.9 - \"GET")),
            ("203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] \"GET /INFO HTTP/1.1\" 502", None),
            ("GET /a 500 INFO x", None),
            ("INFO -- : [7f2a-1] method=GET", Some("method=GET")),
            (
                "2026-11-22 06:22:52.123  INFO 1 --- [ctor-http-nio-2] reactor.netty.AccessLog      : 203.0.113.9 - -",
                Some("203.0.113.9 - -"),
            ),
            (
                "2026-11-22T06:22:52.123Z  INFO 71 --- [shop] [nio-8080-1] o.s.web.Filter   : GET /a : b",
                Some("GET /a : b"),
            ),
            (
                "info: Microsoft.AspNetCore.Hosting.Diagnostics[2] Request finished HTTP/1.1",
                Some("Request finished HTTP/1.1"),
            ),
            ("2026-11-22T06:22:52Z INFO  shop > 203.0.113.9:5 \"GET", Some("203.0.113.9:5 \"GET")),
            ("INFO", None),
            ("", None),
        ] {
            let seen = peel(line.as_bytes()).map(|layer| String::from_utf8_lossy(&layer.text).into_owned());
            assert_eq!(seen.as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn labels_and_what_stands_before_json_are_peeled() {
        for (line, expected) in [
            (r#"{app="nginx", pod="a\"}"} GET /"#, Some("GET /")),
            (r#"{app="nginx",pod="a"} GET /"#, Some("GET /")),
            ("{} GET /", Some("GET /")),
            (r#"{"app":"nginx"} GET /"#, None),
            (r#"{app="nginx"#, None),
            ("{app=", None),
            ("{", None),
        ] {
            let seen = labels(line.as_bytes()).map(|layer| String::from_utf8_lossy(&layer.text).into_owned());
            assert_eq!(seen.as_deref(), expected, "{line}");
        }
        for (line, expected) in [
            (
                "2026/11/22 06:22:52.135\tERROR\thttp.log\thandled request\t{\"status\": 502}",
                Some("{\"status\": 502}"),
            ),
            ("2026-11-22 06:22:52.000 +0000 nginx.access: {\"code\":\"502\"}", Some("{\"code\":\"502\"}")),
            ("said at 06:22: {\"code\":\"502\"}", None),
            ("2026-11-22 06:22:52 \"x {\"code\":\"502\"}", None),
            ("2026-11-22 06:22:52 {\"code\":\"502\"} x", None),
        ] {
            let seen =
                before_json(line.as_bytes()).map(|layer| String::from_utf8_lossy(&layer.text).into_owned());
            assert_eq!(seen.as_deref(), expected, "{line}");
        }
    }
}
