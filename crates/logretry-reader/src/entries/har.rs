use std::io::{self, Read};

use logretry_stage::lines::Line;

use super::bytes::Bytes;
use super::json_string::Str;

/// The entries of a HAR file (HTTP Archive 1.2), one after the other and each as one line of JSON.
///
/// ```text
/// {"log":{"version":"1.2","creator":{…},"pages":[…],"entries":[{"startedDateTime":…,"request":{…},"response":{…}},…]}}
/// ```
///
/// The file is never held whole. What may be large in an entry and is of no use here, the body of the response above all, is left out: every
/// long string beside `request` comes out empty.
#[derive(Debug)]
pub(crate) struct Har<R> {
    bytes: Bytes<R>,
    is_in_entries: bool,
    text: Vec<u8>,
    is_cut: bool,
    entry_bytes_max: usize,
    number: u64,
}

/// How such a file begins, without white space. The specification gives no order, so any member of `log` may be the first.
pub(super) const BEGINNINGS: [&[u8]; 6] = [
    br#"{"log":{"version":"#,
    br#"{"log":{"creator":{"#,
    br#"{"log":{"browser":{"#,
    br#"{"log":{"pages":["#,
    br#"{"log":{"entries":["#,
    br#"{"log":{"comment":""#,
];

/// A string beside `request` that is longer comes out empty.
const OTHER_STRING_BYTES_MAX: usize = 4096;

impl<R: Read> Har<R> {
    /// The body of a request may be `line_bytes_max` long, and in JSON each of its bytes six.
    pub(super) fn new(reader: R, line_bytes_max: usize, bytes_before: u64) -> Self {
        Self {
            bytes: Bytes::new(reader, bytes_before),
            is_in_entries: false,
            text: Vec::new(),
            is_cut: false,
            entry_bytes_max: line_bytes_max.saturating_mul(8),
            number: 0,
        }
    }

    /// Whether no object ends in what is here.
    pub(super) fn would_wait(&self) -> bool {
        memchr::memchr(b'}', self.bytes.ready()).is_none()
    }

