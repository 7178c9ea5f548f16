//! The thread that writes: the only one, with the only connection that does.
//!
//! It takes what is queued, writes it in one transaction, and answers all who wait: *group commit*. While one commit is on its way to the disk the next
//! group gathers; how long it has besides is told in `src/queue.rs`.
//!
//! # Written and synced
//!
//! In WAL mode a commit appends frames to the `-wal` file. With `synchronous = NORMAL` that is all: the frames are in the system's cache, from
//! which they are read back after this process has been killed, and are lost if the machine loses power. With `synchronous = FULL` the same
//! commit ends with an fsync of that file, and covers every frame before it too. So *written* is a commit with NORMAL, *synced* one with
//! FULL, and a group is committed with FULL if anyone in it waits for that, or if something has been waiting for 50 ms. If no event comes by
//! then, a row of `meta` does. After a power cut SQLite finds the last commit whose checksums hold, and everything after it never happened.
//!
//! A line of the retry log is appended after the sync that covers its outcome, so the log never tells what the ledger does not know.

use std::collections::VecDeque;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::Connection;
use rusqlite::types::{ToSqlOutput, ValueRef};
use tokio::sync::oneshot;

use crate::compact::Compactor;
use crate::error::Told;
use crate::event::{Events, Head};
use crate::group::{Group, Owed, PATIENCE};
use crate::live::Live;
use crate::place::Identity;
use crate::queue::{Found, Handed, Tray};
use crate::schema::set_meta;
use crate::ticket::Failure;
use crate::{Durability, Projection};

/// How long something written may wait for its sync.
const SYNC_WITHIN: Duration = Duration::from_millis(50);
/// How long nothing must come before there is time for compaction.
const IDLE: Duration = Duration::from_millis(200);
/// How often the retry log is synced, and its end written down.
const MARK_EVERY: Duration = Duration::from_secs(1);
/// Bytes of the retry log between two such times at most.
const MARK_BYTES: usize = 4 << 20;

/// What is wrong with a ledger that somebody has taken away while it was written.
const GONE: &str = "it, or the file beside it with `-wal`, was moved away or removed while the run was going on; without them everything would be sent again; put it back";

type Answer<T = ()> = oneshot::Sender<Result<T, Failure>>;

/// What the thread is asked to do besides writing events.
pub(crate) enum Job {
    /// Sync everything.
    Sync(Answer),
    /// Append lines from now on to this.
    Attach(Box<dyn Projection>, Answer),
    /// Let the retry log go on in a new file.
    Reopen(Answer),
    /// Take away outcomes from before a time; answers how many.
    Forget(Timestamp, Answer<u64>),
    /// End well.
    Close(Answer),
}

/// What the thread and the handles share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) live: Mutex<Live>,
    /// What ended the sending.
    pub(crate) failure: OnceLock<Failure>,
}

impl Shared {
    pub(crate) fn live(&self) -> MutexGuard<'_, Live> {
        // Each change of it is whole.
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) struct Writer {
    pub(crate) db: Connection,
    pub(crate) path: PathBuf,
    /// Which files it was when it was opened.
    identity: Identity,
    pub(crate) durability: Durability,
    pub(crate) shared: Arc<Shared>,
    pub(crate) next_seq: u64,
    pub(crate) compactor: Compactor,
    /// Whether the next commit will be synced, as the connection is set.
    syncs: bool,
    unsynced_since: Option<Instant>,
    /// What ended the writing of this file.
    dead: Option<Failure>,
    log: Option<Log>,
    /// Groups of which one was woken, to wake the others, and when.
    woken: VecDeque<(Instant, Arc<Group>)>,
}

/// The retry log, and what is to be appended to it.
struct Log {
    projection: Box<dyn Projection>,
    lines: Vec<u8>,
    number: u64,
    /// The last event whose line is in `lines`, or was.
    seq: u64,
    marked: Instant,
    unmarked_bytes: usize,
    /// The mark that the next commit writes down.
    mark: Option<(Option<String>, u64)>,
    failed: bool,
}

impl Writer {
    pub(crate) fn new(
        db: Connection,
        (path, identity): (PathBuf, Identity),
        durability: Durability,
        shared: Arc<Shared>,
        next_seq: u64,
        compactor: Compactor,
    ) -> Self {
        Self {
            db,
            path,
            identity,
            durability,
            shared,
            next_seq,
            compactor,
            syncs: true,
            unsynced_since: None,
            dead: None,
            log: None,
            woken: VecDeque::new(),
        }
    }

    /// Works until it is told to end, or all handles are gone; leaves everything synced and the file marked as well ended.
    pub(crate) fn run(mut self, mut tray: Tray) {
        let mut closing = None;
        while closing.is_none() {
            let wait = self.unsynced_since.map_or(IDLE, |since| SYNC_WITHIN.saturating_sub(since.elapsed()));
            let wait = if self.woken.is_empty() { wait } else { wait.min(PATIENCE) };
            match tray.take(wait) {
                Found::Work(Handed { events, group, jobs }) => {
                    closing = self.work(&events, group, jobs);
                    tray.give_back(events);
                }
                Found::Nothing if self.woken.is_empty() || self.is_overdue() => self.idle(),
                Found::Nothing => {}
                Found::End => break,
            }
            self.wake_who_are_left(PATIENCE);
        }
        self.wake_who_are_left(Duration::ZERO);
        let shared = Arc::clone(&self.shared);
        self.end();
        if let Some(answer) = closing {
            tell(answer, shared.failure.get().cloned().map_or(Ok(()), Err));
        }
    }

