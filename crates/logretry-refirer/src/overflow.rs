//! What waits on disk: queues of bytes, all in one file without a name.
//!
//! A host that is slow and has most of a long log's lines would fill the memory, and then nobody would read on to where the others'
//! lines stand. So what waits for it goes on here. Each host has a queue; entries come out of it as they went in.
//!
//! ```text
//!   file    │ block 0 │ block 1 │ block 2 │ block 3 │ …          64 KiB each
//!   slow      2 ──▶ 0                        reads in 2, writes in 0
//!   dead      3                              block 1 is free, and the next that anybody takes
//! ```
//!
//! A queue takes a block when it needs one and gives it back when it has read it, so the file is as large as what waited at once, however long the log is; and
//! of each block there are four bytes in memory. One file is enough for all, so that hosts cost no descriptors.
//!
//! Records hold whatever the log holds, secrets included: the file belongs to its owner only, has no name, and is gone with the process, however that ends. It is
//! not synced, for nobody reads it after a crash: what waits here has not been sent, and the log still has it.
//!
//! Reading and writing are not handed to another thread. They are of single records, to and from pages that the system keeps in memory; and whoever reads ahead lets
//! those that have requests under way have their turn every few records.

use std::collections::VecDeque;
use std::fmt;
use std::io;

mod disk;

#[cfg(test)]
pub(crate) use disk::tests::{DISK, Failing};
pub(crate) use disk::{Disk, Open, open};

/// Bytes of a block: some hundred records.
const BLOCK_BYTES: usize = 64 << 10;
/// Bytes before an entry that hold its length.
const LENGTH_BYTES: usize = size_of::<u32>();

/// The file, and who has which block of it.
pub(crate) struct Overflow {
    state: State,
    /// Blocks that the file may have.
    blocks_max: u32,
    /// Blocks that it has.
    blocks: u32,
    free: Vec<u32>,
    entries: usize,
    scratch: Vec<u8>,
}

enum State {
    Unopened(Open),
    Open(Box<dyn Disk>),
    /// Nothing more is written. What was written before can still be read.
    Failed(Option<Box<dyn Disk>>),
}

/// What waits of one host.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    blocks: VecDeque<u32>,
    /// Where the next entry begins in the first of them.
    begin: usize,
    bytes: usize,
    entries: usize,
}

/// Why an entry was not taken.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The limit is reached; there will be room again.
    Full,
    /// The disk failed, and is not written any more.
    Failed(io::Error),
}

impl Overflow {
    /// At most so many bytes, in a file that `open` gives when the first one comes.
    pub(crate) fn new(bytes_max: u64, open: Open) -> Self {
        let blocks_max = u32::try_from(bytes_max / BLOCK_BYTES as u64).unwrap_or(u32::MAX);
        Self {
            state: State::Unopened(open),
            blocks_max,
            blocks: 0,
            free: Vec::new(),
            entries: 0,
            scratch: Vec::new(),
        }
    }

    /// Whether there is room for more, as far as one knows.
    pub(crate) fn has_room(&self) -> bool {
        !matches!(self.state, State::Failed(_)) && self.room() > 0
    }

    /// Entries of all queues.
    pub(crate) fn entries(&self) -> usize {
        self.entries
    }

    /// Puts an entry at the end of `queue`. It is in there whole, or not at all.
    pub(crate) fn push(&mut self, queue: &mut Queue, entry: &[u8]) -> Result<(), Refused> {
        let length = u32::try_from(entry.len()).map_err(|_| Refused::Full)?;
        let end = queue.begin + queue.bytes;
        let missing = (end + LENGTH_BYTES + entry.len()).div_ceil(BLOCK_BYTES) - queue.blocks.len();
        if missing > self.room() {
            return Err(Refused::Full);
        }
        if let State::Unopened(open) = self.state {
            self.state = match open() {
                Ok(disk) => State::Open(disk),
                Err(error) => {
                    self.state = State::Failed(None);
                    return Err(Refused::Failed(error));
                }
            };
        }
        for _ in 0..missing {
            let block = self.free.pop().unwrap_or(self.blocks);
            self.blocks = self.blocks.max(block + 1);
            queue.blocks.push_back(block);
        }
        self.scratch.clear();
        self.scratch.extend_from_slice(&length.to_le_bytes());
        self.scratch.extend_from_slice(entry);
        if let Err(error) = self.write(queue, end) {
            let kept = queue.blocks.len() - missing;
            self.free.extend(queue.blocks.drain(kept..));
            self.state = match std::mem::replace(&mut self.state, State::Failed(None)) {
                State::Open(disk) => State::Failed(Some(disk)),
                state => state,
            };
            return Err(Refused::Failed(error));
        }
        queue.bytes += self.scratch.len();
        queue.entries += 1;
        self.entries += 1;
        Ok(())
    }

