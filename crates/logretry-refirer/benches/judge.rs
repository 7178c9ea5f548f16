//! How long it takes to decide whether a record may be sent, and as what.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use logretry_record::{Exchange, Origin, Record, RecordId};
use logretry_refirer::Options;

fn get(target: &str) -> Record {
    let original = Exchange {
        method: Some("GET".to_owned()),
        target: Some(target.to_owned()),
        host: Some("shop.example".into()),
        ..Exchange::default()
    };
    Record::new(RecordId::of_line(target.as_bytes(), 0), Origin::new("-", 1, 0, "combined", target), original)
}

fn records(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a record");
    group.throughput(Throughput::Elements(1));
    let (mut based, mut allowed) = (Options::default(), Options::default());
    based.destination.base_url = Some("http://shop.example:8080/v1".parse().expect("a base URL"));
    allowed.destination.allow_hosts = vec!["shop.example".parse().expect("a host")];
    for (name, options, target) in [
        ("to a base URL", &based, "/products/4711?page=2&sort=price"),
        ("to a host of the log", &allowed, "/products/4711?page=2&sort=price"),
        ("with percent-encoding", &based, "/caf%C3%A9/%E2%82%AC?q=a%20b+c"),
    ] {
        let record = get(target);
        assert!(options.judge(&record).is_ok(), "it may be sent");
        group.bench_function(name, |bencher| bencher.iter(|| options.judge(black_box(&record))));
    }
    group.finish();
}

criterion_group!(benches, records);
criterion_main!(benches);
