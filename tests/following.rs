//! A run that follows the log of a server, and what a service manager and logrotate do with it.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;
use std::{fs, str};

use crate::lab::{Backend, Desk, Running, Server, ask, line, ndjson, nginx, until};

/// Flags by which nothing waits for long.
pub(crate) const SOON: &[&str] =
    &["--settle", "1ms", "--attempts", "3", "--backoff", "1ms..5ms", "--trips", "0"];

/// Follows `log` from its start, and sends to `url`.
pub(crate) fn follow(desk: &Desk, log: &str, url: &str, more: &[&str]) -> Running {
    let arguments = ["run", "--follow", "--from-start", log, "--base-url", url, "-o", "retry.log"];
    desk.program("logretry", &[&arguments, SOON, more].concat()).start()
}

/// Waits until the file `name` has so many whole lines.
pub(crate) fn lines(desk: &Desk, name: &str, number: usize) -> String {
    until(name, || {
        let text = desk.read(name);
        (text.ends_with('\n') && text.lines().count() >= number).then_some(text)
    })
}

fn ask_for(server: &Server, numbers: std::ops::Range<usize>) {
    for number in numbers {
        assert_eq!(ask(server.address(), "GET", format!("/always/500/{number}")), 500);
    }
}

#[test]
fn a_run_that_follows_the_log_of_the_server_that_it_asks_never_feeds_on_itself() {
    let backend = Backend::up();
    let server = nginx(&backend);
    ask_for(&server, 0..5);
    let desk = Desk::new();
    let log = server.log().display().to_string();
    let run = follow(&desk, &log, &server.url(), &["--dead-letter", "dead.ndjson"]);
    lines(&desk, "dead.ndjson", 5);
    // What this one is logged behind are the refires of the first five: they have been read when it ends.
    ask_for(&server, 5..6);
    let dead = lines(&desk, "dead.ndjson", 6);
    run.signal("TERM");
    let ended = run.end();
    assert_eq!(ended.code, 143, "{}", ended.stderr);
    for number in 0..6 {
        let times = backend.seen().iter().filter(|seen| seen.ends_with(&format!("/{number}"))).count();
        assert_eq!(times, 4, "request {number}: the original and three attempts\n{}", ended.stderr);
    }
    let attempts = ndjson(&dead).iter().all(|record| record.pointer("/retry/attempts") == Some(&3.into()));
    assert!(attempts, "{dead}");
    assert_eq!(desk.read("retry.log").lines().count(), 6);
    // Dead letters can be sent again.
    let again = desk.program("lr-refire", &["--base-url", &server.url()]).reading(dead).run();
    assert_eq!(again.stdout.lines().count(), 6, "{}", again.stderr);
    assert_eq!(fs::metadata(desk.path("dead.ndjson")).map(|file| mode(&file)).ok(), Some(0o600));
}

fn mode(file: &fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    file.permissions().mode() & 0o777
}

#[test]
fn a_signal_to_hang_up_opens_the_files_anew() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", line("GET /a", 500));
    let more = ["--dead-letter", "dead.ndjson"];
    let run = follow(&desk, "access.log", &backend.url(), &more);
    let append = |text: String| {
        let mut log = fs::File::options().append(true).open(desk.path("access.log")).expect("a log");
        std::io::Write::write_all(&mut log, text.as_bytes()).expect("a log");
    };
    lines(&desk, "retry.log", 1);
    append(line("GET /always/404/b", 500));
    lines(&desk, "dead.ndjson", 1);
    for name in ["retry.log", "dead.ndjson"] {
        fs::rename(desk.path(name), desk.path(&format!("{name}.1"))).expect("a file");
    }
    run.signal("HUP");
    // Until the signal has arrived, lines go to the old files.
    let mut number = 0;
    until("the new files", || {
        number += 1;
        append(
            [line(&format!("GET /c{number}"), 500), line(&format!("GET /always/404/{number}"), 500)].concat(),
        );
        (desk.path("retry.log").exists() && desk.path("dead.ndjson").exists()).then_some(())
    });
    let all = || desk.read("retry.log.1") + &desk.read("retry.log");
    until("all lines", || (all().lines().count() == 2 + 2 * number).then_some(()));
    run.signal("TERM");
    let ended = run.end();
    assert_eq!(ended.code, 143, "{}", ended.stderr);
    let dead = desk.read("dead.ndjson.1") + &desk.read("dead.ndjson");
    assert_eq!(ndjson(&dead).len(), number + 1);
    // The ledger's copy goes on in the new file with no line lost or doubled.
    let (all, mut lines) = (all(), std::collections::BTreeSet::new());
    assert!(all.lines().all(|line| lines.insert(line)), "{all}");
    assert_eq!(all.lines().filter(|line| line.contains("GET /c")).count(), number);
    assert_eq!(all.lines().filter(|line| line.contains("GET /always/404/")).count(), number + 1);
    assert!(desk.path("retry.log.ledger").exists());
}

