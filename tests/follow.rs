//! Following the log of a real nginx while it is rotated.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use serde_json::Value;

use crate::lab::{Backend, Desk, Running, Server, ask, line, ndjson, nginx, until};

/// A server, whose log `lr-read` follows.
struct Followed {
    server: Server,
    backend: Backend,
    desk: Desk,
    asked: usize,
}

impl Followed {
    fn new() -> Self {
        let backend = Backend::down();
        Self { server: nginx(&backend), backend, desk: Desk::new(), asked: 0 }
    }

    /// Starts to read its log, from the start.
    fn read(&self) -> (Running, PathBuf) {
        let log = self.server.log();
        let arguments = ["--follow", "--from-start", &log.display().to_string()];
        let reader = self.desk.program("lr-read", &arguments).writing_to(&self.desk.path("records.ndjson"));
        (reader.start(), log)
    }

    /// A name that logrotate gives, on a day of November.
    fn rotated(&self, day: u32) -> PathBuf {
        let mut path = self.server.log().into_os_string();
        path.push(format!("-202611{day:02}"));
        path.into()
    }

    /// What has been asked for.
    fn asked(&self) -> Vec<String> {
        (0..self.asked).map(|number| format!("/s/503/{number}")).collect()
    }

    /// Asks for so many pages, each of its own, which fail.
    fn ask(&mut self, number: usize) {
        for _ in 0..number {
            ask(self.server.address(), "GET", format!("/s/503/{}", self.asked));
            self.asked += 1;
        }
        self.backend.forget(number);
    }

    /// The records that have been written, when there are as many as were asked for.
    fn records(&self) -> Vec<Value> {
        until("all lines to be read", || {
            let text = self.desk.read("records.ndjson");
            let whole = text.ends_with('\n') && text.lines().count() >= self.asked;
            whole.then(|| ndjson(&text))
        })
    }
}

fn targets(records: &[Value]) -> Vec<&str> {
    records.iter().filter_map(|record| record.pointer("/original/target")?.as_str()).collect()
}

fn ids(records: &[Value]) -> BTreeSet<String> {
    records.iter().map(|record| record["id"].to_string()).collect()
}

#[test]
fn each_request_is_read_once_while_its_log_is_renamed_and_compressed() {
    let mut followed = Followed::new();
    let (reader, log) = followed.read();
    // What is rotated away before it has begun was there before.
    followed.ask(1);
    followed.records();
    for day in 1..=4 {
        followed.ask(3);
        // What logrotate does, with nginx writing into the renamed file for a while.
        fs::rename(&log, followed.rotated(day)).expect("a log");
        followed.ask(2);
        followed.server.signal("USR1");
        until("a new log", || log.exists().then_some(()));
        if day > 1 {
            let yesterday = followed.rotated(day - 1).display().to_string();
            let packed = followed.desk.run("gzip", &[&yesterday]);
            assert_eq!(packed.code, 0, "{}", packed.stderr);
        }
    }
    followed.ask(3);
    let records = followed.records();
    reader.signal("TERM");
    let ended = reader.end();
    assert_eq!(ended.code, 143, "{}", ended.stderr);
    assert_eq!(targets(&records), followed.asked(), "{}", ended.stderr);
    // The same lines have the same ids when they are read again where they are now.
    let again = followed.desk.run("lr-read", &[&format!("{}*", log.display())]);
    assert_eq!(ids(&ndjson(&again.stdout)), ids(&records), "{}", again.stderr);
}

#[test]
fn each_request_is_read_once_while_its_log_is_copied_and_truncated() {
    let mut followed = Followed::new();
    let (reader, log) = followed.read();
    // What is rotated away before it has begun was there before.
    followed.ask(1);
    followed.records();
    for day in 1..=4 {
        followed.ask(5);
        followed.server.logged(if day == 1 { 6 } else { 5 });
        fs::copy(&log, followed.rotated(day)).expect("a log");
        fs::File::options().write(true).open(&log).and_then(|file| file.set_len(0)).expect("a log");
    }
    followed.ask(3);
    let records = followed.records();
    reader.signal("TERM");
    assert_eq!(reader.end().code, 143);
    // A copy that was still empty when it was found is read behind what has come since.
    let (mut read, mut asked) = (targets(&records), followed.asked());
    read.sort_unstable();
    asked.sort_unstable();
    assert_eq!(read, asked);
}

