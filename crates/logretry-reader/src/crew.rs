//! Several threads that read one file, so that it looks as if one had read it.
//!
//! ```text
//!   file ─┬─ blocks 0, 2, 4 … ─ read ─ sift ─┬─ in their order ─▶ Desk ─▶ records
//!         └─ blocks 1, 3, 5 … ─ read ─ sift ─┘
//! ```
//!
//! Each thread reads every so-manieth block, and what it makes of them waits in a short queue of its own; whoever collects takes one of each in turn. Lines that only the desk
//! can decide on are decided on then, in their order. As soon as that changes what is known of the log (it has another format too, say), or a block cannot be read as such, the crew
//! goes home: reading goes on line by line, and after that with a new crew.

use std::num::NonZero;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;
use std::{io, thread};

use logretry_record::{Encoder, RecordId};
use logretry_stage::bridge::{Break, Encoded, Feed, Spares};
use logretry_stage::lines::Line;

use crate::blocks::Blocks;
use crate::desk::Desk;
use crate::sift::{Found, Place, Plan, Sifted, Sifter};
use crate::wrappers::joins;

/// Threads at most; more than that the memory cannot feed.
const THREADS_MAX: usize = 8;
/// Blocks that wait behind each thread.
const BLOCKS_AHEAD: usize = 1;
/// How many times larger blocks are of which most lines are screened: nothing is made of those, so what counts is how often the threads have to meet.
const SCREENED_TIMES: usize = 4;
/// A block takes a millisecond. Whoever waits so much longer has a slow disk, and hands on what there is.
const PATIENCE: Duration = Duration::from_millis(10);

/// How far a crew has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Lines read, those before the crew came included.
    pub(crate) lines: u64,
    /// Where the next line begins.
    pub(crate) offset: u64,
    /// Up to where the file has been read and counted.
    pub(crate) counted: u64,
}

/// Why a crew ended early.
#[derive(Debug)]
pub(crate) enum Trouble {
    Break(Break),
    /// Reading failed.
    Read(io::Error),
}

impl From<Break> for Trouble {
    fn from(end: Break) -> Self {
        Self::Break(end)
    }
}

/// Reads `blocks` and decides on their lines at `desk`; `progress` begins where they begin.
pub(crate) fn read(
    mut blocks: Blocks<'_>,
    desk: &mut Desk<'_>,
    feed: &mut Feed,
    progress: &mut Progress,
) -> Result<(), Trouble> {
    let plan = desk.plan();
    if plan.screen.is_some() {
        blocks.block_bytes = blocks.block_bytes.saturating_mul(SCREENED_TIMES);
    }
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(THREADS_MAX) as u64;
    let shared = Shared {
        numbers: feed.encodes().then(|| Numbers::new(progress.lines)),
        buffers: Mutex::default(),
        encoded: Spares::default(),
    };
    thread::scope(|scope| {
        let mut queues = Vec::new();
        for first in 0..threads {
            let (sender, queue) = sync_channel(BLOCKS_AHEAD);
            let (plan, shared) = (&plan, &shared);
            let work = move || work(blocks, first, threads, plan, shared, &sender);
            thread::Builder::new()
                .name("reader-crew".to_owned())
                .spawn_scoped(scope, work)
                .map_err(Trouble::Read)?;
            queues.push(queue);
        }
        collect(blocks, &queues, &plan, &shared, desk, feed, progress)
    })
}

/// What the threads share.
struct Shared {
    /// None, if line numbers are not needed before the blocks are collected.
    numbers: Option<Numbers>,
    /// Buffers of blocks, to be used again as they are.
    buffers: Mutex<Vec<Vec<u8>>>,
    /// Records that have been written.
    encoded: Spares,
}

fn work(
    blocks: Blocks<'_>,
    first: u64,
    threads: u64,
    plan: &Plan,
    shared: &Shared,
    queue: &SyncSender<io::Result<Sifted>>,
) {
    let mut sieve = Sifter::new(plan);
    let mut index = first;
    while index < blocks.count() {
        let buffer = lock(&shared.buffers).pop().unwrap_or_default();
        let sifted = match blocks.read(index, buffer) {
            Ok(block) => {
                let numbers = |lines| match &shared.numbers {
                    None => Some(None),
                    Some(numbers) => numbers.take(index, lines).map(Some),
                };
                let Some(sifted) = sieve.sift(block, numbers, &shared.encoded) else { return };
                Ok(sifted)
            }
            Err(error) => Err(error),
        };
        let is_end = sifted.as_ref().map_or(true, |sifted| sifted.block.is_last);
        if queue.send(sifted).is_err() || is_end {
            break;
        }
        index += threads;
    }
    // Nobody shall wait for the numbers of the blocks that were not read.
    if index < blocks.count()
        && let Some(numbers) = &shared.numbers
    {
        numbers.close();
    }
}

