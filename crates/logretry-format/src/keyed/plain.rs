//! A value with its log escape undone, that remembers where in the line each of its bytes came from.

use std::ops::Range;

use memchr::{memchr, memmem};

use crate::escape::{has_foreign_sequence, sequence};

/// How a producer writes values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    /// JSON's escapes, and `\xHH` and `\v` of servers that put values into JSON by hand.
    Json,
    /// The backslash sequences of nginx, Apache or Go, if all backslashes are part of one.
    Backslashes,
    /// CloudFront: one layer of percent-encoding, for the bytes that it does not write (Amazon's documentation of the
    /// standard logs lists them).
    CloudFront,
    /// A W3C value in quotes: `""` is one quote.
    Doubled,
    /// IIS: a space is `+`, and so is a plus.
    Plus,
    /// As it was.
    Raw,
}

/// A decoded value.
#[derive(Debug, Default)]
pub(crate) struct Plain {
    pub(crate) bytes: Vec<u8>,
    /// For each byte, where in the raw value what it came from ends.
    pub(crate) ends: Vec<usize>,
    /// Where in the raw value the first one begins.
    pub(crate) start: usize,
}

const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();

impl Coding {
    pub(crate) fn decode(self, raw: &[u8]) -> Plain {
        let mut plain = Plain::default();
        let coding = match self {
            Self::Backslashes if has_foreign_sequence(raw) => Self::Raw,
            coding => coding,
        };
        let mut at = 0;
        while let Some(&byte) = raw.get(at) {
            let rest = &raw[at..];
            match coding {
                Self::Json | Self::Backslashes if byte == b'\\' => {
                    if let Some((bytes, length)) = sequence(rest, false) {
                        at += length;
                        plain.push(bytes.as_slice(), at);
                        continue;
                    }
                    // Half of a surrogate pair: what was there is lost.
                    if is_unicode(rest) {
                        at += 6;
                        plain.push(REPLACEMENT, at);
                        continue;
                    }
                }
                Self::CloudFront if byte == b'%' => {
                    if let Some(byte) = percent(rest).filter(|&byte| is_encoded_by_cloudfront(byte)) {
                        at += 3;
                        plain.push(&[byte], at);
                        continue;
                    }
                }
                Self::Doubled if rest.starts_with(b"\"\"") => at += 1,
                Self::Plus if byte == b'+' => {
                    at += 1;
                    plain.push(b" ", at);
                    continue;
                }
                _ => {}
            }
            at += 1;
            plain.push(&[byte], at);
        }
        plain
    }

    /// Appends `text`, which is ASCII, as a value is written.
    pub(crate) fn encode(self, text: &str, out: &mut Vec<u8>) {
        match self {
            Self::CloudFront => out.extend_from_slice(text.replace('%', "%25").as_bytes()),
            // A mark holds neither quotes nor backslashes.
            _ => out.extend_from_slice(text.as_bytes()),
        }
    }
}

impl Plain {
    pub(crate) fn push(&mut self, bytes: &[u8], end: usize) {
        self.bytes.extend_from_slice(bytes);
        self.ends.resize(self.bytes.len(), end);
    }

    /// Where in the raw value a text goes that is to stand at byte `index` of the decoded one.
    pub(crate) fn place(&self, index: usize) -> usize {
        index.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(self.start)
    }

    /// The bytes of `part` alone.
    pub(crate) fn part(&self, part: Range<usize>) -> Self {
        self.keep(std::slice::from_ref(&part))
    }

    /// The bytes of `parts` alone.
    pub(crate) fn keep(&self, parts: &[Range<usize>]) -> Self {
        let start = parts.first().map_or(0, |part| self.place(part.start));
        let mut kept = Self { start, ..Self::default() };
        for part in parts {
            kept.bytes.extend_from_slice(&self.bytes[part.clone()]);
            kept.ends.extend_from_slice(&self.ends[part.clone()]);
        }
        kept
    }

    /// Whether bytes of `part` were lost before they were logged: JSON producers write U+FFFD for what is not UTF-8. A server
    /// that writes it byte by byte (`\xEF\xBF\xBD`) got it so.
    pub(crate) fn has_lost(&self, part: Range<usize>) -> bool {
        let start = part.start;
        memmem::find_iter(&self.bytes[part], REPLACEMENT).any(|at| {
            let at = start + at;
            self.ends[at + 2] - self.place(at) < 4 * REPLACEMENT.len()
        })
    }

    /// Where the query begins, behind its `?`; a fragment is none of it.
    pub(crate) fn query(&self) -> Option<Range<usize>> {
        let end = memchr(b'#', &self.bytes).unwrap_or(self.bytes.len());
        memchr(b'?', &self.bytes[..end]).map(|question| question + 1..end)
    }
}

fn is_unicode(rest: &[u8]) -> bool {
    matches!(rest.get(..6), Some([b'\\', b'u', hex @ ..]) if hex.iter().all(u8::is_ascii_hexdigit))
}

pub(crate) fn percent(rest: &[u8]) -> Option<u8> {
    let hex = rest.get(1..3).filter(|hex| hex.iter().all(u8::is_ascii_hexdigit))?;
    u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()
}

fn is_encoded_by_cloudfront(byte: u8) -> bool {
    matches!(byte, 0..=b' ' | 0x7f.. | b'<' | b'>' | b'"' | b'#' | b'%' | b'{' | b'}' | b'|' | b'\\' | b'^' | b'~' | b'[' | b']' | b'`' | b'\'')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escape_is_undone_once_and_each_byte_knows_its_place() {
        use Coding::{Backslashes, CloudFront, Doubled, Json};
        for (coding, raw, bytes) in [
            (Json, r"\/a\u0026b\u00e9\ud83d\ude00", "/a&bé😀".as_bytes()),
            (Json, r"\x22\v\q\", b"\"\x0b\\q\\"),
            (Json, r"a\ud800b", "a\u{fffd}b".as_bytes()),
            (Json, "/a#22#é", "/a#22#é".as_bytes()),
            (Backslashes, r"\x5Cx22\t", b"\\x22\t"),
            (Backslashes, r"C:\dir\x22", br"C:\dir\x22"),
            (CloudFront, "%2520%22%41%C3%A9+", b"%20\"%41\xc3\xa9+"),
            (Doubled, r#"a ""b"" c"#, b"a \"b\" c"),
        ] {
            let plain = coding.decode(raw.as_bytes());
            assert_eq!(plain.bytes, bytes, "{raw}");
            assert_eq!(plain.place(plain.bytes.len()), raw.len(), "{raw}");
            assert_eq!(plain.place(0), 0);
        }
    }

    #[test]
    fn what_was_lost_is_told_from_what_was_sent() {
        for (raw, lost) in
            [("/a\u{fffd}", true), (r"/a\ufffd", true), (r"/a\xEF\xBF\xBD", false), ("/aé", false)]
        {
            let plain = Coding::Json.decode(raw.as_bytes());
            assert_eq!(plain.has_lost(0..plain.bytes.len()), lost, "{raw}");
        }
    }
}
