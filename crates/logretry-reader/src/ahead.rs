//! Unpacking in a thread of its own, so that it and reading what comes out go on at once.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

/// Bytes that are handed over at once.
const BUFFER_BYTES: usize = 256 << 10;
/// Buffers that wait at most; with the one that is filled and the one that is emptied, this bounds how far a thread is ahead.
const BUFFERS_MAX: usize = 4;

/// Reads from a reader that works in another thread.
#[derive(Debug)]
pub(crate) struct Ahead {
    filled: Receiver<io::Result<Buffer>>,
    /// Buffers go back to be filled again.
    emptied: Sender<Buffer>,
    current: Buffer,
    start: usize,
}

#[derive(Debug, Default)]
struct Buffer {
    bytes: Vec<u8>,
    length: usize,
}

impl Ahead {
    /// What `reader` gives, which is read a few buffers ahead. An error comes behind all that was read before it.
    pub(crate) fn of(reader: impl Read + Send + 'static) -> io::Result<Self> {
        let (sender, filled) = sync_channel(BUFFERS_MAX);
        let (emptied, empty) = channel();
        thread::Builder::new().name("unpack".to_owned()).spawn(move || fill(reader, &sender, &empty))?;
        Ok(Self { filled, emptied, current: Buffer::default(), start: 0 })
    }
}

/// Reads until the end, or until nobody wants more.
fn fill(mut reader: impl Read, filled: &SyncSender<io::Result<Buffer>>, empty: &Receiver<Buffer>) {
    loop {
        let mut buffer = empty.try_recv().unwrap_or_default();
        buffer.bytes.resize(BUFFER_BYTES, 0);
        // What one call gives is handed on, full or not: the next call may wait.
        let read = loop {
            match reader.read(&mut buffer.bytes) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        let is_end = !matches!(read, Ok(1..));
        let sent = match read {
            Ok(0) => return,
            Ok(length) => filled.send(Ok(Buffer { length, ..buffer })),
            Err(error) => filled.send(Err(error)),
        };
        // Whoever has gone does not mind.
        if sent.is_err() || is_end {
            return;
        }
    }
}

impl Read for Ahead {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.start == self.current.length {
            // The thread ends behind the last buffer.
            let Ok(next) = self.filled.recv() else { return Ok(0) };
            let used = std::mem::replace(&mut self.current, next?);
            self.start = 0;
            // It has ended if it wants none back.
            let _ = self.emptied.send(used);
        }
        let length = out.len().min(self.current.length - self.start);
        out[..length].copy_from_slice(&self.current.bytes[self.start..self.start + length]);
        self.start += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_ahead_is_what_the_reader_gives() {
        let bytes: Vec<u8> = (0..3_000_000_u32).map(|index| (index / 7).to_le_bytes()[0]).collect();
        let mut read = Vec::new();
        Ahead::of(io::Cursor::new(bytes.clone())).expect("a thread").read_to_end(&mut read).expect("memory");
        assert!(read == bytes);
        assert_eq!(Ahead::of(io::empty()).expect("a thread").read(&mut [0; 9]).expect("the end"), 0);
    }

    #[test]
    fn an_error_comes_behind_what_was_read() {
        struct Fails;
        impl Read for Fails {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::UnexpectedEof.into())
            }
        }
        let mut ahead = Ahead::of(b"some".chain(Fails)).expect("a thread");
        let mut read = Vec::new();
        let error = ahead.read_to_end(&mut read).expect_err("it fails");
        assert_eq!((read.as_slice(), error.kind()), (&b"some"[..], io::ErrorKind::UnexpectedEof));
    }

    #[test]
    fn a_thread_ends_when_nobody_wants_more() {
        struct Watched(#[expect(dead_code, reason = "it is dropped with its thread")] Sender<()>);
        impl Read for Watched {
            fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
                Ok(out.len())
            }
        }
        let (gone, wait) = channel::<()>();
        drop(Ahead::of(Watched(gone)).expect("a thread"));
        assert!(wait.recv().is_err(), "the reader was dropped");
    }
}
