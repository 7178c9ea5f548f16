//! The beginning of a log, as `logretry explain` shows it.

use std::fs;

use logretry_format::Format;
use logretry_reader::{Input, Sample, Wrapper};

use crate::lab::{docker, line};

fn sample(log: &str, formats: &[Format]) -> Sample {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("access.log");
    fs::write(&path, log).expect("a file");
    Sample::in_formats(&Input::File(path), 1 << 20, formats).expect("a sample")
}

#[test]
fn a_sample_has_the_lines_as_the_web_server_wrote_them_and_what_was_around_them() {
    let syslog = |text: &str| docker(&format!("Nov 22 06:41:41 web1 nginx: {text}\n"));
    let log = [syslog(&line("/a", 502)), docker("noise\n"), syslog(&line("/b", 500))].concat();
    let combined = Format::compile("combined").expect("a preset");
    for formats in [vec![], vec![combined]] {
        let sample = sample(&log, &formats);
        assert_eq!(sample.wrappers, [Wrapper::Docker, Wrapper::Rfc3164]);
        assert_eq!(sample.lines, [line("/a", 502), "noise".to_owned(), line("/b", 500)]);
        assert_eq!(sample.numbers, [1, 2, 3]);
    }
}

#[test]
fn a_sample_of_an_unknown_log_has_its_first_lines_as_they_stand() {
    let sample = sample(&"web-1  | noise\n".repeat(1000), &[]);
    assert_eq!((sample.lines.len(), sample.lines[7].to_string()), (200, "web-1  | noise".to_owned()));
    assert!(sample.detection.chosen().is_none());
}