#[test]
fn a_service_manager_is_told_how_the_run_is() {
    let desk = Desk::with("access.log", line("GET /a", 500));
    let manager = UnixDatagram::bind(desk.path("notify")).expect("a socket");
    manager.set_read_timeout(Some(Duration::from_secs(20))).expect("a socket");
    let hear = || {
        let mut told = [0; 1024];
        let length = manager.recv(&mut told).expect("something is told");
        str::from_utf8(&told[..length]).expect("it is text").trim().to_owned()
    };
    let backend = Backend::up();
    let arguments = ["run", "--follow", "access.log", "--base-url", &backend.url(), "-o", "retry.log"];
    let socket = desk.path("notify").display().to_string();
    let run = desk.program("logretry", &arguments).env("NOTIFY_SOCKET", &socket);
    let run = run.env("WATCHDOG_USEC", "20000").start();
    let next = || loop {
        let told = hear();
        if told != "WATCHDOG=1" {
            return told;
        }
    };
    assert_eq!(next(), "READY=1");
    until("two signs of life", || (hear() == "WATCHDOG=1" && hear() == "WATCHDOG=1").then_some(()));
    run.signal("HUP");
    let reloading = next();
    assert!(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{reloading}");
    assert_eq!(next(), "READY=1");
    run.signal("TERM");
    assert_eq!(next(), "STOPPING=1");
    // Signs of life that nobody hears any more would be waited with.
    drop(manager);
    assert_eq!(run.end().code, 143);
}

#[test]
fn a_run_that_follows_says_where_refires_would_not_be_known() {
    let common = "203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] \"GET /a HTTP/1.1\" 502 157\n".to_owned();
    let combined = line("GET /a", 502);
    let json =
        "{\"time\":\"2026-11-22T06:22:52Z\",\"method\":\"GET\",\"uri\":\"/a\",\"status\":502}\n".to_owned();
    for (log, more, is_told) in [
        (&common, [].as_slice(), true),
        (&common, &["--send-mark"], false),
        (&combined, &[], false),
        (&json, &[], true),
    ] {
        let backend = Backend::up();
        let desk = Desk::with("access.log", log);
        let run = follow(&desk, "access.log", &backend.url(), more);
        lines(&desk, "retry.log", 1);
        run.signal("TERM");
        let told = run.end().stderr;
        assert_eq!(told.matches(" names no user agent, by which").count(), usize::from(is_told), "{told}");
    }
}

#[test]
fn a_run_that_follows_says_what_it_cannot_do() {
    let desk = Desk::with("access.log", line("GET /a", 500));
    let arguments = ["run", "--follow", "access.log", "--base-url", "http://127.0.0.1:9", "--skip-recovered"];
    let ended = desk.run("logretry", &arguments);
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""));
    assert!(ended.stderr.starts_with("logretry: cannot skip what has recovered since"), "{}", ended.stderr);
}

#[test]
fn what_ends_after_its_files_were_removed_stands_in_new_ones() {
    let backend = Backend::up();
    for more in [&["--dead-letter", "dead"][..], &["--dead-letter", "dead", "--no-ledger"]] {
        let desk = Desk::with("access.log", line("GET /always/404/1", 500));
        let run = follow(&desk, "access.log", &backend.url(), more);
        for name in ["retry.log", "dead"] {
            lines(&desk, name, 1);
            fs::remove_file(desk.path(name)).expect("it is there");
        }
        let log = fs::File::options().append(true).open(desk.path("access.log"));
        let text = line("GET /always/404/2", 500);
        log.and_then(|mut log| std::io::Write::write_all(&mut log, text.as_bytes())).expect("a log");
        for name in ["retry.log", "dead"] {
            assert!(lines(&desk, name, 1).contains("/always/404/2"), "{name}");
        }
        run.signal("TERM");
        assert_eq!(run.end().code, 143);
    }
}

