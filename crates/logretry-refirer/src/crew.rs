//! The tasks that send.
//!
//! A request needs a task of its own, so that it goes on while nobody asks the stage for more. But a new task for each is an allocation
//! of its size, and a switch more. So the tasks stay, and take the next job when there is one: as many as ever were under way at once.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use tokio::task::JoinSet;

/// Tasks that bring each job to its end by doing `W` with it. Dropped, it ends them, whatever they are at.
#[derive(Debug)]
pub(crate) struct Crew<J, E, W> {
    desk: Arc<Desk<J, E>>,
    tasks: JoinSet<()>,
    under_way: usize,
    work: W,
}

impl<J, E, W, F> Crew<J, E, W>
where
    J: Send + 'static,
    E: Send + 'static,
    W: Fn(J) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = E> + Send + 'static,
{
    pub(crate) fn new(work: W) -> Self {
        Self { desk: Arc::default(), tasks: JoinSet::new(), under_way: 0, work }
    }

    /// Jobs that were handed over and whose ends have not been taken.
    pub(crate) fn under_way(&self) -> usize {
        self.under_way
    }

    /// Hands a job over.
    pub(crate) fn hand(&mut self, job: J) {
        self.under_way += 1;
        // One task for each job under way is enough: whoever does not rest is at a job, or on his way to one.
        if let Some(waker) = self.desk.put(job) {
            waker.wake();
        } else if self.tasks.len() < self.under_way {
            let place = self.desk.open().add_place();
            self.tasks.spawn(serve(Arc::clone(&self.desk), place, self.work.clone()));
        }
    }

    /// The end of a job, if there is one.
    pub(crate) fn ended(&mut self) -> Option<E> {
        let end = self.desk.open().ends.pop_front()?;
        self.under_way -= 1;
        Some(end)
    }

    /// Waits until the end of a job is there; for ever if nothing is under way. A task that panics does so here as well.
    pub(crate) async fn wait(&mut self) {
        poll_fn(|cx| {
            if let Poll::Ready(Some(Err(error))) = self.tasks.poll_join_next(cx) {
                std::panic::resume_unwind(error.into_panic());
            }
            let mut desk = self.desk.open();
            if desk.ends.is_empty() {
                desk.waits = Some(cx.waker().clone());
                return Poll::Pending;
            }
            Poll::Ready(())
        })
        .await;
    }
}

async fn serve<J, E, F: Future<Output = E>>(desk: Arc<Desk<J, E>>, place: usize, work: impl Fn(J) -> F) {
    loop {
        let end = work(desk.take(place).await).await;
        desk.end(end);
    }
}

/// Where jobs and their ends lie.
#[derive(Debug)]
struct Desk<J, E>(Mutex<Papers<J, E>>);

#[derive(Debug)]
struct Papers<J, E> {
    jobs: VecDeque<J>,
    ends: VecDeque<E>,
    /// Places of the tasks that rest; who rested last has its memory still at hand, and is woken first.
    resting: Vec<usize>,
    /// Of each place, while its task rests.
    wakers: Vec<Option<Waker>>,
    /// Whoever waits for an end.
    waits: Option<Waker>,
}

impl<J, E> Default for Desk<J, E> {
    fn default() -> Self {
        let (jobs, ends) = (VecDeque::new(), VecDeque::new());
        Self(Mutex::new(Papers { jobs, ends, resting: Vec::new(), wakers: Vec::new(), waits: None }))
    }
}

impl<J, E> Desk<J, E> {
    fn open(&self) -> MutexGuard<'_, Papers<J, E>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a job there. Gives the task that is to be woken for it, if one rests.
    fn put(&self, job: J) -> Option<Waker> {
        let mut papers = self.open();
        papers.jobs.push_back(job);
        let place = papers.resting.pop()?;
        papers.wakers[place].take()
    }

    async fn take(&self, place: usize) -> J {
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

    fn end(&self, end: E) {
        let mut papers = self.open();
        papers.ends.push_back(end);
        let waits = papers.waits.take();
        drop(papers);
        if let Some(waker) = waits {
            waker.wake();
        }
    }
}

impl<J, E> Papers<J, E> {
    fn add_place(&mut self) -> usize {
        self.wakers.push(None);
        self.wakers.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn every_job_comes_to_its_end_and_tasks_are_as_many_as_jobs_at_once() {
        let mut crew = Crew::new(|job: u64| async move {
            tokio::time::sleep(Duration::from_millis(job % 7)).await;
            job
        });
        let mut ends = HashSet::new();
        for job in 0..1000 {
            while crew.under_way() >= 5 {
                crew.wait().await;
                ends.extend(std::iter::from_fn(|| crew.ended()));
            }
            crew.hand(job);
        }
        while crew.under_way() > 0 {
            crew.wait().await;
            ends.extend(crew.ended());
        }
        assert_eq!(ends.len(), 1000);
        assert_eq!(crew.tasks.len(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_takes_a_job_that_comes_while_it_is_on_its_way_to_rest() {
        let mut crew = Crew::new(|job: u64| async move { job });
        for job in 0..100 {
            crew.hand(job);
            if job % 3 == 0 {
                tokio::task::yield_now().await;
            }
        }
        for _ in 0..100 {
            crew.wait().await;
            assert!(crew.ended().is_some());
        }
        assert_eq!(crew.under_way(), 0);
    }

    #[tokio::test]
    #[should_panic(expected = "the job went wrong")]
    async fn a_panic_is_not_lost() {
        let mut crew = Crew::new(|(): ()| async { panic!("the job went wrong") });
        crew.hand(());
        let () = crew.wait().await;
        let () = crew.ended().expect("it panics before");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_goes_on_when_it_is_dropped() {
        let flag = Arc::new(());
        let mut crew = Crew::new(|held: Arc<()>| async move {
            tokio::time::sleep(Duration::from_secs(60)).await;
            drop(held);
        });
        for _ in 0..3 {
            crew.hand(Arc::clone(&flag));
        }
        tokio::task::yield_now().await;
        drop(crew);
        tokio::task::yield_now().await;
        assert_eq!(Arc::strong_count(&flag), 1);
    }
}
