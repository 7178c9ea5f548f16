//! How long a line of the retry log takes: read again, changed, and read back to be sure.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use jiff::Timestamp;
use logretry_record::{Exchange, Mark, Origin, Outcome, Reason, Record, RecordId, Retry};
use logretry_rewriter::{Form, Renderer};

const COMBINED: &str = r#"203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] "GET /products/4711?page=2&sort=price HTTP/1.1" 502 157 "-" "Mozilla/5.0 (X11; Linux x86_64)""#;
const CADDY: &str = r#"{"level":"info","ts":1763792572.25,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"203.0.113.9","proto":"HTTP/2.0","method":"GET","host":"shop.example","uri":"/products/4711?page=2&sort=price","headers":{"User-Agent":["Mozilla/5.0 (X11; Linux x86_64)"]}},"duration":0.004,"size":157,"status":502}"#;

fn record(format: &str, line: &str) -> Record {
    let id = RecordId::of_line(line.as_bytes(), 0);
    let retry = Retry {
        method: Some("GET".to_owned()),
        url: Some("https://shop.example/products/4711?page=2&sort=price".to_owned()),
        attempts: 1,
        outcome: Outcome::Recovered,
        status: Some(200),
        duration_ms: Some(12.345),
        bytes: Some(512),
        reason: None,
        ..Retry::not_sent(Timestamp::now(), Reason::Stopped)
    };
    Record::new(id, Origin::new("access.log", 1, 0, format, line), Exchange::default()).with_retry(retry)
}

fn lines(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a line of the retry log");
    group.throughput(Throughput::Elements(1));
    for (format, line) in [("combined", COMBINED), ("caddy", CADDY)] {
        let (record, mut renderer) = (record(format, line), Renderer::new(Form::Same, Mark::default()));
        let mut out = Vec::new();
        assert_eq!(renderer.render(&record, &mut out), None, "it is a line of this format");
        group.bench_function(format, |bencher| {
            bencher.iter(|| {
                out.clear();
                renderer.render(black_box(&record), &mut out)
            });
        });
    }
    group.finish();
}

criterion_group!(benches, lines);
criterion_main!(benches);
