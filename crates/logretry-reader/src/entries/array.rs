use std::io::{self, Read};

use logretry_stage::lines::Line;

use super::bytes::Bytes;
use super::json_string::Str;
use super::opens_envelope;

/// The elements of an exported JSON array, one after the other: `[{…},{…}]`, `{"records":[{…},{…}]}`, several of these, or objects alone.
///
/// An element on one line comes out as it stands; of one over several lines, the white space between its tokens is taken out, so that it is a line. Memory is
/// bounded by the limit of a line. What stands in the log beside its arrays comes out as lines, so that nothing vanishes.
#[derive(Debug)]
pub(crate) struct Array<R> {
    bytes: Bytes<R>,
    within: Within,
    element: Element,
    number: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    Nothing,
    Array,
    /// An array under a key, behind which its object ends.
    Envelope,
}

impl<R: Read> Array<R> {
    pub(super) fn new(reader: R, line_bytes_max: usize, bytes_before: u64) -> Self {
        Self {
            bytes: Bytes::new(reader, bytes_before),
            within: Within::Nothing,
            element: Element { line_bytes_max, ..Element::default() },
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
        let Element { text, is_cut, .. } = &self.element;
        Ok(Some(Line { number: self.number, offset, text, cut: *is_cut }))
    }

    /// Reads the next element, and tells where it begins.
    fn find(&mut self) -> Option<u64> {
        loop {
            let byte = self.bytes.peek()?;
            let offset = self.bytes.offset;
            match (self.within, byte) {
                (_, b' ' | b'\t' | b'\r' | b'\n' | b',' | 0) => drop(self.bytes.take()),
                (Within::Nothing, b'[') => {
                    self.bytes.take();
                    self.within = Within::Array;
                }
                (Within::Array, b']') => {
                    self.bytes.take();
                    self.within = Within::Nothing;
                }
                (Within::Envelope, b']') => {
                    self.bytes.take();
                    self.within = Within::Nothing;
                    self.pass_over_envelope();
                }
                (_, b'{') => {
                    if self.read_value() {
                        return Some(offset);
                    }
                    self.within = Within::Envelope;
                }
                (Within::Nothing, _) => {
                    self.read_line();
                    return Some(offset);
                }
                _ => {
                    self.read_value();
                    return Some(offset);
                }
            }
        }
    }

    /// Reads one value of the array. Says no where it turned out to be the beginning of an envelope, which is no element.
    fn read_value(&mut self) -> bool {
        self.element.clear();
        let (mut depth, mut string) = (0_u32, Str::Outside);
        while let Some(byte) = self.bytes.peek() {
            // No string goes over a line end: here something is broken, and it ends here.
            if string != Str::Outside && byte == b'\n' {
                return true;
            }
            string = string.then(byte);
            if string == Str::Outside {
                match byte {
                    b'[' if self.within == Within::Nothing
                        && depth == 1
                        && opens_envelope(&self.element.text) =>
                    {
                        self.bytes.take();
                        return false;
                    }
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' if depth == 1 => {
                        self.bytes.take();
                        self.element.push(byte, false);
                        return true;
                    }
                    // A value that is no object ends where the array goes on.
                    b',' | b']' | b'\n' if depth == 0 => return true,
                    b'}' | b']' => depth = depth.saturating_sub(1),
                    _ => {}
                }
            }
            self.bytes.take();
            self.element.push(byte, string != Str::Outside);
        }
        true
    }

    /// Reads what is no JSON up to the end of its line.
    fn read_line(&mut self) {
        self.element.clear();
        while let Some(byte) = self.bytes.take() {
            if byte == b'\n' {
                break;
            }
            self.element.push(byte, true);
        }
        if self.element.text.last() == Some(&b'\r') {
            self.element.text.pop();
        }
    }

    /// Passes over what stands behind the array of an envelope, up to the end of its object.
    fn pass_over_envelope(&mut self) {
        let (mut depth, mut string) = (1_u32, Str::Outside);
        while depth > 0
            && let Some(byte) = self.bytes.take()
        {
            string = if byte == b'\n' { Str::Outside } else { string.then(byte) };
            match byte {
                b'{' | b'[' if string == Str::Outside => depth += 1,
                b'}' | b']' if string == Str::Outside => depth -= 1,
                _ => {}
            }
        }
    }
}

