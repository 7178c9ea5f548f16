//! Stages that get bad records, nowhere to send them, or no room to write: a clear message, the right exit code, nothing lost.

use insta::assert_snapshot;

use crate::lab::{Backend, Desk, Ended, Program, line, ndjson, pipe, until};

/// The exit code and the message.
fn said(ended: &Ended) -> String {
    format!("exit {}\n{}", ended.code, ended.stderr)
}

/// The records of these requests.
fn records(requests: &[&str]) -> String {
    let log: String = requests.iter().map(|request| line(request, 500)).collect();
    Desk::with("access.log", log).run("lr-read", &["access.log"]).stdout
}

#[test]
fn a_log_without_hosts_and_no_base_url() {
    let desk = Desk::with("access.log", line("GET /a", 500));
    let run = desk.run("logretry", &["run", "access.log", "-o", "retry.log"]);
    assert_snapshot!(said(&run), @r"
    exit 2
    logretry: cannot send anything: give --base-url, or name the hosts of the log with --allow-host
    ");
    assert_eq!(desk.read("retry.log"), "");
}

#[test]
fn a_log_without_hosts_and_only_an_allowed_host() {
    let refired = Desk::new()
        .program("lr-refire", &["--allow-host", "shop.example"])
        .reading(records(&["GET /a"]))
        .run();
    assert_snapshot!(said(&refired), @r"
    exit 3
    lr-refire: 1 lines = 1 records + 0 rejected + 0 screened
    lr-refire: 1 selected = 0 sent + 1 not sent (1 no_host)
    lr-refire: 1 not sent: the log line names no host; give --base-url
    ");
    assert_eq!(ndjson(&refired.stdout)[0]["retry"]["reason"], "no_host");
}

#[test]
fn a_broken_line_among_records_is_rejected_and_the_others_are_kept() {
    let (first, last) = (records(&["GET /a"]), records(&["GET /b"]));
    let input = format!("{first}{{\"v\":1,\"id\":\"5b\n\n{last}");
    let desk = Desk::new();
    let filtered = desk.program("lr-filter", &["--rejects", "rejects.ndjson"]).reading(input).run();
    assert_snapshot!(said(&filtered), @r#"
    exit 0
    lr-filter: -:2: cannot use the line: not a record: EOF while parsing a string at line 1 column 15: {"v":1,"id":"5b
    lr-filter: 4 lines = 2 records + 1 rejected + 1 screened
    lr-filter: 2 records = 2 selected + 0 dropped
    "#);
    assert_eq!(filtered.stdout, first + &last);
    assert_snapshot!(desk.read("rejects.ndjson"), @r#"{"v":1,"source":"-","line":2,"offset":366,"reason":"not a record: EOF while parsing a string at line 1 column 15","text":"{\"v\":1,\"id\":\"5b"}"#);
}

#[test]
fn a_broken_line_is_an_error_at_the_end_when_strict() {
    let input = format!("{}rubbish\n", records(&["GET /a"]));
    let filtered = Desk::new().program("lr-filter", &["--strict"]).reading(input.as_str()).run();
    assert_eq!(filtered.code, 5, "{}", filtered.stderr);
    assert_eq!(filtered.stdout, records(&["GET /a"]));
}

/// An access log, or what `jq` makes of records without `-c`.
#[test]
fn an_input_without_a_record_is_no_work_that_is_done() {
    let pretty = records(&["GET /a"]).replace(",\"", ",\n\"");
    for input in [line("GET /a", 500), pretty] {
        for (program, arguments) in
            [("lr-filter", &[][..]), ("lr-refire", &["--base-url", "http://127.0.0.1:9"]), ("lr-write", &[])]
        {
            let ended = Desk::new().program(program, arguments).reading(input.as_str()).run();
            assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{program}: {}", ended.stderr);
            let said = format!("{program}: cannot read records from `-`: none of its lines is one; ");
            assert!(ended.stderr.contains(&said), "{}", ended.stderr);
        }
    }
}

#[test]
fn an_input_that_is_compressed_is_told_to_be_unpacked_first() {
    let desk = Desk::with("records.ndjson", records(&["GET /a", "GET /b"]));
    let ended = desk.shell("gzip -c records.ndjson | lr-filter", "").run();
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    assert!(ended.stderr.ends_with("unpack it first, if it is compressed\n"), "{}", ended.stderr);
}

#[test]
fn who_names_a_file_of_records_is_told_how_to_give_it() {
    let desk = Desk::with("records.ndjson", records(&["GET /a"]));
    for program in ["lr-filter", "lr-refire", "lr-write"] {
        let ended = desk.run(program, &["records.ndjson"]);
        let tip = format!("tip: records are read from standard input: `{program} … < records.ndjson`\n");
        assert!(ended.code == 2 && ended.stderr.contains(&tip), "{}", ended.stderr);
        let other = desk.run(program, &["no-such-file"]);
        assert!(other.code == 2 && !other.stderr.contains("tip"), "{}", other.stderr);
    }
}

#[test]
fn a_record_of_another_version_ends_every_stage() {
    let first = records(&["GET /a"]);
    let later = first.replace("{\"v\":1", "{\"v\":2");
    let filtered = Desk::new().program("lr-filter", &[]).reading(format!("{first}{later}")).run();
    assert_snapshot!(said(&filtered), @r"
    exit 1
    lr-filter: 1 lines = 1 records + 0 rejected + 0 screened
    lr-filter: 1 records = 1 selected + 0 dropped
    lr-filter: cannot use line 2 of `-`: the record has version 2, and this program reads version 1; use the same release for all stages
    ");
    assert_eq!(filtered.stdout, first);

    let backend = Backend::up();
    let desk = Desk::new();
    let refired = desk.program("lr-refire", &["--base-url", &backend.url()]).reading(later.as_str()).run();
    let written = desk.program("lr-write", &["-o", "retry.log"]).reading(later.as_str()).run();
    assert_eq!((refired.code, written.code), (1, 1), "{}{}", refired.stderr, written.stderr);
    assert!(backend.seen().is_empty());
}

#[test]
fn a_retry_log_on_a_full_disk_stops_the_run_before_more_is_sent() {
    let backend = Backend::up();
    let log: String = (0..2000).map(|n| line(&format!("GET /{n}"), 500)).collect();
    let desk = Desk::with("access.log", log);
    let run = desk.run("logretry", &["run", "access.log", "--base-url", &backend.url(), "-o", "/dev/full"]);
    let first = run.stderr.lines().find(|line| line.contains("cannot")).unwrap_or_default();
    assert_snapshot!(format!("exit {}\n{first}", run.code), @r"
    exit 1
    logretry: cannot write the retry log `/dev/full`: No space left on device (os error 28)
    ");
    assert!(backend.seen().len() < 2000, "it went on");
}

#[test]
fn as_long_as_the_disk_is_full_the_same_command_again_sends_nothing() {
    let backend = Backend::up();
    let log: String = (0..2000).map(|n| line(&format!("GET /{n}"), 500)).collect();
    let desk = Desk::with("access.log", log);
    let url = backend.url();
    let run = ["run", "access.log", "--base-url", &url, "--ledger", "ledger", "-o", "/dev/full"];
    assert_eq!(desk.run("logretry", &run).code, 1);
    let sent = backend.seen().len();
    let again = desk.run("logretry", &run);
    assert_eq!(backend.seen().len(), sent, "it went on: {}", again.stderr);
    assert_snapshot!(said(&again), @r"
    exit 1
    logretry: cannot write the retry log `/dev/full`: No space left on device (os error 28); nothing more is sent; once that is mended, run the same command again: it goes on where this run stopped
    ");
}

/// The shell's limit is told by a signal first, which would end the process with requests under way.
#[test]
fn a_limit_of_the_size_of_files_is_as_a_full_disk() {
    let backend = Backend::up();
    let log: String = (0..2000).map(|n| line(&format!("GET /{n}"), 500)).collect();
    let desk = Desk::with("access.log", log);
    let script = "ulimit -f 16; logretry run access.log --base-url $BASE_URL -o retry.log --no-ledger";
    let run = desk.shell(script, &backend.url()).run();
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains("cannot write the retry log `retry.log`: File too large"), "{}", run.stderr);
    assert!(backend.seen().len() < 2000, "it went on");
}

/// A connection that this machine refuses is no outcome of the request.
#[test]
fn a_limit_of_open_files_that_may_be_raised_is_none() {
    let backend = Backend::down();
    let log: String = (0..40).map(|n| line(&format!("GET /later/{n}"), 500)).collect();
    let desk = Desk::with("access.log", log);
    let script = "ulimit -S -n 24; logretry run access.log --base-url $BASE_URL -o retry.log --pace fixed --concurrency 40";
    let run = desk.shell(script, &backend.url()).start();
    until("all requests", || (backend.seen().len() == 40).then_some(()));
    backend.recover();
    let run = run.end();
    assert_eq!(run.code, 0, "{}", run.stderr);
}

/// What the server has answered, and the ledger could not take, is held by the next run: somebody must be able to tell it.
#[test]
fn an_answer_that_the_ledger_cannot_take_is_said_with_what_to_do() {
    let backend = Backend::down();
    let log: String = (0..8).map(|n| line(&format!("DELETE /later/{n}"), 500)).collect();
    let desk = Desk::with("access.log", log);
    let url = backend.url();
    let arguments = [
        "run",
        "access.log",
        "--base-url",
        &url,
        "--methods",
        "DELETE",
        "--yes",
        "--pace",
        "fixed",
        "--concurrency",
        "8",
    ];
    let run = desk.program("logretry", &arguments).args(["-o", "retry.log"]).start();
    until("eight requests", || (backend.seen().len() == 8).then_some(()));
    // The ledger is longer than this by now, and the retry log will not be.
    run.limit_files_to(4096);
    backend.recover();
    let run = run.end();
    assert_eq!(run.code, 1, "{}", run.stderr);
    let said: Vec<_> = run.stderr.lines().filter(|line| line.contains("could not be written down")).collect();
    assert_eq!(said.len(), 8, "{}", run.stderr);
    let again = desk.run("logretry", &["held", "retry.log.ledger"]);
    assert_eq!(again.stdout.matches("DELETE").count(), 8, "{}{}", run.stderr, again.stdout);
    for line in said {
        let id = line.split("--settle ").nth(1).and_then(|rest| rest.split(' ').next()).expect("an id");
        assert!(again.stdout.contains(id), "{id}: {}", again.stdout);
    }
}

#[test]
fn what_a_full_disk_did_not_take_does_not_count_as_written() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", line("GET /a", 500));
    let run = desk.run("logretry", &["run", "access.log", "--base-url", &backend.url(), "-o", "/dev/full"]);
    assert!(run.stderr.contains("0 lines written to /dev/full"), "{}", run.stderr);
}

/// Whoever looks into the retry log after that finds as many lines as were said to be there; a line that is torn is none.
#[test]
fn what_a_disk_took_before_it_was_full_counts_as_written() {
    let backend = Backend::up();
    let log: String = (0..100).map(|n| line(&format!("GET /{n}"), 500)).collect();
    let desk = Desk::with("access.log", log);
    desk.shell("lr-read access.log | lr-refire --base-url $BASE_URL > refired.ndjson", &backend.url()).run();
    for (place, to) in [("retry.log", "-o retry.log"), ("standard output", "> retry.log")] {
        let script = format!("rm -f retry.log; ulimit -f 5; lr-write {to} < refired.ndjson");
        let run = desk.shell(&script, "").run();
        assert_eq!(run.code, 1, "{}", run.stderr);
        let whole = desk.read("retry.log").matches('\n').count();
        let told = format!(" {whole} lines written to {place}");
        assert!(whole > 0 && run.stderr.contains(&told), "{whole}: {}", run.stderr);
    }
}

#[test]
fn records_on_a_full_disk() {
    let desk = Desk::with("access.log", line("GET /a", 500));
    let read = desk.program("lr-read", &["access.log"]).writing_to("/dev/full".as_ref()).run();
    assert_snapshot!(said(&read), @r"
    exit 1
    lr-read: access.log: format combined, which 1 of 1 lines fit
    lr-read: 1 lines = 1 records + 0 rejected + 0 screened
    lr-read: cannot write to standard output: No space left on device (os error 28)
    ");
}

#[test]
fn rejects_on_a_full_disk() {
    let desk = Desk::with("access.log", line("GET /a", 500) + "rubbish\n");
    let read = desk.run("lr-read", &["access.log", "--format", "combined", "--rejects", "/dev/full"]);
    assert_eq!(read.code, 1, "{}", read.stderr);
    assert!(
        read.stderr.contains("cannot write the file for rejects `/dev/full`: No space left"),
        "{}",
        read.stderr
    );
}

#[test]
fn a_retry_log_that_cannot_be_created_is_found_out_before_anything_is_sent() {
    let backend = Backend::up();
    let desk = Desk::with("access.log", line("GET /a", 500));
    let run = desk.run(
        "logretry",
        &["run", "access.log", "--base-url", &backend.url(), "-o", "no/such/folder/retry.log"],
    );
    assert_snapshot!(said(&run), @r"
    exit 1
    logretry: cannot open the retry log `no/such/folder/retry.log`: No such file or directory (os error 2)
    ");
    assert!(backend.seen().is_empty());
}

#[test]
fn a_closed_pipe_ends_the_reader_quietly() {
    let log: String = (0..5000).map(|n| line(&format!("GET /{n}"), 500)).collect();
    let desk = Desk::with("access.log", log);
    let ended = pipe([desk.program("lr-read", &["access.log"]), desk.program("head", &["-n", "1"])]);
    assert_eq!(ended.codes, [0, 0], "{}", ended.stderr);
    assert_eq!(ndjson(&ended.stdout).len(), 1);
}

#[test]
fn a_closed_pipe_stops_the_refirer_before_its_next_request() {
    let log: String = (0..5000).map(|n| line(&format!("GET /{n}"), 500)).collect();
    let desk = Desk::with("access.log", log);
    let backend = Backend::up();
    let url = backend.url();
    let ended = pipe([
        desk.program("lr-read", &["access.log"]),
        desk.program("lr-refire", &["--base-url", &url]),
        desk.program("head", &["-n", "1"]),
    ]);
    assert!(backend.seen().len() < 5000, "it went on");
    assert_eq!(ended.codes[0], 0, "{}", ended.stderr);
    // Requests are left, so the refirer does not say that all is done.
    assert_eq!(ended.codes[1], 4, "{}", ended.stderr);
}

/// Whoever stands in the pipe learnt it by writing: so it waited for the next line of the log, and of a pipe with records the first requests had been sent.
#[test]
fn a_pipe_that_nobody_reads_ends_although_nothing_is_written() {
    let desk = Desk::with("access.log", "");
    let ended = pipe([
        desk.program("lr-read", &["--follow", "access.log"]),
        desk.program("lr-filter", &[]),
        desk.program("lr-refire", &["--base-url", "http://127.0.0.1:1"]),
        desk.program("true", &[]),
    ]);
    // Nobody knows what would have been sent.
    assert_eq!(ended.codes, [0, 0, 4, 0], "{}", ended.stderr);

    let run = &["run", "--follow", "access.log", "--base-url", "http://127.0.0.1:1"];
    let ended = pipe([desk.program("logretry", run), desk.program("true", &[])]);
    assert_eq!(ended.codes, [4, 0], "{}", ended.stderr);
}

#[test]
fn a_server_that_is_not_there_is_an_answer_that_did_not_come() {
    let desk = Desk::new();
    let refired =
        desk.program("lr-refire", &["--base-url", "http://127.0.0.1:1"]).reading(records(&["GET /a"])).run();
    assert_eq!(refired.code, 3, "{}", refired.stderr);
    let retry = &ndjson(&refired.stdout)[0]["retry"];
    assert_eq!(
        (&retry["outcome"], &retry["error"], retry.get("status")),
        (&"unanswered".into(), &"connect".into(), None)
    );
    let written = desk.program("lr-write", &[]).reading(refired.stdout).run();
    assert!(written.stdout.contains("\"GET /a?retry=True HTTP/1.1\" 000 0 "), "{}", written.stdout);
}

/// A hard limit cannot be raised, and is no fault of the server: requests that had no connection for it ended as unanswered, and it was left alone.
#[test]
fn no_more_requests_are_under_way_than_files_may_be_open() {
    let backend = Backend::up();
    let log: String = (0..40).map(|n| line(&format!("GET /later/{n}"), 500)).collect();
    let desk = Desk::with("access.log", log);
    let script = "ulimit -n 48; logretry run access.log --base-url $BASE_URL -o retry.log --pace fixed --concurrency 40 --trips 1";
    let run = desk.shell(script, &backend.url()).run();
    let advice = "no more than 4 requests are under way at once, and not 40: 48 open files are all that this machine allows; raise that";
    assert!(run.stderr.contains(advice), "{}", run.stderr);
    assert_eq!((run.code, backend.seen().len()), (0, 40), "{}", run.stderr);
}

/// The answer of `lr-read access.log` where the system has no thread left for the one that each of its threads starts as its `nth`.
fn without_thread(nth: u32) -> Ended {
    let log = line(&format!("GET /{}", "a".repeat(1000)), 500);
    let desk = Desk::with("access.log", log.repeat(6000));
    let inject = format!("inject=clone3,clone:error=EAGAIN:when={nth}");
    let strace = ["-f", "-qq", "-o", "strace.txt", "-e", "trace=clone3,clone", "-e", &inject];
    desk.program("strace", &strace).args([Program::path("lr-read"), "access.log"]).run()
}

/// Threads that read blocks of a log waited for ever for the blocks of the one that there was not.
#[test]
fn a_log_is_read_with_fewer_threads_where_the_system_has_no_more() {
    for nth in [2, 4] {
        let read = without_thread(nth);
        assert_eq!((read.code, read.stdout.lines().count()), (0, 6000), "{}", read.stderr);
    }
}

#[test]
fn that_the_system_has_no_thread_left_is_said_with_what_to_do() {
    assert_snapshot!(said(&without_thread(3)), @r"
    exit 1
    lr-read: cannot start a thread: Resource temporarily unavailable (os error 11); the limit is that of `ulimit -u`, or of the container or service (`pids.max`, `TasksMax`)
    ");
}
