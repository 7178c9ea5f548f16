//! The ledger: run the same command again, and it goes on. Nothing is lost, and nothing unsafe is sent twice.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use insta::assert_snapshot;

use crate::lab::{Backend, Desk, Ended, Running, line, sorted, until, without_times};

pub(crate) fn run(desk: &Desk, url: &str, more: &[&str]) -> Ended {
    desk.program("logretry", &["run", "access.log", "--base-url", url, "-o", "retry.log"]).args(more).run()
}

pub(crate) fn start(desk: &Desk, url: &str, more: &[&str]) -> Running {
    desk.program("logretry", &["run", "access.log", "--base-url", url, "-o", "retry.log"]).args(more).start()
}

pub(crate) fn failed(requests: impl IntoIterator<Item = String>) -> String {
    requests.into_iter().map(|request| line(&request, 502)).collect()
}

/// The last equations, without the program's name.
fn numbers(ended: &Ended) -> String {
    let said = ended.stderr.lines().filter(|line| line.contains(" = ") || line.contains("written to"));
    said.map(|line| line.trim_start_matches("logretry: ")).collect::<Vec<_>>().join("\n")
}

fn counted(lines: &[String]) -> BTreeMap<&str, usize> {
    lines.iter().fold(BTreeMap::new(), |mut counts, line| {
        *counts.entry(line.as_str()).or_default() += 1;
        counts
    })
}

#[test]
fn the_same_command_again_sends_nothing_that_has_ended_and_counts_it_apart() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", failed(["GET /a".to_owned(), "GET /always/503/b".to_owned()]));
    let first = run(&desk, &backend.url(), &[]);
    let log = desk.read("retry.log");
    let second = run(&desk, &backend.url(), &[]);
    assert_eq!((first.code, second.code), (3, 3), "{}", second.stderr);
    assert_eq!(backend.seen().len(), 2);
    assert_eq!(desk.read("retry.log"), log);
    assert_snapshot!(numbers(&second), @r"
    2 lines = 2 records + 0 rejected + 0 screened
    2 records = 2 selected + 0 dropped
    2 selected = 2 done before + 0 sent + 0 not sent
    2 done before = 1 recovered + 1 failing
    0 lines written to retry.log
    ");
}

#[test]
fn what_a_safety_stop_left_unsent_is_sent_by_the_same_command_again() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", failed((0..5).map(|n| format!("GET /{n}"))));
    let first = run(&desk, &backend.url(), &["--max-requests", "2"]);
    assert_eq!((first.code, backend.seen().len()), (4, 2), "{}", first.stderr);
    assert!(first.stderr.contains("the same run again goes on"), "{}", first.stderr);
    let second = run(&desk, &backend.url(), &[]);
    assert_eq!(second.code, 0, "{}", second.stderr);
    let mut seen = backend.seen();
    seen.sort_unstable();
    assert_eq!(seen, ["GET /0", "GET /1", "GET /2", "GET /3", "GET /4"]);
    assert_eq!(desk.read("retry.log").lines().count(), 5);
}

#[test]
fn a_ledger_that_knows_less_than_its_retry_log_says_so() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", failed((0..2).map(|n| format!("GET /{n}"))));
    run(&desk, &backend.url(), &["--max-requests", "1"]);
    std::fs::copy(desk.path("retry.log.ledger"), desk.path("copy")).expect("a copy");
    let second = run(&desk, &backend.url(), &[]);
    assert!(!second.stderr.contains("ledger"), "{}", second.stderr);
    std::fs::rename(desk.path("copy"), desk.path("retry.log.ledger")).expect("a copy");
    let third = run(&desk, &backend.url(), &[]);
    assert!(third.stderr.contains("or the ledger is an older copy"), "{}", third.stderr);
    std::fs::remove_file(desk.path("retry.log.ledger")).expect("a ledger");
    let fourth = run(&desk, &backend.url(), &[]);
    assert!(fourth.stderr.contains("the ledger is new to it"), "{}", fourth.stderr);
    assert_eq!(backend.seen().len(), 5);
    assert_eq!(desk.read("retry.log").lines().count(), 5);
}

