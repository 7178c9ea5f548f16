use std::io::{self, Write};
use std::thread;

use tokio::sync::mpsc;

/// A writer behind a thread of its own, so that a slow disk or a full pipe never holds up the requests in flight.
///
/// It writes whole buffers in order, at most four behind its caller.
#[derive(Debug)]
pub(crate) struct Outlet {
    buffers: Option<mpsc::Sender<(Vec<u8>, u64)>>,
    thread: Option<thread::JoinHandle<io::Result<()>>>,
}

impl Outlet {
    /// Buffers on their way at most.
    const BUFFERS_MAX: usize = 4;

    /// Starts the thread that writes to `writer`. `written` is called there with the number of lines of each buffer that has been
    /// handed to the system.
    pub(crate) fn new(
        mut writer: impl Write + Send + 'static,
        written: impl Fn(u64) + Send + 'static,
    ) -> Self {
        let (buffers, mut queue) = mpsc::channel::<(Vec<u8>, u64)>(Self::BUFFERS_MAX);
        let thread = thread::spawn(move || {
            while let Some((buffer, lines)) = queue.blocking_recv() {
                writer.write_all(&buffer)?;
                writer.flush()?;
                written(lines);
            }
            Ok(())
        });
        Self { buffers: Some(buffers), thread: Some(thread) }
    }

    /// Hands on `buffer`, which holds `lines` lines. An error may be that of an earlier buffer; after one, nothing more is written.
    pub(crate) async fn write(&mut self, buffer: Vec<u8>, lines: u64) -> io::Result<()> {
        if buffer.is_empty() {
            return Ok(());
        }
        let sent = match &self.buffers {
            Some(buffers) => buffers.send((buffer, lines)).await.is_ok(),
            None => false,
        };
        if sent { Ok(()) } else { Err(self.end().err().unwrap_or_else(|| io::ErrorKind::BrokenPipe.into())) }
    }

    /// Returns when everything has been written.
    pub(crate) async fn finish(mut self) -> io::Result<()> {
        // Closing the queue lets the thread write what is left and end; waiting for that is waiting for a disk or a pipe.
        self.buffers = None;
        tokio::task::spawn_blocking(move || self.end()).await.map_err(io::Error::other)?
    }

    fn end(&mut self) -> io::Result<()> {
        self.buffers = None;
        match self.thread.take().map(thread::JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(io::Error::other("the writing thread died")),
            None => Ok(()),
        }
    }
}
