//! Requests that change something go out only when somebody has said so.

use crate::lab::{Backend, Desk, Program, installed, line};

fn log() -> String {
    ["DELETE /a", "DELETE /b", "GET /c", "POST /d"].map(|request| line(request, 502)).concat()
}

#[test]
fn without_a_terminal_requests_that_change_something_need_yes() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", log());
    let url = backend.url();
    let arguments =
        ["run", "access.log", "--base-url", &url, "-o", "retry.log", "--methods", "GET,DELETE,POST"];
    let run = desk.run("logretry", &arguments);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(
        run.stderr.contains("cannot send requests that change something (2 DELETE) without being told so"),
        "{}",
        run.stderr
    );
    let few = desk.program("logretry", &arguments).args(["--max-requests", "1"]).run();
    assert!(few.stderr.contains("change something (1 at most of 2 DELETE) without"), "{}", few.stderr);
    assert!(backend.seen().is_empty());
    assert!(!desk.path("retry.log").exists(), "nothing has begun");

    let run = desk.program("logretry", &arguments).args(["--yes"]).run();
    assert_eq!(run.code, 3, "the POST has no body: {}", run.stderr);
    let mut seen = backend.seen();
    seen.sort();
    assert_eq!(seen, ["DELETE /a", "DELETE /b", "GET /c"]);
}

/// They went out again.
#[test]
fn without_the_ledger_of_its_lines_a_retry_log_gets_no_new_one_for_what_changes_something() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", log());
    let url = backend.url();
    let run = |output, methods| {
        let arguments =
            ["run", "access.log", "--base-url", &url, "-o", output, "--methods", methods, "--yes"];
        desk.run("logretry", &arguments)
    };
    assert_eq!(run("retry.log", "DELETE").code, 3);
    assert_eq!(run("retry.log", "DELETE").code, 3, "with its ledger it goes on");
    std::fs::remove_file(desk.path("retry.log.ledger")).expect("a ledger");
    let refused = run("retry.log", "DELETE");
    let told = "cannot begin a ledger for `retry.log`, which has lines already";
    assert!(refused.code == 1 && refused.stderr.contains(told), "{}", refused.stderr);
    assert_eq!(backend.seen().len(), 2);
    assert_eq!((run("other.log", "DELETE").code, backend.seen().len()), (3, 4));
    assert_eq!((run("retry.log", "GET").code, backend.seen().len()), (3, 5));
}

/// Twice `> retry.log` was twice each DELETE, and nothing said that it would be.
#[test]
fn a_run_that_changes_something_and_keeps_no_ledger_says_so() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", log());
    let url = backend.url();
    let told = "no ledger is kept, for the retry log goes into no file";
    for (more, tells) in [
        (&["--methods", "DELETE", "--yes"][..], true),
        (&["--methods", "DELETE", "--yes", "-o", "/dev/null"], true),
        (&["--methods", "DELETE", "--yes", "--no-ledger"], false),
        (&["--methods", "DELETE", "--yes", "--dry-run"], false),
        (&["--methods", "DELETE", "--yes", "--ledger", "a.ledger"], false),
        (&["--methods", "DELETE", "--yes", "-o", "retry.log"], false),
        (&[], false),
    ] {
        let arguments = ["run", "access.log", "--base-url", &url];
        let run = desk.program("logretry", &arguments).args(more).run();
        assert_eq!(run.stderr.contains(told), tells, "{more:?}: {}", run.stderr);
    }
}

#[test]
fn in_a_pipe_the_methods_are_named_and_standard_input_is_not_asked() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", log());
    let records = desk.run("lr-read", &["access.log"]).stdout;
    let arguments = ["--base-url", &backend.url(), "--methods", "GET,DELETE"];
    let refired = desk.program("lr-refire", &arguments).reading(records.as_str()).run();
    assert_eq!(refired.code, 2, "{}", refired.stderr);
    assert!(refired.stderr.contains("change something (DELETE)"), "{}", refired.stderr);
    assert_eq!((refired.stdout.as_str(), backend.seen().len()), ("", 0));
}

