//! Logs of proxies, caches and balancers that name hosts, write URLs themselves or lose parts of them, against what clients sent.

mod lab;
mod third_party;

#[path = "../corpus/mod.rs"]
mod corpus;

use corpus::{corpora, lines};
use logretry_format::{Change, Format, LineError, Spans};
use logretry_record::{Exchange, Mark};

/// What is behind a syslog header, which the reader peels off.
fn peeled(line: &[u8]) -> &[u8] {
    let tag = line.windows(8).position(|part| part == b"haproxy[");
    let end = tag.and_then(|tag| Some(tag + line[tag..].windows(3).position(|part| part == b"]: ")? + 3));
    &line[end.unwrap_or(0)..]
}

fn format(spec: &str) -> Format {
    Format::compile(spec).unwrap_or_else(|error| panic!("cannot read the format `{spec}`: {error}"))
}

fn exchange(format: &Format, line: &[u8]) -> Result<Exchange, LineError> {
    format.parse(line, &mut Spans::new()).map(|parsed| parsed.exchange())
}

/// A line that was read can be rewritten, and then says what the refire said.
fn check_rewrite(format: &Format, line: &[u8], before: &Exchange) {
    let place = line.escape_ascii();
    let mark = Mark::default();
    let time = "2026-11-22T09:08:07.654Z".parse().expect("a time");
    let change =
        Change { mark: &mark, time, status: Some(204), bytes: Some(1234), duration_ms: Some(1500.0) };
    let mut once = Vec::new();
    format.rewrite(line, &change, &mut once).unwrap_or_else(|error| panic!("{place}: {error}"));
    let after = exchange(format, &once).unwrap_or_else(|error| panic!("{error}: {}", once.escape_ascii()));
    assert_eq!(after.target, before.target.as_deref().map(|target| mark.put_on(target)), "{place}");
    assert_eq!(after.status, Some(204), "{place}");
    assert_eq!(after.bytes.unwrap_or(1234), 1234, "{place}");
    assert!(after.time.is_none_or(|time| time.as_second() == 1_795_338_487), "{place}");
    assert_eq!(
        (&after.method, &after.host, after.scheme),
        (&before.method, &before.host, before.scheme),
        "{place}"
    );
    let mut twice = Vec::new();
    format.rewrite(&once, &change, &mut twice).expect("a rewritten line can be rewritten");
    assert_eq!(once.escape_ascii().to_string(), twice.escape_ascii().to_string(), "marking is idempotent");
}
