use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use jiff::Timestamp;
use logretry_record::{RecordId, Retry};
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::compact::Compactor;
use crate::error::At as _;
use crate::event::{Events, Head, InDoubt, Kind, Verdict, is_safe};
use crate::live::{Live, Standing};
use crate::place::{self, Identity, Lock};
use crate::queue::{Queue, Tray};
use crate::schema::{self, meta, set_meta};
use crate::ticket::{Failure, Ticket, thread_is_gone};
use crate::writer::{Job, Shared, Writer};
use crate::{LedgerError, Projection, rows};

/// What a sender waits for before it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// For methods that change something, each intent and outcome is on the disk before the next step. For the others an intent is with the system before the
    /// request is sent, so that it survives the death of this process, its outcome is there before the next intent or a millisecond later, and both are on the disk at most 50 ms later: a
    /// power cut can make logretry send again what it sent in that time.
    #[default]
    Grouped,
    /// Every intent and outcome is on the disk before the next step.
    Full,
}

impl FromStr for Durability {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "grouped" => Ok(Self::Grouped),
            "full" => Ok(Self::Full),
            _ => Err(format!("`{text}` is neither `grouped` nor `full`")),
        }
    }
}

/// What a ledger knows of a record from before.
#[derive(Debug, Clone, PartialEq)]
pub enum Before {
    /// It was never sent.
    New,
    /// This process has taken it up already: the same record came twice.
    Repeated,
    /// A request of it ended so, and it was to be sent again.
    Answered(Retry),
    /// It ended so, in an earlier process.
    Done(Retry),
    /// It was sent, and nobody knows whether it arrived.
    InDoubt(InDoubt),
}

/// A ledger that this process writes; no other process can then.
///
/// It is a handle to the thread that does the work. Dropping it waits until everything is on the disk.
pub struct Ledger {
    path: PathBuf,
    durability: Durability,
    shared: Arc<Shared>,
    queue: Arc<Queue>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// None when the end has come: the last connection to go must be the writer's, which can empty the WAL.
    reader: Mutex<Option<Connection>>,
    secret: [u8; 32],
    /// The last to go.
    lock: Mutex<Option<Lock>>,
}

impl Ledger {
    /// Opens the ledger at `path` for refires to `destination`, in words that say where they go; makes it if it is not there.
    ///
    /// One ledger keeps the refires to one destination: an id says which line was sent again, and not where to.
    pub fn open(path: &Path, destination: &str, durability: Durability) -> Result<Self, LedgerError> {
        place::refuse_network(path)?;
        place::refuse_other_kind(path)?;
        let lock = Lock::take(path)?;
        let is_new = place::create(path)?;
        // Only now: from here on nobody else can put anything in its place, unless the folder lets him.
        place::refuse_foreign(path)?;
        place::refuse_other_names(path)?;
        let lock = lock.and_the_file(path)?;
        Self::start(path, lock, Some(destination), durability, is_new)
    }

    /// Opens a ledger that is there, to change what is known of its records.
    pub fn open_existing(path: &Path) -> Result<Self, LedgerError> {
        path.metadata().at(path, "open")?;
        place::refuse_network(path)?;
        place::refuse_foreign(path)?;
        place::refuse_other_names(path)?;
        place::refuse_other_kind(path)?;
        let lock = Lock::take(path)?.and_the_file(path)?;
        Self::start(path, lock, None, Durability::Full, false)
    }

