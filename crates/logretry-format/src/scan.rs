use std::net::{Ipv4Addr, Ipv6Addr};

use crate::captures;
use crate::list;
use crate::marks::Marks;
use crate::time::TimeForm;

/// Fields that end where their own bytes say so.
#[derive(Debug, Clone)]
pub(crate) enum Scan {
    Dash,
    Status,
    /// `empty`: a missing value is nothing at all.
    Number {
        empty: bool,
    },
    Decimal {
        empty: bool,
    },
    Time(TimeForm),
    Word,
    HostWord,
    HostName,
    Address,
    Captures {
        space: bool,
    },
    /// Values in quotes, whose ends are tried: what follows them may be in quotes too.
    QuotedCaptures {
        space: bool,
    },
    MaybeQuoted,
    Spaces,
    Rest,
    /// A list, whose ends are tried; see [`list`].
    List,
}

impl Scan {
    /// Where the field that begins at `start` ends.
    pub(crate) fn end(&self, line: &[u8], marks: &Marks, start: usize) -> Option<usize> {
        let rest = line.get(start..)?;
        let word = || {
            let end = marks.blank(start).unwrap_or(line.len());
            &rest[..marks.quote(start).map_or(end, |quote| end.min(quote)) - start]
        };
        let length = match self {
            Self::Dash => rest.starts_with(b"-").then_some(1)?,
            Self::Status => match rest {
                [a, b, c, ..] if [a, b, c].iter().all(|digit| digit.is_ascii_digit()) => 3,
                // HAProxy where there was no answer, Envoy the same.
                [b'-', b'1', ..] => 2,
                [b'-' | b'0', ..] => 1,
                _ => return None,
            },
            Self::Number { empty } => number(rest, *empty)?,
            Self::Decimal { empty } => {
                let whole = number(rest, *empty)?;
                match rest.get(whole) {
                    Some(b'.') if whole > 0 && rest[whole - 1] != b'-' => {
                        whole + 1 + digits(&rest[whole + 1..])
                    }
                    _ => whole,
                }
            }
            Self::Time(form) => return form.end(line, start),
            Self::Word => Some(word().len()).filter(|&length| length > 0)?,
            Self::HostWord => Some(word()).filter(|word| is_host_word(word))?.len(),
            Self::HostName => host_name(rest)?,
            Self::Address => Some(word()).filter(|word| is_address(word))?.len(),
            Self::Captures { space } => in_braces(rest, *space)?,
            Self::QuotedCaptures { space } => return captures::quoted(line, start, *space).next(),
            Self::MaybeQuoted => match rest {
                [b'"', inner @ ..] => memchr::memchr(b'"', inner)? + 2,
                _ => Some(word().len()).filter(|&length| length > 0)?,
            },
            Self::Spaces => rest.iter().position(|&byte| byte != b' ').unwrap_or(rest.len()),
            Self::Rest if (rest.is_empty() || rest[0] == b' ') && !holds_a_request(rest) => rest.len(),
            Self::Rest => return None,
            Self::List => return list::longest(line, start, b""),
        };
        Some(start + length)
    }
}

/// Whether a time and a request stand in `rest`: of another line, whose beginning a torn write or a missing line end has put behind this one. To pass over it would lose
/// its request without a word.
fn holds_a_request(rest: &[u8]) -> bool {
    memchr::memchr_iter(b'[', rest).any(|open| match rest.get(open + 1..).unwrap_or_default() {
        [_, _, b'/', _, _, _, b'/', _, _, _, _, b':', behind @ ..] => {
            behind.get(14..).is_some_and(|behind| behind.starts_with(b"] \""))
        }
        _ => false,
    })
}

fn digits(rest: &[u8]) -> usize {
    rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len())
}

fn is_host_word(word: &[u8]) -> bool {
    word == b"-"
        || word == b"localhost"
        || (word.iter().any(|byte| b".:".contains(byte))
            && word
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80 || b".:-_[]".contains(byte)))
}

/// Letters, digits, dots, hyphens and underscores, and a letter among them; `*` as in nginx's `server_name`. Or an address: Apache without `ServerName` calls itself so. That it is no client is shown by
/// the port behind it.
fn host_name(rest: &[u8]) -> Option<usize> {
    if rest.starts_with(b"- ") {
        return Some(1);
    }
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte >= 0x80 || b".-_*".contains(&byte);
    let length = rest.iter().position(|&byte| !is_part(byte)).unwrap_or(rest.len());
    let has_letter = rest[..length].iter().any(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80);
    if has_letter || rest[..length] == *b"_" {
        return Some(length);
    }
    let length = if rest.starts_with(b"[") { memchr::memchr(b']', rest)? + 1 } else { length };
    let has_port = matches!(&rest[length..], [b':', digit, ..] if digit.is_ascii_digit());
    (has_port && is_address_of_host(&rest[..length])).then_some(length)
}

