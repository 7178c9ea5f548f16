use std::fs;
use std::time::Duration;

use super::script::Taken;
use super::simulated::Simulated;
use super::world::World as _;
use crate::follow::files::Disk;
use crate::follow::tail::{Start, Tail, block};

const LOG: &str = "access.log";

#[test]
fn a_copy_is_known_by_what_is_in_it_whatever_its_name() {
    for copy in ["access.log-20261129", "access.log-29-11-2026", "access.log.old", "access-copy.log"] {
        let world = Simulated::default();
        let writer = world.writer(LOG);
        let (mut taken, mut block) = (Taken::default(), block());
        let mut tail = Tail::new(world.clone(), world.path(LOG), 1 << 20, Duration::from_secs(5));
        tail.begin(Start::Beginning, &mut taken).expect("a folder");
        let mut look = |taken: &mut Taken| {
            while tail.look(Duration::ZERO, &mut block, taken).expect("nobody breaks") {}
        };
        // Another log, whose name begins alike.
        world.append(&world.writer("access_ssl.log"), b"six\nother\n");
        world.append(&writer, b"one\n");
        look(&mut taken);
        world.append(&writer, b"two\n");
        world.copy(LOG, copy);
        world.truncate(LOG);
        world.append(&writer, b"three\n");
        look(&mut taken);
        assert_eq!(taken.lines, ["one", "two", "three"], "{copy}: {:?}", taken.said);
    }
}

/// As rsync does, and editors: with each copy the whole log was read once more.
#[test]
fn a_log_that_is_replaced_by_a_copy_of_itself_is_read_on() {
    let world = Simulated::default();
    let writer = world.writer(LOG);
    let (mut taken, mut block) = (Taken::default(), block());
    let mut tail = Tail::new(world.clone(), world.path(LOG), 1 << 20, Duration::from_secs(5));
    tail.begin(Start::Beginning, &mut taken).expect("a folder");
    let mut now = Duration::ZERO;
    let mut look = |taken: &mut Taken| {
        now += Duration::from_secs(3);
        while tail.look(now, &mut block, taken).expect("nobody breaks") {}
    };
    world.append(&writer, b"one\ntwo\nthr");
    look(&mut taken);
    for rest in [&b"ee\nfour\n"[..], b"", b"five\nsi", b"x\n"] {
        world.copy(LOG, ".access.log.X7hKz1");
        world.append(&world.writer(".access.log.X7hKz1"), rest);
        world.rename(".access.log.X7hKz1", LOG);
        look(&mut taken);
    }
    // Rotated where it comes from, where it had got one more line before that.
    world.copy(LOG, ".access.log.1.fGhIjK");
    world.append(&world.writer(".access.log.1.fGhIjK"), b"seven\n");
    world.append(&world.writer(".access.log.0aBcDe"), b"eight\n");
    world.rename(".access.log.0aBcDe", LOG);
    look(&mut taken);
    world.rename(".access.log.1.fGhIjK", "access.log.1");
    (0..5).for_each(|_| look(&mut taken));
    assert_eq!(taken.lines, ["one", "two", "three", "four", "five", "six", "eight", "seven"]);
    assert_eq!(taken.said, Vec::<String>::new());
}

/// A name alone does not make a copy of it: what is as short as this may well begin alike.
#[test]
fn a_log_that_begins_as_a_rotated_one_is_read_from_its_beginning() {
    let world = Simulated::default();
    let (mut taken, mut block) = (Taken::default(), block());
    let mut tail = Tail::new(world.clone(), world.path(LOG), 1 << 20, Duration::from_secs(5));
    tail.begin(Start::Beginning, &mut taken).expect("a folder");
    for rotated in ["access.log.1", "access.log.0"] {
        world.append(&world.writer(LOG), b"GET /health 500\n");
        while tail.look(Duration::ZERO, &mut block, &mut taken).expect("nobody breaks") {}
        world.rename(LOG, rotated);
    }
    assert_eq!(taken.lines, ["GET /health 500"; 2]);
}

#[test]
fn what_cannot_be_opened_is_told_once_and_not_with_each_look() {
    let folder = tempfile::tempdir().expect("a folder");
    let (log, old) = (folder.path().join(LOG), folder.path().join("old"));
    fs::write(&log, "one\n").expect("a file");
    let (mut taken, mut block) = (Taken::default(), block());
    let mut tail = Tail::new(Disk, log.clone(), 1 << 20, Duration::from_secs(5));
    tail.begin(Start::Beginning, &mut taken).expect("a folder");
    for line in ["two\n", "three\n"] {
        let mut looks = |taken: &mut Taken| {
            for _ in 0..3 {
                while tail.look(Duration::ZERO, &mut block, taken).expect("nobody breaks") {}
            }
        };
        looks(&mut taken);
        fs::rename(&log, &old).expect("renamed");
        // There it is, as a log is that others may not read.
        fs::create_dir(&log).expect("a folder");
        looks(&mut taken);
        fs::remove_dir(&log).expect("removed");
        fs::write(&log, line).expect("a file");
        looks(&mut taken);
    }
    assert_eq!(taken.lines, ["one", "two", "three"]);
    assert_eq!(taken.said, ["cannot look at it: is a directory; trying again"; 2]);
}
