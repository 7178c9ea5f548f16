//! The books of a run: its ledger, the retry log that is a copy of what stands there, and the refirer's journal.
//!
//! ```text
//!   Refirer ──Journal──▶ Books ──▶ Ledger ──▶ retry log
//!                          ▲
//!                          ╰── the server's own log, which knows what became of a request that a crash has cut off
//! ```
//!
//! The stages do not see each other; here they meet.

mod projection;
mod server_log;
mod sinks;

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use logretry_ledger::{Before as Known, Durability, InDoubt, Ledger, LedgerError, Verdict, is_safe};
use logretry_record::{Mark, Outcome, Reason, Record, RecordId, Retry, Shown, shown_url};
use logretry_refirer::{Before, Journal, Methods, Planned};
use logretry_rewriter::{Form, Renderer, RetryLog};
use logretry_stage::{Context, Fatal, Result};

#[cfg(feature = "cli")]
use projection::Printed;
use projection::Projected;
pub(crate) use server_log::ServerLog;
pub(crate) use sinks::Filed;
#[cfg(feature = "cli")]
pub(crate) use sinks::FiledOnce;

/// The ledger that a run keeps. Cloning gives another handle to it.
#[derive(Debug, Clone)]
pub(crate) struct Books(Arc<Open>);

#[derive(Debug)]
struct Open {
    ledger: Ledger,
    /// None if no retry log is written here.
    desk: Option<Mutex<Desk>>,
    server_log: Mutex<ServerLog>,
    told: AtomicBool,
    told_of_equal_lines: AtomicBool,
    /// What has ended in this run without being sent, until somebody has asked for it; none, if nobody will.
    failures: Mutex<Option<HashSet<RecordId>>>,
    cx: Context,
}

/// Where lines of the retry log are written.
#[derive(Debug)]
struct Desk {
    renderer: Renderer,
    /// The last one, whose memory the next one takes.
    line: Vec<u8>,
}

/// The ledger that belongs to a retry log.
pub(crate) fn beside(output: &Path) -> PathBuf {
    let mut name = OsString::from(output);
    name.push(".ledger");
    name.into()
}

/// The same, where a ledger can complete it: a device or a pipe keeps nothing, and a link (`/dev/stdout`) is another file each time.
pub(crate) fn beside_file(output: &Path) -> Option<PathBuf> {
    (!output.is_symlink() && (!output.exists() || output.is_file())).then(|| beside(output))
}

/// Refuses to begin the ledger at `ledger` for a retry log that has lines already, where requests by `methods` may change something: what those lines tell of would be done twice.
pub(crate) fn refuse_to_begin_anew(ledger: &Path, retry_log: &Path, methods: &Methods) -> Result<()> {
    let has_something = |path: &Path| path.metadata().is_ok_and(|file| file.is_file() && file.len() > 0);
    if !methods.may_change_something() || has_something(ledger) || !has_something(retry_log) {
        return Ok(());
    }
    let log = Shown(retry_log.as_os_str().as_encoded_bytes());
    Err(Fatal::new(format!(
        "begin a ledger for `{log}`, which has lines already: what they tell of would be sent again, and may change something; \
         give the ledger that knows them with --ledger, or, for other requests, another retry log"
    )))
}

/// Where the lines of a retry log go.
#[derive(Debug)]
pub(crate) enum Output {
    /// Appended to a file.
    File(RetryLog),
    /// To standard output, from where nobody can tell how far they came.
    #[cfg(feature = "cli")]
    Stdout,
}

#[cfg(feature = "cli")]
impl Output {
    /// The file `path`, or standard output.
    pub(crate) fn open(path: Option<&Path>) -> Result<Self> {
        Ok(path.map(RetryLog::open).transpose()?.map_or(Self::Stdout, Self::File))
    }
}

impl Books {
    /// Opens the ledger at `path`, of refires to `destination`.
    pub(crate) fn open(path: &Path, destination: &str, durability: Durability, cx: &Context) -> Result<Self> {
        let ledger = Ledger::open(path, destination, durability).map_err(Fatal::new)?;
        let open = Open {
            ledger,
            desk: None,
            server_log: Mutex::default(),
            told: AtomicBool::new(false),
            told_of_equal_lines: AtomicBool::new(false),
            failures: Mutex::default(),
            cx: cx.clone(),
        };
        Ok(Self(Arc::new(open)))
    }

