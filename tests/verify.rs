//! `logretry verify`: what is missing or double in a retry log is found, by the logs alone and beside the ledger.

use std::fmt::Write as _;
use std::io::Read as _;
use std::net::TcpListener;

use insta::assert_snapshot;

use crate::lab::{Backend, Desk, Ended, line, until};

/// A desk with a log of these requests, all failed, and a run over it.
fn ran(backend: &Backend, requests: &[&str], more: &[&str]) -> (Desk, Ended) {
    let desk =
        Desk::with("access.log", requests.iter().map(|request| line(request, 502)).collect::<String>());
    let ended = run(&desk, backend, more);
    (desk, ended)
}

fn run(desk: &Desk, backend: &Backend, more: &[&str]) -> Ended {
    let url = backend.url();
    desk.program("logretry", &["run", "access.log", "--base-url", &url, "-o", "retry.log"]).args(more).run()
}

fn verify(desk: &Desk, more: &[&str]) -> Ended {
    desk.program("logretry", &["verify", "access.log", "-o", "retry.log"]).args(more).run()
}

/// The retry log after `change` of its lines.
fn edit(desk: &Desk, change: impl FnOnce(&mut Vec<String>)) {
    let mut lines: Vec<String> = desk.read("retry.log").lines().map(|line| format!("{line}\n")).collect();
    lines.sort_by_key(|line| line.split('"').nth(1).map(str::to_owned));
    change(&mut lines);
    desk.put("retry.log", lines.concat());
}

const REQUESTS: [&str; 5] = ["GET /a?key=s3cret", "GET /b", "HEAD /c", "GET /always/404/d", "POST /order"];

