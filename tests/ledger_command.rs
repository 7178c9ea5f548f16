//! `logretry ledger`: what a ledger holds, for a person and for a program, and how it forgets.

use std::fs;
use std::io::Read as _;

use insta::assert_snapshot;

use crate::lab::{Backend, Desk, Ended, Program, Running, count_by, line, ndjson, until, without_times};

fn run(desk: &Desk, url: &str, more: &[&str]) -> Ended {
    desk.program("logretry", &["run", "access.log", "--base-url", url, "-o", "retry.log"]).args(more).run()
}

fn ledger(desk: &Desk, arguments: &[&str]) -> Ended {
    desk.program("logretry", &["ledger"]).args(arguments).run()
}

/// `text` with `ID`, `TIME`, `SERVER` and `N ms` in place of what differs from run to run.
fn masked(text: &str, url: &str) -> String {
    let mask = |word: &str| {
        if word.len() == 32 && word.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            "ID".to_owned()
        } else if word.len() == 24 && word.ends_with('Z') && word.as_bytes()[10] == b'T' {
            "TIME".to_owned()
        } else {
            word.to_owned()
        }
    };
    let line = |line: &str| {
        let words: Vec<String> = line.split(' ').map(mask).collect();
        let line = words.join(" ").replace(url, "SERVER");
        match line.split_once(" ms, ").and_then(|(before, after)| Some((before.rsplit_once(' ')?.0, after))) {
            Some((before, after)) => format!("{before} N ms, {after}\n"),
            None => format!("{line}\n"),
        }
    };
    // How far the retry log was when the crash came is a matter of time.
    let lines = text.lines().filter(|line| !line.contains("may not be in the retry log yet"));
    without_times(&lines.map(line).collect::<String>())
}

/// A ledger with one recovered, one failing, and one that a crash has cut off: `DELETE /slow`. Its one request at a time keeps the order.
fn cut_off(backend: &Backend) -> Desk {
    let requests = ["GET /a?token=s3cret&b=1", "GET /always/503/b", "DELETE /slow"];
    let desk =
        Desk::with("access.log", requests.iter().map(|request| line(request, 502)).collect::<String>());
    let running = start(&desk, backend);
    until("all requests", || (backend.seen().len() == 3).then_some(()));
    running.signal("KILL");
    running.end();
    desk
}

fn start(desk: &Desk, backend: &Backend) -> Running {
    let url = backend.url();
    let flags = ["--methods", "GET,DELETE", "--yes", "--concurrency", "1", "--pace", "fixed"];
    desk.program("logretry", &["run", "access.log", "--base-url", &url, "-o", "retry.log"])
        .args(flags)
        .start()
}

fn first_id(desk: &Desk, word: &str) -> String {
    let listed = ledger(desk, &["ls", "retry.log.ledger", "--outcome", word]).stdout;
    listed.split(' ').next().expect("an id").to_owned()
}

