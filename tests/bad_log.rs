//! Logs that cannot be read, or not all of them: a clear message, the right exit code, and what is good is kept.

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::{Command, Stdio};

use insta::assert_snapshot;

use crate::lab::{Desk, Ended, Program, count_by, line, ndjson, until};

/// The exit code and the message.
fn said(ended: &Ended) -> String {
    format!("exit {}\n{}", ended.code, ended.stderr)
}

#[test]
fn a_missing_file() {
    let read = Desk::new().run("lr-read", &["access.log"]);
    assert_snapshot!(said(&read), @r"
    exit 1
    lr-read: cannot open `access.log`: No such file or directory (os error 2)
    ");
    assert_eq!(read.stdout, "");
}

#[test]
fn a_missing_file_among_good_ones_is_found_out_before_anything_is_done() {
    let desk = Desk::with("good.log", line("GET /a", 500));
    let read = desk.run("lr-read", &["good.log", "access.log"]);
    assert_snapshot!(said(&read), @r"
    exit 1
    lr-read: cannot open `access.log`: No such file or directory (os error 2)
    ");
}

#[test]
fn a_directory_without_logs() {
    let desk = Desk::new();
    fs::create_dir(desk.path("logs")).expect("the desk can be written");
    fs::write(desk.path("logs/notes.odt"), "PK\x03\x04").expect("the desk can be written");
    assert_snapshot!(said(&desk.run("lr-read", &["logs"])), @r"
    exit 1
    lr-read: cannot find an access log in the directory `logs`; name the files themselves
    ");
}

/// A torn write, or a file without its last line end before another: what stands behind the known fields is passed over, and the request in it was, too.
#[test]
fn two_lines_in_one_are_told_where_lines_may_have_more_behind() {
    let more = |request, status| line(request, status).replace('\n', " 0.003\n");
    let joined = more("GET /fine", 200).trim_end().to_owned() + &more("GET /lost", 502);
    let desk = Desk::with("access.log", [more("GET /a", 502), more("GET /b", 200), joined].concat());
    for arguments in [&["access.log"][..], &["access.log", "--status", "5xx"], &["access.log", "--strict"]] {
        let read = desk.run("lr-read", arguments);
        assert!(read.stderr.contains("1 rejected"), "{}", read.stderr);
        assert!(
            read.stderr.contains("access.log:3: cannot use the line: not `combined_more`"),
            "{}",
            read.stderr
        );
    }
}

/// The first line of each file in it would stand behind its header, and be lost.
#[test]
fn an_archive_of_logs_is_named_with_what_unpacks_it() {
    let desk = Desk::with("access.log", line("GET /a", 500) + &line("GET /b", 500));
    assert_eq!(desk.shell("tar -cf logs.tar access.log; tar -czf logs.tgz access.log", "").run().code, 0);
    for (program, arguments) in [
        ("lr-read", &["logs.tgz"][..]),
        ("lr-read", &["--format", "combined", "logs.tar"]),
        ("logretry", &["explain", "logs.tgz"]),
    ] {
        let ended = desk.run(program, arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{}", ended.stderr);
        assert!(ended.stderr.contains("an archive of files; unpack it first (`tar -x`)"), "{}", ended.stderr);
    }
}

/// Its bytes were shown as a line, with the question for the `log_format` of the server.
#[test]
fn a_log_that_is_compressed_otherwise_is_named_with_what_unpacks_it() {
    let desk = Desk::with("access.log.lz4", b"\x04\x22\x4d\x18\x64\x40\xa7\x0b\0\0\x80GET /a\n".as_slice());
    for (program, arguments) in [
        ("lr-read", &["access.log.lz4"][..]),
        ("lr-read", &["--format", "combined", "access.log.lz4"]),
        ("logretry", &["explain", "access.log.lz4"]),
    ] {
        let ended = desk.run(program, arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{}", ended.stderr);
        let advice = "it is compressed in a way that is not read; unpack it first (`lz4 -d`)";
        assert!(ended.stderr.contains(advice), "{}", ended.stderr);
    }
}

#[test]
fn a_pattern_that_fits_no_file() {
    assert_snapshot!(said(&Desk::new().run("lr-read", &["access.log*"])), @r"
    exit 1
    lr-read: cannot find a file that fits `access.log*`
    ");
}

/// `lr-read`, by whom permissions bind: root only without the capabilities to override them.
fn bound(desk: &Desk, arguments: &[&str]) -> Program {
    let read = Program::path("lr-read");
    let is_root = fs::metadata("/proc/self").expect("this is Linux").uid() == 0;
    let without = ["--bounding-set", "-dac_override,-dac_read_search", read];
    if is_root { desk.program("setpriv", &without).args(arguments) } else { desk.program(read, arguments) }
}

#[test]
fn a_file_that_may_not_be_read() {
    let desk = Desk::with("access.log", line("GET /a", 500));
    fs::set_permissions(desk.path("access.log"), Permissions::from_mode(0o000)).expect("it is ours");
    assert_snapshot!(said(&bound(&desk, &["access.log"]).run()), @r"
    exit 1
    lr-read: cannot open `access.log`: Permission denied (os error 13)
    ");
}

/// Its logs were passed over without a word, and with `**` no log at all was followed.
#[test]
fn a_folder_that_may_not_be_entered_is_told_of() {
    let desk = Desk::with("hosts/a/access.log", line("GET /a", 500));
    desk.put("hosts/b/access.log", line("GET /b", 500));
    fs::set_permissions(desk.path("hosts/b"), Permissions::from_mode(0o000)).expect("it is ours");
    let (each, all) = ("hosts/*/access.log", "hosts/**/access.log");
    let mut told: Vec<_> = [each, all].map(|logs| said(&bound(&desk, &[logs]).run())).into();
    for logs in [each, all] {
        let records = desk.path("records.ndjson");
        let reader = bound(&desk, &["--follow", "--from-start", logs]).writing_to(&records).start();
        until("the other log to be read", || desk.read("records.ndjson").ends_with('\n').then_some(()));
        reader.signal("TERM");
        let ended = reader.end();
        let trouble = ended.stderr.lines().filter(|line| line.contains("Permission denied"));
        told.push(trouble.collect::<Vec<_>>().join("\n"));
        fs::remove_file(records).expect("it is ours");
    }
    fs::set_permissions(desk.path("hosts/b"), Permissions::from_mode(0o700)).expect("it is ours");
    assert_snapshot!(told.join("\n"), @r"
    exit 1
    lr-read: cannot open `hosts/b/access.log`: Permission denied (os error 13)

    exit 1
    lr-read: cannot open `hosts/b`: Permission denied (os error 13)

    lr-read: cannot open `hosts/b/access.log`: Permission denied (os error 13); trying again
    lr-read: cannot open `hosts/b/access.log`: Permission denied (os error 13); trying again
    lr-read: cannot open `hosts/b`: Permission denied (os error 13); trying again
    ");
}

/// It was passed over without a word for as long as the run went on.
#[test]
fn a_log_that_comes_into_a_followed_folder_and_may_not_be_read_is_told_of() {
    let desk = Desk::with("logs/a-access.log", line("GET /a", 500));
    desk.put("b", line("GET /b", 500));
    desk.put("c", line("GET /c", 500));
    fs::set_permissions(desk.path("b"), Permissions::from_mode(0o000)).expect("it is ours");
    let records = desk.path("records.ndjson");
    let reader = bound(&desk, &["--follow", "--from-start", "logs"]).writing_to(&records).start();
    let read = |number| {
        until("the records", || (desk.read("records.ndjson").lines().count() == number).then_some(()));
    };
    read(1);
    for name in ["b", "c"] {
        fs::rename(desk.path(name), desk.path(&format!("logs/{name}-access.log"))).expect("it is ours");
    }
    read(2);
    reader.signal("TERM");
    let ended = reader.end();
    let told = "cannot open `logs/b-access.log`: Permission denied (os error 13); trying again";
    assert_eq!(ended.stderr.matches(told).count(), 1, "{}", ended.stderr);
}

#[test]
fn an_empty_file() {
    let read = Desk::with("access.log", "").run("lr-read", &["access.log"]);
    assert_snapshot!(said(&read), @r"
    exit 0
    lr-read: 0 lines = 0 records + 0 rejected + 0 screened
    ");
    assert_eq!(read.stdout, "");
}

#[test]
fn a_binary_file() {
    let bytes: Vec<u8> = (0..=255).cycle().take(20 * 256).collect();
    let desk = Desk::with("access.log", [b"\x7fELF".as_slice(), &bytes].concat());
    let read = desk.run("lr-read", &["access.log"]);
    assert_snapshot!(said(&read), @"
    exit 1
    lr-read: cannot tell the format of `access.log`: no known format fits any of its first 21 lines; give it with --format (paste the `log_format` or `LogFormat` of the server), or see what `logretry explain access.log` says
    ");
    assert_eq!(read.stdout, "");
}

/// Good lines with rubbish between them, some of it meant for the terminal.
fn mixed() -> String {
    [
        &line("GET /a", 500),
        "hello, token=s3cret\n",
        &line("GET /b?token=s3cret", 502),
        "\x1b[2J\x1b]0;owned\x07\n",
        &line("GET /c", 200),
        "203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] \"GET /cut HT\n",
        "one more, GET /e?token=s3cret\n",
        &line("GET /d", 503),
    ]
    .concat()
}

#[test]
fn garbage_among_good_lines_is_counted_and_the_first_of_it_shown() {
    let desk = Desk::with("access.log", mixed());
    let read = desk.run("lr-read", &["access.log", "--format", "combined"]);
    assert_snapshot!(said(&read), @r#"
    exit 0
    lr-read: access.log:2: cannot use the line: not `combined`: it is not in the format: at byte 7 there should be `%l`: hello, token=…
    lr-read: access.log:4: cannot use the line: not `combined`: it is not in the format: at byte 0 there should be `%h` and what follows it: \u{1b}[2J\u{1b}]0;owned\u{7}
    lr-read: access.log:6: cannot use the line: not `combined`: it is not in the format: at byte 46 there should be `%r` and what follows it: 203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] "GET /cut HT
    lr-read: further lines that cannot be used are only counted; `--rejects FILE` keeps them all
    lr-read: 8 lines = 4 records + 4 rejected + 0 screened
    "#);
    assert_eq!(ndjson(&read.stdout).len(), 4);
}

#[test]
fn garbage_is_kept_in_the_file_for_rejects_and_counts_as_an_error_when_strict() {
    let desk = Desk::with("access.log", mixed());
    let arguments = ["access.log", "--format", "combined", "--rejects", "rejects.ndjson", "--strict"];
    let read = desk.run("lr-read", &arguments);
    assert_eq!((read.code, ndjson(&read.stdout).len()), (5, 4), "{}", read.stderr);
    assert_snapshot!(desk.read("rejects.ndjson"), @r#"
    {"v":1,"source":"access.log","line":2,"offset":86,"reason":"not `combined`: it is not in the format: at byte 7 there should be `%l`","text":"hello, token=s3cret"}
    {"v":1,"source":"access.log","line":4,"offset":205,"reason":"not `combined`: it is not in the format: at byte 0 there should be `%h` and what follows it","text":"\u001b[2J\u001b]0;owned\u0007"}
    {"v":1,"source":"access.log","line":6,"offset":306,"reason":"not `combined`: it is not in the format: at byte 46 there should be `%r` and what follows it","text":"203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] \"GET /cut HT"}
    {"v":1,"source":"access.log","line":7,"offset":364,"reason":"not `combined`: it is not in the format: at byte 4 there should be `%l`","text":"one more, GET /e?token=s3cret"}
    "#);
}

/// They were said to be a log in no known format, whose `log_format` was asked for.
#[test]
fn records_are_not_a_log() {
    let desk = Desk::with("access.log", line("GET /a", 502));
    desk.put("dead.ndjson", desk.run("lr-read", &["access.log"]).stdout);
    let ended = desk.run("logretry", &["run", "dead.ndjson", "--base-url", "http://127.0.0.1:9"]);
    let told = "cannot read `dead.ndjson` as a log: its lines are records, as lr-filter, lr-refire";
    assert!(ended.code == 1 && ended.stderr.contains(told), "{}", ended.stderr);
    let piped = desk.program("lr-read", &[]).reading(desk.read("dead.ndjson")).run();
    let told =
        "cannot read `-` as a log: its lines are records, as lr-filter, lr-refire and lr-write take them\n";
    assert!(piped.code == 1 && piped.stderr.ends_with(told), "{}", piped.stderr);
}

/// It ended as if there had been nothing to do.
#[test]
fn a_log_in_another_format_than_was_given_is_an_error() {
    let desk = Desk::with("access.log", line("GET /a", 502));
    for (program, more) in [
        ("lr-read", &[][..]),
        ("logretry", &["run", "--base-url", "http://127.0.0.1:9"]),
        ("logretry", &["plan"]),
    ] {
        let ended = desk.run(program, &[more, &["access.log", "--format", "haproxy"]].concat());
        let told = "cannot use any line of `access.log`; `logretry explain access.log` finds out";
        assert!(ended.code == 1 && ended.stderr.contains(told), "{}", ended.stderr);
    }
    // What is certainly not wanted is known, and so is their format.
    desk.put("fine.log", line("GET /a", 200) + "cut off\n");
    let arguments = ["run", "fine.log", "--format", "combined", "--base-url", "http://127.0.0.1:9"];
    assert_eq!(desk.run("logretry", &arguments).code, 0);
}

#[test]
fn a_line_over_the_limit_is_rejected_and_its_neighbours_are_kept() {
    let long = line(&format!("GET /{}", "x".repeat(5000)), 500);
    let desk = Desk::with(
        "access.log",
        [&line("GET /a", 500), &long, &line("GET /b", 500)].map(String::as_str).concat(),
    );
    let read = desk.run("lr-read", &["access.log", "--format", "combined", "--line-limit", "4KiB"]);
    let targets: Vec<_> =
        ndjson(&read.stdout).iter().map(|record| record["original"]["target"].clone()).collect();
    assert_eq!((read.code, targets), (0, vec!["/a".into(), "/b".into()]), "{}", read.stderr);
    assert!(read.stderr.contains("access.log:2: cannot use the line"), "{}", read.stderr);
}

#[test]
fn a_log_in_an_unknown_format() {
    let desk = Desk::with("access.log", "one two three\nfour five six\n".repeat(20));
    let read = desk.run("lr-read", &["access.log"]);
    assert_snapshot!(said(&read), @r"
    exit 1
    lr-read: cannot tell the format of `access.log`: no known format fits any of its first 40 lines; give it with --format (paste the `log_format` or `LogFormat` of the server), or see what `logretry explain access.log` says
    ");
}

#[test]
fn a_format_that_does_not_exist() {
    let desk = Desk::with("access.log", line("GET /a", 500));
    assert_snapshot!(said(&desk.run("lr-read", &["access.log", "--format", "combind"])), @"
    exit 2
    lr-read: cannot use the format: there is no preset `combind` (did you mean `combined`?); `logretry formats` lists them all, or paste the text from the server's configuration
    ");
}

#[test]
fn a_format_without_a_status() {
    let desk = Desk::with("access.log", line("GET /a", 500));
    let format = r#"log_format main '$remote_addr [$time_local] "$request"';"#;
    assert_snapshot!(said(&desk.run("lr-read", &["access.log", "--format", format])), @r"
    exit 2
    lr-read: cannot use the format: it has no status; add `$status`
    ");
}

#[test]
fn a_format_without_a_url() {
    let desk = Desk::with("access.log", line("GET /a", 500));
    assert_snapshot!(said(&desk.run("lr-read", &["access.log", "--format", "%h %t %>s"])), @r"
    exit 2
    lr-read: cannot use the format: it has nothing to build a URL from; add `%r`, or `%m`, `%U` and `%q`
    ");
}

#[test]
fn a_compressed_file_that_is_cut_off_gives_what_is_whole_and_an_error() {
    // A small one ends while its format is being found out.
    for (lines, cut, least) in [(5000, 1000, 1000), (150, 100, 50)] {
        let log: String = (0..lines).map(|n| line(&format!("GET /{n}"), 500)).collect();
        let desk = Desk::with("plain.log", log);
        let script = format!("gzip -c plain.log > access.log.gz && truncate -s -{cut} access.log.gz");
        let packed = desk.shell(&script, "").run();
        assert_eq!(packed.code, 0, "{}", packed.stderr);
        for more in [[].as_slice(), &["--format", "combined"]] {
            let read = desk.run("lr-read", &[&["access.log.gz"], more].concat());
            assert_eq!(read.code, 1, "{}", read.stderr);
            assert!(read.stdout.lines().count() >= least, "{}", read.stderr);
            assert!(read.stderr.contains("cannot read `access.log.gz` beyond line"), "{}", read.stderr);
        }
        let explained = desk.run("logretry", &["explain", "access.log.gz"]);
        assert_eq!(explained.code, 0, "{}", explained.stderr);
    }
}

/// The number began anew behind the lines by which the format was found out.
#[test]
fn a_compressed_file_with_a_wrong_checksum_gives_its_lines_and_where_it_ended() {
    let desk = Desk::with("plain.log", line("GET /a", 500).repeat(200));
    let script = "gzip -c plain.log | head -c -8 > access.log.gz && printf 12345678 >> access.log.gz";
    assert_eq!(desk.shell(script, "").run().code, 0);
    let read = desk.run("lr-read", &["access.log.gz"]);
    assert_eq!((read.code, read.stdout.lines().count()), (1, 200), "{}", read.stderr);
    assert!(read.stderr.contains("cannot read `access.log.gz` beyond line 200: "), "{}", read.stderr);
}

#[test]
fn the_beginning_of_a_line_in_a_compressed_file_that_is_cut_off_is_no_line() {
    let desk = Desk::with("access.log", line("GET /a", 500) + &line("GET /b", 500));
    // What is there of the last line is one in the common format.
    let script = "head -c -16 access.log | gzip -c > access.log.gz && truncate -s -4 access.log.gz";
    assert_eq!(desk.shell(script, "").run().code, 0);
    let read = desk.run("lr-read", &["access.log.gz"]);
    assert_snapshot!(said(&read), @r"
    exit 1
    lr-read: access.log.gz: format combined, which 1 of 1 lines fit
    lr-read: 1 lines = 1 records + 0 rejected + 0 screened
    lr-read: cannot read `access.log.gz` beyond line 1: unexpected end of file; to go on without what is damaged, move it away or name the other logs
    ");
    assert_eq!(count_by(&ndjson(&read.stdout), "/original/target"), [("/a".to_owned(), 1)].into());
}

#[test]
fn a_log_that_is_truncated_while_it_is_read_gives_whole_records_and_an_error() {
    // More than lies on the way between the file and whoever reads the records.
    const LINES: usize = 16_000;
    let desk = Desk::new();
    let target = "a".repeat(2000);
    let lines = (0..LINES).map(|number| line(&format!("GET /{number}/{target}"), 502));
    desk.put("access.log", lines.collect::<String>());
    let mut command = Command::new(Program::path("lr-read"));
    command.arg("--quiet").arg(desk.path("access.log")).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut reading = command.spawn().expect("it runs");
    let mut records = BufReader::new(reading.stdout.take().expect("a pipe"));
    let mut read = String::new();
    // It has begun, and waits for somebody to read.
    records.read_line(&mut read).expect("a record");
    fs::File::create(desk.path("access.log")).expect("the log can be truncated");
    records.read_to_string(&mut read).expect("records");
    let ended = reading.wait_with_output().expect("it ends");
    let told = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{told}");
    assert!(told.contains("it has been emptied meanwhile"), "{told}");
    let count = ndjson(&read).len();
    assert!(count > 1 && count < LINES, "{count} records");
}

#[test]
fn a_log_without_times_says_that_a_range_of_time_leaves_its_lines_out() {
    let line = |status| format!("INFO:     203.0.113.9:5 - \"GET /a HTTP/1.1\" {status} Reason\n");
    let desk = Desk::with("app.log", line(200) + &line(500) + &line(502));
    let read = desk.run("lr-read", &["app.log", "--status", "5xx", "--since", "2026-11-01"]);
    assert_snapshot!(read.stderr, @r"
    lr-read: app.log: format uvicorn, which 3 of 3 lines fit
    lr-read: app.log:2: says no time, so --since and --until leave it out, and every other line that says none
    lr-read: 3 lines = 0 records + 0 rejected + 3 screened
    ");
}

#[test]
fn a_last_line_without_an_end_may_not_be_all_there() {
    let desk = Desk::with("access.log", line("GET /a", 500) + line("GET /b", 500).trim_end());
    let read = desk.run("lr-read", &["access.log"]);
    assert_snapshot!(said(&read), @r"
    exit 0
    lr-read: access.log: format combined, which 2 of 2 lines fit
    lr-read: access.log: its last line has no line end; if it is being written just now, the rest will make it another line, which is sent for itself
    lr-read: 2 lines = 2 records + 0 rejected + 0 screened
    ");
    // Nobody goes on to write into what was packed.
    desk.shell("gzip access.log", "").run();
    let packed = desk.run("lr-read", &["access.log.gz"]);
    assert!(!packed.stderr.contains("line end"), "{}", packed.stderr);
}

#[test]
fn a_log_whose_clock_has_no_zone_is_told_from_this_machine_s() {
    let desk = Desk::with("access.log", "127.0.0.1 - - [22/Nov/2026 06:22:52] \"GET /a HTTP/1.1\" 500 -\n");
    let read = |zone: &str, more: &[&str]| {
        desk.program("lr-read", &["access.log"]).args(more).env("TZ", zone).run().stderr
    };
    let said = "access.log: its times say no zone and are taken as UTC, but here it is -05: give --since";
    let since = ["--since", "2026-11-22T06:00:00Z"];
    assert!(read("EST5", &since).contains(said), "{}", read("EST5", &since));
    for (zone, more) in [("UTC0", &since[..]), ("EST5", &[])] {
        assert!(!read(zone, more).contains("zone"), "{zone}");
    }
}
