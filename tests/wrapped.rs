//! The same lines, compressed or with damaged ends: they are the same records, with the same ids.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::lab::{Desk, corpus, installed, ndjson, pipe};

fn wrapped(name: &str) -> Option<PathBuf> {
    corpus(&format!("wrapped-nginx-combined/{name}"))
}

/// The ids of all records of `log`, whatever their status, and how many lines were rejected.
fn ids(log: PathBuf) -> (Vec<String>, usize) {
    let desk = Desk::new();
    let ended = pipe([
        desk.program("lr-read", &["--rejects", "rejects.ndjson"]).args([log]),
        desk.program("lr-filter", &["--status", "100-599", "--include-marked"]),
    ]);
    assert_eq!(ended.codes, [0, 0], "{}", ended.stderr);
    let ids =
        ndjson(&ended.stdout).iter().map(|record| record["id"].as_str().expect("an id").to_owned()).collect();
    (ids, desk.read("rejects.ndjson").lines().count())
}

/// Asserts that `name` gives the records of the plain file; where the corpora are installed.
fn assert_same_as_plain(name: &str) {
    let (Some(wrapped), Some(plain)) = (wrapped(name), wrapped("no-final-newline.log")) else { return };
    let (plain, rejected) = ids(plain);
    assert_eq!((plain.len(), rejected), (72, 0));
    assert_eq!(ids(wrapped), (plain, 0), "{name}");
}

#[test]
fn gzip_is_unpacked() {
    assert_same_as_plain("plain.log.gz");
}

#[test]
fn every_member_of_a_gzip_file_is_unpacked() {
    assert_same_as_plain("two-members.log.gz");
}

#[test]
fn bzip2_is_unpacked() {
    assert_same_as_plain("plain.log.bz2");
}

#[test]
fn zstd_and_xz_are_unpacked_whatever_the_file_is_called() {
    let Some(plain) = wrapped("no-final-newline.log") else { return };
    for program in ["zstd", "xz"] {
        let packed = Command::new(installed(program)).arg("-c").arg(&plain).output().expect("it runs");
        // The magic bytes count, not the name; and two frames are one file.
        let desk = Desk::with("access.log.1", packed.stdout);
        assert_eq!(ids(desk.path("access.log.1")), ids(plain.clone()), "{program}");
    }
}

#[test]
fn a_compressed_log_on_standard_input_is_unpacked() {
    let Some(packed) = wrapped("plain.log.gz") else { return };
    let stdin = Desk::new().program("lr-read", &[]).reading(fs::read(packed).expect("it can be read")).run();
    assert_eq!((stdin.code, ndjson(&stdin.stdout).len()), (0, 72), "{}", stdin.stderr);
}

#[test]
fn lines_may_end_with_carriage_return_and_newline() {
    assert_same_as_plain("crlf.log");
}

#[test]
fn a_byte_order_mark_is_not_part_of_the_first_line() {
    assert_same_as_plain("utf8-bom.log");
}

#[test]
fn holes_of_nul_bytes_that_a_truncated_log_has_are_passed_over() {
    assert_same_as_plain("nul-holes-copytruncate.log");
}

#[test]
fn blank_lines_and_comments_are_passed_over() {
    assert_same_as_plain("blank-and-comment-lines.log");
}

#[test]
fn a_last_line_that_is_cut_off_is_counted_and_the_others_are_kept() {
    let (Some(cut), Some(plain)) = (wrapped("truncated-last-line.log"), wrapped("no-final-newline.log"))
    else {
        return;
    };
    let (plain, _) = ids(plain);
    assert_eq!(ids(cut), (plain[..71].to_vec(), 1));
}