    pub(super) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        let Some(offset) = self.find() else { return self.bytes.failure().map(|()| None) };
        self.number += 1;
        Ok(Some(Line { number: self.number, offset, text: &self.text, cut: self.is_cut }))
    }

    /// Reads the next entry, and tells where it begins.
    fn find(&mut self) -> Option<u64> {
        loop {
            if !self.is_in_entries {
                self.find_entries()?;
                self.is_in_entries = true;
            }
            match self.bytes.peek()? {
                b' ' | b'\t' | b'\r' | b'\n' | b',' => drop(self.bytes.take()),
                b']' => {
                    self.bytes.take();
                    self.is_in_entries = false;
                }
                _ => {
                    let offset = self.bytes.offset;
                    self.read_entry();
                    return Some(offset);
                }
            }
        }
    }

    /// Passes over everything up to the beginning of the next `entries` of a `log`.
    fn find_entries(&mut self) -> Option<()> {
        let (mut depth, mut string) = (0_u32, Str::Outside);
        let mut key = Vec::new();
        loop {
            let byte = self.bytes.take()?;
            string = string.then(byte);
            match (string, byte) {
                (Str::Outside, b'[') if depth == 2 && key == b"entries" => return Some(()),
                (Str::Outside, b'{' | b'[') => depth += 1,
                (Str::Outside, b'}' | b']') => depth = depth.saturating_sub(1),
                (Str::Within, b'"') => key.clear(),
                (Str::Within | Str::Escaped, _) if key.len() < 16 => key.push(byte),
                _ => {}
            }
        }
    }

    fn read_entry(&mut self) {
        self.text.clear();
        self.is_cut = false;
        let (mut depth, mut string) = (0_u32, Str::Outside);
        // Where the last string began, and whether the object of `request` is open.
        let (mut begin, mut in_request, mut is_left_out) = (0, false, false);
        while let Some(byte) = self.bytes.peek() {
            let was = string;
            string = string.then(byte);
            if was != Str::Outside && byte == b'\n' {
                // No string goes over a line end: here something is broken, and it ends here.
                return;
            }
            if was == Str::Outside && string == Str::Outside {
                match byte {
                    b',' | b']' if depth == 0 => return,
                    b'{' | b'[' => {
                        in_request |= depth == 1 && self.text.get(begin..) == Some(&br#""request":"#[..]);
                        depth += 1;
                    }
                    b'}' | b']' => {
                        depth = depth.saturating_sub(1);
                        in_request &= depth > 1;
                    }
                    _ => {}
                }
            }
            self.bytes.take();
            if was == Str::Outside && string == Str::Within {
                (begin, is_left_out) = (self.text.len(), false);
            }
            if string == Str::Within && !in_request && self.text.len() - begin > OTHER_STRING_BYTES_MAX {
                self.text.truncate(begin + 1);
                is_left_out = true;
            }
            let is_content = is_left_out && (was != Str::Outside && string != Str::Outside);
            let is_space = string == Str::Outside && byte.is_ascii_whitespace();
            if self.text.len() >= self.entry_bytes_max {
                self.is_cut = true;
            } else if !is_content && !is_space {
                self.text.push(byte);
            }
            if depth == 0 && matches!(byte, b'}' | b']') && was == Str::Outside {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &str, max: usize) -> Vec<(u64, String, bool)> {
        let mut har = Har::new(text.as_bytes(), max, 0);
        let mut all = Vec::new();
        while let Some(line) = har.next().expect("memory") {
            assert_eq!(line.number, all.len() as u64 + 1);
            all.push((line.offset, String::from_utf8_lossy(line.text).into_owned(), line.cut));
        }
        all
    }

    #[test]
    fn entries_come_out_as_lines_without_the_long_strings_of_their_responses() {
        let long = "x\\\"\\u0041".repeat(2000);
        let har = format!(
            "{{ \"log\": {{\"version\":\"1.2\",\"creator\":{{\"entries\":[1]}},\"pages\":[{{\"entries\":[2]}}],\n\"entries\" : [\n \
             {{\"request\": {{\"url\":\"a b\",\"postData\":{{\"text\":\"{long}\"}}}},\n  \"response\":{{\"content\":{{\"text\":\"{long}\",\"size\":7}},\
             \"status\":502}}}} , {{\"response\":{{\"request\":\"{long}\"}}}}]\n, \"comment\":\"]\"}}}}\n{{\"log\":{{\"entries\":[{{}}]}}}}"
        );
        let texts: Vec<_> = entries(&har, 1 << 20).into_iter().map(|(_, text, cut)| (text, cut)).collect();
        assert_eq!(
            texts,
            [
                (
                    format!(
                        r#"{{"request":{{"url":"a b","postData":{{"text":"{long}"}}}},"response":{{"content":{{"text":"","size":7}},"status":502}}}}"#
                    ),
                    false
                ),
                (r#"{"response":{"request":""}}"#.to_owned(), false),
                ("{}".to_owned(), false),
            ]
        );
    }

    #[test]
    fn what_is_broken_or_too_long_is_cut_and_what_comes_behind_it_is_found() {
        let file = |entries: &str| format!(r#"{{"log":{{"entries":[{entries}]}}}}"#);
        assert_eq!(
            entries(&file(r#"{"request":{"a":"1234567890"}},{}"#), 3).last(),
            Some(&(50, "{}".to_owned(), false))
        );
        assert!(entries(&file(r#"{"request":{"a":"1234567890"}},{}"#), 3)[0].2);
        let texts = |text: &str| entries(text, 100).into_iter().map(|(_, text, _)| text).collect::<Vec<_>>();
        assert_eq!(texts(&file("{\"a\":\"b\n},{}")), [r#"{"a":"b"#, "}", "{}"]);
        assert_eq!(texts(&file("7,\"a\",[{}],{}")), ["7", "\"a\"", "[{}]", "{}"]);
        assert_eq!(texts(r#"{"log":{"entries":[{},{"request":{"#), ["{}", r#"{"request":{"#]);
        assert!(texts(r#"{"log":{"entries":{}}}"#).is_empty());
    }
}
