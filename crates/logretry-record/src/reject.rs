use std::borrow::Cow;

use bstr::{BString, ByteSlice as _};
use serde::Serialize;

use crate::wire;

/// A line (of a log) or a record (on the pipe) that could not be used.
///
/// It is never dropped in silence: rejects are counted, the first few are shown on stderr, and `--rejects FILE` takes all
/// of them, one JSON object a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The file as it was named, or `-` for standard input.
    pub source: BString,
    /// The line's number in it, from 1.
    pub line: u64,
    /// Bytes before the line, counted after decompression.
    pub offset: u64,
    /// What is wrong with it: a fragment that fits after "cannot use the line: ".
    pub reason: String,
    /// The line itself, without its line end; of an over-long line its beginning.
    pub text: BString,
}

#[derive(Serialize)]
struct RejectV1<'a> {
    v: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_base64: Option<Cow<'a, str>>,
    line: u64,
    offset: u64,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text_base64: Option<Cow<'a, str>>,
}

impl Reject {
    /// What every line of NDJSON begins with that [`Reject::encode`] writes, and no other that logretry does.
    pub const BEGINNING: &[u8] = br#"{"v":1,"source"#;

    /// Whether `line` is such a line, as its keys show.
    pub fn is_encoded(line: &[u8]) -> bool {
        line.starts_with(Self::BEGINNING)
            && line.contains_str(br#","offset":"#)
            && line.contains_str(br#","reason":""#)
    }

    /// Appends the reject as one line of NDJSON: `{"v":1,"source":…,"line":…,"offset":…,"reason":…,"text":…}`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let (source, source_base64) = wire::twins(Some(&self.source));
        let (text, text_base64) = wire::twins(Some(&self.text));
        let reject = RejectV1 {
            v: wire::VERSION,
            source,
            source_base64,
            line: self.line,
            offset: self.offset,
            reason: &self.reason,
            text,
            text_base64,
        };
        wire::to_json(&reject, out);
        out.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reject_begins_as_said() {
        for source in [b"access.log".as_slice(), b"", b"\xff"] {
            let reject =
                Reject { source: source.into(), line: 1, offset: 0, reason: String::new(), text: "x".into() };
            let mut line = Vec::new();
            reject.encode(&mut line);
            assert!(line.starts_with(Reject::BEGINNING), "{}", line.escape_ascii());
            assert!(Reject::is_encoded(&line), "{}", line.escape_ascii());
        }
        assert!(!Reject::is_encoded(br#"{"v":1,"source":"web","status":502,"reason":"upstream"}"#));
    }
}
