//! From a plain thread into a stream.
//!
//! Reading, unpacking and parsing is plain code on slices; it runs in a thread of its own and hands on records in small batches
//! through a bounded channel, so that crossing into async costs little and memory stays flat.
//!
//! A thread that waits for standard input cannot be interrupted. So a stop ends the *stream*: it closes the channel, gives what is
//! in it, and leaves the thread to find out. For the numbers to add up all the same, lines are counted when the batch that
//! they were read for arrives.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use futures_util::{Stream, StreamExt as _, stream};
use logretry_record::{Record, Reject};
use tokio::sync::mpsc;

use crate::gather::GATHER;
use crate::{Accounts, Context, Fatal, Notes, RecordStream, Result};

mod in_order;

pub use in_order::feed_in_order;
use in_order::{Queue, Said};

/// Records a batch holds at most.
const BATCH_RECORDS_MAX: usize = 256;
/// Bytes of records, encoded or not, and of rejects with which a batch is full.
const BATCH_BYTES: usize = 256 << 10;
/// Batches on their way at most; with the one that is filled and the one that is emptied, this bounds what a reader is ahead.
const BATCHES_MAX: usize = 4;

enum Parcel {
    Batch(Batch),
    /// The thread has returned, perhaps with an error for the case that all was useless; nothing comes after this.
    End(Result<Option<Fatal>>),
}

/// Records, as they are or encoded, and how many lines were used up to get them.
#[derive(Debug, Default)]
struct Batch {
    records: Vec<Record>,
    encoded: Encoded,
    lines: u64,
    rejected: u64,
    screened: u64,
    /// What is said and rejected when this batch's turn comes, if it is made before that.
    notes: Vec<Said>,
    rejects: Vec<Reject>,
    /// Bytes of the lines and bodies that records and rejects hold, which may be a mebibyte each.
    held_bytes: usize,
}

impl Batch {
    fn is_full(&self) -> bool {
        self.records.len().max(self.rejects.len()) >= BATCH_RECORDS_MAX
            || self.encoded.bytes.len().max(self.held_bytes) >= BATCH_BYTES
    }
}

/// Bytes of the line and the body that `record` holds.
pub(crate) fn held_bytes(record: &Record) -> usize {
    record.text().len() + record.original().body.as_ref().map_or(0, |body| body.len())
}

/// Records on their way to a pipe, each one line of NDJSON.
#[derive(Debug, Default)]
pub struct Encoded {
    /// The lines.
    pub bytes: Vec<u8>,
    /// How many they are.
    pub records: u64,
    /// Where the memory of `bytes` goes once they are written, if somebody has use for it.
    pub spares: Option<Spares>,
}

/// Buffers to be filled again. Without them, each block's worth of records would be written into memory that the system has to clear first.
#[derive(Debug, Clone, Default)]
pub struct Spares(Arc<Mutex<Vec<Vec<u8>>>>);

impl Spares {
    /// Buffers that are kept at most.
    const BUFFERS_MAX: usize = 8;

    /// An empty buffer, with memory if there is one to spare.
    pub fn take(&self) -> Vec<u8> {
        self.open().pop().unwrap_or_default()
    }

    /// Keeps the memory of `buffer`, not what is in it.
    pub fn put(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        let mut buffers = self.open();
        if buffer.capacity() > 0 && buffers.len() < Self::BUFFERS_MAX {
            buffers.push(buffer);
        }
    }

