//! No host is kept waiting by another, whatever the mix of the log, and no record is lost on the way over the disk.

use std::collections::HashSet;
use std::io;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};

use logretry_stage::{Notes, Rejects};

use super::*;
use crate::overflow::{DISK, Failing, Open};

/// Its name, and what is asked of it.
type Host = (&'static str, &'static str);

const WELL: Host = ("well.example", "/200/10");
const SLOW: Host = ("slow.example", "/200/2000");
const DEAD: Host = ("dead.example", "/503/10");

fn hosts() -> Options {
    let mut options =
        Options { pace: Pace::Adaptive, per_host: NonZeroUsize::new(8), trips: 3, ..Options::default() };
    options.destination.allow_hosts =
        [WELL, SLOW, DEAD].map(|(host, _)| format!("http://{host}").parse().expect("a host")).into();
    options
}

fn asked_of((host, target): Host, number: u64) -> Record {
    let original = Exchange { target: Some(target.into()), host: Some(host.into()), ..Exchange::default() };
    let origin = Origin::new("-", number + 1, 0, "combined", target);
    Record::new(RecordId::of_line(target.as_bytes(), number), origin, original)
}

/// A log of so many lines, each of the host that `which` says.
fn log(lines: u64, which: impl Fn(u64) -> Host + Send + 'static) -> impl RecordStream {
    futures_util::stream::iter((0..lines).map(move |number| Ok(asked_of(which(number), number))))
}

/// When the last record of the host that is well came out.
async fn well_after(options: Options, input: impl RecordStream) -> Duration {
    let start = Instant::now();
    let mut last = Duration::ZERO;
    let mut output = pin!(run(options, Some(Pretend::new()), input, Context::default()));
    while let Some(item) = output.next().await {
        let record = item.expect("a record");
        let is_sent = record.retry().is_some_and(|retry| retry.outcome == Outcome::Recovered);
        if is_sent && record.original().host.as_ref().is_some_and(|host| host == WELL.0) {
            last = start.elapsed();
        }
    }
    last
}

