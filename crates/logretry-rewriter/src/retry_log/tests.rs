//! Ends of a log, as crashes, disks and other programs leave them.

use super::*;

const BEFORE: &str = "a line of the user's\n";
const LINES: [&str; 3] = ["GET /a 200\n", "GET /b 502\n", "GET /a 200\n"];

fn lines() -> Vec<Vec<u8>> {
    LINES.iter().map(|line| line.as_bytes().to_vec()).collect()
}

/// Completes a log that held `BEFORE` when its mark was made, and `tail` after that now.
fn completed(tail: &[u8]) -> (String, Completed) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("retry.log");
    std::fs::write(&path, BEFORE).expect("a file");
    let mut log = RetryLog::open(&path).expect("a log");
    let mark = log.sync().expect("a mark");
    let told = mark.expect("it is a file").to_string();
    assert_eq!(told.parse().ok(), mark);
    std::fs::write(&path, [BEFORE.as_bytes(), tail].concat()).expect("a file");
    let mut log = RetryLog::open(&path).expect("a log");
    let done = log.complete(mark, &lines()).expect("it can be completed");
    let after = log.sync().expect("a mark").expect("it is a file");
    let text = std::fs::read(&path).expect("a file");
    assert_eq!(after.bytes, text.len() as u64);
    assert_eq!(log.complete(Some(after), &[]).expect("it is complete"), Completed::default());
    (String::from_utf8_lossy(&text).into_owned(), done)
}

#[test]
fn cut_off_at_any_byte_it_is_completed_and_no_line_is_lost_or_there_twice() {
    let whole = LINES.concat();
    for cut in 0..=whole.len() {
        let (text, done) = completed(&whole.as_bytes()[..cut]);
        assert_eq!(text, format!("{BEFORE}{whole}"), "cut after {cut} bytes");
        let torn = cut > 0 && !whole[..cut].ends_with('\n');
        assert_eq!((done.was_torn, done.foreign_bytes), (torn, 0), "cut after {cut} bytes");
        assert_eq!(done.found + done.appended, 3, "cut after {cut} bytes");
    }
}

#[test]
fn what_is_not_ours_stays_and_our_lines_are_there_once() {
    for tail in [
        "somebody else's\n",
        "somebody else's",
        "GET /a 200\nsomebody else's\n",
        "GET /a 200\nsomebody else's",
        "somebody else's\nGET /a 200\nGET /b 5",
        "GET /a 200\nsomebody else's\nGET /b 502\nGET /a 200\n",
        "GET /b 502\nGET /a 200\n",
        "\0\0\0\0\0\0\0\0",
        "GET /a 200\n\0\0\0\0\n",
        "GET /a 2\0\0\0\0\n",
        "\n",
        "\n\nGET /a 200\n",
    ] {
        let (text, done) = completed(tail.as_bytes());
        let rest = text.strip_prefix(BEFORE).expect("what was there stays");
        assert!(rest.starts_with(tail), "{tail:?} became {rest:?}");
        let mut found: Vec<_> = rest.split_inclusive('\n').filter(|line| LINES.contains(line)).collect();
        found.sort_unstable();
        assert_eq!(found, ["GET /a 200\n", "GET /a 200\n", "GET /b 502\n"], "{tail:?} became {rest:?}");
        let foreign = text.len() - BEFORE.len() - LINES.concat().len();
        let ended = u64::from(!tail.ends_with('\n') && !done.was_torn);
        assert_eq!(done.foreign_bytes + ended, foreign as u64, "{tail:?} became {rest:?}");
    }
}

#[test]
fn a_log_that_was_moved_away_is_begun_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("retry.log");
    let mut log = RetryLog::open(&path).expect("a log");
    log.append(b"GET /0 200\n").expect("a line");
    let mark = log.sync().expect("a mark");
    std::fs::rename(&path, folder.path().join("retry.log.1")).expect("moved");
    log.append(b"GET /1 200\n").expect("a line");
    log.reopen().expect("a new log");
    log.append(b"GET /2 200\n").expect("a line");
    assert_eq!(std::fs::read_to_string(&path).expect("a file"), "GET /2 200\n");
    let old = std::fs::read_to_string(folder.path().join("retry.log.1")).expect("a file");
    assert_eq!(old, "GET /0 200\nGET /1 200\n");
    // The mark is of the other file, and this one has as many bytes.
    let lines = [1, 2, 3].map(|number| format!("GET /{number} 200\n").into_bytes());
    let done = RetryLog::open(&path).expect("a log").complete(mark, &lines).expect("completed");
    assert_eq!((done.found, done.appended, done.foreign_bytes), (2, 1, 0), "one is in the old log");
}

