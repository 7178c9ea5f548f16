//! Where the tasks of a crew work: beside the one who hands out their jobs, or in a thread and a runtime of their own.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::thread;

use tokio::runtime::Builder;
use tokio::task::JoinSet;

use super::desk::Desk;

/// Runs the foreman of `desk` in a thread of its own.
pub(super) fn open<J, E, F>(
    desk: &Arc<Desk<J, E>>,
    work: impl Fn(J) -> F + Clone + Send + Sync + 'static,
) -> io::Result<thread::JoinHandle<()>>
where
    J: Send + 'static,
    E: Send + 'static,
    F: Future<Output = E> + Send + 'static,
{
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let desk = Arc::clone(desk);
    thread::Builder::new().name("refirer".to_owned()).spawn(move || {
        let _leaving = Leaving(Arc::clone(&desk));
        // As a task among the others, so that they wake it without asking the system.
        let end = runtime.block_on(runtime.spawn(oversee(desk, work)));
        // A name lookup may take its time; nobody waits for it.
        runtime.shutdown_background();
        if let Err(error) = end {
            std::panic::resume_unwind(error.into_panic());
        }
    })
}

/// Tells the desk when the thread ends, however that comes.
struct Leaving<J, E>(Arc<Desk<J, E>>);

impl<J, E> Drop for Leaving<J, E> {
    fn drop(&mut self) {
        self.0.desert();
    }
}

/// The foreman: calls tasks for new jobs, and whoever waits for their ends. Whatever has come together until it has its turn costs one wakening.
pub(super) async fn oversee<J, E, F>(
    desk: Arc<Desk<J, E>>,
    work: impl Fn(J) -> F + Clone + Send + Sync + 'static,
) where
    J: Send + 'static,
    E: Send + 'static,
    F: Future<Output = E> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    poll_fn(|cx| {
        let mut papers = desk.open();
        if papers.is_closed {
            return Poll::Ready(());
        }
        papers.foreman = Some(cx.waker().clone());
        for _ in 0..std::mem::take(&mut papers.new) {
            // One task for each job under way is enough: whoever does not rest is at a job, or on his way to one.
            if let Some(waker) = papers.call() {
                waker.wake();
            } else if tasks.len() < papers.under_way {
                tasks.spawn(serve(Arc::clone(&desk), papers.add_place(), work.clone()));
            }
        }
        let waits = if papers.ends.is_empty() { None } else { papers.waits.take() };
        drop(papers);
        waits.into_iter().for_each(Waker::wake);
        // Last: where there is no task yet, nobody would be told of its panic.
        if let Poll::Ready(Some(Err(error))) = tasks.poll_join_next(cx) {
            std::panic::resume_unwind(error.into_panic());
        }
        Poll::Pending
    })
    .await;
}

async fn serve<J, E, F: Future<Output = E>>(desk: Arc<Desk<J, E>>, place: usize, work: impl Fn(J) -> F) {
    loop {
        let job = desk.take(place).await;
        // Pinned where it is made: it is large, and to hand it on would copy it.
        let end = pin!(work(job)).await;
        desk.end(end);
    }
}
