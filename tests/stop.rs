//! A run that is stopped: what is under way ends, nothing new begins, and everything is written down.

use crate::lab::{Backend, Desk, Ended, count_by, installed, line, ndjson, until};

/// Refires 100 requests one after the other, sends `signal` when the server has seen the third, and waits for the end.
fn stopped_by(signal: &str) -> (Ended, usize) {
    let backend = Backend::up();
    let log: String = (0..100).map(|n| line(&format!("GET /{n}"), 500)).collect();
    let desk = Desk::with("access.log", log);
    let records = desk.run("lr-read", &["access.log"]).stdout;
    let arguments = ["--base-url", &backend.url(), "--concurrency", "1", "--rate", "50/s"];
    let refirer = desk.program("lr-refire", &arguments).reading(records).start();
    until("three requests", || (backend.seen().len() >= 3).then_some(()));
    refirer.signal(signal);
    (refirer.end(), backend.seen().len())
}

#[test]
fn an_interrupted_refirer_gives_every_record_an_outcome() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let (ended, seen) = stopped_by(signal);
        assert_eq!(ended.code, code, "{}", ended.stderr);
        let outcomes = count_by(&ndjson(&ended.stdout), "/retry/outcome");
        assert_eq!(outcomes.get("recovered"), Some(&seen), "{outcomes:?}");
        assert!(seen < 100, "it went on");
    }
}

#[test]
fn a_reader_that_waits_for_the_writer_of_a_fifo_is_stopped_by_one_signal() {
    for (program, arguments) in [
        ("lr-read", &["fifo"][..]),
        ("logretry", &["run", "fifo", "--base-url", "http://127.0.0.1:9", "-o", "retry.log"]),
        ("logretry", &["plan", "fifo", "--base-url", "http://127.0.0.1:9"]),
    ] {
        let desk = Desk::new();
        assert_eq!(desk.shell("mkfifo fifo", "").run().code, 0);
        let reader = desk.program(program, arguments).start();
        until("the reader", || reader.has_thread("reader").then_some(()));
        reader.signal("TERM");
        let ended = reader.end();
        assert_eq!(ended.code, 143, "{}", ended.stderr);
        assert!(ended.stderr.contains("stopping"), "it heard the signal: {}", ended.stderr);
    }
}

#[test]
fn a_writer_that_waits_for_the_reader_of_a_fifo_is_stopped_by_one_signal() {
    let run = ["run", "access.log", "--base-url", "http://127.0.0.1:9"];
    for (program, arguments) in [
        ("logretry", &[&run[..], &["-o", "fifo"]].concat()[..]),
        ("logretry", &[&run[..], &["-o", "retry.log", "--dead-letter", "fifo"]].concat()),
        ("lr-write", &["-o", "fifo"]),
    ] {
        let desk = Desk::with("access.log", line("GET /a", 500));
        assert_eq!(desk.shell("mkfifo fifo", "").run().code, 0);
        let writer = desk.program(program, arguments).start();
        until("the writer", || writer.waits_for_partner().then_some(()));
        writer.signal("TERM");
        let ended = writer.end();
        assert_eq!((ended.code, &*ended.stderr), (143, ""));
    }
}

#[test]
fn an_explanation_that_waits_for_the_writer_of_a_fifo_is_stopped_by_one_signal() {
    let desk = Desk::new();
    assert_eq!(desk.shell("mkfifo fifo", "").run().code, 0);
    let explaining = desk.program("logretry", &["explain", "fifo"]).start();
    until("the reader", || explaining.has_thread("reader").then_some(()));
    explaining.signal("INT");
    let ended = explaining.end();
    assert_eq!((ended.code, ended.stdout, ended.stderr), (130, String::new(), String::new()));
}

/// In a pipe whoever stands before it stops, and ends its input. At a terminal nobody does, and the first Ctrl-C went unheard.
#[test]
fn a_stage_that_reads_from_the_terminal_ends_with_the_first_signal() {
    installed("script");
    let desk = Desk::new();
    desk.put("stage.sh", "echo $$ > pid\nexec lr-filter");
    // The input of `script` stays open until the stage has ended.
    let script = "(until grep -qs 'from the terminal' seen || test -e code; do :; done\n\
        kill -s INT \"$(cat pid)\"\n\
        until test -e code; do :; done) |\n\
          script -qefc 'sh stage.sh; echo $? > code' seen > shown";
    desk.shell(script, "").run();
    assert_eq!(desk.read("code"), "130\n", "{}", desk.read("shown"));
}