/// It waited for hours for what was to be sent again, said nothing, and read no log meanwhile.
#[test]
fn a_run_that_follows_ends_at_once_when_a_log_cannot_be_read_and_keeps_what_waits() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", line("GET /always/503/1", 500));
    let arguments = ["run", "--follow", "--from-start", "*.log", "--base-url", &backend.url(), "--no-ledger"];
    let more = ["-o", "refires", "--dead-letter", "dead", "--backoff", "1h"];
    let run = desk.program("logretry", &arguments).args(more).start();
    until("the first request", || (backend.seen().len() == 1).then_some(()));
    desk.put("other.log", b"\xff\xfeG\0E\0T\0 \0/\0\n\0");
    let ended = run.end();
    assert!(ended.stderr.contains("cannot read `other.log`: it is UTF-16"), "{}", ended.stderr);
    assert_eq!((ended.code, desk.read("dead").lines().count()), (1, 1), "{}", ended.stderr);
}

/// It went on for ever, and called all that came `unsent`.
#[test]
fn a_run_that_follows_ends_when_it_has_sent_what_it_may() {
    let backend = Backend::up();
    let log = ["GET /a", "GET /b", "GET /c"].map(|request| line(request, 500)).concat();
    let desk = Desk::with("access.log", log);
    let ended = follow(&desk, "access.log", &backend.url(), &["--max-requests", "2"]).end();
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    assert!(ended.stderr.contains("are followed no longer: --max-requests was reached"), "{}", ended.stderr);
    assert_eq!(desk.read("retry.log").lines().count(), 2);
}

/// The ledger lists what is held. Sent from the dead letters as well, it would perhaps be sent twice.
#[test]
fn of_what_was_cut_off_only_what_does_no_harm_twice_is_a_dead_letter() {
    let backend = Backend::down();
    let desk = Desk::with("access.log", [line("GET /slow/1", 502), line("DELETE /slow/2", 502)].concat());
    let more = ["--dead-letter", "dead.ndjson", "--methods", "GET,DELETE", "--yes", "--pace", "fixed"];
    let run = follow(&desk, "access.log", &backend.url(), &more);
    until("both requests", || (backend.seen().len() == 2).then_some(()));
    run.signal("INT");
    run.signal("TERM");
    run.end();
    let dead = desk.read("dead.ndjson");
    assert_eq!(dead.lines().count(), 1, "{dead}");
    assert!(dead.contains("/slow/1"), "{dead}");
    let held = desk.run("logretry", &["held", "retry.log.ledger"]).stdout;
    assert!(held.contains("/slow/2"), "{held}");
}

#[test]
fn a_run_with_a_ledger_that_was_killed_goes_on_and_sends_nothing_unsafe_twice() {
    let backend = Backend::down();
    let desk = Desk::with("access.log", "");
    let append = |names: &[&str]| {
        let text: String = names.iter().map(|name| line(&format!("DELETE /{name}"), 500)).collect();
        let mut log = fs::File::options().append(true).open(desk.path("access.log")).expect("a log");
        std::io::Write::write_all(&mut log, text.as_bytes()).expect("a log");
    };
    let url = backend.url();
    let arguments = [
        &["run", "--follow", "access.log", "--base-url", &url, "-o", "retry.log", "--positions", "at"][..],
        &["--methods", "DELETE", "--yes", "--pace", "fixed"],
        SOON,
    ]
    .concat();
    let start = || desk.program("logretry", &arguments).start();
    let run = start();
    until("positions", || desk.read("at").contains("access.log").then_some(()));
    append(&["0", "1", "2", "slow"]);
    lines(&desk, "retry.log", 3);
    until("the last one", || (backend.seen().len() == 4).then_some(()));
    run.signal("KILL");
    assert_eq!(run.end().code, 137);
    backend.recover();
    append(&["3", "4"]);
    let run = start();
    lines(&desk, "retry.log", 5);
    run.signal("TERM");
    let ended = run.end();
    assert_eq!(ended.code, 143, "{}", ended.stderr);
    let mut seen = backend.seen();
    seen.sort_unstable();
    let expected = ["0", "1", "2", "3", "4", "slow"].map(|name| format!("DELETE /{name}"));
    assert_eq!(seen, expected, "{}", ended.stderr);
    assert_eq!(desk.read("retry.log").lines().count(), 5);
    let held = desk.run("logretry", &["held", "retry.log.ledger"]);
    assert!(held.stdout.contains("DELETE") && held.stdout.contains("/slow"), "{}", held.stdout);
    let without = desk.run("logretry", &[&arguments[..], &["--no-ledger"]].concat());
    assert_eq!(without.code, 2, "{}", without.stderr);
}
