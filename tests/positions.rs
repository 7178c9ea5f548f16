//! `--positions`: a run that follows goes on where the last one ended.

use std::fs;

use crate::following::{SOON, follow, lines};
use crate::lab::{Backend, Desk, Running, line, until};

#[test]
fn a_run_goes_on_where_it_ended_and_sends_what_was_written_meanwhile() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", line("GET /old", 500));
    let append = |numbers: std::ops::Range<usize>| {
        let text: String = numbers.map(|number| line(&format!("GET /{number}"), 500)).collect();
        let mut log =
            fs::File::options().append(true).create(true).open(desk.path("access.log")).expect("a log");
        std::io::Write::write_all(&mut log, text.as_bytes()).expect("a log");
    };
    let url = backend.url();
    let arguments =
        ["run", "--follow", "access.log", "--base-url", &url, "-o", "retry.log", "--positions", "at"];
    let start = || desk.program("logretry", &[&arguments, SOON].concat()).start();
    let run = start();
    until("positions", || desk.read("at").contains("access.log").then_some(()));
    append(0..3);
    lines(&desk, "retry.log", 3);
    run.signal("TERM");
    assert_eq!(run.end().code, 143);
    // While nobody looks, lines come, the log is rotated and compressed, and more lines come.
    append(3..6);
    assert_eq!(desk.run("sh", &["-c", "mv access.log access.log.1 && gzip access.log.1"]).code, 0);
    append(6..9);
    let run = start();
    lines(&desk, "retry.log", 9);
    run.signal("TERM");
    let ended = run.end();
    assert_eq!(ended.code, 143, "{}", ended.stderr);
    let seen: Vec<String> = backend.seen().iter().map(|seen| seen.replace("GET ", "")).collect();
    let mut sorted = seen.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (0..9).map(|number| format!("/{number}")).collect::<Vec<_>>(), "{}", ended.stderr);
    // A damaged file is not taken for none.
    desk.put("at", "nonsense");
    let ended = desk.run("logretry", &arguments);
    assert_eq!(
        (ended.code, ended.stderr.contains("use the positions in `at`")),
        (1, true),
        "{}",
        ended.stderr
    );
}

#[test]
fn two_runs_do_not_share_their_positions() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", line("GET /1", 500));
    desk.put("other.log", line("GET /2", 500));
    let url = backend.url();
    let more = ["--positions", "at", "--no-ledger"];
    let run = follow(&desk, "access.log", &url, &more);
    until("positions", || desk.read("at").contains("access.log").then_some(()));
    let arguments = ["run", "--follow", "other.log", "--base-url", &url, "-o", "other", "--positions", "at"];
    let other = desk.run("logretry", &arguments);
    assert_eq!(other.code, 1);
    assert_eq!(
        other.stderr,
        "logretry: cannot use the positions in `at`: another run is using them; wait for it, or, for other logs, give another --positions\n"
    );
    run.signal("TERM");
    assert_eq!(run.end().code, 143);
    // What another has put there meanwhile is not written over.
    let append = |text: String| {
        let mut log = fs::File::options().append(true).open(desk.path("access.log")).expect("a log");
        std::io::Write::write_all(&mut log, text.as_bytes()).expect("a log");
    };
    append(line("GET /3", 500));
    let run = follow(&desk, "access.log", &url, &more);
    lines(&desk, "retry.log", 2);
    // Then nothing is on its way there.
    let settled = desk.read("access.log").len().to_string();
    until("its positions", || desk.read("at").contains(&settled).then_some(()));
    desk.put("copy", desk.read("at"));
    fs::rename(desk.path("copy"), desk.path("at")).expect("a copy");
    append(line("GET /4", 500));
    let ended = run.end();
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    assert!(
        ended.stderr.contains(
            "cannot write the positions `at`: another file is there by now, of another run perhaps"
        ),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_run_that_is_killed_at_once_has_written_down_where_it_began() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", line("GET /1", 500));
    let run = follow(&desk, "access.log", &backend.url(), &["--positions", "at", "--no-ledger"]);
    until("the first request", || (!backend.seen().is_empty()).then_some(()));
    run.signal("KILL");
    assert_eq!(run.end().code, 137);
    assert!(desk.read("at").contains("access.log"), "{}", desk.read("at"));
    // Before anything has been read of a log, its rotated files are still to be read.
    let log = |number: usize| line(&format!("GET /{number}"), 500);
    (0..3).for_each(|age| desk.put(&format!("logs/access.log.{age}").replace(".0", ""), log(5 - age)));
    let more = ["--positions", "begun", "--no-ledger"];
    let arguments = ["run", "--follow", "--from-start", "logs", "--base-url", "http://127.0.0.1:9"];
    let run = desk.program("logretry", &[&arguments[..], &more, &["--settle", "1h"]].concat()).start();
    until("positions", || desk.path("begun").exists().then_some(()));
    run.signal("KILL");
    run.end();
    let run = follow(&desk, "logs", &backend.url(), &more);
    until("all requests", || {
        (3..6).all(|number| backend.seen().contains(&format!("GET /{number}"))).then_some(())
    });
    run.signal("TERM");
    run.end();
    assert_eq!(backend.seen().len(), 4);
}