#[test]
fn what_never_got_a_connection_is_sent_by_the_same_command_again() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", failed(["GET /a".to_owned()]));
    let resolve = format!("shop.example:{}:127.0.0.1", backend.address().port());
    let url = format!("http://shop.example:{}", backend.address().port());
    // Nobody is there yet; the same command a little later finds the server.
    let first =
        run(&desk, &url, &["--resolve", &resolve.replace("127.0.0.1", "127.0.0.254"), "--trips", "0"]);
    assert_eq!((first.code, backend.seen().len()), (3, 0), "{}", first.stderr);
    let second = run(&desk, &url, &["--resolve", &resolve]);
    assert_eq!((second.code, backend.seen().len()), (0, 1), "{}", second.stderr);
    assert_snapshot!(without_times(&desk.read("retry.log")), @r#"
    203.0.113.9 - - […] "GET /a?retry=True HTTP/1.1" 000 0 "-" "curl/8.9"
    203.0.113.9 - - […] "GET /a?retry=True HTTP/1.1" 200 3 "-" "curl/8.9"
    "#);
}

#[test]
fn what_never_got_past_the_proxy_is_sent_by_the_same_command_again() {
    let proxy = Backend::up();
    let desk = Desk::with("access.log", failed(["GET /a".to_owned(), "DELETE /b".to_owned()]));
    let through = |proxy: &str| {
        let more = ["--proxy", proxy, "--methods", "GET,DELETE", "--yes", "--trips", "0"];
        run(&desk, "http://shop.example", &more)
    };
    let gone = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let first = through(&format!("http://{}", gone.expect("a free port")));
    assert_eq!(first.code, 3, "{}", first.stderr);
    let second = through(&proxy.url());
    assert_eq!(second.code, 0, "{}", second.stderr);
    let mut seen = proxy.seen();
    seen.sort_unstable();
    assert_eq!(seen, ["DELETE http://shop.example/b", "GET http://shop.example/a"]);
    let log = desk.read("retry.log");
    assert_eq!((log.matches(" 000 ").count(), log.matches(" 200 ").count()), (2, 2), "{log}");
}

#[test]
fn what_a_proxy_answered_because_it_did_not_know_who_asked_is_asked_of_it_again() {
    let desk = Desk::with("access.log", failed(["GET /a".to_owned(), "DELETE /b".to_owned()]));
    let through = |proxy: &str| {
        let more = ["--proxy", proxy, "--methods", "GET,DELETE", "--yes", "--trips", "0"];
        run(&desk, "http://shop.example", &more)
    };
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let strict = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 1024]);
            let answer = b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            stream.write_all(answer).unwrap_or(());
        }
    });
    let first = through(&strict);
    assert_eq!(first.code, 3, "{}", first.stderr);
    assert!(
        first.stderr.contains("write `USER:PASSWORD@` before its host in the URL of `--proxy`"),
        "{}",
        first.stderr
    );
    let proxy = Backend::up();
    let second = through(&proxy.url());
    assert_eq!(second.code, 0, "{}", second.stderr);
    assert_eq!(proxy.seen().len(), 2);
    let log = desk.read("retry.log");
    assert_eq!((log.matches(" 000 ").count(), log.matches(" 200 ").count()), (2, 2), "{log}");
}

#[test]
fn what_the_proxy_refused_to_connect_is_asked_of_it_again_by_the_same_command() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let proxy = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = [0; 1024];
            let read = stream.read(&mut head).unwrap_or(0);
            assert!(head[..read].starts_with(b"CONNECT shop.example:443 "));
            stream.write_all(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n").unwrap_or(());
        }
    });
    let desk = Desk::with("access.log", failed(["GET /a".to_owned(), "DELETE /b".to_owned()]));
    for _ in 0..2 {
        let more = ["--proxy", &proxy, "--methods", "GET,DELETE", "--yes", "--trips", "0"];
        let ended = run(&desk, "https://shop.example", &more);
        assert_eq!(ended.code, 3, "{}", ended.stderr);
        assert!(numbers(&ended).contains("2 selected = 2 sent + 0 not sent"), "{}", ended.stderr);
    }
}