#[test]
fn lines_of_twenty_thousand_bytes_are_whole() {
    let Some(log) = wrapped("long-lines-20k.log") else { return };
    let read = Desk::new().run("lr-read", &[log.to_str().expect("UTF-8")]);
    assert_eq!(read.code, 0, "{}", read.stderr);
    let texts: Vec<String> = ndjson(&read.stdout)
        .iter()
        .map(|record| record["origin"]["text"].as_str().expect("it is UTF-8").to_owned() + "\n")
        .collect();
    assert_eq!(texts.concat(), fs::read_to_string(log).expect("it is UTF-8"));
}

/// uvicorn logs no time; without one, no line lies in a range.
#[test]
fn a_line_without_a_time_has_that_of_what_is_around_it() {
    let line = |hour, target| {
        format!(
            r#"{{"log":"INFO:     203.0.113.9:38380 - \"GET {target} HTTP/1.1\" 500 Internal Server Error\n","stream":"stdout","time":"2026-11-22T{hour}:22:52.5Z"}}"#
        ) + "\n"
    };
    let desk = Desk::with("app.log", line("05", "/early") + &line("07", "/late"));
    let since = "2026-11-22T06:00:00Z";
    let pushed = desk.run("lr-read", &["app.log", "--since", since]);
    let targets = |records: &str| -> Vec<_> {
        ndjson(records).iter().map(|record| record["original"]["target"].clone()).collect()
    };
    assert_eq!(targets(&pushed.stdout), ["/late"], "{}", pushed.stderr);
    let filtered =
        pipe([desk.program("lr-read", &["app.log"]), desk.program("lr-filter", &["--since", since])]);
    assert_eq!(filtered.stdout, pushed.stdout);
    assert_eq!(ndjson(&pushed.stdout)[0]["original"]["time"], "2026-11-22T07:22:52.5Z");
}

/// Its pieces are long gone when it is read: what was around them was not asked.
#[test]
fn a_line_in_pieces_has_the_time_of_its_last_one() {
    let pieces = "2026-11-22T06:22:52.5Z stdout P INFO:     203.0.113.9:38380 - \"GET /a?2026-01-\n\
                  2026-11-22T06:22:53Z stdout F 01T00:00:00Z HTTP/1.1\" 500 Internal Server Error\n";
    let read = Desk::with("app.log", pieces).run("lr-read", &["app.log"]);
    let record = &ndjson(&read.stdout)[0]["original"];
    assert_eq!(
        (&record["target"], &record["time"]),
        (&"/a?2026-01-01T00:00:00Z".into(), &"2026-11-22T06:22:53Z".into())
    );
}

/// A label that is a date took the container's prefix for a field of the line: its time was not read, and pieces were read as lines.
#[test]
fn ltsv_behind_the_time_of_a_container_is_the_log_that_it_was() {
    let line = |n| format!("time:22/Nov/2026:06:22:52 +0000\tstatus:502\tmethod:GET\turi:/a?b={n}\tsize:0\n");
    let plain: String = (1..=3).map(line).collect();
    let read = |log: String| {
        let desk = Desk::new();
        let ended = desk.program("lr-read", &[]).reading(log).run();
        assert!(ended.stderr.contains("3 records + 0 rejected"), "{}", ended.stderr);
        let records = ndjson(&ended.stdout);
        records
            .into_iter()
            .map(|record| (record["id"].clone(), record["original"].clone()))
            .collect::<Vec<_>>()
    };
    let wrapped = |prefix: &str| plain.lines().map(|line| [prefix, line, "\n"].concat()).collect();
    let time = "2026-11-22T06:22:52.123456789Z";
    let expected = read(plain.clone());
    assert_eq!(read(wrapped(&format!("{time} stdout F "))), expected);
    assert_eq!(read(wrapped(&format!("{time} "))), expected);
    assert_eq!(read(wrapped("2026-11-22T06:22:52.1+00:00 web1 nginx: ")), expected);
    let pieces = plain.lines().map(|line| {
        let (one, other) = line.split_at(line.len() - 12);
        [time, " stdout P ", one, "\n", time, " stdout F ", other, "\n"].concat()
    });
    assert_eq!(read(pieces.collect()), expected);
}
