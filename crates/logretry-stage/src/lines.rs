//! Bytes into lines, within a limit.

use std::io::{self, Read};

use memchr::{memchr, memrchr};

/// Splits what it reads into lines, within a limit.
///
/// Memory is bounded by the limit and one read: of a line that is longer, the beginning is given and the rest passed over.
///
/// A line ends with `\n`; a `\r` before it belongs to the line end. The last line may end without one. NUL bytes before a
/// line, the hole that is left when a log is truncated under its writer, belong to no line, however many there are.
///
/// When reading fails, the whole lines that have been read before are given first. The beginning of a line is not: it would be taken for another line than the one that it belongs to.
#[derive(Debug)]
pub struct Lines<R> {
    reader: R,
    buffer: Vec<u8>,
    /// What of `buffer` has been read and not yet given.
    start: usize,
    end: usize,
    /// Where the last whole line in `buffer` ends.
    whole_end: usize,
    line_bytes_max: usize,
    number: u64,
    offset: u64,
    at_end: bool,
    /// Whether the last read brought as many bytes as there was room for.
    filled: bool,
    failed: Option<io::Error>,
}

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Its number, from 1.
    pub number: u64,
    /// Bytes before it.
    pub offset: u64,
    /// Its bytes without the line end; at most the limit.
    pub text: &'a [u8],
    /// Whether the line is longer than the limit, and `text` only its beginning.
    pub cut: bool,
}

/// How much is asked for with one read.
const READ_BYTES: usize = 256 << 10;

impl<R: Read> Lines<R> {
    /// The lines of `reader`, of which one may have `line_bytes_max` bytes without its line end.
    pub fn new(reader: R, line_bytes_max: usize) -> Self {
        Self {
            reader,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            whole_end: 0,
            line_bytes_max,
            number: 0,
            offset: 0,
            at_end: false,
            filled: false,
            failed: None,
        }
    }

    /// The same lines, of which the first has `bytes` bytes before it that are not read here.
    #[must_use]
    pub fn after(mut self, bytes: u64) -> Self {
        self.offset = bytes;
        self
    }

    /// The same lines, of which the first has so many lines before it that are not read here.
    #[must_use]
    pub fn numbered_after(mut self, lines: u64) -> Self {
        self.number = lines;
        self
    }

    /// How many lines have been given, and where the next one begins, as far as that is known: bytes before the last hole count.
    pub fn position(&self) -> (u64, u64) {
        (self.number, self.offset)
    }

    /// Whether the next line is not here yet, so that asking for it may wait, or fail.
    pub fn would_wait(&self) -> bool {
        self.start >= self.whole_end && (!self.at_end || self.failed.is_some())
    }

    /// Whether there is more where the last bytes came from, as far as one can tell without reading it: they were as many as were asked for.
    pub fn is_behind(&self) -> bool {
        self.filled
    }

    /// Reads once, if the next line is not here yet and that may bring it; whether it has read. A line may need several reads, each of which may wait.
    pub(crate) fn fetch(&mut self) -> bool {
        let may_come = !self.at_end
            && self.would_wait()
            && self.end - self.start <= self.line_bytes_max.saturating_add(1);
        if may_come {
            self.fill();
        }
        may_come
    }

