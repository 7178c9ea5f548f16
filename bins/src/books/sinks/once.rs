use std::collections::HashSet;

use futures_util::StreamExt as _;
use logretry_ledger::Before as Known;
use logretry_record::{ErrorKind, Outcome, Record, RecordId, Retry};
use logretry_stage::{Context, Fatal, RecordStream, Result, Sink};

use crate::books::Books;

/// The end of a pipe that writes the line of each record once, however often the record comes.
#[derive(Debug)]
pub(crate) struct FiledOnce {
    books: Books,
    /// What had no connection, and when, in microseconds: it comes again with another end, and the ledger takes it for new then; or as it came before. Known until compaction takes
    /// it away.
    failures: HashSet<(RecordId, i64)>,
    /// What of it this process has taken up, and has not seen end otherwise.
    failed: HashSet<RecordId>,
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
            let ledger = &self.books.0.ledger;
            if let Err(error) = ledger.sync().await.and_then(|()| ledger.outlook()) {
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
        let failures = books.0.ledger.failures().map_err(Fatal::new)?.into_iter().collect();
        Ok(Self { books, failures, failed: HashSet::new() })
    }

    /// Writes down a record that another program has refired, unless it was written down before.
    fn file(&mut self, record: &Record) -> Result<()> {
        // In doubt is no outcome, nor is one before the next attempt: one will come.
        let Some(retry) = record.retry().filter(|retry| retry.outcome.is_sent() && !retry.goes_on()) else {
            return Ok(());
        };
        let (id, never_left) = (record.id(), never_left(retry));
        if retry.outcome == Outcome::InDoubt
            || never_left && !self.failures.insert((id, retry.time.as_microsecond()))
        {
            return Ok(());
        }
        match self.books.0.ledger.before(id).map_err(Fatal::new)? {
            Known::New => {}
            Known::Repeated if self.failed.contains(&id) => {}
            _ => return Ok(()),
        }
        if never_left {
            self.failed.insert(id);
        } else {
            self.failed.remove(&id);
        }
        // Waited for with the chunk.
        drop(self.books.with_line(record, retry, |ledger, line| {
            if never_left { ledger.failure(id, retry, line) } else { ledger.outcome(id, retry, line) }
        }));
        Ok(())
    }
}

/// Whether there was no connection, so that nothing was sent: such a record comes again, with another end.
fn never_left(retry: &Retry) -> bool {
    use ErrorKind::{BlockedAddress, Connect, Dns, Proxy, Tls};
    retry.status.is_none() && matches!(retry.error, Some(Dns | BlockedAddress | Connect | Tls | Proxy))
}
