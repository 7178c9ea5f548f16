use std::borrow::Cow;

use memchr::{memchr, memchr2};

use crate::hashes::{bare_hashes, decode_hashes};

/// How a producer writes bytes that would break its line.
///
/// nginx (default), nginx (json), Apache and morgan share one decoder, because no sequence of one means another byte to
/// another: nginx's default escape writes a backslash as `\x5C`, all the rest write it as `\\`, so a `\` is never data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Escape {
    /// nginx `escape=default`: `\xHH`; a value that is missing is `-`.
    Nginx,
    /// nginx `escape=json`: JSON's; a value that is missing is empty.
    Json,
    /// nginx `escape=none`: nothing is escaped, so a client can write what looks like other fields.
    None,
    /// Apache: `\"`, `\\`, `\n` … and `\xhh`; missing is `-`, and a user that is empty is `""`.
    Apache,
    /// gunicorn: `\"` alone; a backslash stands for itself.
    Gunicorn,
    /// Tomcat: as Apache, but `\u00hh` is the byte `hh`.
    Tomcat,
    /// HAProxy: `#HH`; a backslash stands for itself.
    Haproxy,
    /// HAProxy's `+E`: the same, and a backslash before `"`, `\` and `]`.
    HaproxyEscaped,
}

impl Escape {
    /// Whether values are written so that a `"` in them is never bare.
    pub(crate) fn hides_quotes(self) -> bool {
        !matches!(self, Self::None | Self::Haproxy)
    }

    /// Whether a backslash in a value is always the first of an escape sequence.
    pub(crate) fn hides_backslashes(self) -> bool {
        matches!(self, Self::Nginx | Self::Json | Self::Apache | Self::Tomcat | Self::HaproxyEscaped)
    }

    /// Whether a value holds no `"` at all, not even behind a backslash.
    pub(crate) fn has_no_quotes(self) -> bool {
        self == Self::Haproxy
    }

    /// Whether nothing is escaped where no backslash stands.
    pub(crate) fn escapes_with_backslashes(self) -> bool {
        !matches!(self, Self::Haproxy | Self::HaproxyEscaped)
    }

    /// `raw`, a target, in which each `#` begins a fragment: of the same length, to find places in.
    pub(crate) fn with_bare_hashes(self, raw: &[u8]) -> Cow<'_, [u8]> {
        if matches!(self, Self::Haproxy | Self::HaproxyEscaped) {
            bare_hashes(raw)
        } else {
            Cow::Borrowed(raw)
        }
    }

    /// The bytes that the server had: the escape undone once.
    pub(crate) fn decode(self, raw: &[u8]) -> Cow<'_, [u8]> {
        match self {
            Self::None => Cow::Borrowed(raw),
            Self::Gunicorn => decode_quotes(raw),
            Self::Haproxy | Self::HaproxyEscaped => decode_hashes(raw, self == Self::HaproxyEscaped),
            Self::Tomcat => decode_backslashes(raw, true).unwrap_or_else(|| decode_quotes(raw)),
            // A sequence that none of these write proves that a producer wrote the line who escapes quotes alone.
            Self::Nginx | Self::Json | Self::Apache => {
                decode_backslashes(raw, false).unwrap_or_else(|| decode_quotes(raw))
            }
        }
    }
}

/// Whether `raw` holds a backslash that neither nginx nor Apache nor JSON could have written there.
pub(crate) fn has_foreign_sequence(raw: &[u8]) -> bool {
    let mut rest = raw;
    while let Some(at) = memchr(b'\\', rest) {
        let Some((_, length)) = sequence(&rest[at..], false) else { return true };
        rest = &rest[at + length..];
    }
    false
}

/// Where the first `"` stands that is not the second of a pair that begins with a backslash.
pub(crate) fn bare_quote(line: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += memchr2(b'"', b'\\', line.get(at..)?)?;
        if line[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

/// `None` if there is a sequence that is none.
fn decode_backslashes(raw: &[u8], is_latin1: bool) -> Option<Cow<'_, [u8]>> {
    let Some(first) = memchr(b'\\', raw) else { return Some(Cow::Borrowed(raw)) };
    let mut out = Vec::with_capacity(raw.len());
    out.extend_from_slice(&raw[..first]);
    let mut rest = &raw[first..];
    while !rest.is_empty() {
        let (bytes, length) = sequence(rest, is_latin1)?;
        out.extend_from_slice(bytes.as_slice());
        rest = &rest[length..];
        let plain = memchr(b'\\', rest).unwrap_or(rest.len());
        out.extend_from_slice(&rest[..plain]);
        rest = &rest[plain..];
    }
    Some(Cow::Owned(out))
}

fn decode_quotes(raw: &[u8]) -> Cow<'_, [u8]> {
    if memchr(b'\\', raw).is_none() {
        return Cow::Borrowed(raw);
    }
    let mut out = Vec::with_capacity(raw.len());
    for (at, &byte) in raw.iter().enumerate() {
        if byte != b'\\' || raw.get(at + 1) != Some(&b'"') {
            out.push(byte);
        }
    }
    Cow::Owned(out)
}

