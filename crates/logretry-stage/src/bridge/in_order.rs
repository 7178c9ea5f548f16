//! Several sources that are read at once, so that it looks as if one had been read after the other.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::{Batch, Break, Closed, Feed, To};
use crate::notes::Note;
use crate::{Fatal, Notes};

/// Full batches that wait behind each job at most: a file in which one line in a hundred is selected is read to its end while another one has its turn.
const BATCHES_AHEAD: usize = 128;
/// Lines after which a batch is handed on though it is not full, so that they are counted.
const LINES_UNCOUNTED_MAX: u64 = 1 << 20;

/// Does `jobs`, up to `at_once` of them in threads of their own, and feeds what they feed in the order of the jobs: records, rejects and notes. When one of them ends
/// with an error, so does this, behind everything that came before it.
///
/// What a job feeds before its turn waits in memory: some tens of thousands of records at most, and of their lines and bodies some 32 MiB; then the job waits.
pub fn feed_in_order<J>(
    feed: &mut Feed,
    jobs: impl IntoIterator<Item = J>,
    at_once: usize,
) -> Result<(), Break>
where
    J: FnOnce(&mut Feed) -> Result<(), Break> + Send,
{
    let is_over = Arc::new(AtomicBool::new(false));
    thread::scope(|scope| {
        // However this ends, no job goes on for nobody.
        let _over = Over(&is_over);
        let mut jobs = jobs.into_iter();
        let mut begun = VecDeque::new();
        loop {
            while begun.len() < at_once.max(1)
                && let Some(job) = jobs.next()
            {
                let (sender, batches) = sync_channel(BATCHES_AHEAD);
                let mut ahead = feed.ahead(sender, &is_over);
                let work = move || {
                    let end = job(&mut ahead);
                    ahead.hand_on()?;
                    end
                };
                let spawned =
                    thread::Builder::new().name("reader-ahead".to_owned()).spawn_scoped(scope, work);
                begun.push_back((batches, spawned.map_err(|error| Fatal::no_thread(&error))?));
            }
            let Some((batches, thread)) = begun.pop_front() else { return Ok(()) };
            for batch in batches {
                feed.forward(batch)?;
            }
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        }
    })
}

struct Over<'o>(&'o AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Where the feed of a job that is ahead hands on its batches.
#[derive(Debug)]
pub(super) struct Queue {
    batches: SyncSender<Batch>,
    /// What was said since the last one.
    said: Arc<Mutex<Vec<Said>>>,
    /// Whether nobody waits for them any more.
    is_over: Arc<AtomicBool>,
}

/// A sentence, and of what [kind](Note::kind) it is.
pub(super) type Said = (Option<String>, String);

impl Queue {
    /// Hands on `batch` if it is full: nobody waits for a part of it.
    pub(super) fn offer(&self, batch: &mut Batch) -> Result<(), Closed> {
        if self.is_over.load(Ordering::Relaxed) {
            return Err(Closed);
        }
        let is_due = batch.is_full() || batch.lines >= LINES_UNCOUNTED_MAX;
        if is_due { self.hand_on(batch) } else { Ok(()) }
    }

    fn hand_on(&self, batch: &mut Batch) -> Result<(), Closed> {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let batch = Batch { notes: std::mem::take(&mut said), ..std::mem::take(batch) };
        self.batches.send(batch).map_err(|_| Closed)
    }
}

impl Feed {
    /// The feed of a job that is done before its turn.
    fn ahead(&self, batches: SyncSender<Batch>, is_over: &Arc<AtomicBool>) -> Self {
        let said = Arc::<Mutex<Vec<Said>>>::default();
        let queue = Queue { batches, said: Arc::clone(&said), is_over: Arc::clone(is_over) };
        let notes = Notes::passing(move |Note { kind, sentence }| {
            let note = (kind.map(str::to_owned), sentence.to_string());
            said.lock().unwrap_or_else(PoisonError::into_inner).push(note);
        });
        let (cx, batch) = (self.cx.clone(), Batch::default());
        Self {
            cx,
            batch,
            kept_since: None,
            encodes: self.encodes,
            notes,
            useless: None,
            to: To::Queue(queue),
        }
    }