fn collect(
    blocks: Blocks<'_>,
    queues: &[Receiver<io::Result<Sifted>>],
    plan: &Plan,
    shared: &Shared,
    desk: &mut Desk<'_>,
    feed: &mut Feed,
    progress: &mut Progress,
) -> Result<(), Trouble> {
    for (_, queue) in (0..blocks.count()).zip(queues.iter().cycle()) {
        let sifted = match queue.recv_timeout(PATIENCE) {
            Err(RecvTimeoutError::Timeout) => {
                feed.flush().map_err(Break::from)?;
                queue.recv().ok()
            }
            received => received.ok(),
        };
        // Its thread has ended only if an earlier block was the last.
        let Some(sifted) = sifted else { return Ok(()) };
        let sifted = sifted.map_err(Trouble::Read)?;
        if feed.context().is_draining() {
            return Ok(());
        }
        let is_last = sifted.block.is_last;
        let buffer = give(sifted, plan, shared, desk, feed, progress)?;
        if let Some(more) = progress.offset.checked_sub(progress.counted) {
            feed.context().tally().read_bytes(more);
            progress.counted = progress.offset;
        }
        match buffer {
            Some(buffer) if !is_last => lock(&shared.buffers).push(buffer),
            _ => return Ok(()),
        }
    }
    Ok(())
}

/// Hands on what was made of a block, and gives back its buffer; none, if the plan is no longer what is known of the log.
fn give(
    sifted: Sifted,
    plan: &Plan,
    shared: &Shared,
    desk: &mut Desk<'_>,
    feed: &mut Feed,
    progress: &mut Progress,
) -> Result<Option<Vec<u8>>, Break> {
    let Sifted { block, found, mut encoded, rows, lines } = sifted;
    let mut rows = rows.into_iter();
    let place = |line: &Place| joins::Place {
        number: progress.lines + line.before + 1,
        offset: block.offset + line.text.start as u64,
    };
    // What of `encoded` is to be handed on, and how many records that is.
    let (mut ready, mut records) = (0..0, 0);
    for found in found {
        match found {
            Found::Screened(lines) => feed.screened_lines(lines),
            Found::Record { line, id, format, exchange } => {
                let text = &block.bytes[line.text.clone()];
                desk.record(id, place(&line), plan.formats[format].name(), text, *exchange, feed)?;
            }
            Found::Encoded(count) => {
                for row in rows.by_ref().take(count) {
                    let ordinal = desk.counter.ordinal(row.key);
                    if ordinal > 0 {
                        let id = RecordId::of_line(&block.bytes[row.text], ordinal);
                        Encoder::rename(&mut encoded[ready.end..row.end], id);
                    }
                    ready.end = row.end;
                }
                records += count as u64;
            }
            Found::Odd { line, cut } => {
                if records > 0 {
                    feed.encoded(Encoded { bytes: encoded[ready.clone()].to_vec(), records, spares: None })?;
                    (ready.start, records) = (ready.end, 0);
                }
                let joins::Place { number, offset } = place(&line);
                let text = &block.bytes[line.text.clone()];
                desk.take(&Line { number, offset, text, cut }, feed)?;
                if desk.has_changed() {
                    (progress.lines, progress.offset) = (number, block.offset + line.end as u64);
                    return Ok(None);
                }
            }
        }
    }
    if records > 0 {
        encoded.truncate(ready.end);
        encoded.drain(..ready.start);
        feed.encoded(Encoded { bytes: encoded, records, spares: Some(shared.encoded.clone()) })?;
    }
    progress.lines += lines;
    progress.offset = block.end().unwrap_or(progress.offset);
    Ok(Some(block.bytes))
}

/// How many lines stand before each block: told in the order of the blocks.
struct Numbers {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// The block whose turn it is, and the lines before it.
    index: u64,
    lines: u64,
    is_closed: bool,
}

impl Numbers {
    fn new(lines: u64) -> Self {
        Self { state: Mutex::new(State { index: 0, lines, is_closed: false }), changed: Condvar::new() }
    }

    /// The lines before block `index`, which has so many itself. Waits for the blocks before it; none, if they will not come.
    fn take(&self, index: u64, lines: u64) -> Option<u64> {
        let mut state = lock(&self.state);
        while state.index != index && !state.is_closed {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.is_closed {
            return None;
        }
        let before = state.lines;
        state.index += 1;
        state.lines += lines;
        self.changed.notify_all();
        Some(before)
    }

    fn close(&self) {
        lock(&self.state).is_closed = true;
        self.changed.notify_all();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
