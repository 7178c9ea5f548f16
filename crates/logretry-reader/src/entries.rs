//! A log cut into its entries: lines mostly, or else the elements of an exported array, the entries of a journal, or captured exchanges.
//!
//! Which it is shows at the very beginning of the log. All of them come out as [`Line`]s: an entry that is no line has the number and the offset of its first byte
//! in the log, where its number counts entries, since an export often has one line only.

mod array;
mod bytes;
mod gor;
mod har;
mod journal;
mod json_string;

use std::io::{self, Cursor, Read};

use logretry_stage::lines::{Line, Lines};

use self::array::Array;
use self::gor::Gor;
use self::har::Har;
use self::journal::Journal;
use crate::wrappers::Wrapper;

/// The entries of one log.
pub(crate) enum Entries {
    Lines(Lines<Box<dyn Read + Send>>),
    Array(Array<Box<dyn Read + Send>>),
    Journal(Journal<Box<dyn Read + Send>>),
    Har(Har<Box<dyn Read + Send>>),
    Gor(Gor<Box<dyn Read + Send>>),
}

impl Entries {
    /// The entries of `reader`, of which none may be longer than `line_bytes_max`; `bytes_before` were taken off its beginning.
    pub(crate) fn new(
        mut reader: Box<dyn Read + Send>,
        line_bytes_max: usize,
        bytes_before: u64,
    ) -> io::Result<Self> {
        let (kind, head) = sniff(&mut reader)?;
        let reader: Box<dyn Read + Send> =
            if head.is_empty() { reader } else { Box::new(Cursor::new(head).chain(reader)) };
        Ok(match kind {
            Kind::Lines => Self::Lines(Lines::new(reader, line_bytes_max).after(bytes_before)),
            Kind::Array => Self::Array(Array::new(reader, line_bytes_max, bytes_before)),
            Kind::Journal => Self::Journal(Journal::new(reader, line_bytes_max, bytes_before)),
            Kind::Har => Self::Har(Har::new(reader, line_bytes_max, bytes_before)),
            Kind::Gor => Self::Gor(Gor::new(reader, line_bytes_max, bytes_before)),
        })
    }

    /// What the entries are wrapped in, if they are no lines.
    pub(crate) fn wrapper(&self) -> Option<Wrapper> {
        match self {
            Self::Lines(_) => None,
            Self::Array(_) => Some(Wrapper::JsonArray),
            Self::Journal(_) => Some(Wrapper::JournalExport),
            Self::Har(_) => Some(Wrapper::Har),
            Self::Gor(_) => Some(Wrapper::GoReplay),
        }
    }

    /// How many lines have been given, and where the next one begins; none, where entries are no lines.
    pub(crate) fn position(&self) -> Option<(u64, u64)> {
        match self {
            Self::Lines(lines) => Some(lines.position()),
            Self::Array(_) | Self::Journal(_) | Self::Har(_) | Self::Gor(_) => None,
        }
    }