#[test]
fn after_kill_9_nothing_is_lost_and_each_outcome_is_one_line() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", failed((0..60).map(|n| format!("GET /{n}"))));
    for kills in 1..=3 {
        let running =
            start(&desk, &backend.url(), &["--pace", "fixed", "--concurrency", "4", "--rate", "200/s"]);
        until("some requests", || (backend.seen().len() >= kills * 10).then_some(()));
        running.signal("KILL");
        assert_eq!(running.end().code, 137);
        // As a crash of the machine may leave it.
        let log = desk.read("retry.log");
        let cut = log.len().saturating_sub(kills * 7);
        desk.put("retry.log", &log[..cut.max(log.len().min(1))]);
    }
    let last = run(&desk, &backend.url(), &[]);
    assert_eq!(last.code, 0, "{}", last.stderr);
    let seen = backend.seen();
    let sent = counted(&seen);
    assert_eq!(sent.len(), 60, "nothing is lost");
    assert!(sent.values().all(|times| *times <= 4) && seen.len() <= 60 + 3 * 4, "{sent:?}");
    let log = desk.read("retry.log");
    let lines: Vec<String> = without_times(&log).lines().map(str::to_owned).collect();
    let written = counted(&lines);
    assert_eq!((written.len(), lines.len()), (60, 60), "{log}");
}

#[test]
fn a_second_instance_is_told_who_the_first_is() {
    let backend = Backend::down();
    let desk = Desk::with("access.log", failed(["GET /slow".to_owned()]));
    let first = start(&desk, &backend.url(), &[]);
    until("the request", || (backend.seen().len() == 1).then_some(()));
    let second = run(&desk, &backend.url(), &[]);
    assert_eq!(second.code, 1, "{}", second.stderr);
    // With another ledger, the same log would be sent twice.
    let told = "is using it; wait for it, or, for other logs, give another --ledger";
    assert!(second.stderr.contains(told), "{}", second.stderr);
    first.signal("KILL");
    first.end();
}

#[test]
fn a_second_ctrl_c_ends_within_a_second_and_leaves_what_was_under_way_in_doubt() {
    let backend = Backend::down();
    let desk = Desk::with("access.log", failed(["GET /slow".to_owned(), "GET /b".to_owned()]));
    let running = start(&desk, &backend.url(), &["--concurrency", "1"]);
    until("the request", || (backend.seen().len() == 1).then_some(()));
    let pressed = Instant::now();
    // Two of the same kind could arrive as one.
    running.signal("INT");
    running.signal("TERM");
    let ended = running.end();
    assert!(pressed.elapsed() < Duration::from_secs(1), "{:?}", pressed.elapsed());
    assert!([130, 143].contains(&ended.code), "{}", ended.stderr);
    assert_eq!(desk.read("retry.log"), "", "in doubt is no outcome");
    backend.recover();
    let second = run(&desk, &backend.url(), &[]);
    assert_eq!(second.code, 0, "{}", second.stderr);
    assert_eq!(sorted(&backend.seen().join("\n")), "GET /b\nGET /slow\nGET /slow");
    assert_eq!(desk.read("retry.log").lines().count(), 2);
}

#[test]
fn a_ledger_belongs_to_one_server_and_says_so() {
    let (backend, other) = (Backend::up(), Backend::up());
    let desk = Desk::with("access.log", failed(["GET /a".to_owned()]));
    assert_eq!(run(&desk, &backend.url(), &[]).code, 0);
    let refused = run(&desk, &other.url(), &[]);
    assert_eq!(refused.code, 1, "{}", refused.stderr);
    assert!(refused.stderr.contains("give another -o or --ledger"), "{}", refused.stderr);
    let elsewhere = run(&desk, &other.url(), &["--ledger", "other.ledger"]);
    assert_eq!((elsewhere.code, other.seen().len()), (0, 1), "{}", elsewhere.stderr);
}