#[test]
fn a_rehearsal_changes_no_positions() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", line("GET /1", 500) + "no line of a log\n");
    let more = ["--positions", "at", "--dry-run", "--rejects", "rejects"];
    let run = follow(&desk, "access.log", &backend.url(), &more);
    lines(&desk, "rejects", 1);
    run.signal("TERM");
    run.end();
    assert!(!desk.path("at").exists() && backend.seen().is_empty());
}

#[test]
fn nothing_is_sent_whose_positions_cannot_be_written() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", line("GET /1", 500));
    let url = backend.url();
    let arguments = ["run", "--follow", "--from-start", "access.log", "--base-url", &url, "-o", "retry.log"];
    let ended =
        desk.run("logretry", &[&arguments[..], &["--positions", "missing/at", "--no-ledger"]].concat());
    assert_eq!(ended.code, 1);
    assert_eq!(
        ended.stderr,
        "logretry: cannot write the positions `missing/at`: No such file or directory (os error 2)\n"
    );
    assert_eq!(backend.seen(), [""; 0]);
}

/// What is in doubt is decided later, and what was decided is done by a run that reads its line.
#[test]
fn what_was_cut_off_is_read_again_where_a_run_goes_on() {
    let backend = Backend::down();
    let log = ["GET /slow/1", "DELETE /slow/2", "DELETE /slow/3"].map(|request| line(request, 500));
    let desk = Desk::with("access.log", log.concat());
    let url = backend.url();
    let more = ["--positions", "at", "--methods", "GET,DELETE", "--yes", "--pace", "fixed"];
    let run = follow(&desk, "access.log", &url, &more);
    until("three requests", || (backend.seen().len() == 3).then_some(()));
    run.signal("INT");
    run.signal("TERM");
    run.end();
    backend.recover();
    let goes_on = |number| {
        let run = follow(&desk, "access.log", &url, &more);
        lines(&desk, "retry.log", number);
        run.signal("TERM");
        run.end()
    };
    let second = goes_on(1);
    assert_eq!(backend.seen().len(), 4, "the GET again: {}", second.stderr);
    let held = |more: &[&str]| desk.run("logretry", &[&["held", "retry.log.ledger"], more].concat()).stdout;
    let list = held(&[]);
    assert_eq!(list.lines().count(), 2, "{list}");
    held(&["--settle", &list[..32], "--status", "204"]);
    held(&["--release", "all"]);
    let third = goes_on(3);
    assert_eq!(backend.seen().len(), 5, "what was released: {}", third.stderr);
    let said = "2 selected = 1 done before + 1 sent + 0 not sent";
    assert!(third.stderr.contains(said), "what was settled: {}", third.stderr);
    assert_eq!(held(&[]), "");
}

#[test]
fn with_positions_the_rotated_logs_of_a_folder_are_read_from_the_start_once() {
    let backend = Backend::up();
    let desk = Desk::new();
    let log = |numbers: std::ops::Range<usize>| -> String {
        numbers.map(|number| line(&format!("GET /{number}"), 500)).collect()
    };
    desk.put("logs/access.log.2", log(0..2));
    desk.put("logs/access.log.1", log(2..4));
    desk.put("logs/access.log", log(4..6));
    let shell = |script: &str| assert_eq!(desk.run("sh", &["-c", script]).code, 0, "{script}");
    shell("gzip logs/access.log.2");
    let url = backend.url();
    let more = ["--positions", "at", "--no-ledger"];
    let run = follow(&desk, "logs", &url, &more);
    lines(&desk, "retry.log", 6);
    run.signal("TERM");
    assert_eq!(run.end().code, 143);
    shell(
        "cd logs && mv access.log.2.gz access.log.3.gz && mv access.log.1 access.log.2 && mv access.log access.log.1",
    );
    desk.put("logs/access.log", log(6..8));
    let run = follow(&desk, "logs", &url, &more);
    lines(&desk, "retry.log", 8);
    run.signal("TERM");
    let ended = run.end();
    assert_eq!(ended.code, 143, "{}", ended.stderr);
    let mut seen = backend.seen();
    seen.sort_unstable();
    let expected: Vec<String> = (0..8).map(|number| format!("GET /{number}")).collect();
    assert_eq!(seen, expected, "{}", ended.stderr);
}