#[test]
fn a_clean_run_verifies() {
    let backend = Backend::up();
    let (desk, ended) = ran(&backend, &REQUESTS[..2], &[]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let verified = verify(&desk, &[]);
    assert_eq!(verified.code, 0, "{}", verified.stderr);
    assert_snapshot!(verified.stdout, @r#"
    2 lines = 2 records + 0 rejected + 0 screened
    2 records = 2 selected + 0 dropped
    2 selected = 2 with a line in retry.log + 0 without
    2 lines in retry.log = 2 + 0 earlier ones without an answer + 0 double + 0 of no request + 0 damaged
    2 with a line = 2 recovered + 0 refused + 0 failing + 0 unanswered
    in the ledger: 2 selected = 2 ended + 0 with a line only + 0 held + 0 to go on + 0 never sent
    2 ended = 2 with their line + 0 whose line is lost
    0 never sent = 0 not to be sent by these flags + 0 unsent
    "#);
    // The run's own flags, and the words of the ledger's name, change nothing.
    let url = backend.url();
    for more in [&["--base-url", &url][..], &["--ledger", "retry.log.ledger"], &["--no-ledger"]] {
        assert_eq!(verify(&desk, more).code, 0);
    }
}

#[test]
fn what_was_not_sent_or_did_not_recover_is_accounted_for() {
    let (desk, ended) = ran(&Backend::up(), &REQUESTS, &[]);
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    let verified = verify(&desk, &[]);
    assert_eq!(verified.code, 3, "{}", verified.stderr);
    assert_snapshot!(verified.stdout, @r#"
    5 lines = 5 records + 0 rejected + 0 screened
    5 records = 5 selected + 0 dropped
    5 selected = 4 with a line in retry.log + 1 without
    4 lines in retry.log = 4 + 0 earlier ones without an answer + 0 double + 0 of no request + 0 damaged
    4 with a line = 3 recovered + 1 refused + 0 failing + 0 unanswered
    in the ledger: 5 selected = 4 ended + 0 with a line only + 0 held + 0 to go on + 1 never sent
    4 ended = 4 with their line + 0 whose line is lost
    1 never sent = 1 not to be sent by these flags (1 method_not_allowed) + 0 unsent
    "#);
}

/// Its older part was called lost, and nothing said how to look at both.
#[test]
fn the_parts_of_a_rotated_retry_log_are_checked_together_in_one_file() {
    let (desk, _) = ran(&Backend::up(), &REQUESTS, &[]);
    let whole = desk.read("retry.log");
    let (older, newer) = whole.split_at(whole.find('\n').expect("a line") + 1);
    desk.put("retry.log.1", older);
    desk.put("retry.log", newer);
    let part = verify(&desk, &[]);
    assert!(part.code == 1 && part.stderr.contains("all parts are checked together"), "{}", part.stderr);
    desk.put("whole", [desk.read("retry.log.1"), desk.read("retry.log")].concat());
    let flags = ["verify", "access.log", "-o", "whole", "--ledger", "retry.log.ledger"];
    let together = desk.run("logretry", &flags);
    assert_eq!(together.code, 3, "{}{}", together.stdout, together.stderr);
}

#[test]
fn a_lost_line_and_a_double_one_are_found_and_named() {
    let (desk, _) = ran(&Backend::up(), &REQUESTS, &[]);
    edit(&desk, |lines| {
        lines.remove(0);
        lines.push(lines[1].clone());
    });
    let beside = verify(&desk, &[]);
    assert_eq!(beside.code, 1, "{}", beside.stdout);
    let problems = beside.stdout.split_once("\n\n").expect("numbers, then problems").1.to_owned();
    let (before, after) = problems.split_once(" at ").expect("a time");
    assert_snapshot!(format!("{before}{}\n{}", &after[20..], beside.stderr), @r#"
    lost          access.log:1  GET /a?key=… (recovered with 200)

    double        retry.log:4  GET /b?retry=True

    logretry: access.log: format combined, which 5 of 5 lines fit
    logretry: cannot vouch for retry.log: 1 whose line is lost, 1 double; they are not sent again; look for a part of the retry log that was moved away (in one file, given with -o, beside --ledger, all parts are checked together), or was cut off by hand
    "#);
    let alone = verify(&desk, &["--no-ledger"]);
    assert_eq!(alone.code, 1, "{}", alone.stdout);
    assert_snapshot!(format!("{}\n{}", alone.stdout, alone.stderr), @r#"
    5 lines = 5 records + 0 rejected + 0 screened
    5 records = 5 selected + 0 dropped
    5 selected = 3 with a line in retry.log + 2 without
    4 lines in retry.log = 3 + 0 earlier ones without an answer + 1 double + 0 of no request + 0 damaged
    3 with a line = 2 recovered + 1 refused + 0 failing + 0 unanswered
    2 without = 1 not to be sent by these flags (1 method_not_allowed) + 1 missing

    missing       access.log:1  GET /a?key=…

    double        retry.log:4  GET /b?retry=True

    logretry: access.log: format combined, which 5 of 5 lines fit
    logretry: cannot vouch for retry.log: 1 without a line, 1 double; a run that was stopped goes on by the same command again; else give --ledger, which knows what was sent
    "#);
}

/// A page that was still broken counted as recovered, because its line said so: exit code 0.
#[test]
fn a_line_with_another_status_than_the_ledger_is_found_and_named() {
    let (desk, _) = ran(&Backend::up(), &["GET /always/500/1", "GET /b"], &[]);
    edit(&desk, |lines| lines[0] = lines[0].replace(" 500 ", " 200 "));
    let verified = verify(&desk, &[]);
    assert_eq!(verified.code, 1, "{}", verified.stdout);
    let told = [
        "\nchanged       access.log:1  GET /always/500/1 (its line says 200, the ledger failing with 500 at ",
        "2 ended = 1 with their line + 0 whose line is lost + 1 whose line has another status\n",
    ];
    assert!(told.iter().all(|told| verified.stdout.contains(told)), "{}", verified.stdout);
    assert!(
        verified
            .stderr
            .contains("1 whose line has another status than the ledger; the ledger has how they ended"),
        "{}",
        verified.stderr
    );
}

/// It was blamed on a run with another ledger.
#[test]
fn what_was_pruned_and_sent_again_is_double_and_it_is_said_why() {
    let backend = Backend::down();
    let (desk, _) = ran(&backend, &["GET /a"], &[]);
    let pruned = desk.run("logretry", &["ledger", "prune", "retry.log.ledger", "--older-than", "1us"]);
    assert_eq!(pruned.code, 0, "{}", pruned.stderr);
    backend.recover();
    assert_eq!(run(&desk, &backend, &[]).code, 0);
    let verified = verify(&desk, &[]);
    assert_eq!(verified.code, 1, "{}", verified.stdout);
    let told = "1 double; whoever counts the lines counts these twice; their outcomes were pruned, and their requests sent again";
    assert!(verified.stderr.contains(told), "{}", verified.stderr);
}

#[test]
fn a_retry_log_of_another_form_is_told_from_one_whose_lines_are_lost() {
    let (desk, _) = ran(&Backend::up(), &REQUESTS[..2], &["--as", "json"]);
    let verified = verify(&desk, &[]);
    assert_eq!(verified.code, 1, "{}", verified.stdout);
    let stderr = &verified.stderr;
    assert!(
        stderr.contains("none of its lines is in the format of the log: give the --as of the run"),
        "{stderr}"
    );
}

#[test]
fn lines_of_no_request_lines_without_an_outcome_and_damaged_ones_are_named() {
    let (desk, _) = ran(&Backend::up(), &REQUESTS[..2], &["--limit", "1"]);
    edit(&desk, |lines| {
        let copy = lines[0].clone();
        lines.push(copy.replace("/a?", "/z?"));
        lines.push(copy.replace("/a?key=s3cret&", "/b?"));
        lines.push(format!("{}{}", "\0".repeat(9), &copy[40..]));
        lines.push(copy[..30].to_owned());
    });
    let verified = verify(&desk, &[]);
    assert_eq!(verified.code, 1, "{}", verified.stdout);
    let problems = verified.stdout.split_once("\n\n").expect("numbers, then problems").1.to_owned();
    assert_snapshot!(format!("{problems}\n{}", verified.stderr), @r#"
    no request    retry.log:2  GET /z?key=…&retry=True

    no outcome    access.log:2  GET /b

    damaged       retry.log:4  it holds NUL bytes, as a power cut leaves them
    damaged       retry.log:5  it is not in the format of the log

    logretry: access.log: format combined, which 2 of 2 lines fit
    logretry: cannot vouch for retry.log: 1 of no request, 1 without an outcome in the ledger; give all logs that this retry log is of, and the flags that its run had
    "#);
}

#[test]
fn a_run_that_was_stopped_says_what_is_unsent() {
    let backend = Backend::up();
    let flags = ["--max-requests", "1"];
    let (desk, ended) = ran(&backend, &REQUESTS[..2], &flags);
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    let verified = verify(&desk, &flags);
    assert_eq!(verified.code, 4, "{}", verified.stderr);
    assert!(verified.stdout.contains("1 never sent = 0 not to be sent by these flags + 1 unsent"));
    assert!(verified.stdout.contains("\nunsent        access.log:2  GET /b\n"), "{}", verified.stdout);
    assert_eq!(run(&desk, &backend, &[]).code, 0);
    assert_eq!(verify(&desk, &[]).code, 0);
}

#[test]
fn a_request_that_is_held_is_named_as_such() {
    let backend = Backend::down();
    let desk = Desk::with("access.log", line("DELETE /slow", 502));
    let url = backend.url();
    let flags = ["--methods", "DELETE", "--yes"];
    let arguments = ["run", "access.log", "--base-url", &url, "-o", "retry.log"];
    let running = desk.program("logretry", &arguments).args(flags).start();
    until("the request", || (backend.seen().len() == 1).then_some(()));
    running.signal("KILL");
    running.end();
    let verified = verify(&desk, &flags);
    assert_eq!(verified.code, 3, "{}", verified.stderr);
    assert!(verified.stdout.contains("\nheld          access.log:1  DELETE /slow\n"), "{}", verified.stdout);
}

/// It was counted twice, as unanswered and as what goes on: the numbers did not add up.
#[test]
fn a_request_that_had_no_connection_and_was_cut_off_since_counts_once() {
    let desk = Desk::with("access.log", [line("GET /a", 502), line("DELETE /b", 502)].concat());
    let address = TcpListener::bind("127.0.9.7:0").and_then(|nobody| nobody.local_addr()).expect("a port");
    let url = format!("http://{address}");
    let flags = ["--methods", "GET,DELETE", "--yes"];
    let arguments = ["run", "access.log", "--base-url", &url, "-o", "retry.log", "--pace", "fixed"];
    let refused = desk.program("logretry", &arguments).args(flags).run();
    assert!(refused.stderr.contains("2 unanswered"), "{}", refused.stderr);

    let listener = TcpListener::bind(address).expect("the port is free");
    let running = desk.program("logretry", &arguments).args(flags).start();
    let under_way = [(); 2].map(|()| {
        let (mut connection, _) = listener.accept().expect("a connection");
        connection.read_exact(&mut [0]).expect("a request");
        connection
    });
    running.signal("KILL");
    running.end();
    drop(under_way);
    let verified = verify(&desk, &flags);
    assert_eq!(verified.code, 4, "{}", verified.stderr);
    assert!(verified.stdout.contains("2 selected = 0 ended + 0 with a line only + 1 held + 1 to go on"));
}

#[test]
fn equal_lines_have_a_line_each_in_one_log_and_one_in_two() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", line("GET /a", 502).repeat(3));
    desk.put("copy.log", line("GET /a", 502).repeat(2));
    let url = backend.url();
    let ended =
        desk.run("logretry", &["run", "access.log", "copy.log", "--base-url", &url, "-o", "retry.log"]);
    assert_eq!((ended.code, backend.seen().len()), (3, 3), "{}", ended.stderr);
    let verified = verify(&desk, &["--log", "copy.log"]);
    assert_eq!(verified.code, 3, "{}", verified.stderr);
    assert!(verified.stdout.contains("5 selected = 3 with a line in retry.log + 0 without + 2 repeated"));
    edit(&desk, |lines| lines.truncate(2));
    let verified = verify(&desk, &[]);
    assert_eq!(verified.code, 1, "{}", verified.stderr);
    assert!(verified.stderr.contains("1 whose line is lost"), "{}", verified.stderr);
}

#[test]
fn what_never_had_a_connection_may_have_several_lines() {
    let backend = Backend::up();
    let (desk, _) = ran(&backend, &["GET /a", "GET /always/drop"], &[]);
    edit(&desk, |lines| {
        let failed = lines[0].replace("\" 200 3 ", "\" 000 0 ");
        lines.extend([failed.clone(), failed]);
    });
    let verified = verify(&desk, &[]);
    assert_eq!(verified.code, 3, "{}\n{}", verified.stdout, verified.stderr);
    assert!(verified.stdout.contains("4 lines in retry.log = 2 + 2 earlier ones"), "{}", verified.stdout);
}

#[test]
fn logs_of_other_formats_and_combined_retry_logs_verify_too() {
    let backend = Backend::up();
    let json = r#"{"time":"2026-11-22T06:22:52+00:00","remote_addr":"203.0.113.9","request":"GET /a?b=c HTTP/1.1","status":502,"body_bytes_sent":157,"request_time":0.125,"http_user_agent":"curl/8.9"}"#;
    let ltsv = "time:22/Nov/2026:06:22:52 +0000\thost:203.0.113.9\treq:GET /a HTTP/1.1\tstatus:502\tsize:-\tua:curl/8.9\treqtime:-";
    for log in
        [json, ltsv, r#"192.0.2.1 - - [22/Nov/2026:08:22:52 +0200] "GET /a HTTP/1.1" 502 - "-" "x\"y""#]
    {
        for form in ["same", "combined"] {
            let desk = Desk::with("access.log", format!("{log}\n"));
            let ended = run(&desk, &backend, &["--as", form]);
            assert_eq!(ended.code, 0, "{}", ended.stderr);
            let verified = verify(&desk, &["--as", form]);
            assert_eq!(
                verified.code,
                0,
                "{}\n{}\n{}",
                desk.read("retry.log"),
                verified.stdout,
                verified.stderr
            );
        }
    }
}

/// Unoptimised, a line takes a tenth of a millisecond.
const NUMBER: u32 = if cfg!(debug_assertions) { 10_000 } else { 100_000 };

#[test]
fn one_lost_and_one_double_line_are_found_among_many() {
    let (mut log, mut retry) = (String::new(), String::new());
    for n in 0..NUMBER {
        let agent = n.wrapping_mul(2_654_435_761) >> 12;
        let (hour, minute, second) = (n / 3600 % 24, n / 60 % 60, n % 60);
        let text = |day, mark, end| {
            format!(
                "203.0.113.{} - - [{day}/Nov/2026:{hour:02}:{minute:02}:{second:02} +0000] \"GET /item/{agent}?page={}{mark} HTTP/1.1\" {end} \"-\" \"probe/{agent}\"\n",
                n % 250,
                n % 7
            )
        };
        let _ = log.write_str(&text(22, "", "503 157"));
        // Equal to no other: the numbers of its line are in its URL.
        let line = text(23, "&retry=True", "200 3");
        match n {
            4_567 => {}
            8_765 => retry += &line.repeat(2),
            _ => retry += &line,
        }
    }
    let desk = Desk::with("access.log", log);
    desk.put("retry.log", retry);
    let verified = verify(&desk, &[]);
    assert_eq!(verified.code, 1, "{}", verified.stderr);
    assert!(verified.stderr.contains(": 1 without a line, 1 double;"), "{}", verified.stderr);
    assert!(verified.stdout.contains("\nmissing       access.log:4568  GET /item/"), "{}", verified.stdout);
    assert!(verified.stdout.contains("\ndouble        retry.log:8766  GET /item/"), "{}", verified.stdout);
}

#[test]
fn what_cannot_be_verified_says_so() {
    let desk = Desk::with("access.log", line("GET /a", 502));
    let none = desk.run("logretry", &["verify", "access.log"]);
    assert_eq!(none.code, 2, "{}", none.stderr);
    let absent = verify(&desk, &[]);
    assert_eq!(absent.code, 1, "{}", absent.stderr);
    assert!(absent.stderr.contains("logretry: cannot open retry.log: "), "{}", absent.stderr);
    let table = verify(&desk, &["--as", "csv"]);
    assert_eq!(table.code, 2, "{}", table.stderr);
}
