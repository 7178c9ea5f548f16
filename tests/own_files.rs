//! What is written goes into files of its own, and leaves alone what others hold.

use crate::lab::{Backend, Desk, line, until};

/// A log with a line that cannot be used.
fn log() -> String {
    [line("GET /a", 502), "rubbish\n".to_owned()].concat()
}

#[test]
fn rejects_and_dead_letters_are_not_written_over_what_others_hold() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", log());
    let run = |more: &[&str]| {
        let arguments = ["run", "access.log", "--format", "combined", "-o", "retry.log"];
        desk.program("logretry", &arguments).args(["--base-url", &backend.url()]).args(more).run()
    };
    assert_eq!(run(&[]).code, 0);
    let before = (desk.read("access.log"), desk.read("retry.log"));
    for (arguments, name) in [
        (["--rejects", "access.log"], "access.log"),
        (["--dead-letter", "access.log"], "access.log"),
        (["--rejects", "retry.log.ledger"], "retry.log.ledger"),
    ] {
        let refused = run(&arguments);
        assert_ne!(refused.code, 0, "{arguments:?}: {}", refused.stderr);
        assert!(refused.stderr.contains(&format!("`{name}`: ")), "{}", refused.stderr);
        assert!(refused.stderr.contains("give them "), "{}", refused.stderr);
    }
    let read = desk.run("lr-read", &["access.log", "--rejects", "access.log"]);
    assert!(read.stderr.contains("it holds something else; give them another name"), "{}", read.stderr);
    assert_eq!(before, (desk.read("access.log"), desk.read("retry.log")));
    assert_eq!((run(&[]).code, backend.seen().len()), (0, 1), "the ledger still knows");
}

#[test]
fn two_things_do_not_go_into_one_file() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", log());
    desk.shell("mkdir folder; ln -s . here", "").run();
    for arguments in [
        ["-o", "x", "--rejects", "x"],
        ["-o", "x", "--rejects", "folder/../x"],
        ["-o", "x", "--rejects", "here/x"],
        ["-o", "x", "--dead-letter", "x"],
        ["-o", "x", "--ledger", "x"],
        ["-o", "x", "--rejects", "x.ledger"],
        ["--rejects", "x", "--dead-letter", "x"],
        ["-o", "x", "--idempotency-key", "--idempotency-secret=x"],
        ["-o", "x", "--bodies", "x"],
        ["-o", "x", "--resolve-from", "here/x"],
        ["-o", "x", "--header", "@here/x"],
        ["--cacert", "x", "-o", "x"],
    ] {
        let refused = desk
            .program("logretry", &["run", "access.log", "--base-url", &backend.url()])
            .args(arguments)
            .run();
        assert_eq!(refused.code, 2, "{arguments:?}: {}", refused.stderr);
        assert!(refused.stderr.contains("give them two names"), "{}", refused.stderr);
        assert!(!desk.path("x").exists());
    }
    assert!(backend.seen().is_empty());
}

#[test]
fn a_dash_is_no_file() {
    let desk = Desk::with("access.log", log());
    for flag in ["-o", "--rejects", "--dead-letter", "--ledger"] {
        let refused =
            desk.run("logretry", &["run", "access.log", "--base-url", "http://127.0.0.1:9", flag, "-"]);
        assert_eq!(refused.code, 2, "{flag}: {}", refused.stderr);
        assert!(refused.stderr.contains("one that is called so is `./-`"), "{}", refused.stderr);
    }
    assert!(!desk.path("-").exists());
}

#[test]
fn rejects_are_written_over_rejects() {
    let desk = Desk::with("access.log", log());
    let arguments = ["access.log", "--format", "combined", "--rejects", "rejects.ndjson"];
    let read = || (desk.run("lr-read", &arguments).code, desk.read("rejects.ndjson"));
    let (code, rejects) = read();
    assert_eq!((code, rejects.lines().count()), (0, 1));
    assert_eq!(read(), (0, rejects));
}

