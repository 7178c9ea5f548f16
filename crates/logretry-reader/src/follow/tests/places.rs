use std::time::Duration;

use super::script::Taken;
use super::simulated::Simulated;
use super::world::World as _;
use crate::follow::tail::{Start, Tail, block};

const LOG: &str = "access.log";

#[test]
fn a_file_that_is_closed_as_soon_as_it_is_read_is_told_of_first() {
    let world = Simulated::default();
    let writer = world.writer(LOG);
    let (mut taken, mut block) = (Taken::default(), block());
    let mut tail = Tail::new(world.clone(), world.path(LOG), 1 << 20, Duration::from_secs(5));
    tail.begin(Start::Beginning, &mut taken).expect("a folder");
    world.append(&writer, b"one\n");
    while tail.look(Duration::ZERO, &mut block, &mut taken).expect("nobody breaks") {}
    world.append(&writer, b"two\n");
    world.rename(LOG, "access.log.1");
    world.gzip("access.log.1");
    let places = tail.open_places().into_iter().map(|(_, place)| place).collect();
    let mut tail = Tail::new(world.clone(), world.path(LOG), 1 << 20, Duration::from_secs(5));
    tail.begin(Start::Places(places), &mut taken).expect("a folder");
    while tail.look(Duration::ZERO, &mut block, &mut taken).expect("nobody breaks") {}
    assert_eq!(taken.lines, ["one", "two"]);
    // Nothing more can come in a compressed file, but its lines may still be on their way.
    let settled: Vec<_> = tail.open_places().into_iter().map(|(_, place)| place.settled).collect();
    assert_eq!((settled, tail.read_places().len()), (vec![8], 0));
    tail.told();
    assert_eq!((tail.open_places().len(), tail.read_places().len()), (0, 1));
}

#[test]
fn a_line_that_has_no_end_in_a_compressed_file_is_torn_once() {
    let world = Simulated::default();
    let (mut taken, mut block) = (Taken::default(), block());
    let mut tail = Tail::new(world.clone(), world.path(LOG), 1 << 20, Duration::from_secs(5));
    tail.begin(Start::Rotated, &mut taken).expect("a folder");
    world.append(&world.writer("access.log.1"), b"one");
    world.gzip("access.log.1");
    for line in [b"two\n".as_slice(), b"three\n"] {
        world.append(&world.writer(LOG), line);
        while tail.look(Duration::ZERO, &mut block, &mut taken).expect("nobody breaks") {}
        if world.exists("access.log.1.gz") {
            world.rename("access.log.1.gz", "access.log.2.gz");
        }
        world.rename(LOG, "access.log.1");
    }
    assert_eq!(
        (taken.torn, taken.lines),
        (vec!["one".to_owned()], vec!["two".to_owned(), "three".to_owned()])
    );
}
