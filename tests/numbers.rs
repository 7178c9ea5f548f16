//! The closing summary: its numbers add up, and are those that one counts from the records.

use insta::assert_snapshot;

use crate::lab::{Backend, Desk, count_by, line, ndjson, pipe};

/// 3 recovered, 2 refused, 1 failing, 1 unanswered, 2 skipped; 4 dropped, 2 rejected.
fn mixed_log() -> String {
    let failed = [
        "GET /a",
        "GET /b",
        "HEAD /c",
        "GET /always/404/a",
        "GET /always/410/b",
        "GET /always/503/a",
        "GET /always/drop",
        "POST /order",
        "PUT /thing",
        "GET /d?retry=True",
    ];
    let fine = ["GET /e", "GET /f", "POST /g"];
    let mut log: String = failed.iter().map(|request| line(request, 502)).collect();
    log.extend(fine.iter().map(|request| line(request, 200)));
    log + "rubbish\nmore rubbish\n"
}

#[test]
fn the_summary_of_a_mixed_log_adds_up() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", mixed_log());
    let url = backend.url();
    let run = desk.run(
        "logretry",
        &["run", "access.log", "--format", "combined", "--base-url", &url, "-o", "retry.log"],
    );
    assert_eq!(run.code, 3, "{}", run.stderr);
    assert_snapshot!(run.stderr.replace(&url, "http://…"), @r"
    logretry: access.log:14: cannot use the line: not `combined`: it is not in the format: at byte 0 there should be `%h` and what follows it: rubbish
    logretry: access.log:15: cannot use the line: not `combined`: it is not in the format: at byte 5 there should be `%l`: more rubbish
    logretry: http://…: a request had no whole answer (reset): connection closed before message completed
    logretry: what failed once more (1) has ended, and the same run again does not send it; with --dead-letter FILE that keeps it, and lr-refire sends it from there
    logretry: 15 lines = 10 records + 2 rejected + 3 screened
    logretry: 10 records = 9 selected + 1 dropped (1 our own)
    logretry: 9 selected = 7 sent + 2 not sent (2 method_not_allowed)
    logretry: 7 sent = 3 recovered + 2 refused + 1 failing + 1 unanswered
    logretry: 2 not sent: the method is not one of --methods (GET, HEAD and OPTIONS by default)
    logretry: 7 lines written to retry.log
    ");
    assert_eq!(backend.forget(7).len(), 7);
    assert_eq!(desk.read("retry.log").lines().count(), 7);
}

#[test]
fn the_summaries_of_the_stages_are_what_one_counts_from_their_records() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", mixed_log());
    let url = backend.url();
    let read = desk.run("lr-read", &["access.log", "--format", "combined"]);
    assert_eq!(ndjson(&read.stdout).len(), 13);
    let filtered = desk.program("lr-filter", &[]).reading(read.stdout).run();
    assert_eq!(ndjson(&filtered.stdout).len(), 9);
    let refired = desk.program("lr-refire", &["--base-url", &url]).reading(filtered.stdout).run();
    let counts = count_by(&ndjson(&refired.stdout), "/retry/outcome");
    assert_snapshot!(format!("{counts:?}"), @r#"{"failing": 1, "recovered": 3, "refused": 2, "skipped": 2, "unanswered": 1}"#);
    assert_snapshot!(refired.stderr.replace(&url, "http://…"), @r"
    lr-refire: http://…: a request had no whole answer (reset): connection closed before message completed
    lr-refire: 9 lines = 9 records + 0 rejected + 0 screened
    lr-refire: 9 selected = 7 sent + 2 not sent (2 method_not_allowed)
    lr-refire: 7 sent = 3 recovered + 2 refused + 1 failing + 1 unanswered
    lr-refire: 2 not sent: the method is not one of --methods (GET, HEAD and OPTIONS by default)
    ");
    let written = desk.program("lr-write", &["-o", "retry.log"]).reading(refired.stdout).run();
    assert_snapshot!(written.stderr, @r"
    lr-write: 9 lines = 9 records + 0 rejected + 0 screened
    lr-write: 9 selected = 7 sent + 2 not sent (2 method_not_allowed)
    lr-write: 7 sent = 3 recovered + 2 refused + 1 failing + 1 unanswered
    lr-write: 2 not sent: the method is not one of --methods (GET, HEAD and OPTIONS by default)
    lr-write: 7 lines written to retry.log
    ");
}

#[test]
fn several_logs_are_one_run() {
    let backend = Backend::up();
    let desk = Desk::with("access.log.1", line("GET /old", 500));
    desk.put("access.log", line("GET /new", 500));
    let url = backend.url();
    let ended = pipe([
        desk.program("lr-read", &["access.log.1", "access.log"]),
        desk.program("lr-refire", &["--base-url", &url, "--concurrency", "1"]),
    ]);
    assert_eq!(ended.codes, [0, 0], "{}", ended.stderr);
    assert_eq!(backend.seen(), ["GET /old", "GET /new"]);
    let sources = count_by(&ndjson(&ended.stdout), "/origin/source");
    assert_eq!(sources, [("access.log".to_owned(), 1), ("access.log.1".to_owned(), 1)].into());
}