/// Flags by which a second attempt is far away.
const LATER: &[&str] = &["--attempts", "2", "--backoff", "10m..1h", "--trips", "0"];

#[test]
fn what_waits_for_its_next_attempt_when_the_run_is_stopped_is_taken_up_again() {
    for signal in ["TERM", "KILL"] {
        let backend = Backend::down();
        let requests = ["GET /s/503/a".to_owned(), "GET /always/503/b".to_owned()];
        let desk = Desk::with("access.log", failed(requests));
        let running = start(&desk, &backend.url(), LATER);
        until("both answers", || {
            let ledger = desk.read("retry.log.ledger-wal") + &desk.read("retry.log.ledger");
            let has = |path: &str| ledger.contains(&format!("{path}\",\"attempts\":1"));
            (has("/s/503/a") && has("/always/503/b")).then_some(())
        });
        running.signal(signal);
        let first = running.end();
        assert_eq!(first.code, if signal == "TERM" { 143 } else { 137 }, "{}", first.stderr);
        let says = first.stderr.contains("2 of those that failed have attempts left");
        assert_eq!(says, signal == "TERM", "{}", first.stderr);
        assert_eq!(desk.read("retry.log"), "", "neither has ended");
        backend.recover();
        // Its attempt from before counts: this one is the last.
        let second = run(&desk, &backend.url(), LATER);
        assert_eq!((second.code, backend.seen().len()), (3, 4), "{}", second.stderr);
        let log = desk.read("retry.log");
        assert_eq!(log.lines().count(), 2, "{log}");
        assert!(log.contains("/s/503/a?retry=True HTTP/1.1\" 200 "), "{log}");
        let third = run(&desk, &backend.url(), LATER);
        assert_eq!((third.code, backend.seen().len()), (3, 4), "{}", third.stderr);
        assert_eq!(desk.read("retry.log"), log);
    }
}

#[test]
fn a_limit_that_comes_before_the_next_attempt_says_that_the_same_run_goes_on() {
    let backend = Backend::down();
    let desk = Desk::with("access.log", failed(["GET /s/503/a".to_owned()]));
    let first = run(&desk, &backend.url(), &[LATER, &["--max-requests", "1"]].concat());
    assert_eq!((first.code, desk.read("retry.log").as_str()), (4, ""), "{}", first.stderr);
    backend.recover();
    let second = run(&desk, &backend.url(), LATER);
    assert_eq!((second.code, backend.seen().len()), (0, 2), "{}", second.stderr);
}

#[test]
fn a_plan_and_the_question_before_a_run_leave_out_what_the_ledger_has_as_done() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", failed(["DELETE /a".to_owned(), "DELETE /b".to_owned()]));
    let url = backend.url();
    let flags = ["access.log", "--base-url", &url, "-o", "retry.log", "--methods", "DELETE"];
    let plan = || desk.run("logretry", &[&["plan"][..], &flags].concat());
    let before = plan();
    assert!(before.stdout.contains("2 selected = 2 would be sent + 0 would not"), "{}", before.stdout);
    assert!(!desk.path("retry.log.ledger").exists(), "a plan makes no ledger");
    let limited = run(&desk, &url, &["--methods", "DELETE", "--yes", "--max-requests", "1"]);
    assert_eq!(limited.code, 4, "{}", limited.stderr);
    let after = plan();
    let says = "2 selected = 1 already done before (ledger retry.log.ledger) + 1 would be sent + 0 would not";
    assert!(after.stdout.contains(says), "{}{}", after.stdout, after.stderr);
    let asked = run(&desk, &url, &["--methods", "DELETE"]);
    assert!(asked.stderr.contains("(1 DELETE)"), "{}", asked.stderr);
    assert_eq!(run(&desk, &url, &["--methods", "DELETE", "--yes"]).code, 0);
    let again = run(&desk, &url, &["--methods", "DELETE", "--yes"]);
    assert_eq!((again.code, backend.seen().len()), (0, 2), "{}", again.stderr);
    // To another server, nothing is done; the run would be refused.
    let elsewhere = ["plan", "access.log", "--base-url", "http://other.example", "-o", "retry.log"];
    let elsewhere = desk.run("logretry", &elsewhere);
    let told = "cannot use the ledger `retry.log.ledger` for http://other.example: it keeps the refires to";
    assert!(
        elsewhere.code == 1 && elsewhere.stderr.contains(told),
        "{}{}",
        elsewhere.stdout,
        elsewhere.stderr
    );
    // What a crash left is no ledger yet, as for the run.
    desk.put("retry.log.ledger", "");
    assert!(plan().stdout.contains("2 selected = 2 would be sent"), "{}", plan().stderr);
}

