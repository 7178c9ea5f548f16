//! The way to the thread that writes.
//!
//! Jobs gather while it is at a group, and it takes all that there are. If it rests, the first one wakes it; and where several senders wait at a
//! time, it lets [`GATHER`] pass before it looks: the first event that comes would else have a commit of its own, while those behind it are just being
//! handed in.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::group::{Owed, Seat};
use crate::ticket::{Failure, thread_is_gone};
use crate::writer::Job;

/// How long a group gathers. A request to another machine takes longer, and so does a sync.
const GATHER: Duration = Duration::from_micros(100);

/// Jobs of one commit, and who waits for it.
#[derive(Debug, Default)]
pub(crate) struct Handed {
    pub(crate) jobs: Vec<Job>,
    pub(crate) group: Owed,
}

/// The queue of a ledger.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    papers: Mutex<Papers>,
    bell: Condvar,
}

#[derive(Debug, Default)]
struct Papers {
    handed: Handed,
    rests: bool,
    /// Nothing comes any more.
    closed: bool,
    /// The thread has ended.
    gone: bool,
}

impl Queue {
    /// Hands a job in.
    pub(crate) fn hand(&self, job: Job) -> Result<(), Failure> {
        self.put(job, |_| ())
    }

    /// Hands a job in, whose commit is waited for.
    pub(crate) fn hand_and_wait(&self, job: Job) -> Result<Seat, Failure> {
        self.put(job, Owed::seat)
    }

    fn put<T>(&self, job: Job, seat: impl FnOnce(&mut Owed) -> T) -> Result<T, Failure> {
        let mut papers = self.papers();
        if papers.closed || papers.gone {
            return Err(thread_is_gone());
        }
        papers.handed.jobs.push(job);
        let seat = seat(&mut papers.handed.group);
        let rests = std::mem::take(&mut papers.rests);
        drop(papers);
        if rests {
            self.bell.notify_one();
        }
        Ok(seat)
    }

    /// Says that nothing comes any more.
    pub(crate) fn close(&self) {
        self.papers().closed = true;
        self.bell.notify_one();
    }

    fn papers(&self) -> MutexGuard<'_, Papers> {
        // Each change of it is whole.
        self.papers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the thread that writes finds in its queue.
#[derive(Debug)]
pub(crate) enum Found {
    Jobs(Handed),
    /// Nothing came for so long.
    Nothing,
    /// Nothing comes any more.
    End,
}

/// The thread's end of the queue. When it is dropped, whoever waits is told so.
#[derive(Debug)]
pub(crate) struct Tray {
    queue: Arc<Queue>,
    /// Whether several waited for the last group.
    is_busy: bool,
}

impl Tray {
    pub(crate) fn new(queue: Arc<Queue>) -> Self {
        Self { queue, is_busy: false }
    }

    /// Waits for jobs, so long at most.
    pub(crate) fn take(&mut self, wait: Duration) -> Found {
        let mut papers = self.queue.papers();
        if papers.handed.jobs.is_empty() && !papers.closed {
            papers.rests = true;
            let waits = |papers: &mut Papers| papers.handed.jobs.is_empty() && !papers.closed;
            (papers, _) = self
                .queue
                .bell
                .wait_timeout_while(papers, wait, waits)
                .unwrap_or_else(PoisonError::into_inner);
            papers.rests = false;
        }
        if papers.handed.jobs.is_empty() {
            return if papers.closed { Found::End } else { Found::Nothing };
        }
        if self.is_busy && !papers.closed {
            drop(papers);
            thread::sleep(GATHER);
            papers = self.queue.papers();
        }
        let handed = std::mem::take(&mut papers.handed);
        drop(papers);
        self.is_busy = handed.group.seats() > 1;
        Found::Jobs(handed)
    }
}

impl Drop for Tray {
    fn drop(&mut self) {
        let mut papers = self.queue.papers();
        papers.gone = true;
        let handed = std::mem::take(&mut papers.handed);
        // Whoever is woken by that may look into the queue.
        drop(papers);
        drop(handed);
    }
}
