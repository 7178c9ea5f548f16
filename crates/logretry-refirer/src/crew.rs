//! The tasks that send.
//!
//! ```text
//!         jobs, as many as there are            one each
//!   Crew ───────────────────────────▶ Foreman ───────────▶ Tasks
//!        ◀───────────────────────────         ◀───────────
//! ```
//!
//! A request needs a task of its own, so that it goes on while nobody asks the stage for more. But a new task for each is an allocation
//! of its size, and a switch more. So the tasks stay, and take the next job when there is one: as many as ever were under way at once.
//!
//! Tasks of many requests are spread over threads, each with a runtime of its own ([`hall`]): to send is most of the work of a run. To wake
//! another thread costs as much as a small part of a request, so jobs and ends cross over in batches, and a foreman calls the tasks.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;

use tokio::task::JoinSet;

mod desk;
mod hall;

use desk::{Desk, Found};

/// Tasks that bring each job to its end. Dropped, it ends them, whatever they are at; those in threads are gone then.
#[derive(Debug)]
pub(crate) struct Crew<J, E> {
    halls: Vec<Hall<J, E>>,
    /// Foremen without a thread of their own.
    here: JoinSet<()>,
    ends: VecDeque<E>,
    under_way: usize,
}

#[derive(Debug)]
struct Hall<J, E> {
    desk: Arc<Desk<J, E>>,
    thread: Option<thread::JoinHandle<()>>,
    /// Jobs that are to be handed over next.
    next: VecDeque<J>,
    under_way: usize,
}

impl<J: Send + 'static, E: Send + 'static> Crew<J, E> {
    /// A crew in threads of its own, one for each of `works`, by which its jobs are done; `here` is for a system that has no thread left, or if there are no `works`: the tasks are then among
    /// those of the caller's runtime.
    pub(crate) fn new<W, F>(works: impl IntoIterator<Item = W>, here: W) -> Self
    where
        W: Fn(J) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = E> + Send + 'static,
    {
        let halls = works.into_iter().map_while(|work| {
            let desk = Arc::default();
            let thread = hall::open(&desk, work).ok()?;
            Some(Hall { desk, thread: Some(thread), next: VecDeque::new(), under_way: 0 })
        });
        let mut crew =
            Self { halls: halls.collect(), here: JoinSet::new(), ends: VecDeque::new(), under_way: 0 };
        if crew.halls.is_empty() {
            let desk = Arc::default();
            crew.here.spawn(hall::oversee(Arc::clone(&desk), here));
            crew.halls.push(Hall { desk, thread: None, next: VecDeque::new(), under_way: 0 });
        }
        crew
    }
}

impl<J, E> Crew<J, E> {
    /// Jobs that were handed over and whose ends have not been taken.
    pub(crate) fn under_way(&self) -> usize {
        self.under_way
    }

    /// Takes a job, which begins with all others at the next [`Crew::begin`] or [`Crew::wait`].
    pub(crate) fn hand(&mut self, job: J) {
        self.under_way += 1;
        if let Some(hall) = self.halls.iter_mut().min_by_key(|hall| hall.under_way) {
            hall.under_way += 1;
            hall.next.push_back(job);
        }
    }

    /// Lets the jobs begin that were handed over.
    pub(crate) fn begin(&mut self) {
        for hall in self.halls.iter_mut().filter(|hall| !hall.next.is_empty()) {
            hall.desk.put(&mut hall.next);
        }
    }

    /// The end of a job, if there is one.
    pub(crate) fn ended(&mut self) -> Option<E> {
        if self.ends.is_empty() {
            self.collect(None);
        }
        let end = self.ends.pop_front()?;
        self.under_way -= 1;
        Some(end)
    }

    /// Waits until the end of a job is there; for ever if nothing is under way. A task that panics does so here as well.
    pub(crate) async fn wait(&mut self) {
        poll_fn(|cx| self.poll_ends(cx)).await;
    }

    fn poll_ends(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.begin();
        if let Poll::Ready(Some(Err(error))) = self.here.poll_join_next(cx) {
            std::panic::resume_unwind(error.into_panic());
        }
        if self.ends.is_empty() {
            self.collect(Some(cx.waker()));
        }
        if self.ends.is_empty() { Poll::Pending } else { Poll::Ready(()) }
    }

    fn collect(&mut self, waits: Option<&Waker>) {
        for hall in &mut self.halls {
            match hall.desk.collect(&mut self.ends, waits) {
                Found::Ends(found) => hall.under_way -= found,
                Found::Nobody => {
                    if let Some(Err(panic)) = hall.thread.take().map(thread::JoinHandle::join) {
                        std::panic::resume_unwind(panic);
                    }
                }
            }
        }
    }
}

impl<J, E> Drop for Crew<J, E> {
    fn drop(&mut self) {
        self.halls.iter().for_each(|hall| hall.desk.close());
        for thread in self.halls.iter_mut().filter_map(|hall| hall.thread.take()) {
            // If it has panicked, somebody is told about that already, or wants to hear nothing any more.
            drop(thread.join());
        }
    }
}

#[cfg(test)]
mod tests;
