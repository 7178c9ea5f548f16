//! The mark `retry=True`, and the loop guard: logretry never feeds on itself.

use insta::assert_snapshot;

use crate::lab::{Backend, Desk, Outage, line, ndjson, nginx};

/// A desk on which `access.log` with these requests has been refired into `retry.log`, while they still fail.
fn refired(requests: &[&str]) -> Desk {
    let backend = Backend::down();
    let desk =
        Desk::with("access.log", requests.iter().map(|request| line(request, 500)).collect::<String>());
    let arguments =
        ["run", "access.log", "--base-url", &backend.url(), "--concurrency", "1", "-o", "retry.log"];
    let run = desk.run("logretry", &arguments);
    assert_eq!(run.code, 3, "{}", run.stderr);
    desk
}

const FAILING: &[&str] =
    &["GET /s/500/a", "GET /s/500/b?c=d", "GET /s/500/e?", "GET /s/500/f#top", "GET /s/500/g?h#i"];

#[test]
fn the_mark_joins_the_query_and_leaves_every_other_byte_alone() {
    let desk = refired(FAILING);
    let urls: Vec<String> = desk
        .read("retry.log")
        .lines()
        .map(|line| line.split('"').nth(1).expect("a request").to_owned())
        .collect();
    assert_snapshot!(urls.join("\n"), @r"
    GET /s/500/a?retry=True HTTP/1.1
    GET /s/500/b?c=d&retry=True HTTP/1.1
    GET /s/500/e?retry=True HTTP/1.1
    GET /s/500/f?retry=True#top HTTP/1.1
    GET /s/500/g?h&retry=True#i HTTP/1.1
    ");
}

#[test]
fn a_retry_log_fed_back_in_selects_nothing() {
    let desk = refired(FAILING);
    let backend = Backend::up();
    let run = desk.run("logretry", &["run", "retry.log", "--base-url", &backend.url(), "-o", "again.log"]);
    assert_eq!((run.code, desk.read("again.log")), (0, String::new()), "{}", run.stderr);
    assert!(backend.seen().is_empty());
}

#[test]
fn marked_lines_are_read_in_the_same_format_when_they_are_asked_for() {
    let desk = refired(FAILING);
    let formats = |log: &str| -> Vec<String> {
        let records = desk.run("lr-read", &[log]).stdout;
        let filtered = desk.program("lr-filter", &["--include-marked"]).reading(records).run();
        assert_eq!(filtered.code, 0, "{}", filtered.stderr);
        ndjson(&filtered.stdout).iter().map(|record| record["origin"]["format"].to_string()).collect()
    };
    assert_eq!(formats("retry.log"), formats("access.log"));
    assert_eq!(formats("retry.log").len(), FAILING.len());
}

#[test]
fn marking_again_changes_nothing() {
    let desk = refired(FAILING);
    let backend = Backend::down();
    let arguments =
        ["run", "retry.log", "--include-marked", "--base-url", &backend.url(), "--concurrency", "1"];
    let run = desk.program("logretry", &arguments).args(["-o", "again.log"]).run();
    assert_eq!(run.code, 3, "{}", run.stderr);
    let requests = |log: &str| -> Vec<String> {
        desk.read(log).lines().map(|line| line.split('"').nth(1).expect("a request").to_owned()).collect()
    };
    assert_eq!(requests("again.log"), requests("retry.log"));
}

#[test]
fn our_own_refires_in_the_server_s_log_are_not_refired() {
    let outage = Outage::of(&[("GET", "/s/500/a", 500)], nginx);
    let desk = Desk::with_log_of(&outage.server);
    let bad = Backend::down();
    let server = nginx(&bad);
    let run = desk.run("logretry", &["run", "access.log", "--base-url", &server.url(), "-o", "retry.log"]);
    assert_eq!(run.code, 3, "{}", run.stderr);
    // That server's log now holds one failure, and it is ours.
    assert_eq!(server.logged(1).len(), 1);
    let desk = Desk::with_log_of(&server);
    let records = desk.run("lr-read", &["access.log"]).stdout;
    assert_eq!(ndjson(&records).len(), 1);
    let filtered = desk.program("lr-filter", &[]).reading(records).run();
    assert_eq!((filtered.code, filtered.stdout.as_str()), (0, ""), "{}", filtered.stderr);
}

#[test]
fn the_mark_is_sent_only_when_that_is_asked_for() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", line("GET /a?b=c", 500));
    let arguments = ["run", "access.log", "--base-url", &backend.url()];
    for more in [["-o", "retry.log"].as_slice(), &["-o", "marked.log", "--send-mark"]] {
        let run = desk.program("logretry", &arguments).args(more).run();
        assert_eq!(run.code, 0, "{}", run.stderr);
    }
    assert_eq!(backend.seen(), ["GET /a?b=c", "GET /a?b=c&retry=True"]);
}

#[test]
fn another_mark_and_other_forms_of_the_retry_log_can_be_chosen() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", line("GET /a?b=c", 500));
    let records = desk.run("lr-read", &["access.log"]).stdout;
    let url = backend.url();
    let refired = desk.program("lr-refire", &["--base-url", &url]).reading(records).run().stdout;
    for form in ["same", "combined", "url"] {
        let arguments = ["--as", form, "--mark", "again=1", "-o", form];
        let written = desk.program("lr-write", &arguments).reading(refired.as_str()).run();
        assert_eq!(written.code, 0, "{form}: {}", written.stderr);
        assert!(desk.read(form).contains("/a?b=c&again=1"), "{form}: {}", desk.read(form));
    }
    assert_eq!(desk.read("url"), format!("{url}/a?b=c&again=1\n"));

    // One file has one of each.
    let write =
        |more: &[&str]| desk.program("lr-write", &["-o", "url"]).args(more).reading(refired.as_str()).run();
    let refused = write(&["--as", "csv", "--mark", "again=1"]);
    assert_eq!((refused.code, desk.read("url").lines().count()), (1, 1), "{}", refused.stderr);
    assert!(refused.stderr.contains("`url`: it was begun with URLs (`--as url`)"), "{}", refused.stderr);
    for (mark, is_told) in [("again=1", false), ("retry=True", true)] {
        let written = write(&["--as", "url", "--mark", mark]);
        assert_eq!(
            written.stderr.contains("do not carry the mark `retry=True`"),
            is_told,
            "{}",
            written.stderr
        );
    }
}
