use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::time::{Duration, Instant};

use logretry_ledger::{Durability, Ledger, LedgerError, Look};

use crate::desk::{Desk, close, id};

#[test]
fn a_second_instance_is_refused_at_once() {
    let desk = Desk::new();
    let first = desk.ledger();
    let start = Instant::now();
    let error = desk.open(Durability::Grouped).expect_err("it is in use");
    assert!(start.elapsed() < Duration::from_secs(2));
    assert!(matches!(error, LedgerError::InUse { .. }), "{error}");
    assert!(error.to_string().contains("another --ledger"), "{error}");
    drop(first);
    desk.ledger();
}

#[cfg(target_os = "linux")]
#[test]
fn a_second_instance_is_refused_even_if_the_lock_was_removed() {
    let desk = Desk::new();
    let first = desk.ledger();
    let locks = (0..100).map(|_| locks_of_this_process(&desk)).find(|locks| !locks.is_empty());
    let locks = locks.expect("SQLite has the file locked");
    for open in
        [|desk: &Desk| desk.open(Durability::Grouped), |desk: &Desk| Ledger::open_existing(&desk.path())]
    {
        fs::remove_file(desk.path().with_extension("lock")).expect("a lock");
        let error = open(&desk).expect_err("it is in use");
        assert!(error.to_string().contains("this process is using it"), "{error}");
        let are_there = (0..100).any(|_| locks_of_this_process(&desk).is_superset(&locks));
        assert!(are_there, "they are lost with a file that is closed");
    }
    first.intent(id(0), 1, "POST", "http://shop.example/a").wait().expect("the first goes on");
    drop(first);
    desk.ledger();
}

/// Those that SQLite has on the ledger (`fcntl`, POSIX), as the system lists them: now and then one twice or not at all, for others come and go meanwhile.
#[cfg(target_os = "linux")]
fn locks_of_this_process(desk: &Desk) -> BTreeSet<String> {
    let inode = format!(":{}", desk.path().metadata().expect("a ledger").ino());
    let process = std::process::id().to_string();
    let all = fs::read_to_string("/proc/locks").expect("the system lists them");
    let words = all.lines().map(|line| line.split_whitespace().skip(1).collect::<Vec<_>>());
    let of_sqlite =
        words.filter(|words| words[0] == "POSIX" && words[3] == process && words[4].ends_with(&inode));
    of_sqlite.map(|words| words.join(" ")).collect()
}

#[test]
fn a_ledger_belongs_to_one_destination() {
    let desk = Desk::new();
    drop(desk.ledger());
    let error =
        Ledger::open(&desk.path(), "http://other.example", Durability::Grouped).expect_err("another server");
    let expected = format!(
        "use the ledger `{}` for http://other.example: it keeps the refires to http://shop.example; give another -o or --ledger",
        desk.path().display()
    );
    assert_eq!(error.to_string(), expected);
    Ledger::open_existing(&desk.path()).expect("whoever does not send needs no destination");
}

#[test]
fn a_ledger_with_a_second_name_is_refused_under_both() {
    let desk = Desk::new();
    let ledger = desk.ledger();
    let other = desk.path().with_extension("copy");
    fs::hard_link(desk.path(), &other).expect("a link");
    // What the first has written is not in the file yet, and its lock is beside the other name.
    for path in [&other, &desk.path()] {
        let error = Ledger::open_existing(path).expect_err("it has two names").to_string();
        assert!(error.contains("it has a second name (a hard link)"), "{error}");
    }
    let error = Ledger::open(&other, "http://shop.example", Durability::Grouped).expect_err("the same");
    assert!(error.to_string().contains("it has a second name"), "{error}");
    close(ledger);
    fs::remove_file(other).expect("a link");
    desk.ledger();
}

#[test]
fn a_ledger_that_is_taken_away_takes_nothing_more_and_goes_on_when_it_is_put_back() {
    let desk = Desk::new();
    let ledger = desk.ledger();
    ledger.intent(id(0), 1, "POST", "http://shop.example/a").wait().expect("synced");
    let elsewhere = desk.path().with_extension("elsewhere");
    fs::rename(desk.path(), &elsewhere).expect("a ledger");
    let error = ledger.intent(id(1), 1, "POST", "http://shop.example/a").wait().expect_err("it is gone");
    assert!(error.to_string().contains("was moved away or removed"), "{error}");
    ledger.intent(id(2), 1, "GET", "http://shop.example/a").wait().expect_err("nothing more is sent");
    ledger.close().wait().expect_err("it is gone");
    drop(ledger);
    fs::rename(elsewhere, desk.path()).expect("a ledger");
    let doubts = desk.ledger().in_doubt().expect("a ledger");
    assert_eq!(doubts.iter().map(|doubt| doubt.id).collect::<Vec<_>>(), [id(0)]);
}