/// An address as it stands in a URL (RFC 3986 §3.2.2).
fn is_address_of_host(host: &[u8]) -> bool {
    let Ok(host) = std::str::from_utf8(host) else { return false };
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => host.parse::<Ipv4Addr>().is_ok(),
    }
}

fn is_address(word: &[u8]) -> bool {
    let inner = word.strip_prefix(b"[").and_then(|word| word.strip_suffix(b"]")).unwrap_or(word);
    word == b"-" || std::str::from_utf8(inner).is_ok_and(|word| word.parse::<std::net::IpAddr>().is_ok())
}

/// `}` stands in no captured value: it is escaped.
fn in_braces(rest: &[u8], space: bool) -> Option<usize> {
    if rest.first() != Some(&b'{') {
        return Some(0);
    }
    let length = memchr::memchr(b'}', rest)? + 1;
    match rest.get(length) {
        Some(b' ') if space => Some(length + 1),
        _ if space => None,
        _ => Some(length),
    }
}

/// `-`, digits, or digits behind a sign.
fn number(rest: &[u8], empty: bool) -> Option<usize> {
    let sign = usize::from(matches!(rest.first(), Some(b'-' | b'+')));
    let length = sign + digits(&rest[sign..]);
    let is_bare_plus = length == 1 && rest[0] == b'+';
    ((length > 0 || empty) && !is_bare_plus).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(scan: &Scan, text: &str) -> Option<usize> {
        let mut marks = Marks::default();
        marks.set(text.as_bytes());
        scan.end(text.as_bytes(), &marks, 0)
    }

    #[test]
    fn names_of_hosts_and_addresses_are_told_apart() {
        for (text, name, address) in [
            ("shop.example 1", Some(12), None),
            ("localhost:80", Some(9), None),
            ("_ 1", Some(1), None),
            ("203.0.113.9 -", None, Some(11)),
            ("[::1] -", None, Some(5)),
            ("::1", None, Some(3)),
            ("- -", Some(1), Some(1)),
            ("2026-11-22T06:22:52 1", Some(13), None),
            ("12 1", None, None),
            ("127.0.0.1:80 1", Some(9), None),
            ("[::1]:80 1", Some(5), None),
            ("127.0.0.1: 1", None, None),
            ("127.0.0:80 1", None, None),
            ("127.0.0.256:80 1", None, None),
            ("06:22:52 1", None, None),
            ("1763792572.859:80 1", None, None),
            ("80:80 1", None, None),
            ("[22/Nov/2026:06:22:52 +0000] 1", None, None),
            ("[1]:80 1", None, None),
            ("[::1 1", None, None),
            ("::1:80 1", None, Some(6)),
            ("", None, None),
        ] {
            assert_eq!((end(&Scan::HostName, text), end(&Scan::Address, text)), (name, address), "{text}");
        }
    }

    #[test]
    fn what_is_passed_over_holds_no_other_line() {
        for (text, ends) in [
            ("", true),
            (r#" 0.003 "-""#, true),
            (" [22/Nov/2026:06:22:52 +0000] 1", true),
            (r#" "x [22/Nov/2026:06:22:52 +0000] \"GET""#, true),
            (r#" [1] "a" ["#, true),
            ("x", false),
            (r#" 0.003203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] "GET / HTTP/1.1" 502 1"#, false),
            (r#" [a][22/Nov/2026:06:22:52 +0000] "GET"#, false),
        ] {
            assert_eq!(end(&Scan::Rest, text), ends.then_some(text.len()), "{text}");
        }
    }

    #[test]
    fn numbers_end_at_what_is_no_digit() {
        let number = Scan::Number { empty: false };
        let decimal = Scan::Decimal { empty: false };
        for (scan, text, expected) in [
            (&number, "123 ", Some(3)),
            (&number, "- ", Some(1)),
            (&number, "x", None),
            (&Scan::Number { empty: true }, "\"", Some(0)),
            (&decimal, "1.002 ", Some(5)),
            (&decimal, "1 ", Some(1)),
            (&decimal, "-.5", Some(1)),
            (&Scan::Status, "009 ", Some(3)),
            (&Scan::Status, "- ", Some(1)),
            (&Scan::Status, "50 ", None),
        ] {
            assert_eq!(end(scan, text), expected, "{scan:?} {text}");
        }
    }
}