/// A usage error, and a log that is not there, had emptied the file before.
#[test]
fn rejects_of_an_earlier_run_stay_where_the_next_one_does_not_begin() {
    let desk = Desk::with("access.log", log());
    let run = |more: &[&str]| {
        let arguments =
            ["run", "--base-url", "http://127.0.0.1:9", "--rejects", "rejects.ndjson", "--dry-run"];
        desk.program("logretry", &arguments).args(more).run().code
    };
    assert_eq!(run(&["access.log", "--format", "combined"]), 0);
    let rejects = desk.read("rejects.ndjson");
    assert_eq!(rejects.lines().count(), 1);
    assert_eq!((run(&["access.log", "--timeout", "0s"]), run(&["acess.log"])), (2, 1));
    assert_eq!(desk.read("rejects.ndjson"), rejects);
    desk.put("access.log", line("GET /a", 502));
    assert_eq!(run(&["access.log"]), 0);
    assert_eq!(desk.read("rejects.ndjson"), "");
    desk.put("rejects.ndjson", &rejects);
    desk.put("access.log", "");
    assert_eq!(run(&["access.log"]), 0);
    assert_eq!(desk.read("rejects.ndjson"), "");
}

/// What had been written to the file behind `2>>` was gone.
#[test]
fn rejects_on_a_standard_stream_are_appended_to_what_is_there() {
    let desk = Desk::with("access.log", log());
    desk.put("errors", "earlier\n");
    let read = "lr-read access.log --format combined --quiet --rejects /dev/stderr 2>> errors";
    assert_eq!(desk.shell(read, "").run().code, 0);
    let errors = desk.read("errors");
    assert!(errors.starts_with("earlier\n{\"v\":1,\"source\""), "{errors}");
}

/// A ledger sends it when the command is run again; what is sent from the dead letters as well would be sent twice.
#[test]
fn what_the_next_run_sends_is_no_dead_letter() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", [line("GET /a", 502), line("GET /b", 502)].concat());
    let run = |more: &[&str]| {
        let arguments = ["run", "access.log", "-o", "retry.log", "--dead-letter", "dead.ndjson"];
        desk.program("logretry", &arguments)
            .args(["--base-url", &backend.url(), "--max-requests", "1"])
            .args(more)
            .run()
    };
    assert_eq!(run(&[]).code, 4);
    assert_eq!(desk.read("dead.ndjson"), "");
    assert_eq!(run(&["--no-ledger"]).code, 4);
    assert_eq!(desk.read("dead.ndjson").lines().count(), 1);
}

/// What had no connection is tried anew by the next run. It stood there once for each run that had tried.
#[test]
fn what_had_no_connection_is_no_dead_letter_where_a_ledger_has_it_tried_anew() {
    let desk = Desk::with("access.log", line("GET /a", 502));
    let arguments = [
        "run",
        "access.log",
        "--base-url",
        "http://127.0.0.1:1",
        "-o",
        "retry.log",
        "--dead-letter",
        "dead.ndjson",
    ];
    for _ in 0..2 {
        assert_eq!(desk.run("logretry", &arguments).code, 3);
        assert_eq!(desk.read("dead.ndjson"), "");
    }
    assert_eq!(desk.run("logretry", &[&arguments[..], &["--no-ledger"]].concat()).code, 3);
    assert_eq!(desk.read("dead.ndjson").lines().count(), 1);
}

/// What a full disk had torn took the next dead letter with it: one line, and no record.
#[test]
fn a_dead_letter_that_was_torn_does_not_take_the_next_one_with_it() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", line("GET /always/500/1", 502));
    let url = backend.url();
    let run = || {
        let arguments = ["run", "access.log", "--base-url", &url, "-o", "retry.log"];
        desk.program("logretry", &arguments).args(["--dead-letter", "dead.ndjson"]).run()
    };
    assert_eq!(run().code, 3);
    let dead = desk.read("dead.ndjson");
    let torn = &dead[..dead.len() / 2];
    desk.put("dead.ndjson", torn);
    assert_eq!(run().code, 3);
    assert_eq!(desk.read("dead.ndjson"), [torn, "\n", &dead].concat());
}

