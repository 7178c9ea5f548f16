//! Keep or drop.
//!
//! ```text
//!   Record ─▶ ours? ─▶ status ─▶ method ─▶ host ─▶ path ─▶ time ─▶ expression? ─▶ (succeeded since?)
//!          ─▶ duplicate? ─▶ sampled? ─▶ within the limit? ─▶ Record
//! ```
//!
//! What is wanted is data: a [`Predicate`](logretry_record::Predicate) and a [`Quota`]. A [`Chooser`] is compiled from both and decides
//! on one record at a time, in the order of the picture; the [`Filter`] is the stage around it. Because stages only add to records, it
//! decides the same before and after a refire.
//!
//! By default a filter drops what logretry itself has sent: lines whose URL carries the mark, and lines with our user agent. So a
//! retry log that is fed back in, or the log of the server that was refired at, selects nothing that was sent before.
//!
//! ```
//! use logretry_filter::{Chooser, Quota};
//! use logretry_record::{Exchange, Origin, Predicate, Record, RecordId};
//! use logretry_stage::Dropped;
//!
//! let record = |status, target: &str| {
//!     let original = Exchange { status: Some(status), target: Some(target.into()), ..Exchange::default() };
//!     Record::new(RecordId::of_line(b"", 0), Origin::new("-", 1, 0, "combined", ""), original)
//! };
//! let mut chooser = Chooser::new(&Predicate::default(), Quota::default())?;
//! assert_eq!(chooser.decide(&record(502, "/a")), Ok(()));
//! assert_eq!(chooser.decide(&record(200, "/a")), Err(Dropped::Status));
//! assert_eq!(chooser.decide(&record(502, "/a?retry=True")), Err(Dropped::Marked));
//! # Ok::<(), logretry_filter::FilterError>(())
//! ```

#![warn(missing_docs)]

mod chooser;
#[cfg(feature = "cli")]
mod cli;
mod expression;
mod hosts;
mod moment;
mod quota;
mod recovery;
mod request;

use futures_util::StreamExt as _;
use logretry_record::{Origin, Record, Shown};
use logretry_stage::{Context, Dropped, RecordStream, Result, Stage};

use crate::recovery::Recovery;

pub use chooser::{Chooser, FilterError};
#[cfg(feature = "cli")]
pub use cli::{EarlyArgs, SelectArgs};
pub use moment::{MomentError, parse_end, parse_moment};
pub use quota::{Quota, Share, ShareError};

/// The stage that lets pass what its chooser keeps, and counts the rest by reason.
#[derive(Debug)]
pub struct Filter {
    chooser: Chooser,
    skip_recovered: bool,
    /// Whether it has been said that the expression fails.
    has_said: bool,
}

impl Filter {
    /// A filter that keeps what `chooser` keeps.
    pub fn new(chooser: Chooser) -> Self {
        Self { chooser, skip_recovered: false, has_said: false }
    }

    /// The same filter, which also drops requests that a later record shows to have succeeded since: the same client got 2xx or 3xx for the same
    /// method, host and target, and not before. POST and PATCH are kept, for two equal ones may be two orders, and so is what no client is known of.
    ///
    /// For that it must see the successes, and nothing passes before its input has ended (or half a million records wait).
    #[must_use]
    pub fn skipping_recovered(mut self) -> Self {
        self.skip_recovered = true;
        self
    }

    fn keep(&mut self, record: &Record, cx: &Context) -> bool {
        let decision = self.chooser.decide(record);
        self.say_failure(record, cx);
        count(decision, cx)
    }

    /// Says of the first record for which the expression fails why it does.
    fn say_failure(&mut self, record: &Record, cx: &Context) {
        let Some(failure) = self.chooser.take_failure() else { return };
        if !std::mem::replace(&mut self.has_said, true) {
            let Origin { source, line, .. } = record.origin();
            cx.notes().say(format_args!(
                "{}, line {line}: not selected, for --where fails: {failure}; more of these are only counted",
                Shown(source)
            ));
        }
    }

    /// Decides on a record that is wanted, and for which no sign of success has come.
    fn admit(&mut self, record: &Record, cx: &Context) -> bool {
        count(self.chooser.admit(record), cx)
    }
}

