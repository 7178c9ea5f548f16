//! Holds, trips, attempts, and the ends of a run.

use std::num::{NonZeroU32, NonZeroUsize};

use logretry_stage::{Notes, Rejects};

use super::*;
use crate::Tempo;

fn one_at_a_time() -> Options {
    Options { concurrency: NonZeroUsize::MIN, ..options() }
}

/// What came out: targets with their outcomes, reasons and requests, in order; and when requests began.
async fn told_of(options: Options, targets: &[&str]) -> (Vec<String>, Vec<u128>) {
    told_of_in(&Context::default(), options, targets).await
}

async fn told_of_in(cx: &Context, options: Options, targets: &[&str]) -> (Vec<String>, Vec<u128>) {
    let wire = Pretend::new();
    let output = run(options, Some(Arc::clone(&wire)), given(targets), cx.clone());
    let told = output.map(|item| {
        let record = item.expect("a record");
        let retry = record.retry().expect("a decision");
        let target = record.original().target.clone().unwrap_or_default();
        let ended = retry.reason.map_or(retry.outcome.as_str(), Reason::as_str);
        format!("{target} {ended} {}", retry.attempts)
    });
    let told = told.collect().await;
    let accounts = cx.tally().accounts();
    assert_eq!(accounts.check(), Ok(()));
    assert_eq!((accounts.taken, accounts.in_flight), (targets.len() as u64, 0));
    (told, wire.asked_ms())
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_holds_the_host_and_is_capped() {
    let targets = ["/503/10/30", "/200/10", "/429/10/9999", "/200/10"];
    let (_, asked_ms) = told_of(one_at_a_time(), &targets).await;
    assert_eq!(asked_ms, [0, 30_010, 30_020, 90_030]);
    let short = Options { max_retry_after: Duration::from_secs(1), ..one_at_a_time() };
    let (_, asked_ms) = told_of(short, &targets).await;
    assert_eq!(asked_ms, [0, 1010, 1020, 2030]);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_keeps_failing_is_given_up_and_the_rest_is_unsent() {
    let options = Options { trips: 3, ..one_at_a_time() };
    let (told, asked_ms) = told_of(options, &["/503/10"; 20]).await;
    // Ten answers open it, and two probes fail.
    let (sent, unsent) = told.split_at(12);
    assert!(sent.iter().all(|told| told == "/503/10 failing 1"), "{told:?}");
    assert!(unsent.iter().all(|told| told == "/503/10 breaker_open 0"), "{told:?}");
    let holds_ms: Vec<_> = asked_ms[9..].windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!((510..=1010).contains(&holds_ms[0]) && (676..=1344).contains(&holds_ms[1]), "{holds_ms:?}");
}

#[tokio::test(start_paused = true)]
async fn without_trips_no_host_is_given_up() {
    let options = Options { trips: 0, ..one_at_a_time() };
    let (told, asked_ms) = told_of(options, &["/503/10"; 50]).await;
    assert_eq!((told.len(), asked_ms.last()), (50, Some(&490)));
}

#[tokio::test(start_paused = true)]
async fn a_host_that_is_held_keeps_nobody_waiting() {
    let mut options = options();
    options.destination = crate::Destination {
        allow_hosts: ["http://dead.example", "http://well.example"]
            .map(|host| host.parse().expect("a host"))
            .into(),
        ..crate::Destination::default()
    };
    let records: Vec<_> = (0..200)
        .map(|number| {
            let (host, target) =
                if number % 2 == 0 { ("dead.example", "/503/10") } else { ("well.example", "/200/10") };
            let original =
                Exchange { target: Some(target.to_owned()), host: Some(host.into()), ..Exchange::default() };
            let id = RecordId::of_line(target.as_bytes(), number);
            Ok(Record::new(id, Origin::new("-", 1, 0, "combined", target), original))
        })
        .collect();
    let start = Instant::now();
    let output = run(options, Some(Pretend::new()), futures_util::stream::iter(records), Context::default());
    let ends: Vec<_> = output.map(|item| (outcome(item).1, start.elapsed())).collect().await;
    let well: Vec<_> = ends.iter().filter(|(outcome, _)| *outcome == Outcome::Recovered).collect();
    assert_eq!(well.len(), 100);
    assert!(well.iter().all(|(_, after)| *after < Duration::from_secs(1)), "{well:?}");
    assert!(ends.iter().any(|(outcome, _)| *outcome == Outcome::Unsent));
}

#[tokio::test(start_paused = true)]
async fn what_fails_is_sent_again_as_often_as_allowed() {
    let options = Options { attempts: NonZeroU32::new(3).expect("not 0"), ..one_at_a_time() };
    let targets = ["/503,200/1", "/503,0,503/1", "/404/1", "/501/1", "/200/1"];
    let (mut told, asked_ms) = told_of(options, &targets).await;
    told.sort();
    let expected = [
        "/200/1 recovered 1",
        "/404/1 refused 1",
        "/501/1 failing 1",
        "/503,0,503/1 failing 3",
        "/503,200/1 recovered 2",
    ];
    assert_eq!(told, expected);
    assert_eq!(asked_ms.len(), 8);
}

#[tokio::test(start_paused = true)]
async fn repetitions_stay_within_their_budget() {
    let options = Options { attempts: NonZeroU32::new(9).expect("not 0"), trips: 0, ..one_at_a_time() };
    let (told, asked_ms) = told_of(options, &["/503/1"; 100]).await;
    assert_eq!(told.len(), 100);
    assert!((120..=130).contains(&asked_ms.len()), "{}", asked_ms.len());
}

/// `--attempts 3` was one attempt for most of what failed, and nothing said why.
#[tokio::test(start_paused = true)]
async fn that_the_budget_is_spent_is_said_once() {
    for (failing, notes) in [(10, 0), (40, 1)] {
        let heard = Arc::<Mutex<Vec<String>>>::default();
        let to = Arc::clone(&heard);
        let cx = Context::new(
            Rejects::default(),
            Notes::to(move |note| to.lock().expect("no panic").push(note.to_string())),
        );
        let options = Options { attempts: NonZeroU32::new(2).expect("not 0"), trips: 0, ..one_at_a_time() };
        told_of_in(&cx, options, &vec!["/503/1"; failing]).await;
        let heard = heard.lock().expect("no panic");
        let told = heard.iter().filter(|note| note.contains("not all of it is sent again"));
        assert_eq!(told.count(), notes, "{heard:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_sent_again_takes_nothing_out_of_the_budget() {
    let options = Options { attempts: NonZeroU32::new(2).expect("not 0"), trips: 0, ..one_at_a_time() };
    // Each fails the first time that it is asked for.
    let failing: Vec<_> = (0..20).map(|number| format!("/503,200/1/0/{number}")).collect();
    let well = std::iter::repeat_n("/200/1", 100);
    let targets: Vec<_> = well.chain(failing.iter().map(String::as_str)).collect();
    let (told, asked_ms) = told_of(options, &targets).await;
    assert_eq!(told.iter().filter(|told| told.ends_with("recovered 2")).count(), 20, "{told:?}");
    assert_eq!(asked_ms.len(), 140);
}

#[tokio::test(start_paused = true)]
async fn a_run_ends_with_its_requests_or_its_time() {
    for sent in 0..=2 {
        let by_requests = Options { max_requests: Some(sent), ..one_at_a_time() };
        let (told, asked_ms) = told_of(by_requests, &["/200/10"; 4]).await;
        assert_eq!(asked_ms.len() as u64, sent);
        let unsent = told.iter().filter(|told| *told == "/200/10 max_requests 0").count() as u64;
        assert_eq!(unsent, 4 - sent);
    }
    let by_time = Options { max_time: Some(Duration::from_millis(15)), ..one_at_a_time() };
    let (told, asked_ms) = told_of(by_time, &["/200/10"; 4]).await;
    assert_eq!(asked_ms, [0, 10]);
    assert_eq!(told.iter().filter(|told| *told == "/200/10 max_time 0").count(), 2);
    // What has no connection by then is not sent over one that comes later.
    let by_time = Options { max_time: Some(Duration::from_secs(2)), ..one_at_a_time() };
    let (told, asked_ms) = told_of(by_time, &["/200/10", "/200/10/0/5000"]).await;
    assert_eq!((asked_ms.len(), told.last().map(String::as_str)), (1, Some("/200/10/0/5000 max_time 0")));
}

/// What was to settle was waited for, and so was the next line of a log that was followed.
#[tokio::test(start_paused = true)]
async fn when_its_time_is_over_a_run_waits_for_nothing() {
    let began = Instant::now();
    let max_time = Some(Duration::from_secs(2));
    let unsettled = Options { settle: Duration::from_secs(3600), max_time, ..one_at_a_time() };
    let (told, _) = told_of(unsettled, &["/200/10"; 2]).await;
    assert_eq!(told, ["/200/10 max_time 0"; 2]);
    assert_eq!(began.elapsed().as_secs(), 2);

    let followed = async |limit: Options| {
        let (cx, began) = (Context::default(), Instant::now());
        let log = given(&["/200/10"; 3]).chain(futures_util::stream::pending());
        let log = log.take_until(cx.stops().drain.clone().cancelled_owned());
        let options = Options { again_max: 1, ..limit };
        let reasons = run(options, Some(Pretend::new()), log, cx.clone())
            .map(|item| item.expect("a record").retry().and_then(|retry| retry.reason));
        (reasons.collect::<Vec<_>>().await, began.elapsed().as_millis())
    };
    let by_requests = followed(Options { max_requests: Some(2), ..one_at_a_time() }).await;
    assert_eq!(by_requests, (vec![None, Some(Reason::MaxRequests), None], 20));
    let by_time = followed(Options { max_time, ..one_at_a_time() }).await;
    assert_eq!(by_time, (vec![None; 3], 2000));
}

/// It waited for what was to be sent again, without a word and for as long as that took, while nobody read the log.
#[tokio::test(start_paused = true)]
async fn a_run_that_follows_ends_at_once_when_its_log_cannot_be_read() {
    let (began, cx) = (Instant::now(), Context::default());
    let options = Options {
        again_max: 9,
        attempts: NonZeroU32::new(9).expect("not 0"),
        backoff: "1h".parse().expect("a backoff"),
        settle: Duration::from_secs(60),
        ..one_at_a_time()
    };
    let (send, log) = mpsc::unbounded_channel();
    let log = futures_util::stream::unfold(log, async |mut log| log.recv().await.map(|item| (item, log)));
    tokio::spawn(async move {
        send.send(Ok(get("/503/10"))).expect("it is read");
        tokio::time::sleep(Duration::from_secs(90)).await;
        send.send(Ok(get("/200/10"))).expect("it is read");
        send.send(Err(Fatal::new("read x"))).expect("it is read");
    });
    let output = run(options, Some(Pretend::new()), log, cx.clone());
    let ends: Vec<_> = output
        .map(|item| item.map(|record| record.retry().expect("a decision").outcome).map_err(|_| ()))
        .collect()
        .await;
    assert_eq!(ends, [Ok(Outcome::Failing), Ok(Outcome::Unsent), Err(())]);
    assert_eq!((began.elapsed().as_secs(), cx.tally().accounts().check()), (90, Ok(())));
}

/// The stop with which it ends came before there was a connection for the last one.
#[tokio::test(start_paused = true)]
async fn a_run_that_follows_sends_all_that_it_may_before_it_ends() {
    let (wire, cx) = (Pretend::new(), Context::default());
    let log = given(&["/200/10/0/500", "/200/10"]).chain(futures_util::stream::pending());
    let log = log.take_until(cx.stops().drain.clone().cancelled_owned());
    let options = Options { again_max: 1, max_requests: Some(1), ..one_at_a_time() };
    let reasons = run(options, Some(Arc::clone(&wire)), log, cx.clone())
        .map(|item| item.expect("a record").retry().and_then(|retry| retry.reason));
    assert_eq!(reasons.collect::<Vec<_>>().await, [Some(Reason::MaxRequests), None]);
    assert_eq!(wire.asked_ms().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_once_is_never_called_unsent() {
    let options = Options {
        attempts: NonZeroU32::new(9).expect("not 0"),
        max_time: Some(Duration::from_millis(5)),
        backoff: "1h".parse().expect("a backoff"),
        ..one_at_a_time()
    };
    let (told, _) = told_of(options, &["/503/1"]).await;
    assert_eq!(told, ["/503/1 failing 1"]);
}

#[tokio::test(start_paused = true)]
async fn the_adaptive_pace_begins_with_one_request() {
    let options = Options { pace: Pace::Adaptive, ..options() };
    let (_, asked_ms) = told_of(options, &["/200/10"; 100]).await;
    assert_eq!(asked_ms[..12], [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110]);
    assert_eq!(asked_ms[12..14], [120, 120]);
    assert!(asked_ms[99] < 600, "{asked_ms:?}");
}

#[tokio::test(start_paused = true)]
async fn the_original_pace_keeps_the_gaps_of_the_log_and_everything_that_holds_a_host() {
    let logged = |(target, second): (&str, i64)| {
        let time = Some(Timestamp::from_second(1_700_000_000 + second).expect("a time"));
        let record = get(target);
        let original = Exchange { time, ..record.original().clone() };
        Ok(Record::new(record.id(), record.origin().clone(), original))
    };
    let asked = async |tempo: Tempo, options: Options, log: &[(&str, i64)]| {
        let wire = Pretend::new();
        let options = Options { pace: Pace::Original, tempo, ..options };
        let input = futures_util::stream::iter(log.iter().copied().map(logged).collect::<Vec<_>>());
        let output = run(options, Some(Arc::clone(&wire)), input, Context::default());
        assert_eq!(output.count().await, log.len());
        wire.asked_ms()
    };
    let log = [("/200/10", 0), ("/200/10", 1), ("/200/10", 1), ("/200/10", 4), ("/200/10", 3600)];
    let tempo = |speed, max_gap_s| Tempo { speed, max_gap: Duration::from_secs(max_gap_s) };
    // Two at once is what the law allows only after a round: the second of the same moment waits for the first.
    assert_eq!(asked(tempo(1.0, 60), options(), &log).await, [0, 1000, 1010, 4000, 64_000]);
    assert_eq!(asked(tempo(10.0, 60), options(), &log).await, [0, 100, 110, 400, 6400]);
    let slow = Options { rate: Some("1/s".parse().expect("a rate")), ..options() };
    assert_eq!(asked(tempo(10.0, 5), slow, &log).await, [0, 1000, 2000, 3000, 4000]);
    let held = [("/503/10/30", 0), ("/200/10", 1)];
    assert_eq!(asked(tempo(1.0, 60), options(), &held).await, [0, 30_010]);
}
