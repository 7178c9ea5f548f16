//! What happens to a log between two questions of one look.

use std::time::Duration;

use proptest::prelude::*;

use super::script::Taken;
use super::simulated::{Moment, Simulated};
use super::world::World as _;
use crate::follow::tail::{Start, Tail, block};

const LOG: &str = "access.log";

type Happens = Box<dyn FnOnce(&Simulated) + Send>;

/// What logrotate does with `copytruncate` on a day, which takes two moments for the copy, after so many lines.
fn day(day: usize, lines: Vec<String>) -> Vec<Happens> {
    let mut happens: Vec<Happens> = Vec::new();
    for line in lines {
        happens.push(Box::new(move |world| world.append(&world.writer(LOG), line.as_bytes())));
    }
    let rotated = format!("{LOG}-202611{day:02}");
    let copy = rotated.clone();
    happens.push(Box::new(move |world| drop(world.writer(&copy))));
    happens.push(Box::new(move |world| {
        let bytes = world.contents_of(LOG);
        world.append(&world.writer(&rotated), &bytes);
    }));
    happens.push(Box::new(|world| world.truncate(LOG)));
    happens
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_line_comes_once_while_the_log_is_copied_and_truncated(
        days in prop::collection::vec(1..4_usize, 1..5),
        questions in prop::collection::vec(prop_oneof![3 => Just(0_u8), 4 => 0..12_u8, 1 => 0..60_u8], 64),
    ) {
        let mut numbers = 0..;
        let mut lines = Vec::new();
        let mut moments = Vec::new();
        for (number, count) in (1..).zip(days.into_iter().chain([2])) {
            // All of the same length, so that nothing is told by that.
            let of_day: Vec<_> = numbers.by_ref().take(count).map(|line| format!("{line:04}-{}", "x".repeat(90))).collect();
            lines.extend(of_day.iter().cloned());
            moments.extend(day(number, of_day.into_iter().map(|line| line + "\n").collect()));
        }
        // The last day is not over.
        moments.truncate(moments.len() - 3);
        let moments = moments.into_iter().zip(questions.into_iter().cycle()).map(|(happens, before)| (before, happens) as Moment);
        let world = Simulated::meanwhile(moments);
        world.writer(LOG);
        let (mut taken, mut block) = (Taken::default(), block());
        let mut tail = Tail::new(world.clone(), world.path(LOG), 1 << 20, Duration::from_secs(5));
        tail.begin(Start::Beginning, &mut taken).expect("a folder");
        let mut looks = 0..;
        while world.goes_on() || looks.start % 4 != 0 {
            let now = Duration::from_millis(looks.next().unwrap_or(0));
            while tail.look(now, &mut block, &mut taken).expect("nobody breaks") {}
        }
        for seconds in [10, 20] {
            while tail.look(Duration::from_secs(seconds), &mut block, &mut taken).expect("nobody breaks") {}
        }
        // A copy that was empty when it was found is read when it has something, which is behind what has come since.
        taken.lines.sort();
        prop_assert_eq!(&taken.lines, &lines, "{:?}", taken.said);
    }
}
