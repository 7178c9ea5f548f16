//! Logs that hold more than one format, or access lines among other things.

use logretry_reader::ReaderOptions;
use logretry_record::Predicate;

use crate::lab::{docker, line, options, read};

fn common(target: &str, status: u16) -> String {
    format!(r#"203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] "GET {target} HTTP/1.0" {status} 157"#)
}

#[test]
fn noise_of_an_application_is_rejected_and_counted() {
    let noise = [
        "2026/11/22 06:41:41 [error] 7#7: *3 connect() failed (111: Connection refused), request: \"GET /x HTTP/1.1\"",
        "Traceback (most recent call last):",
        "  File \"app.py\", line 3, in handle",
        "INFO:     Started server process [1]",
    ];
    let log: String = (0..100)
        .map(|n| {
            docker(&format!(
                "{}\n",
                if n % 4 == 0 { line(&format!("/{n}"), 502) } else { noise[n % 4].to_owned() }
            ))
        })
        .collect();
    let read = read(&log, options(&[]));
    assert_eq!(read.counts(), (25, 75, 0));
    assert_eq!(read.notes, ["access.log: format combined in docker json-file, which 25 of 100 lines fit"]);
    assert_eq!(read.rejects[0].2, noise[1], "a reject shows what the application wrote");
}

#[test]
fn lines_that_the_format_does_not_fit_are_tried_with_the_runner_up() {
    let log: String = (0..50)
        .map(|n| if n % 5 == 0 { common(&format!("/{n}"), 502) } else { line(&format!("/{n}"), 503) } + "\n")
        .collect();
    let read = read(&log, options(&[]));
    assert_eq!(read.counts(), (50, 0, 0));
    assert_eq!(
        (read.records[0].origin().format.as_str(), read.records[1].origin().format.as_str()),
        ("common", "combined")
    );
}

#[test]
fn a_format_that_begins_later_is_found() {
    let log: String = (0..600)
        .map(|n| match n {
            0..300 => line(&format!("/{n}"), 502),
            _ => format!("Nov 22 06:41:41 web1 nginx: {}", common(&format!("/{n}"), 503)),
        } + "\n")
        .collect();
    let read = read(&log, options(&[]));
    assert_eq!(read.counts(), (600, 0, 0));
    assert_eq!(
        read.notes,
        [
            "access.log: format combined, which 200 of 200 lines fit",
            "access.log:301: format common, from here on also",
        ]
    );
}

#[test]
fn a_log_whose_first_lines_are_no_requests_is_searched_further_and_nothing_is_lost() {
    let noise = |n: usize| format!("step {n} of the start\n");
    let log: String =
        (0..3000).map(noise).chain((0..50).map(|n| line(&format!("/{n}"), 502) + "\n")).collect();
    let read = read(&log, options(&[]));
    assert_eq!((read.fatal.as_deref(), read.counts()), (None, (50, 3000, 0)));
    assert_eq!(read.notes, ["access.log: format combined, which 50 of 50 lines fit"]);
}

#[test]
fn access_lines_that_are_few_among_much_noise_are_found() {
    let log: String = (0..2000)
        .map(|n| if n % 50 == 7 { line(&format!("/{n}"), 502) + "\n" } else { format!("noise {n}\n") })
        .collect();
    let read = read(&log, options(&[]));
    assert_eq!((read.fatal.as_deref(), read.counts()), (None, (40, 1960, 0)));
    assert_eq!(read.notes, ["access.log: format combined, which 40 of 2000 lines fit"]);
}

#[test]
fn a_log_that_nothing_fits_is_given_up_after_ten_thousand_lines() {
    let log = "noise\n".repeat(20_000);
    let read = read(&log, options(&[]));
    assert_eq!(read.counts(), (0, 0, 0));
    let fatal = read.fatal.expect("an error");
    assert!(fatal.contains("no known format fits any of its first 10000 lines"), "{fatal}");
}

#[test]
fn a_line_that_a_format_reads_as_it_stands_is_not_peeled() {
    let format = r#"log_format j escape=json '{"log":"$request","stream":"stdout","time":"$time_iso8601","status":$status}';"#;
    let text =
        r#"{"log":"GET /a HTTP/1.1","stream":"stdout","time":"2026-11-22T06:41:40+00:00","status":502}"#;
    let read = read(text, options(&[format]));
    assert_eq!((read.targets(), read.texts()), (vec!["/a"], vec![text.to_owned()]));
}

#[test]
fn what_docker_has_replaced_in_a_url_is_lossy() {
    let log = [line("/caf\u{fffd}?x=1", 502), line("/a?%EF%BF%BD", 502), line("/a?\u{fffd}", 502)]
        .map(|line| docker(&format!("{line}\n")))
        .concat();
    let read = read(&log, options(&["combined"]));
    let lossy: Vec<_> = read.records.iter().map(|record| record.original().lossy.join(" ")).collect();
    assert_eq!(lossy, ["path", "", "query"]);
}

#[test]
fn a_message_of_several_lines_is_no_line() {
    let log = docker(&format!("{}\n{}\n", line("/a", 502), line("/b", 502)));
    assert_eq!(read(&log, options(&["combined"])).counts(), (0, 1, 0));
}

#[test]
fn headers_may_change_in_the_middle_of_a_file() {
    let log = "#Version: 1.0\n#Fields: date time cs-method cs-uri-stem cs-uri-query sc-status\n\
        2026-11-22 06:22:52 GET /a x=1 502\n\
        #Fields: date time sc-status cs-uri-stem cs-method\n\
        2026-11-22 06:22:53 503 /b GET\n";
    let read = read(log, options(&[]));
    assert_eq!((read.targets(), read.counts()), (vec!["/a?x=1", "/b"], (2, 0, 3)));
}

#[test]
fn a_header_behind_lines_of_another_format_is_taken() {
    let log: String = (0..300)
        .map(|n| line(&format!("/{n}"), 502) + "\n")
        .chain(["#Fields: date time cs-method cs-uri-stem sc-status\n2026-11-22 06:22:52 GET /w3c 502\n"
            .to_owned()])
        .collect();
    assert_eq!(read(&log, options(&[])).counts(), (301, 0, 1));
}

#[test]
fn lines_of_a_looser_format_wait_until_it_is_taken() {
    let lines = |odd: usize| {
        let odd = (0..odd).flat_map(|n| [longer(&format!("/odd{n}"), 502), line("/own", 503)]);
        (0..250).map(|_| line("/a", 200)).chain(odd).collect::<Vec<_>>().join("\n")
    };
    let options = ReaderOptions { predicate: Some(Predicate::default()), ..options(&[]) };
    let taken = read(lines(3), options.clone());
    assert_eq!(taken.targets(), ["/own", "/own", "/odd0", "/odd1", "/odd2", "/own"]);
    assert_eq!(taken.places()[2].0, 251, "each with its own place");
    let damaged = read(lines(2), options);
    assert_eq!((damaged.counts(), damaged.rejects[0].0), ((2, 2, 250), 251));
    assert!(damaged.rejects[0].1.starts_with("not `combined`: "), "{}", damaged.rejects[0].1);
}

/// A line of the same log once two fields more are logged.
fn longer(target: &str, status: u16) -> String {
    line(target, status) + r#" 0.001 "x""#
}

#[test]
fn a_format_whose_first_lines_are_screened_is_found_all_the_same() {
    let mut lines: Vec<String> = (0..250).map(|n| line(&format!("/p{n}"), 200)).collect();
    lines.extend((0..5).map(|n| longer(&format!("/q{n}"), 200)));
    lines.extend([longer("/q6", 502), longer("/q7", 502), line("/p1", 502), longer("/q8", 200)]);
    let log = lines.join("\n");
    let screened = ReaderOptions { predicate: Some(Predicate::default()), ..options(&[]) };
    let blocks = ReaderOptions { crew_bytes_min: 0, block_bytes: 1000, ..screened.clone() };
    let strict = ReaderOptions { strict: true, ..screened.clone() };
    for (options, rejected) in [(screened, 0), (blocks, 0), (strict, 0)] {
        let read = read(&log, options);
        assert_eq!(read.targets(), ["/q6", "/q7", "/p1"]);
        assert_eq!(read.counts(), (3, rejected, 256 - rejected), "no line with a wanted status is rejected");
    }
}

#[test]
fn a_line_that_begins_as_a_comment_does_is_a_request_if_the_format_reads_it() {
    let log = "# GET /comment\n#a GET /a 502\nb GET /b 502\n# c GET /c 502\n";
    let format = "nginx:'$http_x_a $request_method $request_uri $status'";
    for crew_bytes_min in [0, u64::MAX] {
        let read = read(log, ReaderOptions { crew_bytes_min, ..options(&[format]) });
        assert_eq!((read.targets(), read.counts()), (vec!["/a", "/b", "/c"], (3, 0, 1)));
    }
    let log = ["#x", "y", "#z"].map(|user| format!("{user}{}\n", line("/a", 502))).concat();
    assert_eq!(read(log, options(&[])).counts(), (3, 0, 0), "also if it was found");
}

#[test]
fn a_log_of_blank_lines_is_as_an_empty_one() {
    let read = |log: &str| read(log, options(&[]));
    for (log, counts) in [("", (0, 0, 0)), ("\n", (0, 0, 1)), ("\n \r\n\t\n", (0, 0, 3))] {
        assert_eq!((read(log).fatal, read(log).counts()), (None, counts), "{log:?}");
    }
    assert_eq!(read("#Fields: cs-method cs-uri-stem sc-status\n").notes.len(), 1, "a header says the format");
    let late = "\n".repeat(20_000) + &line("/a", 502);
    assert_eq!((read(&late).fatal, read(&late).counts()), (None, (1, 0, 20_000)));
}