    fn start(
        path: &Path,
        lock: Lock,
        destination: Option<&str>,
        durability: Durability,
        is_new: bool,
    ) -> Result<Self, LedgerError> {
        let db = schema::open(path)?;
        let was_new = meta::<String>(&db, "created").at(path, "read")?.is_none();
        if was_new {
            found(&db, destination.unwrap_or_default()).at(path, "begin")?;
        }
        if is_new {
            // The names of the file and of its WAL.
            place::sync_folder(path)?;
        }
        if let Some(wanted) = destination {
            schema::refuse_another(&db, path, wanted)?;
        }
        if !was_new && meta::<i64>(&db, "clean").at(path, "read")? != Some(1) {
            // The last run was killed, or the machine was. SQLite has already gone back to the last whole commit.
            if let Some(what) = schema::complaint(&db).at(path, "check")? {
                return Err(LedgerError::Damaged { path: path.to_owned(), what });
            }
        }
        set_meta(&db, "clean", 0).at(path, "write")?;
        let identity = Identity::of(path).at(path, "open")?;
        let secret = meta::<[u8; 32]>(&db, "secret").at(path, "read")?.unwrap_or_default();
        let live = Live::rebuild(&db, path)?;
        let next_seq = rows::last_seq(&db).at(path, "read")? + 1;
        let shared = Arc::new(Shared { live: Mutex::new(live), ..Shared::default() });
        let compactor = Compactor::new(&db).at(path, "read")?;
        // Before the thread begins: whatever fails behind that would leave it at work on a ledger that nobody holds.
        let reader = schema::open_to_read(path)?;
        let file = (path.to_owned(), identity);
        let writer = Writer::new(db, file, durability, Arc::clone(&shared), next_seq, compactor);
        let queue = Arc::<Queue>::default();
        let tray = Tray::new(Arc::clone(&queue));
        let thread = thread::Builder::new().name("ledger".to_owned()).spawn(move || writer.run(tray));
        Ok(Self {
            path: path.to_owned(),
            durability,
            shared,
            queue,
            thread: Mutex::new(Some(thread.at(path, "start the thread of")?)),
            reader: Mutex::new(Some(reader)),
            secret,
            lock: Mutex::new(Some(lock)),
        })
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// 32 random bytes that only this ledger knows, the same for as long as it exists: for keys that nobody who knows the log can guess.
    pub fn secret(&self) -> &[u8; 32] {
        &self.secret
    }

    /// What is known of the record, which this process takes up with it.
    pub fn before(&self, id: RecordId) -> Result<Before, LedgerError> {
        let Some(standing) = self.shared.live().claim(id) else { return Ok(Before::Repeated) };
        self.read(|db| rows::before(db, &self.path, standing))
    }

    /// Gives the record back: it was not sent after all, and may be taken up again.
    pub fn give_back(&self, id: RecordId) {
        self.shared.live().give_back(id);
    }

    /// A request is about to be sent: the `attempt`th of this record, from 1. Nothing may be sent before the ticket says yes.
    pub fn intent(&self, id: RecordId, attempt: u32, method: &str, url: &str) -> Ticket {
        if let Some(failure) = self.shared.failure.get() {
            return Ticket::settled(Err(failure.clone()));
        }
        let head = Head::now(Kind::Intent, Some(id), attempt);
        let body = |body: &mut Vec<u8>| [method, " ", url].iter().for_each(|part| body.extend(part.bytes()));
        self.ask(!is_safe(method), |events| events.push(head, body, None))
    }

    /// A request has ended so, and the record may be sent again.
    pub fn answer(&self, id: RecordId, retry: &Retry) -> Ticket {
        self.note(Kind::Answer, id, retry, None)
    }

    /// The record has ended so; `line` is what the retry log gets.
    pub fn outcome(&self, id: RecordId, retry: &Retry, line: Option<&[u8]>) -> Ticket {
        self.note(Kind::Outcome, id, retry, line)
    }

    /// The record's requests ended so before anything was sent that a server may have looked at; the next run takes it for new.
    pub fn failure(&self, id: RecordId, retry: &Retry, line: Option<&[u8]>) -> Ticket {
        self.note(Kind::Failure, id, retry, line)
    }

    /// The retry log gets a line that belongs to no record.
    pub fn line(&self, line: &[u8]) -> Ticket {
        let head = Head::now(Kind::Line, None, 0);
        self.ask(false, |events| events.push_line(head, line))
    }

    /// It has been decided what became of a request in doubt.
    pub fn decide(&self, doubt: &InDoubt, verdict: Verdict) -> Ticket {
        let mut head = Head::now(Kind::Verdict, Some(doubt.id), doubt.attempt);
        if verdict == Verdict::Arrived {
            // It is still in doubt: whoever looks for its end looks from when it was sent on.
            head.time = doubt.time;
        }
        let body = doubt.decided(verdict);
        self.ask(true, |events| events.push(head, |text| text.extend(body.bytes()), None))
    }

    /// All requests that are in doubt, also those about which something was decided that has not been acted on.
    pub fn in_doubt(&self) -> Result<Vec<InDoubt>, LedgerError> {
        let seqs = self.shared.live().in_doubt();
        self.read(|db| rows::in_doubt(db, seqs).at(&self.path, "read"))
    }

    /// How many records have ended.
    pub fn ended(&self) -> usize {
        self.shared.live().standings().filter(|(_, standing)| matches!(standing, Standing::Done(_))).count()
    }

    /// The records that ended before anything was sent, and when, in microseconds since 1970: as many as compaction has left.
    pub fn failures(&self) -> Result<Vec<(RecordId, i64)>, LedgerError> {
        self.read(|db| rows::failures(db).at(&self.path, "read"))
    }

    /// Appends lines to this retry log from now on, after completing it.
    pub fn attach(&self, projection: Box<dyn Projection>) -> Ticket {
        self.request(|answer| Job::Attach(projection, answer))
    }

    /// Lets the retry log go on in a new file, if the one that it had was moved away.
    pub fn reopen(&self) -> Ticket {
        self.request(Job::Reopen)
    }

    /// Whether requests may still be sent.
    ///
    /// # Errors
    ///
    /// Since the ledger or its retry log could not be written, nothing more is to be sent; what is under way may still be handed in.
    pub fn outlook(&self) -> Result<(), LedgerError> {
        self.shared.failure.get().map_or(Ok(()), |failure| Err(failure.clone().into()))
    }

    /// Everything that was handed in before is on the disk; the retry log may lack it.
    pub fn sync(&self) -> Ticket {
        self.request(Job::Sync)
    }

    /// Forgets the outcomes from before `time`: their requests would be sent again if their lines came again. Answers how many. Blocks.
    pub fn forget_before(&self, time: Timestamp) -> Result<u64, LedgerError> {
        let (answer, result) = oneshot::channel();
        self.queue.hand(Job::Forget(time, answer))?;
        Ok(result.blocking_recv().unwrap_or_else(|_| Err(thread_is_gone()))?)
    }

    /// Ends well: when the ticket says yes, everything is on the disk, the retry log included. Nothing is taken after that.
    pub fn close(&self) -> Ticket {
        take(&self.reader);
        self.request(Job::Close)
    }

    fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T, LedgerError>) -> Result<T, LedgerError> {
        let db = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        db.as_ref().map_or_else(|| Err(thread_is_gone().into()), read)
    }