    /// Hands on the rest of a job, full or not.
    fn hand_on(&mut self) -> Result<(), Closed> {
        match &self.to {
            To::Queue(queue) => queue.hand_on(&mut self.batch),
            To::Stream(_) => self.flush(),
        }
    }

    /// Feeds what a job has handed on, whose turn it is.
    fn forward(&mut self, batch: Batch) -> Result<(), Break> {
        self.flush()?;
        for (kind, sentence) in &batch.notes {
            self.notes.pass(Note { kind: kind.as_deref(), sentence: format_args!("{sentence}") });
        }
        for reject in &batch.rejects {
            self.cx.reject(reject)?;
        }
        self.batch = Batch { notes: Vec::new(), rejects: Vec::new(), ..batch };
        Ok(self.flush()?)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use futures_util::StreamExt as _;
    use logretry_record::{Exchange, Origin, Record, RecordId, Reject};

    use super::super::from_thread;
    use super::*;
    use crate::Context;

    fn record(line: u64) -> Record {
        let origin = Origin::new("-", line, 0, "combined", "");
        Record::new(RecordId::of_line(b"", line), origin, Exchange::default())
    }

    fn reject(line: u64) -> Reject {
        Reject { source: "-".into(), line, offset: 0, reason: "no".to_owned(), text: "".into() }
    }

    /// Runs `work`, and gives the lines of its records, what was said, and whether it ended well.
    async fn run(
        work: impl FnOnce(&mut Feed) -> Result<(), Break> + Send + 'static,
    ) -> (Vec<u64>, Vec<String>, bool, Context) {
        let said = Arc::<Mutex<Vec<String>>>::default();
        let heard = Arc::clone(&said);
        let notes = Notes::to(move |note| said.lock().expect("no panic").push(note.to_string()));
        let cx = Context::new(crate::Rejects::default(), notes);
        let items: Vec<_> = from_thread(&cx, "test", work).collect().await;
        let is_well = items.iter().all(Result::is_ok);
        let lines = items.into_iter().flatten().map(|record| record.origin().line).collect();
        let heard = heard.lock().expect("no panic").clone();
        (lines, heard, is_well, cx)
    }

    #[tokio::test]
    async fn what_jobs_feed_at_once_comes_in_their_order() {
        let (lines, said, is_well, cx) = run(|feed| {
            let (done, wait) = channel();
            let mut wait = Some(wait);
            let jobs = (0..5_u64).map(|job| {
                let (done, wait) = (done.clone(), wait.take());
                move |feed: &mut Feed| {
                    // The first goes on when the second is done: they do run at once.
                    if let Some(wait) = wait {
                        wait.recv().expect("the second job");
                    }
                    feed.notes().say(format_args!("job {job}"));
                    for line in 0..1000 {
                        feed.record(record(job * 1000 + line))?;
                        feed.screened();
                    }
                    feed.reject(reject(job))?;
                    let _ = done.send(());
                    Ok(())
                }
            });
            feed_in_order(feed, jobs, 2)
        })
        .await;
        assert_eq!(lines, (0..5000).collect::<Vec<_>>());
        assert!(is_well);
        let jobs: Vec<_> = said.iter().filter(|note| note.starts_with("job")).cloned().collect();
        assert_eq!(jobs, (0..5).map(|job| format!("job {job}")).collect::<Vec<_>>());
        let accounts = cx.tally().accounts();
        let counts = (accounts.lines, accounts.records, accounts.screened, accounts.rejected);
        assert_eq!(counts, (10_005, 5000, 5000, 5));
    }

    #[tokio::test]
    async fn an_error_comes_in_its_turn_and_ends_the_jobs_behind_it() {
        let (lines, _, is_well, _) = run(|feed| {
            let jobs = (0..3_u64).map(|job| {
                move |feed: &mut Feed| {
                    feed.record(record(job))?;
                    match job {
                        1 => Err(Fatal::new("read it").into()),
                        // It would go on for ever.
                        2 => loop {
                            feed.flush()?;
                            thread::yield_now();
                        },
                        _ => Ok(()),
                    }
                }
            });
            feed_in_order(feed, jobs, 3)
        })
        .await;
        assert_eq!((lines, is_well), (vec![0, 1], false));
    }
}