#[test]
fn ls_lists_each_record_once_and_its_totals_add_up() {
    let backend = Backend::down();
    let desk = cut_off(&backend);
    let listed = ledger(&desk, &["ls", "retry.log.ledger"]);
    assert_eq!(listed.code, 0, "{}", listed.stderr);
    assert_snapshot!(masked(&listed.stdout, &backend.url()), @r"
    ID  TIME  recovered   200              GET SERVER/a?token=…&b=1
    ID  TIME  failing     503              GET SERVER/always/503/b
    ID  TIME  held        -                DELETE SERVER/slow

    3 records = 1 recovered + 1 failing + 1 held
    sent to SERVER
    ");
    let held = ledger(&desk, &["ls", "retry.log.ledger", "--outcome", "held"]);
    assert_snapshot!(masked(&held.stdout, &backend.url()), @r"
    ID  TIME  held        -                DELETE SERVER/slow

    1 listed: held
    3 records = 1 recovered + 1 failing + 1 held
    sent to SERVER
    ");
    let none = ledger(&desk, &["ls", "retry.log.ledger", "--outcome", "fine"]);
    assert_eq!(none.code, 2, "{}", none.stdout);
    assert!(none.stderr.contains("recovered, refused, failing"), "{}", none.stderr);
}

#[test]
fn show_tells_every_attempt_and_the_line_without_secrets() {
    let backend = Backend::down();
    let desk = cut_off(&backend);
    let ids = ["recovered", "held"].map(|word| first_id(&desk, word));
    let shown = ledger(&desk, &["show", "retry.log.ledger", &ids[0], &ids[1], &ids[0]]);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    assert_snapshot!(masked(&shown.stdout, &backend.url()), @r#"
    ID
      TIME  intent   attempt 1  GET SERVER/a?token=…&b=1
      TIME  outcome  attempt 1  recovered 200, N ms, 3 bytes  GET SERVER/a?token=…&b=1
        line: 203.0.113.9 - - […] "GET /a?token=…&b=1&retry=True HTTP/1.1" 200 3 "-" "curl/8.9"
      stands: recovered

    ID
      TIME  intent   attempt 1  DELETE SERVER/slow
      stands: held: it was cut off, and sending it twice could do harm; `logretry held` decides
    "#);

    let settled = desk.run("logretry", &["held", "retry.log.ledger", "--settle", "all", "--status", "204"]);
    assert_eq!(settled.code, 0, "{}", settled.stderr);
    let shown = ledger(&desk, &["show", "retry.log.ledger", &ids[1]]);
    assert_snapshot!(masked(&shown.stdout, &backend.url()), @r"
    ID
      TIME  intent   attempt 1  DELETE SERVER/slow
      TIME  verdict  attempt 1  ended:204 DELETE SERVER/slow
      stands: in doubt: settled 204; the next run writes its line
    ");

    let unknown = ledger(&desk, &["show", "retry.log.ledger", &"0".repeat(32)]);
    assert_eq!((unknown.code, unknown.stdout.as_str()), (1, ""));
    assert!(unknown.stderr.contains("`retry.log.ledger` knows no such record"), "{}", unknown.stderr);
    assert_eq!(ledger(&desk, &["show", "retry.log.ledger", "abc"]).code, 2);
}

#[test]
fn what_a_log_says_does_not_move_the_screen() {
    let backend = Backend::up();
    // nginx would have written \x1B; other servers do not.
    let log = line("GET /a", 502).replace("curl/8.9", "\u{1b}[2Jcurl");
    let desk = Desk::with("access.log", log);
    run(&desk, &backend.url(), &[]);
    assert!(desk.read("retry.log").contains('\u{1b}'));
    let id = first_id(&desk, "recovered");
    let shown = ledger(&desk, &["show", "retry.log.ledger", &id]);
    assert!(shown.stdout.contains("\\u{1b}[2Jcurl") && !shown.stdout.contains('\u{1b}'), "{}", shown.stdout);
}

#[test]
fn an_export_has_every_event_as_json_with_exact_urls() {
    let backend = Backend::down();
    let desk = cut_off(&backend);
    let exported = ledger(&desk, &["export", "retry.log.ledger"]);
    assert_eq!(exported.code, 0, "{}", exported.stderr);
    let events = ndjson(&exported.stdout);
    let counts: Vec<_> = count_by(&events, "/event").into_iter().collect();
    assert_eq!(counts, [("intent".to_owned(), 3), ("outcome".to_owned(), 2)]);
    assert_eq!(events[0]["url"], format!("{}/a?token=s3cret&b=1", backend.url()));
    assert_eq!((&events[0]["current"], &events[1]["current"]), (&false.into(), &true.into()));
    assert_eq!((&events[1]["retry"]["status"], &events[1]["attempt"]), (&200.into(), &1.into()));
    assert_eq!(events[1]["id"], events[0]["id"]);
    let line = events[1]["line"].as_str().expect("a line");
    assert!(line.contains("GET /a?token=s3cret&b=1&retry=True"), "{line}");
    assert_eq!((&events[4]["method"], &events[4]["current"]), (&"DELETE".into(), &true.into()));

    desk.run("logretry", &["held", "retry.log.ledger", "--settle", "all", "--status", "204"]);
    let events = ndjson(&ledger(&desk, &["export", "retry.log.ledger"]).stdout);
    assert_eq!((&events[5]["event"], &events[5]["verdict"]), (&"verdict".into(), &"ended:204".into()));
    assert_eq!(events[5]["url"], format!("{}/slow", backend.url()));
}

#[test]
fn a_reader_of_an_export_that_goes_is_no_error() {
    let backend = Backend::up();
    let log: String = (0..400).map(|n| line(&format!("GET /{n}"), 502)).collect();
    let desk = Desk::with("access.log", log);
    run(&desk, &backend.url(), &[]);
    let script = "{ logretry ledger export retry.log.ledger; echo $? >&2; } | head -1 >/dev/null; \
        { logretry ledger ls retry.log.ledger; echo $? >&2; } | head -1 >/dev/null";
    let ended = desk.shell(script, &backend.url()).run();
    assert_eq!((ended.code, ended.stderr.as_str()), (0, "0\n0\n"));
}

#[test]
fn a_ledger_can_be_looked_at_and_is_not_pruned_while_a_run_is_going_on() {
    let backend = Backend::down();
    let desk = Desk::with("access.log", line("GET /slow", 502));
    let running = start(&desk, &backend);
    until("the request", || (backend.seen().len() == 1).then_some(()));
    let listed = ledger(&desk, &["ls", "retry.log.ledger"]);
    assert_eq!(listed.code, 0, "{}", listed.stderr);
    assert!(listed.stdout.contains("1 records = 1 in doubt\n"), "{}", listed.stdout);
    assert!(listed.stdout.contains(" is using it\n"), "{}", listed.stdout);
    assert_eq!(ledger(&desk, &["export", "retry.log.ledger"]).code, 0);
    let pruned = ledger(&desk, &["prune", "retry.log.ledger", "--older-than", "90d"]);
    assert_eq!(pruned.code, 1, "{}", pruned.stdout);
    assert!(
        pruned.stderr.contains("is using it; run the same command again when that has ended"),
        "{}",
        pruned.stderr
    );
    running.signal("KILL");
    running.end();
}

#[test]
fn what_is_pruned_is_counted_and_would_be_sent_again() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", [line("GET /a", 502), line("GET /always/503/b", 502)].concat());
    run(&desk, &backend.url(), &[]);
    let young = ledger(&desk, &["prune", "retry.log.ledger", "--older-than", "90d"]);
    assert_eq!(young.code, 0, "{}", young.stderr);
    assert!(young.stdout.starts_with("0 outcomes from before 2"), "{}", young.stdout);
    let all = ledger(&desk, &["prune", "retry.log.ledger", "--older-than", "1us"]);
    assert_eq!(all.code, 0, "{}", all.stderr);
    let (number, rest) = all.stdout.split_once(" from before 2").expect("two lines");
    let forgotten = [number, &rest[rest.find(" forgotten").expect("a word")..]].concat();
    assert_snapshot!(forgotten, @r"
    2 outcomes forgotten
    If their lines are read again, their requests are sent again.
    ");
    let listed = ledger(&desk, &["ls", "retry.log.ledger"]);
    assert_snapshot!(masked(&listed.stdout, &backend.url()), @r"
    0 records
    2 more pruned = 1 failing + 1 recovered
    sent to SERVER
    ");
    run(&desk, &backend.url(), &[]);
    assert_eq!(backend.seen().len(), 4);
    for (wrong, said) in [
        (&["--older-than", "soon"][..], "not an age"),
        (&["--older-than", "-3d"], "unexpected argument"),
        (&["--before", "x"], "not a time"),
        // Everything lies before it, also what nobody meant.
        (&["--before", "2999-01-01T00:00:00Z"], "is still to come"),
        // A year, and not 20:26 of today.
        (&["--before", "2026"], "not a time"),
        (&["--before", "2026-11-22", "--older-than", "3d"], "cannot be used with"),
        (&[], "<--before <TIME>|--older-than <AGE>>"),
    ] {
        let refused = desk.program("logretry", &["ledger", "prune", "retry.log.ledger"]).args(wrong).run();
        assert_eq!(refused.code, 2, "{wrong:?}: {}", refused.stderr);
        assert!(refused.stderr.contains(said), "{wrong:?}: {}", refused.stderr);
    }
}

#[test]
fn what_never_got_a_connection_is_told_apart() {
    let desk = Desk::with("access.log", line("GET /a", 502));
    let url = "http://127.0.0.254:9";
    assert_eq!(run(&desk, url, &["--trips", "0"]).code, 3);
    let listed = ledger(&desk, &["ls", "retry.log.ledger"]);
    assert_snapshot!(masked(&listed.stdout, url), @r"
    0 records
    1 more never got a connection: the next run tries them anew
    sent to SERVER
    ");
}

#[test]
fn files_that_are_no_ledger_are_named_with_what_to_do_and_not_touched() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", line("GET /a", 502));
    run(&desk, &backend.url(), &[]);
    desk.put("empty", "");
    let id = "0".repeat(32);
    let commands: [&[&str]; 4] = [&["ls"], &["show"], &["export"], &["prune"]];
    let mut said = String::new();
    for file in ["nowhere", "retry.log", "empty", "."] {
        let mut errors: Vec<String> = Vec::new();
        for command in commands {
            let more: &[&str] = match command[0] {
                "show" => &[&id],
                "prune" => &["--older-than", "90d"],
                _ => &[],
            };
            let ended = ledger(&desk, &[command, &[file], more].concat());
            assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{command:?} {file}");
            errors.push(ended.stderr);
        }
        errors.dedup();
        said += &errors.concat();
    }
    assert_snapshot!(said, @r"
    logretry: cannot open the ledger `nowhere`: No such file or directory (os error 2); a run that writes `retry.log` keeps its ledger in `retry.log.ledger`
    logretry: cannot read `retry.log` as a ledger: it is another kind of file; its ledger is `retry.log.ledger`
    logretry: cannot read `empty` as a ledger: it is another kind of file; a run that writes `retry.log` keeps its ledger in `retry.log.ledger`
    logretry: cannot open the ledger `.`: it is a folder; name the file in it
    ");
    assert_eq!(desk.read("empty"), "");
    for trace in ["nowhere", "nowhere.lock", "retry.log.lock", "empty.lock"] {
        assert!(!desk.path(trace).exists(), "{trace}");
    }
}

#[test]
fn a_damaged_ledger_is_refused_and_exported_all_the_same() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", line("GET /a", 502));
    run(&desk, &backend.url(), &[]);
    // A bit turns in the outcome's word, of which the checksum knows.
    let path = desk.path("retry.log.ledger");
    let mut bytes = Vec::new();
    fs::File::open(&path).and_then(|mut file| file.read_to_end(&mut bytes)).expect("a ledger");
    let word = b"\"outcome\":\"recovered\"";
    let at = bytes.windows(word.len()).rposition(|found| found == word).expect("the outcome is in the file");
    bytes[at + word.len() - 2] ^= 1;
    fs::write(&path, bytes).expect("it can be written");
    for command in [&["ls", "retry.log.ledger"][..], &["prune", "retry.log.ledger", "--older-than", "90d"]] {
        let refused = ledger(&desk, command);
        assert_eq!((refused.code, refused.stdout.as_str()), (1, ""));
        assert!(refused.stderr.contains("trust the ledger `retry.log.ledger`: row "), "{}", refused.stderr);
    }
    let exported = ledger(&desk, &["export", "retry.log.ledger"]);
    assert_eq!(exported.code, 1);
    assert!(exported.stderr.contains("does not have its checksum"), "{}", exported.stderr);
    let events = ndjson(&exported.stdout);
    assert!(!events.is_empty() && events.iter().all(|event| event.get("current").is_none()));
}

#[test]
fn nothing_else_is_needed_to_read_a_ledger() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", line("GET /a", 502));
    run(&desk, &backend.url(), &[]);
    let listed = Program::new("logretry", ["ledger", "ls", "retry.log.ledger"])
        .within(desk.folder())
        .env("PATH", "/nowhere")
        .run();
    assert!(listed.stdout.contains("1 records = 1 recovered\n"), "{}", listed.stdout);
}