/// Nobody knows whether they are one request, and none may be lost.
#[test]
fn equal_lines_of_two_logs_without_times_are_each_sent_where_no_ledger_is_kept() {
    let backend = Backend::up();
    let desk = Desk::with("app.log", "GET /a 502 1.234 ms - 150\nGET /b 502 1.234 ms - 150\n");
    desk.put("app.log.1", "GET /a 502 1.234 ms - 150\n");
    let of = |verb: &str| {
        let flags = [verb, "app.log", "app.log.1", "--base-url", &backend.url(), "-o", "retry.log"];
        desk.program("logretry", &flags).args(["--no-ledger", "--format", "morgan_dev"]).run()
    };
    let plan = of("plan");
    assert!(plan.stdout.contains("3 selected = 3 would be sent"), "{}", plan.stdout);
    let run = of("run");
    assert!(run.stderr.contains("3 selected = 3 sent"), "{}", run.stderr);
    assert_eq!(backend.seen().len(), 3);
}

/// The second request was lost, and only a number told of it.
#[test]
fn that_equal_lines_without_a_time_are_one_request_to_a_ledger_is_said_once() {
    let backend = Backend::up();
    let lines = "GET /a 502 1.000 ms - 0\nGET /b 502 1.000 ms - 0\n";
    let desk = Desk::with("one.log", lines);
    desk.put("two.log", lines);
    let run =
        desk.run("logretry", &["run", "one.log", "two.log", "--base-url", &backend.url(), "-o", "retry.log"]);
    assert!(run.stderr.contains("(2 repeated)"), "{}", run.stderr);
    assert_eq!(
        run.stderr.matches("two.log:1: repeated: an equal line of another log").count(),
        1,
        "{}",
        run.stderr
    );
    assert!(!run.stderr.contains("two.log:2"), "{}", run.stderr);
}

#[test]
fn a_plan_counts_a_line_of_several_logs_once_as_the_run_does() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", failed(["DELETE /a".to_owned(), "DELETE /b".to_owned()]));
    desk.put("copy.log", failed(["DELETE /b".to_owned(), "DELETE /c".to_owned()]));
    let url = backend.url();
    let of = |verb: &str, more: &[&str]| {
        let flags = [verb, "access.log", "copy.log", "--base-url", &url, "--methods", "DELETE"];
        desk.program("logretry", &flags).args(more).run()
    };
    let plan = of("plan", &["-o", "retry.log"]);
    assert!(plan.stdout.contains("4 selected = 3 would be sent + 1 would not"), "{}", plan.stdout);
    let asked = of("run", &["-o", "retry.log"]);
    assert!(asked.stderr.contains("(3 DELETE)"), "{}", asked.stderr);
    let without = of("plan", &["-o", "retry.log", "--no-ledger"]);
    assert!(without.stdout.contains("4 selected = 3 would be sent + 1 would not"), "{}", without.stdout);
    let elsewhere = of("run", &["-o", "elsewhere.log", "--no-ledger", "--yes"]);
    assert!(
        elsewhere.stderr.contains("4 selected = 3 sent + 1 not sent (1 repeated)"),
        "{}",
        elsewhere.stderr
    );
    let run = of("run", &["-o", "retry.log", "--yes"]);
    assert!(run.stderr.contains("4 selected = 3 sent + 1 not sent (1 repeated)"), "{}", run.stderr);
    let after = of("plan", &["-o", "retry.log"]);
    assert!(after.stdout.contains("4 selected = 4 already done before"), "{}", after.stdout);
}