/// An element while it is read.
#[derive(Debug, Default)]
struct Element {
    text: Vec<u8>,
    line_bytes_max: usize,
    is_cut: bool,
    /// It goes over several lines: white space between tokens is left out.
    is_spread: bool,
}

impl Element {
    fn clear(&mut self) {
        self.text.clear();
        (self.is_cut, self.is_spread) = (false, false);
    }

    fn push(&mut self, byte: u8, in_string: bool) {
        if !in_string && byte == b'\n' && !self.is_spread {
            self.is_spread = true;
            take_spaces_out(&mut self.text);
        }
        if self.is_spread && !in_string && byte.is_ascii_whitespace() {
            return;
        }
        if self.text.len() < self.line_bytes_max {
            self.text.push(byte);
        } else {
            self.is_cut = true;
        }
    }
}

fn take_spaces_out(json: &mut Vec<u8>) {
    let (mut in_string, mut is_escaped) = (false, false);
    json.retain(|&byte| {
        let keep = in_string || !byte.is_ascii_whitespace();
        in_string ^= byte == b'"' && !is_escaped;
        is_escaped = in_string && byte == b'\\' && !is_escaped;
        keep
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elements(text: &str, max: usize) -> Vec<(u64, String, bool)> {
        let mut array = Array::new(text.as_bytes(), max, 0);
        let mut all = Vec::new();
        while let Some(line) = array.next().expect("memory") {
            assert_eq!(line.number, all.len() as u64 + 1);
            all.push((line.offset, String::from_utf8_lossy(line.text).into_owned(), line.cut));
        }
        all
    }

    fn texts(text: &str) -> Vec<String> {
        elements(text, 1000).into_iter().map(|(_, text, _)| text).collect()
    }

    #[test]
    fn each_element_has_its_own_offset() {
        assert_eq!(
            elements("[{\"a\": \"}]\\\"\"},\n {\"b\":[1,{}]} ]\n", 1000),
            [(1, r#"{"a": "}]\""}"#.to_owned(), false), (17, r#"{"b":[1,{}]}"#.to_owned(), false)]
        );
    }

    #[test]
    fn an_element_over_several_lines_becomes_one_line() {
        assert_eq!(
            texts("[\n  {\n    \"a\": \"x  y\\\\\",\r\n    \"b\": [ 1 ]\n  },\n  {\"c\":  2}\n]"),
            [r#"{"a":"x  y\\","b":[1]}"#, r#"{"c":  2}"#]
        );
        assert_eq!(texts("{\n  \"a\": 1\n}\n{\n  \"b\": 2\n}\n"), [r#"{"a":1}"#, r#"{"b":2}"#]);
    }

    #[test]
    fn an_array_may_stand_under_a_key_and_several_one_behind_the_other() {
        assert_eq!(
            texts(r#"{"records": [{"a":1},{"a":2}], "next": {"x":["]}"]}}"#),
            [r#"{"a":1}"#, r#"{"a":2}"#]
        );
        assert_eq!(
            texts("{\"records\":[{\"records\":[1]}]}\n{\"records\":[]}\n[{\"b\":1}][{\"b\":2}]"),
            [r#"{"records":[1]}"#, r#"{"b":1}"#, r#"{"b":2}"#]
        );
    }

    #[test]
    fn what_is_no_object_comes_out_as_well() {
        assert_eq!(
            texts("[{\"a\":1}, 7, \"x,y\", [1,2]]\nrest of it\r\n"),
            ["{\"a\":1}", "7", "\"x,y\"", "[1,2]", "rest of it"]
        );
        assert_eq!(texts("[{\"a\":1},{\"b\":"), ["{\"a\":1}", "{\"b\":"]);
        assert_eq!(texts("[{\"a\":\"broken\n{\"b\":1}]"), ["{\"a\":\"broken", "{\"b\":1}"]);
        assert!(texts("[]").is_empty() && texts("").is_empty());
    }

    #[test]
    fn an_element_over_the_limit_is_cut_and_the_next_one_is_whole() {
        assert_eq!(
            elements("[{\"a\":1234567890},{\"b\":1}]", 7),
            [(1, "{\"a\":12".to_owned(), true), (18, "{\"b\":1}".to_owned(), false)]
        );
    }
}
