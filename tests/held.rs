//! What was cut off on its way, and may have arrived: held until somebody knows how it ended.

use crate::lab::{Backend, Desk, line, nginx, sorted, until, without_times};
use crate::ledger::{failed, run, start};

#[test]
fn a_request_that_may_change_something_is_held_when_it_was_cut_off_and_sent_when_released() {
    let backend = Backend::down();
    let desk = Desk::with("access.log", failed(["DELETE /slow/1".to_owned(), "GET /slow/2".to_owned()]));
    let flags = ["--methods", "GET,DELETE", "--yes"];
    let running = start(&desk, &backend.url(), &[&flags[..], &["--pace", "fixed"]].concat());
    until("both requests", || (backend.seen().len() == 2).then_some(()));
    running.signal("KILL");
    running.end();
    backend.recover();

    let second = run(&desk, &backend.url(), &flags);
    assert_eq!(second.code, 3, "{}", second.stderr);
    assert!(second.stderr.contains("1 held"), "{}", second.stderr);
    assert!(second.stderr.contains("1 done before = 1 in doubt"), "{}", second.stderr);
    // The other one changes nothing: it was sent again.
    assert_eq!(sorted(&backend.seen().join("\n")), "DELETE /slow/1\nGET /slow/2\nGET /slow/2");

    let plan = desk.run(
        "logretry",
        &[&["plan", "access.log", "-o", "retry.log", "--base-url", &backend.url()], &flags[..]].concat(),
    );
    let says = "2 selected = 1 already done before (ledger retry.log.ledger) + 1 held (`logretry held retry.log.ledger`) + 0 would";
    assert!(plan.stdout.contains(says), "{}{}", plan.stdout, plan.stderr);
    let held = desk.run("logretry", &["held", "retry.log.ledger"]);
    assert_eq!(held.code, 3, "{}", held.stderr);
    assert!(held.stdout.contains("DELETE"), "{}", held.stdout);
    let released = desk.run("logretry", &["held", "retry.log.ledger", "--release", "all"]);
    assert_eq!(released.code, 0, "{}", released.stderr);
    let third = run(&desk, &backend.url(), &flags);
    assert_eq!(third.code, 0, "{}", third.stderr);
    assert_eq!(backend.seen().iter().filter(|request| request.starts_with("DELETE")).count(), 2);
    assert_eq!(desk.read("retry.log").lines().count(), 2);
    assert_eq!(desk.run("logretry", &["held", "retry.log.ledger"]).code, 0);
}

/// The ids would have taken the ledger behind them for one of them; and without a ledger nothing was asked of the log, and nothing said.
#[test]
fn what_is_held_is_asked_of_a_ledger() {
    let desk = Desk::with("access.log", line("GET /a", 502));
    run(&desk, "http://127.0.0.1:9", &[]);
    let id = "0".repeat(32);
    for (words, code, told) in [
        (&["--release", "all", "retry.log.ledger"][..], 0, "0 released"),
        (&["--settle", "all", "retry.log.ledger", "--status", "200"], 0, "0 settled"),
        (&["--settle", "all", "--status", "200", "retry.log.ledger"], 0, "0 settled"),
        (&["--release", &id, "retry.log.ledger"], 2, "it is not held in `retry.log.ledger`"),
        (&["--release", "all"], 2, "name it, `logretry held retry.log.ledger`"),
        (&["--release", "retry.log.ledger"], 2, "name ids that `logretry held LEDGER` lists"),
        (&[], 2, "name it, `logretry held retry.log.ledger`"),
    ] {
        let held = desk.program("logretry", &["held"]).args(words).run();
        let said = [held.stdout, held.stderr].concat();
        assert!(held.code == code && said.contains(told), "{words:?}: {said}");
    }
    let flags = ["--base-url", "http://127.0.0.1:9", "--resolve-from", "access.log"];
    for (program, command) in [("logretry", &["run", "access.log"][..]), ("lr-refire", &[])] {
        let ended = desk.run(program, &[command, &flags].concat());
        let told = "name it with --ledger";
        assert!(ended.code == 2 && ended.stderr.contains(told), "{program}: {}", ended.stderr);
    }
}