/// Whoever sends the dead letters would send it as often as the command was run.
#[test]
fn a_dead_letter_is_there_once_however_often_the_same_command_is_run() {
    let backend = Backend::up();
    let log = [line("GET /always/500/1", 502), line("GET /a", 502)];
    let desk = Desk::with("access.log", log.concat());
    let url = backend.url();
    let arguments =
        ["run", "access.log", "--base-url", &url, "-o", "retry.log", "--dead-letter", "dead.ndjson"];
    let run = || assert_eq!(desk.run("logretry", &arguments).code, 3);
    run();
    let dead = desk.read("dead.ndjson");
    assert_eq!(dead.lines().count(), 1);
    run();
    assert_eq!(desk.read("dead.ndjson"), dead);
    // Where it was taken away, it is not lost.
    desk.put("dead.ndjson", "");
    run();
    assert_eq!(desk.read("dead.ndjson").lines().count(), 1);
}

#[test]
fn of_what_has_failed_twice_without_a_ledger_one_dead_letter_is_sent() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", line("GET /always/500/1", 502));
    let url = backend.url();
    for _ in 0..2 {
        let run = ["run", "access.log", "--base-url", &url, "--dead-letter", "dead.ndjson"];
        assert_eq!(desk.run("logretry", &run).code, 3);
    }
    let dead = desk.read("dead.ndjson");
    assert_eq!((dead.lines().count(), backend.seen().len()), (2, 2));
    let refired = desk.program("lr-refire", &["--base-url", &url]).reading(dead.as_str()).run();
    assert!(refired.stderr.contains("2 selected = 1 sent + 1 not sent (1 repeated)"), "{}", refired.stderr);
    assert_eq!(backend.seen().len(), 3);
}

/// The same command again only counted it, and nothing said what else there is.
#[test]
fn that_what_failed_once_more_can_still_become_a_dead_letter_is_said_by_each_run() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", [line("GET /always/500/1", 502), line("GET /later", 502)].concat());
    let url = backend.url();
    let run = |more: &[&str]| {
        let run = ["run", "access.log", "--base-url", &url, "-o", "retry.log"];
        desk.run("logretry", &[&run[..], more].concat())
    };
    let says = "what failed once more (1) has ended, and the same run again does not send it; with --dead-letter FILE that keeps it";
    for _ in 0..2 {
        let ended = run(&[]);
        assert!(ended.code == 3 && ended.stderr.contains(says), "{}", ended.stderr);
    }
    let kept = run(&["--dead-letter", "dead.ndjson"]);
    assert!(!kept.stderr.contains("has ended"), "{}", kept.stderr);
    let sent =
        desk.program("lr-refire", &["--base-url", &url]).reading(desk.read("dead.ndjson").as_str()).run();
    assert!(sent.stderr.contains("1 sent = 0 recovered + 0 refused + 1 failing"), "{}", sent.stderr);
}

/// It is sent by the next run, or held: sent from the dead letters as well, it would be sent twice.
#[test]
fn what_was_cut_off_is_no_dead_letter_where_a_ledger_knows_it() {
    let backend = Backend::down();
    let desk = Desk::with("access.log", [line("GET /slow/1", 502), line("DELETE /slow/2", 502)].concat());
    let url = backend.url();
    let arguments =
        ["run", "access.log", "--base-url", &url, "-o", "retry.log", "--dead-letter", "dead.ndjson"];
    let more = ["--methods", "GET,DELETE", "--yes", "--pace", "fixed"];
    let run = desk.program("logretry", &[&arguments[..], &more].concat()).start();
    until("both requests", || (backend.seen().len() == 2).then_some(()));
    run.signal("INT");
    run.signal("TERM");
    let run = run.end();
    assert!(run.stderr.contains("2 in doubt"), "{}", run.stderr);
    assert_eq!(desk.read("dead.ndjson"), "");
}