    /// The same books, which write the retry log too: what a crash has cut off of it is completed now.
    pub(crate) async fn writing(self, output: Output, form: Form, mark: &Mark) -> Result<Self> {
        let mut open = Arc::try_unwrap(self.0).map_err(|_| Fatal::new("open the retry log: it is in use"))?;
        let renderer = Renderer::new(form, mark.clone());
        open.desk = Some(Mutex::new(Desk { renderer, line: Vec::new() }));
        let cx = open.cx.clone();
        let is_new = match output {
            Output::File(log) => {
                let path = log.path().to_owned();
                form.refuse_another(&path)?;
                let log = Projected::new(log, form.header().unwrap_or_default(), open.ledger.ended(), cx);
                open.ledger.attach(Box::new(log)).await.map_err(Fatal::new)?;
                path.metadata().map_or(0, |metadata| metadata.len()) == 0
            }
            #[cfg(feature = "cli")]
            Output::Stdout => {
                open.ledger.attach(Box::new(Printed::new(cx))).await.map_err(Fatal::new)?;
                true
            }
        };
        if let Some(header) = form.header().filter(|_| is_new) {
            open.ledger.line(&header).await.map_err(Fatal::new)?;
        }
        Ok(Self(Arc::new(open)))
    }

    /// Asks `log`, what the server itself has logged, about the requests in doubt.
    pub(crate) fn ask(&self, log: ServerLog) {
        *self.0.server_log.lock().unwrap_or_else(PoisonError::into_inner) = log;
    }

    /// The requests in doubt.
    pub(crate) fn in_doubt(&self) -> Result<Vec<InDoubt>> {
        self.0.ledger.in_doubt().map_err(Fatal::new)
    }

    /// What keys for servers are made with.
    #[cfg(feature = "cli")]
    pub(crate) fn secret(&self) -> [u8; 32] {
        *self.0.ledger.secret()
    }

    /// Ends the books: when this returns, everything is on the disk.
    pub(crate) async fn close(&self) -> Result<()> {
        // The ends that the server's log knows may be on their way; if they cannot be written down, closing says so.
        drop(self.0.ledger.sync().await);
        let held = self.in_doubt().map_or(0, |all| all.iter().filter(|doubt| doubt.is_held()).count());
        self.0.ledger.close().await.map_err(Fatal::new)?;
        if held > 0 {
            self.0.cx.notes().say(format_args!(
                "{held} held: cut off on their way, and sending them twice could do harm; `logretry held {}` lists them",
                Shown(self.0.ledger.path().as_os_str().as_encoded_bytes())
            ));
        }
        Ok(())
    }

    /// Ends the books with what is returned, if nobody has closed them: tasks that were cut off may have handles to them until their next turn.
    pub(crate) fn until_dropped(&self) -> Releasing {
        Releasing(self.clone())
    }

    /// Gives the line of the retry log for a record that ended so to `take`, if it has one.
    fn with_line<T>(
        &self,
        record: &Record,
        retry: &Retry,
        take: impl FnOnce(&Ledger, Option<&[u8]>) -> T,
    ) -> T {
        let Some(desk) = &self.0.desk else { return take(&self.0.ledger, None) };
        let mut desk = desk.lock().unwrap_or_else(PoisonError::into_inner);
        let Desk { renderer, line } = &mut *desk;
        line.clear();
        let fallback = renderer.render_as(record, retry, line);
        if let Some(fallback) = fallback
            && !self.0.told.swap(true, Ordering::Relaxed)
        {
            let why = Shown(fallback.why.as_bytes());
            self.0
                .cx
                .notes()
                .say(format_args!("record {} is written in combined format: {why}", record.id()));
        }
        take(&self.0.ledger, (!line.is_empty()).then_some(line))
    }

    /// Says once that of two lines without a time nobody knows whether they tell of one request, and that one was sent.
    fn tell_of_equal_lines(&self, record: &Record) {
        if record.original().time.is_some() || self.0.told_of_equal_lines.swap(true, Ordering::Relaxed) {
            return;
        }
        let origin = record.origin();
        self.0.cx.notes().say(format_args!(
            "{}:{}: repeated: an equal line of another log was taken up, and neither says when; if they are two requests, read each such log in a run of its own, with its own -o",
            Shown(&origin.source),
            origin.line
        ));
    }