    /// What dropping does, also while others still have a handle: from then on nothing is taken from them, and another may open the ledger. Blocks until everything is on the disk.
    pub fn release(&self) {
        // The one that writes shall be the last to close the file: only that one puts what stands in the log of the database into it.
        take(&self.reader);
        self.queue.close();
        // Whoever comes second waits for the first.
        let mut lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if take(&self.thread).is_some_and(|thread| thread.join().is_err()) {
            self.shared.failure.get_or_init(thread_is_gone);
        }
        *lock = None;
    }

    /// An event that tells of an exchange: its sender waits for the disk, or not at all. What comes later is never in the file without what
    /// came before, so a request that begins after this one's end is known no sooner than that end.
    fn note(&self, kind: Kind, id: RecordId, retry: &Retry, line: Option<&[u8]>) -> Ticket {
        let head = Head { time: retry.time, kind, id: Some(id), attempt: retry.attempts };
        let put = |events: &mut Events| events.push(head, |body| retry.encode(body), line);
        let safe = retry.method.as_deref().is_some_and(is_safe);
        if self.durability == Durability::Full || !safe {
            return self.ask(true, put);
        }
        Ticket::settled(self.queue.note(put))
    }

    fn ask(&self, synced: bool, put: impl FnOnce(&mut Events)) -> Ticket {
        let synced = synced || self.durability == Durability::Full;
        match self.queue.note_and_wait(synced, put) {
            Ok(seat) => Ticket::seated(seat),
            Err(failure) => Ticket::settled(Err(failure)),
        }
    }

    fn request(&self, job: impl FnOnce(oneshot::Sender<Result<(), Failure>>) -> Job) -> Ticket {
        let (answer, result) = oneshot::channel();
        match self.queue.hand(job(answer)) {
            Ok(()) => Ticket::waiting(result),
            Err(failure) => Ticket::settled(Err(failure)),
        }
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.release();
    }
}

fn take<T>(from: &Mutex<Option<T>>) -> Option<T> {
    from.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Without its secret.
impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger")
            .field("path", &self.path)
            .field("durability", &self.durability)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Job(…)")
    }
}

/// What every ledger begins with.
fn found(db: &Connection, destination: &str) -> rusqlite::Result<()> {
    let transaction = db.unchecked_transaction()?;
    set_meta(db, "created", Timestamp::now().to_string())?;
    set_meta(db, "by", concat!("logretry/", env!("CARGO_PKG_VERSION")))?;
    set_meta(db, "destination", destination)?;
    // SQLite's generator is seeded by the system's.
    db.execute("INSERT INTO meta VALUES ('secret', randomblob(32))", ())?;
    transaction.commit()
}