    /// The next entry, or `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        match self {
            Self::Lines(lines) => lines.next(),
            Self::Array(array) => array.next(),
            Self::Journal(journal) => journal.next(),
            Self::Har(har) => har.next(),
            Self::Gor(gor) => gor.next(),
        }
    }

    /// Whether asking for the next entry may wait, or fail.
    pub(crate) fn would_wait(&self) -> bool {
        match self {
            Self::Lines(lines) => lines.would_wait(),
            Self::Array(array) => array.would_wait(),
            Self::Journal(journal) => journal.would_wait(),
            Self::Har(har) => har.would_wait(),
            Self::Gor(gor) => gor.would_wait(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Lines,
    Array,
    Journal,
    Har,
    Gor,
}

/// Blank bytes that an export may begin with.
const HEAD_BYTES_MAX: usize = 4096;

/// Reads on until it shows what this is, which for logs of lines is their first byte, and gives back what was read.
fn sniff(reader: &mut impl Read) -> io::Result<(Kind, Vec<u8>)> {
    let mut head = Vec::new();
    loop {
        if let Some(kind) = kind(&head) {
            return Ok((kind, head));
        }
        let mut byte = [0];
        match reader.read(&mut byte) {
            Ok(0) => return Ok((Kind::Lines, head)),
            Ok(_) => head.push(byte[0]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // It comes again behind what could be read.
            Err(_) if !head.is_empty() => return Ok((Kind::Lines, head)),
            Err(error) => return Err(error),
        }
    }
}

/// What a log that begins with `head` is; none, if it does not show yet.
fn kind(head: &[u8]) -> Option<Kind> {
    const EXPORT: &[u8] = b"__CURSOR=";
    if head.len() >= HEAD_BYTES_MAX {
        return Some(Kind::Lines);
    }
    if !head.is_empty() && EXPORT.starts_with(&head[..head.len().min(EXPORT.len())]) {
        return (head.len() >= EXPORT.len()).then_some(Kind::Journal);
    }
    if let [b'1'..=b'3'] = head {
        return None;
    }
    if let [b'1'..=b'3', b' ', rest @ ..] = head {
        return match memchr::memchr(b'\n', rest) {
            None => None,
            Some(_) if gor::begins_payload(head) => Some(Kind::Gor),
            Some(_) => Some(Kind::Lines),
        };
    }
    let text = head.trim_ascii_start();
    match (text.first()?, text[1..].trim_ascii_start().first()) {
        (b'[' | b'{', None) => None,
        (b'[', Some(b'{')) => Some(Kind::Array),
        (b'{', Some(_)) => envelope(text),
        _ => Some(Kind::Lines),
    }
}

/// Keys under which exports have their array: Azure, AWS, the answers of Google's API and of `CloudWatch`.
const ENVELOPES: [&str; 5] = ["records", "Records", "entries", "events", "logEvents"];

fn envelope(text: &[u8]) -> Option<Kind> {
    let compact: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let mut is_open = false;
    for beginning in har::BEGINNINGS {
        if compact.starts_with(beginning) {
            return Some(Kind::Har);
        }
        is_open |= beginning.starts_with(&compact);
    }
    // With a line end behind the brace, they are objects over several lines, as jq prints them.
    if !is_open && text[1..].iter().take_while(|byte| byte.is_ascii_whitespace()).any(|&byte| byte == b'\n') {
        return Some(Kind::Array);
    }
    for key in ENVELOPES {
        let beginning = format!("{{\"{key}\":[");
        if compact.starts_with(beginning.as_bytes()) {
            return Some(Kind::Array);
        }
        is_open |= beginning.as_bytes().starts_with(&compact);
    }
    (!is_open).then_some(Kind::Lines)
}

/// Whether `text` is all that stands before the array of an export.
fn opens_envelope(text: &[u8]) -> bool {
    let compact: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).take(16).collect();
    ENVELOPES.iter().any(|key| compact == format!("{{\"{key}\":").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_tells_exports_from_lines() {
        for (text, kind) in [
            ("203.0.113.9 - -", Kind::Lines),
            ("", Kind::Lines),
            ("  \n", Kind::Lines),
            ("[22/Nov/2026:06:41:40 +0000] - 502", Kind::Lines),
            ("[pod/web-5c7/nginx] a", Kind::Lines),
            ("[", Kind::Lines),
            (r#"{"status":502}"#, Kind::Lines),
            (r#"{ "record":[]}"#, Kind::Lines),
            (r#"{"records":{}}"#, Kind::Lines),
            (r#"[{"status":502}]"#, Kind::Array),
            ("\n[\n  {\n", Kind::Array),
            ("{\n  \"status\": 502\n}", Kind::Array),
            (r#"{"records":[{"#, Kind::Array),
            ("{ \"Records\" :\n [ {", Kind::Array),
            (r#"{"entries": []}"#, Kind::Array),
            (r#"{"log":{"version":"1.2","entries":[]}}"#, Kind::Har),
            ("{\n  \"log\": {\n    \"creator\": {", Kind::Har),
            ("{\n  \"log\": {\n    \"level\": \"error\"", Kind::Array),
            (r#"{"log":{"level":"error"},"status":502}"#, Kind::Lines),
            (r#"{"log":"203.0.113.9 - -","stream":"stdout"}"#, Kind::Lines),
            ("1 5c0ffee5c0ffee5c0ffee5c0 1795329862135079900 0\nGET", Kind::Gor),
            ("2 times\nsaid", Kind::Lines),
            ("1 line", Kind::Lines),
            ("__CURSOR=s=1", Kind::Journal),
            ("__CURS", Kind::Lines),
            ("__CURIOUS", Kind::Lines),
        ] {
            let (found, head) = sniff(&mut text.as_bytes()).expect("memory");
            assert_eq!(found, kind, "{text}");
            assert!(text.as_bytes().starts_with(&head), "{text}");
        }
        assert_eq!(sniff(&mut &b"203.0.113.9"[..]).expect("memory").1, b"20", "no line is waited for");
    }
}
