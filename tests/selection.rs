//! What `lr-filter` keeps.

use crate::lab::{Backend, Desk, line, ndjson, pipe};

/// A log of different requests, one an hour.
const LOG: &str = r#"shop.example:80 203.0.113.9 - - [22/Nov/2026:06:00:00 +0000] "GET /api/a?x=1 HTTP/1.1" 500 1 "-" "-"
shop.example:80 203.0.113.9 - - [22/Nov/2026:07:00:00 +0000] "GET /api/a?x=1 HTTP/1.1" 502 1 "-" "-"
blog.example:80 203.0.113.9 - - [22/Nov/2026:08:00:00 +0000] "HEAD /posts HTTP/1.1" 503 1 "-" "-"
shop.example:80 203.0.113.9 - - [22/Nov/2026:09:00:00 +0000] "POST /api/order HTTP/1.1" 504 1 "-" "-"
shop.example:80 203.0.113.9 - - [22/Nov/2026:10:00:00 +0000] "GET /fine HTTP/1.1" 200 1 "-" "-"
shop.example:80 203.0.113.9 - - [22/Nov/2026:11:00:00 +0000] "GET /api/a?retry=True HTTP/1.1" 500 1 "-" "-"
shop.example:80 203.0.113.9 - - [22/Nov/2026:12:00:00 +0000] "GET /z HTTP/1.1" 500 1 "-" "logretry/0.1.0 id=00"
"#;

/// The line numbers that are left.
fn kept(arguments: &[&str]) -> Vec<u64> {
    let desk = Desk::with("access.log", LOG);
    let ended = pipe([desk.program("lr-read", &["access.log"]), desk.program("lr-filter", arguments)]);
    assert_eq!(ended.codes, [0, 0], "{arguments:?}: {}", ended.stderr);
    ndjson(&ended.stdout).iter().map(|record| record["origin"]["line"].as_u64().expect("a number")).collect()
}