/// A run was killed, and before the next one came logrotate.
#[test]
fn lines_that_were_rotated_away_are_not_written_again() {
    for rotate in [
        "mv retry.log retry.log.1",
        "mv retry.log retry.log.1; touch retry.log",
        "mv retry.log retry-20261122.log; touch retry.log",
        "cp retry.log retry.log.1; : > retry.log",
        "cp retry.log retry.log.1; : > retry.log; yes 'GET /other 200' | head -n 9 >> retry.log",
        // An edited file is another one under the same name.
        "cp retry.log x; mv x retry.log",
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("retry.log");
        std::fs::write(folder.path().join("retry.log.2"), "GET /1 200\n".repeat(20)).expect("an older log");
        let mut log = RetryLog::open(&path).expect("a log");
        log.append(b"GET /0 200\n").expect("a line");
        let mark = log.sync().expect("a mark");
        log.append(b"GET /1 200\nGET /2 2").expect("lines");
        let shell = std::process::Command::new("sh").args(["-ec", rotate]).current_dir(&folder).status();
        assert!(shell.is_ok_and(|status| status.success()), "{rotate}");
        let lines = [1, 2].map(|number| format!("GET /{number} 200\n").into_bytes());
        let done = RetryLog::open(&path).expect("a log").complete(mark, &lines).expect("completed");
        assert_eq!((done.found, done.appended), (1, 1), "{rotate}");
        let text = std::fs::read_to_string(&path).expect("a file");
        assert!(text.ends_with("GET /2 200\n"), "{rotate}: {text}");
    }
}

/// Of two equal ones that the log should have, one was written. Nothing had been in it when its mark was made.
#[test]
fn a_line_that_was_moved_away_counts_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("retry.log");
    let mut log = RetryLog::open(&path).expect("a log");
    let mark = log.sync().expect("a mark");
    log.append(b"GET /1 200\n").expect("a line");
    std::fs::rename(&path, folder.path().join("retry.log.1")).expect("moved");
    let lines = [1, 1].map(|number| format!("GET /{number} 200\n").into_bytes());
    let done = RetryLog::open(&path).expect("a log").complete(mark, &lines).expect("completed");
    assert_eq!((done.found, done.appended), (1, 1));
    assert_eq!(std::fs::read_to_string(&path).expect("a file"), "GET /1 200\n");
}

/// Nothing had been in the log when its mark was made, so the mark stands in whatever is left of it.
#[test]
fn lines_that_were_copied_and_cut_off_from_the_first_one_on_are_not_written_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("retry.log");
    let mut log = RetryLog::open(&path).expect("a log");
    let mark = log.sync().expect("a mark");
    log.append(b"GET /1 200\nGET /2 2").expect("lines");
    std::fs::copy(&path, folder.path().join("retry.log.1")).expect("copied");
    File::options().write(true).open(&path).and_then(|file| file.set_len(0)).expect("a cut");
    let lines = [1, 2].map(|number| format!("GET /{number} 200\n").into_bytes());
    let done = RetryLog::open(&path).expect("a log").complete(mark, &lines).expect("completed");
    assert_eq!((done.found, done.appended, done.foreign_bytes), (1, 1, 0));
    assert_eq!(std::fs::read_to_string(&path).expect("a file"), "GET /2 200\n");
}

/// A run was killed, and logrotate came while the next one was being started.
#[test]
fn lines_are_not_written_again_into_a_file_that_is_rotated_once_it_is_open() {
    for head in ["", "GET /0 200\n"] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("retry.log");
        std::fs::write(&path, head).expect("a file");
        let mark = RetryLog::open(&path).expect("a log").sync().expect("a mark");
        std::fs::write(&path, [head, "GET /1 200\nGET /2 2"].concat()).expect("a file");
        let mut log = RetryLog::open(&path).expect("a log");
        let old = folder.path().join("retry.log.1");
        std::fs::rename(&path, &old).expect("moved");
        std::fs::write(&path, "").expect("a new file");
        let lines = [1, 2].map(|number| format!("GET /{number} 200\n").into_bytes());
        let done = log.complete(mark, &lines).expect("completed");
        assert_eq!((done.found, done.appended), (1, 1));
        let text = std::fs::read_to_string(&old).expect("a file");
        assert_eq!(text, format!("{head}GET /1 200\nGET /2 200\n"));
        let end = log.sync().expect("a mark").expect("it is a file");
        assert_eq!(end.bytes, text.len() as u64);
    }
}

/// What is longer than the mark has its place, and other bytes before it.
#[test]
fn a_log_that_was_cut_off_and_is_as_long_again_is_not_taken_for_what_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("retry.log");
    let mut log = RetryLog::open(&path).expect("a log");
    log.append(b"GET /0 200\n").expect("a line");
    let mark = log.sync().expect("a mark");
    File::options().write(true).open(&path).and_then(|file| file.set_len(0)).expect("a cut");
    assert_eq!(log.sync().expect("a mark").map(|mark| mark.bytes), Some(0));
    log.append(b"GET /1 200\nGET /2 200\n").expect("lines");
    let lines = [1, 2].map(|number| format!("GET /{number} 200\n").into_bytes());
    let done = RetryLog::open(&path).expect("a log").complete(mark, &lines).expect("completed");
    assert_eq!((done.found, done.appended), (2, 0));
}
