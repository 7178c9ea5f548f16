//! Several threads read a file as one would.

use futures_util::StreamExt as _;
use logretry_reader::{Reader, ReaderOptions, inputs};
use logretry_record::{Predicate, Record};
use logretry_stage::{Context, Source as _};
use proptest::prelude::*;

use crate::lab::{options, read_file};

/// What the programs write into a pipe.
pub(crate) fn encoded(path: &std::path::Path, options: ReaderOptions) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let reader = Reader::new(inputs(&[path]).expect("the log"), options);
    let mut bytes = Vec::new();
    runtime.block_on(async {
        let mut stream = std::pin::pin!(reader.open_encoded(&Context::default()));
        while let Some(Ok(encoded)) = stream.next().await {
            assert_eq!(memchr::memchr_iter(b'\n', &encoded.bytes).count() as u64, encoded.records);
            bytes.extend(encoded.bytes);
        }
    });
    String::from_utf8(bytes).expect("NDJSON is UTF-8")
}

pub(crate) fn encode(records: &[Record]) -> String {
    let mut bytes = Vec::new();
    for record in records {
        record.encode(&mut bytes);
    }
    String::from_utf8(bytes).expect("NDJSON is UTF-8")
}

fn line() -> impl Strategy<Value = String> {
    let combined = |status: u16, path: &str| {
        format!(
            r#"203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] "GET /{path} HTTP/1.1" {status} 157 "-" "curl/8.9""#
        )
    };
    let status = prop_oneof![4 => Just(200), 2 => Just(502), 1 => 0_u16..1000];
    prop_oneof![
        20 => (status.clone(), "[a-c]{0,2}").prop_map(move |(status, path)| combined(status, &path)),
        2 => (status.clone(), "[a-z]{0,300}").prop_map(move |(status, path)| combined(status, &path)),
        2 => status.clone().prop_map(move |status| combined(status, "a") + "\r"),
        1 => (status.clone(), 0_usize..200).prop_map(move |(status, hole)| "\0".repeat(hole) + &combined(status, "a")),
        1 => (status.clone(), 0_usize..3000).prop_map(move |(status, length)| combined(status, &"x".repeat(length))),
        1 => status.prop_map(|status| format!(r#"{{"time":"2026-11-22T06:22:52Z","status":{status},"request_uri":"/j","request_method":"GET"}}"#)),
        1 => "[ -~]{0,60}",
        1 => prop_oneof![Just(String::new()), Just("  ".to_owned()), Just("# a comment".to_owned()), Just("\0\0".to_owned())],
        1 => Just(r#"203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] "GET /c HTTP/1.1" 503 157"#.to_owned()),
    ]
}

fn w3c() -> impl Strategy<Value = String> {
    prop_oneof![
        1 => Just("#Fields: date time cs-method cs-uri-stem sc-status".to_owned()),
        1 => Just("#Fields: date time sc-status cs-method cs-uri-stem".to_owned()),
        8 => (0_u16..1000).prop_map(|status| format!("2026-11-22 06:22:52 GET /a {status:03}")),
        4 => (0_u16..1000).prop_map(|status| format!("2026-11-22 06:22:52 {status:03} GET /b")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_crew_reads_what_one_thread_reads(
        lines in prop_oneof![prop::collection::vec(line(), 0..80), prop::collection::vec(w3c(), 0..60)],
        tail in prop_oneof![Just(String::new()), line()],
        block_bytes in 64_usize..2000,
        format in prop_oneof![3 => Just(None), 1 => Just(Some("combined")), 1 => Just(Some("common"))],
        has_predicate in any::<bool>(),
        strict in any::<bool>(),
    ) {
        let log = lines.iter().fold(String::new(), |log, line| log + line + "\n") + &tail;
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("access.log");
        std::fs::write(&path, &log).expect("a file");
        let alone = ReaderOptions {
            line_bytes_max: 1000,
            predicate: has_predicate.then(Predicate::default),
            strict,
            crew_bytes_min: u64::MAX,
            ..options(format.as_slice())
        };
        let crew = ReaderOptions { crew_bytes_min: 0, block_bytes, ..alone.clone() };
        let (one, several) = (read_file(&path, alone.clone()), read_file(&path, crew.clone()));
        prop_assert_eq!(&one.records, &several.records);
        prop_assert_eq!(one.counts(), several.counts());
        prop_assert_eq!(one.accounts.lines, several.accounts.lines);
        prop_assert_eq!(one.rejects, several.rejects);
        prop_assert_eq!(one.notes, several.notes);
        prop_assert_eq!(one.fatal, several.fatal);
        prop_assert_eq!(encode(&one.records), encoded(&path, crew));
        prop_assert_eq!(encode(&one.records), encoded(&path, alone));
    }

    #[test]
    fn what_a_crew_leaves_unread_is_what_a_strict_one_does_not_select(
        lines in prop::collection::vec(line(), 50..100),
        block_bytes in 64_usize..2000,
    ) {
        let log = lines.join("\n");
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("access.log");
        std::fs::write(&path, &log).expect("a file");
        let crew = ReaderOptions {
            predicate: Some(Predicate::default()), crew_bytes_min: 0, block_bytes, ..options(&["combined"])
        };
        let strict = ReaderOptions { strict: true, ..crew.clone() };
        let (skimmed, strict) = (read_file(&path, crew), read_file(&path, strict));
        prop_assert_eq!(skimmed.records, strict.records);
        prop_assert_eq!(skimmed.accounts.lines, strict.accounts.lines);
    }
}

/// A thread of it died.
#[test]
fn blocks_of_no_size_and_of_any_size_are_read() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("access.log");
    let line = "203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] \"GET /a HTTP/1.1\" 502 157 \"-\" \"-\"\n";
    std::fs::write(&path, line.repeat(300)).expect("a file");
    for block_bytes in [0, usize::MAX] {
        let crew = ReaderOptions { crew_bytes_min: 0, block_bytes, ..options(&[]) };
        let read = read_file(&path, crew);
        assert_eq!((read.records.len(), read.fatal), (300, None), "{block_bytes}");
    }
}

#[test]
fn bytes_are_counted_once() {
    let line = r#"203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] "GET /a HTTP/1.1" 502 157 "-" "curl/8.9""#
        .to_owned()
        + "\n";
    let log = line.repeat(50_000);
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("access.log");
    std::fs::write(&path, &log).expect("a file");
    let read = read_file(&path, ReaderOptions::default());
    assert_eq!((read.accounts.records, read.accounts.bytes), (50_000, log.len() as u64));
    assert_eq!(read.places()[49_999], (50_000, 49_999 * line.len() as u64));
    assert!(
        encode(&read.records) == encoded(&path, ReaderOptions::default()),
        "its blocks have several parts"
    );
}

#[test]
fn a_log_that_is_truncated_while_it_is_read_ends_there_and_not_in_silence() {
    let line = |number: usize| {
        format!(
            "203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] \"GET /{number} HTTP/1.1\" 502 157 \"-\" \"curl/8.9\"\n"
        )
    };
    let log: String = (0..200_000).map(line).collect();
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("access.log");
    std::fs::write(&path, &log).expect("a file");
    let options =
        ReaderOptions { predicate: Some(Predicate::default()), block_bytes: 16 << 10, ..options(&[]) };
    let cx = Context::default();
    let reader = Reader::new(inputs(&[&path]).expect("the log"), options);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let (lines, end) = runtime.block_on(async {
        let mut stream = std::pin::pin!(reader.open(&cx));
        let mut lines: Vec<u64> = Vec::new();
        while let Some(record) = stream.next().await {
            match record {
                Ok(record) => lines.push(record.origin().line),
                Err(error) => return (lines, error.to_string()),
            }
            if lines.len() == 1 {
                // The crew waits, as nobody takes its records.
                std::fs::File::create(&path).expect("the log is emptied");
            }
        }
        (lines, "no error".to_owned())
    });
    assert!(end.contains("it has been emptied meanwhile"), "{end}");
    assert!(lines.len() < 200_000, "{}", lines.len());
    assert!(lines.iter().copied().eq(1..=lines.len() as u64), "none is left out, and none comes twice");
    let accounts = cx.tally().accounts();
    assert_eq!((accounts.lines, accounts.check()), (lines.len() as u64, Ok(())));
}
