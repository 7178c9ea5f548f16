use std::collections::HashSet;

use futures_util::StreamExt as _;
use jiff::Timestamp;
use logretry_ledger::{Before as Known, Look};
use logretry_record::{ErrorKind, Outcome, Record, RecordId, Retry};
use logretry_stage::{Context, Fatal, RecordStream, Result, Sink};

use crate::books::Books;

/// The end of a pipe that writes the line of each record once, however often the record comes.
#[derive(Debug)]
pub(crate) struct FiledOnce {
    books: Books,
    /// What had no connection, and when: it comes again with another end, and the ledger takes it for new then; or as it came before. Known until compaction takes it away.
    failures: HashSet<(RecordId, Timestamp)>,
}

/// Records between two syncs at most.
const CHUNK_RECORDS_MAX: usize = 512;

impl Sink for FiledOnce {
    async fn drain(mut self, input: impl RecordStream, cx: &Context) -> Result<()> {
        let mut chunks = std::pin::pin!(input.ready_chunks(CHUNK_RECORDS_MAX));
        while let Some(chunk) = chunks.next().await {
            for item in chunk {
                if let Err(fatal) = self.file(&item?) {
                    cx.stops().drain.cancel();
                    return Err(fatal);
                }
            }
            if let Err(error) = self.books.0.ledger.sync().await {
                cx.stops().drain.cancel();
                return Err(Fatal::new(error));
            }
        }
        Ok(())
    }
}

impl FiledOnce {
    /// Writes down in `books` what comes, and was not written down before.
    pub(crate) fn new(books: Books) -> Result<Self> {
        let mut failures = HashSet::new();
        let look = Look::open(books.0.ledger.path()).map_err(Fatal::new)?;
        look.events(|entry| {
            if let ("failure", Some(id), Some(retry)) = (entry.kind, entry.id, entry.retry) {
                failures.insert((id, retry.time));
            }
            Ok(())
        })
        .map_err(|error: logretry_ledger::LedgerError| Fatal::new(error))?;
        Ok(Self { books, failures })
    }

    /// Writes down a record that another program has refired, unless it was written down before.
    fn file(&mut self, record: &Record) -> Result<()> {
        // In doubt is no outcome, nor is one before the next attempt: one will come.
        let Some(retry) = record.retry().filter(|retry| retry.outcome.is_sent() && !retry.goes_on()) else {
            return Ok(());
        };
        let never_left = never_left(retry);
        if retry.outcome == Outcome::InDoubt
            || never_left && !self.failures.insert((record.id(), retry.time))
            || !matches!(self.books.0.ledger.before(record.id()).map_err(Fatal::new)?, Known::New)
        {
            return Ok(());
        }
        // Waited for with the chunk.
        drop(self.books.with_line(record, retry, |ledger, line| {
            if never_left {
                ledger.failure(record.id(), retry, line)
            } else {
                ledger.outcome(record.id(), retry, line)
            }
        }));
        Ok(())
    }
}

/// Whether there was no connection, so that nothing was sent: such a record comes again, with another end.
fn never_left(retry: &Retry) -> bool {
    use ErrorKind::{BlockedAddress, Connect, Dns, Proxy, Tls};
    matches!(retry.error, Some(Dns | BlockedAddress | Connect | Tls | Proxy))
}
