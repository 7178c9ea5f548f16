//! Many logs are one: rotated files, patterns, files of several formats.

use crate::lab::{Desk, Program, line, ndjson};

/// The targets of the records, in their order.
fn targets(desk: &Desk, arguments: &[&str]) -> Vec<String> {
    let read = desk.run("lr-read", arguments);
    assert_eq!(read.code, 0, "{}", read.stderr);
    let target =
        |record: &serde_json::Value| record["original"]["target"].as_str().expect("a target").to_owned();
    ndjson(&read.stdout).iter().map(target).collect()
}

/// A folder in which logrotate has been at work.
fn rotated() -> Desk {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("logs")).expect("the desk can be written");
    for (name, target) in [
        ("access.log", "/new"),
        ("access.log.1", "/old"),
        ("access.log.2", "/older"),
        ("access.log.10", "/oldest"),
    ] {
        desk.put(&format!("logs/{name}"), line(&format!("GET {target}"), 500));
    }
    let packed = desk.shell("gzip logs/access.log.2 logs/access.log.10", "").run();
    assert_eq!(packed.code, 0, "{}", packed.stderr);
    desk
}

#[test]
fn a_directory_of_rotated_logs_is_read_oldest_first() {
    assert_eq!(targets(&rotated(), &["logs"]), ["/oldest", "/older", "/old", "/new"]);
}

#[test]
fn a_quoted_pattern_is_read_oldest_first() {
    assert_eq!(targets(&rotated(), &["logs/access.log*"]), ["/oldest", "/older", "/old", "/new"]);
}

/// They stopped whatever read the folder without `--rejects`: their format could not be told.
#[test]
fn rejects_of_an_earlier_run_are_none_of_the_logs_that_are_found() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("logs")).expect("the desk can be written");
    desk.put("logs/access.log", line("GET /a", 500) + "rubbish\n");
    let rejects = "logs/access-rejects.ndjson";
    assert_eq!(targets(&desk, &["logs/access.log", "--rejects", rejects]), ["/a"]);
    assert_eq!(desk.read(rejects).lines().count(), 1);
    for logs in ["logs", "logs/*"] {
        assert_eq!(targets(&desk, &[logs]), ["/a"], "{logs}");
    }
    for named in [rejects, "logs/*.ndjson"] {
        let read = desk.run("lr-read", &[named]);
        let told = "as a log: its lines are rejects, which `--rejects` has kept; name the log that they name";
        assert!(read.code == 1 && read.stderr.contains(told), "{}", read.stderr);
    }
    let explained = desk.run("logretry", &["explain", rejects]);
    assert!(explained.stdout.contains("not known: its lines are rejects"), "{}", explained.stdout);
}

#[test]
fn a_log_that_is_named_and_is_standard_input_as_well_is_read_once() {
    let desk = Desk::with("access.log", line("GET /a", 500));
    desk.put("other.log", line("GET /b", 500));
    for (stdin, logs, records) in [
        ("access.log", "- access.log", 1),
        ("access.log", "access.log -", 1),
        ("other.log", "access.log -", 2),
    ] {
        let script = format!("{} {logs} < {stdin}", Program::path("lr-read"));
        let read = desk.shell(&script, "").run();
        assert_eq!(ndjson(&read.stdout).len(), records, "{script}: {}", read.stderr);
    }
}

#[test]
fn files_that_are_named_are_read_in_the_order_in_which_they_are_named() {
    let order = ["logs/access.log", "logs/access.log.10.gz", "logs/access.log.1"];
    assert_eq!(targets(&rotated(), &order), ["/new", "/oldest", "/old"]);
}

#[test]
fn each_file_has_the_format_that_it_has() {
    let desk = Desk::with("one.log", line("GET /one", 500));
    desk.put("two.log", format!("shop.example:80 {}", line("GET /two", 500)));
    assert_eq!(targets(&desk, &["one.log", "two.log"]), ["/one", "/two"]);
}

/// nginx writes several logs of one server side by side, as many as there are `access_log` lines. Each request was sent twice, and nothing was said.
#[test]
fn logs_that_tell_of_the_same_requests_in_two_formats_are_named_before_anything_is_sent() {
    let desk = Desk::new();
    let requests = ["GET /a", "DELETE /b"].map(|request| line(request, 502));
    desk.put("access.log", requests.concat());
    desk.put("access-vhosts.log", requests.map(|line| format!("shop.example:80 {line}")).concat());
    desk.put("access-other.log", ["/a", "/c", "/d"].map(|path| line(&format!("GET {path}"), 502)).concat());
    let told = |logs: &[&str]| {
        let planned =
            desk.program("logretry", &["plan", "--base-url", "http://127.0.0.1:9"]).args(logs).run();
        assert_eq!(planned.code, 0, "{}", planned.stderr);
        planned.stderr.contains(
            "tell of the same requests, in two formats (vhost_combined and combined): each of them would be sent once for each log",
        )
    };
    assert!(told(&["."]) && told(&["access-vhosts.log", "access.log"]));
    assert!(!told(&["access.log", "access-other.log"]) && !told(&["access-vhosts.log", "access-other.log"]));
}

