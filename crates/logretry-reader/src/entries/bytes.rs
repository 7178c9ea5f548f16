use std::io::{self, Read};

/// A reader byte by byte, which knows where it is and gives an error only after all that was read before it.
#[derive(Debug)]
pub(super) struct Bytes<R> {
    reader: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes before the next one.
    pub(super) offset: u64,
    failed: Option<io::Error>,
    at_end: bool,
}

const READ_BYTES: usize = 128 << 10;

impl<R: Read> Bytes<R> {
    pub(super) fn new(reader: R, offset: u64) -> Self {
        let buffer = vec![0; READ_BYTES];
        Self { reader, buffer, start: 0, end: 0, offset, failed: None, at_end: false }
    }

    /// What is here already.
    pub(super) fn ready(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// The next byte, which stays there; none at the end, or where reading fails.
    pub(super) fn peek(&mut self) -> Option<u8> {
        while self.start == self.end {
            if self.at_end {
                return None;
            }
            match self.reader.read(&mut self.buffer) {
                Ok(0) => self.at_end = true,
                Ok(read) => (self.start, self.end) = (0, read),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => (self.at_end, self.failed) = (true, Some(error)),
            }
        }
        Some(self.buffer[self.start])
    }

    /// Takes the next byte.
    pub(super) fn take(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.start += 1;
        self.offset += 1;
        Some(byte)
    }

    /// What made reading end, if it was no end.
    pub(super) fn failure(&mut self) -> io::Result<()> {
        self.failed.take().map_or(Ok(()), Err)
    }
}