/// The first run went well, and the same command again was refused.
#[test]
fn a_retry_log_beside_the_logs_is_none_of_those_that_are_found() {
    for (logs, output) in
        [("logs", "logs/retry.log"), ("logs/shop*", "logs/shop.log.retry"), ("logs/*.log", "logs/re.log")]
    {
        let backend = Backend::up();
        let desk = Desk::new();
        std::fs::create_dir(desk.path("logs")).expect("the desk can be written");
        desk.put("logs/shop.log", line("GET /a", 502));
        let arguments = ["--base-url", &backend.url(), "-o", output, "--as", "combined"];
        let run = |command| desk.program("logretry", &[command, logs]).args(arguments).run();
        for command in ["plan", "run", "run", "plan", "verify"] {
            let done = run(command);
            assert_eq!(done.code, 0, "{logs} {command}: {}", done.stderr);
            let lines = if command == "plan" || command == "verify" { &done.stdout } else { &done.stderr };
            assert!(lines.contains("1 lines = 1 records"), "{logs} {command}: {lines}");
        }
        assert_eq!((backend.seen().len(), desk.read(output).lines().count()), (1, 1));

        let refused = desk
            .program("logretry", &["run", "logs", "--base-url", &backend.url(), "-o", "logs/shop.log"])
            .run();
        assert_eq!(refused.code, 2, "it is no retry log: {}", refused.stderr);
        assert_eq!(desk.read("logs/shop.log"), line("GET /a", 502));
    }
}

/// Without a ledger nothing but the mark tells what it is, when a service is started again.
#[test]
fn a_retry_log_beside_logs_that_are_followed_is_none_of_them() {
    let backend = Backend::up();
    let desk = Desk::with("logs/access.log", line("GET /a", 502));
    let run = |output| {
        let arguments = ["run", "--follow", "--from-start", "logs", "--no-ledger", "-o", output];
        desk.program("logretry", &arguments).args(["--base-url", &backend.url(), "--settle", "1ms"])
    };
    for lines in 1..=2 {
        let running = run("logs/access-retry.log").start();
        until("a refire", || (desk.read("logs/access-retry.log").lines().count() == lines).then_some(()));
        running.signal("TERM");
        let ended = running.end();
        assert!(ended.stderr.contains("1 lines = 1 records"), "{}", ended.stderr);
        assert!(
            ended.stderr.contains("access-retry.log: left out, for it is written here"),
            "{}",
            ended.stderr
        );
    }
    let refused = run("logs/access.log").run();
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(refused.stderr.contains("it is one of the logs to read"), "{}", refused.stderr);
}

#[test]
fn a_retry_log_does_not_go_into_a_log_whoever_has_opened_it() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", line("GET /a", 502));
    desk.shell("ln -s access.log link.log", "").run();
    for files in [
        "access.log -o access.log",
        "link.log -o access.log",
        "access.log >> access.log",
        "-o access.log < access.log",
        "- >> access.log < access.log",
    ] {
        let script = format!("logretry run --base-url $BASE_URL {files}");
        let refused = desk.shell(&script, &backend.url()).run();
        assert_eq!(refused.code, 2, "{files}: {}", refused.stderr);
        assert!(refused.stderr.contains("it is one of the logs to read"), "{}", refused.stderr);
    }
    assert_eq!(desk.read("access.log"), line("GET /a", 502));
    let other =
        desk.shell("logretry run --base-url $BASE_URL < access.log >> retry.log", &backend.url()).run();
    assert_eq!((other.code, backend.seen().len()), (0, 1), "{}", other.stderr);
}