    /// The next line, or `None` at the end.
    #[expect(clippy::should_implement_trait, reason = "it lends: the line lives in the buffer")]
    pub fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        let mut searched = 0;
        loop {
            if searched == 0 {
                self.skip_hole();
            }
            let unread = &self.buffer[self.start..self.end];
            if let Some(found) = memchr(b'\n', &unread[searched..]) {
                return Ok(Some(self.give(searched + found, 1)));
            }
            searched = unread.len();
            if self.at_end {
                if let Some(error) = self.failed.take() {
                    self.start = self.end;
                    return Err(error);
                }
                return Ok((searched > 0).then(|| self.give(searched, 0)));
            }
            // One byte more than allowed, plus `\r`: only then is the line certainly too long.
            if searched > self.line_bytes_max.saturating_add(1) {
                return Ok(Some(self.pass_over()));
            }
            self.fill();
        }
    }

    /// Passes over NUL bytes at the beginning of a line.
    fn skip_hole(&mut self) {
        let hole = self.buffer[self.start..self.end].iter().take_while(|&&byte| byte == 0).count();
        self.start += hole;
        self.offset += hole as u64;
    }

    /// Takes a line of `length` bytes and its line end out of the buffer.
    fn give(&mut self, length: usize, line_end: usize) -> Line<'_> {
        let offset = self.offset;
        self.number += 1;
        self.offset += (length + line_end) as u64;
        let text = &self.buffer[self.start..self.start + length];
        self.start += length + line_end;
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let cut = text.len() > self.line_bytes_max;
        let text = &text[..text.len().min(self.line_bytes_max)];
        Line { number: self.number, offset, text, cut }
    }

    /// Gives the beginning of a line that is too long, and reads on behind its end.
    fn pass_over(&mut self) -> Line<'_> {
        let offset = self.offset;
        self.number += 1;
        // The beginning stays in front; the rest is read behind it and forgotten.
        self.buffer.copy_within(self.start..self.start + self.line_bytes_max, 0);
        self.offset += (self.end - self.start) as u64;
        let keep = self.line_bytes_max;
        self.buffer.resize(keep + READ_BYTES, 0);
        (self.start, self.end) = (keep, keep);
        loop {
            let read = self.read(keep);
            if let Some(found) = memchr(b'\n', &self.buffer[keep..keep + read]) {
                self.offset += found as u64 + 1;
                (self.start, self.end, self.whole_end) = (keep + found + 1, keep + read, 0);
                self.find_last(read);
                break;
            }
            self.offset += read as u64;
            if self.at_end {
                break;
            }
        }
        Line { number: self.number, offset, text: &self.buffer[..keep], cut: true }
    }

    fn fill(&mut self) {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.whole_end = self.whole_end.saturating_sub(self.start);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.buffer.len() - self.end < READ_BYTES / 2 {
            self.buffer.resize(self.end + READ_BYTES, 0);
        }
        let read = self.read(self.end);
        self.end += read;
        self.find_last(read);
    }

    /// Notes the end of the last whole line, if one ends in the `read` bytes that have come last.
    fn find_last(&mut self, read: usize) {
        let new = self.end - read;
        if let Some(last) = memrchr(b'\n', &self.buffer[new..self.end]) {
            self.whole_end = new + last + 1;
        }
    }

    /// Reads once into the buffer from `at` on; nothing read is the end.
    fn read(&mut self, at: usize) -> usize {
        loop {
            match self.reader.read(&mut self.buffer[at..]) {
                Ok(read) => {
                    self.at_end = read == 0;
                    self.filled = at + read == self.buffer.len();
                    return read;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    (self.at_end, self.failed) = (true, Some(error));
                    return 0;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte a call, as the slowest pipe does.
    struct Drop1<'a>(&'a [u8]);

    impl Read for Drop1<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
            buffer[0] = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    #[test]
    fn it_says_whether_the_next_line_is_here() {
        let mut lines = Lines::new(b"one\ntwo\nthr".chain(&b"ee\nfour"[..]), 100);
        assert!(lines.would_wait(), "nothing has been read");
        let mut here = Vec::new();
        while lines.next().expect("reading from memory").is_some() {
            here.push(!lines.would_wait());
        }
        assert_eq!(
            here,
            [true, false, false, true],
            "`two` is here, then one waits twice, then it is the end"
        );
    }

    #[test]
    fn it_says_whether_more_is_behind() {
        for (reader, is_behind) in
            [(&mut io::repeat(b'\n') as &mut dyn Read, true), (&mut &b"one\n"[..], false)]
        {
            let mut lines = Lines::new(reader, 100);
            assert!(!lines.is_behind());
            assert!(lines.next().expect("reading from memory").is_some());
            assert_eq!(lines.is_behind(), is_behind);
        }
    }

    fn lines(reader: impl Read, max: usize) -> Vec<(u64, u64, String, bool)> {
        let mut lines = Lines::new(reader, max);
        let mut all = Vec::new();
        while let Some(line) = lines.next().expect("reading from memory") {
            all.push((line.number, line.offset, String::from_utf8_lossy(line.text).into_owned(), line.cut));
        }
        all
    }

    /// The same, where each line is fetched before it is asked for.
    fn fetched(reader: impl Read, max: usize) -> Vec<(u64, u64, String, bool)> {
        let mut lines = Lines::new(reader, max);
        let mut all = Vec::new();
        loop {
            while lines.fetch() {}
            let Some(line) = lines.next().expect("reading from memory") else { return all };
            all.push((line.number, line.offset, String::from_utf8_lossy(line.text).into_owned(), line.cut));
        }
    }

    fn both_ways(text: &[u8], max: usize) -> Vec<(u64, u64, String, bool)> {
        let at_once = lines(text, max);
        assert_eq!(at_once, lines(Drop1(text), max), "how the bytes arrive makes no difference");
        assert_eq!(at_once, fetched(Drop1(text), max), "nor whether they are fetched");
        at_once
    }

    #[test]
    fn lines_have_numbers_and_offsets() {
        let all = both_ways(b"one\n\r\nthree\r\nlast", 100);
        let expected = [(1, 0, "one"), (2, 4, ""), (3, 6, "three"), (4, 13, "last")];
        assert_eq!(all, expected.map(|(n, o, t)| (n, o, t.to_owned(), false)));
        assert_eq!(both_ways(b"", 100), []);
        assert_eq!(both_ways(b"\n", 100), [(1, 0, String::new(), false)]);
    }

    #[test]
    fn a_line_over_the_limit_is_cut_and_the_next_one_is_whole() {
        let all = both_ways(b"12345\n123456\n1234567\n1234567890\r\nnext\n12345\r\n123456789", 5);
        let text = |n, o, t: &str, cut| (n, o, t.to_owned(), cut);
        assert_eq!(
            all,
            [
                text(1, 0, "12345", false),
                text(2, 6, "12345", true),
                text(3, 13, "12345", true),
                text(4, 21, "12345", true),
                text(5, 33, "next", false),
                text(6, 38, "12345", false),
                text(7, 45, "12345", true),
            ]
        );
    }

    #[test]
    fn a_hole_of_nul_bytes_belongs_to_no_line() {
        let mut text = vec![0; 1000];
        text.extend_from_slice(b"one\n\0\0two\0\n\0");
        assert_eq!(
            both_ways(&text, 5),
            [(1, 1000, "one".to_owned(), false), (2, 1006, "two\0".to_owned(), false)]
        );
    }

    #[test]
    fn whole_lines_that_were_read_before_an_error_are_given_first() {
        struct Fails;
        impl Read for Fails {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::UnexpectedEof.into())
            }
        }
        let mut lines = Lines::new(b"one\ntw".chain(Fails), 100);
        assert_eq!(lines.next().expect("a line").expect("a line").text, b"one");
        assert!(lines.would_wait());
        assert_eq!(lines.next().expect_err("the error").kind(), io::ErrorKind::UnexpectedEof);
        assert!(lines.next().expect("the end").is_none());
    }

    #[test]
    fn an_endless_line_takes_no_more_memory_than_the_limit() {
        let mut lines = Lines::new(io::repeat(b'x').take(64 << 20), 1 << 20);
        let line = lines.next().expect("reading").expect("a line");
        assert_eq!((line.text.len(), line.cut), (1 << 20, true));
        assert!(lines.next().expect("reading").is_none());
        assert!(lines.buffer.capacity() < 4 << 20, "{}", lines.buffer.capacity());
    }
}