    fn open(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread's end of a bridge.
#[derive(Debug)]
pub struct Feed {
    cx: Context,
    to: To,
    batch: Batch,
    /// Since when items of the batch have been kept back.
    kept_since: Option<Instant>,
    encodes: bool,
    notes: Notes,
    useless: Option<Fatal>,
}

/// Where batches go.
#[derive(Debug)]
enum To {
    Stream(mpsc::Sender<Parcel>),
    /// Into a queue behind whoever's turn it is.
    Queue(Queue),
}

/// Nobody wants more records: the consumer has gone or a stop was asked for. The thread returns `Ok`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed;

impl Feed {
    /// Hands on the record of a line.
    pub fn record(&mut self, record: Record) -> Result<(), Closed> {
        self.batch.lines += 1;
        if self.encodes {
            let encoded = &mut self.batch.encoded;
            record.encode(&mut encoded.bytes);
            encoded.records += 1;
        } else {
            self.batch.held_bytes += held_bytes(&record);
            self.batch.records.push(record);
        }
        if self.batch.is_full() { self.flush() } else { Ok(()) }
    }

    /// Hands on the records of as many lines, where the stream is one of [`Encoded`].
    pub fn encoded(&mut self, encoded: Encoded) -> Result<(), Closed> {
        debug_assert!(self.encodes, "nobody would decode them");
        self.batch.lines += encoded.records;
        let before = &mut self.batch.encoded;
        if before.records == 0 {
            *before = encoded;
        } else {
            before.bytes.extend_from_slice(&encoded.bytes);
            before.records += encoded.records;
            if let Some(spares) = encoded.spares {
                spares.put(encoded.bytes);
            }
        }
        if self.batch.is_full() { self.flush() } else { Ok(()) }
    }

    /// Whether the stream is one of [`Encoded`].
    pub fn encodes(&self) -> bool {
        self.encodes
    }

    /// Notes a line that was left out.
    pub fn screened(&mut self) {
        self.screened_lines(1);
    }

    /// Notes so many lines that were left out.
    pub fn screened_lines(&mut self, lines: u64) {
        self.batch.lines += lines;
        self.batch.screened += lines;
    }

    /// Notes a line that cannot be used, and passes it on to where such lines go.
    pub fn reject(&mut self, reject: Reject) -> Result<()> {
        self.batch.lines += 1;
        self.batch.rejected += 1;
        match self.to {
            To::Stream(_) => self.cx.reject(&reject)?,
            To::Queue(_) => {
                self.batch.held_bytes += reject.text.len();
                self.batch.rejects.push(reject);
            }
        }
        Ok(())
    }

    /// The stream ends with `error` if it turns out that not one of all lines can be used: that is another kind of input, and no work that is done.
    pub fn fail_if_useless(&mut self, error: Fatal) {
        self.useless = Some(error);
    }

    /// Where to say something about what is read.
    pub fn notes(&self) -> &Notes {
        &self.notes
    }

    /// Sends off what is there. To be called before anything that may wait, so that no record is held back by a slow source.
    pub fn flush(&mut self) -> Result<(), Closed> {
        if self.cx.is_draining() {
            return Err(Closed);
        }
        if self.batch.lines == 0 {
            // Whoever follows a log that does not grow has nothing to send by which it would learn that.
            let has_gone = matches!(&self.to, To::Stream(channel) if channel.is_closed());
            return if has_gone { Err(Closed) } else { Ok(()) };
        }
        self.kept_since = None;
        match &self.to {
            To::Stream(channel) => {
                let batch = std::mem::take(&mut self.batch);
                channel.blocking_send(Parcel::Batch(batch)).map_err(|_| Closed)
            }
            To::Queue(queue) => queue.offer(&mut self.batch),
        }
    }

    /// Sends off what is there, unless these are counts alone, which no stage waits for: they go with what comes next. To be called before what may wait, but hardly will.
    pub fn flush_items(&mut self) -> Result<(), Closed> {
        if self.has_items() || self.cx.is_draining() {
            return self.flush();
        }
        Ok(())
    }

    /// Sends off what is there, unless that is counts alone, or items that have not been kept back for [`GATHER`]. To be called before what certainly does not wait: so
    /// whoever takes the items is woken less often.
    pub(crate) fn flush_gathered(&mut self) -> Result<(), Closed> {
        let gathers = self.has_items() && self.kept_since.get_or_insert_with(Instant::now).elapsed() < GATHER;
        if gathers && !self.cx.is_draining() { Ok(()) } else { self.flush_items() }
    }

    fn has_items(&self) -> bool {
        self.batch.lines > self.batch.screened
    }

    /// The run that this belongs to.
    pub fn context(&self) -> &Context {
        &self.cx
    }
}

/// Why a thread's work ends before its source does.
#[derive(Debug)]
pub enum Break {
    /// Nobody wants more.
    Closed,
    /// An error ends the run.
    Fatal(Fatal),
}

impl From<Closed> for Break {
    fn from(_: Closed) -> Self {
        Self::Closed
    }
}

impl<E: Into<Fatal>> From<E> for Break {
    fn from(error: E) -> Self {
        Self::Fatal(error.into())
    }
}

/// Runs `work` in a thread called `name` and streams the records that it feeds. The thread starts at once, and is at most a few
/// batches ahead of its consumer.
pub fn from_thread<W>(cx: &Context, name: &'static str, work: W) -> impl RecordStream + use<W>
where
    W: FnOnce(&mut Feed) -> Result<(), Break> + Send + 'static,
{
    batches(cx, name, false, work).flat_map(|batch| {
        let (records, failed) = match batch {
            Ok(batch) => (batch.records, None),
            Err(fatal) => (Vec::new(), Some(Err(fatal))),
        };
        stream::iter(records.into_iter().map(Ok).chain(failed))
    })
}

/// The same, which gives the records encoded, as a pipe takes them. That spares what it costs to hand each of them on.
pub fn encoded_from_thread<W>(
    cx: &Context,
    name: &'static str,
    work: W,
) -> impl Stream<Item = Result<Encoded>> + Send + 'static + use<W>
where
    W: FnOnce(&mut Feed) -> Result<(), Break> + Send + 'static,
{
    batches(cx, name, true, work).map(|batch| batch.map(|batch| batch.encoded))
}

fn batches<W>(
    cx: &Context,
    name: &'static str,
    encodes: bool,
    work: W,
) -> impl Stream<Item = Result<Batch>> + Send + 'static + use<W>
where
    W: FnOnce(&mut Feed) -> Result<(), Break> + Send + 'static,
{
    let (channel, parcels) = mpsc::channel(BATCHES_MAX);
    let mut feed = Feed {
        cx: cx.clone(),
        to: To::Stream(channel.clone()),
        batch: Batch::default(),
        kept_since: None,
        encodes,
        notes: cx.notes().clone(),
        useless: None,
    };
    let spawned = thread::Builder::new().name(name.to_owned()).spawn(move || {
        let end = match work(&mut feed).and_then(|()| Ok(feed.flush()?)) {
            Ok(()) => Ok(feed.useless.take()),
            Err(Break::Closed) => Ok(None),
            Err(Break::Fatal(fatal)) => feed.flush().map_or(Ok(None), |()| Err(fatal)),
        };
        // Whoever has gone does not mind.
        let _ = channel.blocking_send(Parcel::End(end));
    });
    let failed = spawned.err().map(|error| Fatal::no_thread(&error));
    stream::unfold(Some(Far { cx: cx.clone(), parcels, failed, has_begun: false }), next)
}

/// The stream's end of a bridge.
struct Far {
    cx: Context,
    parcels: mpsc::Receiver<Parcel>,
    failed: Option<Fatal>,
    /// Whether something has come, so that rejects are those of this run.
    has_begun: bool,
}

async fn next(far: Option<Far>) -> Option<(Result<Batch>, Option<Far>)> {
    let mut far = far?;
    if let Some(fatal) = far.failed.take() {
        return Some((Err(fatal), None));
    }
    loop {
        let drain = &far.cx.stops().drain;
        let parcel = tokio::select! {
            biased;
            () = drain.cancelled(), if !far.parcels.is_closed() => {
                far.parcels.close();
                continue;
            }
            parcel = far.parcels.recv() => parcel,
        };
        match parcel {
            Some(Parcel::Batch(batch)) => {
                let records = batch.records.len() as u64 + batch.encoded.records;
                far.cx.tally().read(batch.lines, records, batch.rejected, batch.screened);
                let is_first = !std::mem::replace(&mut far.has_begun, true);
                if (is_first || batch.rejected > 0)
                    && let Err(fatal) = far.cx.flush_rejects()
                {
                    return Some((Err(fatal), None));
                }
                return Some((Ok(batch), Some(far)));
            }
            Some(Parcel::End(Ok(useless))) => {
                let Accounts { lines, rejected, .. } = far.cx.tally().accounts();
                let useless = useless.filter(|_| rejected > 0 && rejected == lines && !far.cx.is_draining());
                return useless.map(|fatal| (Err(fatal), None));
            }
            Some(Parcel::End(Err(fatal))) => return Some((Err(fatal), None)),
            None if far.cx.is_draining() => return None,
            None => {
                return Some((
                    Err(Fatal::new("go on: a thread of logretry died; this is a defect, please report it")),
                    None,
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests;
