use std::io::{self, Read};

use logretry_stage::lines::Line;

use super::bytes::Bytes;

/// The entries of a journal, as `journalctl -o export` writes them: fields, one a line, and a blank line behind each entry (systemd, "Journal Export Format").
///
/// ```text
/// __CURSOR=s=739ad463348b4ceca5a9e69c95a3c93f;i=4ece7
/// MESSAGE=a field of plain text
/// MESSAGE
/// <length, 8 bytes, the lowest first><so many bytes>
/// ```
///
/// The text of an entry is its `MESSAGE`, and its place that of the entry.
#[derive(Debug)]
pub(crate) struct Journal<R> {
    bytes: Bytes<R>,
    message: Vec<u8>,
    line_bytes_max: usize,
    number: u64,
}

/// The longest name of a field, which is what journald allows.
const NAME_BYTES_MAX: usize = 64;

impl<R: Read> Journal<R> {
    pub(super) fn new(reader: R, line_bytes_max: usize, bytes_before: u64) -> Self {
        Self { bytes: Bytes::new(reader, bytes_before), message: Vec::new(), line_bytes_max, number: 0 }
    }

    /// Whether no entry ends in what is here.
    pub(super) fn would_wait(&self) -> bool {
        memchr::memmem::find(self.bytes.ready(), b"\n\n").is_none()
    }

    pub(super) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        while self.bytes.peek() == Some(b'\n') {
            self.bytes.take();
        }
        let offset = self.bytes.offset;
        self.message.clear();
        let (mut fields, mut has_message, mut cut) = (0_u64, false, false);
        while let Some(is_message) = self.name() {
            fields += 1;
            // Of several messages the first counts.
            cut |= self.value(is_message && !has_message);
            has_message |= is_message;
        }
        if fields == 0 {
            return self.bytes.failure().map(|()| None);
        }
        self.number += 1;
        Ok(Some(Line { number: self.number, offset, text: &self.message, cut }))
    }

    /// Reads the name of the next field and says whether it is `MESSAGE`; none at the end of the entry.
    fn name(&mut self) -> Option<bool> {
        if self.bytes.peek()? == b'\n' {
            return None;
        }
        let mut name = Vec::new();
        while let Some(byte) = self.bytes.peek() {
            if byte == b'=' || byte == b'\n' || name.len() > NAME_BYTES_MAX {
                break;
            }
            self.bytes.take();
            name.push(byte);
        }
        Some(name == b"MESSAGE")
    }

    /// Reads the value of a field; says whether it was to be kept and is too long.
    fn value(&mut self, keep: bool) -> bool {
        let mut cut = false;
        if self.bytes.peek() == Some(b'\n') {
            self.bytes.take();
            let mut length = [0; 8];
            for byte in &mut length {
                *byte = self.bytes.take().unwrap_or_default();
            }
            let mut left = u64::from_le_bytes(length);
            while left > 0
                && let Some(byte) = self.bytes.take()
            {
                left -= 1;
                cut |= self.push(byte, keep);
            }
            if self.bytes.peek() == Some(b'\n') {
                self.bytes.take();
            }
            return cut;
        }
        // The first byte is the `=`.
        self.bytes.take();
        while let Some(byte) = self.bytes.take() {
            if byte == b'\n' {
                break;
            }
            cut |= self.push(byte, keep);
        }
        cut
    }

    fn push(&mut self, byte: u8, keep: bool) -> bool {
        let has_room = self.message.len() < self.line_bytes_max;
        if keep && has_room {
            self.message.push(byte);
        }
        keep && !has_room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &[u8], max: usize) -> Vec<(u64, u64, String, bool)> {
        let mut journal = Journal::new(text, max, 0);
        let mut all = Vec::new();
        while let Some(line) = journal.next().expect("memory") {
            all.push((line.number, line.offset, String::from_utf8_lossy(line.text).into_owned(), line.cut));
        }
        all
    }

    #[test]
    fn the_message_is_text_or_bytes() {
        let mut log = b"__CURSOR=s=1\nMESSAGE=GET /a\n_PID=7\n\n__CURSOR=s=2\nMESSAGE\n".to_vec();
        log.extend_from_slice(&10_u64.to_le_bytes());
        log.extend_from_slice(b"GET /\n\nMES\nPRIORITY=6\n\n\n__CURSOR=s=3\n_PID=7\n");
        let text = |number, offset, text: &str| (number, offset, text.to_owned(), false);
        assert_eq!(entries(&log, 100), [text(1, 0, "GET /a"), text(2, 36, "GET /\n\nMES"), text(3, 89, "")]);
        assert!(entries(b"", 100).is_empty());
    }

    #[test]
    fn a_message_over_the_limit_is_cut_and_a_length_that_lies_takes_no_memory() {
        assert_eq!(
            entries(b"MESSAGE=123456\n\nMESSAGE=12345\nMESSAGE=x\n", 5),
            [(1, 0, "12345".to_owned(), true), (2, 16, "12345".to_owned(), false),]
        );
        assert_eq!(
            entries(b"MESSAGE\n\xff\xff\xff\xff\xff\xff\xff\xffabc", 5),
            [(1, 0, "abc".to_owned(), false)]
        );
    }
}