/// A server that names its logs by the day begins a new one at midnight, whether anybody looks or not.
#[test]
fn with_positions_a_log_that_has_come_while_nobody_looked_is_read_from_its_beginning() {
    let backend = Backend::up();
    let desk = Desk::new();
    let log = |name: &str| line(&format!("GET /{name}"), 500);
    desk.put("logs/access-1st.log", log("old"));
    desk.put("others/access.log", log("elsewhere"));
    let url = backend.url();
    let start = |more: &[&str]| {
        let arguments = ["run", "--follow", "--base-url", &url, "-o", "retry.log", "--no-ledger"];
        let positions = ["--positions", "at", "logs/access-*.log"];
        desk.program("logretry", &[&arguments[..], &positions, SOON, more].concat()).start()
    };
    let stop = |run: Running| {
        run.signal("TERM");
        run.end()
    };
    let run = start(&[]);
    until("positions", || desk.read("at").contains("access-1st.log").then_some(()));
    stop(run);
    // What was known is only called otherwise; and what is followed for the first time is past.
    fs::rename(desk.path("logs/access-1st.log"), desk.path("logs/access-1st-kept.log")).expect("a log");
    desk.put("logs/access-2nd.log", log("2nd"));
    let run = start(&["others"]);
    lines(&desk, "retry.log", 1);
    desk.put("logs/access-3rd.log", log("3rd"));
    lines(&desk, "retry.log", 2);
    let ended = stop(run);
    let mut seen = backend.seen();
    seen.sort_unstable();
    assert_eq!(seen, ["GET /2nd", "GET /3rd"], "{}", ended.stderr);
}

#[test]
fn a_rotated_log_that_cannot_be_read_is_told_with_positions_too() {
    let desk = Desk::new();
    desk.put("logs/access.log.1", line("GET /1", 500));
    desk.put("logs/access.log", line("GET /2", 500));
    fs::write(desk.path("logs/access.log.2.gz"), b"\x1f\x8b\x08 no gzip").expect("a file");
    let arguments =
        ["run", "--follow", "--from-start", "logs", "--base-url", "http://127.0.0.1:9", "-o", "retry.log"];
    let ended = desk.run("logretry", &[&arguments[..], &["--positions", "at", "--no-ledger"]].concat());
    assert_eq!((ended.code, ended.stderr.contains("access.log.2.gz")), (1, true), "{}", ended.stderr);
}

#[test]
fn with_positions_a_run_that_is_stopped_amid_what_is_there_goes_on_behind_what_it_has_sent() {
    const NUMBER: usize = 1000;
    let backend = Backend::up();
    let log: String = (0..NUMBER).map(|number| line(&format!("GET /{number}"), 500)).collect();
    let desk = Desk::with("access.log", log);
    let url = backend.url();
    let more = ["--positions", "at", "--no-ledger"];
    for stop in [40, 150] {
        let run = follow(&desk, "access.log", &url, &[&more[..], &["--rate", "500/s"]].concat());
        lines(&desk, "retry.log", stop);
        run.signal("TERM");
        let ended = run.end();
        assert_eq!(ended.code, 143, "{}", ended.stderr);
    }
    assert!(backend.seen().len() < NUMBER, "the second run is stopped amid what is there, too");
    let run = follow(&desk, "access.log", &url, &more);
    lines(&desk, "retry.log", NUMBER);
    run.signal("TERM");
    run.end();
    let mut seen = backend.seen();
    seen.sort_unstable();
    let mut expected: Vec<String> = (0..NUMBER).map(|number| format!("GET /{number}")).collect();
    expected.sort_unstable();
    assert_eq!(seen, expected);
}
