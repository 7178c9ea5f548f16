use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use clap::Parser;
use logretry_record::Record;
use logretry_rewriter::WriteArgs;
use logretry_stage::{Context, Fatal, MarkArgs, Result, Sink as _, Source as _, Stage as _, Watch, pipe};

use super::ledger_flags::LedgerArgs;
use crate::books::{Books, FiledOnce, Output};
use crate::cli::{Common, Program, Setup};
use crate::files::tell_of_another_mark;

/// Writes the retry log: one line for each request that was sent again, its URL marked.
///
/// By default a line is the log line itself, with the URL marked and the status, time, size and duration of the refire; `000` stands where no answer
/// came. Lines are appended, in the order in which the refires ended. Records that were not sent have no line; they count for the exit code, which
/// means what `logretry --help` says.
/// With --ledger, each record's line is written once, however often the record comes. lr-refire keeps a ledger of its own, in another file.
#[derive(Debug, Parser)]
#[command(name = "lr-write", version, after_help = EXAMPLES)]
pub struct Write {
    #[command(flatten)]
    log: WriteArgs,

    #[command(flatten)]
    ledger: LedgerArgs,

    #[command(flatten)]
    mark: MarkArgs,

    #[command(flatten)]
    common: Common,
}

/// What a ledger says that holds lines and has sent nothing.
const WRITTEN: &str = "a retry log (lr-write)";

const EXAMPLES: &str = "\
Examples:
  lr-read access.log | lr-filter |
    lr-refire --base-url https://shop.example | lr-write -o retry.log
  lr-read access.log | lr-filter |
    lr-refire --base-url https://shop.example | lr-write --as csv > refires.csv
  lr-read access.log | lr-filter |
    lr-refire --base-url https://shop.example | lr-write --as url --mark again=1";

impl Program for Write {
    fn setup(&self) -> Setup {
        Setup::of_stage("lr-write", &self.common, true).writing(&self.log, self.ledger.ledger.clone())
    }

    async fn run(self, cx: &Context) -> Result<()> {
        self.ledger.refuse_without(self.ledger.ledger.as_deref())?;
        tell_of_another_mark(self.log.output.as_deref(), &self.mark.mark, cx);
        let dead_letters = self.log.dead_letters(cx.reopen())?;
        let tally = cx.clone();
        let never_sent = Arc::<AtomicU64>::default();
        let counted = Arc::clone(&never_sent);
        let count = Watch(move |record: &Record| {
            if let Some(retry) = record.retry() {
                tally.tally().take();
                tally.tally().settle(retry);
            } else {
                counted.fetch_add(1, Ordering::Relaxed);
            }
        });
        let records = pipe::Input::stdin().open(cx);
        let records = dead_letters.apply(count.apply(records, cx), cx);
        let Some(path) = &self.ledger.ledger else {
            let end = self.log.rewriter(&self.mark.mark, cx.reopen())?.drain(records, cx).await;
            return end.and(refuse_what_was_not_sent(&never_sent));
        };
        let output = Output::open(self.log.output.as_deref())?;
        let books = Books::open(path, WRITTEN, self.ledger.durability(), cx)?;
        let books = books.writing(output, self.log.form, &self.mark.mark).await?;
        let end = FiledOnce::new(books.clone())?.drain(records, cx).await;
        end.and(books.close().await).and(refuse_what_was_not_sent(&never_sent))
    }
}

/// Records that never were at `lr-refire` have no outcome, and no line.
fn refuse_what_was_not_sent(records: &AtomicU64) -> Result<()> {
    match records.load(Ordering::Relaxed) {
        0 => Ok(()),
        count => Err(Fatal::new(format!(
            "write lines for {count} records: they were not sent; `lr-refire` stands before `lr-write`"
        ))),
    }
}
