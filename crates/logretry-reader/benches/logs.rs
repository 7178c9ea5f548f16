//! How fast a log is read from a file, by all cores: the failures alone, and every line as a record for a pipe.

use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures_util::StreamExt as _;
use logretry_reader::{Reader, ReaderOptions, inputs};
use logretry_record::Predicate;
use logretry_stage::Context;
use tokio::runtime::{Builder, Runtime};

#[path = "../../logretry-format/benches/requests/mod.rs"]
mod requests;

const LINES: usize = 200_000;

/// How many records there are.
fn read(runtime: &Runtime, log: &Path, options: &ReaderOptions) -> u64 {
    let reader = Reader::new(inputs(&[log]).expect("the log"), options.clone());
    runtime.block_on(async {
        let mut stream = std::pin::pin!(reader.open_encoded(&Context::default()));
        let mut records = 0;
        while let Some(encoded) = stream.next().await {
            let encoded = encoded.expect("records");
            records += encoded.records;
            if let Some(spares) = encoded.spares {
                spares.put(encoded.bytes);
            }
        }
        records
    })
}

fn logs(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("access.log");
    let text: String = requests::requests(LINES).map(|request| requests::combined(&request) + "\n").collect();
    std::fs::write(&log, &text).expect("a log");
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let mut group = criterion.benchmark_group("logs");
    group.throughput(Throughput::Bytes(text.len() as u64)).sample_size(20);
    for (name, predicate) in [("failures", Some(Predicate::default())), ("every line", None)] {
        let options = ReaderOptions { predicate, ..ReaderOptions::default() };
        group.bench_function(name, |bencher| bencher.iter(|| read(&runtime, &log, &options)));
    }
    group.finish();
}

criterion_group!(benches, logs);
criterion_main!(benches);