    /// Says how a request ended that the ledger will hold, for nobody else knows it.
    fn tell_what_is_not_written_down(&self, id: RecordId, retry: &Retry) {
        let Retry { method: Some(method), url: Some(url), status: Some(status), .. } = retry else { return };
        if is_safe(method) {
            return;
        }
        self.0.cx.notes().say(format_args!(
            "{} {} was answered with {status}, which could not be written down; afterwards, `logretry held {} --settle {id} --status {status}` does",
            Shown(method.as_bytes()),
            shown_url(url),
            Shown(self.0.ledger.path().as_os_str().as_encoded_bytes())
        ));
    }

    /// From now on [`Books::forget_failure`] is asked of each record that has not recovered.
    #[cfg(feature = "cli")]
    pub(crate) fn remember_failures(&self) {
        self.failures().get_or_insert_default();
    }

    /// Whether the record has ended here without being sent, so that the same command again sends it. That is told once.
    #[cfg(feature = "cli")]
    pub(crate) fn forget_failure(&self, id: RecordId) -> bool {
        self.failures().as_mut().is_some_and(|failures| failures.remove(&id))
    }

    fn failures(&self) -> MutexGuard<'_, Option<HashSet<RecordId>>> {
        self.0.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What becomes of a record whose request was cut off.
    fn decide(&self, record: &Record, doubt: &InDoubt) -> Before {
        let log = self.0.server_log.lock().unwrap_or_else(PoisonError::into_inner);
        let told = log.verdict(doubt);
        let (verdict, seen) = match (doubt.verdict, told) {
            // What a person has decided counts.
            (Some(verdict @ (Verdict::Send | Verdict::Ended(_))), _) => (Some(verdict), None),
            // What one log has told of did arrive, though another one is silent.
            (Some(Verdict::Arrived), Some((Verdict::Send, _))) => (Some(Verdict::Arrived), None),
            (_, Some((verdict, seen))) => (Some(verdict), seen),
            (verdict, None) => (verdict, None),
        };
        match verdict {
            Some(Verdict::Ended(status)) => {
                let by = if seen.is_some() { "the server's log" } else { "logretry held --settle" };
                let retry = Retry {
                    method: Some(doubt.method.clone()),
                    url: Some(doubt.url.clone()),
                    attempts: doubt.attempt,
                    outcome: Outcome::of_status(status),
                    status: Some(status),
                    bytes: seen.and_then(|seen| seen.bytes),
                    reason: None,
                    detail: Some(format!("its connection was cut off; its end is known from {by}")),
                    ..Retry::not_sent(seen.and_then(|seen| seen.time).unwrap_or(doubt.time), Reason::Stopped)
                };
                // If this is lost, it is found out again.
                drop(
                    self.with_line(record, &retry, |ledger, line| ledger.outcome(record.id(), &retry, line)),
                );
                Before::Done(retry)
            }
            Some(Verdict::Send) => Before::Again { attempt: doubt.attempt },
            _ if doubt.is_safe() => Before::Again { attempt: doubt.attempt },
            verdict => {
                if let Some(verdict) = verdict.filter(|verdict| doubt.verdict != Some(*verdict)) {
                    drop(self.0.ledger.decide(doubt, verdict));
                }
                Before::Done(held(doubt))
            }
        }
    }
}

/// Dropped, it ends the books, and leaves the ledger to the next run.
#[derive(Debug)]
pub(crate) struct Releasing(Books);

impl Drop for Releasing {
    fn drop(&mut self) {
        self.0.0.ledger.release();
    }
}

/// Whether a record that has ended so is held: sending it twice could do harm.
#[cfg(feature = "cli")]
pub(crate) fn is_held(retry: &Retry) -> bool {
    retry.outcome == Outcome::InDoubt && !retry.method.as_deref().is_some_and(is_safe)
}