#[test]
fn a_request_that_is_sent_again_after_a_kill_has_the_key_it_had_before() {
    let backend = Backend::down();
    let desk = Desk::with("access.log", failed(["DELETE /slow/1".to_owned(), "DELETE /slow/2".to_owned()]));
    let flags = ["--methods", "DELETE", "--yes", "--idempotency-key"];
    let running = start(&desk, &backend.url(), &[&flags[..], &["--pace", "fixed"]].concat());
    until("both requests", || (backend.seen().len() == 2).then_some(()));
    running.signal("KILL");
    running.end();
    backend.recover();
    let released = desk.run("logretry", &["held", "retry.log.ledger", "--release", "all"]);
    assert_eq!(released.code, 0, "{}", released.stderr);
    let second = run(&desk, &backend.url(), &flags);
    assert_eq!(second.code, 0, "{}", second.stderr);
    let key = |head: &String| {
        let target = head.split(' ').nth(1).expect("a target").to_owned();
        let key = head.lines().find(|line| line.to_ascii_lowercase().starts_with("idempotency-key: "));
        (target, key.expect("a key").to_owned())
    };
    let mut keys: Vec<_> = backend.heads().iter().map(key).collect();
    keys.sort();
    assert_eq!(keys.len(), 4);
    assert_eq!((&keys[0], &keys[2]), (&keys[1], &keys[3]));
    assert_ne!(keys[0].1, keys[2].1);
}

#[test]
fn a_held_request_that_a_person_has_looked_up_is_settled_and_not_sent() {
    let backend = Backend::down();
    let desk = Desk::with("access.log", failed(["DELETE /slow/1".to_owned()]));
    let flags = ["--methods", "DELETE", "--yes"];
    let running = start(&desk, &backend.url(), &flags);
    until("the request", || (backend.seen().len() == 1).then_some(()));
    running.signal("KILL");
    running.end();
    let settled = desk.run("logretry", &["held", "retry.log.ledger", "--settle", "all", "--status", "204"]);
    assert_eq!(settled.code, 0, "{}", settled.stderr);
    let second = run(&desk, &backend.url(), &flags);
    assert_eq!((second.code, backend.seen().len()), (0, 1), "{}", second.stderr);
    let log = without_times(&desk.read("retry.log"));
    assert!(log.contains("\"DELETE /slow/1?retry=True HTTP/1.1\" 204 "), "{log}");
}

/// What was released by mistake was sent twice: "it is not held", and nothing could be done about it.
#[test]
fn what_has_been_decided_can_be_decided_anew_until_the_next_run() {
    let backend = Backend::down();
    let desk = cut_off(&backend.url(), &backend, || ());
    let held = |more: &[&str]| desk.run("logretry", &[&["held", "retry.log.ledger"], more].concat());
    let listed = held(&[]);
    let id = listed.stdout.split(' ').next().unwrap_or_default();
    for decision in [&["--release", "all"][..], &["--settle", id, "--status", "204"]] {
        let decided = held(decision);
        assert_eq!(decided.code, 0, "{}", decided.stderr);
    }
    let flags = ["--methods", "DELETE", "--yes"];
    let second = run(&desk, &backend.url(), &flags);
    assert_eq!((second.code, backend.seen().len()), (0, 1), "{}", second.stderr);
    let late = held(&["--release", id]);
    assert!(
        late.code == 2 && late.stderr.contains("it is not held in `retry.log.ledger`"),
        "{}",
        late.stderr
    );
}

/// A request that a run was waiting for looked like one that had been cut off.
#[test]
fn while_a_run_is_under_way_it_is_said_that_its_requests_are_listed_too() {
    let backend = Backend::down();
    let desk = Desk::with("access.log", failed(["DELETE /slow".to_owned()]));
    let running = start(&desk, &backend.url(), &["--methods", "DELETE", "--yes"]);
    until("the request", || (backend.seen().len() == 1).then_some(()));
    let held = |more: &[&str]| desk.run("logretry", &[&["held", "retry.log.ledger"], more].concat());
    let listed = held(&[]);
    assert!(listed.stderr.contains("a run is under way (process "), "{}", listed.stderr);
    let refused = held(&["--release", "all"]);
    assert_eq!(refused.code, 1, "{}", refused.stdout);
    assert!(
        refused.stderr.contains("is using it; run the same command again when that has ended"),
        "{}",
        refused.stderr
    );
    running.signal("KILL");
    running.end();
    assert_eq!(held(&[]).stderr, "");
}

