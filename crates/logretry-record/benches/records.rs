//! What a record costs: written, skimmed by a stage that drops it, decoded by one that does not, and its name.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use logretry_record::{Encoder, LineCounter, LineKey, Predicate, Record, RecordId, RecordIds};

use crate::pipe::{encode, encoded, logged};

mod pipe;
#[path = "../../logretry-format/benches/requests/mod.rs"]
mod requests;

/// Lines that all fit into a processor's cache.
const LINES: usize = 1000;
/// Lines that do not.
const DIFFERENT_LINES: usize = 1_000_000;

fn records(criterion: &mut Criterion) {
    let logged = logged(LINES);
    let lines = encoded(&logged);
    let mut group = criterion.benchmark_group("records");
    group.throughput(Throughput::Elements(LINES as u64));
    let (mut encoder, mut out) = (Encoder::new(b"access.log"), Vec::new());
    group.bench_function("encode", |bencher| {
        bencher.iter(|| {
            out.clear();
            encode(&mut encoder, &logged, black_box(&mut out));
        });
    });
    let wanted = Predicate::default();
    group.bench_function("skim", |bencher| {
        bencher.iter(|| lines.iter().filter(|line| wanted.rules_out_line(black_box(line))).count());
    });
    group.bench_function("decode", |bencher| {
        bencher.iter(|| {
            for line in &lines {
                black_box(Record::decode(line)).expect("a record");
            }
        });
    });
    group.finish();
}

fn names(criterion: &mut Criterion) {
    let logged = logged(LINES);
    let mut group = criterion.benchmark_group("names");
    group.throughput(Throughput::Elements(LINES as u64));
    group.bench_function("id", |bencher| {
        bencher.iter(|| {
            for logged in &logged {
                black_box(RecordId::of_line(black_box(logged.text.as_bytes()), 0));
            }
        });
    });
    let mut ids = RecordIds::default();
    group.bench_function("many ids", |bencher| {
        bencher.iter(|| {
            black_box(ids.of_lines(logged.iter().map(|logged| black_box(logged.text.as_bytes()))));
        });
    });
    let keys: Vec<LineKey> = requests::requests(DIFFERENT_LINES)
        .map(|request| requests::combined(&request))
        .map(|line| LineKey::new(line.as_bytes(), RecordId::of_line(line.as_bytes(), 0)))
        .collect();
    group.throughput(Throughput::Elements(keys.len() as u64)).sample_size(10);
    group.bench_function("ordinal", |bencher| {
        bencher.iter_batched_ref(
            LineCounter::default,
            |counter| keys.iter().map(|&key| counter.ordinal(key)).sum::<u64>(),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, records, names);
criterion_main!(benches);
