//! How many refires a second the ledger bears: 64 senders, each of which waits for its intent and tells its outcome.

use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use jiff::Timestamp;
use logretry_ledger::{Durability, Ledger};
use logretry_record::{Outcome, Reason, RecordId, Retry};

/// Requests under way.
const SENDERS: u64 = 64;
/// Refires of each sender in one sample.
const EACH: u64 = 50;

const LINE: &[u8] = b"203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] \"GET /products/4711?page=2&sort=price&retry=True HTTP/1.1\" 200 512 \"-\" \"Mozilla/5.0 (X11; Linux x86_64)\"\n";

fn retry(method: &str) -> Retry {
    Retry {
        method: Some(method.to_owned()),
        url: Some("https://shop.example/products/4711?page=2&sort=price".to_owned()),
        attempts: 1,
        outcome: Outcome::Recovered,
        status: Some(200),
        duration_ms: Some(12.345),
        bytes: Some(512),
        reason: None,
        ..Retry::not_sent(Timestamp::now(), Reason::Stopped)
    }
}

/// One refire after the other, as a sender does it.
fn refire(ledger: &Ledger, sender: u64, from: u64, method: &str) {
    for number in from..from + EACH {
        let id = RecordId::of_line(LINE, sender << 32 | number);
        let retry = retry(method);
        let url = retry.url.as_deref().unwrap_or_default();
        black_box(ledger.before(id)).expect("a ledger");
        ledger.intent(id, 1, method, url).wait().expect("a ledger");
        ledger.outcome(id, &retry, Some(LINE)).wait().expect("a ledger");
    }
}

fn refires(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("refires at 64 in flight");
    group
        .throughput(Throughput::Elements(SENDERS * EACH))
        .sample_size(20)
        .measurement_time(Duration::from_secs(8));
    for (name, durability, method) in [
        ("full", Durability::Full, "GET"),
        ("grouped, safe methods", Durability::Grouped, "GET"),
        ("grouped, unsafe methods", Durability::Grouped, "POST"),
    ] {
        // Where the working directory is, for `/tmp` may be memory.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let ledger = Ledger::open(&folder.path().join("ledger"), "bench", durability).expect("a ledger");
        let mut from = 0;
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|rounds| {
                let start = Instant::now();
                for _ in 0..rounds {
                    thread::scope(|scope| {
                        for sender in 0..SENDERS {
                            let ledger = &ledger;
                            scope.spawn(move || refire(ledger, sender, from, method));
                        }
                    });
                    from += EACH;
                }
                start.elapsed()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, refires);
criterion_main!(benches);