/// A run that was cut off in its one request, which the server never answered: `DELETE /slow`.
fn cut_off(url: &str, backend: &Backend, before_the_end: impl FnOnce()) -> Desk {
    let desk = Desk::with("access.log", failed(["DELETE /slow".to_owned()]));
    let running = start(&desk, url, &["--methods", "DELETE", "--yes"]);
    until("the request", || (backend.seen().len() == 1).then_some(()));
    running.signal("STOP");
    before_the_end();
    running.signal("KILL");
    running.end();
    desk
}

#[test]
fn the_servers_own_log_says_how_a_request_ended_that_was_cut_off() {
    let backend = Backend::down();
    let server = nginx(&backend);
    // nginx gives up on the back end, and writes that down, while the program stands still.
    let desk = cut_off(&server.url(), &backend, || drop(server.logged(1)));
    backend.recover();
    let log = server.log();
    let flags = ["--methods", "DELETE", "--yes", "--resolve-from", log.to_str().expect("UTF-8")];
    let second = run(&desk, &server.url(), &flags);
    assert_eq!((second.code, backend.seen().len()), (3, 1), "{}", second.stderr);
    assert!(second.stderr.contains("1 done before = 1 failing"), "{}", second.stderr);
    assert!(!second.stderr.contains("held"), "it is known how it ended: {}", second.stderr);
    let log = without_times(&desk.read("retry.log"));
    assert!(log.contains("\"DELETE /slow?retry=True HTTP/1.1\" 504 "), "{log}");
}

#[test]
fn what_the_server_has_logged_as_cut_off_did_arrive_and_stays_held() {
    let backend = Backend::down();
    let server = nginx(&backend);
    let desk = cut_off(&server.url(), &backend, || ());
    let lines = server.logged(1);
    assert!(lines[0].contains(" 499 "), "{lines:?}");
    backend.recover();
    let log = server.log();
    let flags = [
        "--methods",
        "DELETE",
        "--yes",
        "--resolve-complete",
        "--resolve-from",
        log.to_str().expect("UTF-8"),
    ];
    let second = run(&desk, &server.url(), &flags);
    assert_eq!((second.code, backend.seen().len()), (3, 1), "{}", second.stderr);
    let held = desk.run("logretry", &["held", "retry.log.ledger"]).stdout;
    assert!(held.contains("DELETE") && held.contains("arrived"), "{held}");

    // A log that does not tell of it takes nothing back.
    desk.put("silent.log", around());
    let silent = ["--resolve-complete", "--resolve-from", "silent.log", "--timeout", "1ms"];
    let silent = run(&desk, &server.url(), &[&["--methods", "DELETE", "--yes"][..], &silent].concat());
    assert_eq!((silent.code, backend.seen().len()), (3, 1), "{}", silent.stderr);
    assert!(silent.stderr.contains("1 held"), "{}", silent.stderr);

    // The server behind it may know the end.
    desk.put("behind.log", lines[0].replace(" 499 ", " 204 "));
    let third = run(&desk, &server.url(), &["--methods", "DELETE", "--yes", "--resolve-from", "behind.log"]);
    assert_eq!((third.code, backend.seen().len()), (0, 1), "{}", third.stderr);
    assert!(desk.read("retry.log").contains("\"DELETE /slow?retry=True HTTP/1.1\" 204 "), "{}", third.stderr);
}

/// The plan counted it once for each of its lines.
#[test]
fn what_was_cut_off_is_one_request_whatever_number_of_logs_have_its_line() {
    let backend = Backend::down();
    let desk = cut_off(&backend.url(), &backend, || ());
    desk.put("copy.log", desk.read("access.log"));
    let flags = ["copy.log", "--methods", "DELETE", "--yes"];
    let url = backend.url();
    let agree = |planned: &str| {
        let plan = ["plan", "access.log", "--base-url", &url, "-o", "retry.log"];
        let plan = desk.program("logretry", &plan).args(flags).run();
        let says = format!("2 selected = {planned}0 would be sent + 1 would not");
        assert!(plan.stdout.contains(&says), "{}", plan.stdout);
        assert!(plan.stdout.contains("not sent           1  repeated: "), "{}", plan.stdout);
        let run = run(&desk, &url, &flags);
        let says = "2 selected = 1 done before + 0 sent + 1 not sent (1 repeated)";
        assert!(run.stderr.contains(says), "{}", run.stderr);
    };
    agree("0 already done before (ledger retry.log.ledger) + 1 held (`logretry held retry.log.ledger`) + ");
    let settled = desk.run("logretry", &["held", "retry.log.ledger", "--settle", "all", "--status", "204"]);
    assert_eq!(settled.code, 0, "{}", settled.stderr);
    agree("1 already done before (ledger retry.log.ledger) + ");
}

