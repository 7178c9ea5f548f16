//! A while between the failure of a request and its refire.

use std::collections::VecDeque;
use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt as _;
use jiff::Timestamp;
use logretry_record::Record;
use logretry_stage::RecordStream;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Records that wait at most; then no more are read. The log keeps them.
const RECORDS_MAX: usize = 65_536;
/// Bytes of log lines that wait at most.
const BYTES_MAX: usize = 64 << 20;

/// `input`, of which each record is given when `settle` has passed since it was logged; in the order of the log, and at once when nothing more is sent: when the run is `over`.
///
/// A record without a time counts from now, and so does one whose time is yet to come. An error comes after all that were read before it.
pub(crate) fn settled(
    input: impl RecordStream,
    settle: Duration,
    over: CancellationToken,
) -> impl RecordStream {
    async_stream::stream! {
        let mut input = pin!(input.fuse());
        let mut waiting: VecDeque<(Instant, Record)> = VecDeque::new();
        let (mut bytes, mut reading, mut failure) = (0, true, None);
        loop {
            let due = waiting.front().map(|(due, _)| *due);
            tokio::select! {
                biased;
                () = over.cancelled(), if due.is_some() => {
                    bytes = 0;
                    for (_, record) in waiting.drain(..) {
                        yield Ok(record);
                    }
                }
                () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    if let Some((_, record)) = waiting.pop_front() {
                        bytes -= record.origin().text.len();
                        yield Ok(record);
                    }
                }
                item = input.next(), if reading && waiting.len() < RECORDS_MAX && bytes < BYTES_MAX => match item {
                    Some(Ok(record)) => {
                        bytes += record.origin().text.len();
                        waiting.push_back((Instant::now() + rest(&record, settle), record));
                    }
                    Some(Err(fatal)) => {
                        reading = false;
                        failure = Some(fatal);
                    }
                    None => reading = false,
                },
                else => break,
            }
        }
        if let Some(fatal) = failure {
            yield Err(fatal);
        }
    }
}

/// What is left of the time since `record` was logged.
fn rest(record: &Record, settle: Duration) -> Duration {
    let since = record.original().time.map(|time| Timestamp::now().duration_since(time));
    let since = since.and_then(|since| Duration::try_from(since).ok()).unwrap_or_default();
    settle.saturating_sub(since)
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use logretry_record::{Exchange, Origin, RecordId};
    use logretry_stage::Fatal;

    use super::*;

    const SETTLE: Duration = Duration::from_secs(30);

    fn record(line: u64, ago_s: Option<i64>) -> Record {
        let time = ago_s.map(|ago| Timestamp::now() - jiff::SignedDuration::from_secs(ago));
        let origin = Origin::new("access.log", line, 0, "combined", "line");
        Record::new(RecordId::of_line(b"line", line), origin, Exchange { time, ..Exchange::default() })
    }

    #[tokio::test(start_paused = true)]
    async fn a_record_waits_for_what_is_left_since_it_was_logged() {
        let records = [Some(100), Some(20), Some(-1000), None];
        let records: Vec<_> = (0..).zip(records).map(|(line, ago)| Ok(record(line, ago))).collect();
        let began = Instant::now();
        let mut settled = pin!(settled(stream::iter(records), SETTLE, CancellationToken::new()));
        let mut waits = Vec::new();
        while let Some(item) = settled.next().await {
            waits.push((item.expect("no error").origin().line, began.elapsed().as_secs_f64().round()));
        }
        assert_eq!(waits, [(0, 0.0), (1, 10.0), (2, 30.0), (3, 30.0)]);
    }

    /// They were lost: neither sent, nor told as unsent.
    #[tokio::test(start_paused = true)]
    async fn those_that_wait_come_before_an_error() {
        let records = [Ok(record(0, None)), Ok(record(1, None)), Err(Fatal::new("read x"))];
        let settled = settled(stream::iter(records), SETTLE, CancellationToken::new());
        let lines: Vec<_> = settled.map(|item| item.map(|record| record.origin().line).ok()).collect().await;
        assert_eq!(lines, [Some(0), Some(1), None]);
    }

    #[tokio::test(start_paused = true)]
    async fn all_go_at_once_when_the_run_is_over() {
        let over = CancellationToken::new();
        let records = stream::iter((0..5).map(|line| Ok(record(line, None)))).chain(stream::pending());
        let records = records.take_until(over.clone().cancelled_owned());
        let began = Instant::now();
        let ends = over.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            ends.cancel();
        });
        let settled: Vec<_> = settled(records, SETTLE, over).collect().await;
        assert_eq!((settled.len(), began.elapsed().as_secs()), (5, 1));
    }

    /// It was lost: what had waited counted as if it did still, and there was no room for more.
    #[tokio::test(start_paused = true)]
    async fn what_comes_when_the_run_is_over_is_given_however_much_has_waited() {
        let over = CancellationToken::new();
        let text = "x".repeat(BYTES_MAX / 4);
        let records = (0..6).map(move |line| {
            let origin = Origin::new("access.log", line, 0, "combined", text.as_str());
            Ok(Record::new(RecordId::of_line(b"line", line), origin, Exchange::default()))
        });
        let ends = over.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            ends.cancel();
        });
        let settled = settled(stream::iter(records), SETTLE, over);
        assert_eq!(settled.collect::<Vec<_>>().await.len(), 6);
    }
}