#[test]
fn nothing_is_asked_where_nothing_would_be_changed() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", [line("GET /c", 502), line("DELETE /fine", 200)].concat());
    for more in [&[][..], &["--dry-run"]] {
        let arguments = ["run", "access.log", "--base-url", &backend.url(), "--methods", "GET,DELETE"];
        let run = desk.program("logretry", &arguments).args(more).run();
        assert_eq!(run.code, 0, "{}", run.stderr);
    }
    assert_eq!(backend.seen(), ["GET /c"]);
}

/// It was said that POST is none of --methods, to somebody who had just named it.
#[test]
fn where_nothing_is_asked_what_is_not_sent_has_the_reason_that_the_plan_gives() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", [line("GET /c", 502), line("POST /d", 502)].concat());
    let arguments = ["access.log", "--base-url", &backend.url(), "--methods", "GET,POST"];
    for (command, report) in [("plan", "1  no_body: "), ("run", "1 not sent (1 no_body)")] {
        let told = desk.program("logretry", &[command]).args(arguments).run();
        assert!([&told.stdout, &told.stderr].iter().any(|text| text.contains(report)), "{}", told.stderr);
    }
    assert_eq!(backend.seen(), ["GET /c"]);
}

/// QUERY changes nothing by its definition, and is none of the three that are sent without being named.
#[test]
fn a_method_that_must_be_named_is_asked_for_whatever_it_is_said_to_change() {
    let backend = Backend::up();
    let entry = r#"{"startedDateTime":"2026-11-22T06:22:52Z","time":3,"request":{"method":"QUERY","url":"https://shop.example/a","headers":[],
        "bodySize":1,"postData":{"mimeType":"text/plain","text":"x"}},"response":{"status":502,"bodySize":0}}"#;
    let desk = Desk::with("shop.har", format!(r#"{{"log":{{"version":"1.2","entries":[{entry}]}}}}"#));
    let arguments = ["run", "shop.har", "--base-url", &backend.url(), "--methods", "GET,QUERY"];
    let run = desk.run("logretry", &arguments);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(run.stderr.contains("change something (1 QUERY) without being told so"), "{}", run.stderr);
    let run = desk.program("logretry", &arguments).args(["--yes"]).run();
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(backend.seen(), ["QUERY /a"]);
}

/// `script` gives the program a terminal, and types what is on its own standard input.
#[test]
fn on_a_terminal_a_word_is_asked_for() {
    installed("script");
    for (typed, code, sent) in [("send\n", 3, 3), ("yes\n", 2, 0), ("\n", 2, 0)] {
        let backend = Backend::up();
        let desk = Desk::with("access.log", log());
        let command = format!(
            "{} run access.log --base-url {} -o retry.log --methods GET,DELETE,POST",
            Program::path("logretry"),
            backend.url()
        );
        let run = desk.program("script", &["-qec", &command, "/dev/null"]).reading(typed).run();
        assert_eq!(run.code, code, "{}", run.stdout);
        assert!(run.stdout.contains("change something: 2 DELETE."), "{}", run.stdout);
        assert_eq!(backend.seen().len(), sent, "{}", run.stdout);
    }
}

/// It began all the same, and its ledger was of the wrong server then, when that was what had been noticed.
#[test]
fn a_stop_at_the_question_leaves_no_file_behind() {
    installed("script");
    let backend = Backend::up();
    let desk = Desk::with("access.log", log());
    desk.put(
        "run.sh",
        "echo $$ > pid\nexec logretry run access.log --base-url \"$1\" -o retry.log --methods GET,DELETE",
    );
    // The input of `script` stays open until the run has ended: its end would answer the question.
    let script = "touch seen\n\
        (until grep -qs 'to stop' seen || test -e code; do :; done\n\
        kill -s INT \"$(cat pid)\"\n\
        until test -e code; do :; done) |\n\
          script -qefc 'sh run.sh http://127.0.0.1:1; echo $? > code' seen > shown";
    desk.shell(script, "").run();
    assert_eq!(desk.read("code"), "130\n");
    let shown = desk.read("shown");
    assert!(shown.contains("nothing was sent") && !shown.contains("0 lines"), "{shown}");
    let run =
        desk.program("logretry", &["run", "access.log", "-o", "retry.log", "--base-url", &backend.url()]);
    let run = run.args(["--methods", "GET,DELETE", "--yes"]).run();
    assert_eq!((run.code, backend.seen().len()), (3, 3), "{}", run.stderr);
}

#[test]
fn a_key_names_each_request_that_changes_something_and_no_other() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", log());
    let arguments = ["run", "access.log", "--base-url", &backend.url(), "--methods", "GET,DELETE", "--yes"];
    let keyed = ["--idempotency-key", "--idempotency-secret", "secret"];
    for _ in 0..2 {
        let run = desk.program("logretry", &arguments).args(keyed).run();
        assert_eq!(run.code, 3, "{}", run.stderr);
    }
    let heads = backend.heads();
    let key = |head: &String| {
        let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with("idempotency-key:"))?;
        Some(line.split_once(": ")?.1.to_owned())
    };
    let keys: Vec<_> = heads.iter().filter(|head| head.starts_with("DELETE")).filter_map(key).collect();
    assert_eq!(keys.len(), 4, "{heads:?}");
    assert!(keys.iter().all(|key| key.len() == 38 && key.starts_with('"') && key.ends_with('"')), "{keys:?}");
    let mut once = keys.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), 2, "two records, and for each the same key in both runs: {keys:?}");
    assert!(heads.iter().filter(|head| head.starts_with("GET")).all(|head| key(head).is_none()));
}

