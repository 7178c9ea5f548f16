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