#[test]
fn a_line_is_tried_with_each_format_that_is_given() {
    let mixed = [
        line("GET /one", 500),
        format!("shop.example:80 {}", line("GET /two", 500)),
        line("GET /three", 500),
    ];
    let desk = Desk::with("access.log", mixed.concat());
    let arguments = ["access.log", "--format", "combined", "--format", "vhost_combined"];
    assert_eq!(targets(&desk, &arguments), ["/one", "/two", "/three"]);
}

#[test]
fn the_same_line_has_the_same_id_wherever_it_is_read() {
    let desk = rotated();
    let ids = |arguments: &[&str]| -> Vec<String> {
        let mut ids: Vec<String> = ndjson(&desk.run("lr-read", arguments).stdout)
            .iter()
            .map(|record| record["id"].to_string())
            .collect();
        ids.sort_unstable();
        ids
    };
    let whole = desk.shell("zcat -f logs/* > whole.log", "").run();
    assert_eq!(whole.code, 0, "{}", whole.stderr);
    assert_eq!(ids(&["whole.log"]), ids(&["logs"]));
    assert_eq!(ids(&["whole.log"]).len(), 4);
}

#[test]
fn the_format_is_found_out_behind_blank_lines_comments_and_greetings() {
    for beginning in ["\n", "\n\n", "#\n", "# c\n", "hi\n", "nginx: started\n"] {
        let desk = Desk::with("access.log", format!("{beginning}{}", line("GET /a", 500)));
        assert_eq!(targets(&desk, &["access.log"]), ["/a"], "{beginning:?}");
    }
}

#[test]
fn a_pattern_finds_files_whose_names_are_not_utf8() {
    use std::os::unix::ffi::OsStrExt as _;

    let desk = Desk::new();
    std::fs::create_dir(desk.path("logs")).expect("the desk can be written");
    let odd = desk.path("logs").join(std::ffi::OsStr::from_bytes(b"x\xff.log"));
    std::fs::write(odd, line("GET /odd", 500)).expect("the desk can be written");
    desk.put("logs/y.log", line("GET /plain", 500));
    assert_eq!(targets(&desk, &["logs/*"]), ["/odd", "/plain"]);
    assert_eq!(targets(&desk, &["logs"]), ["/odd", "/plain"]);
}

#[test]
fn a_fifo_is_read_to_its_end() {
    let lines: String = (0..2000).map(|number| line(&format!("GET /{number}"), 500)).collect();
    let desk = Desk::with("access.log", lines);
    for _ in 0..5 {
        // A writer whose reader goes away is killed, and says so by its exit code.
        let script = "mkfifo fifo; cat access.log > fifo & lr-read fifo; wait $! && rm fifo";
        let read = desk.shell(script, "").run();
        assert_eq!((read.code, ndjson(&read.stdout).len()), (0, 2000), "{}", read.stderr);
    }
}

/// Five thousand of them said five thousand times the same.
#[test]
fn of_very_many_logs_in_one_format_the_first_are_named() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("logs")).expect("the desk can be written");
    for host in 10..40 {
        desk.put(&format!("logs/{host}.access.log"), line(&format!("GET /{host}"), 500));
    }
    desk.put("logs/90.access.log", format!("shop.example:80 {}", line("GET /90", 500)));
    let read = desk.run("lr-read", &["logs"]);
    assert_eq!((read.code, ndjson(&read.stdout).len()), (0, 31), "{}", read.stderr);
    let named = (10..30)
        .map(|host| format!("lr-read: logs/{host}.access.log: format combined, which 1 of 1 lines fit\n"));
    let others = "lr-read: format combined: further logs are not named\n\
        lr-read: logs/90.access.log: format vhost_combined, which 1 of 1 lines fit\n\
        lr-read: 31 lines = 31 records + 0 rejected + 0 screened\n";
    assert_eq!(read.stderr, named.collect::<String>() + others);
}

/// They read as any, with a client that has never been.
#[test]
fn lines_that_grep_has_named_are_told_of() {
    let named = |log: &str| format!("{log}:{}", line("GET /a", 500));
    let desk = Desk::with("found", named("access.log") + &named("access.log.1"));
    let read = desk.run("lr-read", &["found"]);
    let note = "lr-read: found: its lines begin with a file's name or a number, as grep puts it there: other lines than the \
        log's own, so that what was sent of those is sent again; use `grep -h`, without `-n`\n";
    assert!(read.stderr.contains(note), "{}", read.stderr);
    let plain = Desk::with("found", line("GET /a", 500)).run("lr-read", &["found"]);
    assert!(!plain.stderr.contains("grep"), "{}", plain.stderr);
}
