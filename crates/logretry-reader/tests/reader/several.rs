//! Logs that are read at once look as if one had been read after the other.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use logretry_reader::ReaderOptions;

use crate::lab::{Read, options, read_file, read_files};

/// A log of `lines` lines of which every seventh is none, in the combined format or, if `is_json`, as JSON.
fn log(number: usize, lines: usize, is_json: bool) -> String {
    let line = |line: usize| match (line % 7, is_json) {
        (6, _) => format!("noise {line} in log {number}\n"),
        (_, true) => format!(
            "{{\"time\":\"2026-11-22T06:22:52Z\",\"method\":\"GET\",\"path\":\"/{number}/{line}\",\"status\":502}}\n"
        ),
        (_, false) => format!(
            "203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] \"GET /{number}/{line} HTTP/1.1\" 502 157 \"-\" \"curl\"\n"
        ),
    };
    (0..lines).map(line).collect()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).expect("memory");
    encoder.finish().expect("memory")
}

/// Compressed and plain logs, small ones, an empty one, and one that a crew reads, in this order.
fn logs(folder: &Path) -> Vec<PathBuf> {
    let contents = [
        gzip(&log(0, 3000, false)),
        gzip(&log(1, 20, true)),
        log(2, 5, false).into_bytes(),
        Vec::new(),
        log(4, 30, true).into_bytes(),
        gzip(&log(5, 1000, false)),
        log(6, 3000, false).into_bytes(),
        gzip(&log(7, 100, false)),
    ];
    let write = |(number, bytes): (usize, &Vec<u8>)| {
        let path = folder.join(format!("access.log.{number}"));
        fs::write(&path, bytes).expect("a file");
        path
    };
    contents.iter().enumerate().map(write).collect()
}

fn crew_options() -> ReaderOptions {
    ReaderOptions { crew_bytes_min: 4 << 10, ..options(&[]) }
}

#[test]
fn records_rejects_and_notes_of_many_logs_come_in_their_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let paths = logs(folder.path());
    let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    let alone: Vec<Read> = paths.iter().map(|path| read_file(path, crew_options())).collect();
    let together = read_files(&paths, crew_options());
    let all = |part: fn(&Read) -> Vec<String>| alone.iter().flat_map(part).collect::<Vec<_>>();
    assert_eq!(together.ids(), all(Read::ids));
    assert_eq!(together.texts(), all(Read::texts));
    let rejects: Vec<_> = alone.iter().flat_map(|read| read.rejects.clone()).collect();
    assert_eq!(together.rejects, rejects);
    assert_eq!(together.notes, all(|read| read.notes.clone()));
    assert!(together.notes.len() >= 7, "{:?}", together.notes);
    assert_eq!(together.fatal, None);
    assert_eq!(together.accounts.check(), Ok(()));
}

#[test]
fn a_log_that_is_damaged_ends_the_run_in_its_turn() {
    let folder = tempfile::tempdir().expect("a folder");
    let paths = logs(folder.path());
    let whole = fs::read(&paths[1]).expect("a log");
    fs::write(&paths[1], &whole[..whole.len() - 9]).expect("a file");
    let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    let together = read_files(&paths, crew_options());
    let fatal = together.fatal.expect("an error");
    assert!(fatal.contains("access.log.1"), "{fatal}");
    let sources: Vec<_> = together.records.iter().map(|record| record.origin().source.clone()).collect();
    assert!(sources.iter().all(|source| source.ends_with(b".0") || source.ends_with(b".1")));
    assert_eq!(sources.iter().filter(|source| source.ends_with(b".0")).count(), 3000 - 3000 / 7);
}

#[test]
fn a_log_in_no_known_format_is_found_before_a_record_of_another_is_given() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut paths = logs(folder.path());
    paths.push(folder.path().join("access_report.html"));
    fs::write(&paths[paths.len() - 1], "<html>\n<body>\n").expect("a file");
    let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    let together = read_files(&paths, crew_options());
    let fatal = together.fatal.expect("an error");
    assert!(fatal.contains("access_report.html"), "{fatal}");
    assert_eq!((together.records.len(), together.notes), (0, Vec::new()));
}