    /// Whether something has waited for its sync for so long as it may.
    fn is_overdue(&self) -> bool {
        self.unsynced_since.is_some_and(|since| since.elapsed() >= SYNC_WITHIN)
    }

    /// Wakes those who wait for commits since which so much time has passed.
    fn wake_who_are_left(&mut self, patience: Duration) {
        while self.woken.front().is_some_and(|(since, _)| since.elapsed() >= patience) {
            self.woken.pop_front().into_iter().for_each(|(_, group)| group.wake());
        }
    }

    fn idle(&mut self) {
        self.reopen_if_wanted();
        if self.unsynced_since.is_some() {
            self.commit(&Events::default(), true);
        } else {
            self.compact();
        }
    }

    fn compact(&mut self) {
        if self.dead.is_some() {
            return;
        }
        let end = self.compactor.step(&self.db, &mut self.shared.live());
        if let Err(error) = end {
            self.die(&Told(&error));
        }
    }

    fn forget(&mut self, before: Timestamp) -> Result<u64, Failure> {
        self.result()?;
        let end = self.compactor.forget(&self.db, before, &mut self.shared.live());
        end.map_err(|error| self.die(&Told(&error)))
    }

    /// Writes the events of a group in one transaction, and then does the jobs. Gives back who waits for the end.
    fn work(&mut self, events: &Events, group: Owed, jobs: Vec<Job>) -> Option<Answer> {
        self.reopen_if_wanted();
        let full = self.durability == Durability::Full;
        let asked = |job: &Job| match job {
            Job::Forget(..) | Job::Close(_) => false,
            Job::Sync(_) | Job::Attach(..) | Job::Reopen(_) => true,
        };
        let sync = full || events.synced || self.is_overdue() || jobs.iter().any(asked);
        self.commit(events, sync);
        if let Some(group) = group.settle(self.result()) {
            self.woken.push_back((Instant::now(), group));
        }
        let mut closing = None;
        for job in jobs {
            match job {
                Job::Sync(answer) => tell(answer, self.result()),
                Job::Attach(projection, answer) => {
                    self.attach(projection);
                    tell(answer, self.outlook());
                }
                Job::Reopen(answer) => {
                    self.reopen();
                    tell(answer, self.outlook());
                }
                Job::Forget(before, answer) => tell(answer, self.forget(before)),
                Job::Close(answer) => closing = Some(answer),
            }
        }
        if self.compactor.is_behind(self.next_seq) {
            self.compact();
        }
        closing
    }

    fn commit(&mut self, events: &Events, sync: bool) {
        if self.dead.is_some() {
            return;
        }
        // What is synced into a file without its name is as good as lost: the next run would begin a new one.
        if sync && Identity::of(&self.path).ok() != Some(self.identity) {
            self.die(&GONE);
            return;
        }
        let first_seq = self.next_seq;
        if let Err(error) = self.transaction(events, sync) {
            self.die(&Told(&error));
            return;
        }
        let mut live = self.shared.live();
        for (seq, event) in (first_seq..).zip(events.iter()) {
            if let Some(id) = event.head.id {
                live.enter(id, event.head.kind, seq, true);
            }
            if let (Some(line), Some(log)) = (event.line, &mut self.log) {
                log.lines.extend_from_slice(line);
                log.number += 1;
                log.seq = seq;
            }
        }
        drop(live);
        if sync {
            self.unsynced_since = None;
            self.append();
        } else {
            self.unsynced_since = self.unsynced_since.or_else(|| Some(Instant::now()));
        }
    }

