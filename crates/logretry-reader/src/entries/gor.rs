//! Captures of `GoReplay` (`--output-file`): requests and responses as they went over the wire.
//!
//! ```text
//! 1 5c0ffee5c0ffee5c0ffee5c0 1795329862135079900 0     kind, id, nanoseconds since 1970, latency
//! POST /a HTTP/1.1                                     what went over the wire
//! Content-Length: 3
//!
//! a=b
//! 🐵🙈🙉                                                 between two payloads
//! 2 5c0ffee5c0ffee5c0ffee5c0 1795329863137079900 1002000000
//! HTTP/1.1 502 Bad Gateway
//! ```
//!
//! A request waits for the response with its id. Together they come out as one line of JSON ([`super::super::capture`] reads it), which is one entry;
//! what is left without its other half comes out as well, and so does what is no payload. Responses of a replay (kind 3) are not what the client
//! got, and are passed over.

mod message;
mod pairs;

use std::io::{self, Read};

use logretry_stage::lines::Line;

use self::message::Payload;
use self::pairs::{Entry, Pairs};
use super::bytes::Bytes;

/// What stands between two payloads.
const SEPARATOR: &[u8] = "\n🐵🙈🙉\n".as_bytes();
/// The head of a message, and of a response as much as is looked at.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// The exchanges of one capture.
#[derive(Debug)]
pub(crate) struct Gor<R> {
    bytes: Bytes<R>,
    payload: Vec<u8>,
    pairs: Pairs,
    entry: Option<Entry>,
    body_bytes_max: usize,
    number: u64,
}

/// Whether a log that begins with `head`, which holds a line end, is such a capture.
pub(super) fn begins_payload(head: &[u8]) -> bool {
    message::meta(head).is_some()
}

impl<R: Read> Gor<R> {
    /// The body of a request may be `line_bytes_max` long.
    pub(super) fn new(reader: R, line_bytes_max: usize, bytes_before: u64) -> Self {
        Self {
            bytes: Bytes::new(reader, bytes_before),
            payload: Vec::new(),
            pairs: Pairs::default(),
            entry: None,
            body_bytes_max: line_bytes_max,
            number: 0,
        }
    }

    /// Whether no payload ends in what is here.
    pub(super) fn would_wait(&self) -> bool {
        memchr::memmem::find(self.bytes.ready(), SEPARATOR).is_none()
    }

    pub(super) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        self.entry = loop {
            if let Some(entry) = self.pairs.next() {
                break Some(entry);
            }
            let Some((offset, length)) = self.read() else {
                self.bytes.failure()?;
                break self.pairs.rest();
            };
            self.number += 1;
            self.pairs.take(
                Payload { bytes: &self.payload, length, number: self.number, offset },
                self.body_bytes_max,
            );
        };
        Ok(self.entry.as_ref().map(|Entry { number, offset, text, is_cut }| Line {
            number: *number,
            offset: *offset,
            text,
            cut: *is_cut,
        }))
    }

    /// Reads the next payload, as much of it as is kept; tells where it begins, and how long it is.
    fn read(&mut self) -> Option<(u64, usize)> {
        self.payload.clear();
        while self.bytes.peek() == Some(b'\n') {
            self.bytes.take();
        }
        let offset = self.bytes.offset;
        self.bytes.peek()?;
        let body_max = if self.bytes.peek() == Some(b'1') { self.body_bytes_max } else { 0 };
        let kept_max = body_max.saturating_add(HEAD_BYTES_MAX);
        let (mut length, mut tail) = (0, Vec::with_capacity(2 * SEPARATOR.len()));
        while let Some(byte) = self.bytes.take() {
            length += 1;
            if self.payload.len() < kept_max {
                self.payload.push(byte);
            }
            if tail.len() == 2 * SEPARATOR.len() {
                tail.drain(..SEPARATOR.len());
            }
            tail.push(byte);
            if byte == b'\n' && tail.ends_with(SEPARATOR) {
                length -= SEPARATOR.len();
                self.payload.truncate(length);
                break;
            }
        }
        Some((offset, length))
    }
}

#[cfg(test)]
mod tests;
