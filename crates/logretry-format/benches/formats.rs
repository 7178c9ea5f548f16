//! What a line costs: its fields found, whole blocks ruled out unparsed, its copy for the retry log.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use jiff::Timestamp;
use logretry_format::{Change, Draft, Screen, Spans};
use logretry_record::{Mark, StatusSet};

use crate::forms::{CADDY, COMBINED, Form, INGRESS_NGINX, NGINX_JSON};

mod forms;
mod requests;

const FORMS: [(&str, Form); 4] =
    [("combined", COMBINED), ("ingress-nginx", INGRESS_NGINX), ("nginx JSON", NGINX_JSON), ("Caddy", CADDY)];

/// Lines of each form; all fit into a processor's cache.
const LINES: usize = 1000;

fn parse(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parse");
    group.throughput(Throughput::Elements(LINES as u64));
    for (name, form) in FORMS {
        let (format, lines, mut spans) = (form.format(), form.lines(LINES), Spans::new());
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                for line in &lines {
                    let parsed = format.parse(line.as_bytes(), &mut spans).expect("a line");
                    black_box(parsed.exchange_ref());
                }
            });
        });
    }
    group.finish();
}

fn screen(criterion: &mut Criterion) {
    let screen = Screen::new(&COMBINED.format(), &StatusSet::default()).expect("a screen");
    let block = COMBINED.lines(LINES).join("\n") + "\n";
    let mut group = criterion.benchmark_group("screen");
    group.throughput(Throughput::Bytes(block.len() as u64));
    group.bench_function("combined", |bencher| {
        bencher.iter(|| {
            screen.sift(black_box(block.as_bytes()), |place, _| black_box(place).start < block.len())
        });
    });
    group.finish();
}

fn rewrite(criterion: &mut Criterion) {
    let mark = Mark::default();
    let time = Timestamp::from_second(1_795_329_862).expect("a time");
    let change = Change { mark: &mark, time, status: Some(200), bytes: Some(512), duration_ms: Some(23.1) };
    let mut group = criterion.benchmark_group("rewrite");
    group.throughput(Throughput::Elements(LINES as u64));
    for (name, form) in FORMS {
        let (format, lines, mut out) = (form.format(), form.lines(LINES), Vec::new());
        let mut draft = Draft::default();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                for line in &lines {
                    out.clear();
                    let written =
                        format.rewrite_with(line.as_bytes(), &change, &mut draft, black_box(&mut out));
                    written.expect("a line");
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, parse, screen, rewrite);
criterion_main!(benches);
