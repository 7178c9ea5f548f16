use std::time::Duration;

use super::script::Taken;
use super::simulated::Simulated;
use super::world::World as _;
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
