use std::sync::{Mutex, PoisonError};

use logretry_record::{Reason, Record, RecordId, Retry};
use logretry_stage::{Context, Fatal, Result};

use crate::Planned;
use crate::taken_up::TakenUp;

/// Where it is written down what is sent and how it ends, so that a run can be stopped or killed and go on later.
///
/// ```text
///   before ──▶ (its turn, a connection) ──▶ intend ──▶ the request ──▶ answered, or ended
/// ```
///
/// Each is returned from when it is as durable as the request needs it. The intent comes last, just before the first byte: what
/// stands in a journal without an end was really on its way, and a connection that could not be made leaves no trace in it. One through a proxy to a
/// server without TLS is made after the intent, and a server with TLS may refuse our certificate after it; then the record has ended without being sent. An error ends the run: nothing more is sent, what is
/// under way ends.
pub trait Journal: Send + Sync + 'static {
    /// Whether a later run is told what this one has written. Then a record that a stop keeps from its next attempt has not ended.
    fn remembers(&self) -> bool {
        true
    }

    /// What is known of the record from before. It is asked once for each record that may be sent.
    fn before(&self, record: &Record) -> Result<Before>;

    /// The `attempt`th request of the record `id`, from 1, is about to be sent.
    fn intend(
        &self,
        id: RecordId,
        attempt: u32,
        planned: &Planned,
    ) -> impl Future<Output = Result<()>> + Send;

    /// A request of the record has ended so, and the record may be sent again.
    fn answered(&self, record: &Record, retry: &Retry) -> impl Future<Output = Result<()>> + Send;

    /// The record has ended so. `sent` says whether anything of it was ever sent that a server may have looked at.
    fn ended(&self, record: &Record, retry: &Retry, sent: bool) -> impl Future<Output = Result<()>> + Send;
}

/// What a journal knows of a record from before.
#[derive(Debug, Clone, PartialEq)]
pub enum Before {
    /// Nothing: it is sent.
    New,
    /// A run was cut off while its `attempt`th request was under way: it is sent again, as that same request.
    Again {
        /// Which request it was, from 1.
        attempt: u32,
    },
    /// A request of it ended so, and it was to be sent again.
    Answered(Retry),
    /// It has ended so, or is held: it is not sent.
    Done(Retry),
    /// This run has taken it up already.
    Repeated,
}

/// Nothing is written down, and nothing is known from before. What this run has taken up is known by its id and its time, so that a record that comes twice is sent once. One without a time is
/// known by its id and its place: an equal line in another log may be another request.
#[derive(Debug)]
pub struct NoJournal(Mutex<TakenUp>);

impl NoJournal {
    /// Records that a run without an end knows for certain.
    const RECORDS_KNOWN: usize = 500_000;

    /// For a run that `has_end`, which knows all that it has taken up, or for one that has none, which knows the last 500,000 records.
    pub fn new(has_end: bool) -> Self {
        Self(Mutex::new(TakenUp::within(if has_end { usize::MAX } else { Self::RECORDS_KNOWN })))
    }
}

impl Journal for NoJournal {
    fn remembers(&self) -> bool {
        false
    }

    fn before(&self, record: &Record) -> Result<Before> {
        let mut taken_up = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(if taken_up.insert(record) { Before::New } else { Before::Repeated })
    }

    async fn intend(&self, _: RecordId, _: u32, _: &Planned) -> Result<()> {
        Ok(())
    }

    async fn answered(&self, _: &Record, _: &Retry) -> Result<()> {
        Ok(())
    }

    async fn ended(&self, _: &Record, _: &Retry, _: bool) -> Result<()> {
        Ok(())
    }
}

/// A journal whose first error ends the run.
#[derive(Debug)]
pub(crate) struct Kept<J> {
    journal: J,
    cx: Context,
    failure: Mutex<Option<Fatal>>,
}

impl<J: Journal> Kept<J> {
    pub(crate) fn new(journal: J, cx: Context) -> Self {
        Self { journal, cx, failure: Mutex::default() }
    }

    pub(crate) fn remembers(&self) -> bool {
        self.journal.remembers()
    }

    /// None says that the journal has failed.
    pub(crate) fn before(&self, record: &Record) -> Option<Before> {
        self.check(self.journal.before(record))
    }

    pub(crate) async fn intend(&self, id: RecordId, attempt: u32, planned: &Planned) -> Result<(), Reason> {
        self.check(self.journal.intend(id, attempt, planned).await).ok_or(Reason::Stopped)
    }

    pub(crate) async fn answered(&self, record: &Record, retry: &Retry) {
        self.check(self.journal.answered(record, retry).await);
    }

    pub(crate) async fn ended(&self, record: &Record, retry: &Retry, sent: bool) {
        self.check(self.journal.ended(record, retry, sent).await);
    }

    /// Why the run ends, if the journal has failed.
    pub(crate) fn failure(&self) -> Option<Fatal> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn check<T>(&self, result: Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(fatal) => {
                self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(fatal);
                self.cx.stops().drain.cancel();
                None
            }
        }
    }
}
