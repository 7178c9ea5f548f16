use futures_util::StreamExt as _;
use logretry_ledger::Before as Known;
use logretry_record::{ErrorKind, Outcome, Record, Retry};
use logretry_stage::{Context, Fatal, RecordStream, Result, Sink};

use crate::books::Books;

/// The end of a pipe that writes the line of each record once, however often the record comes.
#[derive(Debug)]
pub(crate) struct FiledOnce(pub(crate) Books);

/// Records between two syncs at most.
const CHUNK_RECORDS_MAX: usize = 512;

impl Sink for FiledOnce {
    async fn drain(self, input: impl RecordStream, cx: &Context) -> Result<()> {
        let mut chunks = std::pin::pin!(input.ready_chunks(CHUNK_RECORDS_MAX));
        while let Some(chunk) = chunks.next().await {
            for item in chunk {
                if let Err(fatal) = self.0.file(&item?) {
                    cx.stops().drain.cancel();
                    return Err(fatal);
                }
            }
            if let Err(error) = self.0.0.ledger.sync().await {
                cx.stops().drain.cancel();
                return Err(Fatal::new(error));
            }
        }
        Ok(())
    }
}

impl Books {
    /// Writes down a record that another program has refired, unless it was written down before.
    fn file(&self, record: &Record) -> Result<()> {
        // In doubt is no outcome, nor is one before the next attempt: one will come.
        let Some(retry) = record.retry().filter(|retry| retry.outcome.is_sent() && !retry.goes_on()) else {
            return Ok(());
        };
        let ledger = &self.0.ledger;
        if retry.outcome == Outcome::InDoubt
            || !matches!(ledger.before(record.id()).map_err(Fatal::new)?, Known::New)
        {
            return Ok(());
        }
        // Waited for with the chunk.
        drop(self.with_line(record, retry, |ledger, line| {
            if never_left(retry) {
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
