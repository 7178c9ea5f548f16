//! The way to the thread that writes.
//!
//! Events gather while it is at a group, and it takes all that there are. What wakes it, and when, is dear: it has to be told by a system call, what it
//! writes is whole pages whether they are full or not, and on a busy machine it takes the processor from the very thread that is handing in the next event.
//!
//! - What nobody waits for is not written at once, but with what comes next that somebody waits for, or after [`UNPRESSED`].
//! - Where several wait at a time, the thread does not let itself be woken, but looks every [`GATHER`].

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::event::Events;
use crate::group::{Owed, Seat};
use crate::ticket::{Failure, thread_is_gone};
use crate::writer::Job;

/// How long a group gathers where several wait. A request to another machine takes longer.
const GATHER: Duration = Duration::from_micros(200);

/// The same where groups are synced, for they gather while another one is.
const GATHER_SYNCED: Duration = Duration::from_micros(100);

/// How long events that nobody waits for lie there before they are written all the same.
const UNPRESSED: Duration = Duration::from_millis(1);

/// After so many groups for each of which one waits at most, several do not wait at a time any more.
const BUSY_GROUPS: u32 = 8;

/// Events of one commit, who waits for it, and jobs that are done after it.
#[derive(Debug, Default)]
pub(crate) struct Handed {
    pub(crate) events: Events,
    pub(crate) group: Owed,
    pub(crate) jobs: Vec<Job>,
}

impl Handed {
    fn is_empty(&self) -> bool {
        self.events.is_empty() && self.jobs.is_empty()
    }
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
    /// Whether anybody waits for what was handed in.
    presses: bool,
    rest: Rest,
    /// Nothing comes any more.
    closed: bool,
    /// The thread has ended.
    gone: bool,
}

/// Whether the thread sleeps, and what wakes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Rest {
    #[default]
    None,
    UntilPressed,
    UntilAnything,
}

impl Queue {
    /// Takes an event that nobody waits for: it has time, see [`Tray::take`].
    pub(crate) fn note(&self, put: impl FnOnce(&mut Events)) -> Result<(), Failure> {
        self.put(false, |handed| put(&mut handed.events))
    }

    /// Takes an event whose commit is waited for; `synced` says whether its sync is.
    pub(crate) fn note_and_wait(&self, synced: bool, put: impl FnOnce(&mut Events)) -> Result<Seat, Failure> {
        self.put(true, |handed| {
            put(&mut handed.events);
            handed.events.synced |= synced;
            handed.group.seat()
        })
    }

    /// Hands a job in.
    pub(crate) fn hand(&self, job: Job) -> Result<(), Failure> {
        self.put(true, |handed| handed.jobs.push(job))
    }

    fn put<T>(&self, presses: bool, put: impl FnOnce(&mut Handed) -> T) -> Result<T, Failure> {
        let mut papers = self.papers();
        if papers.closed || papers.gone {
            return Err(thread_is_gone());
        }
        let answer = put(&mut papers.handed);
        papers.presses |= presses;
        let rings = match papers.rest {
            Rest::None => false,
            Rest::UntilPressed => presses,
            Rest::UntilAnything => true,
        };
        if rings {
            papers.rest = Rest::None;
        }
        drop(papers);
        if rings {
            self.bell.notify_one();
        }
        Ok(answer)
    }

    /// Says that nothing comes any more.
    pub(crate) fn close(&self) {
        self.papers().closed = true;
        self.bell.notify_one();
    }

    /// Lets the thread sleep until it is woken, so long at most.
    fn rest<'a>(
        &'a self,
        mut papers: MutexGuard<'a, Papers>,
        rest: Rest,
        wait: Duration,
    ) -> MutexGuard<'a, Papers> {
        papers.rest = rest;
        let waits = |papers: &mut Papers| papers.rest != Rest::None && !papers.closed;
        (papers, _) =
            self.bell.wait_timeout_while(papers, wait, waits).unwrap_or_else(PoisonError::into_inner);
        papers.rest = Rest::None;
        papers
    }

    fn papers(&self) -> MutexGuard<'_, Papers> {
        // Each change of it is whole.
        self.papers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the thread that writes finds in its queue.
#[derive(Debug)]
pub(crate) enum Found {
    Work(Handed),
    /// Nothing came for so long.
    Nothing,
    /// Nothing comes any more.
    End,
}