fn count(decision: std::result::Result<(), Dropped>, cx: &Context) -> bool {
    match decision {
        Ok(()) => cx.tally().select(),
        Err(why) => cx.tally().drop_for(why),
    }
    decision.is_ok()
}

impl Stage for Filter {
    fn apply(mut self, input: impl RecordStream, cx: &Context) -> impl RecordStream {
        let cx = cx.clone();
        if self.skip_recovered {
            return skipping_recovered(self, input, cx).left_stream();
        }
        let mut keep =
            move |item: &Result<Record>| item.as_ref().map_or(true, |record| self.keep(record, &cx));
        input.filter(move |item| std::future::ready(keep(item))).right_stream()
    }
}

/// Records that wait for a sign of success at most: some hundred megabytes.
const WAITING_MAX: usize = 500_000;

/// Decides in the order of the log, but lets what is kept wait for a sign that it has succeeded since.
fn skipping_recovered(mut filter: Filter, input: impl RecordStream, cx: Context) -> impl RecordStream {
    async_stream::stream! {
        let mut input = std::pin::pin!(input);
        let mut recovery = Recovery::with_room(WAITING_MAX);
        let mut failure = None;
        while let Some(item) = input.next().await {
            let record = match item {
                Ok(record) => record,
                Err(fatal) => {
                    failure = Some(fatal);
                    break;
                }
            };
            if record.original().status.is_some_and(|status| (200..400).contains(&status)) {
                let recovered = recovery.succeeded(&record);
                (0..recovered).for_each(|_| cx.tally().drop_for(Dropped::Recovered));
            }
            match filter.chooser.judge(&record) {
                Err(why) => {
                    filter.say_failure(&record, &cx);
                    cx.tally().drop_for(why);
                }
                Ok(()) => {
                    if let Some(record) = recovery.wait(record)
                        && filter.admit(&record, &cx)
                    {
                        yield Ok(record);
                    }
                }
            }
        }
        for record in recovery.rest() {
            if filter.admit(&record, &cx) {
                yield Ok(record);
            }
        }
        if let Some(fatal) = failure {
            yield Err(fatal);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use logretry_record::{Exchange, Origin, Predicate, RecordId};

    use super::*;

    fn record(line: u64, target: &str, status: u16) -> Record {
        let original = Exchange {
            method: Some("GET".into()),
            target: Some(target.into()),
            status: Some(status),
            client: Some("203.0.113.9".into()),
            ..Exchange::default()
        };
        Record::new(RecordId::of_line(b"", line), Origin::new("-", line, 0, "x", ""), original)
    }

    async fn kept(filter: Filter, records: Vec<Record>, cx: &Context) -> Vec<u64> {
        let count = records.len() as u64;
        cx.tally().read(count, count, 0, 0);
        let kept = filter.apply(stream::iter(records.into_iter().map(Ok)), cx);
        kept.map(|item| item.expect("no error").origin().line).collect().await
    }

    fn filter(quota: Quota) -> Filter {
        Filter::new(Chooser::new(&Predicate::default(), quota).expect("a good predicate"))
    }

    #[tokio::test]
    async fn what_has_succeeded_since_is_dropped_before_the_quota_counts() {
        let log = vec![
            record(1, "/a", 502),
            record(2, "/b", 503),
            record(3, "/a", 502),
            record(4, "/a", 304),
            record(5, "/c", 500),
            record(6, "/a", 502),
        ];
        let cx = Context::default();
        let quota = Quota { limit: Some(2), ..Quota::default() };
        assert_eq!(kept(filter(quota).skipping_recovered(), log.clone(), &cx).await, [2, 5]);
        let accounts = cx.tally().accounts();
        let dropped = [(Dropped::Status, 1), (Dropped::Recovered, 2), (Dropped::Limit, 1)];
        assert_eq!((accounts.selected, accounts.dropped.clone()), (2, dropped.into()));
        assert_eq!(accounts.check(), Ok(()));

        let cx = Context::default();
        assert_eq!(kept(filter(Quota::default()), log, &cx).await, [1, 2, 3, 5, 6]);
        assert_eq!(cx.tally().accounts().check(), Ok(()));
    }
}