/// Up to four bytes that one sequence stands for.
pub(crate) struct Few([u8; 4], usize);

impl Few {
    fn one(byte: u8) -> Self {
        Self([byte, 0, 0, 0], 1)
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.0[..self.1]
    }
}

/// What the escape sequence at the beginning of `rest` stands for, and how long it is.
pub(crate) fn sequence(rest: &[u8], is_latin1: bool) -> Option<(Few, usize)> {
    let byte = match *rest.get(1)? {
        byte @ (b'"' | b'\\' | b'/') => byte,
        b'b' => 8,
        b't' => b'\t',
        b'n' => b'\n',
        b'v' => 11,
        b'f' => 12,
        b'r' => b'\r',
        b'x' => {
            let code = u8::try_from(hex(rest.get(2..4)?)?).ok()?;
            return Some((Few::one(code), 4));
        }
        b'u' if is_latin1 && rest.get(2..4) == Some(b"00") => {
            let code = u8::try_from(hex(rest.get(4..6)?)?).ok()?;
            return Some((Few::one(code), 6));
        }
        b'u' => return unicode(rest),
        _ => return None,
    };
    Some((Few::one(byte), 2))
}

/// `\uXXXX`, or two of them that are a surrogate pair.
fn unicode(rest: &[u8]) -> Option<(Few, usize)> {
    let first = hex(rest.get(2..6)?)?;
    let (code, length) = match first {
        0xd800..=0xdbff => {
            let low = rest.get(6..8).filter(|&mark| mark == b"\\u").and(rest.get(8..12)).and_then(hex)?;
            let low = low.checked_sub(0xdc00).filter(|&low| low < 0x400)?;
            (0x1_0000 + ((first - 0xd800) << 10) + low, 12)
        }
        _ => (first, 6),
    };
    let mut bytes = [0; 4];
    let length_utf8 = char::from_u32(code)?.encode_utf8(&mut bytes).len();
    Some((Few(bytes, length_utf8), length))
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |value, &digit| Some(value << 4 | char::from(digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_producer_s_escape_is_undone_once() {
        use Escape::{Apache, Gunicorn, Haproxy, HaproxyEscaped, Json, Nginx, None, Tomcat};
        for (escape, raw, value) in [
            (Nginx, r"/quo\x22te", b"/quo\"te".as_slice()),
            (Nginx, r"/lit\x5Cx22", br"/lit\x22"),
            (Nginx, r"/caf\xC3\xA9\xE9", b"/caf\xc3\xa9\xe9"),
            (Apache, r#"/quo\"te\\"#, br#"/quo"te\"#),
            (Apache, r"/lit\\x22", br"/lit\x22"),
            (Apache, r"\t\n\v\x01\xe9", b"\t\n\x0b\x01\xe9"),
            (Json, r#"a\u000Bb\fc\"\\"#, b"a\x0bb\x0cc\"\\"),
            (Json, r"\ud83d\ude00\u00e9", "😀é".as_bytes()),
            (Gunicorn, r#"/quo\"te\x22\s\\"#, br#"/quo"te\x22\s\\"#),
            (None, r"/lit\x22", br"/lit\x22"),
            (Tomcat, r#"caf\u00e9\u20ac\""#, b"caf\xe9\xe2\x82\xac\""),
            (Haproxy, r"/quo#22te#23\x22#zz#", br#"/quo"te#\x22#zz#"#),
            (HaproxyEscaped, r"/back\\slash#22\]\x", br#"/back\slash"]\x"#),
        ] {
            assert_eq!(&*escape.decode(raw.as_bytes()), value, "{escape:?} {raw}");
        }
    }

    #[test]
    fn a_sequence_that_no_escape_writes_proves_that_backslashes_are_data() {
        let raw = br#"/back\slash\x22\"q"#;
        assert!(has_foreign_sequence(raw));
        assert_eq!(&*Escape::Apache.decode(raw), br#"/back\slash\x22"q"#);
        assert!(!has_foreign_sequence(br#"/a\x22\\s\"\u00e9"#));
    }

    #[test]
    fn a_quote_after_a_pair_of_backslashes_is_bare() {
        assert_eq!(bare_quote(br#"a\"b\\"c"#, 0), Some(6));
        assert_eq!(bare_quote(br#"a\"b\"#, 0), None);
    }
}