/// The thread's end of the queue. When it is dropped, whoever waits is told so.
#[derive(Debug)]
pub(crate) struct Tray {
    queue: Arc<Queue>,
    /// For how many groups more it is taken for granted that several wait at a time.
    busy: u32,
    gather: Duration,
    /// Events that are written, and their memory.
    spare: Events,
}

impl Tray {
    pub(crate) fn new(queue: Arc<Queue>) -> Self {
        Self { queue, busy: 0, gather: GATHER, spare: Events::default() }
    }

    /// Waits for work, so long at most.
    pub(crate) fn take(&mut self, wait: Duration) -> Found {
        let queue = Arc::clone(&self.queue);
        let mut papers = queue.papers();
        if self.busy > 0 || !papers.handed.is_empty() {
            papers = self.let_gather(papers, &queue, wait);
        }
        if papers.handed.is_empty() && !papers.closed {
            papers = queue.rest(papers, Rest::UntilAnything, wait);
            if !papers.handed.is_empty() {
                papers = self.let_gather(papers, &queue, wait);
            }
        }
        if papers.handed.is_empty() {
            return if papers.closed { Found::End } else { Found::Nothing };
        }
        let fresh = Handed { events: std::mem::take(&mut self.spare), ..Handed::default() };
        let handed = std::mem::replace(&mut papers.handed, fresh);
        papers.presses = false;
        drop(papers);
        self.gather = if handed.events.synced { GATHER_SYNCED } else { GATHER };
        self.busy = match handed.group.seats() {
            0 => self.busy,
            1 => self.busy.saturating_sub(1),
            _ => BUSY_GROUPS,
        };
        Found::Work(handed)
    }

    /// Gives a group its time: until somebody waits for it, and where several do so at a time, for them all to come.
    fn let_gather<'a>(
        &self,
        mut papers: MutexGuard<'a, Papers>,
        queue: &'a Queue,
        wait: Duration,
    ) -> MutexGuard<'a, Papers> {
        let (start, patience) = (Instant::now(), wait.min(UNPRESSED));
        if self.busy == 0 && !papers.presses {
            return queue.rest(papers, Rest::UntilPressed, patience);
        }
        while self.busy > 0 && !papers.closed {
            drop(papers);
            thread::sleep(self.gather);
            papers = queue.papers();
            if papers.presses || start.elapsed() >= patience {
                break;
            }
        }
        papers
    }

    /// Gives back the memory of events that are written.
    pub(crate) fn give_back(&mut self, mut events: Events) {
        events.clear();
        self.spare = events;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Head, Kind};

    fn put(events: &mut Events) {
        events.push_line(Head::now(Kind::Line, None, 0), b"line");
    }

    /// How many events the next group has.
    fn taken(tray: &mut Tray) -> usize {
        let Found::Work(handed) = tray.take(Duration::from_secs(60)) else {
            panic!("something was handed in")
        };
        let number = handed.events.iter().count();
        tray.give_back(handed.events);
        number
    }

    #[test]
    fn what_nobody_waits_for_is_written_all_the_same() {
        let queue = Arc::<Queue>::default();
        let mut tray = Tray::new(Arc::clone(&queue));
        queue.note(put).expect("it is open");
        assert_eq!(taken(&mut tray), 1);
        queue.note(put).expect("it is open");
        let seat = queue.note_and_wait(false, put).expect("it is open");
        assert_eq!(taken(&mut tray), 2, "they come together");
        drop(seat);
        assert!(matches!(tray.take(Duration::ZERO), Found::Nothing));
        queue.close();
        assert!(matches!(tray.take(Duration::from_secs(60)), Found::End));
        assert!(queue.note(put).is_err());
    }

    #[test]
    fn whoever_waits_wakes_the_thread_also_from_its_rest() {
        let queue = Arc::<Queue>::default();
        let mut tray = Tray::new(Arc::clone(&queue));
        thread::scope(|scope| {
            let thread = scope.spawn(|| (0..200).map(|_| taken(&mut tray)).sum::<usize>());
            let mut handed = 0;
            while !thread.is_finished() {
                let unpressed = queue.note(put);
                let seats = [queue.note_and_wait(false, put), queue.note_and_wait(true, put)];
                handed += 3;
                drop((unpressed, seats));
                thread::yield_now();
            }
            let taken = thread.join().expect("no panic");
            assert!((200..=handed).contains(&taken), "{taken} of {handed}");
        });
    }
}
