//! A ledger on either side of a pipe: what was recorded may come again, and is sent and written once.

use std::fs::File;
use std::io::Write as _;

use crate::lab::{Backend, Desk, count_by, line, ndjson, pipe, sorted};

#[test]
fn recorded_outcomes_come_again_and_each_line_is_written_once() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", (0..3).map(|n| line(&format!("GET /{n}"), 502)).collect::<String>());
    let url = backend.url();
    let programs = || {
        [
            desk.program("lr-read", &["access.log"]),
            desk.program("lr-filter", &[]),
            desk.program("lr-refire", &["--base-url", &url, "--ledger", "refire.ledger"]),
        ]
    };
    let first = pipe(programs());
    let second = pipe(programs());
    assert_eq!((&first.codes[..], &second.codes[..]), (&[0, 0, 0][..], &[0, 0, 0][..]), "{}", second.stderr);
    assert_eq!(backend.seen().len(), 3);
    assert_eq!(sorted(&first.stdout), sorted(&second.stdout));
    let both = [first.stdout, second.stdout].concat();
    assert_eq!(count_by(&ndjson(&both), "/retry/outcome").get("recovered"), Some(&6));
    for _ in 0..2 {
        let arguments = ["-o", "retry.log", "--ledger", "write.ledger"];
        let written = desk.program("lr-write", &arguments).reading(both.clone()).run();
        assert_eq!(written.code, 0, "{}", written.stderr);
        assert_eq!(desk.read("retry.log").lines().count(), 3);
    }
}

/// The same file again, after a kill or a full disk; a later refire has an end of its own, also behind the first one in a file.
#[test]
fn a_request_without_a_connection_has_a_line_for_each_time_it_was_tried() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", line("GET /a", 502));
    let refired = |url: &str| {
        let refire = desk.program("lr-refire", &["--base-url", url]);
        pipe([desk.program("lr-read", &["access.log"]), desk.program("lr-filter", &[]), refire]).stdout
    };
    let nobody = "http://127.0.0.1:1";
    let (first, second, third) = (refired(nobody), refired(nobody), refired(&backend.url()));
    let written = |records: &str, name: &str| {
        let arguments = ["-o", &format!("{name}.log"), "--ledger", &format!("{name}.ledger")];
        desk.program("lr-write", &arguments).reading(records).run();
        desk.read(&format!("{name}.log")).lines().count()
    };
    for (records, lines) in [(&first, 1), (&first, 1), (&second, 2), (&first, 2), (&third, 3), (&third, 3)] {
        assert_eq!(written(records, "one_by_one"), lines);
    }
    let all = [&first[..], &first, &second, &third, &third].concat();
    assert_eq!((written(&all, "at_once"), written(&all, "at_once")), (3, 3));
}

/// They were missing, and only `verify` told.
#[test]
fn a_ledger_that_had_no_retry_log_says_which_lines_the_first_one_will_not_have() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", ["/a", "/b"].map(|path| line(&format!("GET {path}"), 502)).concat());
    let url = backend.url();
    let refire = desk.program("lr-refire", &["--base-url", &url, "--ledger", "retry.log.ledger"]);
    pipe([desk.program("lr-read", &["access.log"]), desk.program("lr-filter", &["--limit", "1"]), refire]);
    let run = || desk.run("logretry", &["run", "access.log", "--base-url", &url, "-o", "retry.log"]).stderr;
    let told = "will not have the lines of 1 requests that have ended";
    let (first, second) = (run(), run());
    assert!(first.contains(told) && !second.contains(told), "{first}{second}");
    assert_eq!((backend.seen().len(), desk.read("retry.log").lines().count()), (2, 1));
}

/// It read on to the end of its input, however long whoever sends went on.
#[test]
fn a_retry_log_on_a_full_disk_ends_the_pipe_although_the_ledger_has_its_lines() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", line("GET /a", 502));
    let refire = desk.program("lr-refire", &["--base-url", &backend.url()]);
    let refired = pipe([desk.program("lr-read", &["access.log"]), desk.program("lr-filter", &[]), refire]);
    assert_eq!(desk.shell("mkfifo fifo", "").run().code, 0);
    let writer = desk.shell("exec lr-write -o /dev/full --ledger write.ledger < fifo", "").start();
    let mut open = File::options().write(true).open(desk.path("fifo")).expect("it is read");
    open.write_all(refired.stdout.as_bytes()).expect("it is read");
    let ended = writer.end();
    drop(open);
    let first = ended.stderr.lines().find(|line| line.contains("cannot")).unwrap_or_default();
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    assert!(first.starts_with("lr-write: cannot write the retry log `/dev/full`: No space left"), "{first}");
    let again = desk.program("lr-write", &["-o", "retry.log", "--ledger", "write.ledger"]).run();
    assert_eq!((again.code, desk.read("retry.log").lines().count()), (0, 1), "{}", again.stderr);
}
