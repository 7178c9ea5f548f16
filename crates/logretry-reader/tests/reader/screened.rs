//! Screening changes how fast a log is read, and no record of it.

use logretry_reader::ReaderOptions;
use logretry_record::{Predicate, Record};
use proptest::prelude::*;

use crate::crew::{encode, encoded};
use crate::lab::{line, options, read_file};

/// A line in one of the formats that a server's log may change between, or something else.
fn written(kind: usize, target: &str, status: u16) -> String {
    let own = line(target, status);
    let common = own.trim_end_matches(r#" "-" "curl/8.9""#).to_owned();
    match kind {
        0 => own,
        1 => own + r#" 0.001 "x""#,
        2 => common,
        3 => format!("shop.example:80 {own}"),
        4 => format!(
            r#"{{"time":"2026-11-22T06:22:52Z","status":{status},"request_uri":"{target}","request_method":"GET"}}"#
        ),
        5 => format!("Nov 22 06:22:52 web1 nginx: {own}"),
        6 => own[..own.len() * 2 / 3].to_owned(),
        _ => format!("upstream said \" {status} about {target}"),
    }
}

/// Some lines of one kind, of which few are wanted.
fn stretch() -> impl Strategy<Value = Vec<(usize, u16)>> {
    let status = prop_oneof![12 => Just(200_u16), 2 => 300_u16..500, 1 => Just(502_u16), 1 => Just(503_u16)];
    let kind = prop_oneof![4 => Just(0_usize), 4 => 1_usize..8];
    let length = prop_oneof![2 => 1_usize..4, 1 => 4_usize..40];
    (kind, length)
        .prop_flat_map(move |(kind, length)| prop::collection::vec((Just(kind), status.clone()), length))
}

fn is_wanted(record: &Record) -> bool {
    matches!(record.original().status, Some(500..=599))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn screened_strict_and_filtered_behind_are_the_same(
        stretches in prop::collection::vec(stretch(), 1..12),
        block_bytes in 100_usize..4000,
    ) {
        let kinds = (0..200).map(|_| (0, 200)).chain(stretches.into_iter().flatten());
        let lines: Vec<String> =
            kinds.enumerate().map(|(n, (kind, status))| written(kind, &format!("/{}", n % 50), status)).collect();
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("access.log");
        std::fs::write(&path, lines.join("\n") + "\n").expect("a file");
        let alone = ReaderOptions { crew_bytes_min: u64::MAX, ..options(&[]) };
        let behind = read_file(&path, alone.clone());
        let wanted: Vec<Record> = behind.records.into_iter().filter(is_wanted).collect();
        let screened = ReaderOptions { predicate: Some(Predicate::default()), ..alone };
        let crew = |options: &ReaderOptions| ReaderOptions { crew_bytes_min: 0, block_bytes, ..options.clone() };
        let strict = ReaderOptions { strict: true, ..screened.clone() };
        for options in [crew(&strict), strict] {
            let read = read_file(&path, options);
            prop_assert_eq!(&read.records, &wanted);
            prop_assert_eq!(&read.rejects, &behind.rejects);
        }
        // Of what cannot be used, a screen hides what shows an unwanted status where the log has it.
        let hidden = |text: &str| text.contains("\" 200 ") || text.contains("\" 3") || text.contains("\" 4");
        let shown: Vec<_> = behind.rejects.into_iter().filter(|(_, _, text)| !hidden(text)).collect();
        prop_assert_eq!(encode(&wanted), encoded(&path, crew(&screened)));
        for options in [crew(&screened), screened] {
            let read = read_file(&path, options);
            prop_assert_eq!(&read.records, &wanted);
            prop_assert_eq!(&read.rejects, &shown);
        }
    }
}
