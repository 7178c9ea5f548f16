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
                writer.write_all(&buffer.bytes)?;
                writer.flush()?;
                written(buffer.lines);
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