    fn transaction(&mut self, events: &Events, sync: bool) -> rusqlite::Result<()> {
        if self.syncs != sync {
            self.db.execute_batch(if sync {
                "PRAGMA synchronous = FULL"
            } else {
                "PRAGMA synchronous = NORMAL"
            })?;
            self.syncs = sync;
        }
        self.db.prepare_cached("BEGIN IMMEDIATE")?.execute(())?;
        {
            let mut insert =
                self.db.prepare_cached("INSERT INTO event VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?;
            for event in events.iter() {
                let Head { time, kind, id, attempt } = &event.head;
                insert.execute((
                    self.next_seq.cast_signed(),
                    time.as_microsecond(),
                    *kind as u8,
                    id.as_ref().map(|id| id.as_bytes().as_slice()),
                    attempt,
                    ToSqlOutput::Borrowed(event.body.map_or(ValueRef::Null, ValueRef::Text)),
                    event.sum(self.next_seq),
                    event.line,
                ))?;
                self.next_seq += 1;
            }
        }
        if let Some((mark, seq)) = self.log.as_mut().and_then(|log| log.mark.take()) {
            set_meta(&self.db, "mark", mark)?;
            set_meta(&self.db, "mark_seq", seq.cast_signed())?;
        } else if events.is_empty() {
            // A commit without a change would write, and sync, nothing.
            set_meta(&self.db, "synced_seq", self.next_seq.cast_signed() - 1)?;
        }
        self.db.prepare_cached("COMMIT")?.execute(()).map(drop)
    }

    /// Appends to the retry log what is synced.
    fn append(&mut self) {
        let Some(log) = self.log.as_mut().filter(|log| !log.failed) else { return };
        let mut end = Ok(());
        if !log.lines.is_empty() {
            end = log.projection.append(&log.lines, log.number);
            log.unmarked_bytes += log.lines.len();
            log.lines.clear();
            log.number = 0;
        }
        let due = log.unmarked_bytes > 0
            && (log.marked.elapsed() >= MARK_EVERY || log.unmarked_bytes >= MARK_BYTES);
        if end.is_ok() && due {
            end = log.mark();
        }
        if let Err(error) = end {
            self.log_failed(&error);
        }
    }

    fn attach(&mut self, mut projection: Box<dyn Projection>) {
        if self.dead.is_some() {
            return;
        }
        let (mark, lines) = match self.unmarked() {
            Ok(found) => found,
            Err(error) => {
                self.die(&Told(&error));
                return;
            }
        };
        let resumed = projection.resume(mark.as_deref(), lines);
        let seq = self.next_seq - 1;
        let log = self.log.insert(Log {
            projection,
            lines: Vec::new(),
            number: 0,
            seq,
            marked: Instant::now(),
            unmarked_bytes: 0,
            mark: None,
            failed: false,
        });
        match resumed.and_then(|()| log.mark()) {
            Ok(()) => self.commit(&Events::default(), true),
            Err(error) => self.log_failed(&error),
        }
    }

    /// The mark, and the lines after it.
    fn unmarked(&self) -> rusqlite::Result<(Option<String>, Vec<Vec<u8>>)> {
        let mark = crate::schema::meta::<Option<String>>(&self.db, "mark")?.flatten();
        let seq = crate::schema::meta::<i64>(&self.db, "mark_seq")?.unwrap_or(0);
        let sql = "SELECT line FROM event WHERE seq > ?1 AND line IS NOT NULL ORDER BY seq";
        let lines =
            self.db.prepare(sql)?.query_map([seq], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        Ok((mark, lines))
    }

    fn reopen_if_wanted(&mut self) {
        if self.log.as_ref().is_some_and(|log| !log.failed && log.projection.wants_new_file()) {
            // Lines that wait belong into the old one.
            self.commit(&Events::default(), true);
            self.reopen();
        }
    }

    fn reopen(&mut self) {
        let Some(log) = self.log.as_mut().filter(|log| !log.failed) else { return };
        // What stands in the old file is known to be there before the new one is begun.
        let end = log.mark().and_then(|()| log.projection.reopen()).and_then(|()| log.mark());
        match end {
            Ok(()) => self.commit(&Events::default(), true),
            Err(error) => self.log_failed(&error),
        }
    }

    fn end(mut self) {
        self.commit(&Events::default(), true);
        if let Some(log) = self.log.as_mut().filter(|log| !log.failed)
            && let Err(error) = log.mark()
        {
            self.log_failed(&error);
        }
        self.commit(&Events::default(), true);
        if self.dead.is_some() {
            return;
        }
        let closed = set_meta(&self.db, "clean", 1);
        if let Err(error) = closed {
            self.die(&Told(&error));
        }
    }

    /// Whether the ledger takes events.
    fn result(&self) -> Result<(), Failure> {
        self.dead.clone().map_or(Ok(()), Err)
    }

    /// Whether requests may be sent.
    fn outlook(&self) -> Result<(), Failure> {
        self.shared.failure.get().cloned().map_or(Ok(()), Err)
    }

    /// The ledger cannot be written. What the system said about a failed sync cannot be mended by another one, so nothing is tried again.
    fn die(&mut self, error: &dyn fmt::Display) -> Failure {
        let failure =
            Failure { what: format!("the ledger `{}`", self.path.display()), error: error.to_string() };
        self.dead.get_or_insert_with(|| failure.clone());
        self.shared.failure.get_or_init(|| failure).clone()
    }

    /// The retry log cannot be written. Nothing more is sent; how the requests under way end is still written into the ledger, and the next run
    /// appends their lines.
    fn log_failed(&mut self, error: &std::io::Error) {
        let Some(log) = &mut self.log else { return };
        log.failed = true;
        let failure = Failure { what: log.projection.name(), error: error.to_string() };
        self.shared.failure.get_or_init(|| failure);
    }
}

impl Log {
    /// Syncs the log, so that the next commit may write down how far it is.
    fn mark(&mut self) -> std::io::Result<()> {
        self.mark = Some((self.projection.sync()?, self.seq));
        self.marked = Instant::now();
        self.unmarked_bytes = 0;
        Ok(())
    }
}

fn tell<T>(answer: Answer<T>, result: Result<T, Failure>) {
    // Whoever has asked may have gone.
    let _ = answer.send(result);
}