#[tokio::test(start_paused = true)]
async fn a_host_that_is_well_has_its_own_speed_in_every_mix() {
    let options = Options { max_time: Some(Duration::from_secs(30)), trips: u32::MAX, ..hosts() };
    let alone = well_after(options.clone(), log(400, |_| WELL)).await;
    assert!(alone > Duration::from_millis(500), "{alone:?}");
    let few = |well: u64| if well == 0 { WELL } else { SLOW };
    let four_to_one = well_after(options.clone(), log(5 * 400, move |number| few(number % 5))).await;
    let hundred_to_one = well_after(options.clone(), log(101 * 400, move |number| few(number % 101))).await;
    let after_the_dead =
        well_after(options, log(100_400, |number| if number < 100_000 { DEAD } else { WELL })).await;
    for mixed in [four_to_one, hundred_to_one, after_the_dead] {
        assert!(mixed <= alone.mul_f64(1.1), "{mixed:?} instead of {alone:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_original_pace_reads_no_further_than_the_time_has_come() {
    let line = |number: u64| {
        let host = if number.is_multiple_of(10) { WELL } else { SLOW };
        let record = asked_of(host, number);
        // A thousand lines a second.
        let time =
            Some(Timestamp::from_millisecond(1_700_000_000_000 + number.cast_signed()).expect("a time"));
        let original = Exchange { time, ..record.original().clone() };
        Record::new(record.id(), record.origin().clone(), original)
    };
    let read = Arc::new(AtomicU64::new(0));
    let input = {
        let read = Arc::clone(&read);
        futures_util::stream::iter((0..1_000_000).map(move |number| {
            read.store(number, Ordering::Relaxed);
            Ok(line(number))
        }))
    };
    let (start, ten) = (Instant::now(), Duration::from_secs(10));
    let options = Options { pace: Pace::Original, max_time: Some(ten), ..hosts() };
    let mut output = pin!(run(options, Some(Pretend::new()), input, Context::default()));
    let mut late = Vec::new();
    while start.elapsed() < ten {
        let record = output.next().await.expect("it goes on").expect("a record");
        if record.original().host.as_ref().is_some_and(|host| host == WELL.0) {
            late.push(start.elapsed().saturating_sub(Duration::from_millis(record.origin().line - 1)));
        }
    }
    assert!(late.len() > 900, "{}", late.len());
    assert!(late.iter().all(|late| *late < Duration::from_millis(100)), "{:?}", late.iter().max());
    assert!((10_000..16_000).contains(&read.load(Ordering::Relaxed)), "{read:?}");
}

/// What became of a log in which hosts are mixed, and what was said.
struct Ended {
    fatal: Option<String>,
    by_reason: HashMap<&'static str, usize>,
    said: Vec<String>,
}

/// Runs `lines` lines, half of a slow host, most others of a dead one; each record must come out once.
async fn ended(options: Options, lines: u64, stop: impl Future<Output = ()> + Send + 'static) -> Ended {
    let said = Arc::new(Mutex::new(Vec::new()));
    let cx = {
        let said = Arc::clone(&said);
        let notes = Notes::to(move |note| said.lock().expect("no panic").push(note.to_string()));
        Context::new(Rejects::default(), notes)
    };
    let stops = cx.stops().clone();
    tokio::spawn(async move {
        stop.await;
        stops.drain.cancel();
    });
    let input = log(lines, |number| [SLOW, DEAD, SLOW, WELL][usize::try_from(number % 4).expect("small")]);
    let mut output = pin!(run(options, Some(Pretend::new()), input, cx.clone()));
    let (mut ids, mut by_reason, mut fatal) = (HashSet::new(), HashMap::new(), None);
    while let Some(item) = output.next().await {
        match item {
            Ok(record) => {
                let retry = record.retry().expect("a decision");
                *by_reason.entry(retry.reason.map_or("sent", Reason::as_str)).or_default() += 1;
                assert!(ids.insert(record.id()), "{record:?} came out twice");
            }
            Err(error) => fatal = Some(error.to_string()),
        }
    }
    let accounts = cx.tally().accounts();
    assert_eq!((accounts.check(), accounts.in_flight), (Ok(()), 0));
    assert_eq!(accounts.taken, ids.len() as u64);
    if fatal.is_none() {
        assert_eq!(ids.len() as u64, lines);
    }
    let said = said.lock().expect("no panic").clone();
    Ended { fatal, by_reason, said }
}

async fn after(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn every_record_comes_out_once_however_the_run_ends() {
    let lines = 40_000;
    let max_time = Options { max_time: Some(Duration::from_secs(20)), ..hosts() };
    let Ended { by_reason, said, .. } = ended(max_time, lines, std::future::pending()).await;
    assert!(by_reason["max_time"] > 15_000 && by_reason["breaker_open"] > 9_000, "{by_reason:?}");
    assert!(!said.iter().any(|note| note.contains("disk") || note.contains("file")), "{said:?}");
    for why in ["failed, the last with 503; it is left alone", "still failing, with 503; it is given up"] {
        assert!(said.iter().any(|note| note.contains("dead.example: ") && note.contains(why)), "{said:?}");
    }

    let max_requests = Options { max_requests: Some(9_000), ..hosts() };
    let Ended { by_reason, .. } = ended(max_requests, lines, std::future::pending()).await;
    assert_eq!((by_reason["sent"], by_reason["max_requests"] > 15_000), (9_000, true), "{by_reason:?}");

    let Ended { by_reason, .. } = ended(hosts(), lines, after(5)).await;
    assert!(by_reason["stopped"] > 15_000, "{by_reason:?}");
}

#[tokio::test(start_paused = true)]
async fn a_host_is_asked_in_the_order_of_the_log() {
    let options = Options { per_host: NonZeroUsize::new(1), pace: Pace::Fixed, ..hosts() };
    let input =
        log(10_000, |number| if number.is_multiple_of(9) { WELL } else { ("slow.example", "/200/20") });
    let output = run(options, Some(Pretend::new()), input, Context::default());
    let lines: Vec<_> = output.map(|item| item.expect("a record").origin().line).collect().await;
    let slow: Vec<_> = lines.into_iter().filter(|line| (line - 1) % 9 != 0).collect();
    assert!(slow.is_sorted() && slow.len() > 8000);
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_cannot_be_written_is_said_once_and_loses_nothing() {
    let disks: [Open; 3] = [
        || Err(io::ErrorKind::PermissionDenied.into()),
        || Ok(Box::new(Failing { writes: 0, reads: usize::MAX, bytes: Vec::new() })),
        || Ok(Box::new(Failing { writes: 5000, reads: usize::MAX, bytes: Vec::new() })),
    ];
    for disk in disks {
        DISK.set(Some(disk));
        let Ended { fatal, by_reason, said } = ended(hosts(), 40_000, after(60)).await;
        assert_eq!((fatal, by_reason.values().sum()), (None, 40_000));
        let said: Vec<_> = said.into_iter().filter(|note| note.contains("TMPDIR")).collect();
        assert_eq!(said.len(), 1, "{said:?}");
    }
    DISK.set(None);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_full_is_said_once_and_loses_nothing() {
    let options = Options { overflow_bytes_max: 1 << 20, ..hosts() };
    let Ended { fatal, by_reason, said } = ended(options, 40_000, after(60)).await;
    assert_eq!((fatal, by_reason.values().sum()), (None, 40_000));
    let said: Vec<_> = said.into_iter().filter(|note| note.contains("1 MiB")).collect();
    assert_eq!(said.len(), 1, "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_back_ends_the_run_with_an_error() {
    DISK.set(Some(|| Ok(Box::new(Failing { writes: usize::MAX, reads: 1000, bytes: Vec::new() }))));
    let Ended { fatal, by_reason, .. } = ended(hosts(), 40_000, std::future::pending()).await;
    let fatal = fatal.expect("it is told");
    assert_eq!(fatal, "read back the records that wait in a temporary file: it is gone");
    assert!(by_reason["stopped"] > 4000, "{by_reason:?}");
    DISK.set(None);
}