/// How a request that is held stands in its record.
pub(crate) fn held(doubt: &InDoubt) -> Retry {
    let arrived = if doubt.verdict == Some(Verdict::Arrived) { "it arrived; " } else { "" };
    Retry {
        method: Some(doubt.method.clone()),
        url: Some(doubt.url.clone()),
        attempts: doubt.attempt,
        outcome: Outcome::InDoubt,
        reason: None,
        detail: Some(format!("{arrived}it was cut off on its way, and sending it twice could do harm")),
        ..Retry::not_sent(doubt.time, Reason::Stopped)
    }
}

impl Journal for Books {
    fn before(&self, record: &Record) -> Result<Before> {
        Ok(match self.0.ledger.before(record.id()).map_err(Fatal::new)? {
            Known::New => Before::New,
            Known::Repeated => {
                self.tell_of_equal_lines(record);
                Before::Repeated
            }
            Known::Answered(retry) => Before::Answered(retry),
            Known::Done(retry) => Before::Done(retry),
            Known::InDoubt(doubt) => self.decide(record, &doubt),
        })
    }

    async fn intend(&self, id: RecordId, attempt: u32, planned: &Planned) -> Result<()> {
        written(self.0.ledger.intent(id, attempt, planned.method(), &planned.url()).await)
    }

    async fn answered(&self, record: &Record, retry: &Retry) -> Result<()> {
        written(self.0.ledger.answer(record.id(), retry).await)
    }

    async fn ended(&self, record: &Record, retry: &Retry, sent: bool) -> Result<()> {
        if !sent && let Some(failures) = &mut *self.failures() {
            failures.insert(record.id());
        }
        // What an earlier run was cut off in stays in doubt until it has been sent again: whoever does that has to say so.
        let is_open = !sent && retry.in_doubt_retry && retry.method.as_deref().is_some_and(is_safe);
        let ticket = self.with_line(record, retry, |ledger, line| match line {
            _ if sent => Some(ledger.outcome(record.id(), retry, line)),
            line if !is_open => Some(ledger.failure(record.id(), retry, line)),
            line => line.map(|line| ledger.line(line)),
        });
        let written = match ticket {
            Some(ticket) => written(ticket.await),
            None => Ok(()),
        };
        if written.is_err() && sent {
            self.tell_what_is_not_written_down(record.id(), retry);
        }
        written
    }
}

fn written(result: Result<(), LedgerError>) -> Result<()> {
    result.map_err(Fatal::new)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use logretry_record::{ErrorKind, Exchange, Origin};

    use super::*;

    #[test]
    fn a_device_has_no_ledger_beside_it() {
        assert_eq!(beside_file(Path::new("/dev/null")), None);
        assert_eq!(beside_file(Path::new("/dev/nothing")), Some("/dev/nothing.ledger".into()));
        // As `/dev/stdout`, where that is a file.
        let folder = tempfile::tempdir().expect("a folder");
        let link = folder.path().join("stdout");
        std::fs::write(folder.path().join("file"), "").expect("a file");
        std::os::unix::fs::symlink("file", &link).expect("a link");
        assert_eq!(beside_file(&link), None);
    }

    /// Once there had been no connection for it, it was taken for new: the next run sent it as if for the first time, though it may have arrived before.
    #[tokio::test]
    async fn what_was_cut_off_stays_in_doubt_where_there_is_no_connection_for_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ledger");
        let cx = Context::default();
        let books = || Books::open(&path, "http://shop.example", Durability::Grouped, &cx).expect("a ledger");
        let id = RecordId::of_line(b"x", 0);
        let record = Record::new(id, Origin::new("-", 1, 0, "combined", "x"), Exchange::default());
        let killed = books();
        killed.0.ledger.intent(id, 1, "GET", "http://shop.example/a").await.expect("it is written");
        drop(killed);
        let unconnected = Retry {
            method: Some("GET".to_owned()),
            attempts: 1,
            outcome: Outcome::Unanswered,
            in_doubt_retry: true,
            error: Some(ErrorKind::Connect),
            reason: None,
            ..Retry::not_sent(Timestamp::now(), Reason::Stopped)
        };
        for _ in 0..3 {
            let books = books();
            assert_eq!(books.before(&record).expect("a ledger"), Before::Again { attempt: 1 });
            books.ended(&record, &unconnected, false).await.expect("it is written");
            books.close().await.expect("it is written");
        }
    }
}