#[test]
fn a_plan_counts_what_has_attempts_left_by_its_own_flags() {
    let backend = Backend::down();
    let desk = Desk::with("access.log", failed(["GET /s/503/a".to_owned()]));
    let url = backend.url();
    run(&desk, &url, &[LATER, &["--max-requests", "1"]].concat());
    let plan = |more: &[&str]| {
        let flags = ["plan", "access.log", "--base-url", &url, "-o", "retry.log"];
        desk.program("logretry", &flags).args(more).run().stdout
    };
    let goes_on = plan(LATER);
    assert!(goes_on.contains("1 selected = 1 would be sent + 0 would not"), "{goes_on}");
    let ends = plan(&[]);
    assert!(ends.contains("1 already done before (ledger retry.log.ledger) + 0 would be sent"), "{ends}");
    let ended = run(&desk, &url, &[]);
    assert!(ended.stderr.contains("1 selected = 1 done before + 0 sent"), "{}", ended.stderr);
}

#[test]
fn a_dry_run_says_that_it_does_not_ask_the_ledger() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", failed(["GET /a".to_owned()]));
    let says = "a dry run does not ask the ledger `retry.log.ledger`";
    let first = run(&desk, &backend.url(), &["--dry-run"]);
    assert!(!first.stderr.contains(says), "there is none: {}", first.stderr);
    run(&desk, &backend.url(), &[]);
    let second = run(&desk, &backend.url(), &["--dry-run"]);
    assert!(second.stderr.contains(says), "{}", second.stderr);
    let over_a_pipe = ["--base-url", &backend.url(), "--dry-run", "--ledger", "retry.log.ledger"];
    let third = desk.run("lr-refire", &over_a_pipe);
    assert!(third.stderr.contains(says), "{}", third.stderr);
    assert_eq!(backend.seen().len(), 1);
}

#[test]
fn a_retry_log_as_a_table_has_one_header() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", failed((0..4).map(|n| format!("GET /{n}"))));
    run(&desk, &backend.url(), &["--as", "csv", "--max-requests", "2"]);
    run(&desk, &backend.url(), &["--as", "csv"]);
    let table = desk.read("retry.log");
    assert!(table.starts_with("time,method,url,"), "{table}");
    assert_eq!((table.lines().count(), table.matches("time,method").count()), (5, 1));
}

#[test]
fn without_a_ledger_every_run_begins_from_the_start() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", failed(["GET /a".to_owned()]));
    for _ in 0..2 {
        assert_eq!(run(&desk, &backend.url(), &["--no-ledger"]).code, 0);
    }
    assert_eq!(backend.seen().len(), 2);
    assert!(!desk.path("retry.log.ledger").exists());
}

/// It was taken, and nothing was synced.
#[test]
fn what_a_request_waits_for_is_told_to_a_ledger() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", failed(["GET /a".to_owned()]));
    let (url, to) = (backend.url(), ["--durability", "full"]);
    for (program, words, told) in [
        ("logretry", &["run", "access.log", "--base-url", &url][..], "name one with --ledger"),
        (
            "logretry",
            &["run", "access.log", "--base-url", &url, "-o", "retry.log", "--no-ledger"],
            "--no-ledger",
        ),
        ("lr-refire", &["--base-url", &url], "name one with --ledger"),
        ("lr-write", &["-o", "retry.log"], "name one with --ledger"),
    ] {
        let ended = desk.program(program, words).args(to).run();
        assert!(ended.code == 2 && ended.stderr.contains(told), "{program} {words:?}: {}", ended.stderr);
    }
    assert!(backend.seen().is_empty() && !desk.path("retry.log").exists());
    assert_eq!(run(&desk, &url, &to).code, 0);
    assert_eq!(
        desk.run("logretry", &["plan", "access.log", "--base-url", &url, "--durability", "full"]).code,
        0
    );
}
