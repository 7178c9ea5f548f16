//! Where jobs and their ends lie, between the one who hands them out and those who do them.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

#[derive(Debug)]
pub(super) struct Desk<J, E>(Mutex<Papers<J, E>>);

#[derive(Debug)]
pub(super) struct Papers<J, E> {
    jobs: VecDeque<J>,
    pub(super) ends: VecDeque<E>,
    /// Jobs for which nobody has been called.
    pub(super) new: usize,
    /// Jobs whose ends do not lie here yet.
    pub(super) under_way: usize,
    /// Places of the tasks that rest; who rested last has its memory still at hand, and is woken first.
    resting: Vec<usize>,
    /// Of each place, while its task rests.
    wakers: Vec<Option<Waker>>,
    pub(super) foreman: Option<Waker>,
    /// Whoever waits for an end.
    pub(super) waits: Option<Waker>,
    /// Nobody hands out jobs any more.
    pub(super) is_closed: bool,
    /// The foreman has gone before that: a task has panicked.
    is_deserted: bool,
}

/// What lay on a desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    Ends(usize),
    /// Nothing, and nothing will come: a task has panicked.
    Nobody,
}

impl<J, E> Default for Desk<J, E> {
    fn default() -> Self {
        Self(Mutex::new(Papers {
            jobs: VecDeque::new(),
            ends: VecDeque::new(),
            new: 0,
            under_way: 0,
            resting: Vec::new(),
            wakers: Vec::new(),
            foreman: None,
            waits: None,
            is_closed: false,
            is_deserted: false,
        }))
    }
}

impl<J, E> Papers<J, E> {
    /// Who is to be woken for a job: the task that rested last.
    pub(super) fn call(&mut self) -> Option<Waker> {
        let place = self.resting.pop()?;
        self.wakers[place].take()
    }

    pub(super) fn add_place(&mut self) -> usize {
        self.wakers.push(None);
        self.wakers.len() - 1
    }
}

#[cfg(test)]
impl<J, E> Papers<J, E> {
    /// Tasks that there are.
    pub(super) fn places(&self) -> usize {
        self.wakers.len()
    }
}

impl<J, E> Desk<J, E> {
    pub(super) fn open(&self) -> MutexGuard<'_, Papers<J, E>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts all of `jobs` there.
    pub(super) fn put(&self, jobs: &mut VecDeque<J>) {
        let mut papers = self.open();
        papers.new += jobs.len();
        papers.under_way += jobs.len();
        move_into(&mut papers.jobs, jobs);
        let foreman = papers.foreman.take();
        drop(papers);
        foreman.into_iter().for_each(Waker::wake);
    }

    /// Moves the ends that lie there into `ends`. If there are none, `waits` is woken when one comes.
    pub(super) fn collect(&self, ends: &mut VecDeque<E>, waits: Option<&Waker>) -> Found {
        let mut papers = self.open();
        let found = papers.ends.len();
        move_into(ends, &mut papers.ends);
        if papers.is_deserted && found == 0 {
            return Found::Nobody;
        }
        papers.waits = waits.filter(|_| found == 0).cloned();
        Found::Ends(found)
    }

    /// Sends everybody home.
    pub(super) fn close(&self) {
        let mut papers = self.open();
        papers.is_closed = true;
        let foreman = papers.foreman.take();
        drop(papers);
        foreman.into_iter().for_each(Waker::wake);
    }

    /// Everybody has gone.
    pub(super) fn desert(&self) {
        let mut papers = self.open();
        papers.is_deserted = true;
        let waits = papers.waits.take();
        drop(papers);
        waits.into_iter().for_each(Waker::wake);
    }

    /// The next job, for the task at `place`.
    pub(super) async fn take(&self, place: usize) -> J {
        poll_fn(|cx| {
            let mut papers = self.open();
            if let Some(job) = papers.jobs.pop_front() {
                return Poll::Ready(job);
            }
            if papers.wakers[place].replace(cx.waker().clone()).is_none() {
                papers.resting.push(place);
            }
            Poll::Pending
        })
        .await
    }

    pub(super) fn end(&self, end: E) {
        let mut papers = self.open();
        papers.ends.push_back(end);
        papers.under_way -= 1;
        // Whoever waits is not woken before the foreman has his turn, behind all who are about to end.
        let foreman = if papers.waits.is_some() { papers.foreman.take() } else { None };
        drop(papers);
        foreman.into_iter().for_each(Waker::wake);
    }
}

/// Appends all of `from`. Where nothing is there, which is nearly always so, that copies nothing.
fn move_into<T>(to: &mut VecDeque<T>, from: &mut VecDeque<T>) {
    if to.is_empty() {
        std::mem::swap(to, from);
    } else {
        to.append(from);
    }
}
