//! The stage over a transport that only pretends, on a clock that only runs when everyone waits.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use logretry_record::{ErrorKind, Exchange, Origin, Outcome, RecordId};
use logretry_stage::Fatal;
use tokio::sync::mpsc;

use super::*;
use crate::Pace;
use crate::fault::Fault;
use crate::transport::{Ready, Seen};

mod crawl;
mod hosts;
mod journal;
mod limits;

/// Answers `/200/30` with the status 200 after 30 ms, and notes when it was asked. A status is seen at once, the rest of
/// the time is its body. `/503,200/30` is answered with 503 first and with 200 then, `/503/30/5` asks to be left alone for 5 s,
/// `/200/30/0/70` gets its connection after 70 ms.
#[derive(Debug, Clone)]
struct Pretend {
    start: Instant,
    diary: Arc<Mutex<Diary>>,
}

#[derive(Debug, Default)]
struct Diary {
    asked_ms: Vec<u128>,
    under_way: usize,
    under_way_most: usize,
    asked_for: HashMap<String, usize>,
}

impl Pretend {
    fn new() -> Arc<Self> {
        Arc::new(Self { start: Instant::now(), diary: Arc::default() })
    }

    fn asked_ms(&self) -> Vec<u128> {
        self.diary.lock().expect("no panic").asked_ms.clone()
    }
}

impl Transport for Pretend {
    type Ready = Self;

    async fn ready(&self, request: &Request, _: Instant) -> Result<Self, Fault> {
        let connect_ms = request.planned.target().split('/').nth(4).map(|ms| ms.parse().expect("a time"));
        tokio::time::sleep(Duration::from_millis(connect_ms.unwrap_or_default())).await;
        Ok(self.clone())
    }
}

impl Ready for Pretend {
    async fn exchange(self, request: &mut Request, seen: &mut Seen) -> Result<(), Fault> {
        let target = request.planned.target();
        let before = {
            let mut diary = self.diary.lock().expect("no panic");
            diary.asked_ms.push(self.start.elapsed().as_millis());
            diary.under_way += 1;
            diary.under_way_most = diary.under_way_most.max(diary.under_way);
            let asked = diary.asked_for.entry(target.to_owned()).or_default();
            *asked += 1;
            *asked - 1
        };
        let parts: Vec<_> = target.split('/').skip(1).collect();
        let statuses: Vec<u16> =
            parts[0].split(',').map(|status| status.parse().expect("a status")).collect();
        let takes_ms = parts[1].parse().expect("a time");
        seen.status = Some(statuses[before.min(statuses.len() - 1)]).filter(|&status| status > 0);
        seen.retry_after = parts.get(2).map(|seconds| Duration::from_secs(seconds.parse().expect("seconds")));
        tokio::time::sleep(Duration::from_millis(takes_ms)).await;
        self.diary.lock().expect("no panic").under_way -= 1;
        Ok(())
    }
}

/// The record of a line of its own, though others say the same.
fn get(target: &str) -> Record {
    static LINES: AtomicU64 = AtomicU64::new(0);
    let line = LINES.fetch_add(1, Ordering::Relaxed);
    let original = Exchange { target: Some(target.to_owned()), ..Exchange::default() };
    let id = RecordId::of_line(target.as_bytes(), line);
    Record::new(id, Origin::new("-", line + 1, 0, "combined", target), original)
}

fn options() -> Options {
    let mut options = Options { pace: Pace::Fixed, ..Options::default() };
    options.destination.base_url = Some("http://shop.example".parse().expect("a base URL"));
    options
}

fn given(targets: &[&str]) -> impl RecordStream + use<> {
    futures_util::stream::iter(targets.iter().map(|target| Ok(get(target))).collect::<Vec<_>>())
}

fn outcome(item: Result<Record>) -> (String, Outcome) {
    let record = item.expect("a record");
    let target = record.original().target.clone().unwrap_or_default();
    (target, record.retry().expect("a decision").outcome)
}