#[test]
fn each_request_is_read_once_while_logrotate_is_at_work() {
    for copies in [false, true] {
        let mut followed = Followed::new();
        let (reader, log) = followed.read();
        // What is rotated away before it has begun was there before.
        followed.ask(1);
        followed.records();
        let reopen = format!("create\npostrotate\nkill -s USR1 {}\nendscript", followed.server.id());
        let way = if copies { "copytruncate" } else { &reopen };
        let rules = format!("{} {{\nrotate 9\ncompress\ndelaycompress\n{way}\n}}\n", log.display());
        followed.desk.put("rules", rules);
        // It takes no rules that others could have written.
        let own = fs::Permissions::from_mode(0o600);
        fs::set_permissions(followed.desk.path("rules"), own).expect("a file");
        for round in 0..5 {
            followed.ask(4);
            if copies {
                // What comes between its copying and its truncating is lost.
                followed.server.logged(if round == 0 { 5 } else { 4 });
            }
            let ended = followed.desk.run("/usr/sbin/logrotate", &["--force", "--state", "state", "rules"]);
            assert_eq!(ended.code, 0, "{}", ended.stderr);
        }
        followed.ask(2);
        let records = followed.records();
        reader.signal("TERM");
        let ended = reader.end();
        let (mut read, mut asked) = (targets(&records), followed.asked());
        read.sort_unstable();
        asked.sort_unstable();
        assert_eq!(read, asked, "{}", ended.stderr);
    }
}

#[test]
fn following_begins_with_what_comes_and_keeps_the_ids() {
    let desk = Desk::with("access.log", [line("GET /old", 500), line("GET /same", 500)].concat());
    let target = desk.path("records.ndjson");
    let reader = desk.program("lr-read", &["--follow", "access.log"]).writing_to(&target).start();
    until("a record", || {
        let mut log = fs::File::options().append(true).open(desk.path("access.log")).expect("a log");
        log.write_all(line("GET /same", 500).as_bytes()).expect("a log");
        desk.read("records.ndjson").ends_with('\n').then_some(())
    });
    reader.signal("TERM");
    let ended = reader.end();
    assert_eq!(ended.code, 143, "{}", ended.stderr);
    let records = ndjson(&desk.read("records.ndjson"));
    let again = ndjson(&desk.run("lr-read", &["access.log"]).stdout);
    assert!(targets(&records).iter().all(|target| *target == "/same"), "{records:?}");
    assert!(ids(&again).is_superset(&ids(&records)));
    assert!(
        !ids(&records).contains(&again[1]["id"].to_string()),
        "the first of equal lines was there before"
    );
}

#[test]
fn a_log_that_appears_in_a_folder_is_read_from_its_beginning_and_removed_ones_end_the_reading() {
    let desk = Desk::with("logs/shop-access.log", line("GET /old", 500));
    let target = desk.path("records.ndjson");
    let arguments = ["--follow", "--exit-on-delete", "logs"];
    let reader = desk.program("lr-read", &arguments).writing_to(&target).start();
    // One that comes before the follower has begun was there before. Not one at each look: on a busy machine they would come faster than it can look through them.
    let mut look = 0..;
    until("a record", || {
        let number: u32 = look.next()?;
        if number.is_multiple_of(50) {
            desk.put(&format!("logs/{number}-access.log"), line("GET /new", 500));
        }
        desk.read("records.ndjson").ends_with('\n').then_some(())
    });
    fs::remove_dir_all(desk.path("logs")).expect("a folder");
    let ended = reader.end();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let records = ndjson(&desk.read("records.ndjson"));
    assert!(targets(&records).iter().all(|target| *target == "/new"), "{records:?}");
}

