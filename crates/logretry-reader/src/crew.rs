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
use std::sync::{Arc, Condvar, Mutex, PoisonError};
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
/// Parts of blocks that wait behind each thread: with one more in its hand, more than half a block, so that no thread waits while another one has its turn.
const PARTS_AHEAD: usize = 2;
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
        desk.begin_unread(blocks.file, (progress.lines, progress.offset)).map_err(Trouble::Read)?;
    }
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    // Where every line becomes a record on a pipe, each thread waits now and then, for the pipe or for its turn: with one more its core need not wait with it.
    let one_more = feed.encodes() && plan.screen.is_none();
    let threads = (cores + usize::from(one_more)).min(THREADS_MAX) as u64;
    let shared = Shared {
        numbers: feed.encodes().then(|| Numbers::new(progress.lines)),
        buffers: Mutex::default(),
        encoded: Spares::default(),
    };
    let read = thread::scope(|scope| {
        let mut queues = Vec::new();
        for first in 0..threads {
            let (sender, queue) = sync_channel(PARTS_AHEAD);
            let (plan, shared) = (&plan, &shared);
            let work = move || work(blocks, first, threads, plan, shared, &sender);
            let thread = thread::Builder::new().name("reader-crew".to_owned()).spawn_scoped(scope, work);
            if thread.is_err() {
                break;
            }
            queues.push(queue);
        }
        // Where the system has no thread left, those that there are would wait for the blocks of those that there are not. One thread reads on alone.
        let is_whole = queues.len() as u64 == threads;
        let read =
            if is_whole { collect(blocks, &queues, &plan, &shared, desk, feed, progress) } else { Ok(()) };
        shared.close();
        read
    });
    desk.end_unread(progress.offset);
    read
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

impl Shared {
    /// Nobody waits for the numbers of blocks any more.
    fn close(&self) {
        self.numbers.iter().for_each(Numbers::close);
    }
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
    'blocks: while index < blocks.count() {
        let buffer = lock(&shared.buffers).pop().unwrap_or_default();
        let block = match blocks.read(index, buffer) {
            Ok(block) => block,
            Err(error) => {
                let _ = queue.send(Err(error));
                break;
            }
        };
        let is_last = block.is_last;
        let lines = sieve.choose(block);
        let lines_before = match &shared.numbers {
            None => None,
            Some(numbers) => match numbers.take(index, lines) {
                None => return,
                before => before,
            },
        };
        while let Some(sifted) = sieve.sift(lines_before, &shared.encoded) {
            if queue.send(Ok(sifted)).is_err() {
                break 'blocks;
            }
        }
        if is_last {
            break;
        }
        index += threads;
    }
    // Nobody shall wait for the numbers of the blocks that were not read.
    if index < blocks.count() {
        shared.close();
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
        let mut is_whole = false;
        while !is_whole {
            // Its thread has ended only if an earlier block was the last.
            let Some(sifted) = next(queue, feed)? else { return Ok(()) };
            if feed.context().is_draining() {
                return Ok(());
            }
            is_whole = sifted.lines.is_some();
            let block = Arc::clone(&sifted.block);
            let goes_on = give(sifted, plan, shared, desk, feed, progress)?;
            if let Some(more) = progress.offset.checked_sub(progress.counted) {
                feed.context().tally().read_bytes(more);
                progress.counted = progress.offset;
            }
            if !goes_on || (is_whole && block.is_last) {
                return Ok(());
            }
            if let Some(block) = Arc::into_inner(block) {
                lock(&shared.buffers).push(block.bytes);
            }
        }
    }
    Ok(())
}

/// What a thread has made next; none, if it has ended.
fn next(queue: &Receiver<io::Result<Sifted>>, feed: &mut Feed) -> Result<Option<Sifted>, Trouble> {
    let sifted = match queue.recv_timeout(PATIENCE) {
        Err(RecvTimeoutError::Timeout) => {
            feed.flush().map_err(Break::from)?;
            queue.recv().ok()
        }
        received => received.ok(),
    };
    sifted.transpose().map_err(Trouble::Read)
}

/// Hands on what was made of a part of a block; whether the plan is still what is known of the log.
fn give(
    sifted: Sifted,
    plan: &Plan,
    shared: &Shared,
    desk: &mut Desk<'_>,
    feed: &mut Feed,
    progress: &mut Progress,
) -> Result<bool, Break> {
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
                        Encoder::name(&mut encoded[ready.end..row.end], id);
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
                    return Ok(false);
                }
            }
        }
    }
    if records > 0 {
        encoded.truncate(ready.end);
        encoded.drain(..ready.start);
        feed.encoded(Encoded { bytes: encoded, records, spares: Some(shared.encoded.clone()) })?;
    }
    if let Some(lines) = lines {
        progress.lines += lines;
        progress.offset = block.end().unwrap_or(progress.offset);
    }
    Ok(true)
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
