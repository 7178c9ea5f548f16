//! What happens to a log between two questions of one look.

use std::time::Duration;

use proptest::prelude::*;

use super::cases;
use super::script::Taken;
use super::simulated::{Moment, Simulated};
use super::world::World as _;
use crate::follow::tail::{Start, Tail, block};

const LOG: &str = "access.log";

type Happens = Box<dyn FnOnce(&Simulated) + Send>;

/// What logrotate does on the day of this number, moment by moment.
type Rotation = fn(usize) -> Vec<Happens>;

/// With `copytruncate` and `dateext`; the copy takes two moments.
fn copied(day: usize) -> Vec<Happens> {
    vec![
        Box::new(move |world| drop(world.writer(&dated(day)))),
        Box::new(move |world| {
            let bytes = world.contents_of(LOG);
            world.append(&world.writer(&dated(day)), &bytes);
        }),
        Box::new(|world| world.truncate(LOG)),
    ]
}

/// With `dateext`, `delaycompress` and `compress`.
fn renamed(day: usize) -> Vec<Happens> {
    let mut happens: Vec<Happens> = vec![
        Box::new(move |world| world.rename(LOG, &dated(day))),
        Box::new(|world| drop(world.writer(LOG))),
    ];
    if day > 1 {
        happens.extend(compressed(dated(day - 1)));
    }
    happens
}

/// With numbers, `delaycompress` and `compress`.
fn numbered(day: usize) -> Vec<Happens> {
    let mut happens: Vec<Happens> = Vec::new();
    for age in (1..day).rev() {
        let end = if age == 1 { "" } else { ".gz" };
        happens.push(Box::new(move |world| {
            world.rename(&format!("{LOG}.{age}{end}"), &format!("{LOG}.{}{end}", age + 1));
        }));
    }
    happens.push(Box::new(|world| world.rename(LOG, &format!("{LOG}.1"))));
    happens.push(Box::new(|world| drop(world.writer(LOG))));
    if day > 1 {
        happens.extend(compressed(format!("{LOG}.2")));
    }
    happens
}

fn dated(day: usize) -> String {
    format!("{LOG}-202611{day:02}")
}

/// What gzip does with a file: there are moments at which both are there.
fn compressed(name: String) -> [Happens; 3] {
    let packed = format!("{name}.gz");
    let whole = name.clone();
    [
        Box::new(move |world| drop(world.writer(&packed))),
        Box::new(move |world| world.pack(&whole)),
        Box::new(move |world| world.remove(&name)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(3000), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_line_comes_once_while_the_log_is_rotated(
        rotation in prop::sample::select(vec![copied as Rotation, renamed, numbered]),
        days in prop::collection::vec(1..4_usize, 1..5),
        questions in prop::collection::vec(prop_oneof![3 => Just(0_u8), 4 => 0..12_u8, 1 => 0..60_u8], 64),
    ) {
        let mut lines = Vec::new();
        let mut moments: Vec<Happens> = Vec::new();
        // The last day is not over.
        let days: Vec<_> = days.into_iter().map(Some).chain([None]).collect();
        for (day, count) in (1..).zip(days) {
            for _ in 0..count.unwrap_or(2) {
                // All of the same length, so that nothing is told by that.
                let line = format!("{:04}-{}", lines.len(), "x".repeat(90));
                lines.push(line.clone());
                moments.push(Box::new(move |world| world.append(&world.writer(LOG), format!("{line}\n").as_bytes())));
            }
            if count.is_some() {
                moments.extend(rotation(day));
            }
        }
        let moments = moments.into_iter().zip(questions.into_iter().cycle()).map(|(happens, before)| (before, happens) as Moment);
        let world = Simulated::default();
        world.writer(LOG);
        let (mut taken, mut block) = (Taken::default(), block());
        let mut tail = Tail::new(world.clone(), world.path(LOG), 1 << 20, Duration::from_secs(5));
        tail.begin(Start::Beginning, &mut taken).expect("a folder");
        world.meanwhile(moments);
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