fn told(target: &str, outcome: Outcome) -> (String, Outcome) {
    (target.to_owned(), outcome)
}

#[tokio::test(start_paused = true)]
async fn records_come_out_as_they_are_decided() {
    let wire = Pretend::new();
    let input = given(&["/502/30", "*", "/200/10", "/404/20"]);
    let output = run(options(), Some(wire), input, Context::default());
    let outcomes: Vec<_> = output.map(outcome).collect().await;
    let expected = [
        told("*", Outcome::Skipped),
        told("/200/10", Outcome::Recovered),
        told("/404/20", Outcome::Refused),
        told("/502/30", Outcome::Failing),
    ];
    assert_eq!(outcomes, expected);
}

#[tokio::test(start_paused = true)]
async fn a_rate_makes_requests_wait_and_drops_none() {
    let wire = Pretend::new();
    let mut options = options();
    options.rate = Some("10/s".parse().expect("a rate"));
    let input = given(&["/200/1", "/200/250", "*", "/200/1", "/200/1", "/200/1"]);
    let output = run(options, Some(Arc::clone(&wire)), input, Context::default());
    assert_eq!(output.count().await, 6);
    assert_eq!(wire.asked_ms(), [0, 100, 200, 300, 400]);
}

#[tokio::test(start_paused = true)]
async fn no_more_requests_are_under_way_than_allowed() {
    let wire = Pretend::new();
    let options = Options { concurrency: 3.try_into().expect("not 0"), ..options() };
    let input = given(&["/200/100"; 10]);
    let output = run(options, Some(Arc::clone(&wire)), input, Context::default());
    assert_eq!(output.count().await, 10);
    assert_eq!(wire.diary.lock().expect("no panic").under_way_most, 3);
    assert_eq!(wire.asked_ms(), [0, 0, 0, 100, 100, 100, 200, 200, 200, 300]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_begun_while_nobody_asks() {
    let wire = Pretend::new();
    let options = Options { concurrency: 2.try_into().expect("not 0"), ..options() };
    let mut output =
        Box::pin(run(options, Some(Arc::clone(&wire)), given(&["/200/1"; 10]), Context::default()));
    assert_eq!(wire.asked_ms(), [0_u128; 0]);
    assert!(output.next().await.is_some());
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(wire.asked_ms().len(), 2);
    assert_eq!(output.count().await, 9);
}

#[tokio::test(start_paused = true)]
async fn a_drain_lets_requests_end_and_begins_none() {
    let wire = Pretend::new();
    let cx = Context::default();
    let options = Options { concurrency: 2.try_into().expect("not 0"), ..options() };
    let (feed, mut trough) = mpsc::unbounded_channel();
    let input = futures_util::stream::poll_fn(move |task| trough.poll_recv(task));
    let mut output = Box::pin(run(options, Some(Arc::clone(&wire)), input, cx.clone()));
    for target in ["/200/10", "/502/100", "/200/100"] {
        feed.send(Ok(get(target))).expect("it is read");
    }
    assert_eq!(output.next().await.map(outcome), Some(told("/200/10", Outcome::Recovered)));
    cx.stops().drain.cancel();
    for target in ["/200/0", "*"] {
        feed.send(Ok(get(target))).expect("it is read");
    }
    drop(feed);
    let outcomes: Vec<_> = output.map(outcome).collect().await;
    let expected = [
        told("/200/100", Outcome::Unsent),
        told("/200/0", Outcome::Unsent),
        told("*", Outcome::Skipped),
        told("/502/100", Outcome::Failing),
    ];
    assert_eq!(outcomes, expected);
    assert_eq!(wire.asked_ms().len(), 2);
    assert_eq!(cx.tally().accounts().check(), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn an_abort_leaves_what_was_under_way_in_doubt() {
    let wire = Pretend::new();
    let cx = Context::default();
    let mut output =
        Box::pin(run(options(), Some(wire), given(&["/200/10", "/0/60000", "/200/60000"]), cx.clone()));
    assert_eq!(output.next().await.map(outcome), Some(told("/200/10", Outcome::Recovered)));
    cx.stops().drain.cancel();
    cx.stops().abort.cancel();
    let mut cut: Vec<_> =
        output.map(|item| item.expect("a record").retry().expect("a refire").clone()).collect().await;
    cut.sort_by_key(|retry| retry.status);
    assert_eq!(cut.iter().map(|retry| retry.status).collect::<Vec<_>>(), [None, Some(200)]);
    for retry in cut {
        assert_eq!((retry.outcome, retry.error), (Outcome::InDoubt, Some(ErrorKind::Aborted)));
    }
    assert_eq!(cx.tally().accounts().check(), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_stop_before_there_is_a_connection_sends_nothing_and_leaves_nothing_in_doubt() {
    for aborts in [false, true] {
        let wire = Pretend::new();
        let cx = Context::default();
        let targets = ["/200/10", "/200/10/0/20000"];
        let mut output = Box::pin(run(options(), Some(Arc::clone(&wire)), given(&targets), cx.clone()));
        assert_eq!(output.next().await.map(outcome), Some(told("/200/10", Outcome::Recovered)));
        cx.stops().drain.cancel();
        if aborts {
            cx.stops().abort.cancel();
        }
        let stopped = Instant::now();
        let record = output.next().await.expect("it ends").expect("a record");
        assert_eq!(stopped.elapsed(), Duration::ZERO, "nobody waits for a connection that is of no use");
        let retry = record.retry().expect("a decision");
        let expected = (Outcome::Unsent, Some(Reason::Stopped), 0);
        assert_eq!((retry.outcome, retry.reason, retry.attempts), expected);
        assert_eq!(wire.asked_ms().len(), 1);
        let accounts = cx.tally().accounts();
        assert_eq!((accounts.taken, accounts.in_flight), (2, 0));
        assert_eq!(accounts.check(), Ok(()));
    }
}

#[tokio::test(start_paused = true)]
async fn the_timeout_begins_with_the_way_to_a_connection() {
    let options = Options { timeout: Duration::from_secs(2), ..options() };
    // One that was never sent is one without a connection, as where the connect timeout runs out first.
    for (target, status, error) in
        [("/200/60000/0/500", Some(200), ErrorKind::Timeout), ("/200/10/0/60000", None, ErrorKind::Connect)]
    {
        let mut output =
            Box::pin(run(options.clone(), Some(Pretend::new()), given(&[target]), Context::default()));
        let record = output.next().await.expect("it ends").expect("a record");
        let retry = record.retry().expect("a refire");
        assert_eq!((retry.outcome, retry.status), (Outcome::Unanswered, status), "{target}");
        assert_eq!((retry.error, retry.duration_ms), (Some(error), Some(2000.0)), "{target}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_abort_does_not_wait_for_an_input_that_never_ends() {
    let cx = Context::default();
    cx.stops().drain.cancel();
    cx.stops().abort.cancel();
    let input = given(&["/200/0"]).chain(futures_util::stream::pending());
    let outcomes: Vec<_> = run(options(), Some(Pretend::new()), input, cx).map(outcome).collect().await;
    assert_eq!(outcomes, [told("/200/0", Outcome::Unsent)]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_dropped_cuts_off_what_it_began_and_counts_it() {
    let wire = Pretend::new();
    let cx = Context::default();
    let options = Options { concurrency: 2.try_into().expect("not 0"), ..options() };
    let input = given(&["/200/10", "/200/60000", "/200/60000", "/200/60000"]);
    let mut output = Box::pin(run(options, Some(Arc::clone(&wire)), input, cx.clone()));
    assert!(output.next().await.is_some());
    assert!(futures_util::poll!(output.next()).is_pending());
    tokio::task::yield_now().await;
    drop(output);
    // Dropped tasks go when the scheduler next sees them.
    tokio::time::sleep(Duration::from_secs(3600)).await;
    let accounts = cx.tally().accounts();
    assert_eq!((accounts.outcome(Outcome::Recovered), accounts.outcome(Outcome::InDoubt)), (1, 2));
    assert_eq!((accounts.taken, accounts.in_flight), (3, 0));
    assert_eq!(accounts.check(), Ok(()));
    assert_eq!(wire.asked_ms().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_covers_the_body_and_keeps_the_status() {
    let options = Options { timeout: Duration::from_secs(2), ..options() };
    let mut output = Box::pin(run(options, Some(Pretend::new()), given(&["/200/3000"]), Context::default()));
    let record = output.next().await.expect("it ends").expect("a record");
    let retry = record.retry().expect("a refire");
    assert_eq!((retry.outcome, retry.status), (Outcome::Unanswered, Some(200)));
    assert_eq!((retry.error, retry.duration_ms), (Some(ErrorKind::Timeout), Some(2000.0)));
    assert_eq!(retry.detail.as_deref(), Some("no whole answer within 2s"));
}

#[tokio::test(start_paused = true)]
async fn a_fatal_error_comes_after_what_was_begun_before_it() {
    let input = given(&["/200/10"]).chain(futures_util::stream::once(async { Err(Fatal::new("read x")) }));
    let output = run(options(), Some(Pretend::new()), input, Context::default());
    let items: Vec<_> =
        output.map(|item| item.map(|_| ()).map_err(|error| error.to_string())).collect().await;
    assert_eq!(items, [Ok(()), Err("read x".to_owned())]);
}

/// What became of the last refire had the only word: once a dry run had left unsent what had failed before, the log seemed to prove again that nobody had seen the request.
#[tokio::test]
async fn what_was_sent_once_is_known_as_sent_whatever_becomes_of_later_refires() {
    let plain = get("/503/1");
    let original = Exchange {
        method: Some("DELETE".to_owned()),
        undelivered: Some("haproxy_no_server".into()),
        ..plain.original().clone()
    };
    let record = Record::new(plain.id(), plain.origin().clone(), original);
    let methods = "DELETE".parse().expect("methods");
    let sending = Options { methods, undelivered: true, ..options() };
    let rehearsing = Options { undelivered: false, ..sending.clone() };
    let refired = async |record: Record, options: &Options, transport| {
        let input = futures_util::stream::iter([Ok(record)]);
        let output = run(options.clone(), transport, input, Context::default());
        output.map(|item| item.expect("a record")).collect::<Vec<_>>().await.remove(0)
    };
    let unsent = refired(record, &rehearsing, None).await;
    assert!(sending.is_proven_undelivered(&unsent));
    let mut record = refired(unsent, &sending, Some(Pretend::new())).await;
    assert_eq!(
        record.retry().map(|retry| (retry.outcome, retry.sent_before)),
        Some((Outcome::Failing, false))
    );
    for _ in 0..2 {
        record = refired(record, &rehearsing, None).await;
        assert_eq!(record.retry().map(|retry| (retry.attempts, retry.sent_before)), Some((0, true)));
        assert!(!sending.is_proven_undelivered(&record));
    }
}

/// The same dead letter may stand in a file more than once, and the same log in two files.
#[tokio::test(start_paused = true)]
async fn a_record_that_comes_twice_is_sent_once() {
    let (wire, cx) = (Pretend::new(), Context::default());
    let (twice, other) = (get("/200/10"), get("/200/10"));
    let input = futures_util::stream::iter([Ok(twice.clone()), Ok(twice), Ok(other)]);
    let output = run(options(), Some(Arc::clone(&wire)), input, cx.clone());
    let reasons: Vec<_> =
        output.map(|item| item.ok().and_then(|record| record.retry()?.reason)).collect().await;
    assert_eq!(reasons, [Some(Reason::Repeated), None, None]);
    assert_eq!((wire.asked_ms().len(), cx.tally().accounts().check()), (2, Ok(())));
}