    /// Takes the first entry out of `queue`, in place of what `entry` holds. None says that there is none.
    pub(crate) fn pop(&mut self, queue: &mut Queue, entry: &mut Vec<u8>) -> io::Result<Option<()>> {
        if queue.entries == 0 {
            return Ok(None);
        }
        let mut length = [0; LENGTH_BYTES];
        self.read(queue, queue.begin, &mut length)?;
        let length = u32::from_le_bytes(length) as usize;
        if length > queue.bytes.saturating_sub(LENGTH_BYTES) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it does not hold what was written"));
        }
        entry.resize(length, 0);
        self.read(queue, queue.begin + LENGTH_BYTES, entry)?;
        queue.begin += LENGTH_BYTES + length;
        queue.bytes -= LENGTH_BYTES + length;
        queue.entries -= 1;
        self.entries -= 1;
        let read = if queue.entries == 0 { queue.blocks.len() } else { queue.begin / BLOCK_BYTES };
        self.free.extend(queue.blocks.drain(..read));
        queue.begin = if queue.entries == 0 { 0 } else { queue.begin % BLOCK_BYTES };
        self.shrink();
        Ok(Some(()))
    }

    /// Forgets what is in `queue`.
    pub(crate) fn clear(&mut self, queue: &mut Queue) {
        let Queue { blocks, entries, .. } = std::mem::take(queue);
        self.free.extend(blocks);
        self.entries -= entries;
        self.shrink();
    }

    /// Blocks that can be had.
    fn room(&self) -> usize {
        self.free.len() + (self.blocks_max.saturating_sub(self.blocks)) as usize
    }

    /// Gives the disk back what nobody needs, once nobody needs any of it.
    fn shrink(&mut self) {
        if self.free.len() == self.blocks as usize
            && let State::Open(disk) = &mut self.state
        {
            disk.clear();
            self.free.clear();
            self.blocks = 0;
        }
    }

    /// Writes what is in `scratch` to where `queue` has byte `at`.
    fn write(&mut self, queue: &Queue, at: usize) -> io::Result<()> {
        let State::Open(disk) = &mut self.state else { return Err(gone()) };
        let mut rest = &self.scratch[..];
        let mut at = at;
        while !rest.is_empty() {
            let (here, more) = rest.split_at(rest.len().min(BLOCK_BYTES - at % BLOCK_BYTES));
            disk.write_all_at(here, queue.place(at))?;
            at += here.len();
            rest = more;
        }
        Ok(())
    }

    fn read(&mut self, queue: &Queue, at: usize, bytes: &mut [u8]) -> io::Result<()> {
        let (State::Open(disk) | State::Failed(Some(disk))) = &mut self.state else { return Err(gone()) };
        let mut rest = bytes;
        let mut at = at;
        while !rest.is_empty() {
            let length = rest.len().min(BLOCK_BYTES - at % BLOCK_BYTES);
            let (here, more) = rest.split_at_mut(length);
            disk.read_exact_at(here, queue.place(at))?;
            at += length;
            rest = more;
        }
        Ok(())
    }
}

impl Queue {
    /// Whether nothing is in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// Where in the file its byte `at` stands, counted from the beginning of its first block.
    fn place(&self, at: usize) -> u64 {
        u64::from(self.blocks[at / BLOCK_BYTES]) * BLOCK_BYTES as u64 + (at % BLOCK_BYTES) as u64
    }
}

impl fmt::Debug for Overflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Overflow")
            .field("entries", &self.entries)
            .field("blocks", &self.blocks)
            .finish_non_exhaustive()
    }
}

/// For a queue with entries whose file was never opened, of which there is none.
fn gone() -> io::Error {
    io::Error::other("there is no such file")
}

#[cfg(test)]
mod tests;