/// It looks like a temporary file.
#[test]
fn a_ledger_without_its_wal_takes_nothing_more_and_loses_nothing() {
    let desk = Desk::new();
    let ledger = desk.ledger();
    ledger.intent(id(0), 1, "POST", "http://shop.example/a").wait().expect("synced");
    fs::remove_file(desk.wal()).expect("it is there");
    ledger.intent(id(1), 1, "POST", "http://shop.example/a").wait().expect_err("a kill would lose it");
    drop(ledger);
    let doubts = desk.ledger().in_doubt().expect("a ledger");
    assert_eq!(doubts.iter().map(|doubt| doubt.id).collect::<Vec<_>>(), [id(0)]);
}

/// As in a folder that cannot be written, whoever asks.
#[test]
fn a_ledger_with_room_for_nothing_beside_it_is_read_as_it_lies_and_not_written() {
    let desk = Desk::new();
    let ledger = desk.ledger();
    ledger.intent(id(0), 1, "POST", "http://shop.example/a").wait().expect("synced");
    close(ledger);
    // SQLite follows no link, and nobody can make the file.
    symlink("nowhere", desk.shm()).expect("a link");
    let look = Look::open(&desk.path()).expect("the file is all that there is");
    assert_eq!(look.in_doubt().expect("a ledger").len(), 1);
    let error = desk.open(Durability::Grouped).expect_err("it cannot be written").to_string();
    assert!(error.contains("must be writable"), "{error}");
}

#[test]
fn a_folder_is_named_as_one_to_whoever_writes_and_whoever_reads() {
    let desk = Desk::new();
    fs::create_dir(desk.path()).expect("a folder");
    for error in
        [desk.open(Durability::Grouped).expect_err("it is"), Look::open(&desk.path()).expect_err("it is")]
    {
        assert!(error.to_string().ends_with("it is a folder; name the file in it"), "{error}");
    }
}

#[test]
fn a_file_of_another_kind_is_refused_and_not_touched() {
    let desk = Desk::new();
    for text in ["a text file, long enough to be taken for more than a header\n".repeat(20), "x".to_owned()] {
        fs::write(desk.path(), &text).expect("a file");
        let error = desk.open(Durability::Grouped).expect_err("no ledger");
        assert!(matches!(error, LedgerError::NoLedger { .. }), "{error}");
        assert_eq!(fs::read_to_string(desk.path()).expect("a file"), text);
    }
    fs::remove_file(desk.path()).expect("it is there");
    let database = rusqlite::Connection::open(desk.path()).expect("a database");
    database.execute_batch("CREATE TABLE t (x)").expect("a table");
    drop(database);
    let before = fs::read(desk.path()).expect("a file");
    assert!(matches!(desk.open(Durability::Grouped), Err(LedgerError::NoLedger { .. })));
    assert_eq!(fs::read(desk.path()).expect("a file"), before);
}

#[test]
fn a_ledger_of_another_release_is_refused() {
    let desk = Desk::new();
    drop(desk.ledger());
    for version in [1, 7] {
        let database = rusqlite::Connection::open(desk.path()).expect("a database");
        database.execute_batch(&format!("PRAGMA user_version = {version}")).expect("a version");
        drop(database);
        let error = desk.open(Durability::Grouped).expect_err("another version").to_string();
        assert!(
            error.contains(&format!("it has version {version}, and this program knows version 2")),
            "{error}"
        );
        Look::open(&desk.path()).expect_err("another version");
    }
}

#[test]
fn all_its_files_are_for_the_owner_only() {
    let desk = Desk::new();
    let _ledger = desk.ledger();
    let folder = desk.path().parent().expect("a folder").to_owned();
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("a file");
        assert_eq!(entry.metadata().expect("a file").permissions().mode() & 0o777, 0o600, "{entry:?}");
        names.push(entry.file_name().into_string().expect("text"));
    }
    names.sort();
    assert_eq!(names, ["ledger", "ledger-shm", "ledger-wal", "ledger.lock"]);
}