#[test]
fn what_changes_something_can_be_limited_to_what_nobody_has_seen() {
    let backend = Backend::up();
    let line = |server: &str, state: &str, target: &str| {
        format!(
            "203.0.113.9:5 [22/Nov/2026:06:22:52.859] fe be/{server} 0/-1/-1/-1/3 503 209 - - {state} 1/1/0/0/0 0/0 \"DELETE {target} HTTP/1.1\"\n"
        )
    };
    let log =
        [line("<NOSRV>", "SC--", "/never"), line("s1", "sH--", "/perhaps"), line("s1", "SC--", "/refused")]
            .concat();
    let desk = Desk::with("access.log", log);
    let url = backend.url();
    let arguments = ["access.log", "--base-url", &url, "--methods", "DELETE", "--undelivered"];
    let plan = desk.program("logretry", &["plan"]).args(arguments).run();
    assert!(plan.stdout.contains("2  change something (2 proven undelivered)"), "{}", plan.stdout);
    let run = desk.program("logretry", &["run"]).args(arguments).args(["--yes"]).run();
    assert_eq!(run.code, 3, "{}", run.stderr);
    assert!(run.stderr.contains("1 may_have_arrived"), "{}", run.stderr);
    let mut seen = backend.seen();
    seen.sort();
    assert_eq!(seen, ["DELETE /never", "DELETE /refused"]);
}

/// The proof was taken for one of the refire too, so that what had failed again, and had perhaps been done, was sent once more.
#[test]
fn what_was_refired_is_not_proven_unseen_by_the_line_of_the_original() {
    let backend = Backend::up();
    let line = "203.0.113.9:5 [22/Nov/2026:06:22:52.859] fe be/<NOSRV> 0/-1/-1/-1/3 503 209 - - SC-- 1/1/0/0/0 0/0 \"DELETE /always/503/1 HTTP/1.1\"\n";
    let desk = Desk::with("access.log", line);
    let url = backend.url();
    let flags = ["--base-url", &url, "--methods", "DELETE", "--undelivered", "--yes"];
    let arguments = ["run", "access.log", "-o", "retry.log", "--dead-letter", "dead.ndjson"];
    let run = desk.program("logretry", &arguments).args(flags).run();
    assert_eq!((run.code, backend.seen().len()), (3, 1), "{}", run.stderr);

    let dead = desk.program("lr-refire", &flags).reading(desk.read("dead.ndjson")).run();
    assert!(dead.stderr.contains("1 not sent (1 may_have_arrived)"), "{}", dead.stderr);
    // What comes out has forgotten how the refire ended, and knows only that there was none this time.
    let again = desk.program("lr-refire", &flags).reading(dead.stdout).run();
    assert!(again.stderr.contains("1 not sent (1 may_have_arrived)"), "{}", again.stderr);
    let marked = desk.program("logretry", &["run", "retry.log", "--include-marked"]).args(flags).run();
    assert!(marked.stderr.contains("1 not sent (1 may_have_arrived)"), "{}", marked.stderr);
    assert_eq!(backend.seen().len(), 1);
}