#[test]
fn what_a_whole_log_does_not_tell_of_never_arrived_and_is_sent() {
    let backend = Backend::down();
    let desk = cut_off(&backend.url(), &backend, || ());
    backend.recover();
    desk.put("server.log", around());
    let flags = ["--methods", "DELETE", "--yes", "--resolve-from", "server.log"];
    let unsure = run(&desk, &backend.url(), &flags);
    assert_eq!((unsure.code, backend.seen().len()), (3, 1), "{}", unsure.stderr);
    // The server may still be at it, and log it when it is done.
    let early = run(&desk, &backend.url(), &[&flags[..], &["--resolve-complete"]].concat());
    assert_eq!((early.code, backend.seen().len()), (3, 1), "{}", early.stderr);
    let says = "1 requests in doubt, of which the server's own log does not tell, began less than 30s ago";
    assert!(early.stderr.contains(says), "{}", early.stderr);
    let sure = until("what is waited for no longer", || {
        let flags = [&flags[..], &["--resolve-complete", "--timeout", "1s"]].concat();
        let ended = run(&desk, &backend.url(), &flags);
        (!ended.stderr.contains("may still be at them")).then_some(ended)
    });
    assert_eq!((sure.code, backend.seen().len()), (0, 2), "{}", sure.stderr);
}

/// A copy that had been made of the log before the run vouched for what the run had sent, and all of that was sent again.
#[test]
fn a_server_s_log_that_ends_before_a_request_does_not_vouch_for_it() {
    let backend = Backend::down();
    let desk = cut_off(&backend.url(), &backend, || ());
    backend.recover();
    desk.put("server.log", line("GET /earlier", 200).replace("2026", "2020"));
    let flags = [
        "--methods",
        "DELETE",
        "--yes",
        "--resolve-complete",
        "--resolve-from",
        "server.log",
        "--timeout",
        "1ms",
    ];
    let unsure = run(&desk, &backend.url(), &flags);
    assert_eq!((unsure.code, backend.seen().len()), (3, 1), "{}", unsure.stderr);
    let says = "the server's own log has no line from after 1 requests in doubt of which it does not tell";
    assert!(unsure.stderr.contains(says), "{}", unsure.stderr);
}

/// A server's log from long before all requests of a test until long after them, which tells of none.
fn around() -> String {
    ["2020", "2099"].map(|year| line("GET /another", 200).replace("2026", year)).concat()
}

#[test]
fn a_server_s_log_that_cannot_be_read_whole_vouches_for_nothing() {
    let backend = Backend::down();
    let desk = cut_off(&backend.url(), &backend, || ());
    backend.recover();
    let earlier = line("GET /earlier", 200).replace("2026", "2020");
    desk.put("server.log", earlier + "{\"another\":\"format\"}\n");
    let flags = ["--methods", "DELETE", "--yes", "--resolve-complete", "--resolve-from", "server.log"];
    let unsure = run(&desk, &backend.url(), &[&flags[..], &["--format", "combined"]].concat());
    assert_eq!((unsure.code, backend.seen().len()), (3, 1), "{}", unsure.stderr);
    let says = "1 lines of the server's own log cannot be read, and may tell of requests in doubt";
    assert!(unsure.stderr.contains(says), "{}", unsure.stderr);
}

#[test]
fn a_server_s_log_that_names_no_user_agents_vouches_for_nothing() {
    let backend = Backend::down();
    let desk = cut_off(&backend.url(), &backend, || ());
    backend.recover();
    desk.put(
        "server.log",
        "203.0.113.9 - - [22/Nov/2020:06:22:52 +0000] \"GET /earlier HTTP/1.1\" 200 157\n",
    );
    let flags = ["--methods", "DELETE", "--yes", "--resolve-complete", "--resolve-from", "server.log"];
    let unsure = run(&desk, &backend.url(), &flags);
    assert_eq!((unsure.code, backend.seen().len()), (3, 1), "{}", unsure.stderr);
    assert!(unsure.stderr.contains("in format common, names no user agents"), "{}", unsure.stderr);
}