#[test]
fn in_a_folder_a_rotated_log_is_no_log_of_its_own_whatever_its_name() {
    let desk = Desk::with("logs/access.log", line("GET /0", 500));
    let target = desk.path("records.ndjson");
    let reader = desk.program("lr-read", &["--follow", "--from-start", "logs"]).writing_to(&target).start();
    let read = |number: usize| {
        until("the records", || {
            let text = desk.read("records.ndjson");
            (text.ends_with('\n') && text.lines().count() >= number).then(|| ndjson(&text))
        })
    };
    read(1);
    let log = desk.path("logs/access.log");
    fs::rename(&log, desk.path("logs/access.log-29-11-2026")).expect("a log");
    desk.put("logs/access.log", line("GET /1", 500));
    read(2);
    fs::copy(&log, desk.path("logs/access.log.copy")).expect("a log");
    fs::File::options().write(true).open(&log).and_then(|file| file.set_len(0)).expect("a log");
    desk.put("logs/access.log", line("GET /2", 500));
    read(3);
    // A log that begins otherwise is one, and shows that the others have been looked at.
    desk.put("logs/access_ssl.log", line("GET /3", 500));
    let records = read(4);
    reader.signal("TERM");
    let ended = reader.end();
    assert_eq!(targets(&records), ["/0", "/1", "/2", "/3"], "{}", ended.stderr);
}

/// Each rejected line was read as one that is rejected, and so on until the disk was full.
#[test]
fn what_a_follower_writes_itself_is_none_of_the_logs_that_it_finds() {
    let desk = Desk::with("logs/access.log", [line("GET /0", 500), "rubbish\n".to_owned()].concat());
    for logs in ["logs", "logs/*"] {
        let arguments = ["--follow", "--from-start", logs, "--rejects", "logs/access.rejects"];
        let reader = desk
            .program("lr-read", &[&arguments[..], &["--format", "combined"]].concat())
            .writing_to(&desk.path("logs/access.ndjson"))
            .start();
        until("the record", || desk.read("logs/access.ndjson").ends_with('\n').then_some(()));
        reader.signal("TERM");
        let ended = reader.end();
        assert!(ended.stderr.contains("2 lines = 1 records + 1 rejected"), "{}", ended.stderr);
        assert_eq!(ended.stderr.matches("left out, for it is written here").count(), 1, "{}", ended.stderr);
        fs::remove_file(desk.path("logs/access.ndjson")).expect("records");
    }
}

#[test]
fn a_followed_log_with_two_columns_of_statuses_is_told_of() {
    let log = line("GET /a", 502).replace(" 157 ", " 504 157 ")
        + &line("GET /b", 502).replace(" 157 ", " 502 157 ").repeat(4);
    let desk = Desk::with("access.log", log);
    desk.put("other.log", line("GET /c", 502));
    let arguments = ["--follow", "--from-start", "access.log", "other.log"];
    let reader = desk.program("lr-read", &arguments).writing_to(&desk.path("records")).start();
    until("the record", || desk.read("records").ends_with('\n').then_some(()));
    reader.signal("TERM");
    let ended = reader.end();
    let told = "access.log: two numbers behind the request look like its status; give its format with --format, for it is not read as long as that is so";
    assert!(ended.stderr.contains(told), "{}", ended.stderr);
}

/// Two runs that followed one folder filled the disk with rejects of rejects.
#[test]
fn what_another_run_has_rejected_is_not_rejected_again() {
    let desk = Desk::with("logs/access.log", [line("GET /0", 500), "rubbish\n".to_owned()].concat());
    let before = ["logs/access.log", "--format", "combined", "--rejects", "logs/access.rejects"];
    assert_eq!(desk.run("lr-read", &before).code, 0);
    let arguments = ["--follow", "--from-start", "logs", "--rejects", "rejects", "--format", "combined"];
    let reader = desk.program("lr-read", &arguments).writing_to(&desk.path("records")).start();
    until("the record", || desk.read("records").ends_with('\n').then_some(()));
    reader.signal("TERM");
    let ended = reader.end();
    let equation = "3 lines = 1 records + 1 rejected + 1 screened";
    assert!(ended.stderr.contains(equation), "{}", ended.stderr);
    assert_eq!(desk.read("rejects"), desk.read("logs/access.rejects"));
}

#[test]
fn what_cannot_be_followed_is_said() {
    let desk = Desk::with("access.log", line("GET /old", 500));
    let ended = desk.run("lr-read", &["--follow"]);
    assert_eq!(ended.code, 2);
    assert_eq!(
        ended.stderr,
        "lr-read: cannot follow standard input: it is read as it grows; leave `--follow` out, or name a log\n"
    );
    let ended = desk.run("lr-read", &["--follow", "nowhere/access.log"]);
    assert_eq!((ended.code, ended.stderr.lines().count()), (1, 1), "{}", ended.stderr);
    assert_eq!(desk.run("lr-read", &["--from-start", "access.log"]).code, 2);
}
