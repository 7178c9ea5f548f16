use std::io::{self, Write};
use std::thread;

use tokio::sync::{mpsc, oneshot};

/// A writer behind a thread of its own, so that a slow disk or a full pipe never holds up the requests in flight, and neither does what it
/// takes to make lines of records.
///
/// It writes what it is given in order, at most four parcels behind its caller.
#[derive(Debug)]
pub(crate) struct Outlet<T> {
    parcels: Option<mpsc::Sender<T>>,
    thread: Option<thread::JoinHandle<io::Result<()>>>,
    /// Resolves when the thread ends: nobody needs another thread to wait for it, which there may not be.
    ended: oneshot::Receiver<()>,
}

/// What is to be written with one call, and how many lines it holds.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    pub(crate) bytes: Vec<u8>,
    pub(crate) lines: u64,
}

/// Hands `bytes`, which hold so many `lines`, to `writer`, and says how many of these it has taken: where it fails, those that ended before.
pub fn hand_over(bytes: &[u8], lines: u64, writer: &mut impl Write) -> (u64, io::Result<()>) {
    let mut taken = 0;
    while taken < bytes.len() {
        let error = match writer.write(&bytes[taken..]) {
            Ok(0) => io::ErrorKind::WriteZero.into(),
            Ok(more) => {
                taken += more;
                continue;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => error,
        };
        let ended = memchr::memchr_iter(b'\n', &bytes[..taken]).count() as u64;
        return (ended.min(lines), Err(error));
    }
    (lines, writer.flush())
}

/// What a buffer keeps of its memory from one parcel to the next.
const BUFFER_KEPT: usize = 2 << 20;

impl<T: Send + 'static> Outlet<T> {
    /// Parcels on their way at most.
    const PARCELS_MAX: usize = 4;

    /// Starts the thread that writes to `writer` what `unpack` makes of each parcel, into the empty buffer that it is given or into
    /// another. `written` is called there with the number of lines that have been handed to the system. Fails where the system has no thread left.
    pub(crate) fn new(
        mut writer: impl Write + Send + 'static,
        mut unpack: impl FnMut(T, Buffer) -> Buffer + Send + 'static,
        written: impl Fn(u64) + Send + 'static,
    ) -> io::Result<Self> {
        let (parcels, mut queue) = mpsc::channel::<T>(Self::PARCELS_MAX);
        let (ending, ended) = oneshot::channel();
        let thread = thread::Builder::new().name("outlet".to_owned()).spawn(move || {
            let _ending = ending;
            let mut buffer = Buffer::default();
            while let Some(parcel) = queue.blocking_recv() {
                buffer = unpack(parcel, buffer);
                if buffer.bytes.is_empty() {
                    continue;
                }
                let (lines, end) = hand_over(&buffer.bytes, buffer.lines, &mut writer);
                written(lines);
                end?;
                buffer.lines = 0;
                buffer.bytes.clear();
                buffer.bytes.shrink_to(BUFFER_KEPT);
            }
            Ok(())
        })?;
        Ok(Self { parcels: Some(parcels), thread: Some(thread), ended })
    }

    /// Hands on `parcel`. An error may be that of an earlier one; after one, nothing more is written.
    pub(crate) async fn write(&mut self, parcel: T) -> io::Result<()> {
        let sent = match &self.parcels {
            Some(parcels) => parcels.send(parcel).await.is_ok(),
            None => false,
        };
        if sent { Ok(()) } else { Err(self.end().err().unwrap_or_else(|| io::ErrorKind::BrokenPipe.into())) }
    }

    /// Returns when writing has failed.
    pub(crate) async fn failed(&mut self) -> io::Error {
        if let Some(parcels) = &self.parcels {
            parcels.closed().await;
        }
        self.end().err().unwrap_or_else(|| io::ErrorKind::BrokenPipe.into())
    }

    /// Returns when everything has been written.
    pub(crate) async fn finish(mut self) -> io::Result<()> {
        // Closing the queue lets the thread write what is left and end; waiting for that is waiting for a disk or a pipe.
        self.parcels = None;
        let _ = (&mut self.ended).await;
        self.end()
    }

    fn end(&mut self) -> io::Result<()> {
        self.parcels = None;
        match self.thread.take().map(thread::JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(io::Error::other("the writing thread died")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_were_taken_before_writing_failed_are_counted() {
        let lines = b"1\n22\n333\n";
        for (room, taken) in [(0, 0), (1, 0), (2, 1), (4, 1), (5, 2), (8, 2), (9, 3)] {
            let mut disk = vec![0; room];
            let (counted, end) = hand_over(lines, 3, &mut &mut disk[..]);
            assert_eq!((counted, end.is_ok()), (taken, room == lines.len()), "{room}");
        }
    }
}