#[test]
fn each_clause_keeps_what_it_names() {
    for (arguments, lines) in [
        ([].as_slice(), [1, 2, 3, 4].as_slice()),
        (&["--status", "5xx"], &[1, 2, 3, 4]),
        (&["--status", "502,504"], &[2, 4]),
        (&["--status", "500-502"], &[1, 2]),
        (&["--status", "2xx"], &[5]),
        (&["--method", "GET"], &[1, 2]),
        (&["--method", "head,POST"], &[3, 4]),
        (&["--method", "HEAD, POST"], &[3, 4]),
        (&["--host", "blog.example"], &[3]),
        (&["--host", "*.example"], &[1, 2, 3, 4]),
        (&["--host", "other.example, blog.example"], &[3]),
        (&["--path", "/api/*"], &[1, 2, 4]),
        (&["--path", "/api/a"], &[1, 2]),
        (&["--path-regex", "[?&]x=1$"], &[1, 2]),
        (&["--where", r#".origin.line > 2 or (.original.target | test("order$"))"#], &[3, 4]),
        (&["--where", ".original.bytes == 2"], &[]),
        (&["--since", "2026-11-22T08:00:00Z"], &[3, 4]),
        (&["--until", "2026-11-22T08:00:00Z"], &[1, 2]),
        (&["--since", "2026-11-22T09:00:00[Europe/Berlin]"], &[3, 4]),
        (&["--dedupe"], &[1, 3, 4]),
        (&["--limit", "2"], &[1, 2]),
        (&["--sample", "100%"], &[1, 2, 3, 4]),
        (&["--include-marked"], &[1, 2, 3, 4, 6, 7]),
        (&["--method", "GET", "--status", "500"], &[1]),
    ] {
        assert_eq!(kept(arguments), lines, "{arguments:?}");
    }
}

#[test]
fn what_the_reader_leaves_out_early_changes_no_record() {
    let desk = Desk::with("access.log", LOG);
    for arguments in [
        ["--status", "5xx"].as_slice(),
        &["--status", "502,200"],
        &["--since", "2026-11-22T08:00:00Z", "--until", "2026-11-22T11:00:00Z"],
    ] {
        let by_filter =
            pipe([desk.program("lr-read", &["access.log"]), desk.program("lr-filter", arguments)]);
        let early = desk.program("lr-read", &["access.log"]).args(arguments);
        let by_both = pipe([early, desk.program("lr-filter", arguments)]);
        assert_eq!(by_both.codes, [0, 0], "{}", by_both.stderr);
        assert_eq!(by_both.stdout, by_filter.stdout, "{arguments:?}");
    }
}

#[test]
fn a_clause_that_makes_no_sense_is_a_usage_error_that_names_it() {
    for (arguments, named) in [
        (["--status", "50x"], "50x"),
        (["--path-regex", "("], "("),
        (["--where", "status == 500"], "`.original.status`"),
        (["--since", "yesteryear"], "yesteryear"),
        (["--since", "06:00[Europe/Berln]"], "Europe/Berln"),
        (["--sample", "2"], "2"),
        (["--method", ""], "GET,HEAD"),
        (["--method", "GET,"], "GET,HEAD"),
        (["--method", "*"], "left out"),
        (["--host", ""], "leave --host out"),
        (["--host", "shop.*"], "`*.shop.example`"),
        (["--path", "api/*"], "write `/api/*`"),
        (["--host", "https://shop.example"], "`shop.example`"),
    ] {
        let ended = Desk::new().run("lr-filter", &arguments);
        assert_eq!(ended.code, 2, "{}", ended.stderr);
        assert!(ended.stderr.contains(named), "{}", ended.stderr);
    }
}

#[test]
fn a_record_for_which_an_expression_fails_is_not_sent_and_counted_apart() {
    let desk =
        Desk::with("access.log", [line("GET /a", 502), line("GET /b", 502), line("GET /c", 503)].concat());
    let expression =
        r#"if .original.target == "/a" then .original.status > 500 else .original.host | test("x") end"#;
    for (last, code) in [([].as_slice(), 0), (&["--skip-recovered", "--strict"], 5)] {
        let backend = Backend::up();
        let arguments =
            ["run", "access.log", "--no-ledger", "--base-url", &backend.url(), "--where", expression];
        let run = desk.program("logretry", &arguments).args(last).run();
        assert_eq!((run.code, backend.seen()), (code, vec!["GET /a".to_owned()]), "{}", run.stderr);
        assert!(run.stderr.contains("1 selected + 2 dropped (2 failed in --where"), "{}", run.stderr);
        assert_eq!(run.stderr.matches("access.log, line 2: not selected").count(), 1, "{}", run.stderr);
        assert!(!run.stderr.contains("line 3"), "{}", run.stderr);
    }
}

#[test]
fn an_end_before_the_beginning_is_a_usage_error_of_every_program() {
    let desk = Desk::with("access.log", LOG);
    let times = ["--since", "2026-11-22T11:00:00Z", "--until", "2026-11-22T08:00:00Z"];
    for (program, arguments) in [
        ("lr-read", &["access.log"][..]),
        ("lr-filter", &[]),
        ("logretry", &["plan", "access.log", "--base-url", "http://shop.example"]),
    ] {
        let ended = desk.program(program, arguments).args(times).run();
        assert_eq!(ended.code, 2, "{}", ended.stderr);
        assert!(ended.stderr.contains("swap --since and --until"), "{}", ended.stderr);
    }
}

#[test]
fn what_the_log_shows_to_have_succeeded_since_is_skipped_in_a_run_and_in_a_pipe() {
    let failed = ["GET /a", "GET /b", "GET /a", "POST /order"].map(|request| line(request, 502));
    let since = ["GET /a", "POST /order"].map(|request| line(request, 200));
    let desk = Desk::with("access.log", [failed.concat(), since.concat()].concat());
    let arguments = ["--skip-recovered", "--method", "GET"];
    let piped = pipe([desk.program("lr-read", &["access.log"]), desk.program("lr-filter", &arguments)]);
    let targets: Vec<_> =
        ndjson(&piped.stdout).iter().map(|record| record["original"]["target"].clone()).collect();
    assert_eq!((piped.codes, targets), (vec![0, 0], vec!["/b".into()]), "{}", piped.stderr);

    let backend = Backend::up();
    let run =
        desk.program("logretry", &["run", "access.log", "--base-url", &backend.url()]).args(arguments).run();
    assert_eq!((run.code, backend.seen()), (0, vec!["GET /b".to_owned()]), "{}", run.stderr);
    assert!(run.stderr.contains("2 recovered since"), "{}", run.stderr);
}

/// The logs of two servers are read one after the other, and what one of them tells may be older.
#[test]
fn what_another_log_shows_to_have_succeeded_before_is_sent() {
    let at = |request, time: &str, status| line(request, status).replace("06:22:52", time);
    let desk = Desk::with("web1.log", at("GET /a", "06:30:00", 502) + &at("GET /b", "06:30:00", 502));
    desk.put("web2.log", at("GET /a", "06:10:00", 200) + &at("GET /b", "06:31:00", 200));
    let backend = Backend::up();
    let arguments = ["run", "web1.log", "web2.log", "--skip-recovered", "--base-url", &backend.url()];
    let run = desk.run("logretry", &arguments);
    assert_eq!((run.code, backend.seen()), (0, vec!["GET /a".to_owned()]), "{}", run.stderr);
}
